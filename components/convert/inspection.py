"""Inspection of image files: what each holds, and whether it is an image. A step of Beam."""

import hashlib
import logging
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final

import apache_beam as beam
import numpy as np

from components.convert.outcomes import Outcome
from components.convert.screening import appearance
from components.convert.screening.look import look
from serving.beam.beam_pipeline import IMAGES
from serving.images import decode_check, reasons
from serving.images.dicom.facts import Facts
from serving.images.dicom.pseudonyms import BY_TAG
from serving.images.dicom.selection import Selection
from serving.images.encoding.encoding import encoded
from serving.images.patient_names import Patient
from serving.images.patients import GIVEN
from serving.progress import count
from transform_module.contract import MAXIMUM_BYTES
from transform_module.files.source_path import Source, inside

FAINT: Final = 10.0
"""Thumbnails with a smaller standard deviation, in grey levels of 255, are doubtful.

Those of 5,232 X-rays of Kermany et al. 2018 and of 120 of adults have at least 13.8. Less have
exports whose window was wrong: 12 bits of which the 4 highest were kept, or an offset of 16 bits.
"""

LOOKS: Final = "looks"
"""Beam's tag of the thumbnails."""

_CHUNK_BYTES = 1024 * 1024
# Threads, as both decoders leave Python alone meanwhile; few, as each may hold a large image.
_INSPECTORS = min(4, os.cpu_count() or 1)


@dataclass(frozen=True)
class Looks:
    """What some images look like.

    Attributes:
        index: [N] int64, see `Outcome.index`.
        labels: their classes.
        hashes: [N, HASH_BYTES] uint8, see `appearance.perceptual_hash`.
        thumbnails: [N, side, side] uint8, see `appearance.thumbnail`.
    """

    index: np.ndarray
    labels: tuple[str, ...]
    hashes: np.ndarray
    thumbnails: np.ndarray

    def where(self, chosen: np.ndarray) -> "Looks":
        """Returns those that are chosen [N] bool."""
        labels = tuple(
            label for label, is_chosen in zip(self.labels, chosen, strict=True) if is_chosen
        )
        return Looks(self.index[chosen], labels, self.hashes[chosen], self.thumbnails[chosen])


def read_file(file: Source) -> tuple[bytes | None, str]:
    """Reads a file piece by piece.

    Args:
        file: the file.

    Returns:
        Its content, None where it has more than MAXIMUM_BYTES, and its SHA-256.
    """
    digest, pieces, size = hashlib.sha256(), [], 0
    with file.open("rb") as content:
        while piece := content.read(_CHUNK_BYTES):
            digest.update(piece)
            size += len(piece)
            if size <= MAXIMUM_BYTES:
                pieces.append(piece)
            else:
                pieces.clear()
    return (b"".join(pieces) if size <= MAXIMUM_BYTES else None), digest.hexdigest()


def inspect_file(
    outcome: Outcome, images: Source, selection: Selection
) -> tuple[Outcome, np.ndarray | None]:
    """Reads and decodes a file.

    Args:
        outcome: the file; anything may be in it.
        images: the image folder.
        selection: which DICOM files are taken, and how their patients are named.

    Returns:
        The outcome with what was found, and the thumbnail of a good image.
    """
    try:
        data, sha256 = read_file(inside(images, outcome.file.path))
    except OSError as error:
        return replace(outcome, quarantined=reasons.unreadable(error)), None
    outcome = replace(outcome, sha256=sha256)
    if data is None:
        return replace(outcome, quarantined=reasons.too_large(MAXIMUM_BYTES)), None
    image = encoded(data)
    if isinstance(image, str):
        return replace(outcome, quarantined=image), None
    if image.facts:
        if reason := selection.reason_against(image.facts):
            return replace(outcome, quarantined=reason), None
        outcome = _owned(outcome, image.facts, selection)
    decoded = decode_check.decode(image.image)
    if isinstance(decoded, str):
        return replace(outcome, quarantined=decoded), None
    checked, pixels = decoded
    small = appearance.thumbnail(pixels)
    if reason := appearance.shows_nothing(small):
        return replace(outcome, quarantined=reason), None
    findings = {
        "turned": checked.orientation != 1,
        "unused_bits": checked.unused_bits > 0,
        "faint": small.std() < FAINT,
        "burned_in": bool(image.facts and image.facts.burned_in),
    }
    good = replace(
        outcome,
        format=image.format,
        view=image.facts.view if image.facts else "",
        width=checked.width,
        height=checked.height,
        unused_bits=checked.unused_bits,
        bits=checked.bits,
        colours=checked.colours,
        findings=tuple((kind, 0.0) for kind, is_so in findings.items() if is_so),
        measures=look(pixels),
    )
    return good, small


def _owned(outcome: Outcome, facts: Facts, selection: Selection) -> Outcome:
    """Takes the patient of the tags, unless the user has said whose the image is."""
    is_given = outcome.owner is not None and outcome.owner.known_by in GIVEN
    if facts.patient_id is None or is_given:
        return outcome
    return replace(outcome, owner=Patient(selection.name(facts.patient_id), BY_TAG))


class ImageDoFn(beam.DoFn):
    """Works on images in a worker, and counts those that are done.

    Args:
        stage: whose listener gets the count.
    """

    def __init__(self, stage: str) -> None:
        self._stage = stage
        self._driver = os.getpid()
        self._counter = beam.metrics.Metrics.counter("cxr", IMAGES)

    def setup(self) -> None:
        """Hides the accelerator but in the driver's own process: training may follow there."""
        if os.getpid() == self._driver:
            return
        import tensorflow as tf

        try:
            tf.config.set_visible_devices([], "GPU")
        except RuntimeError:
            logging.getLogger(__name__).debug("TensorFlow has its devices already.")

    def done(self) -> None:
        """Counts an image."""
        self._counter.inc()
        count(self._stage, 1)


class Inspect(ImageDoFn):
    """Inspects lists of files; returns their outcomes, and with the tag LOOKS `Looks`."""

    def __init__(self, images: Source, stage: str, selection: Selection) -> None:
        super().__init__(stage)
        self._images = images
        self._selection = selection

    def process(self, files: list[Outcome]) -> Iterator[Any]:
        """Inspects some files at once."""
        inspect = partial(inspect_file, images=self._images, selection=self._selection)
        good: list[tuple[Outcome, np.ndarray]] = []
        with ThreadPoolExecutor(_INSPECTORS) as pool:
            for outcome, small in pool.map(inspect, files):
                self.done()
                if small is not None and outcome.file.problem is None:
                    good.append((outcome, small))
                # What is known without reading goes before what reading found.
                yield replace(outcome, quarantined=outcome.file.problem or outcome.quarantined)
        if good:
            thumbnails = np.stack([small for _, small in good])
            hashes = b"".join(appearance.perceptual_hash(small) for small in thumbnails)
            yield beam.pvalue.TaggedOutput(
                LOOKS,
                Looks(
                    np.array([outcome.index for outcome, _ in good], np.int64),
                    tuple(outcome.label for outcome, _ in good),
                    np.frombuffer(hashes, np.uint8).reshape(-1, appearance.HASH_BYTES),
                    thumbnails,
                ),
            )
