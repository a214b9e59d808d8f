"""Description of a converted dataset: the content of its ``dataset.json``."""

import hashlib
from typing import Final

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, ValidationError

from serving.images.encoding import formats
from transform_module.contract import LABELS, SPLITS
from transform_module.errors import UserError, first_mistake
from transform_module.files.place import Place
from transform_module.strict import STRICT
from transform_module.text import printable

DATASET_FILE: Final = "dataset.json"
QUARANTINE_FILE: Final = "quarantine.csv"


class _Record(BaseModel):
    model_config = STRICT


class FolderCount(_Record):
    """Where the files of one class folder went: ``read`` is the sum of all the others."""

    folder: str = Field(description="train, val, test; empty where there are only class folders.")
    label: str = Field(description="NORMAL or PNEUMONIA; empty outside the class folders.")
    read: int = Field(description="Files found.")
    train: int = Field(description="Records written to the split train.")
    eval: int = Field(description="Records written to the split eval.")
    test: int = Field(description="Records written to the split test.")
    quarantined: int = Field(description="Files listed in quarantine.csv.")
    skipped: int = Field(description="System files, texts, masks, thumbnails.")
    dropped: int = Field(
        description="Good images whose patient is in the test folder too; with a group held"
        " out, those of the test folder as well."
    )

    @property
    def written(self) -> int:
        """Records written, in all splits."""
        return self.train + self.eval + self.test

    @property
    def adds_up(self) -> bool:
        """Whether no file was lost."""
        return self.read == self.written + self.quarantined + self.skipped + self.dropped


class SplitCount(_Record):
    """What one split holds of one class and subtype."""

    model_config = ConfigDict(serialize_by_alias=True)

    split: str = Field(description="train, eval or test.")
    label: str = Field(description="NORMAL or PNEUMONIA.")
    subtype: str = Field(description="normal, bacteria, virus, unknown, or as folder or table say.")
    images: int = Field(
        # The key of dataset.json, which its checksum covers.
        validation_alias=AliasChoices("images", "pictures"),
        serialization_alias="pictures",
        description="Number of records.",
    )
    patients: int = Field(description="Number of distinct patients.")


class PatientsKnown(_Record):
    """For how many images it is known whose they are."""

    images: int = Field(description="Images that can be used.")
    known: int = Field(description="Those whose patient is known.")
    by: dict[str, int] = Field(description="Their number, by the source of the patient.")
    no_patient_in: dict[str, int] = Field(
        default={}, description="Number of images whose names identify a study or an image alone."
    )

    @property
    def sentence(self) -> str:
        """The figures in words."""
        by = ", ".join(
            what if count == self.known else f"{what}: {count:,}" for what, count in self.by.items()
        )
        return f"Patients known for {self.known:,} of {self.images:,} images (by {by or 'none'})."


class Finding(_Record):
    """What images are corrected, or doubtful, for a reason that they share."""

    kind: str = Field(
        description="turned, unused_bits, inverted, faint, burned_in, unlike or copies."
    )
    images: int = Field(description="Number of images.")
    message: str = Field(description="What was found, and what was done or is to do.")
    examples: tuple[str, ...] = Field(description="Paths of some of them.")

    @property
    def sentence(self) -> str:
        """The message with the examples."""
        named = ", ".join(map(printable, self.examples))
        return f"{self.message} Such as: {named}"


class Dataset(_Record):
    """Describes the TFRecords that are beside it."""

    fingerprint: str = Field(description="SHA-256 over what all records hold.")
    source_fingerprint: str = Field(
        description="SHA-256 over what the conversion started from: files, settings, seed, code."
    )
    seed: int = Field(description="Seed of the split.")
    hold_out: str | None = Field(
        default=None, description="The group that is the test set on purpose."
    )
    shards: int = Field(description="TFRecord files in each split.")
    folders: tuple[FolderCount, ...] = Field(description="Where the files of each folder went.")
    splits: tuple[SplitCount, ...] = Field(description="What each split holds.")
    quarantine_reasons: dict[str, int] = Field(
        description="Number of quarantined files by reason, without the particulars."
    )
    skipped_reasons: dict[str, int] = Field(
        default={}, description="Number of skipped files by reason."
    )
    reencoded: dict[str, int] = Field(
        default={}, description="Number of records whose image was encoded anew, by its format."
    )
    patients: PatientsKnown | None = Field(
        default=None, description="For how many images the patient is known; older ones lack it."
    )
    layout_warnings: tuple[str, ...] = Field(
        default=(), description="What is doubtful in the folders and the patients, in sentences."
    )
    dropped_patients: tuple[str, ...] = Field(
        description="Patients of the test folder whose images in train or val were dropped; with"
        " a group held out, all patients of it."
    )
    findings: tuple[Finding, ...] = Field(
        default=(), description="What was corrected in images, and what is doubtful in them."
    )
    versions: dict[str, str] = Field(description="Versions of the packages that made it.")
    files: dict[str, str] = Field(
        {}, description="SHA-256 of quarantine.csv and of each TFRecord, by its path."
    )
    checksum: str = Field("", description="SHA-256 of all that is said here beside this.")

    @property
    def sentences(self) -> tuple[str, ...]:
        """What to know of the patients, the folders, the skipped files and the images."""
        known = (self.patients.sentence,) if self.patients else ()
        found = (finding.sentence for finding in self.findings)
        return (*known, *self.layout_warnings, *self._reencoded, *found)

    @property
    def _reencoded(self) -> tuple[str, ...]:
        by = ", ".join(f"{formats.NAMES[form]}: {n:,}" for form, n in self.reencoded.items())
        return (f"Images encoded anew, without loss, as PNG: {by}.",) if by else ()

    @property
    def missing(self) -> tuple[tuple[str, str], ...]:
        """The splits and classes that hold nothing, so that no model can be evaluated there."""
        present = {(count.split, count.label) for count in self.splits}
        return tuple(
            (split, label) for split in SPLITS for label in LABELS if (split, label) not in present
        )

    def images(self, split: str, label: str | None = None) -> int:
        """Counts the records of a split, or of one class in it."""
        return sum(
            count.images
            for count in self.splits
            if count.split == split and label in (None, count.label)
        )

    @classmethod
    def load(cls, out: Place) -> "Dataset":
        """Reads the description of a converted dataset.

        Args:
            out: the folder that a conversion wrote.

        Returns:
            The description.

        Raises:
            UserError: there is none, or it is damaged.
        """
        path = out / DATASET_FILE
        try:
            return cls.parse(path.read_bytes(), str(path))
        except FileNotFoundError:
            raise UserError(
                f"{out} holds no converted dataset ({DATASET_FILE} is missing). "
                "Make one with `cxr convert IMAGES OUT`."
            ) from None
        except OSError as error:
            raise UserError(f"{path} cannot be read: {error.strerror}.") from error

    @classmethod
    def parse(cls, content: bytes, path: str) -> "Dataset":
        """Reads the content of a ``dataset.json``.

        Args:
            content: of the file.
            path: of the file, for the message.

        Returns:
            The description.

        Raises:
            UserError: it is damaged.
        """
        try:
            dataset = cls.model_validate_json(content)
            wrong = "" if dataset.checksum == dataset._sum() else "its checksum differs"
        except ValidationError as error:
            wrong = first_mistake(error)
        if wrong:
            raise UserError(
                f"{path} is damaged, or of another release: {wrong}. Remove its folder and convert "
                "again."
            )
        return dataset

    def save(self, out: Place) -> "Dataset":
        """Writes the description into a dataset's folder; returns it with its checksum."""
        summed = self.model_copy(update={"checksum": self._sum()})
        text = summed.model_dump_json(indent=2) + "\n"
        (out / DATASET_FILE).write_text(text, encoding="utf-8")
        return summed

    def _sum(self) -> str:
        return hashlib.sha256(self.model_dump_json(exclude={"checksum"}).encode()).hexdigest()
