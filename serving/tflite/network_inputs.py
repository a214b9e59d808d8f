"""Images as the model sees them."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from serving.model import Model
from serving.predict import files
from serving.progress import Progress
from serving.tflite.choice import Choice
from transform_module.errors import NothingValid


@dataclass(frozen=True)
class Images:
    """Images as the model sees them.

    Attributes:
        grey_levels: [N, 160, 160, 1] uint8.
        choice: the files that they are of, with their labels.
    """

    grey_levels: np.ndarray
    choice: Choice

    @property
    def labels(self) -> np.ndarray | None:
        """[N] int; None where the folder has no classes."""
        return None if self.choice.labels is None else np.array(self.choice.labels)

    @property
    def image_xf(self) -> np.ndarray:
        """[N, 160, 160, 1] float32 in [0, 1]."""
        return self.grey_levels.astype(np.float32) / np.float32(255)


def read(choice: Choice, model: Model, progress: Progress) -> Images:
    """Reads images by the model's own graph; leaves out what it cannot decode.

    Args:
        choice: the files.
        model: has the signature ``transform_features``.
        progress: gets the files done and their total.

    Raises:
        NothingValid: none can be decoded.
    """
    levels: list[np.ndarray] = []
    decoded: list[Path] = []
    done = 0
    for batch in files.batches((file, files.read_image(file)) for file in choice.files):
        named = [(file, content) for file, content in batch if isinstance(content, bytes)]
        if named:
            contents = [content for _, content in named]
            valid = np.array([each.valid for each in model.predict(contents)])
            levels.append(model.pixels(contents)[valid])
            decoded += [file for (file, _), good in zip(named, valid, strict=True) if good]
        done += len(batch)
        progress(done, len(choice.files))
    if not decoded:
        raise NothingValid(f"None of the {len(choice.files)} files of {choice.folder} is an image.")
    return Images(np.concatenate(levels), choice.only(decoded))
