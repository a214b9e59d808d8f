"""Beam's arguments for Dataflow."""

from typing import Final

from components.google_cloud.settings import GoogleCloudSettings

WORKER_PACKAGE: Final = "/opt/cxr/dist/chest_xray_pipeline-0.1.0-py3-none-any.whl"
"""This package in the image. Workers install it, with what it needs: their image has neither."""


def beam_args(settings: GoogleCloudSettings, root: str) -> list[str]:
    """Returns what Beam's steps are started with.

    Args:
        settings: with ``dataflow``.
        root: where the jobs may keep files, such as gs://bucket/cxr.

    Returns:
        Options of Beam (https://cloud.google.com/dataflow/docs/reference/pipeline-options).
    """
    chosen = settings.dataflow
    assert chosen is not None
    return [
        "--runner=DataflowRunner",
        f"--project={settings.project}",
        f"--region={settings.region}",
        f"--temp_location={root}/dataflow/temp",
        f"--staging_location={root}/dataflow/staging",
        f"--extra_package={WORKER_PACKAGE}",
        f"--worker_machine_type={chosen.machine}",
        f"--max_num_workers={chosen.max_workers}",
        f"--disk_size_gb={chosen.disk}",
        *([f"--service_account_email={settings.service_account}"] * bool(settings.service_account)),
        *([f"--subnetwork={chosen.subnetwork}"] * bool(chosen.subnetwork)),
        *(["--no_use_public_ips"] * (not chosen.public_addresses)),
    ]
