"""A user's own function from Transform to what is served."""

import base64
import functools
import json
import subprocess
import sys
from types import SimpleNamespace

import keras
import numpy as np
import pytest
import tensorflow as tf
import tensorflow_transform as tft

from tests.conftest import transform_graph, xray
from tests.pipeline.command import REPOSITORY
from trainer_module.decision.calibration import Calibration
from trainer_module.decision.triage import Triage
from trainer_module.export import saved_model
from trainer_module.models import compact
from transform_module import own_function
from transform_module.images import image_ops
from transform_module.settings import TransformSettings

SIZE = 64
CODE = """
import tensorflow as tf

LEAST = tf.constant(20.0)

def prepare(pixels, size):
    spread = tf.maximum(tf.cast(pixels[5:], tf.float32) - LEAST, 0) / (255 - LEAST)
    if tf.shape(pixels)[1] > tf.shape(pixels)[0]:
        spread = tf.image.rot90(spread)
    return tf.clip_by_value(tf.image.resize(spread, (size, size)), 0, 1)
"""
SERVED = """
import base64, json, sys
from pathlib import Path
from serving.model import Model
model = Model(Path(sys.argv[1]))
images = [base64.b64decode(each) for each in json.load(sys.stdin)]
print(json.dumps({
    "probability": [each.probability for each in model.predict(images)],
    "valid": [each.valid for each in model.predict(images)],
    "pixels": model.pixels(images).tolist(),
    "own": "own_pixels" in sys.modules,
}))
"""


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_what_is_served_are_the_pixels_of_the_function_and_nothing_imports_it(
    tmp_path, monkeypatch
):
    home = tmp_path / "home"
    home.mkdir()
    (home / "own_pixels.py").write_text(CODE)
    monkeypatch.syspath_prepend(home)
    own_function.check("own_pixels.prepare", SIZE)
    settings = TransformSettings(size=SIZE, function="own_pixels.prepare")
    graph = transform_graph(tmp_path, settings)
    keras.utils.set_random_seed(1)
    network = compact.build(compact.Settings(filters=(4, 4)), size=SIZE, synchronized=False)
    saved_model.export(
        network,
        tft.TFTransformOutput(graph),
        tmp_path / "model",
        calibration=Calibration(),
        domain=SimpleNamespace(
            distance=lambda pixels: tf.reduce_mean(pixels, axis=(1, 2, 3)), threshold=1.0
        ),
        threshold=0.5,
        triage=Triage(0.3, 0.6),
        record={"transform": settings.model_dump(mode="json")},
    )
    images = [xray(1, 1), b"broken", xray(2, 0)]
    served = subprocess.run(
        [sys.executable, "-c", SERVED, str(tmp_path / "model")],
        input=json.dumps([base64.b64encode(each).decode() for each in images]),
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    found = json.loads(served.stdout)
    assert found["own"] is False
    assert found["valid"] == [True, False, True]
    pixels, _ = image_ops.model_inputs(image_ops.images_to_png(tf.constant(images), settings), SIZE)
    assert np.array_equal(found["pixels"], np.round(pixels * 255))
    wanted = network(pixels).numpy()[:, 0]
    assert np.array(found["probability"])[[0, 2]] == pytest.approx(wanted[[0, 2]], abs=1e-6)
    prepare = functools.partial(own_function.load("own_pixels.prepare"), size=SIZE)
    exact = prepare(image_ops.decode_grey(tf.constant(images[0])))
    assert np.abs(np.array(found["pixels"])[0] - exact * 255).max() <= 0.501
