"""The embedded server's responses to the signature ``explain``."""

import grpc
import httpx
import numpy as np
import pytest
import tensorflow as tf
from tensorflow_serving.apis import prediction_service_pb2_grpc

from serving.model import Model
from tests.serving.running import running
from tests.serving.saved import save_explaining
from tests.serving.small_model import PREDICT, body, request, xray
from transform_module import contract

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def version(tmp_path_factory):
    return save_explaining(tmp_path_factory.mktemp("explaining") / "chest_xray" / "17")


@pytest.fixture(scope="module")
def server(version):
    with running(version.parent, "--allow-unverified") as server:
        yield server


def test_rest_shows_the_maps_of_a_batch(server, version):
    images = [xray(51), b"broken", xray(204)]
    text = body(*images)[:-1] + b', "signature_name": "explain"}'
    with httpx.Client(trust_env=False, timeout=600) as client:
        rows = client.post(f"{server.rest}{PREDICT}", content=text).json()["predictions"]
    assert [row[contract.PROBABILITY] for row in rows] == pytest.approx([0.2, 0.5, 0.8])
    np.testing.assert_allclose(
        [row[contract.HEATMAP] for row in rows], Model(version).heat_maps(images), rtol=1e-6
    )


def test_grpc_shows_the_maps_of_a_full_batch_within_its_usual_message(server, version):
    images = [xray(value) for value in range(32)]
    message = request(*images)
    message.model_spec.signature_name = contract.EXPLAIN
    with grpc.insecure_channel(server.grpc) as channel:
        stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
        outputs = stub.Predict(message, timeout=600).outputs
    heat = tf.make_ndarray(outputs[contract.HEATMAP])
    assert heat.shape == (32, contract.IMAGE_SIZE, contract.IMAGE_SIZE)
    np.testing.assert_allclose(heat, Model(version).heat_maps(images), rtol=1e-6)
