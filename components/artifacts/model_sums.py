"""The digest of a model: what the training wrote, and what a blessing was given to."""

import os
from pathlib import Path
from typing import Final

import tensorflow as tf
from tfx import types
from tfx.utils import path_utils

from transform_module.errors import UserError
from transform_module.files.sums import SUMS, differences, digest, from_json, sums, to_json

DIGEST: Final = "digest"
"""Custom property of a blessing: the digest of the model that it was given to.

The sums of the model's files are in the blessing's folder, in `SUMS`.
"""


def trained(model: types.Artifact) -> dict[str, str]:
    """Reads what the training wrote.

    Args:
        model: what Trainer made, local or not.

    Returns:
        SHA-256 by the file's path within the SavedModel.

    Raises:
        UserError: that was not recorded, or the record is damaged.
    """
    path = os.path.join(model.uri, SUMS)
    try:
        with tf.io.gfile.GFile(path, "rb") as file:
            return from_json(file.read())
    except (tf.errors.NotFoundError, ValueError) as error:
        raise UserError(
            f"{path} is missing or damaged, so that nobody knows whether the model is as it was "
            f"trained. Remove {model.uri} and run again: the model is then trained anew."
        ) from error


def examine(model: types.Artifact) -> dict[str, str]:
    """Checks that a model is what the training wrote.

    Args:
        model: what Trainer made, in a local folder.

    Returns:
        SHA-256 by the file's path within the SavedModel.

    Raises:
        UserError: a file differs, or what the training wrote was not recorded.
    """
    path = Path(path_utils.serving_model_path(model.uri))
    recorded, found = trained(model), sums(path)
    if problems := differences(recorded, found):
        more = f" (and {len(problems) - 1} more files)" if len(problems) > 1 else ""
        raise UserError(
            f"{path}/{problems[0]}{more}. The model is damaged since it was trained. Remove "
            f"{model.uri} and run again: the model is then trained anew."
        )
    return found


def record(blessing: types.Artifact, files: dict[str, str]) -> None:
    """Records in a blessing which model it is given to, or refused.

    Args:
        blessing: gets the property `DIGEST` and the file `SUMS`.
        files: as `examine` returns them.
    """
    tf.io.gfile.makedirs(blessing.uri)
    with tf.io.gfile.GFile(os.path.join(blessing.uri, SUMS), "w") as file:
        file.write(to_json(files))
    blessing.set_string_custom_property(DIGEST, digest(files))


def blessed(blessing: types.Artifact) -> dict[str, str]:
    """Reads which model a blessing was given to.

    Returns:
        SHA-256 by the file's path within the SavedModel.

    Raises:
        UserError: it is not known.
    """
    path = os.path.join(blessing.uri, SUMS)
    try:
        with tf.io.gfile.GFile(path, "rb") as file:
            files = from_json(file.read())
    except (tf.errors.NotFoundError, ValueError) as error:
        raise _unknown(path, blessing) from error
    if digest(files) != blessing.get_string_custom_property(DIGEST):
        raise _unknown(path, blessing)
    return files


def _unknown(path: str, blessing: types.Artifact) -> UserError:
    return UserError(
        f"{path} is missing or damaged, so that nobody knows which model was examined. Remove "
        f"{blessing.uri} and run again: the model is then examined anew."
    )
