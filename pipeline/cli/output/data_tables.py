"""Output of the commands about data and predictions."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.markup import escape

from components.synthetic.generate import SyntheticSet
from pipeline.cli.output.cells import (
    argument,
    command,
    counted,
    figure,
    new_table,
    print_table,
    short_path,
    standard_output,
)
from pipeline.cli.output.dataset_rows import COLUMNS, rows
from pipeline.cli.output.survey_tables import print_survey
from serving.explain.job import Explanation
from serving.images.dataset import QUARANTINE_FILE, Dataset
from serving.predict.files import FilePrediction
from serving.predict.many.job import Summary
from serving.tflite.record import LARGEST_LOSS, RECORD
from transform_module.contract import SPLITS
from transform_module.files.place import Place
from transform_module.text import count, printable

_IN_DOMAIN: Final = {None: "", True: "yes", False: "no"}


def print_dataset(dataset: Dataset, out: Place | None) -> None:
    """Prints where every file went, what the splits hold and why files were kept out.

    Args:
        dataset: the description.
        out: the folder of the records; None where none were written.
    """
    console = standard_output()
    table = new_table(*COLUMNS, right=range(2, len(COLUMNS)))
    *body, total = rows(dataset)
    for row in body:
        table.add_row(*(counted(value) for value in row))
    table.add_row(*(counted(value) for value in total), style="bold")
    print_table(console, table)
    table = new_table("split", "class", "subtype", "images", "patients", right=(3, 4))
    for split in SPLITS:
        for each in dataset.splits:
            if each.split == split:
                table.add_row(
                    split,
                    each.label,
                    each.subtype,
                    counted(each.images),
                    counted(each.patients),
                )
    console.print()
    print_table(console, table)
    if dataset.quarantine_reasons:
        table = new_table("why quarantined", "files", right=(1,))
        for reason, files in dataset.quarantine_reasons.items():
            table.add_row(escape(reason), counted(files))
        console.print()
        print_table(console, table)
        if out:
            console.print(f"Each file with its reason: {short_path(out / QUARANTINE_FILE)}")
    if dataset.survey and dataset.survey.images:
        console.print()
        print_survey(console, dataset.survey)
    else:
        console.print()
    if dataset.hold_out:
        console.print(
            f"The test split is {dataset.hold_out}, held out on purpose; the folder test takes no "
            "part."
        )
    elif dataset.dropped_patients:
        console.print(
            "Dropped from train and val: "
            f"{count(len(dataset.dropped_patients), 'patient')} found in test too."
        )
    if dataset.skipped_reasons:
        reasons = ", ".join(f"{why} {files:,}" for why, files in dataset.skipped_reasons.items())
        console.print(f"Skipped: {escape(reasons)}.")
    for sentence in dataset.sentences:
        is_figure = dataset.patients and sentence == dataset.patients.sentence
        style = "" if is_figure else "yellow"
        console.print(escape(sentence), style=style)
    for split, label in dataset.missing:
        console.print(f"[yellow]The split {split} holds no {label}.[/]")
    if out:
        console.print(f"Fingerprint {dataset.fingerprint[:16]}, written to {short_path(out)}")


def print_inspected(dataset: Dataset, refused: str | None) -> None:
    """Prints what a conversion would make of a folder.

    Args:
        dataset: the description.
        refused: why `cxr convert` would refuse it; None where it would not.
    """
    print_dataset(dataset, None)
    console = standard_output()
    for each in dataset.survey.examples if dataset.survey else ():
        if each.kind == "quarantined":
            console.print(f"Quarantined: {escape(each.path)} ({escape(each.about)})")
    if refused:
        console.print(f"[yellow]cxr convert would refuse this: {escape(refused)}[/]")
    warnings = len(dataset.warnings) + bool(refused)
    console.print(f"[bold]{count(warnings, 'warning') if warnings else 'No warnings'}.[/]")


def print_synthetic(made: SyntheticSet, out: Path) -> None:
    """Prints what a synthetic set holds."""
    console = standard_output()
    labels = sorted({label for counts in made.images.values() for label in counts})
    table = new_table("folder", *labels, right=range(1, 1 + len(labels)))
    for folder, counts in made.images.items():
        table.add_row(folder, *(counted(counts.get(label, 0)) for label in labels))
    print_table(console, table)
    console.print(
        f"{count(made.patients, 'patient')}, and "
        f"{count(len(made.broken), 'file')} broken on purpose:"
    )
    for path, what in made.broken.items():
        console.print(f"  {escape(path)}: {escape(what)}")
    console.print(f"\nNext: {command()} run --images {argument(out)} --config demo")


def print_predictions(predictions: Sequence[FilePrediction]) -> None:
    """Prints one line a file."""
    table = new_table(
        *("image", "probability", "label", "triage", "in domain", "reason"), right=(1,)
    )
    for each in predictions:
        table.add_row(
            escape(each.path),
            figure(each.probability),
            each.label,
            each.triage or "",
            _IN_DOMAIN[each.in_domain],
            escape(each.reason),
        )
    console = standard_output()
    print_table(console, table)
    _print_doubts(console, predictions)


def print_explanations(explanations: Sequence[Explanation]) -> None:
    """Prints one line a file: its prediction, and its overlay or why there is none."""
    table = new_table("image", "probability", "label", "in domain", "overlay", right=(1,))
    for each in explanations:
        overlay = short_path(Path(each.overlay)) if each.valid else escape(each.reason)
        table.add_row(
            escape(each.path),
            figure(each.probability),
            each.label,
            _IN_DOMAIN[each.in_domain],
            overlay,
        )
    console = standard_output()
    print_table(console, table)
    _print_doubts(console, explanations)


def _print_doubts(console: Console, predictions: Sequence[FilePrediction]) -> None:
    bad = sum(not each.valid for each in predictions)
    if bad:
        what = "is not a readable image" if bad == 1 else "are not readable images"
        console.print(f"{bad} of {len(predictions)} files {what}.")
    unlike = sum(each.in_domain is False for each in predictions)
    if unlike:
        console.print(
            f"{unlike} of {len(predictions)} images are out of domain, unlike the training data: "
            "do not rely on their predictions."
        )


def print_summary(summary: Summary, out: Place) -> None:
    """Prints what a table of predictions holds."""
    table = new_table(
        *("images", "valid", "invalid", "out of domain", "review", "resumed"), right=range(6)
    )
    counts = (
        summary.images,
        summary.valid,
        summary.invalid,
        summary.out_of_domain,
        summary.review,
        summary.resumed,
    )
    table.add_row(*map(counted, counts))
    console = standard_output()
    print_table(console, table)
    for sentence in summary.damaged:
        console.print(f"[yellow]{escape(printable(sentence))}[/]")
    console.print(f"Predictions: {short_path(out)}")


def print_keras(record: Mapping[str, Any]) -> None:
    """Prints what a Keras file holds, and what its caller has to do."""
    console = standard_output()
    console.print(
        f"{short_path(Path(record['file']))}: {record['bytes'] / 1e6:.2f} MB, version "
        f"{record['version']}; keras.models.load_model reads it, and needs nothing of this project."
    )
    side = record["input"]["shape"][1]
    console.print(
        f"From pixels {side}x{side}x1 in 0 to 1 to the calibrated probability of "
        f"PNEUMONIA, at most {record['largest_difference']:.1g} from the pushed model's; the label "
        f"is PNEUMONIA from {record['threshold']:.4f} on."
    )
    console.print(
        "It lacks what is around the network: decoding, resizing, the check of the domain, triage, "
        "heat maps."
    )
    if function := record["lacks"]["function"]:
        console.print(
            f"[yellow]Its pixels are made by {escape(function)}: the pushed model's signature "
            "transform_features does it.[/]"
        )
        return
    console.print("Two lines decode and resize an 8-bit image that is upright:")
    for line in record["lacks"]["lines"]:
        console.print(f"  {escape(line)}")
    if (spread := record["lacks"]["contrast"]) != "none":
        console.print(
            f"[yellow]After that the grey levels are to be spread (transform.contrast={spread}): "
            "the pushed model's signature transform_features does it.[/]"
        )


def print_tflite(record: Mapping[str, Any], out: Path) -> None:
    """Prints the TFLite files of an export beside the SavedModel that they are made of."""
    saved_model = {"file": "(SavedModel)", **record["saved_model"]}
    compared, shown = record["evaluated_images"], record["representative_images"]
    columns = ("AUC", "largest difference", "p50, ms") if compared else ()
    table = new_table("file", "input", "MB", *columns, right=range(2, 3 + len(columns)))
    for each in (saved_model, *record["files"]):
        seen = each["measured"]
        figures = (
            (figure(seen["auc"]), figure(seen["largest_difference"]), f"{seen['p50_ms']:.2f}")
            if seen
            else ()
        )
        taken = each.get("input", {"type": "float32"})["type"]
        table.add_row(each["file"], taken, f"{each['bytes'] / 1e6:.2f}", *figures)
    console = standard_output()
    print_table(console, table)
    if compared:
        console.print(
            f"On {_named_images(compared)}, one at a time; TFLite in {record['threads']} thread."
        )
        for each in record["files"]:
            loss = (saved_model["measured"]["auc"] or 0) - (each["measured"]["auc"] or 0)
            if loss > LARGEST_LOSS:
                console.print(
                    f"[yellow]{each['file']} loses {loss:.4f} of the AUC: this network does not "
                    "do well with so few bits. Take a larger file.[/]"
                )
    if shown:
        console.print(f"Ranges of int8 from {_named_images(shown)}.")
    console.print(f"Input, output, threshold and figures: {short_path(out / RECORD)}")


def _named_images(images: Mapping[str, Any]) -> str:
    left_out = images["undecodable"]
    return f"{images['files']:,} of {images['of']:,} images of {escape(images['folder'])}" + (
        f" ({left_out:,} cannot be decoded)" if left_out else ""
    )
