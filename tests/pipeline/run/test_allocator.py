import os
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.run import allocator

SCRIPT = """
import os, sys
from pipeline.run.allocator import tune_allocator
print(os.getpid(), sys.argv[1:], sys.flags.dev_mode, flush=True)
tune_allocator()
tune_allocator()
with open("/proc/self/maps") as file:
    mapped = file.read()
print("ran with", os.environ.get("GLIBC_TUNABLES"), os.environ.get("LD_PRELOAD"))
print("tcmalloc", "libtcmalloc" in mapped)
"""

WITHOUT = """
import ctypes.util, pathlib
from pipeline.run import allocator
allocator._PRIVATE = pathlib.Path("/nowhere")
ctypes.util.find_library = lambda name: None
"""

glibc = pytest.mark.skipif(
    "CS_GNU_LIBC_VERSION" not in getattr(os, "confstr_names", {}), reason="needs glibc"
)
TUNED = ("GLIBC_TUNABLES", "LD_PRELOAD")


def run(prelude="", **variables):
    environment = {name: value for name, value in os.environ.items() if name not in TUNED}
    done = subprocess.run(
        [sys.executable, "-X", "dev", "-c", prelude + SCRIPT, "a b", "--set=x"],
        env={**environment, **variables},
        capture_output=True,
        text=True,
        check=True,
        timeout=600,
    )
    assert not done.stderr
    return done.stdout.splitlines()


@pytest.fixture
def untuned(monkeypatch):
    for name in TUNED:
        monkeypatch.delenv(name, raising=False)


def has_tcmalloc(untuned_environment):
    return "LD_PRELOAD" in untuned_environment


@glibc
@pytest.mark.parametrize("prelude", ["", WITHOUT], ids=["as it is here", "without tcmalloc"])
def test_the_program_starts_once_more_as_the_same_process_with_the_same_arguments(prelude):
    first, second, *_ = run(prelude)
    assert first == second
    assert first.endswith(" ['a b', '--set=x'] True")


@glibc
def test_tcmalloc_is_taken_where_it_is_there_and_other_programs_keep_their_own(untuned):
    if not has_tcmalloc(allocator.environment()):
        pytest.skip("tcmalloc is not installed")
    *_, variables, library = run()
    assert variables == "ran with None None"
    assert library == "tcmalloc True"


@glibc
def test_glibc_is_tuned_where_it_is_not():
    *_, variables, library = run(WITHOUT)
    assert "glibc.malloc.hugetlb=1" in variables
    assert library == "tcmalloc False"


@glibc
def test_the_set_ups_own_library_goes_before_the_systems(untuned, monkeypatch, tmp_path):
    monkeypatch.setattr("ctypes.util.find_library", lambda name: f"lib{name}.so.4")
    monkeypatch.setattr(allocator, "_PRIVATE", tmp_path / "private.so")
    assert allocator.environment()["LD_PRELOAD"] == "libtcmalloc_minimal.so.4"
    Path(tmp_path, "private.so").touch()
    assert allocator.environment()["LD_PRELOAD"] == str(tmp_path / "private.so")


@glibc
def test_onednn_leaves_its_memory_to_tcmalloc_alone(untuned, monkeypatch, tmp_path):
    monkeypatch.setattr(allocator, "_PRIVATE", tmp_path)
    assert "TF_ONEDNN_USE_SYSTEM_ALLOCATOR" in allocator.environment()
    monkeypatch.setattr(allocator, "_PRIVATE", tmp_path / "none")
    monkeypatch.setattr("ctypes.util.find_library", lambda name: None)
    assert "TF_ONEDNN_USE_SYSTEM_ALLOCATOR" not in allocator.environment()


@glibc
@pytest.mark.parametrize("name", TUNED)
def test_a_users_own_tuning_is_kept(name):
    value = {"GLIBC_TUNABLES": "glibc.malloc.arena_max=2", "LD_PRELOAD": "libc.so.6"}[name]
    _, variables, library = run(**{name: value})
    assert value in variables
    assert library == "tcmalloc False"


@pytest.mark.parametrize(
    "absence",
    ["import os; del os.confstr", "import os; os.confstr = lambda name: None"],
    ids=["no confstr", "another C library"],
)
def test_nothing_happens_without_glibc(absence):
    _, variables, _ = run(f"{absence}\n")
    assert variables == "ran with None None"
