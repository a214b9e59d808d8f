"""Both compiled files, short enough to be read in a review; of Vertex AI's what differs.

python -m tests.pipeline.runners.snapshots

writes them anew after a change that is meant; what changed then shows in the diff.
"""

import difflib
import json
import re
from pathlib import Path
from typing import Any

import yaml

FOLDER = Path(__file__).parent / "snapshots"
_INPUTS = "--json_serialized_inputs_spec_args"  # is the component's inputDefinitions
_HASH = re.compile(r"\b[0-9a-f]{12,64}\b")


def made() -> dict[str, str]:
    """Compiles the default configuration; returns the text of each file by its name."""
    from pipeline.runners import kubeflow, specification, vertex
    from tests.pipeline.cluster_configuration import configured

    job = specification.specify(configured())
    kubeflows = yaml.safe_load(kubeflow.render(job, configured().cluster))
    vertexs = json.loads(vertex.render(job))
    first, second = short(kubeflows), short(vertexs.pop("pipelineSpec"))
    changes = difflib.unified_diff(
        first.splitlines(), second.splitlines(), "kubeflow", "vertex", n=1, lineterm=""
    )
    return {
        "kubeflow.yaml": first,
        "vertex.diff": short(vertexs) + "\n".join(["", *changes, ""]),
    }


def short(content: Any) -> str:
    """Writes a specification without its types' schemas and without the code's hashes."""
    return yaml.safe_dump(_shortened(content), width=100, default_flow_style=None)


def _shortened(value: Any) -> Any:
    match value:
        case {"artifactType": {"instanceSchema": schema}, **others} if not others:
            return yaml.safe_load(schema)["title"]
        case {"parameterType": kind, **others} if not others:
            return kind
        case {"componentInputParameter": name}:
            return f"parameter {name}"
        case {"taskOutputArtifact": {"producerTask": task, "outputArtifactKey": key}}:
            return f"{task}.{key}"
        case {"runtimeValue": {"constant": constant}}:
            return _shortened(constant)
        case dict():
            return {key: _shortened(each) for key, each in value.items()}
        case [*words] if _INPUTS in words:
            return [_shortened(each) for each in words[: words.index(_INPUTS)]]
        case list():
            return [_shortened(each) for each in value]
        case str() if value.startswith(("{", "[")) and not value.startswith("{{"):
            return _shortened(json.loads(value))
        case str():
            return _HASH.sub("HASH", value)
    return value


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for name, text in made().items():
        (FOLDER / name).write_text(text, encoding="utf-8")
