"""The compiled pipeline, rehearsed from pictures to a pushed model, beside a local run."""

import json
import shutil

import pytest

from pipeline.rehearsal.container import ROOMS
from tests.pipeline.cluster import CLUSTER
from tests.pipeline.command import COMPONENTS, REPOSITORY, cxr, figures, run

pytestmark = [pytest.mark.slow, pytest.mark.e2e]


@pytest.fixture(scope="module")
def local(tmp_path_factory):
    """A local run: its folder, with the configuration and the pictures, and its record."""
    folder = tmp_path_factory.mktemp("rehearsal")
    return folder, run(folder / "root")


def rehearsed(folder, target, *options):
    file = folder / f"{target}.file"
    chosen = [word for each in CLUSTER for word in ("--set", each)]
    cxr(
        *("compile", "--target", target, "--out", file),
        *("--config", folder / "small.yaml", *chosen),
    )
    images = folder / "root" / "images"
    told = cxr(
        *("rehearse", file, "--images", images, "--root", folder / target, "--json", *options)
    )
    return json.loads(told)


@pytest.mark.parametrize(("target", "options"), [("kubeflow", ()), ("vertex", ("--exact",))])
def test_a_rehearsal_ends_in_a_pushed_model_with_the_local_runs_metrics(local, target, options):
    folder, record = local
    outcome = rehearsed(folder, target, *options)
    assert set(outcome["tasks"]) == COMPONENTS
    # Batches of other sizes are summed in another order.
    assert figures(outcome) == pytest.approx(figures(record), rel=1e-6)
    assert outcome["pushed"]


def test_a_package_that_lacks_a_module_is_told_before_anything_runs(local, tmp_path):
    folder, _ = local
    for room in ROOMS:
        shutil.copytree(REPOSITORY / room, tmp_path / room)
    (tmp_path / "components" / "pusher.py").unlink()
    told = cxr(
        *("rehearse", folder / "kubeflow.file", "--images", folder / "root" / "images"),
        *("--root", tmp_path / "rehearsal"),
        folder=tmp_path,
        code=1,
    )
    assert "cannot be imported from what the image holds" in told
    assert "components.pusher" in told
