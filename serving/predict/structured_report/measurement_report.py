"""Structured report of a prediction: a Measurement Report (DICOM PS3.16, TID 1500)."""

from collections.abc import Iterator
from typing import Final

from highdicom import sr
from pydicom import Dataset
from pydicom.uid import generate_uid

from serving.model import Prediction
from serving.predict.structured_report import concepts
from serving.predict.structured_report.instance import NOT_FOR_DIAGNOSIS, attributes
from serving.predict.structured_report.observer import MANUFACTURER, Observer
from serving.predict.structured_report.referenced_image import REFERENCE
from transform_module.contract import LABELS

_WORDS: Final = (
    f"{NOT_FOR_DIAGNOSIS}. Predicted by a model without review, from this image alone; it is "
    "not a medical device. Where the image does not resemble the training data, do not rely on it."
)

# What highdicom takes from the image that a report is about: the identity follows at the end, since
# its warnings quote a name that is not of DICOM's form, and its checks refuse some that occur.
_IDENTITY: Final = (
    "PatientID",
    "PatientName",
    "PatientBirthDate",
    "PatientSex",
    "AccessionNumber",
    "StudyID",
    "StudyDate",
    "StudyTime",
)


def report(
    image: Dataset, prediction: Prediction, heat_map: Dataset, observer: Observer
) -> Dataset:
    """Makes a Comprehensive SR, without the patient's identity; see `instance.identify`.

    Args:
        image: the DICOM image, see `referenced_image.read`.
        prediction: of it, valid.
        heat_map: see `heat_map_capture.capture`.
        observer: the model.
    """
    return sr.ComprehensiveSR(
        evidence=[_anonymous(image), heat_map],
        content=_content(image, prediction, heat_map, observer),
        is_complete=True,
        is_final=False,
        is_verified=False,
        coding_schemes=[concepts.own_scheme()],
        **attributes(observer, "prediction of a model", number=9001),
    )


def _anonymous(image: Dataset) -> Dataset:
    evidence = Dataset()
    for name in REFERENCE:
        evidence[name] = image[name]
    for name in _IDENTITY:
        setattr(evidence, name, None)
    return evidence


def _content(
    image: Dataset, prediction: Prediction, heat_map: Dataset, observer: Observer
) -> sr.MeasurementReport:
    context = sr.ObserverContext(
        sr.CodedConcept.from_code(concepts.DEVICE),
        sr.DeviceObserverIdentifyingAttributes(
            observer.uid,
            name=f"{observer.name}/{observer.version}",
            manufacturer_name=MANUFACTURER,
            model_name=observer.name,
            serial_number=observer.digest,
        ),
    )
    content = sr.MeasurementReport(
        sr.ObservationContext(observer_device_context=context),
        procedure_reported=concepts.CHEST_RADIOGRAPHY,
        imaging_measurements=[_group(image, prediction, heat_map, observer)],
    )
    # Before the measurements, which come last.
    content[0].ContentSequence.insert(
        -1, sr.TextContentItem(concepts.COMMENT, _WORDS, sr.RelationshipTypeValues.CONTAINS)
    )
    return content


def _group(
    image: Dataset, prediction: Prediction, heat_map: Dataset, observer: Observer
) -> sr.MeasurementsAndQualitativeEvaluations:
    group = sr.MeasurementsAndQualitativeEvaluations(
        tracking_identifier=sr.TrackingIdentifier(
            generate_uid(prefix=None), concepts.PNEUMONIA.meaning
        ),
        algorithm_id=sr.AlgorithmIdentification(
            observer.name,
            observer.version,
            parameters=list(_parameters(observer)),
            family=concepts.ARTIFICIAL_INTELLIGENCE,
            manufacturer=MANUFACTURER,
        ),
        measurements=list(_measurements(prediction)),
        qualitative_evaluations=list(_evaluations(prediction)),
        source_images=[sr.SourceImageForMeasurementGroup(image.SOPClassUID, image.SOPInstanceUID)],
    )
    group[0].ContentSequence.append(
        sr.ImageContentItem(
            concepts.SALIENCY,
            heat_map.SOPClassUID,
            heat_map.SOPInstanceUID,
            relationship_type=sr.RelationshipTypeValues.CONTAINS,
        )
    )
    return group


def _parameters(observer: Observer) -> Iterator[str]:
    yield f"SHA-256 of the manifest's files: {observer.digest}"
    if observer.threshold is not None:
        yield f"Probability from which pneumonia is present: {observer.threshold:.9g}"


def _measurements(prediction: Prediction) -> Iterator[sr.Measurement]:
    yield sr.Measurement(concepts.PROBABILITY, prediction.probability, concepts.NO_UNITS)
    if prediction.domain_distance is not None:
        yield sr.Measurement(
            concepts.DOMAIN_DISTANCE, prediction.domain_distance, concepts.NO_UNITS
        )


def _evaluations(prediction: Prediction) -> Iterator[sr.QualitativeEvaluation]:
    # Present or absent as the value: a finding "Pneumonia" that is absent may be read as present.
    is_present = prediction.label == LABELS[1]
    yield sr.QualitativeEvaluation(
        concepts.PNEUMONIA, concepts.PRESENT if is_present else concepts.ABSENT
    )
    if prediction.triage is not None:
        yield sr.QualitativeEvaluation(concepts.TRIAGE, concepts.TRIAGES[prediction.triage])
    if prediction.in_domain is not None:
        yield sr.QualitativeEvaluation(
            concepts.IN_DOMAIN, concepts.YES if prediction.in_domain else concepts.NO
        )
