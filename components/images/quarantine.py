"""The list of files that were kept out, and the refusal of a folder that is mostly broken."""

import csv
from collections.abc import Sequence
from pathlib import Path

from components.errors import UserError
from components.images.outcomes import Outcome, count_reasons


def refused_list(out: Path) -> Path:
    """Tells where the list is written when the conversion is refused."""
    return out.with_name(f"{out.name}.quarantine.csv")


def write_list(outcomes: Sequence[Outcome], path: Path) -> None:
    """Writes the quarantined files as CSV: path, reason, bytes, sha256 (empty where not read)."""
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(("path", "reason", "bytes", "sha256"))
        for outcome in outcomes:
            if outcome.quarantined:
                table.writerow(
                    (
                        outcome.file.filename,
                        outcome.quarantined,
                        outcome.file.size,
                        outcome.sha256,
                    )
                )


def refuse_mostly_bad(outcomes: Sequence[Outcome], out: Path, max_bad: float) -> None:
    """Stops a conversion whose folder is more broken than is believable.

    Args:
        outcomes: what became of each file.
        out: the folder of the dataset; the list of files is written beside it.
        max_bad: largest share of quarantined files, 0 to 1, system files left out.

    Raises:
        UserError: more are bad, or nothing is left.
    """
    judged = [outcome for outcome in outcomes if not outcome.file.skipped]
    bad = sum(outcome.quarantined is not None for outcome in judged)
    if any(outcome.split for outcome in judged) and bad <= max_bad * len(judged):
        return
    write_list(outcomes, refused_list(out))
    commonest = "; ".join(
        f"{reason} ({count:,})" for reason, count in list(count_reasons(outcomes).items())[:3]
    )
    raise UserError(
        f"{bad:,} of {len(judged):,} files ({bad / len(judged):.0%}) are no usable pictures; "
        f"allowed are {max_bad:.0%} (max_bad). Commonest: {commonest}. Every file with its reason "
        f"is in {refused_list(out)}. Mend the folder, or raise max_bad if this is as it should be."
    )
