"""The set-up from nothing: a new Debian 13, with its Python 3.13, make, git and certificates."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from pipeline.environment.apt_sources import read_apt_sources
from tests.pipeline.command import REPOSITORY

pytestmark = [pytest.mark.slow, pytest.mark.e2e]

# How this machine reaches its package index; a new machine has its own way, or needs none.
NETWORK = ("PIP_CERT", "SSL_CERT_FILE", "PIP_INDEX_URL", "UV_DEFAULT_INDEX")
FILES = ("/etc/resolv.conf", "/etc/hosts", "/etc/pip.conf", "/etc/ssl/certs/ca-certificates.crt")
ENTER = 'mount -t proc proc "$0/proc" && mount --bind /dev "$0/dev" && exec chroot "$0" "$@"'
KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")


@pytest.fixture(scope="module")
def debian(tmp_path_factory):
    """The root folder of a Debian 13 that was just installed, with a clone in /src."""
    if os.geteuid() != 0:
        pytest.skip("only root can make the root folder of another system")
    if not shutil.which("mmdebstrap"):
        pytest.skip("mmdebstrap is not installed, which makes the root folder of another system")
    mirror = next((each.uri for each in read_apt_sources() if each.suite == "bookworm"), None)
    if mirror is None or not KEYRING.exists():
        pytest.skip("apt is set to no mirror of Debian 12, where Debian 13 stands, too")
    root = tmp_path_factory.mktemp("debian") / "root"
    include = "--include=python3,make,git,ca-certificates"
    made = subprocess.run(
        ["mmdebstrap", "--quiet", "--variant=minbase", include, "trixie", root, mirror],
        capture_output=True,
        text=True,
    )
    assert made.returncode == 0, made.stderr
    for path in filter(os.path.exists, FILES):
        shutil.copy(path, root / path.lstrip("/"))
    subprocess.run(["git", "clone", "--quiet", REPOSITORY, root / "src"], check=True)
    yield root
    subprocess.run(["rm", "-rf", root], check=True)


def run(root, command):
    variables = {name: os.environ[name] for name in NETWORK if name in os.environ}
    done = subprocess.run(
        ["unshare", "--mount", "sh", "-c", ENTER, root, "sh", "-c", f"cd /src && {command}"],
        env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", **variables},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_make_sets_up_without_pip_compiler_or_headers(debian):
    assert "ModuleNotFoundError" in run(debian, "python3 -c 'import ensurepip' 2>&1 || true")
    assert "Set-up: finished" in run(debian, "make setup")
    assert int(run(debian, "du -s --block-size=1MB .venv").split()[0]) <= 3000
    imports = "import tensorflow, tfx.components, kfp, tensorflow_data_validation"
    run(debian, f".venv/bin/python -c '{imports}'")
    assert "is valid" in run(debian, ".venv/bin/cxr config --config fast")
    assert not (debian / "src" / ".venv" / "glibc").exists()
