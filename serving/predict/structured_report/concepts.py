"""Coded concepts of the structured reports, and the scheme of those that are our own.

A code is one of DICOM (DCM), SNOMED CT (SCT) or UCUM where they have one of the meaning. They have
none for a probability of pneumonia (DICOM's "Probability" does not say of what: beside "Absent" it
would be read as that of being absent), nor for the triage and the domain of a model.
"""

from typing import Final

from highdicom.coding_schemes import CodingSchemeIdentificationItem
from pydicom.sr.coding import Code

_DESIGNATOR: Final = "99CXR"
"""Designators of private schemes begin with 99 (DICOM PS3.3, section 8.2)."""


def _own(value: str, meaning: str) -> Code:
    return Code(value, _DESIGNATOR, meaning)


CHEST_RADIOGRAPHY: Final = Code("399208008", "SCT", "Plain chest X-ray")
PNEUMONIA: Final = Code("233604007", "SCT", "Pneumonia")
PRESENT: Final = Code("52101004", "SCT", "Present")
ABSENT: Final = Code("272519000", "SCT", "Absent")
YES: Final = Code("373066001", "SCT", "Yes")
NO: Final = Code("373067005", "SCT", "No")
NO_UNITS: Final = Code("1", "UCUM", "no units")

COMMENT: Final = Code("121106", "DCM", "Comment")
DEVICE: Final = Code("121007", "DCM", "Device")
ARTIFICIAL_INTELLIGENCE: Final = Code("123110", "DCM", "Artificial Intelligence")
SALIENCY: Final = Code("130404", "DCM", "Saliency")
PROCESSED_IMAGE: Final = Code("121322", "DCM", "Source image for image processing operation")

PROBABILITY: Final = _own("PROBABILITY", "Probability of pneumonia")
IN_DOMAIN: Final = _own("IN_DOMAIN", "Image resembles the training data")
DOMAIN_DISTANCE: Final = _own("DOMAIN_DISTANCE", "Distance from the training data")
TRIAGE: Final = _own("TRIAGE", "Triage")
TRIAGES: Final = {
    "NORMAL": _own("NORMAL", "Normal at the allowed error rate"),
    "REVIEW": _own("REVIEW", "To be reviewed"),
    "PNEUMONIA": _own("PNEUMONIA", "Pneumonia at the allowed error rate"),
}


def own_scheme() -> CodingSchemeIdentificationItem:
    """Identifies the scheme of our own codes, for an instance that uses them."""
    return CodingSchemeIdentificationItem(
        _DESIGNATOR,
        name="Predictions of chest X-rays",
        responsible_organization="chest-xray-pipeline",
    )
