"""From images to examples, where something changed."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

from pipeline.config.config import Config
from serving.images.dataset import Dataset
from serving.progress import Progress


def examples(
    config: Config,
    images: Path,
    out: Path,
    kept: Path | None,
    step: Callable[[str], AbstractContextManager[Progress]],
) -> Dataset:
    """Converts images, unless they are converted already.

    Args:
        config: what was chosen; without ``images`` synthetic ones are drawn.
        images: folder of the images.
        out: folder of the examples.
        kept: folder of the sets that were used before; None keeps none.
        step: is entered for each thing that is done, with its name.
    """
    # Imported here: images are drawn and converted before TFX is needed.
    from components.convert.convert import convert, converted
    from pipeline.run import former_datasets

    if not config.images:
        from components.synthetic.generate import generate

        with step("Draw synthetic images") as progress:
            generate(images, images=config.synthetic.images, seed=config.seed, progress=progress)
    with step("Look for changed images"):
        present = converted(images, out, settings=config.dataset, seed=config.seed)
        if present is None and kept is not None:
            present = former_datasets.restore(
                images, out, kept, settings=config.dataset, seed=config.seed
            )
    if present:
        return present
    if kept is not None:
        former_datasets.keep(out, kept)
    with step("Convert images") as progress:
        return convert(
            images,
            out,
            settings=config.dataset,
            seed=config.seed,
            beam_args=config.beam.options,
            progress=progress,
        )
