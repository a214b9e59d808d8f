"""What reaches a terminal: no escape sequence where none is wanted, and no name that acts on it."""

import fcntl
import os
import pty
import re
import shutil
import struct
import subprocess
import sys
import termios
import unicodedata

import pytest

from serving.process.native_log import is_notice
from tests.pipeline.command import REPOSITORY, command
from tests.pipeline.whole.everything_printed import HOSTILE
from tests.serving.running import running
from tests.serving.saved import save, write_manifest

pytestmark = pytest.mark.slow

WIDTH = 60
SHOWN = HOSTILE.encode("unicode_escape").decode().replace("\\n", "\\x0a")
ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """A server whose model's folder has a hostile name, and a version that does not load."""
    model = tmp_path_factory.mktemp("served") / HOSTILE / "chest_xray"
    write_manifest(save(model / "1", has_domain=True))
    shutil.copytree(model / "1", model / "2")
    (model / "2" / "saved_model.pb").write_bytes(b"broken")
    with running(model) as server:
        yield server


def printed(folder, url="", **variables):
    """Runs every command on a terminal of 60 columns; what it showed, line by line."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, WIDTH, 0, 0))
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(folder), "TERM": "xterm-256color"}
    # The commands stay in one process: with this set none is started anew.
    environment |= {"GLIBC_TUNABLES": "", "PYTHONPATH": str(REPOSITORY), **variables}
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "tests.pipeline.whole.everything_printed",
            str(folder / "made"),
            url,
        ],
        cwd=folder,
        env=environment,
        stdin=slave,
        stdout=slave,
        stderr=slave,
    )
    os.close(slave)
    content = b""
    while True:
        try:
            chunk = os.read(master, 65536)
        except OSError:
            break
        if not chunk:
            break
        content += chunk
    os.close(master)
    assert process.wait() == 0, content.decode()
    return content.decode().replace("\r\n", "\n")


def acting(text):
    """The characters of a text that act on a terminal or move its lines."""
    kinds = {"Cc", "Cf", "Cs", "Zl", "Zp"}
    return {each for each in text if each != "\n" and unicodedata.category(each) in kinds}


@pytest.mark.parametrize("variables", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_a_plain_terminal_gets_no_escape_sequence_and_no_name_raw(tmp_path, served, variables):
    shown = printed(tmp_path, served.rest, **variables)
    assert acting(shown) == set()
    codes = dict(re.findall(r"^== (\S+) (\d+)$", shown, re.MULTILINE))
    assert {"convert", "predict", "explain", "evaluate", "run", "rollback"} <= set(codes)
    assert "Traceback" not in shown
    sections = shown.split("== ")
    assert sum(SHOWN in each for each in sections) >= 12
    # No line of a table is wider than the terminal, and no number of it is cut.
    assert not [line for line in shown.splitlines() if len(line) > WIDTH and "  0." in line]


def test_a_terminal_with_colours_gets_them_and_no_name_raw(tmp_path):
    shown = printed(tmp_path)
    assert ESCAPES.search(shown)
    assert acting(ESCAPES.sub("", shown).replace("\r", "")) == set()
    assert "\x1b[31mb" not in shown


@pytest.mark.parametrize("name", ["run", "clean"])
def test_no_notice_of_tensorflow_precedes_the_output(tmp_path, name):
    variables = {key: value for key, value in os.environ.items() if key != "CUDA_VISIBLE_DEVICES"}
    images = ("--images", "absent") if name == "run" else ()
    done = subprocess.run(
        [*command(name, "--root", tmp_path / "root"), *images],
        env=variables | {"PYTHONPATH": str(REPOSITORY)},
        cwd=tmp_path,
        capture_output=True,
    )
    assert b"Error: " in done.stderr
    assert not [line for line in done.stderr.splitlines() if is_notice(line, has_driver=False)]


def test_the_servers_log_escapes_the_path_of_its_model_and_holds_no_notice(served):
    log = served.log.read_text()
    assert SHOWN in log
    assert acting(log) == set()
    for line in log.splitlines():
        assert re.match(r"\d{4}-\d\d-\d\d \S+ [IWE] ", line), line
