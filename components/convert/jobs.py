"""The two jobs of a conversion that run in Beam: placing all files, and writing the records.

They hand over through files in a folder that all workers see. The driver lists the files and reads
the tally: it holds no more of a large folder than of a small one.
"""

import itertools
import uuid
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import apache_beam as beam

from components.convert import placing, records, shards
from components.convert.outcomes import Outcome
from components.convert.survey.measured import Sample
from components.convert.tally import Tally
from serving.beam.beam_pipeline import options, run
from serving.files.spool import Spool
from serving.images.dicom.selection import Selection
from serving.images.hold_out import Group
from serving.images.layout import SourceFile
from serving.images.patients import Patients
from serving.progress import Progress, listening
from transform_module.files.place import Place
from transform_module.files.source_path import Source

_PART = 10_000


@dataclass(frozen=True)
class Job:
    """A conversion.

    Attributes:
        images: the image folder.
        results: an empty folder for what the workers find.
        shards: TFRecord files in each split.
        beam_args: Beam's own options; they go before DEFAULT_BEAM_ARGS.
        progress: gets the images done and their total.
    """

    images: Source
    results: Place
    shards: int
    beam_args: Sequence[str]
    progress: Progress | None

    def place(
        self,
        files: Spool[SourceFile],
        patients: Patients,
        *,
        seed: int,
        hold_out: Group | None,
        selection: Selection,
    ) -> Tally:
        """Reads all files, and decides where each goes.

        Args:
            files: all files of the image folder, in order.
            patients: whose images they are.
            seed: seed of the split.
            hold_out: the group that becomes the test set.
            selection: which DICOM files are taken, and how their patients are named.

        Returns:
            The tally of what became of them.

        Raises:
            UserError: there is no such group, or nothing but it.
        """
        stage = uuid.uuid4().hex
        listed = _listed(files, patients)
        parts: list[Place] = []
        total = 0
        while part := list(itertools.islice(listed, _PART)):
            parts.append(self.results / f"files-{len(parts):06d}")
            placing.keep(part, parts[-1])
            total += sum(outcome.is_to_be_read for outcome in part)
        place = placing.Place(
            self.images, self.results, stage, self.shards, seed, hold_out, selection
        )
        with listening(stage, total, self.progress):
            pipeline = beam.Pipeline(options=options(self.beam_args))
            _ = pipeline | "Parts" >> beam.Create(parts) | "Place" >> place
            run(pipeline, stage)
        tally: Tally = placing.read_kept(self.results / placing.TALLY)
        found = sum(count.number for count in tally.of("folder").values())
        if found != len(files):
            raise RuntimeError(f"Beam placed {found} of {len(files)} files.")
        return tally

    def sample(self) -> Sample:
        """Returns the measurements of images that `place` made."""
        file = self.results / placing.SAMPLE
        sample: Sample = placing.read_kept(file) if file.exists() else Sample()
        return sample

    def quarantined(self) -> Iterator[placing.Row]:
        """Yields the rows of the quarantined files, see `quarantine.write_list`, in order."""
        return placing.quarantined_rows(self.results)

    def fingerprint(self) -> str:
        """Returns the fingerprint of the records to be written."""
        return records.fingerprint(shards.lines_of(self.results, self.shards))

    def write(self, out: Place, images: int) -> dict[str, str]:
        """Writes the TFRecord files, one worker a file.

        Args:
            out: the folder of the dataset.
            images: to be written.

        Returns:
            Their SHA-256 by their paths in the folder, sorted.

        Raises:
            UserError: an image changed since it was inspected.
        """
        stage = uuid.uuid4().hex
        write = shards.WriteShard(self.images, self.results, out, self.shards, stage)
        with listening(stage, images, self.progress):
            pipeline = beam.Pipeline(options=options(self.beam_args))
            _ = (
                pipeline
                | "Shards" >> beam.Create(shards.keys(self.shards))
                | "Spread" >> beam.Reshuffle()
                | "Write" >> beam.ParDo(write)
            )
            run(pipeline, stage)
        return shards.sums_of(self.results, self.shards)


def _listed(files: Iterable[SourceFile], patients: Patients) -> Iterator[Outcome]:
    for index, file in enumerate(files):
        outcome = Outcome(file, index, patients.find(file))
        if outcome.is_to_be_read or file.skipped:
            yield outcome
        else:
            yield Outcome(file, index, quarantined=file.problem)
