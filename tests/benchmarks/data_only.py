"""The pipeline up to Transform, for sets of images too large to train on in a benchmark.

    python -m tests.benchmarks.data_only --images IMAGES --root ROOT

Converts the images and runs ImportExampleGen to Transform, as `cxr run` does. Prints as JSON the
seconds and the highest memory, in bytes, of the conversion and of each component.
"""

import argparse
import json
import time
from dataclasses import replace
from pathlib import Path

from pipeline.run.memory import PeakMemory
from serving.process.collector import importing


def main() -> None:
    """Runs and prints."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=Path, required=True)
    parser.add_argument("--root", type=Path, required=True)
    options = parser.parse_args()
    with importing():
        from tfx.orchestration.local.local_dag_runner import LocalDagRunner
        from tfx.orchestration.pipeline import RunOptions

        from components.convert.convert import convert
        from pipeline import pipeline
        from pipeline.config.config import Config
        from pipeline.root import metadata
        from pipeline.root.root import Root
        from pipeline.run.component_progress import ComponentProgress, watching
        from serving.beam.beam_process import prepare_process
        from tests.pipeline.wired import INPUTS

    config, root = Config(), Root.at(options.root.resolve())
    found = {}
    with PeakMemory() as memory:
        started = time.monotonic()
        dataset = convert(options.images, root.dataset, settings=config.dataset, seed=config.seed)
        found["convert"] = [time.monotonic() - started, memory.peak()]
        inputs = replace(
            INPUTS,
            examples=str(root.dataset),
            fingerprint=dataset.fingerprint,
            artifacts=str(root.artifacts),
            beam_args=pipeline.beam_args(config),
        )
        wired = pipeline.create_pipeline(config, inputs, metadata.connection(root.metadata))
        progress = ComponentProgress(
            memory,
            lambda name: None,
            lambda each: found.update({each.name: [each.seconds, each.peak_memory]}),
        )
        with watching(progress, lambda line: None):
            prepare_process()
            LocalDagRunner().run(wired, run_options=RunOptions(to_nodes=["Transform"]))
    print(json.dumps(found))


if __name__ == "__main__":
    main()
