"""The trainer's input beside the same step fed from memory, in turn in one process.

    python -m tests.benchmarks.training EXAMPLES [--steps 15] [--rounds 5] [--precision bfloat16]

EXAMPLES is a folder of Transform's output (Split-train inside). Prints JSON: images a second of
each round, and page faults a step.
"""

import argparse
import json
import os
import resource
import time
from functools import partial
from pathlib import Path

from pipeline.run.allocator import tune_allocator


def main() -> None:
    """Measures and prints."""
    tune_allocator()
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("examples", type=Path)
    parser.add_argument("--steps", type=int, default=15)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--precision", default="float32")
    options = parser.parse_args()
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    import keras
    import tensorflow as tf

    from tests.benchmarks import trainer_input
    from trainer_module.networks import building
    from trainer_module.settings.trainer import TrainerSettings
    from trainer_module.training import strategy
    from trainer_module.training.steps import Steps
    from transform_module.contract import IMAGE_SIZE

    settings = TrainerSettings()
    keras.utils.set_random_seed(1)
    images = trainer_input.read(options.examples)
    steps = Steps(
        strategy.create("auto"),
        partial(
            building.build,
            settings,
            size=IMAGE_SIZE,
            synchronized=False,
            precision=options.precision,
        ),
        settings,
        learning_rate=settings.learning_rate,
        global_batch_size=settings.batch_size,
    )
    batches = trainer_input.epoch_of(images, settings, 0)
    batch = next(iter(batches))
    memory = tf.data.Dataset.from_tensors(batch).repeat(options.steps)

    def measured(batches: tf.data.Dataset) -> tuple[float, float]:
        faults, started = _faults(), time.perf_counter()
        steps.train(batches)
        seconds = time.perf_counter() - started
        return (
            options.steps * settings.batch_size / seconds,
            (_faults() - faults) / options.steps,
        )

    steps.train(memory)
    found: dict[str, list[float]] = {"trainer": [], "memory": [], "faults": []}
    for _ in range(options.rounds):
        found["memory"].append(measured(memory)[0])
        speed, faults = measured(batches.take(options.steps))
        found["trainer"].append(speed)
        found["faults"].append(faults)
    print(json.dumps(found))


def _faults() -> int:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_minflt + used.ru_majflt


if __name__ == "__main__":
    main()
