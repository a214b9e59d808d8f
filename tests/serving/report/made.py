"""Findings and a context made up for tests, with everything that they can hold."""

import hashlib
import io
import math
from typing import Any

import numpy as np
from PIL import Image

from serving.analysis.findings import (
    Comparison,
    Confusion,
    Corruption,
    Curve,
    Domain,
    Drift,
    Estimate,
    Findings,
    Group,
    Miss,
    Probe,
    ReliabilityBin,
    Shift,
    Triage,
)
from serving.images.dataset import Dataset, SplitCount
from serving.report.context import Context, Quarantined, Serving, ShownImage, Source, Step, Verdict
from tests.pipeline.records import DATASET
from transform_module.contract import SPLITS
from transform_module.images.shifts import SHIFTS


def around(value: float, width: float) -> Estimate:
    return Estimate(value, max(0.0, value - width), min(1.0, value + width / 2))


def group(name: str, images: int, positives: int, **changes: Any) -> Group:
    figures = {
        "auc": around(0.945, 0.04),
        "pr_auc": around(0.972, 0.03),
        "accuracy": around(0.839, 0.06),
        "sensitivity": around(0.945, 0.05),
        "specificity": around(0.654, 0.13),
        "ece": around(0.056, 0.02),
        "brier": around(0.103, 0.02),
    }
    return Group(name, images, images // 3, positives, **{**figures, **changes})


RECORD: dict[str, Any] = {
    "labels": ["NORMAL", "PNEUMONIA"],
    "threshold": 0.234,
    "settings": {
        "model": "cnn",
        "monitor": "val_auc",
        "batch_size": 8,
        "learning_rate": 0.001,
        "calibration": "platt",
        "operating_point": {"target": "sensitivity", "sensitivity": 0.95},
    },
    "seed": 7,
    "dataset_fingerprint": "982db8c10430faf7aeb5a955f013b5bc0c8c801b0e85517d12d960831640bc41",
    "code_version": "6bcb1ec4281f9ce9",
    "operating_point": {"eval_sensitivity": 0.962, "eval_specificity": 0.628},
    "triage": {
        "normal_up_to": 0.41,
        "pneumonia_from": 0.12,
        "notes": ["triage never says NORMAL: too few patients"],
        "missed_pneumonia": 0.02,
        "false_alarms": 0.05,
    },
    "training": {
        "train_pictures": 336,
        "eval_pictures": 122,
        "parameters": 1666273,
        "epochs": 17,
        "best_epoch": 12,
        "val_auc": 0.9519,
    },
    "versions": {"tensorflow": "2.21.0", "keras": "3.15.1"},
}


def findings(**changes: Any) -> Findings:
    """Everything that an evaluation can find."""
    x = [index / 40 for index in range(41)]
    roc = [value**0.2 for value in x]
    precision = [1 - 0.3 * value**6 for value in x]
    one_class = {"auc": Estimate(), "pr_auc": Estimate()}
    content: dict[str, Any] = {
        "model": "chest_xray/17",
        "record": RECORD,
        "data": "the split test",
        "threshold": 0.234,
        "images": 145,
        "invalid": 2,
        "overall": group("all", 143, 91),
        "slices": {
            "subtype": [
                group("bacteria", 54, 54, specificity=Estimate(), **one_class),
                group("virus", 37, 37, specificity=Estimate(), **one_class),
                group("normal", 52, 0, sensitivity=Estimate(), **one_class),
            ],
            "brightness": [
                group("dark", 48, 30, auc=around(0.91, 0.08)),
                group("middle", 48, 31, auc=around(0.96, 0.04)),
                group("bright", 47, 30, auc=around(0.93, 0.06)),
            ],
        },
        "roc": Curve(x, roc, [max(0, y - 0.06) for y in roc], [min(1, y + 0.04) for y in roc]),
        "precision_recall": Curve(
            x, precision, [y - 0.05 for y in precision], [min(1, y + 0.02) for y in precision]
        ),
        "reliability": [
            ReliabilityBin(
                index / 10,
                (index + 1) / 10,
                0 if index == 4 else 4 + 3 * abs(5 - index),
                None if index == 4 else (index + 0.5) / 10,
                Estimate() if index == 4 else around(min(1, (index + 0.8) / 10.5), 0.1),
            )
            for index in range(10)
        ],
        "confusion": Confusion(86, 18, 34, 5),
        "misses": [
            Miss(
                f"test/NORMAL/IM-00{index:02d}-0001.jpeg",
                "NORMAL",
                "normal",
                0.99 - index / 50,
                sha256=hashlib.sha256(bytes([index])).hexdigest(),
                in_domain=index != 3,
                width=1024 + index,
                height=768,
                bytes=30_000,
                brightness=120.5,
                contrast=55.04 + index,
                sharpness=12.31,
            )
            for index in range(9)
        ]
        + [Miss("test/PNEUMONIA/person7_virus_3.jpeg", "PNEUMONIA", "virus", 0.03)],
        "corruptions": [
            Corruption(kind, 100, auc, 0.945 - auc, 0.9, 0.6, 0.05 + strength / 50, strength)
            for number, kind in enumerate(
                ("gaussian_noise", "gaussian_blur", "pixelate", "contrast_up")
            )
            for strength in range(1, 6)
            for auc in [0.945 - 0.012 * strength * number]
        ],
        "shifts": [
            Shift(kind, 100, 0.94 - 0.01 * number, 0.005 + 0.01 * number, 0.9, 0.6, 0.07)
            for number, kind in enumerate(SHIFTS)
        ],
        "probes": [
            Probe("file size", 0.83, Estimate(0.21, -0.02, 0.41), Estimate(-0.05, -0.2, 0.1)),
            Probe("width", 0.5, Estimate(), Estimate()),
        ],
        "domain": Domain(143, 2, around(0.014, 0.01)),
        "triage": Triage(
            143, 20, around(0.86, 0.04), around(0.97, 0.02), around(0.011, 0.01), Estimate(0.0)
        ),
        "drift": [Drift("brightness", 0.012, 0.48, 0.47, 0.01), Drift("contrast", 0.31, 0.2, 0.26)],
        "comparison": Comparison(
            "chest_xray/16",
            Estimate(0.012, -0.004, 0.028),
            0.14,
            {"sensitivity": Estimate(0.02, -0.01, 0.05), "ece": Estimate(-0.01, -0.02, 0.004)},
        ),
    }
    return Findings(**{**content, **changes})


def dataset() -> Dataset:
    """Images of every split and subtype."""
    subtypes = (("NORMAL", "normal"), ("PNEUMONIA", "bacteria"), ("PNEUMONIA", "virus"))
    return DATASET.model_copy(
        update={
            "splits": tuple(
                SplitCount(split=split, label=label, subtype=subtype, images=52, patients=18)
                for split in SPLITS
                for label, subtype in subtypes
            )
        }
    )


def xray(seed: int, *, overlay: bool = True) -> ShownImage:
    """A grey gradient, and the same in colour."""
    side = np.linspace(0, 255, 32)
    grey = Image.fromarray(np.add.outer(side, side * math.sin(seed)).astype(np.uint8))
    return ShownImage(thumbnail=_jpeg(grey), overlay=_jpeg(grey.convert("RGB")) if overlay else b"")


def _jpeg(image: Image.Image) -> bytes:
    content = io.BytesIO()
    image.save(content, "JPEG")
    return content.getvalue()


def context(**changes: Any) -> Context:
    """Everything that a run can report."""
    paths = [miss.path for miss in findings().misses]
    content: dict[str, Any] = {
        "run": "20260301-120000",
        "verdict": Verdict(
            blessed=True, notes=("Compared with the pushed version 16.",), pushed="17"
        ),
        "source": Source(
            name="Synthetic chest X-rays",
            description="Drawn by the built-in generator; they show nobody.",
            licence="MIT",
        ),
        "dataset": dataset(),
        "quarantine": (
            Quarantined(path="train/NORMAL/IM-0000-0001.jpeg", reason="empty file", bytes=0),
            Quarantined(path="test/PNEUMONIA/p.jpeg", reason="truncated JPEG", bytes=33028),
        ),
        "histories": (
            tuple(
                {
                    "loss": 0.9 * 0.95**epoch,
                    "auc": 1 - 0.45 * 0.9**epoch,
                    "val_loss": 0.8 * 0.94**epoch + 0.05 * math.sin(epoch),
                    "val_auc": 1 - 0.48 * 0.88**epoch,
                }
                for epoch in range(17)
            ),
        ),
        "images": {path: xray(seed) for seed, path in enumerate(paths)},
        "filenames": True,
        "serving": Serving(images=128, latency_ms=8.1, memory_gib=0.79, load_seconds=2.9),
        "configuration": {"name": "demo", "seed": 7, "trainer": {"epochs": 25, "cnn": {}}},
        "versions": {"python": "3.11.2", "tfx": "1.21.0"},
        "steps": (
            Step(name="Convert images", seconds=6.4, peak_gigabytes=0.9),
            Step(name="Trainer", seconds=29.7, peak_gigabytes=1.2, state="finished"),
            Step(name="Transform", seconds=0.0, peak_gigabytes=1.2, state="cached"),
        ),
    }
    return Context(**{**content, **changes})
