"""The compiled pipeline, rehearsed from images to a pushed model, beside a local run."""

import json
import shutil

import pytest

from pipeline.cluster.rehearsal.task_container import PACKAGES
from tests.pipeline.cluster_configuration import CLUSTER
from tests.pipeline.command import COMPONENTS, REPOSITORY, cxr, figures, same_figures

pytestmark = [pytest.mark.slow, pytest.mark.e2e]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("rehearsal")


@pytest.fixture(scope="module")
def compiled(small_run, folder):
    """The small pipeline, compiled for Vertex AI."""
    small, _ = small_run
    chosen = [word for each in CLUSTER for word in ("--set", each)]
    file = folder / "pipeline.json"
    cxr(
        *("compile", "--target", "vertex", "--out", file),
        *("--config", small / "small.yaml", *chosen),
    )
    return file


def test_a_rehearsal_ends_in_a_pushed_model_with_the_local_runs_metrics(
    small_run, compiled, folder
):
    """`test_run_search` rehearses the other target, in forked processes."""
    small, record = small_run
    images = small / "root" / "images"
    message = cxr(
        *("rehearse", compiled, "--images", images),
        *("--root", folder / "vertex", "--json", "--exact"),
    )
    outcome = json.loads(message)
    assert set(outcome["tasks"]) == COMPONENTS
    # Batches of other sizes are summed in another order.
    assert figures(outcome) == same_figures(record)
    assert outcome["pushed"]


def test_a_package_that_lacks_a_module_is_reported_before_anything_runs(
    small_run, compiled, tmp_path
):
    small, _ = small_run
    for package in PACKAGES:
        shutil.copytree(REPOSITORY / package, tmp_path / package)
    (tmp_path / "components" / "pusher.py").unlink()
    message = cxr(
        *("rehearse", compiled, "--images", small / "root" / "images"),
        *("--root", tmp_path / "rehearsal"),
        folder=tmp_path,
        code=1,
    )
    assert "cannot be imported from what the image holds" in message
    assert "components.pusher" in message
