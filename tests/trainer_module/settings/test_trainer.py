import pydantic
import pytest

from trainer_module.settings.trainer import WORST_SHIFT, TrainerSettings


def test_the_default_is_the_model_and_training_of_the_mission():
    settings = TrainerSettings()
    assert (settings.model, settings.epochs, settings.patience) == ("cnn", 25, 5)
    assert settings.cnn.filters == (32, 64)
    assert settings.cnn.dense_units == (512, 256, 128)


def test_settings_survive_json():
    settings = TrainerSettings(epochs=3, cnn={"filters": (4,), "dense_units": ()})
    assert TrainerSettings.model_validate(settings.model_dump(mode="json")) == settings


@pytest.mark.parametrize(
    "wrong",
    [
        {"epochs": 0},
        {"batch_size": 0},
        {"learning_rate": 0},
        {"warmup_epochs": -1},
        {"model": "vgg"},
        {"strategy": "gpus"},
        {"monitor": "auc"},
        {"cnn": {"filters": ()}},
        {"cnn": {"filters": (4,) * 6}},
        {"cnn": {"dense_dropout": 1}},
        {"augmentation": {"zoom": -0.1}},
        {"augmentation": {"rotate": 5}},
        {"augmentation": {"jpeg_quality": 96}},
        {"transfer": {"backbone": "resnet"}},
        {"balance": True},
        {"label_smoothing": 1},
        {"ema_momentum": 1},
        {"clip_norm": -1},
    ],
)
def test_an_impossible_setting_is_refused_by_its_name(wrong):
    ((name, value),) = wrong.items()
    name = next(iter(value)) if isinstance(value, dict) else name
    with pytest.raises(pydantic.ValidationError, match=name):
        TrainerSettings(**wrong)


def test_the_worst_pair_is_compared_by_its_auc():
    assert TrainerSettings(select_by=WORST_SHIFT).criterion == "worst_val_auc"
    with pytest.raises(pydantic.ValidationError, match=r"monitor must be val_auc\. Received"):
        TrainerSettings(select_by=WORST_SHIFT, monitor="val_loss")
