"""What an alignment found, for people and for machines."""

from typing import Any

from rich.markup import escape

from pipeline.cli.output.cells import new_table, print_table, standard_output
from serving.align.job import Aligned, section
from transform_module.text import count


def as_plain(aligned: Aligned) -> dict[str, Any]:
    """Returns it as plain values; ``refused`` and ``version`` are None where there is none."""
    return {
        "refused": None,
        **section(aligned.alignment, aligned.version),
        "labels_changed": aligned.labels_changed,
        "is_needed": aligned.alignment.is_needed,
        "version": aligned.published.version if aligned.published else None,
        "path": str(aligned.published.path) if aligned.published else None,
    }


def print_aligned(aligned: Aligned) -> None:
    """Prints the prevalence, the shift, the tests, and what was or would be written."""
    console, found = standard_output(), aligned.alignment
    low, high = found.interval
    table = new_table(
        f"{aligned.version.parent.name}/{aligned.version.name}", "", "95 % interval", right=(1, 2)
    )
    table.add_row("prevalence it is calibrated for", f"{found.prior:.4f}", "")
    table.add_row("prevalence of this place", f"{found.prevalence:.4f}", f"{low:.4f} to {high:.4f}")
    table.add_row("shift of the logit", f"{found.shift:+.4f}", "")
    table.add_row("labels that change", f"{aligned.labels_changed:.4f}", "")
    table.add_row("distance from a mixture", f"{found.fit.statistic:.4f}", _p(found.fit.p_value))
    table.add_row("out of domain", f"{found.domain.share:.4f}", _p(found.domain.p_value))
    print_table(console, table)
    console.print(f"{count(found.images, 'image')} of {count(found.patients, 'patient')}.")
    if not found.is_needed:
        console.print(
            "The prevalence that it is calibrated for lies within the interval: nothing is to be "
            "corrected, and no version is written."
        )
    elif aligned.published:
        path = escape(str(aligned.published.path))
        console.print(f"Pushed as version {aligned.published.version}: {path}", soft_wrap=True)
    else:
        console.print("Nothing was written. To publish the version, repeat with --push.")


def _p(value: float) -> str:
    return f"p = {value:.2g}"
