import pytest
from click.testing import CliRunner

from pipeline.cli.main import main
from tests.pipeline.cluster_configuration import CLUSTER

CHOSEN = [word for each in CLUSTER for word in ("--set", each)]


def cxr(*arguments):
    return CliRunner().invoke(main, [str(each) for each in arguments])


@pytest.mark.slow
@pytest.mark.parametrize("target", ["kubeflow", "vertex"])
def test_a_file_is_written_twice_alike_and_what_is_next_is_reported(tmp_path, target):
    first, second = tmp_path / "new" / "first", tmp_path / "second"
    done = cxr("compile", "--target", target, "--out", first, *CHOSEN)
    assert done.exit_code == 0, done.output
    assert f"{first}: 11 tasks, 7 parameters for {target}" in done.output
    assert f"cxr rehearse {first}" in done.output
    cxr("compile", "--target", target, "--out", second, *CHOSEN)
    assert first.read_bytes() == second.read_bytes()


@pytest.mark.slow
def test_the_graph_is_drawn_with_what_each_task_is_given(tmp_path):
    image = tmp_path / "graph.svg"
    resources = 'cluster.resources={"Trainer": {"cpu": 8, "memory": 32}}'
    done = cxr(
        *("compile", "--target", "kubeflow", "--out", tmp_path / "p.yaml", "--draw", image),
        *(*CHOSEN, "--set", resources),
    )
    assert done.exit_code == 0, done.output
    drawn = image.read_text()
    assert drawn.startswith("<svg")
    assert ">Trainer</text>" in drawn
    assert ">8 cores, 32 GB</text>" in drawn


def test_what_cannot_work_is_reported_and_nothing_is_written(tmp_path):
    out = tmp_path / "p.yaml"
    done = cxr("compile", "--target", "kubeflow", "--out", out)
    assert done.exit_code == 1
    assert "cluster.image is not set" in done.output
    assert "cluster.root is not set" in done.output
    assert not out.exists()


def test_a_function_that_cannot_be_imported_is_reported_and_nothing_is_written(tmp_path):
    out = tmp_path / "p.yaml"
    given = (*CHOSEN, "--set", "transform.function=nowhere.prepare")
    done = cxr("compile", "--target", "kubeflow", "--out", out, *given)
    assert done.exit_code == 1
    assert "transform.function is nowhere.prepare: its module cannot be imported" in done.output
    assert not out.exists()


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    out = tmp_path_factory.mktemp("compiled") / "pipeline.yaml"
    assert not cxr("compile", "--target", "kubeflow", "--out", out, *CHOSEN).exit_code
    return out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["--only", "Trainr"],
            "no task Trainr. Did you mean Trainer? There are Baseline, Eva",
        ),
        (["--only", "Trainer", "--from", "Trainer"], "Choose one of --only and --from."),
        (["--map", "gs://bucket"], "--map takes REMOTE=FOLDER"),
    ],
)
def test_a_wrong_option_of_a_rehearsal_is_reported(file, arguments, message):
    done = cxr("rehearse", file, *arguments)
    assert done.exit_code
    assert message in done.output


def test_a_rehearsal_of_no_file_is_reported(tmp_path):
    done = cxr("rehearse", tmp_path / "none.yaml")
    assert done.exit_code == 1
    assert "cannot be read" in done.output
