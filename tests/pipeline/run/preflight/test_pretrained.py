import pytest

from pipeline.run.preflight.pretrained import require_pretrained
from trainer_module.settings.trainer import TrainerSettings
from transform_module.errors import UserError


def test_weights_that_are_there_are_enough():
    require_pretrained(TrainerSettings(model="transfer"))


def test_other_models_need_none():
    require_pretrained(TrainerSettings(model="compact", transfer={"weights": "nowhere.pth"}))


@pytest.mark.parametrize("backbone", ["efficientnet_lite0", "efficientnet_b0"])
def test_what_is_missing_is_reported_before_anything_runs(backbone):
    settings = TrainerSettings(
        model="transfer", transfer={"backbone": backbone, "weights": "nowhere.pth"}
    )
    with pytest.raises(UserError, match=r"trainer\.model is transfer: .*nowhere\.pth"):
        require_pretrained(settings)
