"""Which DICOM files are taken, by the facts of their tags."""

from serving.images.dicom.facts import OTHER, Facts
from serving.images.dicom.settings import DicomSettings


def reason_against(facts: Facts, settings: DicomSettings) -> str | None:
    """Says why an image is not taken.

    Args:
        facts: of its file.
        settings: what is taken.

    Returns:
        A few words, then a colon and what to do; None where it is taken.
    """
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
