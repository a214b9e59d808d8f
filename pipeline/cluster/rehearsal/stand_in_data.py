"""The images that a rehearsal trains on, and where its places are on this machine."""

from dataclasses import replace
from pathlib import Path

from pipeline.cli.output.display import Display
from pipeline.cluster.rehearsal.compiled import Compiled
from pipeline.cluster.rehearsal.places import holds
from pipeline.component_ids import PUSHER
from pipeline.config.config import Config
from pipeline.run.examples import examples
from serving.images.dataset import Dataset
from transform_module.errors import UserError

_EXAMPLES = "examples"
_FINGERPRINT = "dataset_fingerprint"
_PUSHED = "push_dir"


def made_local(
    compiled: Compiled,
    folder: Path,
    places: dict[str, str],
    images: Path | None,
    display: Display,
) -> tuple[Compiled, dict[str, str]]:
    """Provides data for a compiled pipeline, unless a local folder is mapped to its own.

    Args:
        compiled: the pipeline.
        folder: for the images and the examples.
        places: local folders by the remote place that they stand for.
        images: folder of images; synthetic ones if None.
        display: shows what happens.

    Returns:
        The pipeline with the data's fingerprint, and the places with those of its root and data.

    Raises:
        UserError: the pipeline has no parameter for its data.
    """
    if _EXAMPLES not in compiled.parameters:
        raise UserError(
            f"The pipeline has no parameter {_EXAMPLES}: its data cannot be chosen. Make the file "
            "with `cxr compile`."
        )
    address = str(compiled.parameters[_EXAMPLES])
    here = holds(places, address) and not images
    places = {**places}
    if compiled.root and not holds(places, compiled.root):
        places[compiled.root] = str(folder / "root")
    pushed = str(compiled.parameters.get(_PUSHED, ""))
    if pushed.startswith("/") and not holds(places, pushed):  # on a volume of the cluster
        places[pushed] = str(folder / "root" / "pushed")
    if here:
        return compiled, places
    dataset = _convert(compiled, folder, images, display)
    places[address] = str(folder / "dataset")
    given = {_FINGERPRINT: dataset.fingerprint}
    return replace(compiled, parameters={**compiled.parameters, **given}), places


def _convert(compiled: Compiled, folder: Path, images: Path | None, display: Display) -> Dataset:
    config = Config.model_validate_json(compiled.value(PUSHER, "configuration"))
    chosen = config.model_copy(update={"images": str(images) if images else None})
    return examples(chosen, images or folder / "images", folder / "dataset", None, display.step)
