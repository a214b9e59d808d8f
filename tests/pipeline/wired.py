"""The wired pipeline, made for tests; nothing of it runs."""

from dataclasses import replace
from typing import Any

from tfx.orchestration.pipeline import Pipeline

from pipeline.config.config_file import load
from pipeline.pipeline import Inputs, beam_args, create_pipeline

INPUTS = Inputs(
    examples="/place/dataset",
    fingerprint="f1",
    images="/place/images",
    quarantine="/place/dataset/quarantine.csv",
    artifacts="/place/artifacts",
    checkpoints="/place/checkpoints",
    push_dir="/place/pushed",
    baseline_version="17",
    epochs=3,
    batch_size=16,
    learning_rate=0.01,
    beam_args=(),
)


def wire(*overrides: str, **inputs: Any) -> Pipeline:
    config = load(None, overrides)
    return create_pipeline(config, replace(INPUTS, beam_args=beam_args(config), **inputs))
