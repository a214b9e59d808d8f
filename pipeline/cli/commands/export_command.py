"""The command `cxr export`."""

from pathlib import Path
from typing import Any

import click

from pipeline.cli import options
from pipeline.cli.choice_argument import Choice
from pipeline.cli.command import for_people
from pipeline.cli.exit_codes import where_nothing_is_valid
from pipeline.cli.path_argument import LocalPath
from serving import strict_json
from serving.tflite.record import VARIANTS

_PATH = LocalPath()


@click.command()
@click.argument("model", type=_PATH)
@click.option(
    "--keras",
    type=_PATH,
    metavar="FILE",
    help="Write one FILE.keras, which keras.models.load_model reads without this project.",
)
@click.option(
    "--tflite",
    type=_PATH,
    metavar="FOLDER",
    help="Write TFLite files of 16 and 8 bits, for telephones and small boards, into FOLDER.",
)
@click.option(
    "--images",
    type=_PATH,
    metavar="FOLDER",
    help="For --tflite: representative images for int8, of any layout. Of them 256 are taken, by a "
    "hash of their path: from FOLDER/train where there is one, and never from FOLDER/test.",
)
@click.option(
    "--test-images",
    type=_PATH,
    metavar="FOLDER",
    help="For --tflite: compare the files with the SavedModel on these NORMAL and PNEUMONIA "
    "images: on FOLDER/test where there is one, at most 2,000.  [default: --images, where it has "
    "both]",
)
@click.option(
    "--variant",
    "variants",
    type=Choice(VARIANTS),
    multiple=True,
    help="For --tflite: what to write; may be repeated.  [default: all three]",
)
@options.labels
@options.as_json
@for_people
def export(
    model: Path,
    keras: Path | None,
    tflite: Path | None,
    images: Path | None,
    test_images: Path | None,
    variants: tuple[str, ...],
    as_json: bool,
    **labels: Any,
) -> None:
    """Write a pushed MODEL in another format: Keras, TFLite, or both.

    \b
    cxr export pushed/chest_xray --keras chest_xray.keras
    cxr export pushed/chest_xray --tflite app --images chest_xray
    cxr export pushed/chest_xray --tflite app --variant float16

    MODEL is a version's folder, or the folder of the versions, of which the latest is taken. Both
    formats take pixels and give the calibrated probability; neither decodes nor resizes images. For
    TensorFlow Serving nothing has to be exported: MODEL itself is what it serves.
    """  # noqa: D301  (Click knows the character, not its escape)
    from pipeline.cli.output.cells import console
    from pipeline.cli.output.data_tables import print_keras, print_tflite
    from pipeline.cli.output.display import Display
    from pipeline.config.config_file import load
    from pipeline.run_records.run_log import silenced

    if not keras and not tflite:
        raise click.UsageError(
            "Say what to write: --keras FILE.keras (one file that plain Keras loads), --tflite "
            "FOLDER (TFLite files), or both."
        )
    for option, value in (("images", images), ("test-images", test_images), ("variant", variants)):
        if value and not tflite:
            raise click.UsageError(f"--{option} needs --tflite.")
    settings = load(None, options.of_dataset(labels)).dataset
    made: dict[str, Any] = {}
    with where_nothing_is_valid(), silenced() as terminal:
        step = Display(console(terminal)).step
        if keras:
            from serving import keras_file

            made["keras"] = keras_file.export(model, keras, step=step)
        if tflite:
            from serving.tflite.export import export as export_tflite

            made["tflite"] = export_tflite(
                model,
                tflite,
                variants=[name for name in VARIANTS if name in variants] or VARIANTS,
                images=images,
                test_images=test_images,
                settings=settings,
                step=step,
            )
    if as_json:
        click.echo(strict_json.dumps(made, indent=2))
        return
    if keras:
        print_keras(made["keras"])
    if keras and tflite:
        click.echo()
    if tflite:
        print_tflite(made["tflite"], tflite)
