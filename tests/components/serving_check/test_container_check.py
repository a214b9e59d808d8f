import pytest

from components.serving_check import container_check
from transform_module.errors import UserError


@pytest.mark.parametrize("engine", [None, "podman"])
def test_without_docker_a_run_stops_before_it_trains(monkeypatch, engine):
    monkeypatch.setattr(container_check, "find_engine", lambda: engine)
    with pytest.raises(UserError, match=r"needs Docker.*serving_check\.engine=embedded"):
        container_check.require_docker()


def test_with_docker_it_continues(monkeypatch):
    monkeypatch.setattr(container_check, "find_engine", lambda: "docker")
    container_check.require_docker()
