import fcntl
import sys

import pytest

from pipeline.environment import install as install_module
from pipeline.environment.decision import Plan, Runtime
from pipeline.environment.install import alone, install
from pipeline.environment.problem import SetUpError
from pipeline.environment.releases import DEBIAN_13
from pipeline.environment.stamp import is_ready
from tests.pipeline.environment.machines import mirror

PLAIN = Plan(runtime=None, obstacles=())
PRIVATE = Plan(Runtime(DEBIAN_13, mirror("bookworm")), obstacles=())


class Programs:
    """Stands for every program that the installation starts."""

    def __init__(self):
        self.commands = []
        self.fails = ""
        self.variables = {}
        self.pip_settings = ""

    def run(self, command, doing, *, variables=None, **_):
        command = [str(part) for part in command]
        self.commands.append(" ".join(command))
        self.variables.update(variables or {})
        if doing == self.fails:
            raise SetUpError(f"{doing} failed.")
        if command[1:3] == ["-m", "venv"]:
            binaries = install_module.Path(command[-1]) / "bin"
            binaries.mkdir(parents=True)
            for name in ("python", "python3", f"python3.{sys.version_info[1]}"):
                (binaries / name).write_text("interpreter")
        if "--target" in command:
            tools = install_module.Path(command[command.index("--target") + 1]) / "bin"
            tools.mkdir(parents=True)
            (tools / "uv").write_text("installer")
        return self.pip_settings if command[-2:] == ["config", "list"] else ""


@pytest.fixture
def programs(monkeypatch):
    programs = Programs()
    monkeypatch.setattr(install_module, "run", programs.run)
    monkeypatch.setattr(install_module.glibc, "run", programs.run)
    return programs


def test_a_finished_set_up_is_ready(venv, checkout, programs):
    install(venv, checkout, PLAIN)
    assert is_ready(venv, checkout)


STEPS = [
    "Making the virtual environment",
    "Installing the installer",
    "Reading the package lists of Debian 13 (trixie)",
    f"Patching python3.{sys.version_info[1]}",
    "Reading pip's configuration",
    "Installing the packages",
    "Installing this project",
]


def without_fetching(monkeypatch):
    monkeypatch.setattr(install_module.glibc, "_fetch", lambda *_: None)


@pytest.mark.parametrize("step", STEPS)
def test_an_interrupted_set_up_is_not_ready_and_the_next_call_heals_it(
    venv, checkout, programs, monkeypatch, step
):
    monkeypatch.delenv("UV_DEFAULT_INDEX", raising=False)
    without_fetching(monkeypatch)
    programs.fails = step
    with pytest.raises(SetUpError, match="failed"):
        install(venv, checkout, PRIVATE)
    assert not is_ready(venv, checkout)
    programs.fails = ""
    install(venv, checkout, PRIVATE)
    assert is_ready(venv, checkout)


def test_a_set_up_that_is_made_anew_is_not_ready_meanwhile(venv, checkout, programs):
    install(venv, checkout, PLAIN)
    programs.fails = "Installing the packages"
    with pytest.raises(SetUpError):
        install(venv, checkout, PLAIN)
    assert not is_ready(venv, checkout)


def test_nothing_private_is_fetched_or_patched_without_a_runtime(venv, checkout, programs):
    install(venv, checkout, PLAIN)
    assert not any("apt" in command or "patchelf" in command for command in programs.commands)
    assert not (venv / "glibc").exists()


def test_every_name_of_the_interpreter_is_the_patched_one(venv, checkout, programs, monkeypatch):
    without_fetching(monkeypatch)
    install(venv, checkout, PRIVATE)
    patched = f"python3.{sys.version_info[1]}"
    (patch,) = [command for command in programs.commands if "--set-rpath" in command]
    assert patch.endswith(str(venv / "bin" / patched))
    for name in ("python", "python3"):
        assert (venv / "bin" / name).readlink() == install_module.Path(patched)


def test_packages_come_only_with_their_hashes(venv, checkout, programs):
    install(venv, checkout, PLAIN)
    from_locks = [command for command in programs.commands if ".lock" in command]
    assert len(from_locks) == 2
    assert all("--require-hashes --no-deps" in command for command in from_locks)


@pytest.mark.parametrize("name", ["global.index-url", "install.index-url", ":env:.index-url"])
def test_packages_come_from_the_index_that_pip_is_set_to(
    venv, checkout, programs, monkeypatch, name
):
    monkeypatch.delenv("UV_DEFAULT_INDEX", raising=False)
    programs.pip_settings = f"global.timeout='60'\n{name}='http://mirror/packages?a=b'\n"
    install(venv, checkout, PLAIN)
    assert programs.variables["UV_DEFAULT_INDEX"] == "http://mirror/packages?a=b"


def test_an_index_that_the_user_has_named_is_kept(venv, checkout, programs, monkeypatch):
    monkeypatch.setenv("UV_DEFAULT_INDEX", "http://named/packages")
    programs.pip_settings = "global.index-url='http://mirror/packages'\n"
    install(venv, checkout, PLAIN)
    assert "UV_DEFAULT_INDEX" not in programs.variables


def test_the_installer_stays_for_the_lock_and_no_other_tool(venv, checkout, programs):
    install(venv, checkout, PLAIN)
    assert (venv / "bin" / "uv").read_text() == "installer"
    assert not (venv / "tools").exists()


def test_no_two_set_ups_work_on_a_checkout_at_once(checkout):
    with (checkout / "requirements.lock").open("rb") as other:
        with alone(checkout), pytest.raises(BlockingIOError):
            fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
        fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)


@pytest.mark.parametrize(("plan", "kind"), [(PLAIN, "--symlinks"), (PRIVATE, "--copies")])
def test_the_interpreter_is_copied_only_where_it_is_patched(
    venv, checkout, programs, monkeypatch, plan, kind
):
    without_fetching(monkeypatch)
    install(venv, checkout, plan)
    (made,) = (command for command in programs.commands if " -m venv " in command)
    assert made.split()[3] == kind
