import tensorflow as tf

from serving.tflite import network
from transform_module import features


def test_only_what_follows_on_the_last_weights_is_found():
    graph = {"out": ["mean"], "mean": ["one", "two"], "one": ["dense"], "two": ["dense", "add"]}
    graph |= {"dense": ["gate"], "gate": ["input"], "add": []}
    found = network.behind_the_weights("out", graph.__getitem__, lambda each: each == "dense")
    assert found[0] == "out"
    assert sorted(found) == ["add", "mean", "one", "out", "two"]


def test_a_gate_before_the_last_weights_and_an_average_of_two_networks_change_nothing():
    first, second = tf.Variable([[1.5]]), tf.Variable([[-0.5]])

    @tf.function(input_signature=[tf.TensorSpec([None, 160, 160, 1], name=features.IMAGE_XF)])
    def serve_pixels(image_xf):
        mean = tf.reduce_mean(image_xf, axis=[1, 2])
        members = [tf.sigmoid((mean * tf.sigmoid(mean)) @ weights) for weights in (first, second)]
        average = tf.add_n(members)[:, 0] / 2
        logit = tf.math.log(average) - tf.math.log1p(-average)
        return {features.PROBABILITY: tf.sigmoid(2.0 * logit)}

    prepared, _ = network.of_grey_levels(serve_pixels.get_concrete_function())
    levels = tf.cast(
        tf.random.stateless_uniform((3, 160, 160, 1), (1, 2), 0, 256, tf.int32), tf.uint8
    )
    wanted = serve_pixels(tf.cast(levels, tf.float32) / 255)[features.PROBABILITY]
    answered = prepared(levels)[features.PROBABILITY]
    tf.debugging.assert_near(answered, wanted, atol=1e-6)
    exponentials = [op for op in prepared.graph.get_operations() if op.type == "Exp"]
    assert len(exponentials) == 4
