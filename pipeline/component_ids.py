"""The ids of the components, which are their classes' names."""

from typing import Final

EXAMPLE_GEN: Final = "ImportExampleGen"
TRANSFORM: Final = "Transform"
TUNER: Final = "Tuner"
TRAINER: Final = "Trainer"
BASELINE: Final = "Baseline"
EVALUATOR: Final = "Evaluator"
PUSHER: Final = "Pusher"
REPORT: Final = "Report"
ENDPOINT: Final = "Endpoint"

COMPONENTS: Final = (
    EXAMPLE_GEN,
    "StatisticsGen",
    "SchemaGen",
    "ExampleValidator",
    TRANSFORM,
    TRAINER,
    BASELINE,
    EVALUATOR,
    "ServingCheck",
    PUSHER,
    REPORT,
)
"""Those of every pipeline; TUNER is one of them where settings are searched for."""
