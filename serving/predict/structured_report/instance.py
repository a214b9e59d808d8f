"""What the instances that are made of a prediction have in common."""

import io
from typing import Any, Final

from pydicom import Dataset
from pydicom.uid import generate_uid

from serving.predict.structured_report.observer import MANUFACTURER, Observer
from serving.predict.structured_report.referenced_image import OPTIONAL, REQUIRED

NOT_FOR_DIAGNOSIS: Final = "NOT FOR DIAGNOSIS"


def attributes(observer: Observer, description: str, *, number: int) -> dict[str, Any]:
    """Returns the attributes of a new instance in a series of its own, as highdicom takes them.

    The UIDs are random (UUIDs, DICOM PS3.5, section B.2). A second call makes a new document, which
    has its own date and time; under a UID derived from the image and the model it would be the
    first with another content, which DICOM forbids and archives drop or mix up.

    Args:
        observer: the model.
        description: of the series, at most 45 characters.
        number: of the series: those of a scanner are lower, so that a viewer lists it behind them.
    """
    return {
        "series_instance_uid": generate_uid(prefix=None),
        "series_number": number,
        "sop_instance_uid": generate_uid(prefix=None),
        "instance_number": 1,
        "series_description": f"{NOT_FOR_DIAGNOSIS}: {description}",
        "content_qualification": "RESEARCH",
        "manufacturer": MANUFACTURER,
        "manufacturer_model_name": observer.name,
        "software_versions": observer.version,
        "device_serial_number": observer.digest,
    }


def identify(instance: Dataset, image: Dataset) -> None:
    """Puts an instance into the record of the patient and the study that an image is of.

    Values are copied as they are, in the image's own character set, so that an archive matches
    them however they are spelt.
    """
    for name in REQUIRED:
        if name not in image:
            setattr(instance, name, None)
    for name in (*REQUIRED, *OPTIONAL):
        if name in image:
            instance[name] = image[name]


def encoded(instance: Dataset) -> bytes:
    """Returns an instance as a DICOM file."""
    file = io.BytesIO()
    instance.save_as(file, enforce_file_format=True)
    return file.getvalue()
