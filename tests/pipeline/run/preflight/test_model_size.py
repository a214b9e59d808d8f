import pytest

from pipeline.run.preflight.model_size import parameters
from trainer_module.settings.trainer import TrainerSettings
from transform_module.contract import IMAGE_SIZE

pytestmark = pytest.mark.slow

MODELS = [
    {},
    {"cnn": {"filters": [4, 6, 8], "dense_units": [], "kernel_size": 5}},
    {"model": "compact"},
    {"model": "compact", "compact": {"filters": [8, 12], "blocks": 2}},
    {"model": "transfer"},
]


@pytest.mark.parametrize("chosen", MODELS)
def test_a_model_has_as_many_parameters_as_keras_counts(chosen):
    from trainer_module.networks import building

    settings = TrainerSettings.model_validate(chosen)
    built = building.build(settings, size=IMAGE_SIZE, synchronized=False, precision="float32")
    assert parameters(settings, IMAGE_SIZE) == built.count_params()


@pytest.mark.parametrize(
    ("backbone", "network"),
    [("mobilenet_v2", "MobileNetV2"), ("efficientnet_b0", "EfficientNetB0")],
)
def test_a_backbone_of_keras_has_as_many_parameters_with_its_output(backbone, network):
    import keras

    settings = TrainerSettings.model_validate(
        {"model": "transfer", "transfer": {"backbone": backbone}}
    )
    # The weights need a network of computers.
    bare = getattr(keras.applications, network)(
        include_top=False, input_shape=(160, 160, 3), weights=None
    )
    assert parameters(settings, IMAGE_SIZE) == bare.count_params() + bare.output.shape[-1] + 1


def test_an_ensemble_has_the_parameters_of_all_members():
    one = parameters(TrainerSettings(model="compact"), IMAGE_SIZE)
    assert parameters(TrainerSettings(model="compact", folds=5), IMAGE_SIZE) == 5 * one
