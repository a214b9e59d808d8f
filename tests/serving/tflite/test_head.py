import numpy as np
import pytest
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter

from serving.tflite.head import kept_in_float

pytestmark = pytest.mark.slow


class Network(tf.Module):
    """The average of two networks, each with a gate before its last weights, and a calibration."""

    def __init__(self):
        super().__init__()
        self.weights = [tf.Variable([[1.5], [0.2]]), tf.Variable([[-0.5], [3.0]])]

    @tf.function(input_signature=[tf.TensorSpec([None, 2], tf.float32, name="x")])
    def predict(self, x):
        members = [tf.sigmoid((x * tf.sigmoid(x)) @ weights)[:, 0] for weights in self.weights]
        average = tf.add_n(members) / 2
        return {"y": tf.sigmoid(2.0 * (tf.math.log(average) - tf.math.log1p(-average)) + 0.1)}


@pytest.fixture(scope="module")
def content():
    network = Network()
    function = network.predict.get_concrete_function()
    return tf.lite.TFLiteConverter.from_concrete_functions([function], network).convert()


def operations(content):
    interpreter = Interpreter(model_content=content)
    interpreter.allocate_tensors()
    return [each["op_name"] for each in interpreter._get_ops_details()]


def test_what_is_written_out_predicts_the_same(content):
    prepared, _ = kept_in_float(content)
    x = np.random.default_rng(1).normal(0, 4, (50, 2)).astype(np.float32)
    x[0] = 200, -200
    wanted, predicted = (
        Interpreter(model_content=each).get_signature_runner()(x=x)["y"]
        for each in (content, prepared)
    )
    np.testing.assert_allclose(predicted, wanted, atol=1e-6)


def test_the_members_sigmoids_are_written_out_and_no_other(content):
    prepared, _ = kept_in_float(content)
    before, after = operations(content), operations(prepared)
    # The gate, which both share, and the calibration's own stay.
    assert after.count("LOGISTIC") == before.count("LOGISTIC") - 2
    assert after.count("EXP") == 2


def test_all_that_no_weights_follow_on_is_named(content):
    prepared, names = kept_in_float(content)
    after = [name for name in operations(prepared) if name != "DELEGATE"]
    last_weights = len(after) - 1 - after[::-1].index("FULLY_CONNECTED")
    assert len(names) == len(set(names))
    assert len(after) - 1 - last_weights <= len(names) < len(after) - after.count("FULLY_CONNECTED")
