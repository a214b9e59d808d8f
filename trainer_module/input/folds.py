"""Folds: no patient is in two, and each fold has its share of each class."""

import hashlib
from collections import Counter, defaultdict

import numpy as np

from trainer_module.input.batches import Images
from trainer_module.training_error import TrainingError
from transform_module.contract import LABELS


class FoldsError(TrainingError):
    """There are too few patients for that many folds."""


def assign(patients: np.ndarray, labels: np.ndarray, *, folds: int, seed: int) -> np.ndarray:
    """Deals the patients to the folds.

    Those of a class are dealt for themselves, the ones with most images first and otherwise in
    the order of a hash of seed and patient, each to the fold that has the fewest images of the
    class. Patients with images of both classes are dealt as a class of their own. So the folds
    follow from who is there, and never from the order of the files.

    Args:
        patients: [N] ids as bytes.
        labels: [N] int.
        folds: how many, 2 or more.
        seed: another one deals patients with as many images in another order.

    Returns:
        Index of each image's fold, [N] int.

    Raises:
        FoldsError: a fold would lack a class, or have no images.
    """
    images = Counter(patients.tolist())
    classes: dict[bytes, set[int]] = defaultdict(set)
    for patient, label in zip(patients.tolist(), labels.tolist(), strict=True):
        classes[patient].add(label)
    dealt = sorted(classes, key=lambda each: (-images[each], _hash(each, seed), each))
    filled: dict[frozenset[int], list[int]] = defaultdict(lambda: [0] * folds)
    total = [0] * folds
    fold_of = {}
    for patient in dealt:
        of_class = filled[frozenset(classes[patient])]
        fold = min(range(folds), key=lambda fold: (of_class[fold], total[fold], fold))
        of_class[fold] += images[patient]
        total[fold] += images[patient]
        fold_of[patient] = fold
    assigned = np.array([fold_of[patient] for patient in patients.tolist()], int)
    for label, name in enumerate(LABELS):
        if len(set(assigned[labels == label].tolist())) < folds:
            having = sum(label in each for each in classes.values())
            raise FoldsError(
                f"{folds} folds need as many patients of each class, and {having} of the patients"
                f" have {name}; choose fewer folds, or give more images."
            )
    return assigned


def split(
    train: Images, evaluation: Images, *, folds: int, seed: int
) -> list[tuple[Images, Images]]:
    """Pairs each training part with its evaluation part.

    Args:
        train: the split.
        evaluation: the split.
        folds: how many; 1 leaves the splits as they are, more deal the images of both.
        seed: see `assign`.

    Returns:
        For each fold all other images, and its own.

    Raises:
        FoldsError: see `assign`.
    """
    if folds == 1:
        return [(train, evaluation)]
    images = train + evaluation
    assigned = assign(images.patients, images.labels, folds=folds, seed=seed)
    return [
        (images.where(assigned != fold), images.where(assigned == fold)) for fold in range(folds)
    ]


def _hash(patient: bytes, seed: int) -> bytes:
    return hashlib.sha256(b"%d:%b" % (seed, patient)).digest()
