"""A run's artifacts, with a small model, for tests of the report."""

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
from tfx.types import standard_artifacts

from components.evaluator.evaluation import (
    EVALUATION,
    OVERALL,
    Evaluation,
    Metrics,
    evaluation_json,
)
from components.serving_check.settings import REPORT
from components.serving_check.trial import Trial
from serving.analysis.predicted import PredictedImage
from serving.report.reading import HISTORY
from serving.report.settings import ReportSettings
from tests.components import predicted, tiny
from tests.images import encode
from tests.serving import saved
from transform_module import contract
from transform_module.files import sums

GREYS = (20, 60, 150, 40, 90, 100, 240, 200, 140, 110)
"""Grey value of each image, of which the latter half is PNEUMONIA; the threshold is 127.5."""


def rows() -> list[dict]:
    """Examples of both classes; two are predicted wrong."""
    return [
        tiny.example(
            int(index >= len(GREYS) / 2),
            0.5,
            **{
                contract.IMAGE: encode(np.full((60, 50), grey, np.uint8), "png-grey"),
                contract.FILENAME: f"test/{index}.png",
                contract.PATIENT_ID: f"p{index // 2}",
                contract.SUBTYPE: "virus" if index >= len(GREYS) / 2 else "normal",
            },
        )
        for index, grey in enumerate(GREYS)
    ]


def predictions(with_baseline: bool) -> list[PredictedImage]:
    """What the small model, which is the pushed one too, says of the examples."""
    return [
        predicted.image(
            row[contract.FILENAME],
            grey / 255,
            label=bool(row[contract.LABEL]),
            patient=row[contract.PATIENT_ID],
            subtype=row[contract.SUBTYPE],
            in_domain=True,
            triage="PNEUMONIA" if grey > 127 else "REVIEW",
            other_probability=grey / 255 if with_baseline else None,
            other_valid=True if with_baseline else None,
        )
        for row, grey in zip(rows(), GREYS, strict=True)
    ]


def inputs(folder: Path, *, with_baseline: bool = False, blessed: bool = True) -> dict:
    """What the component reads."""
    examples = folder / "examples"
    tiny.write_split(examples, contract.TEST, rows())
    saved.save_explaining(folder / "model" / "Format-Serving")
    sums.record(folder / "model" / "Format-Serving")
    model = standard_artifacts.Model()
    model.uri = str(folder / "model")
    model_run = standard_artifacts.ModelRun()
    model_run.uri = str(folder / "run")
    (folder / "run").mkdir()
    (folder / "run" / HISTORY).write_text("epoch,loss,val_loss\n1,0.9,0.8\n2,0.5,nan\n")
    evaluation = standard_artifacts.ModelEvaluation()
    evaluation.uri = str(folder / "evaluation")
    (folder / "evaluation").mkdir()
    outcome = Evaluation(
        threshold=0.5,
        blessed=blessed,
        reasons=[] if blessed else ["AUC 0.5 is below the floor 0.85"],
        slices={OVERALL: Metrics()},
    )
    (folder / "evaluation" / EVALUATION).write_text(evaluation_json(outcome))
    of = {"baseline_version": "16", "baseline_threshold": 0.5} if with_baseline else {}
    predicted.write(evaluation, model, predictions(with_baseline), **of)
    infra = standard_artifacts.InfraBlessing()
    infra.uri = str(folder / "infra")
    infra.set_int_custom_property("blessed", 1)
    (folder / "infra").mkdir()
    trial = Trial(reasons=[], images=10, load_seconds=1.5, latency_ms=8.0, memory_gib=0.5)
    (folder / "infra" / REPORT).write_text(json.dumps(asdict(trial)))
    return {
        "examples": tiny.examples_artifact(examples, [contract.TEST]),
        "model": model,
        "model_run": model_run,
        "evaluation": evaluation,
        "infra_blessing": infra,
    }


def properties(dataset: Path, *, page: bool = True, **settings) -> dict:
    """The parameters of the component."""
    return {
        "settings": ReportSettings(**{"corruptions": 4, **settings}).model_dump_json(),
        "model_name": "chest_xray",
        "dataset": str(dataset),
        "source": "synthetic",
        "page": int(page),
    }
