"""Aligning a pushed model with a place, from the paths to the new version."""

import hashlib
import os
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import numpy as np

from serving.align import aligned_version, scores
from serving.align.alignment import Alignment, align
from serving.align.prior_shift import logit, sigmoid
from serving.align.scores import Scores
from serving.files.local_paths import require_local
from serving.images import patients
from serving.images.layout import SourceFile
from serving.images.settings import DatasetSettings
from serving.model import Model, Prediction, find_version
from serving.predict import files
from serving.progress import Progress, Step
from serving.versions import pushed
from serving.versions.push import push as publish
from serving.versions.push import require_signing
from serving.versions.push_rules import Compared, PushRefused
from serving.versions.signing import UNSIGNED, SigningSettings
from transform_module.contract import LABELS
from transform_module.errors import NothingValid, UserError

TOLERANCE: Final = 1e-3
"""A version whose probabilities differ by more from what they should be is not published."""

_CHECKED: Final = 32
# As of the reference, which is kept in float32.
_LEAST: Final = 1e-7
# Of a manifest, what is another version's, or says how that was made.
_NOT_ALIGNED: Final = ("name", "version", "created", "files", "recipe", "restores")


@dataclass(frozen=True)
class Aligned:
    """What came of it.

    Attributes:
        version: the folder of the version that was aligned.
        alignment: what was found.
        labels_changed: share of the images whose label is another one.
        published: the new version; None where none was written.
    """

    version: Path
    alignment: Alignment
    labels_changed: float
    published: pushed.PushedVersion | None = None


@dataclass(frozen=True)
class _Place:
    scores: Scores
    sample: list[bytes]


def align_model(
    model: Path,
    images: Path,
    *,
    push: bool,
    settings: DatasetSettings = DatasetSettings(),  # noqa: B008  (a frozen value)
    signing: SigningSettings = UNSIGNED,
    step: Step,
) -> Aligned:
    """Estimates a place's prevalence, and publishes the model that is corrected for it.

    Args:
        model: a version's folder or the folder of the versions.
        images: a folder of the place's images, at any depth; labels in it are not looked at.
        push: whether a new version is published, where one is needed.
        settings: how patients are identified.
        signing: who signs the new version.
        step: shows what is done.

    Raises:
        Refused: see `alignment.align`.
        NothingValid: none of the images can be used.
        UserError: there is no model, or it cannot be aligned, or not be pushed.
    """
    if push:
        require_signing(signing)
    require_local(images, "The images")
    if not os.path.isdir(images):
        raise UserError(f"There is no folder {images}. Give a folder of the place's images.")
    version = find_version(model).absolute()
    reference = scores.read(version)
    with step("Load the model"):
        loaded = Model(version)
    if loaded.record["settings"]["calibration"] != "platt":
        raise UserError(
            f"{version} cannot be aligned: its probabilities are not calibrated by slope and shift "
            "(trainer.calibration=platt), without which a prevalence cannot be estimated."
        )
    with step("Predict images") as progress:
        place = _predict(loaded, images, settings, progress)
    found = align(reference, place.scores)
    changed = _labels_changed(loaded.record, place.scores.logits, found.shift)
    if not (push and found.is_needed):
        return Aligned(version, found, changed)
    with step("Publish the version"):
        return Aligned(
            version, found, changed, _publish(version, loaded, place.sample, found, signing)
        )


def section(found: Alignment, version: Path) -> dict[str, Any]:
    """Returns what is recorded of an alignment: plain values."""
    low, high = found.interval
    return {
        "from_version": version.name,
        "images": found.images,
        "patients": found.patients,
        "prevalence": {
            "before": found.prior,
            "after": found.prevalence,
            "low": low,
            "high": high,
        },
        "logit_shift": found.shift,
        "tests": {"mixture": asdict(found.fit), "domain": asdict(found.domain)},
    }


def _predict(
    model: Model, images: Path, settings: DatasetSettings, progress: Progress | None
) -> _Place:
    found = list(files.files(images))
    patient_of = _patients(images, found, settings)
    logits, whose, outside = [], [], []
    sample: list[bytes] = []
    done = 0
    for batch in files.batches((file, files.read_image(file)) for file in found):
        contents = [(path, content) for path, content in batch if isinstance(content, bytes)]
        predictions = model.predict([content for _, content in contents]) if contents else []
        for (path, content), prediction in zip(contents, predictions, strict=True):
            if not prediction.valid:
                continue
            logits.append(_logit(prediction))
            # Copies of one image are of one patient.
            known = patient_of[path]
            digest = hashlib.sha256(content).hexdigest()
            whose.append(f"patient {known}" if known else f"image {digest}")
            outside.append(prediction.in_domain is False)
            if len(sample) < _CHECKED:
                sample.append(content)
        done += len(batch)
        if progress:
            progress(done, len(found))
    if not logits:
        raise NothingValid(f"None of the {len(found):,} files of {images} is a readable image.")
    return _Place(Scores(np.array(logits), np.array(whose), np.array(outside)), sample)


def _patients(
    images: Path, found: Sequence[Path], settings: DatasetSettings
) -> dict[Path, str | None]:
    sources = {
        file: SourceFile(os.fsencode(file.relative_to(images)), folder="", label="", readable=True)
        for file in found
    }
    patient_of = patients.patient_finder(settings, list(sources.values()))
    return {file: patient_of(source) for file, source in sources.items()}


def _logit(prediction: Prediction) -> float:
    if np.isnan(prediction.probability):
        raise UserError("The model returned nan, not a probability: its weights are damaged.")
    return float(logit(np.clip(prediction.probability, _LEAST, 1 - _LEAST)))


def _labels_changed(record: dict[str, Any], logits: np.ndarray, shift: float) -> float:
    if aligned_version.keeps_labels(record):
        return 0.0
    threshold = record["threshold"]
    before, after = (sigmoid(logits + each) >= threshold for each in (0.0, shift))
    return float((before != after).mean())


def _publish(
    version: Path,
    loaded: Model,
    sample: Sequence[bytes],
    found: Alignment,
    signing: SigningSettings,
) -> pushed.PushedVersion:
    manifest = pushed.read_manifest(version)
    number = pushed.version_number(version.name)
    if manifest is None or number is None:
        raise UserError(f"{version} was never pushed, and so no next version can be. Name one.")
    record = section(found, version) | {"date": datetime.now(UTC).date().isoformat()}
    with tempfile.TemporaryDirectory(prefix="align-") as temporary:
        folder = Path(temporary) / version.name
        aligned_version.write(version, folder, found.shift, record)
        _check(loaded, Model(folder), sample, found.shift)
        kept = {key: value for key, value in manifest.items() if key not in _NOT_ALIGNED}
        try:
            return publish(
                folder,
                version.parent,
                kept | {"baseline_version": str(number), "alignment": record},
                Compared(pushed.sums(folder), str(number)),
                signing=signing,
            )
        except PushRefused as refused:
            raise UserError(f"The aligned model is not pushed: {refused}.") from refused


def _check(former: Model, new: Model, sample: Sequence[bytes], shift: float) -> None:
    """Compares both models on images of the place.

    Raises:
        UserError: the new one is not the former one, shifted.
    """
    for before, after in zip(former.predict(sample), new.predict(sample), strict=True):
        expected = float(sigmoid(_logit(before) + shift))
        is_same = before.triage == after.triage and before.in_domain == after.in_domain
        label = LABELS[int(after.probability >= new.record["threshold"])]
        if (
            not abs(after.probability - expected) <= TOLERANCE
            or not is_same
            or after.label != label
        ):
            raise UserError(
                f"The aligned model is not pushed: it returns {after.label} with "
                f"{after.probability:.4f} where {label} with {expected:.4f} is expected."
            )
