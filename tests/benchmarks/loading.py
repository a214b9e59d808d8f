"""The trainer's input without the training.

    python -m tests.benchmarks.loading EXAMPLES [--epochs 3]

EXAMPLES is a folder of Transform's output (Split-train inside). Prints the images a second of
each epoch as JSON; the first one decodes, as it does in training.
"""

import argparse
import json
import time
from pathlib import Path

from pipeline.run.allocator import tune_allocator


def main() -> None:
    """Iterates and prints."""
    tune_allocator()
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("examples", type=Path)
    parser.add_argument("--epochs", type=int, default=3)
    options = parser.parse_args()

    from tests.benchmarks import trainer_input
    from trainer_module.settings.trainer import TrainerSettings

    settings = TrainerSettings()
    started = time.perf_counter()
    images = trainer_input.read(options.examples)
    speeds = []
    for epoch in range(options.epochs):
        batches = trainer_input.epoch_of(images, settings, epoch)
        count = sum(len(labels) for _, labels, _ in batches)
        speeds.append(count / (time.perf_counter() - started))
        started = time.perf_counter()
    print(json.dumps(speeds))


if __name__ == "__main__":
    main()
