"""Writes everything that runs TensorFlow Serving on a pushed model."""

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import yaml

from serving.tensorflow_serving import kserve, kubernetes, kubernetes_pod, model_server
from serving.tensorflow_serving.compose import compose
from serving.tensorflow_serving.served_model import ServedModel, find
from serving.tensorflow_serving.settings import DeploymentSettings, Verification
from serving.versions.signature import from_file

COMPOSE: Final = "compose.yaml"
KUBERNETES: Final = "kubernetes.yaml"
KUBERNETES_LOADER: Final = "kubernetes-loader.yaml"
KSERVE: Final = "kserve.yaml"


def write(model: Path, out: Path, *, settings: DeploymentSettings | None = None) -> list[Path]:
    """Writes the configuration of TensorFlow Serving and the files of the places it runs in.

    A file that is there is replaced whole, so that a server that reads it again never reads
    half of it.

    Args:
        model: the folder of the versions, ``{push_dir}/{model_name}``.
        out: where the files are written; it is made where it is missing.
        settings: the defaults if None.

    Returns:
        The files.

    Raises:
        UserError: there is no such model, or a file that the settings name cannot be used.
    """
    settings = settings or DeploymentSettings()
    contents = _contents(find(model, settings), settings, model_path=model, out=out)
    out.mkdir(parents=True, exist_ok=True)
    return [_replace(out / name, content) for name, content in contents.items()]


def _contents(
    served: ServedModel, settings: DeploymentSettings, *, model_path: Path, out: Path
) -> dict[str, str]:
    configuration = model_server.files(served, settings)
    secret = (
        {model_server.SSL_CONFIG: model_server.ssl_config(settings.ssl)} if settings.ssl else {}
    )
    key = {kubernetes_pod.KEY_FILE: _key(settings.verification)} if settings.verification else {}
    composed = compose(
        served, settings, contents={**configuration, **secret}, model_path=model_path, out=out
    )
    return {
        **configuration,
        **secret,
        COMPOSE: _dump([composed]),
        KUBERNETES: _dump(
            kubernetes.resources(served, settings, contents={**configuration, **key})
        ),
        KUBERNETES_LOADER: _dump(kubernetes.loader(served, settings)),
        KSERVE: _dump(kserve.resources(served, settings, contents=configuration)),
    }


def _key(verification: Verification) -> str:
    from_file(verification.key, "verification.key")
    return verification.key.read_text(encoding="utf-8")


class _Dumper(yaml.SafeDumper):
    """Writes text of several lines as it reads, and no aliases."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _represent_text)


def _dump(documents: Sequence[dict[str, Any]]) -> str:
    return yaml.dump_all(documents, Dumper=_Dumper, sort_keys=False, width=100)


def _replace(path: Path, content: str) -> Path:
    # A file for this user alone, because ssl.config holds a private key.
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(content)
        if path.name != model_server.SSL_CONFIG:
            Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink()
        raise
    return path
