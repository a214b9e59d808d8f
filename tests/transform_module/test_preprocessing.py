import tensorflow_transform as tft

from transform_module import preprocessing


def test_counts_the_classes_of_the_analyzed_split(transformed):
    output = tft.TFTransformOutput(transformed.graph)
    assert preprocessing.class_counts(output) == (17, 32)
