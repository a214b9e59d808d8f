"""Lines about the DICOM reports of predictions."""

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.markup import escape

from pipeline.cli.output.cells import short_path
from serving.predict.structured_report.job import ReportedPrediction
from transform_module.text import count


def print_reports(console: Console, predictions: Sequence[ReportedPrediction], out: Path) -> None:
    """Prints how many reports there are, and why the other files have none."""
    written = sum(bool(each.report) for each in predictions)
    if written:
        console.print(
            f"{count(written, 'structured report')} with as many heat maps: {short_path(out)}. "
            "They hold the identity of the patients, and are not for diagnosis."
        )
    without: dict[str, list[ReportedPrediction]] = defaultdict(list)
    for each in predictions:
        if each.no_report:
            without[each.no_report].append(each)
    for reason, files in without.items():
        console.print(
            f"No report of {count(len(files), 'file')}, such as {escape(files[0].path)}: "
            f"{escape(reason)}."
        )
