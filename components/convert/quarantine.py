"""The list of files that were kept out, and the refusal of a folder that is mostly broken."""

import csv
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final

from components.convert.tally import Tally, count_folders, count_reasons, count_skipped
from serving.images.folders import ALSO_SPLITS, FOLDERS
from serving.images.layout import SourceFile, unnamed
from serving.images.settings import DatasetSettings
from transform_module.contract import LABELS
from transform_module.errors import UserError
from transform_module.files.place import Place

_REASONS: Final = 3
_EXAMPLES: Final = 2
_FOLDERS: Final = 8


def refused_list(out: Place) -> Place:
    """Returns where the list is written when the conversion is refused."""
    return out.with_name(f"{out.name}.quarantine.csv")


def write_list(rows: Iterable[Sequence[object]], file: Place) -> None:
    """Writes the quarantined files as CSV: path, reason, bytes, sha256 (empty where not read)."""
    with file.open("w", encoding="utf-8", newline="") as content:
        table = csv.writer(content, lineterminator="\n")
        table.writerow(("path", "reason", "bytes", "sha256"))
        table.writerows(rows)


def refuse_mostly_bad(
    tally: Tally,
    files: Iterable[SourceFile],
    rows: Iterable[Sequence[object]],
    out: Place,
    settings: DatasetSettings,
) -> None:
    """Stops a conversion whose folder is more broken than is believable.

    Args:
        tally: of what became of each file.
        files: all files of the image folder.
        rows: the quarantined files, see `write_list`.
        out: the folder of the dataset; the list of files is written beside it.
        settings: the largest share of quarantined files, skipped files left out; and what the
            classes are called.

    Raises:
        UserError: more are bad, or nothing is left.
    """
    listed = f"Every file with its reason is in {refused_list(out)}. "
    if refused := refusal(tally, files, settings, listed):
        write_list(rows, refused_list(out))
        raise UserError(refused)


def refusal(
    tally: Tally, files: Iterable[SourceFile], settings: DatasetSettings, listed: str = ""
) -> str | None:
    """Returns why a folder is more broken than is believable, or None where it is not.

    Args:
        tally: see `refuse_mostly_bad`, as the next two.
        files: all files of the image folder.
        settings: the largest share of quarantined files, and the names of the classes.
        listed: a sentence about where they are listed.
    """
    counts = count_folders(tally)
    max_bad = settings.max_bad
    checked = sum(count.read - count.skipped for count in counts)
    bad = sum(count.quarantined for count in counts)
    if any(count.written for count in counts) and bad <= max_bad * checked:
        return None
    return (
        f"{bad:,} of {checked:,} files ({bad / max(1, checked):.0%}) are "
        f"not readable images; allowed are {max_bad:.0%} (max_bad). {_commonest(tally)}"
        f"{_skipped(tally)}{_folders(files, settings)}{listed}"
        f"{_advice(tally)}"
    )


def _commonest(tally: Tally) -> str:
    """The most frequent reasons with their counts and examples."""
    parts = []
    for reason, number in list(count_reasons(tally).items())[:_REASONS]:
        # The particulars, where they are the same for all: mostly what to do.
        whole = tally["whole reason", reason].shown
        examples = tally["reason", reason].shown[:_EXAMPLES]
        shown = reason if len(whole) > 1 else whole[0]
        parts.append(f"{shown} ({number:,}, such as {', '.join(examples)})")
    return f"Commonest: {'; '.join(parts)}. " if parts else ""


def _skipped(tally: Tally) -> str:
    listed = "; ".join(f"{reason} ({count:,})" for reason, count in count_skipped(tally).items())
    return f"Skipped beside these: {listed}. " if listed else ""


def _folders(files: Iterable[SourceFile], settings: DatasetSettings) -> str:
    """The folders where a class is expected, where files lie outside those of the classes."""
    found: Counter[str] = Counter()
    is_outside = False
    for file in files:
        if file.skipped:
            continue
        is_outside |= not file.label
        parts = file.filename.split("/")[:-1]
        # A class folder and what leads to it, or as much where a class was expected.
        depth = file.depth if file.label else file.depth + 1
        found["/".join(parts[:depth]) or "the image folder itself"] += 1
    if not is_outside:
        return ""
    shown = ", ".join(f"{name} ({count:,})" for name, count in found.most_common(_FOLDERS))
    more = ", ..." if len(found) > _FOLDERS else ""
    return (
        f"Files by folder: {shown}{more}. Class folders are named {' and '.join(LABELS)}, in any "
        f"case; above or below them may be {', '.join(FOLDERS)} ({ALSO_SPLITS})."
        f"{unnamed(files, settings)} "
    )


def _advice(tally: Tally) -> str:
    left = {label for (_, label, _) in tally.of("images")}
    lost = [label for label in LABELS if label not in left]
    if lost:
        return (
            f"Without these files no image of {' and none of '.join(lost)} is left, so raising "
            "max_bad does not help: fix the files, or rename their folders."
        )
    if tally["quarantined label", ""].number:
        return (
            "Move what is not part of the dataset out of the image folder, or rename its folders. "
            "If it is as it should be, raise max_bad."
        )
    return "Fix the files, or raise max_bad if this is as it should be."
