"""The two DICOM files of a prediction."""

from dataclasses import dataclass

import numpy as np
from pydicom import Dataset

from serving.model import Prediction
from serving.predict.structured_report.heat_map_capture import capture
from serving.predict.structured_report.instance import encoded, identify
from serving.predict.structured_report.measurement_report import report
from serving.predict.structured_report.observer import Observer
from serving.predict.structured_report.unquoted import unquoted


@dataclass(frozen=True)
class Result:
    """A prediction in DICOM.

    Attributes:
        report: the file of the structured report, which refers to the image and to the heat map.
        heat_map: the file of the image under its heat map.
    """

    report: bytes
    heat_map: bytes


def result(
    image: Dataset,
    prediction: Prediction,
    canvas: np.ndarray,
    heat: np.ndarray,
    observer: Observer,
) -> Result:
    """Makes the files of a prediction, which belong into the record of the image's patient.

    Args:
        image: the DICOM image, see `referenced_image.read`.
        prediction: of it, valid.
        canvas: [height, width] uint8: the pixels that the heat map covers, from edge to edge.
        heat: [H, W] float32 in [0, 1].
        observer: the model.
    """
    with unquoted():
        heat_map = capture(image, canvas, heat, observer)
        document = report(image, prediction, heat_map, observer)
        for instance in (heat_map, document):
            identify(instance, image)
        return Result(encoded(document), encoded(heat_map))
