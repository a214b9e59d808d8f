"""The README's commands exist, with the options that it gives them."""

import re
import shlex

import click
import pytest
import yaml

from pipeline.cli import main
from pipeline.cluster_checks import problems
from pipeline.config_file import load
from pipeline.tables import print_predictions
from serving.predict import Prediction
from tests.pipeline.command import REPOSITORY

README = (REPOSITORY / "README.md").read_text(encoding="utf-8")
BLOCKS = "\n".join(re.findall(r"```sh\n(.*?)```", README, re.DOTALL))
COMMANDS = re.findall(r"^cxr .*?(?=\s+#|$)", BLOCKS, re.MULTILINE)
TARGETS = re.findall(r"^make (\S+)", BLOCKS, re.MULTILINE)


def test_there_are_commands():
    assert len(COMMANDS) >= 8
    assert {"demo", "test"} <= set(TARGETS)


@pytest.mark.parametrize("line", COMMANDS)
def test_a_command_parses(line):
    words = shlex.split(line.partition(" > ")[0])[1:]
    command = main.commands[words[0]]
    with click.Context(main) as parent:
        parsed = command.make_context(words[0], words[1:], parent=parent).params
    load(None, parsed.get("overrides", ()))


@pytest.mark.parametrize("target", TARGETS)
def test_a_make_target_exists(target):
    makefile = (REPOSITORY / "Makefile").read_text(encoding="utf-8")
    assert re.search(rf"^{target}:", makefile, re.MULTILINE)


def test_local_links_lead_somewhere():
    for link in re.findall(r"\]\((?!http)([^)#]+)\)", README):
        assert (REPOSITORY / link).exists(), link


CLUSTER = [yaml.safe_load(block) for block in re.findall(r"```yaml\n(.*?)```", README, re.DOTALL)]


@pytest.mark.parametrize("count", range(1, len(CLUSTER) + 1))
def test_the_cluster_configuration_compiles_as_it_is_printed(count, tmp_path):
    """The second block belongs beside the first."""
    merged = {}
    for block in CLUSTER[:count]:
        merged |= block["cluster"]
    file = tmp_path / "cluster.yaml"
    file.write_text(yaml.safe_dump({"cluster": merged}), encoding="utf-8")
    for target in ("kubeflow", "vertex"):
        (line,) = re.findall(rf"^cxr compile --target {target} .*", README, re.MULTILINE)
        overrides = re.findall(r"--set (\S+)", line)
        assert problems(load(str(file), overrides), target) == []


def test_the_contents_lead_to_every_chapter():
    listed = re.findall(r"\(#([a-z-]+)\)", README)
    anchors = [
        (level, title.lower().replace(" ", "-"))
        for level, title in re.findall(r"^(##+) (.*)$", README, re.MULTILINE)
    ]
    assert set(listed) <= {anchor for _, anchor in anchors}
    chapters = {anchor for level, anchor in anchors if level == "##"}
    assert chapters - set(listed) == {"start", "contents"}


def test_the_predict_example_has_the_columns_of_the_command(capsys):
    (head,) = re.findall(r"^\w+ +probability +label.*$", README, re.MULTILINE)
    print_predictions([Prediction("xray.jpeg", 0.9953, "PNEUMONIA", valid=True, in_domain=True)])
    assert head.split() == capsys.readouterr().out.splitlines()[0].split()
