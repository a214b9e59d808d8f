import numpy as np
import pytest

from trainer_module.models import WeightsError
from trainer_module.networks import building
from trainer_module.settings.trainer import TrainerSettings
from transform_module.contract import IMAGE_SIZE

pytestmark = pytest.mark.slow


def build(*, synchronized=False, **settings):
    chosen = TrainerSettings(model="transfer", transfer=settings)
    return building.build(chosen, size=IMAGE_SIZE, synchronized=synchronized, precision="float32")


@pytest.fixture(scope="module")
def model():
    return build()


def test_it_has_the_backbones_parameters_and_one_unit(model):
    assert model.count_params() == 3_412_448 + 1281


def test_the_output_is_a_probability_and_does_not_depend_on_the_rest_of_the_batch(model):
    pixels = np.random.default_rng(0).random((2, 160, 160, 1), np.float32)
    together = model(pixels, training=False).numpy()
    assert together.shape == (2, 1)
    assert ((together > 0) & (together < 1)).all()
    alone = model(pixels[:1], training=False).numpy()
    np.testing.assert_allclose(alone, together[:1], atol=1e-5)


def test_normalization_is_over_all_replicas_where_there_are_several():
    layers = [each for each in build(synchronized=True).layers if hasattr(each, "moving_mean")]
    assert len(layers) == 49
    assert all(layer.synchronized for layer in layers)


def test_the_parts_make_the_whole_and_only_the_head_is_small(model):
    backbone, head = building.split(model)
    pixels = np.random.default_rng(0).random((2, 160, 160, 1), np.float32)
    features = backbone(pixels)
    assert features.shape == (2, 5, 5, 1280)
    np.testing.assert_allclose(head(features), model(pixels), rtol=1e-4)
    assert head.count_params() == 1281
    assert all(variable is model.layers[-1].variables[i] for i, variable in enumerate(head.weights))


@pytest.mark.parametrize("backbone", ["efficientnet_lite0", "mobilenet_v2"])
def test_weights_that_are_not_there_are_reported(backbone):
    with pytest.raises(WeightsError, match=r"nowhere\.weights"):
        build(backbone=backbone, weights="nowhere.weights")


def test_only_transfer_has_frozen_epochs():
    assert TrainerSettings(model="cnn").frozen_epochs == 0
    assert TrainerSettings(model="transfer").frozen_epochs == 1
