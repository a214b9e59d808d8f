"""Predicting chunks in Beam: a chunk is one element of RunInference."""

import itertools
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import apache_beam as beam
from apache_beam.ml.inference.base import ModelHandler, RunInference

from serving.beam import beam_pipeline
from serving.model import Model
from serving.predict import files as predict
from serving.predict.files import Content, FilePrediction
from serving.predict.many import tfrecord_input
from serving.predict.many.inputs import Chunk, files_of
from serving.predict.many.parts import PART_IMAGES, Parts
from transform_module.files.source_path import Source


def predict_chunks(
    version: Path, chunks: Sequence[Chunk], parts: Parts, *, beam_args: Sequence[str]
) -> None:
    """Predicts chunks, and keeps their rows.

    Args:
        version: the model.
        chunks: what no other process predicts.
        parts: where the rows go, from where what a killed run left of a chunk ends.
        beam_args: Beam's own options; they go before DEFAULT_BEAM_ARGS.

    Raises:
        UserError: the model does not load.
    """
    pipeline = beam.Pipeline(options=beam_pipeline.options(beam_args))
    _ = (
        pipeline
        | "Chunks" >> beam.Create(chunks)
        | "Spread" >> beam.Reshuffle()
        | "Predict" >> RunInference(_Handler(version, parts, Path.cwd()))
    )
    beam_pipeline.run(pipeline)
    left = sum(not parts.finished(chunk.index) for chunk in chunks)
    if left:
        raise RuntimeError(f"Beam left {left} of {len(chunks)} chunks not predicted.")


class _Handler(ModelHandler[Chunk, int, Model]):
    """Predicts a chunk, of which it holds no more than a batch of images in memory."""

    def __init__(self, version: Path, parts: Parts, folder: Path) -> None:
        super().__init__(min_batch_size=1, max_batch_size=1)
        self._version = version
        self._parts = parts
        self._folder = folder

    def load_model(self) -> Model:
        return Model(self._version)

    def run_inference(
        self, batch: Sequence[Chunk], model: Model, inference_args: dict[str, Any] | None = None
    ) -> list[int]:
        """Keeps the rows of chunks, and returns which they were."""
        for chunk in batch:
            self._predict(chunk, model)
        return [chunk.index for chunk in batch]

    def _predict(self, chunk: Chunk, model: Model) -> None:
        damage: list[str] = []
        files = files_of(chunk, self._parts)
        written = self._parts.count_rows(chunk.index)
        rows: list[FilePrediction] = []
        for batch in predict.batches(self._contents(files, written, damage.append)):
            rows += predict.predict_batch(model.predict, batch)
            if len(rows) >= PART_IMAGES:
                self._parts.write(chunk.index, written, rows)
                written += len(rows)
                rows = []
        if rows:
            self._parts.write(chunk.index, written, rows)
        self._parts.finish(chunk.index, "".join(damage))

    def _contents(
        self, files: Sequence[Source], start: int, damaged: Callable[[str], None]
    ) -> Iterator[Content]:
        first = self._folder / files[0]
        if tfrecord_input.is_records(first):
            images = tfrecord_input.images(first, files[0], damaged)
            return itertools.islice(images, start, None)
        # Paths are relative to the user's working directory, which a worker does not share.
        return ((file, predict.read_image(self._folder / file)) for file in files[start:])
