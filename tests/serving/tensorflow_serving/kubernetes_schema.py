"""The JSON schema of what Kubernetes takes, made of the models in its own client for Python.

Stricter than a cluster, as `kubectl --validate=strict`: a field that no model has is refused.
"""

import re
from functools import cache
from typing import Any

from kubernetes import client

Schema = dict[str, Any]

_SCALARS: dict[str, Schema] = {
    "bool": {"type": "boolean"},
    "datetime": {"type": "string"},
    "float": {"type": "number"},
    "int": {"type": "integer"},
    "object": {},  # a number or a text, such as a port
    "str": {"type": "string"},
}


@cache
def definitions() -> dict[str, Schema]:
    """The schema of each model by its name, such as ``V1Container``."""
    return {
        name: _schema(model)
        for name, model in vars(client).items()
        if hasattr(model, "openapi_types")
    }


def of(manifest: dict[str, Any]) -> Schema:
    """The schema of a manifest, by its version and kind: their group is in no model's name."""
    version = manifest["apiVersion"].rpartition("/")[-1]
    name = f"{version[0].upper()}{version[1:]}{manifest['kind']}"
    return {"$defs": definitions(), "$ref": f"#/$defs/{name}"}


def _schema(model: type) -> Schema:
    blank = model.__new__(model)
    blank.local_vars_configuration = client.Configuration()
    return {
        "type": "object",
        "properties": {
            model.attribute_map[attribute]: _type(text)
            for attribute, text in model.openapi_types.items()
        },
        "required": [
            model.attribute_map[attribute]
            for attribute in model.openapi_types
            if _is_required(blank, attribute)
        ],
        "additionalProperties": False,
    }


def _is_required(blank: Any, attribute: str) -> bool:
    try:
        setattr(blank, attribute, None)
    except ValueError:
        return True
    return False


def _type(text: str) -> Schema:
    if match := re.fullmatch(r"list\[(.+)\]", text):
        return {"type": "array", "items": _type(match[1])}
    if match := re.fullmatch(r"dict\(str, (.+)\)", text):
        return {"type": "object", "additionalProperties": _type(match[1])}
    return _SCALARS.get(text, {"$ref": f"#/$defs/{text}"})
