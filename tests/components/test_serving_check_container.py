import pytest

from components import serving_check_container
from components.errors import UserError


@pytest.mark.parametrize("engine", [None, "podman"])
def test_without_docker_a_run_stops_before_it_trains(monkeypatch, engine):
    monkeypatch.setattr(serving_check_container, "find_engine", lambda: engine)
    with pytest.raises(UserError, match=r"needs Docker.*serving_check\.engine=embedded"):
        serving_check_container.require_docker()


def test_with_docker_it_continues(monkeypatch):
    monkeypatch.setattr(serving_check_container, "find_engine", lambda: "docker")
    serving_check_container.require_docker()
