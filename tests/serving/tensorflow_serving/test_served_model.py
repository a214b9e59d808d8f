import pytest

from serving.tensorflow_serving.served_model import ServedModel, find
from serving.tensorflow_serving.settings import DeploymentSettings
from transform_module.errors import UserError


def test_the_latest_version_is_followed(model):
    assert find(model, DeploymentSettings()) == ServedModel("chest_xray", {})


def test_beside_a_canary_the_latest_version_by_number_is_stable(model):
    assert find(model, DeploymentSettings(canary=7)).labels == {"stable": 10, "canary": 7}


def test_a_canary_is_beside_the_stable_version(model):
    found = find(model, DeploymentSettings(stable=7, canary=10))
    assert found.labels == {"stable": 7, "canary": 10}


def test_the_name_becomes_one_that_kubernetes_takes(model):
    assert find(model, DeploymentSettings()).resource_name == "chest-xray"


def test_half_a_push_is_not_a_version(model):
    (model / "11").mkdir()
    assert find(model, DeploymentSettings(canary=7)).labels["stable"] == 10


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (DeploymentSettings(stable=8), r"^stable: there is no version 8 in .* are 7, 10"),
        (DeploymentSettings(canary=8), r"^canary: there is no version 8 in .* are 7, 10"),
        (DeploymentSettings(canary=10), r"^canary: is the stable version, 10, too"),
    ],
)
def test_versions_that_cannot_be_served_are_refused(model, settings, message):
    with pytest.raises(UserError, match=message):
        find(model, settings)


def test_a_folder_without_a_version_is_refused(tmp_path):
    with pytest.raises(UserError, match=r"There is no version in .*nothing"):
        find(tmp_path / "nothing", DeploymentSettings())


def test_one_version_is_not_the_folder_of_all(model):
    with pytest.raises(UserError, match=r"is one version\. Give the folder of all.*chest_xray\."):
        find(model / "7", DeploymentSettings())


@pytest.mark.parametrize("name", ["7days", "x y", "chest.xray", "chest_", "a" * 51, "röntgen"])
def test_a_name_that_serves_for_no_address_is_refused(model, name):
    with pytest.raises(UserError, match="serves for no address"):
        find(model.rename(model.parent / name), DeploymentSettings())
