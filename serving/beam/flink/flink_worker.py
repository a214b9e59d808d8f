"""A worker of Beam, started by a TaskManager of Flink: the boot program of Beam's containers.

    python -m serving.beam.flink.flink_worker --id=ID --provision_endpoint=HOST:PORT ...

Beam's own is a Go program that only its images hold (apache_beam 2.77,
``sdks/python/container/boot.go``: the arguments, and the variables that it hands on).
"""

import argparse
import os

import grpc
from apache_beam.portability.api import beam_provision_api_pb2, beam_provision_api_pb2_grpc
from google.protobuf import json_format


def main() -> None:
    """Works until Flink closes the connection."""
    parser = argparse.ArgumentParser(allow_abbrev=False)
    parser.add_argument("--id", required=True)
    parser.add_argument("--provision_endpoint", required=True)
    given, _ = parser.parse_known_args()
    info = _provisioned(given.provision_endpoint, given.id)
    os.environ.update(
        WORKER_ID=given.id,
        CONTROL_API_SERVICE_DESCRIPTOR=str(info.control_endpoint),
        LOGGING_API_SERVICE_DESCRIPTOR=str(info.logging_endpoint),
        PIPELINE_OPTIONS=json_format.MessageToJson(info.pipeline_options),
        CUDA_VISIBLE_DEVICES="-1",  # The GPU is the trainer's.
    )
    # Beam reads WORKER_ID when it is imported.
    from apache_beam.runners.worker import sdk_worker_main

    from serving.beam.record_errors import name_damaged_files

    name_damaged_files()
    sdk_worker_main.main([])


def _provisioned(endpoint: str, worker: str) -> "beam_provision_api_pb2.ProvisionInfo":
    with grpc.insecure_channel(endpoint) as channel:
        return (
            beam_provision_api_pb2_grpc.ProvisionServiceStub(channel)
            .GetProvisionInfo(
                beam_provision_api_pb2.GetProvisionInfoRequest(),
                metadata=[("worker_id", worker)],
                wait_for_ready=True,
            )
            .info
        )


if __name__ == "__main__":
    main()
