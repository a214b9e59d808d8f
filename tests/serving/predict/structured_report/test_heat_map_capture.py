import numpy as np

from serving.explain.overlay import overlay
from serving.predict.structured_report.heat_map_capture import capture
from tests.serving.predict.structured_report.samples import CANVAS, HEAT, OBSERVER, image


def drawn(canvas=CANVAS, **tags):
    return capture(image(**tags), canvas, HEAT, OBSERVER)


def test_the_pixels_are_those_of_explain_above_a_strip_with_words():
    made = drawn()
    pixels = made.pixel_array
    assert (pixels[:400] == np.asarray(overlay(CANVAS, HEAT))).all()
    strip = pixels[400:]
    assert 10 < len(strip) < 40
    assert strip.max() == 255
    # The words are neither cut at the sides nor below.
    assert not strip[:, [0, -1]].any()
    assert not strip[[0, -1]].any()


def test_the_words_can_be_read_below_a_small_image():
    pixels = drawn(np.full((160, 160), 9, np.uint8)).pixel_array
    assert pixels.shape[1] == 256
    assert not pixels[:160, [0, -1]].any()
    assert not pixels[160:, [0, -1]].any()


def test_a_viewer_shows_that_it_is_not_for_diagnosis():
    made = drawn()
    assert made.SeriesDescription == "NOT FOR DIAGNOSIS: heat map of a model"
    assert made.ImageComments.startswith("NOT FOR DIAGNOSIS. ")
    assert made.BurnedInAnnotation == "YES"
    assert made.ContentQualification == "RESEARCH"
    assert made.ImageType[:2] == ["DERIVED", "SECONDARY"]


def test_it_refers_to_its_image():
    made = drawn()
    (source,) = made.SourceImageSequence
    assert source.ReferencedSOPInstanceUID == "1.2.3.4.5"
    assert source.ReferencedSOPClassUID == image().SOPClassUID
    assert source.PurposeOfReferenceCodeSequence[0].CodeValue == "121322"
    (series,) = made.ReferencedSeriesSequence
    assert series.SeriesInstanceUID == "1.2.3.4"
    assert series.ReferencedInstanceSequence[0].ReferencedSOPInstanceUID == "1.2.3.4.5"
    assert made.StudyInstanceUID == "1.2.3"
    assert made.SeriesInstanceUID != "1.2.3.4"


def test_the_orientation_is_that_of_the_image_or_not_known():
    assert drawn(PatientOrientation=["R", "F"]).PatientOrientation == ["R", "F"]
    assert not drawn(PatientOrientation=None).PatientOrientation


def test_what_was_lost_in_the_image_is_said():
    assert "LossyImageCompression" not in drawn(LossyImageCompression="00")
    made = drawn(LossyImageCompression="01", LossyImageCompressionRatio="20")
    assert (made.LossyImageCompression, made.LossyImageCompressionRatio) == ("01", 20)


def test_a_viewer_needs_no_decoder():
    assert not drawn().file_meta.TransferSyntaxUID.is_compressed
