import keras
import numpy as np
import pytest

from tests.trainer_module import small
from trainer_module.networks import building, ensemble
from transform_module.contract import IMAGE_SIZE


@pytest.fixture(scope="module")
def three():
    built = []
    for seed in range(3):
        keras.utils.set_random_seed(seed)
        built.append(
            building.build(small.SETTINGS, size=IMAGE_SIZE, synchronized=False, precision="float32")
        )
    return built


def pixels(count=4):
    return np.random.default_rng(0).random((count, 160, 160, 1), np.float32)


def test_its_logit_is_the_mean_of_its_members_logits(three):
    message = [model(pixels(), training=False).numpy().astype(float) for model in three]
    logits = np.mean([np.log(each / (1 - each)) for each in message], axis=0)
    found = ensemble.build(three)(pixels(), training=False).numpy()
    assert found.shape == (4, 1)
    np.testing.assert_allclose(found, 1 / (1 + np.exp(-logits)), rtol=1e-4)


def test_a_member_that_is_sure_leaves_the_average_finite(three):
    probability = keras.Input((160, 160, 1))
    sure = keras.Model(probability, keras.ops.mean(probability, axis=(1, 2)) * 0)
    found = ensemble.build([sure, three[0]])(pixels(), training=False).numpy()
    assert np.isfinite(found).all()
    assert (found > 0).all()


def test_its_members_are_reached_by_name_and_a_single_model_is_its_own_member(three):
    model = ensemble.build(three)
    assert ensemble.members(model) == three
    assert [member.name for member in three] == ["member_1", "member_2", "member_3"]
    assert ensemble.members(three[0]) == [three[0]]


def test_it_holds_each_weight_of_its_members_once(three):
    assert ensemble.build(three).count_params() == sum(each.count_params() for each in three)
