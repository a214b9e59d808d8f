import io
from pathlib import Path

from pipeline.cli.output.cells import console
from pipeline.cli.output.report_lines import print_reports
from serving.predict.structured_report.job import ReportedPrediction


def reported(path, **fields):
    return ReportedPrediction(path, 0.5, "PNEUMONIA", True, **fields)


def lines(*predictions):
    file = io.StringIO()
    print_reports(console(file), predictions, Path("out"))
    return file.getvalue().splitlines()


def test_reports_are_counted_with_the_warning_that_they_need():
    assert lines(reported("a", report="out/a.sr.dcm"), reported("b", report="out/b.sr.dcm")) == [
        "2 structured reports with as many heat maps: out. They hold the identity of the patients, "
        "and are not for diagnosis."
    ]


def test_files_without_one_are_counted_by_the_reason():
    assert lines(
        reported("a.png", no_report="not a DICOM file"),
        reported("[b].dcm", no_report="the DICOM header is damaged"),
        reported("c.png", no_report="not a DICOM file"),
    ) == [
        "No report of 2 files, such as a.png: not a DICOM file.",
        "No report of 1 file, such as [b].dcm: the DICOM header is damaged.",
    ]
