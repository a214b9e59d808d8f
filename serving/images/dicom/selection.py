"""Which DICOM files are taken, and whose they are, by the facts of their tags."""

from dataclasses import dataclass

from serving.images.dataset import PatientsKnown
from serving.images.dicom.facts import OTHER, Facts
from serving.images.dicom.pseudonyms import BY_TAG, Pseudonyms, pseudonyms
from serving.images.dicom.settings import DicomSettings


@dataclass(frozen=True)
class Selection:
    """Decides about DICOM files; workers get it with the key of the run.

    Attributes:
        settings: what is taken.
        name: names a patient by an id.
    """

    settings: DicomSettings
    name: Pseudonyms

    @classmethod
    def of(cls, settings: DicomSettings) -> "Selection":
        """Returns what the settings say.

        Raises:
            UserError: there is no key where it should be.
        """
        return cls(settings, pseudonyms(settings.patient_key))

    def reason_against(self, facts: Facts) -> str | None:
        """Says why an image is not taken.

        Args:
            facts: of its file.

        Returns:
            A few words, then a colon and what to do; None where it is taken.
        """
        settings = self.settings
        checks = (
            ("modality", facts.modality, settings.modalities, "modalities"),
            ("body part", facts.body_part, settings.body_parts, "body_parts"),
            ("view", facts.view, settings.views, "views"),
        )
        for what, value, taken, name in checks:
            if not value and settings.unknown == "quarantine":
                return f"DICOM that does not say its {what}: dataset.dicom.unknown=take takes it"
            if value and value not in taken:
                named = f"another {what}" if value == OTHER else f"the {what} {value}"
                return f"DICOM of {named}: dataset.dicom.{name} takes {', '.join(taken) or 'none'}"
        return None

    def notes(self, known: PatientsKnown) -> tuple[str, ...]:
        """Says what to know of patients that are known by their tags."""
        if self.name.is_given or BY_TAG not in known.by:
            return ()
        return (
            "No dataset.dicom.patient_key was given: patients of DICOM files are named by their "
            "images, so that one who gets a new image may go to another split. With a key they "
            "stay.",
        )
