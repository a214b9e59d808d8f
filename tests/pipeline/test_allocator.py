import os
import subprocess
import sys

import pytest

SCRIPT = """
import os, sys
from pipeline.allocator import tune_allocator
print(os.getpid(), sys.argv[1:], sys.flags.dev_mode, flush=True)
tune_allocator()
tune_allocator()
print("ran with", os.environ.get("GLIBC_TUNABLES"))
"""

glibc = pytest.mark.skipif(
    "CS_GNU_LIBC_VERSION" not in getattr(os, "confstr_names", {}), reason="needs glibc"
)


def run(prelude="", **variables):
    environment = {name: value for name, value in os.environ.items() if name != "GLIBC_TUNABLES"}
    done = subprocess.run(
        [sys.executable, "-X", "dev", "-c", prelude + SCRIPT, "a b", "--set=x"],
        env={**environment, **variables},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return done.stdout.splitlines()


@glibc
def test_the_program_starts_once_more_as_the_same_process_with_the_same_arguments():
    first, second, last = run()
    assert first == second
    assert first.endswith(" ['a b', '--set=x'] True")
    assert "glibc.malloc.hugetlb=1" in last


@glibc
def test_a_users_own_tuning_is_kept():
    _, last = run(GLIBC_TUNABLES="glibc.malloc.arena_max=2")
    assert last == "ran with glibc.malloc.arena_max=2"


@pytest.mark.parametrize(
    "absence",
    ["import os; del os.confstr", "import os; os.confstr = lambda name: None"],
    ids=["no confstr", "another C library"],
)
def test_nothing_happens_without_glibc(absence):
    _, last = run(f"{absence}\n")
    assert last == "ran with None"
