"""The model that is served: its name and which of its versions have which label."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from serving.tensorflow_serving.settings import DeploymentSettings
from serving.versions import pushed
from transform_module.errors import UserError

STABLE: Final = "stable"
CANARY: Final = "canary"

_NAME: Final = re.compile(r"[A-Za-z]([-_A-Za-z0-9]{0,48}[A-Za-z0-9])?")


@dataclass(frozen=True)
class ServedModel:
    """A model and its labelled versions.

    Attributes:
        name: what requests call it.
        labels: version by label; these versions and no others are served. Without labels the
            latest version is, and a push or a rollback is followed at once.
    """

    name: str
    labels: dict[str, int]

    @property
    def resource_name(self) -> str:
        """The name as a DNS label, which is what Kubernetes and compose take."""
        return self.name.lower().replace("_", "-")


def find(model: Path, settings: DeploymentSettings) -> ServedModel:
    """Finds the versions that are to be served.

    Args:
        model: the folder of the versions, ``{push_dir}/{model_name}``.
        settings: which versions; the latest is followed where they name none, and is stable where
            they name a canary alone.

    Returns:
        The model.

    Raises:
        UserError: it has no versions or not those, or its name serves for no address.
    """
    folder = model.resolve()
    if (folder / pushed.SAVED_MODEL).is_file():
        raise UserError(
            f"{model} is one version. Give the folder of all versions, {folder.parent}."
        )
    if not _NAME.fullmatch(folder.name):
        raise UserError(
            f"The model's name, {folder.name}, serves for no address: letters, digits, - and _, "
            "at most 50, a letter first, no - or _ last."
        )
    versions = pushed.versions(folder.parent, folder.name) if folder.is_dir() else []
    numbers = [
        version.version for version in versions if (version.path / pushed.SAVED_MODEL).is_file()
    ]
    if not numbers:
        raise UserError(f"There is no version in {model}. Push a model first: cxr run --help.")
    if settings.stable is None and settings.canary is None:
        return ServedModel(folder.name, {})
    labels = {STABLE: settings.stable if settings.stable is not None else numbers[-1]}
    if settings.canary is not None:
        labels[CANARY] = settings.canary
    for label, version in labels.items():
        if version not in numbers:
            raise UserError(
                f"{label}: there is no version {version} in {model}. "
                f"There are {', '.join(map(str, numbers))}."
            )
    if len(set(labels.values())) < len(labels):
        raise UserError(
            f"canary: is the stable version, {settings.canary}, too; name another as stable."
        )
    return ServedModel(folder.name, labels)
