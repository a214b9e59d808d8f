"""One server under Docker Compose."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from serving.tensorflow_serving import model_server
from serving.tensorflow_serving.served_model import ServedModel
from serving.tensorflow_serving.settings import DeploymentSettings


def compose(
    model: ServedModel,
    settings: DeploymentSettings,
    *,
    contents: Mapping[str, str],
    model_path: Path,
    out: Path,
) -> dict[str, Any]:
    """Describes the server as a Compose file.

    Args:
        model: what is served.
        settings: of the deployment.
        contents: the configuration files that are in ``out``.
        model_path: the folder of the versions.
        out: where the file will be; its paths are relative to it.

    Returns:
        The file's content.
    """
    ssl_config_file = f"{model_server.CONFIGURATION}/{model_server.SSL_CONFIG}"
    resources = settings.resources
    service = {
        "image": settings.image_reference,
        "platform": "linux/amd64",
        # Not the image's script: under it, as under PID 1, the server never sees SIGTERM.
        "entrypoint": [model_server.COMMAND],
        "command": model_server.flags(settings, ssl_config_file),
        "init": True,
        "user": f"{settings.user_id}:{settings.user_id}",
        "read_only": True,
        "tmpfs": ["/tmp"],
        "cap_drop": ["ALL"],
        "security_opt": ["no-new-privileges:true"],
        # The server authenticates nobody: only this machine reaches it.
        "ports": [
            f"127.0.0.1:{port}:{port}" for port in (model_server.GRPC_PORT, model_server.REST_PORT)
        ],
        "volumes": [
            _mount(_relative(model_path, out), f"{model_server.MODELS}/{model.name}"),
            # The folder, because a file that is replaced stays the old one in a mount of its own.
            _mount(".", model_server.CONFIGURATION),
        ],
        "healthcheck": {
            "test": ["CMD", "bash", "-c", health_script(model)],
            "interval": "10s",
            "timeout": "5s",
            "retries": 3,
            "start_period": "120s",
        },
        "restart": "unless-stopped",
        # Only models.config is read again by a running server; `up` starts a new one for the rest.
        "labels": {"configuration.sha256": model_server.checksum(contents)},
        "deploy": {
            "resources": {
                "limits": {"cpus": str(resources.cpus), "memory": f"{resources.memory_mebibytes}m"},
                "reservations": {
                    "cpus": str(resources.cpus_requested),
                    "memory": f"{resources.memory_requested_mebibytes}m",
                },
            }
        },
    }
    return {"name": model.resource_name, "services": {"tensorflow-serving": service}}


def health_script(model: ServedModel) -> str:
    """Writes the Bash script that fails until the stable version is loaded.

    The image has no client for HTTP, but Bash opens connections itself.
    """
    request = f"GET {model_server.ready_path(model)} HTTP/1.0\\r\\nHost: localhost\\r\\n\\r\\n"
    return (
        f"exec 3<>/dev/tcp/127.0.0.1/{model_server.REST_PORT} && printf '{request}' >&3 && "
        "head -n 1 <&3 | grep -q ' 200 '"
    )


def _mount(source: str, target: str) -> dict[str, Any]:
    return {
        "type": "bind",
        "source": source,
        "target": target,
        "read_only": True,
        "bind": {"create_host_path": False},
    }


def _relative(path: Path, start: Path) -> str:
    relative = os.path.relpath(path.resolve(), start.resolve())
    # A dollar opens a variable in a Compose file.
    return (relative if relative.startswith("..") else f"./{relative}").replace("$", "$$")
