from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest

from pipeline.cli.output.evaluate_tables import print_evaluated
from serving.analysis.bootstrap import Bootstrap
from serving.analysis.compute import Other, findings, shift
from serving.analysis.corruptions import KINDS, STRENGTHS
from serving.analysis.findings import Corruption, Drift
from serving.evaluate.job import Evaluated
from tests.pipeline.printed import cells, tables
from tests.serving.analysis.samples import clustered
from transform_module.images.shifts import SHIFTS

OUT = Path("/out")
REFUSED = [(f"[{number}].png", "text file") for number in range(7)]


@pytest.fixture(scope="module")
def images():
    return clustered(np.random.default_rng(0), patients=60)[0]


def evaluated(images, refused=(), **options):
    def changed(kind):
        return shift(kind, images.label, images.probability, images.probability, 0.5)

    corrupted = [
        Corruption(**asdict(changed(kind)), strength=each) for kind in KINDS for each in STRENGTHS
    ]
    given = {"model": "chest_xray/1795785664", "record": {}, "data": "chest_xray/test"}
    found = findings(
        images,
        **{**given, "threshold": 0.5, "corruptions": corrupted}
        | {"shifts": [changed(kind) for kind in SHIFTS]}
        | options,
        bootstrap=Bootstrap(replicates=50),
    )
    return Evaluated(found, list(refused))


def test_figures_are_reported_with_their_intervals(printed, images):
    result = evaluated(images)
    print_evaluated(result, OUT)
    message = printed()
    auc = result.findings.overall.auc
    assert cells(message, "PR-AUC")[1] == f"{result.findings.overall.pr_auc.value:.4f}"
    assert f"AUC          {auc.value:.4f}  {auc.low:.4f} to {auc.high:.4f}\n" in message
    assert "chest_xray/1795785664 on chest_xray/test: 180 images of 60 patients\n" in message
    assert "Difference from" not in message


def test_counts_at_the_threshold_are_reported(printed, images):
    result = evaluated(images)
    print_evaluated(result, OUT)
    counts = result.findings.confusion
    assert (
        f"threshold 0.5 it finds {counts.true_positives} of 90 PNEUMONIA, and calls "
        f"{counts.false_positives} of 90 NORMAL so." in printed()
    )


def test_another_model_is_beside(printed, images):
    other = Other("m/1", 0.5, 1 - images.probability, np.ones(len(images), bool))
    print_evaluated(evaluated(images, other=other), OUT)
    message = printed()
    assert cells(message, "all")[-4:] == ["difference", "95", "%", "interval"]
    assert "Difference from m/1: AUC +0." in message
    assert "by DeLong's test over patients." in message


def test_an_equal_model_has_no_p_value(printed, images):
    other = Other("m/1", 0.5, images.probability, np.ones(len(images), bool))
    print_evaluated(evaluated(images, other=other), OUT)
    assert "Difference from m/1: equal in AUC." in printed()


def test_groups_corrupted_images_and_probes_have_tables(printed, images):
    print_evaluated(evaluated(images), OUT)
    blocks = tables(printed())
    heads = [block[0].split()[0] for block in blocks]
    assert heads == [
        *("chest_xray/1795785664", "all", "subtype", "shift", "corruption"),
        *("sensitivity/specificity", "shortcut", "Report:"),
    ]
    assert len(blocks[3][1:]) == len(SHIFTS)
    assert [line.split()[0] for line in blocks[4][1:]] == list(KINDS)
    assert blocks[-1] == [
        "Report: /out/page.html",
        "All of it: /out/findings.json",
        "Each image: /out/images.csv",
    ]


def test_tables_fit_a_terminal_of_80_columns(printed, images):
    other = Other("m/1", 0.5, 1 - images.probability, np.ones(len(images), bool))
    print_evaluated(evaluated(images, other=other), OUT)
    lines = [line for block in tables(printed())[1:] for line in block if "  " in line]
    assert max(map(len, lines)) <= 80


def test_without_corrupted_images_there_is_no_table_of_them(printed, images):
    print_evaluated(evaluated(images, corruptions=[], shifts=[]), OUT)
    text = printed()
    assert "corruption" not in text
    assert "soft NORMAL" not in text


def test_drift_has_a_table(printed, images):
    drift = [Drift("glare", 0.25, 80.5, 91.25, 0.002)]
    print_evaluated(evaluated(images, drift=drift), OUT)
    assert cells(printed(), "glare") == ["glare", "0.2500", "0.0020", "80.5", "91.2"]


def test_notes_and_refused_files_are_reported_as_they_are(printed, images):
    print_evaluated(evaluated(images, REFUSED, notes=["Mind the [gap]."]), OUT)
    message = printed()
    assert "\nMind the [gap].\n" in message
    assert "Files that are not readable images: 7\n  [0].png: text file\n" in message
    assert "[5].png" not in message
    assert "  and 2 more, in images.csv\n" in message


def test_the_triage_is_reported_within_80_columns(printed, images):
    sorted_so = np.where(images.probability > 0.6, "PNEUMONIA", "REVIEW")
    record = {"triage": {"missed_pneumonia": 0.02, "false_alarms": 0.05}}
    result = evaluated(replace(images, triage=sorted_so), record=record)
    print_evaluated(result, OUT)
    found, text = result.findings.triage, printed()
    assert cells(text, "decided")[1] == f"{found.decided.value:.4f}"
    assert cells(text, "missed")[-1] == "0.0200"
    assert cells(text, "false")[-1] == "0.0500"
    assert cells(text, "for") == ["for", "review", str(found.review)]
    lines = [line for line in text.splitlines() if line.startswith(("decided", "missed", "false"))]
    assert max(map(len, lines)) <= 80


def test_a_model_without_a_triage_shows_none(printed, images):
    print_evaluated(evaluated(images), OUT)
    assert "for review" not in printed()
