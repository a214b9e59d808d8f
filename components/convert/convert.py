"""Image folders to TFRecords: inspect, place, write, and put the whole into place at once."""

import errno
import logging
import os
import platform
import re
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from components.convert import records
from components.convert.source import fingerprint_of, source_fingerprint
from serving.files import publication
from serving.files.local_paths import place_of, source_of
from serving.files.spool import Spool
from serving.images.dataset import DATASET_FILE, QUARANTINE_FILE, Dataset
from serving.images.dicom.selection import Selection
from serving.images.labels.labelled_files import labelled_files
from serving.images.layout import SourceFile
from serving.images.patients import patient_finder
from serving.images.settings import DatasetSettings
from serving.process import system_errors
from serving.process.collector import importing
from serving.progress import Progress
from transform_module.contract import SPLITS
from transform_module.errors import NothingValid, UserError
from transform_module.files import intact
from transform_module.files.archives.archive_path import ArchivePath
from transform_module.files.archives.decompression import decompressed
from transform_module.files.place import Place, names_below
from transform_module.files.source_path import Source
from transform_module.files.store_path import StorePath
from transform_module.text import count

if TYPE_CHECKING:
    from components.convert.jobs import Job
    from components.convert.tally import Tally

_LOG = logging.getLogger(__name__)

# Its module is not imported here, so that a change of what it draws converts nothing again.
Report = Callable[[Dataset, Source], None]

_VERSIONED = ("apache-beam", "pillow", "tensorflow")
_NOT_ALLOWED = (errno.EACCES, errno.EPERM, errno.EROFS)
_DISK_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_OURS = re.compile(
    # Hidden ones are claims, see `publication`.
    rf"\.|{re.escape(QUARANTINE_FILE)}$"
    rf"|({'|'.join(SPLITS)})/{records.RECORDS_NAME}-\d+-of-\d+\.tfrecord\.gz$"
)
_DISK_FULL_TEXT = re.compile("|".join(os.strerror(number) for number in _DISK_FULL))


def convert(
    images: str | Source,
    out: str | Place,
    *,
    settings: DatasetSettings,
    seed: int,
    beam_args: Sequence[str] = (),
    progress: Progress | None = None,
    report: Report | None = None,
) -> Dataset:
    """Converts image folders to a dataset of TFRecords.

    The records are the same, in the same files, for the same input. Where ``out`` holds them
    already, its TFRecords are not touched, so that what was computed from them stays valid. A
    conversion that fails or is killed leaves the former output; in a store there is no dataset
    while the records are put into place, see `publication`.

    Args:
        images: folder with ``train|val|test/NORMAL|PNEUMONIA/**`` or only class folders, here or
            in a store, such as ``s3://bucket/images``; or a zip or tar file of it.
        out: folder of the dataset, here or in a store; made, or replaced where it holds a dataset.
        settings: see DatasetSettings.
        seed: seed of the split.
        beam_args: options for Beam, such as ``--runner=...``; by default it runs in this process.
            The workers must see ``images`` and the folder that ``out`` lies in.
        progress: gets (done, total) images: first those inspected, then, from 0 again, those
            written.
        report: gets the description and the image folder at the end.

    Returns:
        What ``dataset.json`` in ``out`` holds.

    Raises:
        UserError: nothing is recognised in ``images``; too much of it is bad; ``out`` holds
            something else or is being written by another process; the disk is full; a store
            cannot be reached.
    """
    source = source_of(images, "The image folder").resolve()
    target = place_of(out, "The output").resolve()
    _refuse_overlap(source, target)
    try:
        with publication.staged(target) as new:
            _refuse_foreign(target)
            return _convert(source, target, new, settings, seed, beam_args, progress, report)
    except UserError:
        raise
    except Exception as error:
        if explained := _explain(error, target):
            raise UserError(explained) from error
        raise


def inspect(
    images: str | Source,
    *,
    settings: DatasetSettings,
    seed: int,
    beam_args: Sequence[str] = (),
    progress: Progress | None = None,
    report: Report | None = None,
) -> tuple[Dataset, str | None]:
    """Finds out what `convert` would make of image folders, and writes nothing.

    Args:
        images: see `convert`, as for all else. Beam's workers must see the folder of temporary
            files of this process.
        settings: the share of bad files refuses nothing here.
        seed: seed of the split.
        beam_args: options for Beam.
        progress: gets (done, total) images.
        report: see `convert`.

    Returns:
        The description without sums of files, and why `convert` would refuse the folder, or None.

    Raises:
        NothingValid: there is no class folder with a file in it, or none of the files can be used.
        UserError: see `convert`.
    """
    source = source_of(images, "The image folder").resolve()
    with tempfile.TemporaryDirectory(prefix="cxr-inspect-") as place:
        placed = _place(source, Path(place), settings, seed, beam_args, progress)
        from components.convert.quarantine import refusal

        refused = refusal(placed.tally, placed.files, settings)
        if refused and not any(each.written for each in placed.dataset.folders):
            raise NothingValid(refused)
        if report:
            report(placed.dataset, placed.images)
    return placed.dataset, refused


def converted(
    images: Source, out: Place, *, settings: DatasetSettings, seed: int
) -> Dataset | None:
    """Returns whether a conversion would change nothing, without reading an image.

    Args:
        images: see `convert`.
        out: see `convert`.
        settings: see `convert`.
        seed: see `convert`.

    Returns:
        What ``dataset.json`` in ``out`` holds; None where files, settings, seed or code differ
        from what it was made from, or a file in ``out`` is damaged or missing.

    Raises:
        UserError: nothing is recognised in ``images``.
    """
    images, out = source_of(images, "The image folder").resolve(), out.resolve()
    wanted = source_fingerprint(images, settings, seed)
    if not (out / DATASET_FILE).exists():
        return None
    try:
        present = Dataset.load(out)
    except UserError as error:
        _LOG.warning("%s", error)
        return None
    if present.source_fingerprint != wanted:
        return None
    if problems := [*_damaged_shards(present, out), *_damaged_list(present, out)]:
        _LOG.warning("%s; the images are converted again.", problems[0])
        return None
    return present


def _convert(
    images: Source,
    out: Place,
    new: Place,
    settings: DatasetSettings,
    seed: int,
    beam_args: Sequence[str],
    progress: Progress | None,
    report: Report | None,
) -> Dataset:
    placed = _place(images, new.parent, settings, seed, beam_args, progress)
    # Imported here: Beam takes seconds, and a user's mistakes are known by now.
    from components.convert.quarantine import refuse_mostly_bad, refused_list, write_list

    dataset, job = placed.dataset, placed.job
    refuse_mostly_bad(placed.tally, placed.files, job.quarantined(), out, settings)
    write_list(job.quarantined(), new / QUARANTINE_FILE)
    listed = {QUARANTINE_FILE: intact.sha256(new / QUARANTINE_FILE)}
    if present := _with_the_records_of(dataset, out):
        dataset = dataset.model_copy(update={"files": {**present.files, **listed}}).save(new)
        publication.update(new, out, DATASET_FILE, lambda: _require_same(present, out))
    else:
        written = job.write(new, sum(each.images for each in dataset.splits))
        summed = dict(sorted({**written, **listed}.items()))
        dataset = dataset.model_copy(update={"files": summed}).save(new)
        publication.publish(new, out, DATASET_FILE)
    refused_list(out).unlink(missing_ok=True)
    if report:
        report(dataset, placed.images)
    _report(dataset)
    return dataset


@dataclass(frozen=True)
class _Placed:
    """Files that were read, and what a dataset of them would be."""

    images: Source
    files: Spool[SourceFile]
    job: "Job"
    tally: "Tally"
    dataset: Dataset


def _place(
    images: Source,
    results: Place,
    settings: DatasetSettings,
    seed: int,
    beam_args: Sequence[str],
    progress: Progress | None,
) -> _Placed:
    if isinstance(images, ArchivePath):
        images = decompressed(images, results)
    files = labelled_files(images, settings)
    patients = patient_finder(settings, files)
    selection = Selection.of(settings.dicom)
    with importing():
        import tensorflow  # noqa: F401  (for the images' decoder)

        from components.convert import jobs, shards, tally
        from components.convert.layout_warnings import layout_warnings
        from components.convert.screening.screening import findings
        from components.convert.survey.survey import survey

    number = shards.number_of_shards(settings.shards, len(files), sum(file.size for file in files))
    job = jobs.Job(images, results, number, beam_args, progress)
    found = job.place(files, patients, seed=seed, hold_out=settings.hold_out, selection=selection)
    known = tally.count_known(found)
    dataset = Dataset(
        fingerprint=job.fingerprint(),
        source_fingerprint=fingerprint_of(images, files, settings, seed),
        seed=seed,
        hold_out=settings.hold_out,
        shards=number,
        folders=tally.count_folders(found),
        splits=tally.count_splits(found),
        quarantine_reasons=tally.count_reasons(found),
        skipped_reasons=tally.count_skipped(found),
        reencoded=tally.count_reencoded(found),
        patients=known,
        layout_warnings=layout_warnings(found, known, (*patients.notes, *selection.notes(known))),
        dropped_patients=tuple(patient for (patient,) in found.of("dropped")),
        findings=findings(found),
        survey=survey(found, job.sample()),
        versions={
            "python": platform.python_version(),
            **{name: metadata.version(name) for name in _VERSIONED},
        },
    )
    return _Placed(images, files, job, found, dataset)


def _require_same(present: Dataset, out: Place) -> None:
    if Dataset.load(out) != present:
        raise UserError(f"{out} was replaced by another conversion meanwhile. Convert again.")


def _with_the_records_of(dataset: Dataset, out: Place) -> Dataset | None:
    """Returns the dataset in a folder, if it holds the same records in the same files, whole."""
    try:
        present = Dataset.load(out)
    except UserError:
        return None
    same = present.fingerprint == dataset.fingerprint and present.shards == dataset.shards
    return present if same and not any(_damaged_shards(present, out)) else None


def _damaged_shards(present: Dataset, out: Place) -> Iterator[str]:
    """Yields a few words for each TFRecord that is not as it was written."""
    for split in SPLITS:
        wanted = {
            records.shard_path(split, shard, present.shards) for shard in range(present.shards)
        }
        listed = {name: each for name, each in present.files.items() if name in wanted}
        yield from (f"{out / name} is not listed" for name in sorted(wanted - set(listed)))
        yield from intact.damage(
            out / split, {name.removeprefix(f"{split}/"): each for name, each in listed.items()}
        )


def _damaged_list(present: Dataset, out: Place) -> Iterator[str]:
    path = out / QUARANTINE_FILE
    if not path.is_file() or intact.sha256(path) != present.files.get(QUARANTINE_FILE):
        yield f"{path} is damaged"


def _refuse_overlap(source: Source, out: Place) -> None:
    images = source.archive if isinstance(source, ArchivePath) else source
    if images == out or images in out.parents or out in images.parents:
        raise UserError(
            f"The output {out} and the images in {images} lie in each other. "
            "Choose an output outside the image folder."
        )


def _refuse_foreign(out: Place) -> None:
    if isinstance(out, StorePath):
        names = names_below(out)
        # Publishing that was cut off leaves records without a description.
        is_ours = DATASET_FILE in names or all(map(_OURS.match, names))
    else:
        is_ours = out.is_dir() and ((out / DATASET_FILE).is_file() or not any(out.iterdir()))
    if not is_ours and (isinstance(out, StorePath) or out.exists()):
        raise UserError(
            f"{out} exists and is not a converted dataset ({DATASET_FILE} is missing), so it is "
            "left alone. Choose another folder, or remove it first."
        )


def _explain(error: Exception, out: Place) -> str | None:
    text = str(error)
    if isinstance(out, StorePath):
        explained = system_errors.explain(error, Path(tempfile.gettempdir()))
        return explained and f"{out} could not be made. {explained}"
    if _DISK_FULL_TEXT.search(text) or getattr(error, "errno", None) in _DISK_FULL:
        return (
            f"The disk is full: {out} could not be written. What it held before is untouched. "
            "Free some space, or choose a folder on another disk, and convert again."
        )
    if not isinstance(error, OSError):
        return None
    if error.errno in _NOT_ALLOWED and (explained := system_errors.explain(error, out.parent)):
        return f"{out} could not be made. {explained}"
    return f"{out} could not be made: {text}."


def _report(dataset: Dataset) -> None:
    """Logs what callers print of the dataset that they are given."""
    for sentence in dataset.sentences:
        _LOG.info("%s", sentence)
    if dataset.hold_out:
        _LOG.info("The split test is %s; the test folder takes no part.", dataset.hold_out)
    elif dataset.dropped_patients:
        _LOG.info(
            "Dropped from train and val: %s of %s found in test too.",
            count(sum(each.dropped for each in dataset.folders), "image"),
            count(len(dataset.dropped_patients), "patient"),
        )
    for split, label in dataset.missing:
        _LOG.info("The split %s holds no %s: too few patients.", split, label)
