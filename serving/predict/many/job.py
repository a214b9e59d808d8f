"""Predicting any number of images, from the paths to the table."""

import contextlib
import threading
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from serving.files.local_paths import place_of
from serving.model import find_version
from serving.predict.many import true_labels
from serving.predict.many.inputs import list_inputs
from serving.predict.many.parts import Parts
from serving.predict.many.prediction_table import COLUMNS, TRUE_LABEL, Row, writer_of
from serving.process.collector import importing
from serving.progress import Progress
from transform_module.contract import REVIEW
from transform_module.errors import UserError
from transform_module.files.place import Place

_SECONDS_BETWEEN_LOOKS = 1.0
_ROWS, _VALID, _OUT_OF_DOMAIN, _REVIEW = "rows", "valid", "out of domain", "review"


@dataclass(frozen=True)
class Summary:
    """What was predicted.

    Attributes:
        images: all rows.
        valid: the readable images.
        invalid: the others.
        resumed: rows that an earlier call left, which was killed.
        damaged: one sentence for each TFRecord file of which the rest is lost.
        out_of_domain: valid images that are unlike the training images.
        review: valid images whose triage is REVIEW, those out of domain among them.
    """

    images: int
    valid: int
    invalid: int
    resumed: int
    damaged: tuple[str, ...]
    out_of_domain: int = 0
    review: int = 0


def predict_many(
    model: Path,
    paths: Sequence[str | Path],
    out: str | Place,
    *,
    labels: str | Place | None = None,
    beam_args: Sequence[str] = (),
    progress: Progress | None = None,
) -> Summary:
    """Predicts images and writes a table: the columns of a `FilePrediction`, one row an image.

    The rows are those of `serving.predict.files.predict`, in the order of the paths, within a
    folder or a pattern by name. Call it again as before to resume after a kill; what is finished
    stays, as long as model and inputs do.

    Args:
        model: a version's folder or the folder of the versions.
        paths: files, folders with files at any depth, and patterns (``*``, ``?``, ``[…]``,
            ``**``), or files and folders in a store, such as ``s3://bucket/folder``. Files that
            end in .tfrecord or .tfrecord.gz hold images as examples with the features ``image``
            and, for the row's path, ``filename``.
        out: the table: .csv, .jsonl or .parquet, here or in a store. The folder ``OUT.parts`` is
            beside it meanwhile; every worker has to see it, as the inputs. In a store it has a
            name of its own for each call, and is not used again.
        labels: a table of labels, see `listed`, which becomes a column of the table. It lists an
            image whose path ends in what it has.
        beam_args: Beam's own options; they go before DEFAULT_BEAM_ARGS.
        progress: gets the images done and their total, which TFRecord files make an estimate.

    Returns:
        The counts.

    Raises:
        UserError: there is no model or no input, a TFRecord file cannot be read at all, ``out``
            cannot be written, the table of labels is a mistake or lists none of the images, or
            another process writes it.
    """
    table = place_of(out, "The table").absolute()
    write = writer_of(table)
    known = true_labels.read(labels) if labels else None
    parts = Parts.of(table)
    version = find_version(model).absolute()
    with parts.used(table):
        chunks = list_inputs(version, paths, table, parts)
        resumed = parts.count_rows()
        missing = [chunk for chunk in chunks if not parts.finished(chunk.index)]
        if missing:
            # Imported here: Beam takes seconds, and a user's mistakes are known by now.
            with importing():
                from serving.predict.many.beam_predicting import predict_chunks

            with _watched(parts, sum(chunk.images for chunk in chunks), progress):
                predict_chunks(version, missing, parts, beam_args=beam_args)
        counts: Counter[str] = Counter()
        # A table that lists none of the images is refused, and the predictions wait in the parts.
        rows = known.added(parts.rows) if known else parts.rows()
        columns = (*COLUMNS, TRUE_LABEL) if known else COLUMNS
        with parts.publishing(table) as attempt:
            write(_counted(rows, counts), attempt, columns)
            damaged = tuple(filter(None, (parts.damage(chunk.index) for chunk in chunks)))
    if progress:
        progress(counts[_ROWS], counts[_ROWS])
    valid = counts[_VALID]
    return Summary(
        counts[_ROWS],
        valid,
        counts[_ROWS] - valid,
        resumed,
        damaged,
        counts[_OUT_OF_DOMAIN],
        counts[_REVIEW],
    )


@contextlib.contextmanager
def _watched(parts: Parts, total: int, progress: Progress | None) -> Iterator[None]:
    """Yields how far the parts are, whichever processes write them."""
    if progress is None:
        yield
        return
    stopped = threading.Event()

    def watch() -> None:
        while not stopped.wait(_SECONDS_BETWEEN_LOOKS):
            # Where a store fails, the workers notice, too.
            with contextlib.suppress(UserError):
                progress(min(parts.count_rows(), total), total)

    progress(min(parts.count_rows(), total), total)
    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield
    finally:
        stopped.set()
        thread.join()


def _counted(rows: Iterable[Row], counts: Counter[str]) -> Iterator[Row]:
    for row in rows:
        counts[_ROWS] += 1
        counts[_VALID] += row["valid"]
        # A row that an older version left lacks them.
        counts[_OUT_OF_DOMAIN] += row.get("in_domain") is False
        counts[_REVIEW] += row.get("triage") == REVIEW
        yield row
