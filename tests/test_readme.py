"""What the READMEs show exists, leads somewhere, and runs."""

import importlib.util
import re
import shlex

import click
import pytest
import yaml

from pipeline.cli.main import main
from pipeline.cli.output.data_tables import print_predictions
from pipeline.cluster.cluster_checks import problems
from pipeline.config.config_file import load
from serving.predict.files import FilePrediction
from tests.pipeline.command import REPOSITORY
from tests.readmes import MAIN, READMES, read

PIPELINE, SERVING = read("pipeline/README.md"), read("serving/README.md")
COMMANDS = [line for each in READMES for line in each.lines("cxr")]
MENTIONS = sorted({line for each in READMES for line in each.mentions("cxr")})
TARGETS = sorted(
    {line.split()[1] for each in READMES for line in (*each.lines("make"), *each.mentions("make"))}
)
MODULES = sorted({name for each in READMES for name in re.findall(r"python -m (\S+)", each.text)})
EVERY = pytest.mark.parametrize("readme", READMES, ids=lambda each: each.name)


def test_the_readme_is_short():
    assert len(MAIN.text.splitlines()) <= 200


def test_each_package_that_a_user_meets_has_a_readme():
    packages = {"pipeline", "components", "trainer_module", "serving"}
    assert {each.folder.name for each in READMES[1:]} == packages
    assert packages <= {link.partition("/")[0] for link in MAIN.links()}


def test_there_are_commands():
    assert {line.split()[1] for line in COMMANDS} == set(main.commands) - {"synth"}
    assert {"demo", "test", "setup", "check", "clean", "image"} <= set(TARGETS)
    assert len(MODULES) >= 5


@pytest.mark.parametrize("line", COMMANDS)
def test_a_command_parses(line):
    words = shlex.split(line.partition(" > ")[0])[1:]
    command = main.commands[words[0]]
    with click.Context(main) as parent:
        parsed = command.make_context(words[0], words[1:], parent=parent).params
    load(None, parsed.get("overrides", ()))


@pytest.mark.parametrize("line", MENTIONS)
def test_a_command_that_is_mentioned_has_the_options(line):
    """It may lack arguments."""
    _, name, *words = line.split()
    options = {name for each in main.commands[name].params for name in each.opts}
    assert {word for word in words if word.startswith("-")} <= options


@pytest.mark.parametrize("target", TARGETS)
def test_a_make_target_exists(target):
    makefile = (REPOSITORY / "Makefile").read_text(encoding="utf-8")
    assert re.search(rf"^{target}:", makefile, re.MULTILINE)


@pytest.mark.parametrize("name", MODULES)
def test_a_program_exists(name):
    assert importlib.util.find_spec(name), name


@EVERY
def test_links_lead_somewhere(readme):
    for link in readme.links():
        path, _, anchor = link.partition("#")
        target = (readme.folder / path).resolve() if path else REPOSITORY / readme.name
        assert target.exists(), link
        if anchor:
            name = target.relative_to(REPOSITORY).as_posix()
            assert anchor in read(name).anchors(), link


@EVERY
def test_the_contents_have_every_chapter(readme):
    listed = {link[1:] for link in readme.links() if link.startswith("#")}
    assert readme.anchors("##") - listed <= {"start", "contents"}


@EVERY
def test_the_files_that_a_package_lists_exist(readme):
    table = readme.text.partition("| file or folder |")[2].partition("\n\n")[0]
    assert bool(table) == (readme is not MAIN)
    for row in table.splitlines()[2:]:
        for name in re.findall(r"`([^`]+)`", row.split("|")[1]):
            assert list(readme.folder.glob(name)), name


@EVERY
def test_the_python_compiles(readme):
    for block in readme.blocks("python"):
        compile(block, readme.name, "exec")


CLUSTER = [block for block in PIPELINE.blocks("yaml") if "\ncluster:" in f"\n{block}"]


@pytest.mark.parametrize("block", CLUSTER)
def test_the_cluster_configuration_compiles_as_it_is_printed(block, tmp_path):
    """Each block belongs beside the first."""
    merged = yaml.safe_load(CLUSTER[0])["cluster"] | yaml.safe_load(block)["cluster"]
    file = tmp_path / "cluster.yaml"
    file.write_text(yaml.safe_dump({"cluster": merged}), encoding="utf-8")
    for target in ["kubeflow"] if "for Kubeflow" in block else ["kubeflow", "vertex"]:
        (line,) = [line for line in PIPELINE.lines("cxr compile") if target in line]
        overrides = re.findall(r"--set (\S+)", line)
        assert problems(load(str(file), overrides), target) == []


def test_the_predict_example_has_the_columns_of_the_command(capsys):
    (head,) = re.findall(r"^\w+ +probability +label.*$", SERVING.text, re.MULTILINE)
    print_predictions(
        [FilePrediction("xray.jpeg", 0.9953, "PNEUMONIA", valid=True, in_domain=True)]
    )
    assert head.split() == capsys.readouterr().out.splitlines()[0].split()
