from dataclasses import dataclass

import keras
import numpy as np
import pytest
import tensorflow as tf

from components.synthetic import drawing, generate, plan
from tests.trainer_module import small
from trainer_module import models
from trainer_module.export import grad_cam
from trainer_module.models.compact import Settings as CompactSettings
from trainer_module.networks import building
from trainer_module.settings.trainer import TrainerSettings
from trainer_module.training import loop
from trainer_module.training.kept_folder import KeptFolder
from transform_module.contract import IMAGE_SIZE
from transform_module.images.image_ops import rescale, standardize

pytestmark = pytest.mark.slow

SETTINGS = {
    "cnn": small.SETTINGS,
    "compact": TrainerSettings(
        model="compact",
        compact=CompactSettings(filters=(16, 32, 64, 64)),
        epochs=16,
        patience=16,
        batch_size=16,
        learning_rate=2e-3,
        decay="cosine",
    ),
}


def build(name):
    keras.utils.set_random_seed(3)
    return building.build(SETTINGS[name], size=IMAGE_SIZE, synchronized=False, precision="float32")


def pixels(count=3, seed=0):
    return tf.constant(
        np.random.default_rng(seed).random((count, IMAGE_SIZE, IMAGE_SIZE, 1), np.float32)
    )


def heat_of(*members):
    return grad_cam.grad_cam(members)(pixels())


def test_each_position_counts_by_its_own_gradient():
    """Not by the mean over the positions, which is 0 here (Grad-CAM's)."""
    model = keras.Sequential(
        [
            keras.Input((IMAGE_SIZE, IMAGE_SIZE, 1)),
            keras.layers.AveragePooling2D(IMAGE_SIZE // 2, name=models.FEATURES),
            keras.layers.Flatten(),
            keras.layers.Dense(1, activation="sigmoid", dtype="float32"),
        ]
    )
    model.layers[-1].kernel.assign([[-3.0], [1.0], [0.0], [2.0]])
    heat = grad_cam.grad_cam([model])(tf.ones((1, IMAGE_SIZE, IMAGE_SIZE, 1)))[0].numpy()
    corners = heat[[0, 0, -1, -1], [0, -1, 0, -1]]
    np.testing.assert_allclose(corners, [0, 0.5, 0, 1], atol=1e-6)


@pytest.mark.parametrize("name", SETTINGS)
def test_a_map_goes_from_0_to_1(name):
    heat = heat_of(build(name))
    assert heat.shape == (3, IMAGE_SIZE, IMAGE_SIZE)
    assert heat.dtype == tf.float32
    for each in heat.numpy():
        assert each.min() >= 0
        assert each.max() == pytest.approx(1) or not each.any()


@pytest.mark.parametrize("name", SETTINGS)
def test_a_graph_explains_as_eager_code_does_and_a_batch_as_each_image_alone(name):
    heat_map = grad_cam.grad_cam([build(name)])
    heat = heat_map(pixels())
    np.testing.assert_allclose(tf.function(heat_map)(pixels()), heat, atol=1e-4)
    for index in range(3):
        alone = heat_map(pixels()[index : index + 1])[0]
        np.testing.assert_allclose(alone, heat[index], atol=1e-4)


@pytest.mark.parametrize("name", SETTINGS)
@pytest.mark.parametrize("bias", [40.0, -40.0])
def test_a_saturated_probability_has_the_map_of_its_logit(name, bias):
    model = build(name)
    heat = heat_of(model)
    model.layers[-1].bias.assign([bias])
    np.testing.assert_allclose(heat_of(model), heat, atol=1e-5)


def test_nothing_that_speaks_for_pneumonia_is_a_map_of_zeros():
    model = build("compact")
    model.layers[-1].kernel.assign(tf.zeros_like(model.layers[-1].kernel))
    assert not heat_of(model).numpy().any()


def test_frozen_weights_change_no_map():
    model = build("compact")
    heat = heat_of(model)
    model.trainable = False
    np.testing.assert_array_equal(heat_of(model), heat)


def test_members_are_explained_together():
    model, silent = build("compact"), build("compact")
    silent.layers[-1].kernel.assign(tf.zeros_like(silent.layers[-1].kernel))
    np.testing.assert_allclose(heat_of(model, silent), heat_of(model), atol=1e-5)
    opposed = build("compact")
    opposed.layers[-1].kernel.assign(-opposed.layers[-1].kernel)
    assert not heat_of(model, opposed).numpy().any()


def test_a_model_without_a_feature_map_is_distinguished():
    dense = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
    assert not grad_cam.has_feature_map(dense)
    assert all(grad_cam.has_feature_map(build(name)) for name in SETTINGS)


@dataclass(frozen=True)
class Chests:
    """Synthetic X-rays, and where their opacities lie.

    Attributes:
        pixels: [N, 160, 160, 1] uint8.
        opacities: [N, 160, 160] bool.
        labels: [N] 0 or 1.
    """

    pixels: np.ndarray
    opacities: np.ndarray
    labels: np.ndarray

    def images(self, chosen):
        return small.images_of(self.pixels[chosen], self.labels[chosen])


@pytest.fixture(scope="module")
def chests():
    """One dense opacity in half of the images."""
    pixels, opacities, labels = [], [], []
    for image in plan.plan(560, seed=11):
        if image.subtype == drawing.VIRUS:
            continue
        drawn = generate.render(image, 11)
        pixels.append(standardize(tf.constant(drawn.pixels[..., np.newaxis])).numpy())
        opacity = tf.image.resize(drawn.opacity[..., np.newaxis], (IMAGE_SIZE, IMAGE_SIZE))
        opacities.append(opacity.numpy()[..., 0] > 0.1)
        labels.append(int(image.subtype != drawing.NORMAL))
    return Chests(np.stack(pixels), np.stack(opacities), np.array(labels))


@pytest.fixture(scope="module")
def trained(chests, tmp_path_factory):
    keras.utils.set_random_seed(7)
    folder = tmp_path_factory.mktemp("trained")
    model, _ = loop.fit(
        small.job(folder, SETTINGS["compact"]),
        tf.distribute.get_strategy(),
        chests.images(slice(0, 240)),
        [chests.images(slice(240, 300))],
        backup=KeptFolder(folder / "backup"),
        log_dir=folder / "logs",
    )
    return model


@pytest.mark.slow
def test_the_hottest_place_is_the_opacity(trained, chests):
    """The pointing game (Zhang et al., "Top-down Neural Attention by Excitation Backprop", 2016).

    A hit is at most 8 of 160 pixels from the opacity, a quarter of a cell of the feature map. When
    this was written 36 % of 64 were hits; by chance 9 % are.
    """
    ill = np.flatnonzero(chests.labels[300:]) + 300
    heat = grad_cam.grad_cam([trained])(rescale(tf.constant(chests.pixels[ill])))
    near = tf.nn.max_pool2d(
        tf.cast(chests.opacities[ill, ..., np.newaxis], tf.float32), 17, 1, "SAME"
    )
    near = near.numpy()[..., 0]
    hottest = heat.numpy().reshape(len(ill), -1).argmax(axis=1)
    hits = near.reshape(len(ill), -1)[np.arange(len(ill)), hottest].mean()
    assert hits > 3 * near.mean()


@pytest.mark.slow
def test_shuffled_weights_change_the_maps(trained, chests):
    """The sanity check of Adebayo et al., "Sanity Checks for Saliency Maps" (2018)."""
    images = rescale(tf.constant(chests.pixels[300:330]))
    heat = grad_cam.grad_cam([trained])(images)
    shuffled = keras.models.clone_model(trained)
    generator = np.random.default_rng(0)
    shuffled.set_weights(
        [
            generator.permutation(weights.ravel()).reshape(weights.shape)
            for weights in trained.get_weights()
        ]
    )
    other = grad_cam.grad_cam([shuffled])(images)
    alike = [
        np.corrcoef(one.ravel(), two.ravel())[0, 1]
        for one, two in zip(heat.numpy(), other.numpy(), strict=True)
        if two.any()
    ]
    assert not alike or abs(np.mean(alike)) < 0.5
