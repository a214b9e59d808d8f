"""What the manifests' tests share."""

import copy
from typing import Any

import jsonschema

from tests.serving.tensorflow_serving import kubernetes_schema


def of_kind(manifests: list[dict[str, Any]], kind: str) -> dict[str, Any]:
    (found,) = [manifest for manifest in manifests if manifest["kind"] == kind]
    return found


def changed(document: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    """Copies a document, with another value at a path such as ``spec.ports.0.name``."""
    document = copy.deepcopy(document)
    *parents, last = [int(part) if part.isdecimal() else part for part in path.split(".")]
    place: Any = document
    for part in parents:
        place = place[part]
    place[last] = value
    return document


def kubernetes_problem(manifest: dict[str, Any]) -> str | None:
    """Says where a manifest breaks Kubernetes's own schema, unknown fields included."""
    return schema_problem(kubernetes_schema.of(manifest), manifest)


def schema_problem(schema: dict[str, Any], document: dict[str, Any]) -> str | None:
    """Says where a document breaks a JSON schema."""
    try:
        jsonschema.Draft202012Validator(schema).validate(document)
    except jsonschema.ValidationError as error:
        return f"{'.'.join(map(str, error.absolute_path))}: {error.message}"
    return None
