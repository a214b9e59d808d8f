import shutil

import pytest
from tfx.types import standard_artifacts

from components import report as component
from components.report import REASON, Report
from serving.analysis import findings
from serving.images.dataset import QUARANTINE_FILE
from serving.report.card import CARD
from serving.report.context import CONTEXT, Context
from serving.report.page import PAGE
from tests.components import report_samples
from tests.serving.report import made
from transform_module.files import sums
from transform_module.images.shifts import SHIFTS

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("inputs")
    dataset = folder / "dataset"
    dataset.mkdir()
    made.dataset().save(dataset)
    (dataset / QUARANTINE_FILE).write_text(
        "path,reason,bytes,sha256\ntrain/a.jpeg,truncated JPEG,7,\n"
    )
    return folder


@pytest.fixture(scope="module")
def given(place):
    return report_samples.inputs(place, with_baseline=True)


def execute(inputs, folder, properties) -> standard_artifacts.ModelEvaluation:
    report = standard_artifacts.ModelEvaluation()
    report.uri = str(folder / "report")
    Report.test_call(**inputs, report=report, **properties)
    return report


@pytest.fixture(scope="module")
def shown(place, given, tmp_path_factory):
    """The folder of a report with images."""
    folder = tmp_path_factory.mktemp("shown")
    settings = {"pictures": "thumbnails", "filenames": True}
    report = execute(given, folder, report_samples.properties(place / "dataset", **settings))
    assert report.get_string_custom_property(REASON) == ""
    return folder / "report"


def read(folder) -> Context:
    return Context.model_validate_json((folder / CONTEXT).read_bytes())


def test_the_figures_are_those_of_the_evaluators_predictions(shown):
    found = findings.read(shown / findings.FINDINGS)
    assert (found.images, found.invalid, found.overall.patients) == (10, 0, 5)
    counts = found.confusion
    assert (counts.true_positives, counts.false_positives) == (3, 1)
    assert (counts.true_negatives, counts.false_negatives) == (4, 2)
    assert found.model == "chest_xray"
    assert {each.name for each in found.slices["subtype"]} == {"normal", "virus"}


def test_the_pushed_model_is_compared_with(shown):
    comparison = findings.read(shown / findings.FINDINGS).comparison
    assert comparison is not None
    assert comparison.against == "chest_xray/16"
    assert comparison.auc.value == 0


def test_a_sample_of_the_images_is_shifted_and_corrupted(shown):
    found = findings.read(shown / findings.FINDINGS)
    assert [each.kind for each in found.shifts] == [*SHIFTS]
    assert all(each.images == 4 for each in found.shifts)
    corrupted = found.corruptions
    assert {each.strength for each in corrupted} == {1, 2, 3, 4, 5}
    assert all(each.images == 4 for each in corrupted)


def test_the_run_is_reported(shown):
    context = read(shown)
    assert context.dataset is not None
    assert context.dataset.model_copy(update={"checksum": ""}) == made.dataset()
    assert context.quarantine[0].reason == "truncated JPEG"
    assert context.histories == (({"loss": 0.9, "val_loss": 0.8}, {"loss": 0.5}),)
    assert context.serving is not None
    assert context.serving.latency_ms == 8
    assert context.source is not None
    assert context.source.name == "Synthetic chest X-rays"
    assert context.versions["tfx"]


def test_the_worst_errors_are_shown_under_their_heat_maps(shown):
    misses = findings.read(shown / findings.FINDINGS).misses
    images = read(shown).images
    assert (
        set(images)
        == {miss.path for miss in misses}
        == {
            "test/2.png",
            "test/5.png",
            "test/9.png",
        }
    )
    for image in images.values():
        assert image.thumbnail.startswith(b"\xff\xd8")
        assert image.overlay.startswith(b"\xff\xd8")
        assert image.overlay != image.thumbnail


def test_page_and_card_are_written(shown):
    page = (shown / PAGE).read_text()
    assert "May be pushed" in page
    assert page.count("<img") == 6
    assert (shown / CARD).read_text().startswith("---\n")


def test_without_a_page_the_rest_is_written(given, place, tmp_path):
    """A run on this machine renders it at its end; it would be rendered twice."""
    execute(
        given, tmp_path, report_samples.properties(place / "dataset", page=False, corruptions=0)
    )
    files = {file.name for file in (tmp_path / "report").iterdir()}
    assert files == {findings.FINDINGS, CONTEXT}


def test_without_images_the_model_is_not_loaded(given, place, tmp_path, monkeypatch):
    monkeypatch.setattr(component, "Model", lambda _: pytest.fail("loaded"))
    monkeypatch.setattr(component.example_images, "contents", lambda *_: pytest.fail("read"))
    report = execute(given, tmp_path, report_samples.properties(place / "dataset", corruptions=0))
    assert report.get_string_custom_property(REASON) == ""
    assert findings.read(tmp_path / "report" / findings.FINDINGS).images == 10


def test_predictions_of_another_model_make_no_report(place, tmp_path):
    inputs = report_samples.inputs(tmp_path)
    (tmp_path / "model" / "Format-Serving" / "more").write_text("")
    sums.record(tmp_path / "model" / "Format-Serving")
    report = execute(inputs, tmp_path, report_samples.properties(place / "dataset"))
    assert "the predictions of another model" in report.get_string_custom_property(REASON)


def test_by_default_no_image_and_no_name_leaves(given, place, tmp_path):
    execute(given, tmp_path, report_samples.properties(place / "dataset", corruptions=0))
    assert read(tmp_path / "report").images == {}
    page = (tmp_path / "report" / PAGE).read_text()
    assert "<img" not in page
    for file in (tmp_path / "report").iterdir():
        text = file.read_text().replace("xray.jpeg", "")  # of an example
        assert not [name for name in (".png", ".jpeg", "virus-1") if name in text], file


def test_images_without_names_are_numbered(given, place, tmp_path):
    execute(given, tmp_path, report_samples.properties(place / "dataset", pictures="thumbnails"))
    misses = findings.read(tmp_path / "report" / findings.FINDINGS).misses
    assert set(read(tmp_path / "report").images) == {miss.path for miss in misses}
    assert {miss.path for miss in misses} == {"image 1", "image 2", "image 3"}
    assert (tmp_path / "report" / PAGE).read_text().count("<img") == 6


def test_a_refused_model_is_reported_with_its_reasons(place, tmp_path):
    inputs = report_samples.inputs(tmp_path, blessed=False)
    execute(inputs, tmp_path, report_samples.properties(place / "dataset", corruptions=0))
    verdict = read(tmp_path / "report").verdict
    assert verdict is not None
    assert not verdict.blessed
    assert verdict.reasons == ("AUC 0.5 is below the floor 0.85",)
    assert findings.read(tmp_path / "report" / findings.FINDINGS).comparison is None


def test_without_the_conversions_records_the_rest_is_reported(given, tmp_path):
    execute(given, tmp_path, report_samples.properties(tmp_path / "nowhere", corruptions=0))
    context = read(tmp_path / "report")
    assert context.dataset is None
    assert context.quarantine == ()
    assert (tmp_path / "report" / PAGE).exists()


def test_a_report_that_fails_says_why_leaves_nothing_and_stops_nothing(place, tmp_path):
    inputs = report_samples.inputs(tmp_path)
    shutil.rmtree(tmp_path / "model")
    (tmp_path / "report").mkdir()
    report = execute(inputs, tmp_path, report_samples.properties(place / "dataset"))
    assert str(tmp_path / "model") in report.get_string_custom_property(REASON)
    # TFX's cache does not take up an artifact whose folder is gone.
    assert not (tmp_path / "report").exists()


def test_invalid_settings_stop_nothing_either(given, tmp_path):
    report = execute(given, tmp_path, {**report_samples.properties(tmp_path), "settings": "{"})
    assert report.get_string_custom_property(REASON)
