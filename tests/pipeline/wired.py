"""The wired pipeline, made for tests; nothing of it runs."""

from tfx.orchestration.pipeline import Pipeline

from pipeline.config_file import load
from pipeline.pipeline import Inputs, create_pipeline

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
)


def wire(*overrides: str) -> Pipeline:
    return create_pipeline(load(None, overrides), INPUTS)
