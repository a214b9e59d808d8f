"""The lines that a run begins with: model, size, expected time, and presets to choose instead."""

from collections.abc import Sequence
from typing import Final

from pipeline.config.config import Config
from pipeline.config.presets import description, is_preset, named
from pipeline.run.preflight.expected_time import Expected, expected, unchanged_since
from pipeline.run.preflight.model_size import parameters
from pipeline.run_records.run_record import RunRecord
from transform_module.text import count

_INSTEAD: Final = ("fast", "best")
_INSTEAD_SYNTHETIC: Final = ("demo", "fast")
_DEFAULT: Final = "cnn"


def announce(
    config: Config, source: str | None, images: int, records: Sequence[RunRecord]
) -> list[str]:
    """Says what a run trains and how long it is expected to take.

    Args:
        config: what was chosen.
        source: the preset or file that it was read from; None is all defaults.
        images: number of image files, or of synthetic images to draw.
        records: of earlier runs under the root, the oldest first.

    Returns:
        At most five lines.
    """
    trainer = config.trainer
    model = trainer.model if trainer.folds == 1 else f"{trainer.folds} x {trainer.model}"
    epochs = count(trainer.epochs, "epoch")
    if trainer.patience < trainer.epochs:
        epochs = f"at most {epochs}"
    number = parameters(trainer, config.transform.size)
    size = "" if number is None else f"{_in_millions(number)} parameters, "
    lines = [
        f"{_origin(config, source)} {model}, {size}{epochs}.",
        _time(expected(config, images, records), images),
    ]
    if same := unchanged_since(config, records):
        lines.append(f"Seconds, if nothing changed since run {same} (all is in the cache).")
    if source is None and trainer.model == _DEFAULT:
        names = _INSTEAD if config.images else _INSTEAD_SYNTHETIC
        lines += [f"--config {name:<5} {description(name)}." for name in names]
    return lines


def _origin(config: Config, source: str | None) -> str:
    if source is not None:
        return f"{'Preset ' if is_preset(source) else ''}{named(source)}: model"
    # From Python a configuration comes without its source.
    return "No preset: model" if config.trainer.model == _DEFAULT else "Model"


def _in_millions(number: int) -> str:
    return f"{number / 1e6:.1f} million" if number >= 50_000 else f"{number:,}"


def _time(found: Expected | None, images: int) -> str:
    if found is None:
        return "Expected: no estimate for these layers; each epoch will print its time."
    basis = f"as run {found.run}" if found.run else "as measured on two CPU cores"
    return f"Expected: about {_span(found.low, found.high)} ({count(images, 'image')}, {basis})."


def _span(low: float, high: float) -> str:
    shortest, longest = _rounded(low), _rounded(high)
    if shortest == longest:
        return " ".join(longest)
    if shortest[1] == longest[1]:
        return f"{shortest[0]} to {' '.join(longest)}"
    return f"{' '.join(shortest)} to {' '.join(longest)}"


def _rounded(seconds: float) -> tuple[str, str]:
    if seconds < 100:
        return f"{10 * round(seconds / 10)}", "seconds"
    if seconds < 5400:
        return f"{round(seconds / 60)}", "minutes"
    return f"{seconds / 3600:.1f}", "hours"
