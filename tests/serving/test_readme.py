"""The examples in Python of serving/README.md, as they stand there."""

import re

import pytest

from tests.pipeline.command import REPOSITORY
from tests.serving.asking import xray
from tests.serving.saved import save, write_manifest

README = (REPOSITORY / "serving" / "README.md").read_text(encoding="utf-8")
SECTION = README.partition("## From Python\n")[2].partition("\n## ")[0]
EXAMPLES = re.findall(r"```python\n(.*?)```", SECTION, re.DOTALL)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A working directory with what the examples name."""
    version = tmp_path / "cxr-root" / "pushed" / "chest_xray" / "1"
    write_manifest(save(version, tells_domain=True))
    (tmp_path / "xray.jpeg").write_bytes(xray(200))
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "dark.png").write_bytes(xray(20))
    (tmp_path / "folder" / "broken.png").write_bytes(b"no image")
    monkeypatch.chdir(tmp_path)


def test_there_are_two_short_examples():
    assert len(EXAMPLES) == 2
    assert all(len(each.strip().splitlines()) <= 6 for each in EXAMPLES)


@pytest.mark.usefixtures("folder")
def test_predict_takes_paths_as_text(capsys):
    exec(EXAMPLES[0], {})
    first, broken, dark = capsys.readouterr().out.splitlines()
    assert first.startswith("xray.jpeg PNEUMONIA 0.78")
    assert broken.startswith("folder/broken.png INVALID None None ")
    assert dark.startswith("folder/dark.png NORMAL 0.07")


@pytest.mark.usefixtures("folder")
def test_keras_reads_the_folder_as_a_layer(capsys):
    exec(EXAMPLES[1], {})
    assert capsys.readouterr().out.startswith("[b'PNEUMONIA'] [0.78")
