"""A tiny compiled pipeline, whose tasks are scripts: `first` makes a model, `second` reads it."""

import json
from pathlib import Path
from typing import Any

from pipeline.cluster.rehearsal import compiled
from pipeline.cluster.rehearsal.rehearse import Rehearsal

PRELUDE = """
import json, os, pathlib, sys
given = json.loads(sys.argv[1])
inputs, outputs = given.get("inputs", {}), given["outputs"]
def finish(**artifacts):
    content = {"artifacts": {
        name: {"artifacts": [{"uri": outputs["artifacts"][name]["artifacts"][0]["uri"],
                              "metadata": metadata}]}
        for name, metadata in artifacts.items()}}
    pathlib.Path(outputs["outputFile"]).write_text(json.dumps(content))
"""
FIRST = "finish(model={'number': 42, 'said': inputs['parameterValues']['text']})"
SECOND = """
model, = inputs["artifacts"]["model"]["artifacts"]
finish(report={"number": model["metadata"]["number"], "name": model["name"],
               "type": model["type"]["instanceSchema"]})
"""
MODEL = {"artifactType": {"instanceSchema": "title: tfx.Model\ntype: object\n"}}


def pipeline(first: str = FIRST, second: str = SECOND, text: str = "hello") -> dict[str, Any]:
    def executor(script: str) -> dict[str, Any]:
        command = ["python", "-c", PRELUDE + script]
        return {"container": {"image": "image:1", "command": command, "args": ["{{$}}"]}}

    return {
        "pipelineInfo": {"name": "tiny"},
        "defaultPipelineRoot": "gs://bucket/runs",
        "schemaVersion": "2.1.0",
        "deploymentSpec": {"executors": {"e1": executor(first), "e2": executor(second)}},
        "components": {
            "first": {
                "executorLabel": "e1",
                "inputDefinitions": {"parameters": {"text": {"parameterType": "STRING"}}},
                "outputDefinitions": {"artifacts": {"model": MODEL}},
            },
            "second": {
                "executorLabel": "e2",
                "inputDefinitions": {"artifacts": {"model": MODEL}},
                "outputDefinitions": {"artifacts": {"report": MODEL}},
            },
        },
        "root": {
            "inputDefinitions": {
                "parameters": {"text": {"parameterType": "STRING", "defaultValue": text}}
            },
            "dag": {
                "tasks": {
                    "first": {
                        "componentRef": {"name": "first"},
                        "inputs": {"parameters": {"text": {"componentInputParameter": "text"}}},
                    },
                    "second": {
                        "componentRef": {"name": "second"},
                        "dependentTasks": ["first"],
                        "inputs": {
                            "artifacts": {
                                "model": {
                                    "taskOutputArtifact": {
                                        "producerTask": "first",
                                        "outputArtifactKey": "model",
                                    }
                                }
                            }
                        },
                    },
                }
            },
        },
    }


def rehearsal(folder: Path, content: dict[str, Any], source: Path, **options: Any) -> Rehearsal:
    file = folder / "pipeline.yaml"
    file.write_text(json.dumps(content))
    return Rehearsal(
        compiled.read(file),
        folder / "rehearsal",
        source,
        options.pop("places", {}),
        exact=True,
        **options,
    )
