"""Scores of images, each patient counted once: of the reference, with labels, and of a place.

A score is the logit of the calibrated probability. The reference is the held-out images that the
model was calibrated on, as its training recorded them.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from transform_module.contract import LABELS, REFERENCE_SCORES
from transform_module.errors import UserError


@dataclass(frozen=True)
class Scores:
    """Scores of unlabelled images.

    Attributes:
        logits: [N] float64.
        patients: [N], whose image each is.
        out_of_domain: [N] bool.
    """

    logits: np.ndarray
    patients: np.ndarray
    out_of_domain: np.ndarray

    @property
    def number_of_patients(self) -> int:
        """Number of patients."""
        return len(np.unique(self.patients))


@dataclass(frozen=True)
class Reference:
    """Scores of labelled images that the model was not trained on.

    Attributes:
        logits: [N] float64.
        labels: [N] 0 or 1.
        patients: [N], whose image each is.
        flagged: of NORMAL and of PNEUMONIA, how many patients' worth of images were out of domain,
            and of how many patients.
    """

    logits: np.ndarray
    labels: np.ndarray
    patients: np.ndarray
    flagged: tuple[tuple[float, int], ...]

    def of(self, label: int) -> tuple[np.ndarray, np.ndarray]:
        """Returns the logits and the patients of a class."""
        chosen = self.labels == label
        return self.logits[chosen], self.patients[chosen]


def weights_of(patients: np.ndarray) -> np.ndarray:
    """Returns [N] float64 of sum 1: each patient has the same, shared by the patient's images."""
    _, index, images = np.unique(patients, return_inverse=True, return_counts=True)
    return 1 / (len(images) * images[index])


def read(version: Path) -> Reference:
    """Reads what a pushed version records of its reference.

    Raises:
        UserError: it records none, or it is damaged, or lacks a class.
    """
    path = version / REFERENCE_SCORES
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        reference = _reference(content)
    except FileNotFoundError:
        raise UserError(
            f"{version} was pushed before models recorded how they score images of each class "
            f"({REFERENCE_SCORES} is missing). Run the pipeline again, and align the version that "
            "it pushes."
        ) from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(f"{path} cannot be read: {error!r}.") from error
    for label, name in enumerate(LABELS):
        if not (reference.labels == label).any():
            raise UserError(
                f"{version} cannot be aligned: none of the images that it was calibrated on is "
                f"{name}."
            )
    return reference


def _reference(content: dict[str, Any]) -> Reference:
    classes = [content[name] for name in LABELS]
    logits = [np.array(each["logits"], np.float64) for each in classes]
    patients = [np.array(each["patients"], np.int64) for each in classes]
    return Reference(
        np.concatenate(logits),
        np.repeat(np.arange(len(classes)), [len(each) for each in logits]),
        np.concatenate(patients),
        tuple((float(each["out_of_domain"]), int(each["domain_patients"])) for each in classes),
    )
