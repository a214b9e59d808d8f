"""Reads TensorFlow Serving's model configuration."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from google.protobuf import text_format

from serving.versions.pushed import SAVED_MODEL, version_number, versions
from transform_module.errors import UserError


@dataclass(frozen=True)
class ModelConfig:
    """One model.

    Attributes:
        name: what requests call it.
        base_path: the folder of its versions.
        latest: how many of the latest versions are served, unless others are named.
        specific: the versions that are served, or none to follow the latest.
        every: whether all versions are served.
        labels: versions by label.
    """

    name: str
    base_path: Path
    latest: int = 1
    specific: tuple[int, ...] = ()
    every: bool = False
    labels: Mapping[str, int] = field(default_factory=dict)

    @property
    def follows(self) -> bool:
        """Whether the latest versions are served, rather than named ones or all."""
        return not self.every and not self.specific

    def wanted(self, present: Sequence[int]) -> set[int]:
        """Chooses among the versions that are there.

        Args:
            present: ascending.
        """
        if self.every:
            return set(present)
        if self.specific:
            return set(self.specific)
        return set(present[-self.latest :])


def of_folder(path: Path) -> ModelConfig:
    """Serves what is in a folder.

    Args:
        path: the folder of the versions, whose latest is followed, or of one version, which alone
            is served.

    Raises:
        UserError: there is no version.
    """
    folder = path.resolve()
    if (folder / SAVED_MODEL).is_file():
        number = version_number(folder.name)
        if number is None:
            raise UserError(
                f"{path}: the name of a version's folder is its number, from 1 to 2^63 - 1. Copy "
                "it to NAME/NUMBER, as its manifest.json has them, and serve that."
            )
        return ModelConfig(folder.parent.name, folder.parent, specific=(number,))
    if not (folder.is_dir() and versions(folder.parent, folder.name)):
        raise UserError(
            f"No model at {path}. Give the folder of a model's versions, such as "
            "cxr-root/pushed/chest_xray, or of one version."
        )
    return ModelConfig(folder.name, folder)


def parse(text: str) -> list[ModelConfig]:
    """Reads the text of a file of ``--model_config_file``.

    Raises:
        UserError: it is not such a message, or names what this server cannot serve.
    """
    from tensorflow_serving.config import model_server_config_pb2

    try:
        message = text_format.Parse(text, model_server_config_pb2.ModelServerConfig())
    except text_format.ParseError as error:
        raise UserError(f"No ModelServerConfig text proto, line:column {error}") from error
    return from_proto(message)


def from_proto(message: Any) -> list[ModelConfig]:
    """Reads a ``tensorflow.serving.ModelServerConfig``.

    Raises:
        UserError: it names what this server cannot serve.
    """
    if message.WhichOneof("config") != "model_config_list":
        raise UserError("model_config_list: is missing; it lists the models.")
    models = [_model(each) for each in message.model_config_list.config]
    names = [model.name for model in models]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise UserError(f"name: {twice[0]} is given twice; each model needs a unique name.")
    return models


def _model(message: Any) -> ModelConfig:
    if not message.name:
        raise UserError("name: is missing in a model of model_config_list.")
    where = f"model {message.name}: "
    if not message.base_path:
        raise UserError(f"{where}base_path: is missing; it is the folder of the versions.")
    if message.model_platform not in ("", "tensorflow"):
        raise UserError(f"{where}model_platform: must be tensorflow, is {message.model_platform}.")
    if message.HasField("logging_config"):
        raise UserError(f"{where}logging_config: this server logs no requests; remove it.")
    policy = message.model_version_policy
    choice = policy.WhichOneof("policy_choice")
    if choice == "specific" and not policy.specific.versions:
        raise UserError(f"{where}specific: names no version.")
    return ModelConfig(
        name=message.name,
        base_path=Path(message.base_path),
        latest=max(policy.latest.num_versions, 1),
        specific=tuple(policy.specific.versions) if choice == "specific" else (),
        every=choice == "all",
        labels=dict(message.version_labels),
    )
