"""A configuration that compiles, made for tests."""

from pipeline.config.config import Config
from pipeline.config.config_file import load

CLUSTER = (
    "cluster.image=registry.example/cxr:1.2",
    "cluster.root=gs://bucket/cxr",
    "cluster.examples=gs://bucket/examples",
)


def configured(*overrides: str) -> Config:
    return load(None, [*CLUSTER, *overrides])
