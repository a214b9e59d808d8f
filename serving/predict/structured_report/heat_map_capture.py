"""Heat map over its image, as a secondary capture."""

from typing import Final

import numpy as np
from highdicom.sc import SCImage
from highdicom.sr import CodedConcept
from PIL import Image, ImageDraw, ImageFont
from pydicom import Dataset
from pydicom.uid import ExplicitVRLittleEndian

from serving.explain.overlay import overlay
from serving.predict.structured_report import concepts
from serving.predict.structured_report.instance import NOT_FOR_DIAGNOSIS, attributes
from serving.predict.structured_report.observer import MANUFACTURER, Observer
from serving.predict.structured_report.referenced_image import LOSSY

_WORDS: Final = (
    f"{NOT_FOR_DIAGNOSIS}. Evidence for pneumonia as a model sees it (Grad-CAM), drawn over the "
    "image in grey, bright where there is most. It marks no borders of an illness."
)
_NARROWEST: Final = 256
"""Pixels in which the words can be read."""


def capture(image: Dataset, canvas: np.ndarray, heat: np.ndarray, observer: Observer) -> Dataset:
    """Makes a secondary capture, without the patient's identity; see `instance.identify`.

    Args:
        image: the DICOM image, see `referenced_image.read`.
        canvas: [height, width] uint8: the pixels that the heat map covers.
        heat: [H, W] float32 in [0, 1].
        observer: the model.

    Returns:
        RGB of 8 bits, not compressed, which every viewer reads.
    """
    drawn = SCImage(
        pixel_array=np.asarray(_marked(overlay(canvas, heat))),
        photometric_interpretation="RGB",
        bits_allocated=8,
        coordinate_system="PATIENT",
        # highdicom requires one; the image's own follows.
        patient_orientation=("L", "F"),
        study_instance_uid=image.StudyInstanceUID,
        transfer_syntax_uid=ExplicitVRLittleEndian,
        **attributes(observer, "heat map of a model", number=9002),
    )
    drawn.PatientOrientation = image.get("PatientOrientation")
    drawn.Laterality = image.get("Laterality")
    drawn.ConversionType = "WSD"
    drawn.SecondaryCaptureDeviceManufacturer = MANUFACTURER
    # DICOM means text that identifies the patient. The image may have some, which shows through,
    # and whoever removes such text looks at images that have this mark.
    drawn.BurnedInAnnotation = "YES"
    drawn.DerivationDescription = drawn.ImageComments = _WORDS
    _refer(drawn, image)
    if image.get("LossyImageCompression") == "01":  # What was lost once is lost.
        for name in LOSSY:
            if name in image:
                drawn[name] = image[name]
    return drawn


def _refer(drawn: Dataset, image: Dataset) -> None:
    source = _reference(image)
    source.PurposeOfReferenceCodeSequence = [CodedConcept.from_code(concepts.PROCESSED_IMAGE)]
    source.SpatialLocationsPreserved = "NO"
    drawn.SourceImageSequence = [source]
    series = Dataset()
    series.SeriesInstanceUID = image.SeriesInstanceUID
    series.ReferencedInstanceSequence = [_reference(image)]
    drawn.ReferencedSeriesSequence = [series]


def _reference(image: Dataset) -> Dataset:
    reference = Dataset()
    reference.ReferencedSOPClassUID = image.SOPClassUID
    reference.ReferencedSOPInstanceUID = image.SOPInstanceUID
    return reference


def _marked(image: Image.Image) -> Image.Image:
    """Adds a strip with words below an image, which hides nothing of it."""
    width = max(image.width, _NARROWEST)
    font = ImageFont.load_default(width // 16)
    left, top, right, bottom = font.getbbox(NOT_FOR_DIAGNOSIS)
    margin = width // 64
    marked = Image.new("RGB", (width, image.height + round(bottom - top) + 2 * margin))
    marked.paste(image, ((width - image.width) // 2, 0))
    ImageDraw.Draw(marked).text(
        ((width - right - left) / 2, image.height + margin - top), NOT_FOR_DIAGNOSIS, "white", font
    )
    return marked
