import pytest

from pipeline.root.root import Root
from pipeline.run.final_report import finish
from pipeline.run_records.run_record import PushRecord, ReportRecord, StepRecord
from serving.analysis.findings import FINDINGS, to_json
from serving.images.dataset import QUARANTINE_FILE
from serving.report.context import CONTEXT
from tests.conftest import xray
from tests.pipeline import records
from tests.serving.report import made


@pytest.fixture
def root(tmp_path):
    """A root with a dataset, its images, and what the component Report made."""
    root = Root(tmp_path)
    root.dataset.mkdir()
    made.dataset().save(root.dataset)
    (root.dataset / QUARANTINE_FILE).write_text(
        "path,reason,bytes,sha256\nsmall.png,too small,9,\ntext.png,text file,4,\n"
    )
    root.images.mkdir()
    (root.images / "small.png").write_bytes(xray(1, 0))
    (root.images / "text.png").write_bytes(b"text")
    folder = tmp_path / "report"
    folder.mkdir()
    (folder / FINDINGS).write_text(to_json(made.findings(model="chest_xray")))
    context = made.context(run="", steps=(), configuration={}, quarantine=())
    (folder / CONTEXT).write_text(context.model_dump_json())
    return root


def record(root, **changes):
    component = records.component("Report", outputs={"report": [str(root.path / "report")]})
    content = {
        "images": str(root.images),
        "config": {"name": "chest-xray", "report": {"pictures": "none"}},
        "steps": [StepRecord(name="Convert images", seconds=2.0, peak_memory=10**9)],
        "components": [records.component("Trainer", seconds=12.3), component],
        "report": ReportRecord(),
        **changes,
    }
    return records.run(**content)


def finished(root, **changes):
    message = record(root, **changes)
    finish(message, root)
    return message.report


def test_the_page_shows_what_is_known_only_at_the_end(root):
    report = finished(root)
    page = root.page("20260301-120000").read_text()
    assert report == ReportRecord(
        page=str(root.page("20260301-120000")), card=str(root.card("20260301-120000"))
    )
    for text in (
        "Run 20260301-120000.",
        "Pushed as version 1772366400",
        "<h1>chest_xray/1772366400</h1>",
        "Convert images",
        "12.3",
        "chest-xray",
    ):
        assert text in page
    assert root.card("20260301-120000").read_text().startswith("---\n")


def test_a_model_that_is_not_pushed_has_no_version(root):
    finished(root, push=PushRecord(pushed=False, reason="no"))
    assert "<h1>chest_xray</h1>" in root.page("20260301-120000").read_text()


def test_the_files_that_were_kept_out_are_those_of_this_run(root):
    finished(root)
    assert "too small" in root.page("20260301-120000").read_text()


def test_what_was_kept_out_is_shown_as_far_as_it_is_an_image_and_may_be(root):
    without = finished(root)
    count = root.page("20260301-120000").read_text().count('alt="quarantined"')
    finished(root, config={"report": {"pictures": "thumbnails"}})
    page = root.page("20260301-120000").read_text()
    assert without.page
    assert (count, page.count('alt="quarantined"')) == (0, 1)


@pytest.mark.parametrize("name", [FINDINGS, CONTEXT])
@pytest.mark.parametrize("content", [None, "{", '{"model": 1}'])
def test_a_report_that_cannot_be_read_costs_the_run_nothing(root, name, content):
    (root.path / "report" / name).unlink()
    if content:
        (root.path / "report" / name).write_text(content)
    report = finished(root)
    assert report.page == ""
    assert report.reason


def test_a_page_that_cannot_be_written_costs_the_run_nothing(root):
    (root.path / "reports").write_text("a file in its place")
    assert "reports" in finished(root).reason


def test_the_reason_of_the_component_is_kept(root):
    assert finished(root, report=ReportRecord(reason="no space")).reason == "no space"


def test_a_run_without_the_component_has_no_report(root):
    assert finished(root, components=[], report=None) is None
