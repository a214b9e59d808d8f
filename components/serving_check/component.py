"""ServingCheck: serves a model before it is pushed, and blesses it or says what differs."""

import logging
from dataclasses import asdict
from pathlib import Path
from typing import Final

from tfx.dsl.component.experimental.annotations import InputArtifact, OutputArtifact, Parameter
from tfx.dsl.component.experimental.decorators import component
from tfx.types.standard_artifacts import Examples, InfraBlessing, Model, ModelEvaluation
from tfx.utils import path_utils

from components.artifacts import example_images, model_sums
from components.artifacts.local_copies import local_copies
from components.evaluator import predictions
from components.evaluator.evaluation import REASONS
from components.hashed import hashed
from components.serving_check.settings import REPORT, ServingCheckSettings
from components.serving_check.trial import Question, try_serving
from serving import strict_json

SAMPLE: Final = 128
"""The number of images that are requested: the first ones predicted, of both classes."""

# As TFX's InfraValidator marks its blessing.
_BLESSED: Final = "blessed"
_FILES: Final = {True: "INFRA_BLESSED", False: "INFRA_NOT_BLESSED"}

_LOG = logging.getLogger(__name__)


@hashed
@component
def ServingCheck(
    model: InputArtifact[Model],
    examples: InputArtifact[Examples],
    evaluation: InputArtifact[ModelEvaluation],
    blessing: OutputArtifact[InfraBlessing],
    settings: Parameter[str],
    model_name: Parameter[str],
    images: Parameter[str],
    quarantine: Parameter[str],
) -> None:
    """Blesses a model that can be served, as TFX's InfraValidator does, and says why if not.

    It succeeds where it refuses a model, and fails where it cannot try one.

    Args:
        model: the model to check.
        examples: examples with the split ``test``, as they are before Transform.
        evaluation: what Evaluator made, with its predictions.
        blessing: gets TFX's marks, the property ``reasons``, `REPORT`, and the sums and the digest
            of the model.
        settings: the bounds, ServingCheckSettings as JSON.
        model_name: the model's name in URLs.
        images: folder that the examples were made from; what is not there is not requested.
        quarantine: the conversion's list of the files that were kept out; need not be there.

    Raises:
        UserError: the model is not what was trained, the predictions are not those of this model
            and these examples, or the server did not start, ended or could not be reached: no
            verdict on the model.
    """
    with local_copies(inputs=(model, evaluation), outputs=(blessing,)):
        files = model_sums.examine(model)
        sample = predictions.read(evaluation, model, examples).images[:SAMPLE]
        contents = example_images.contents(examples, [predicted.path for predicted in sample])
        trial = try_serving(
            Path(path_utils.serving_model_path(model.uri)),
            files,
            model_name,
            [Question(contents[predicted.path], predicted) for predicted in sample],
            ServingCheckSettings.model_validate_json(settings),
            images=Path(images),
            quarantine=Path(quarantine),
        )
        folder = Path(blessing.uri)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / REPORT).write_text(
            strict_json.dumps(asdict(trial), indent=2) + "\n", encoding="utf-8"
        )
        model_sums.record(blessing, files)
        blessed = not trial.reasons
        (folder / _FILES[blessed]).touch()
        blessing.set_int_custom_property(_BLESSED, int(blessed))
        blessing.set_string_custom_property(REASONS, "\n".join(trial.reasons))
    for reason in trial.reasons:
        _LOG.warning("Not blessed: %s.", reason)
