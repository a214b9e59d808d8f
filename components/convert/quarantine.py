"""The list of files that were kept out, and the refusal of a folder that is mostly broken."""

import csv
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from components.convert.outcomes import Outcome, count_reasons, count_skipped
from serving.images.folders import ALSO_SPLITS, FOLDERS
from transform_module.contract import LABELS
from transform_module.errors import UserError

_REASONS: Final = 3
_EXAMPLES: Final = 2
_FOLDERS: Final = 8


def refused_list(out: Path) -> Path:
    """Returns where the list is written when the conversion is refused."""
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
        max_bad: largest share of quarantined files, 0 to 1, skipped files left out.

    Raises:
        UserError: more are bad, or nothing is left.
    """
    checked = [outcome for outcome in outcomes if not outcome.file.skipped]
    bad = [outcome for outcome in checked if outcome.quarantined]
    good = [outcome for outcome in checked if outcome.split]
    if good and len(bad) <= max_bad * len(checked):
        return
    write_list(outcomes, refused_list(out))
    raise UserError(
        f"{len(bad):,} of {len(checked):,} files ({len(bad) / max(1, len(checked)):.0%}) are "
        f"not readable images; allowed are {max_bad:.0%} (max_bad). {_commonest(bad)}"
        f"{_skipped(outcomes)}{_folders(checked)}Every file with its reason is in "
        f"{refused_list(out)}. {_advice(bad, good)}"
    )


def _commonest(bad: Sequence[Outcome]) -> str:
    """The most frequent reasons with their counts and examples."""
    whole: defaultdict[str, set[str]] = defaultdict(set)
    examples: defaultdict[str, list[str]] = defaultdict(list)
    for outcome in bad:
        reason = str(outcome.quarantined)
        short = reason.split(":")[0]
        whole[short].add(reason)
        examples[short].append(outcome.file.filename)
    listed = "; ".join(
        # The particulars, where they are the same for all: mostly what to do.
        f"{reason if len(whole[reason]) > 1 else whole[reason].pop()} "
        f"({count:,}, such as {', '.join(examples[reason][:_EXAMPLES])})"
        for reason, count in list(count_reasons(bad).items())[:_REASONS]
    )
    return f"Commonest: {listed}. " if listed else ""


def _skipped(outcomes: Sequence[Outcome]) -> str:
    listed = "; ".join(f"{reason} ({count:,})" for reason, count in count_skipped(outcomes).items())
    return f"Skipped beside these: {listed}. " if listed else ""


def _folders(checked: Sequence[Outcome]) -> str:
    """The folders where a class is expected, where files lie outside those of the classes."""
    outside = [outcome for outcome in checked if not outcome.file.label]
    if not outside:
        return ""
    found: Counter[str] = Counter()
    for outcome in checked:
        parts = outcome.file.filename.split("/")[:-1]
        # A class folder and what leads to it, or as much where a class was expected.
        depth = outcome.file.depth if outcome.file.label else outcome.file.depth + 1
        found["/".join(parts[:depth]) or "the image folder itself"] += 1
    shown = ", ".join(f"{name} ({count:,})" for name, count in found.most_common(_FOLDERS))
    more = ", ..." if len(found) > _FOLDERS else ""
    return (
        f"Files by folder: {shown}{more}. Class folders are named {' and '.join(LABELS)}, in any "
        f"case; above or below them may be {', '.join(FOLDERS)} ({ALSO_SPLITS}). "
    )


def _advice(bad: Sequence[Outcome], good: Sequence[Outcome]) -> str:
    left = {outcome.file.label for outcome in good}
    lost = [label for label in LABELS if label not in left]
    if lost:
        return (
            f"Without these files no image of {' and none of '.join(lost)} is left, so raising "
            "max_bad does not help: fix the files, or rename their folders."
        )
    if any(not outcome.file.label for outcome in bad):
        return (
            "Move what is not part of the dataset out of the image folder, or rename its folders. "
            "If it is as it should be, raise max_bad."
        )
    return "Fix the files, or raise max_bad if this is as it should be."
