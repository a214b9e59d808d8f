"""The report page of a dataset: one self-contained HTML file.

It shows images and their numbers, and no name: those of files, folders and patients may say who a
patient is. The numbers are those of the examples in ``dataset.json``.
"""

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Final

from serving.analysis.findings import Estimate
from serving.images.dataset import KINDS, Dataset, Example, Shortcut, Survey
from serving.report.context import ShownImage
from serving.report.drawing.document import document
from serving.report.drawing.drawings import interval
from serving.report.drawing.figure_text import figure
from serving.report.drawing.figure_text import interval as span_of
from serving.report.drawing.html_tables import note, section, table
from serving.report.drawing.image_markup import image
from serving.report.drawing.markup import Markup, element, join
from serving.report.sections.data import splits
from transform_module.contract import LABELS
from transform_module.text import brief, count

_HEADINGS: Final = {
    "typical": "Typical of {}",
    "odd": "Least like the others of {}",
    "doubtful": "Found: {}",
    "quarantined": "Quarantined: {}",
}
_FOUND: Final = {
    "turned": "turned upright by EXIF data",
    "unused_bits": "16-bit PNG with unused bits",
    "inverted": "inverted",
    "faint": "hardly any contrast",
    "burned_in": "with letters burned in, as DICOM says",
    "unlike": "unlike the others",
    "copies": "copies of one another",
}


def page(dataset: Dataset, shown: Mapping[str, ShownImage]) -> str:
    """Renders the description of a dataset.

    Args:
        dataset: the description.
        shown: thumbnails of the examples, by path; those that are missing are left out.

    Returns:
        HTML. It loads nothing, and names no file, folder or patient.
    """
    survey = dataset.survey
    known = dataset.patients
    return document(
        "Dataset report",
        element(
            "header",
            element("h1", "Dataset report"),
            element("p", known.sentence, class_="subject") if known else None,
            _verdict(dataset),
        ),
        element(
            "main",
            _tiles(dataset),
            section("splits", "Splits", splits(dataset)),
            *((_shortcuts(survey), _sizes(survey)) if survey else ()),
            _left_out(dataset),
            _sheet(survey, shown) if survey else None,
        ),
    )


def _verdict(dataset: Dataset) -> Markup:
    # The sentences about the layout name files and folders.
    named = len(dataset.layout_warnings)
    shown = list(dataset.nameless_warnings)
    if named:
        shown.append(
            f"{count(named, 'warning')} about folders and patients, which may name files: see "
            "layout_warnings in the output of cxr inspect --json, or in dataset.json."
        )
    total = len(dataset.warnings)
    return element(
        "div",
        element("p", count(total, "warning") if total else "No warnings"),
        element("ul", *(element("li", each) for each in shown)) if shown else None,
        class_="verdict no" if total else "verdict",
    )


def _tiles(dataset: Dataset) -> Markup:
    folders = dataset.folders
    files = sum(each.read for each in folders)
    figures = [
        ("Images", sum(each.written for each in folders), f"in the splits, of {files:,} files"),
        ("Quarantined", sum(each.quarantined for each in folders), "unreadable, or doubtful"),
        ("Skipped", sum(each.skipped for each in folders), "texts, masks, system files"),
        ("Dropped", sum(each.dropped for each in folders), "their patients are in test"),
    ]
    return element(
        "dl",
        *(
            element(
                "div",
                element("dt", name),
                element(
                    "dd", element("strong", f"{number:,}"), element("span", what, class_="meaning")
                ),
            )
            for name, number, what in figures
        ),
        class_="tiles",
    )


def _sheet(survey: Survey, shown: Mapping[str, ShownImage]) -> Markup:
    found = [each for each in survey.examples if each.path in shown]
    groups = [
        join(element("h3", _heading(kind, about)), _images(list(some), shown))
        for (kind, about), some in groupby(found, lambda each: (each.kind, each.about))
    ]
    if not groups:
        return Markup()
    return section(
        "sheet",
        "Contact sheet",
        note(
            "Typical images are nearest to the mean thumbnail of their class, the others furthest "
            "from it. Each number is the place of the file among all files by path; the examples "
            "of the survey in the output of cxr inspect --json, or in dataset.json, have the path. "
            "This page holds images of patients."
        ),
        *groups,
    )


def _heading(kind: str, about: str) -> str:
    return _HEADINGS[kind].format(_FOUND.get(about, about) if kind == "doubtful" else about)


def _images(examples: Sequence[Example], shown: Mapping[str, ShownImage]) -> Markup:
    items = [
        element(
            "li",
            image(shown[each.path], f"Image {each.number}"),
            element("span", f"no. {each.number:,}", class_="span"),
        )
        for each in examples
    ]
    return element("ul", *items, class_="sheet")


def _shortcuts(survey: Survey) -> Markup:
    if not survey.shortcuts:
        return Markup()
    return section(
        "shortcuts",
        "Shortcuts",
        note(
            f"Each quantity as a classifier of its own, {_of_what(survey)}: 0.5 means that it says "
            "nothing, and below it more of the quantity means NORMAL. Intervals are of 95 %, by "
            "patients. A model may learn such a quantity in place of lungs. Brightness, contrast, "
            "sharpness and border are measured in grey levels of 255, at the size that the model "
            "sees, file size in bytes, width and height in pixels. Of a kind of file the share is "
            "given."
        ),
        table(
            "AUC of quantities that say nothing about lungs",
            ("quantity", "AUC alone", *(f"median {label}" for label in LABELS)),
            [
                (each.name, _cell(each), brief(each.normal), brief(each.pneumonia))
                for each in survey.shortcuts
            ],
        ),
    )


def _cell(shortcut: Shortcut) -> Markup:
    estimate = Estimate(shortcut.auc, shortcut.low, shortcut.high)
    return join(
        element("strong", figure(shortcut.auc)),
        interval(estimate, (0.0, 1.0), mark=0.5),
        element("span", span_of(estimate), class_="span"),
    )


def _sizes(survey: Survey) -> Markup:
    kinds = survey.images_by_kind
    names = KINDS[: max(map(len, kinds), default=0)]
    return section(
        "files",
        "Files",
        table(
            "Images by kind of file",
            (*names, *LABELS),
            [
                (*kind, *(f"{numbers.get(label, 0):,}" for label in LABELS))
                for kind, numbers in kinds.items()
            ],
            left=range(len(names)),
        ),
        table(
            "Sizes",
            ("quantity", "least", "5\u00a0%", "median", "95\u00a0%", "most"),
            [
                (
                    each.name,
                    *map(brief, (each.least, each.low, each.middle, each.high, each.most)),
                )
                for each in survey.spreads
            ],
        ),
        note(f"Sizes {_of_what(survey)}. {_copies(survey)}"),
    )


def _copies(survey: Survey) -> str:
    if not survey.duplicates:
        return "No image is of the same bytes as another."
    are = "is" if survey.duplicates == 1 else "are"
    return (
        f"{count(survey.duplicates, 'image')} {are} of the same bytes as another one; they are "
        "kept in one split."
    )


def _left_out(dataset: Dataset) -> Markup:
    rows = [
        *((why, "quarantined", f"{files:,}") for why, files in dataset.quarantine_reasons.items()),
        *((why, "skipped", f"{files:,}") for why, files in dataset.skipped_reasons.items()),
    ]
    if not rows:
        return Markup()
    return section(
        "left-out",
        "Left out",
        table("Files that were left out", ("reason", "outcome", "files"), rows, left=(0, 1)),
    )


def _of_what(survey: Survey) -> str:
    patients = count(survey.patients, "patient")
    if survey.measured == survey.images:
        return f"of all {count(survey.images, 'image')} of {patients}"
    return f"of {survey.measured:,} of {count(survey.images, 'image')}, of {patients} by a hash"
