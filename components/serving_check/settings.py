"""Requirements of the check before the push on a served model, and the file it leaves."""

from typing import Final, Literal

import pydantic

from transform_module.strict import STRICT

REPORT: Final = "serving_check.json"
"""The file within the InfraBlessing artifact with what was requested, measured and found."""


class ServingCheckSettings(pydantic.BaseModel):
    """The check before the push: a served copy predicts, and is compared."""

    model_config = STRICT

    engine: Literal["embedded", "tensorflow-serving"] = pydantic.Field(
        "embedded",
        description="What serves the model: the embedded server, in a process of its own, or"
        " TensorFlow Serving's container through TFX's InfraValidator, which needs Docker.",
    )
    maximum_latency_ms: float = pydantic.Field(
        2_000.0, gt=0, description="Maximum median latency of one image, in milliseconds."
    )
    maximum_memory_gib: float = pydantic.Field(
        8.0, gt=0, description="Maximum memory of the server, in GiB."
    )
