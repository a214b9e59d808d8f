import fcntl
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.environment import install as install_module
from pipeline.environment.decision import AptPackages, Plan
from pipeline.environment.install import alone, install
from pipeline.environment.problem import SetUpError
from pipeline.environment.releases import DEBIAN_13
from pipeline.environment.stamp import is_ready
from tests.pipeline.environment import machines
from tests.pipeline.environment.machines import mirror

PLAIN = Plan(glibc=None, pip=None, python="", obstacles=())
PRIVATE = replace(PLAIN, glibc=AptPackages(DEBIAN_13, mirror("bookworm")))
MACHINE = machines.DEBIAN_12


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
        if command[1:2] == ["venv"]:
            binaries = Path(command[-1]) / "bin"
            binaries.mkdir()
            (binaries.parent / "base").write_text("interpreter")
            (binaries / "python").symlink_to(binaries.parent / "base")
            for name in ("python3", f"python3.{sys.version_info[1]}"):
                (binaries / name).symlink_to("python")
        if "--target" in command:
            tools = Path(command[command.index("--target") + 1]) / "bin"
            tools.mkdir(parents=True)
            (tools / "uv").write_text("installer")
        if command[1:3] == ["python", "find"]:
            return "/fetched/python3.13\n"
        if command[1:3] == ["pip", "install"]:
            headers = (
                Path(command[4]).parents[1] / "lib/python3.13/site-packages/tensorflow/include"
            )
            headers.mkdir(parents=True, exist_ok=True)
        return self.pip_settings if command[-2:] == ["config", "list"] else ""


@pytest.fixture
def programs(monkeypatch):
    programs = Programs()
    monkeypatch.setattr(install_module, "run", programs.run)
    monkeypatch.setattr(install_module.glibc, "run", programs.run)
    monkeypatch.setattr(install_module.packages, "run", programs.run)
    return programs


def test_a_finished_set_up_is_ready(venv, checkout, programs):
    install(venv, checkout, MACHINE, PLAIN)
    assert is_ready(venv, checkout)


def test_a_link_to_another_environment_is_replaced_and_that_is_left_alone(
    venv, checkout, programs, tmp_path
):
    (tmp_path / "other").mkdir()
    venv.symlink_to(tmp_path / "other")
    install(venv, checkout, MACHINE, PLAIN)
    assert is_ready(venv, checkout)
    assert not venv.is_symlink()
    assert list((tmp_path / "other").iterdir()) == []


STEPS = [
    "Installing the installer",
    "Reading pip's configuration",
    "Making the virtual environment",
    "Reading the package lists of Debian 13 (trixie)",
    "Patching python",
    "Installing the packages",
    "Installing this project",
]


def without_fetching(monkeypatch):
    monkeypatch.setattr(install_module.packages, "_fetch", lambda *_: None)


@pytest.mark.parametrize("step", STEPS)
def test_an_interrupted_set_up_is_not_ready_and_the_next_call_heals_it(
    venv, checkout, programs, monkeypatch, step
):
    monkeypatch.delenv("UV_DEFAULT_INDEX", raising=False)
    without_fetching(monkeypatch)
    programs.fails = step
    with pytest.raises(SetUpError, match="failed"):
        install(venv, checkout, MACHINE, PRIVATE)
    assert not is_ready(venv, checkout)
    programs.fails = ""
    install(venv, checkout, MACHINE, PRIVATE)
    assert is_ready(venv, checkout)


def test_a_set_up_that_is_made_anew_is_not_ready_meanwhile(venv, checkout, programs):
    install(venv, checkout, MACHINE, PLAIN)
    programs.fails = "Installing the packages"
    with pytest.raises(SetUpError):
        install(venv, checkout, MACHINE, PLAIN)
    assert not is_ready(venv, checkout)


def test_nothing_private_is_fetched_or_patched_without_a_runtime(venv, checkout, programs):
    install(venv, checkout, MACHINE, PLAIN)
    assert not any("apt" in command or "patchelf" in command for command in programs.commands)
    assert not (venv / "glibc").exists()


def test_every_name_of_the_interpreter_is_the_patched_one(venv, checkout, programs, monkeypatch):
    without_fetching(monkeypatch)
    install(venv, checkout, MACHINE, PRIVATE)
    patched = venv / "bin" / "python"
    (patch,) = [command for command in programs.commands if "--set-rpath" in command]
    assert patch.endswith(str(patched))
    assert not patched.is_symlink()
    for name in ("python3", f"python3.{sys.version_info[1]}"):
        assert (venv / "bin" / name).resolve() == patched


def test_the_interpreter_is_copied_only_where_it_is_patched(venv, checkout, programs):
    install(venv, checkout, MACHINE, PLAIN)
    assert (venv / "bin" / "python").is_symlink()


def test_pip_is_run_from_the_wheel_that_python_brings(venv, checkout, programs):
    install(venv, checkout, MACHINE, PLAIN)
    assert programs.commands[0].startswith(f"{sys.executable} {MACHINE.pip}/pip install ")


def test_pip_comes_from_the_mirror_where_python_brings_none(venv, checkout, programs, monkeypatch):
    def unpack(release, source, folder):
        assert (release, source) == (DEBIAN_13, mirror("trixie"))
        wheels = folder / "usr" / "share" / "python-wheels"
        wheels.mkdir(parents=True)
        (wheels / "pip-25.1.1-py3-none-any.whl").touch()

    monkeypatch.setattr(install_module.packages, "unpack", unpack)
    plan = replace(PLAIN, pip=AptPackages(DEBIAN_13, mirror("trixie")))
    install(venv, checkout, replace(MACHINE, pip=None), plan)
    assert "/python-wheels/pip-25.1.1-py3-none-any.whl/pip install" in programs.commands[0]
    assert is_ready(venv, checkout)


def test_uvs_own_python_is_fetched_where_this_one_will_not_do(venv, checkout, programs):
    install(venv, checkout, MACHINE, replace(PLAIN, python="Python: this is cpython 3.14."))
    assert any("python install --no-bin 3.13" in command for command in programs.commands)
    (made,) = (command for command in programs.commands if "uv venv" in command)
    assert " --python /fetched/python3.13 " in made
    assert programs.variables["UV_PYTHON_INSTALL_DIR"] == str(venv / "python")


def test_why_this_python_will_not_do_is_said_where_none_can_be_fetched(venv, checkout, programs):
    programs.fails = "Fetching Python"
    with pytest.raises(SetUpError, match=r"^Python: this is cpython 3\.14\.\n  uv's own Python: "):
        install(venv, checkout, MACHINE, replace(PLAIN, python="Python: this is cpython 3.14."))
    assert not is_ready(venv, checkout)


def test_what_only_a_compiler_reads_is_removed(venv, checkout, programs):
    install(venv, checkout, MACHINE, PLAIN)
    assert list(venv.glob("lib/*/site-packages/*")) == [
        venv / "lib/python3.13/site-packages/tensorflow"
    ]
    assert list(venv.glob("lib/*/site-packages/tensorflow/*")) == []


def test_packages_come_only_with_their_hashes(venv, checkout, programs):
    install(venv, checkout, MACHINE, PLAIN)
    from_locks = [command for command in programs.commands if ".lock" in command]
    assert len(from_locks) == 2
    assert all({"--require-hashes", "--no-deps"} < set(command.split()) for command in from_locks)


@pytest.mark.parametrize("name", ["global.index-url", "install.index-url", ":env:.index-url"])
def test_packages_come_from_the_index_that_pip_is_set_to(
    venv, checkout, programs, monkeypatch, name
):
    monkeypatch.delenv("UV_DEFAULT_INDEX", raising=False)
    programs.pip_settings = f"global.timeout='60'\n{name}='http://mirror/packages?a=b'\n"
    install(venv, checkout, MACHINE, PLAIN)
    assert programs.variables["UV_DEFAULT_INDEX"] == "http://mirror/packages?a=b"


def test_an_index_that_the_user_has_named_is_kept(venv, checkout, programs, monkeypatch):
    monkeypatch.setenv("UV_DEFAULT_INDEX", "http://named/packages")
    programs.pip_settings = "global.index-url='http://mirror/packages'\n"
    install(venv, checkout, MACHINE, PLAIN)
    assert "UV_DEFAULT_INDEX" not in programs.variables


def test_the_installer_stays_for_the_lock_and_no_other_tool(venv, checkout, programs):
    install(venv, checkout, MACHINE, PLAIN)
    assert (venv / "bin" / "uv").read_text() == "installer"
    assert not (venv / "tools").exists()


def test_no_two_set_ups_work_on_a_checkout_at_once(checkout):
    with (checkout / "requirements.lock").open("rb") as other:
        with alone(checkout), pytest.raises(BlockingIOError):
            fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
        fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
