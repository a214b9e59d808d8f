"""Description of a converted dataset: the content of its ``dataset.json``."""

import hashlib
from typing import Final, Literal

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, ValidationError

from serving.images.encoding import formats
from transform_module.contract import LABELS, SPLITS
from transform_module.errors import UserError, first_mistake
from transform_module.files.place import Place
from transform_module.strict import STRICT
from transform_module.text import count, printable

DATASET_FILE: Final = "dataset.json"
QUARANTINE_FILE: Final = "quarantine.csv"


_CORRECTED: Final = ("turned", "unused_bits")
"""The kinds of findings that need nobody: training and serving correct them alike."""

KINDS: Final = ("format", "colours", "bits", "view")
"""What images are counted by, see `Survey.images_by_kind`."""

_SHORTCUT: Final = 0.75
"""A quantity that separates the classes alone by this AUC, as its interval has it, is named.

In the 5,232 X-rays of Kermany et al. 2018, at 224 pixels, the file size alone has 0.90 (less of it
means PNEUMONIA), sharpness 0.83, contrast 0.70, and all else less than 0.6.
"""


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


class FileKind(_Record):
    """The images of one class whose files are of one kind."""

    format: str = Field(description="Such as jpeg or png.")
    colours: str = Field(description="grey, RGB, palette or CMYK, some with alpha.")
    bits: str = Field(description="Bits of each sample; 12 of 16 where the others are unused.")
    view: str = Field("", description="Such as PA; empty where it is unknown.")
    label: str = Field(description="NORMAL or PNEUMONIA.")
    images: int = Field(description="Number of images.")


class Spread(_Record):
    """How a quantity is spread."""

    name: str = Field(description="Of the quantity, with its unit.")
    least: float = Field(description="The least value.")
    low: float = Field(description="The 5th percentile.")
    middle: float = Field(description="The median.")
    high: float = Field(description="The 95th percentile.")
    most: float = Field(description="The greatest value.")


class Shortcut(_Record):
    """How well a quantity that says nothing about lungs separates the classes on its own."""

    name: str = Field(description="Of the quantity.")
    normal: float = Field(description="Its median over NORMAL; of a kind of file, the share.")
    pneumonia: float = Field(description="The same over PNEUMONIA.")
    auc: float = Field(
        description="AUC of it alone for PNEUMONIA; below 0.5 where more of it means NORMAL."
    )
    low: float | None = Field(
        None, description="Start of the 95 % interval by patient; None where there is none."
    )
    high: float | None = Field(None, description="End of it.")

    @property
    def is_strong(self) -> bool:
        """Whether the interval lies beyond 0.75, or below 0.25."""
        if self.low is None or self.high is None:
            return False
        return self.low >= _SHORTCUT or self.high <= 1 - _SHORTCUT


class Leak(_Record):
    """Patients, or copies of an image, in several of the folders that were given."""

    kind: Literal["patients", "copies"] = Field(description="What is in all of them.")
    folders: str = Field(description="Such as train, test.")
    groups: int = Field(description="Number of patients, or of images that have copies.")
    images: int = Field(description="Their images; beside a folder test those outside of it.")

    @property
    def sentence(self) -> str:
        """What was found, and what became of it."""
        what = {"patients": "patient", "copies": "image"}[self.kind]
        places = " and ".join(self.folders.rsplit(", ", 1))
        is_one = self.groups == 1
        found = f"{count(self.groups, what)} {'is' if is_one else 'are'} in the folders {places}"
        if self.kind == "copies":
            found += ", as copies"
        images = count(self.images, "image")
        if "test" in self.folders:
            return (
                f"{found}: {images} outside test {'was' if self.images == 1 else 'were'} dropped."
            )
        return f"{found} ({images}): each was put into one split."


class Example(_Record):
    """An image, for the contact sheet."""

    kind: Literal["typical", "odd", "doubtful", "quarantined"] = Field(
        description="Nearest to or furthest from the mean of its class; or why it is shown."
    )
    about: str = Field(description="Its class, the finding or the reason.")
    number: int = Field(description="Its place among all files by path, from 1.")
    path: str = Field(description="Relative to the image folder.")


class Survey(_Record):
    """A report on the images, beside their counts."""

    images: int = Field(description="Images in the splits.")
    measured: int = Field(
        description="Of them, those that the spreads and the shortcuts are of: all, or those of"
        " patients that a hash chose."
    )
    patients: int = Field(description="Patients of the measured images.")
    kinds: tuple[FileKind, ...] = Field(description="Images by kind of file and class.")
    spreads: tuple[Spread, ...] = Field(description="Of the measured images and patients.")
    shortcuts: tuple[Shortcut, ...] = Field(
        description="The strongest first; without those that are the same in all images."
    )
    duplicates: int = Field(description="Valid images of the same bytes as an earlier one.")
    leaks: tuple[Leak, ...] = Field(description="Between the folders that were given.")
    examples: tuple[Example, ...] = Field(description="For the contact sheet.")

    @property
    def images_by_kind(self) -> dict[tuple[str, ...], dict[str, int]]:
        """The images of each label by format, colours, bits and, where any is known, view."""
        has_views = any(each.view for each in self.kinds)
        found: dict[tuple[str, ...], dict[str, int]] = {}
        for each in self.kinds:
            views = (each.view or "unknown",) if has_views else ()
            kind = (each.format, each.colours, each.bits, *views)
            found.setdefault(kind, {})[each.label] = each.images
        return found

    @property
    def sentences(self) -> tuple[str, ...]:
        """What is to be known before a model is trained."""
        strong = (
            f"{each.name[0].upper()}{each.name[1:]} alone separates the classes: AUC "
            f"{each.auc:.3f}, {each.low:.3f} to {each.high:.3f}"
            f"{' (less of it means PNEUMONIA)' if each.auc < 0.5 else ''}. A model may learn it in "
            "place of lungs: compare how both classes were taken and saved."
            for each in self.shortcuts
            if each.is_strong
        )
        return (*(leak.sentence for leak in self.leaks), *strong)


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
    survey: Survey | None = Field(
        default=None, description="A report on the images; older ones lack it."
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
        surveyed = self.survey.sentences if self.survey else ()
        return (*known, *self.layout_warnings, *self._reencoded, *found, *surveyed)

    @property
    def warnings(self) -> tuple[str, ...]:
        """All that is to be looked at before a model is trained; of a clean dataset nothing."""
        doubtful = (each.sentence for each in self._doubtful)
        return (*self._quarantined, *self.layout_warnings, *doubtful, *self._surveyed)

    @property
    def nameless_warnings(self) -> tuple[str, ...]:
        """The warnings without names of files: fewer, since some are about nothing else."""
        doubtful = (each.message for each in self._doubtful)
        return (*self._quarantined, *doubtful, *self._surveyed)

    @property
    def _quarantined(self) -> tuple[str, ...]:
        files = sum(self.quarantine_reasons.values())
        reasons = ", ".join(f"{why} {number:,}" for why, number in self.quarantine_reasons.items())
        are = "is" if files == 1 else "are"
        return (f"{count(files, 'file')} {are} quarantined: {reasons}.",) if files else ()

    @property
    def _doubtful(self) -> tuple[Finding, ...]:
        return tuple(each for each in self.findings if each.kind not in _CORRECTED)

    @property
    def _surveyed(self) -> tuple[str, ...]:
        return (
            *(self.survey.sentences if self.survey else ()),
            *(f"The split {split} holds no {label}." for split, label in self.missing),
        )

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
        # Of a dataset that was made before there was a survey, the sum knows none.
        left_out = {"checksum"} | ({"survey"} if self.survey is None else set())
        return hashlib.sha256(self.model_dump_json(exclude=left_out).encode()).hexdigest()
