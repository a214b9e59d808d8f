"""Records of runs and of a dataset, made for tests."""

import json
from typing import Any

from components.evaluator.evaluation import OVERALL, Evaluation, Metrics, evaluation_json
from pipeline.run_records.run_record import ComponentRecord, PushRecord, RunRecord
from serving.images.dataset import Dataset, FolderCount, SplitCount

METRICS = Metrics(
    examples=1234,
    auc=0.98765,
    accuracy=0.9,
    sensitivity=0.95,
    specificity=0.85,
    true_positives=700,
    false_negatives=34,
    true_negatives=450,
    false_positives=50,
)

DATASET = Dataset(
    fingerprint="f" * 64,
    source_fingerprint="0" * 64,
    seed=7,
    shards=2,
    folders=(
        FolderCount(
            folder="train",
            label="NORMAL",
            read=1341,
            train=1072,
            eval=260,
            test=0,
            quarantined=5,
            skipped=1,
            dropped=3,
        ),
    ),
    splits=(
        SplitCount(split="eval", label="NORMAL", subtype="normal", images=260, patients=240),
        SplitCount(split="train", label="NORMAL", subtype="normal", images=1072, patients=1000),
    ),
    quarantine_reasons={"truncated JPEG": 5},
    dropped_patients=("p1", "p2"),
    versions={},
)


def component(name: str = "Trainer", **changes: Any) -> ComponentRecord:
    return ComponentRecord(
        **{"name": name, "state": "finished", "seconds": 12.34, "peak_memory": 10**9, **changes}
    )


def evaluation(**changes: Any) -> dict[str, Any]:
    """What stands in evaluation.json."""
    outcome = {"threshold": 0.5, "blessed": True, "slices": {OVERALL: METRICS}, **changes}
    return json.loads(evaluation_json(Evaluation(**outcome)))


def run(identity: str = "20260301-120000", **changes: Any) -> RunRecord:
    """A run that went well and pushed its model."""
    components = [
        component("ImportExampleGen", state="cached", outputs={"examples": ["/r/examples/1"]}),
        component("Trainer", why="first time", outputs={"model": ["/r/model/5"]}),
    ]
    return RunRecord(
        **{
            "id": identity,
            "state": "finished",
            "pid": 1,
            "started": "2026-03-01T12:00:00",
            "seconds": 83.2,
            "orchestrator": "local",
            "images": "/images",
            "dataset_fingerprint": "f" * 64,
            "config": {"name": "chest-xray"},
            "components": components,
            "evaluation": evaluation(),
            "push": PushRecord(pushed=True, version="1772366400", path="/r/pushed/cxr/1772366400"),
            "log": "/r/logs/x.log",
            **changes,
        }
    )
