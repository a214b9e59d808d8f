"""Tables of what a data scientist looks at first in a dataset."""

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from pipeline.cli.output.cells import counted, new_table, print_fitting, print_table
from serving.images.dataset import KINDS, Survey
from transform_module.contract import LABELS
from transform_module.text import brief, count


def print_survey(console: Console, survey: Survey) -> None:
    """Prints kinds of files, sizes, and how well what says nothing about lungs separates them."""
    print_table(console, _kinds(survey))
    console.print()
    columns = ("sizes", "least", "5 %", "median", "95 %", "most")
    rows = [
        (each.name, *map(brief, (each.least, each.low, each.middle, each.high, each.most)))
        for each in survey.spreads
    ]
    print_fitting(console, columns, rows, right=columns[1:], expendable=("5 %", "95 %"))
    if survey.shortcuts:
        console.print()
        print_fitting(
            console,
            ("shortcuts", *LABELS, "AUC alone", "95 % interval"),
            [
                (
                    escape(each.name),
                    brief(each.normal),
                    brief(each.pneumonia),
                    f"{each.auc:.3f}",
                    "-" if each.low is None else f"{each.low:.3f} to {each.high:.3f}",
                )
                for each in survey.shortcuts
            ],
            right=(*LABELS, "AUC alone", "95 % interval"),
            expendable=LABELS,
        )
        console.print(
            "Medians, or shares of a kind of file, and how well each separates the classes without "
            "a look at lungs: not at all at 0.5."
        )
    console.print()
    if survey.measured < survey.images:
        console.print(
            f"Sizes and shortcuts are those of {survey.measured:,} of "
            f"{count(survey.images, 'image')}, whose patients a hash chose."
        )
    if survey.duplicates:
        are = "is" if survey.duplicates == 1 else "are"
        console.print(
            f"{count(survey.duplicates, 'image')} {are} of the same bytes as another one; they "
            "are kept in one split."
        )


def _kinds(survey: Survey) -> Table:
    kinds = survey.images_by_kind
    names = KINDS[: max(map(len, kinds), default=0)]
    table = new_table(*names, *LABELS, right=range(len(names), len(names) + len(LABELS)))
    for kind, images in kinds.items():
        table.add_row(*map(escape, kind), *(counted(images.get(label, 0)) for label in LABELS))
    return table
