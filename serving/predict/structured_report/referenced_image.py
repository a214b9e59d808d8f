"""The DICOM image that a report is about: the tags that a report takes from it, and no others."""

import io
from typing import Final

from pydicom import Dataset, dcmread
from pydicom.datadict import dictionary_VR
from pydicom.uid import UID

from serving.predict.structured_report.unquoted import unquoted

REFERENCE: Final = ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "SOPClassUID")
"""By which an instance is referred to, of a study and a series that are."""

REQUIRED: Final = (
    "StudyInstanceUID",
    "PatientName",
    "PatientID",
    "PatientBirthDate",
    "PatientSex",
    "StudyDate",
    "StudyTime",
    "StudyID",
    "AccessionNumber",
    "ReferringPhysicianName",
)
"""What an instance must have of the modules Patient and General Study, be it empty.

DICOM PS3.3, C.7.1.1 and C.7.2.1.
"""

OPTIONAL: Final = (
    "SpecificCharacterSet",
    "IssuerOfPatientID",
    "IssuerOfPatientIDQualifiersSequence",
    "TypeOfPatientID",
    "OtherPatientIDsSequence",
    "PatientIdentityRemoved",
    "DeidentificationMethod",
    "DeidentificationMethodCodeSequence",
    "IssuerOfAccessionNumberSequence",
    "StudyDescription",
)
"""What else of them an archive matches a record by. The rest, as an address, is the image's own."""

LOSSY: Final = (
    "LossyImageCompression",
    "LossyImageCompressionRatio",
    "LossyImageCompressionMethod",
)

_READ: Final = (*REFERENCE, *REQUIRED, *OPTIONAL, *LOSSY, "PatientOrientation", "Laterality")

_UNDECODABLE: Final = "\N{REPLACEMENT CHARACTER}"


def read(data: bytes) -> Dataset | str:
    """Reads what a report takes from an image.

    Args:
        data: a DICOM file.

    Returns:
        The dataset, every text of it decoded; or the reason why there can be no report.
    """
    try:
        with unquoted():
            image = dcmread(
                io.BytesIO(data), stop_before_pixels=True, force=True, specific_tags=list(_READ)
            )
            image.decode()
            uids = {name: image.get(name) for name in REFERENCE}
            texts = [str(image.get(name)) for name in (*REQUIRED, *OPTIONAL)]
    # A damaged header raises anything, and the message may quote it.
    except Exception:  # noqa: BLE001
        return "the DICOM header is damaged"
    for element in image:
        if dictionary_VR(element.tag) != element.VR:
            return f"the {element.keyword} in the DICOM header is not of its type"
    for name, value in uids.items():
        if not value:
            return f"the DICOM header has no {name}, by which a report refers to the image"
        if not isinstance(value, UID) or not value.is_valid:
            return f"the {name} in the DICOM header is not a valid UID"
    if uids["SOPClassUID"].type != "SOP Class":
        return "the SOPClassUID in the DICOM header is not one of DICOM's"
    if any(_UNDECODABLE in text for text in texts):
        # A report under a name or a number that was guessed would be of another patient.
        return "texts in the DICOM header are not of its character set, so the patient is not known"
    return image
