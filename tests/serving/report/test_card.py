import re

import numpy as np
import pytest
import yaml

from serving.report.card import card, escape, snippets
from serving.report.context import Source
from serving.report.sources import KERMANY
from tests.images import encode
from tests.serving.report import made

SECTIONS = (
    "Model details",
    "How to get started",
    "Licence",
    "Intended use",
    "Factors",
    "Metrics",
    "Training and evaluation data",
    "Limitations and ethical considerations",
)


def head(text: str) -> dict:
    before, block, _ = text.split("---\n", 2)
    assert before == ""
    return yaml.safe_load(block)


def test_the_metadata_is_what_hugging_face_reads():
    (model,) = head(card(made.findings(), made.context()))["model-index"]
    (result,) = model["results"]
    assert result["task"]["type"] == "image-classification"
    assert result["dataset"] == {
        "name": "Synthetic chest X-rays",
        "type": "synthetic-chest-x-rays",
        "split": "test",
    }
    values = {metric["type"]: metric["value"] for metric in result["metrics"]}
    assert values["roc_auc"] == 0.945
    assert values["recall"] == 0.945
    assert all(isinstance(value, float) for value in values.values())


def test_the_card_has_the_sections_of_its_kind():
    text = card(made.findings(), made.context())
    places = [text.index(f"\n## {section}\n") for section in SECTIONS]
    assert places == sorted(places)


def test_figures_are_with_their_intervals_subgroups_too():
    text = card(made.findings(), made.context())
    assert "| AUC | 0.945 (0.905 to 0.965) |" in text
    assert "**By subtype**" in text
    assert "| dark | 48 | 16 | 0.910 (0.830 to 0.950) |" in text


def test_source_and_licence_of_the_data_are_reported():
    text = card(made.findings(), made.context(source=KERMANY))
    assert "Kermany et al. 2018" in text
    assert "CC BY 4.0" in text


def test_a_source_that_is_not_known_is_not_invented():
    text = card(made.findings(), made.context(source=None))
    assert "Data: not stated (set report.licence in the configuration)." in text
    assert "Source: not stated" in text


def test_the_owners_words_cannot_become_markdown():
    text = card(made.findings(), made.context(source=Source(name="a|b *c*", description="")))
    assert "a\\|b \\*c\\*" in text


@pytest.mark.parametrize(
    ("model", "served", "version"),
    [
        ("chest_xray/17", "chest_xray", "17"),
        ("chest_xray", "chest_xray", "1"),
        ("a`\n/2", "a__", "2"),
    ],
)
def test_the_snippets_name_the_model(model, served, version):
    text = snippets(model)
    assert f"cxr predict pushed/{served} xray.jpeg" in text
    assert f"/v1/models/{served}:predict" in text
    assert f'TFSMLayer("pushed/{served}/{version}"' in text


@pytest.mark.slow
def test_the_layer_of_the_snippet_predicts(tmp_path, monkeypatch, capsys):
    from tests.serving.saved import save

    save(tmp_path / "pushed" / "chest_xray" / "17")
    (tmp_path / "xray.jpeg").write_bytes(encode(np.full((60, 50), 200, np.uint8), "png-grey"))
    (code,) = re.findall(r"```python\n(.*?)```", snippets("chest_xray/17"), re.DOTALL)
    monkeypatch.chdir(tmp_path)
    exec(code, {})
    assert "PNEUMONIA" in capsys.readouterr().out


def test_the_triage_is_beside_the_rates_that_it_was_made_for():
    text = card(made.findings())
    assert "20 of 143 images are REVIEW" in text
    (row,) = (line for line in text.splitlines() if line.startswith("| Missed PNEUMONIA |"))
    assert "| 0.011 (0.001 to 0.016) | 0.020 |" in row
    assert "not for those of another place" in text
    former = card(made.findings(triage=None))
    assert "Triage" not in former
    assert "not for those of another place" not in former


def test_the_card_claims_nothing_medical():
    text = card(made.findings())
    assert "not a medical device" in text
    assert "Out of scope:" in text


def test_every_row_of_a_table_has_as_many_cells_as_its_head():
    hostile = made.group("a|b\n| c", 5, 2)
    text = card(made.findings(slices={"sub|type": [hostile]}), made.context())
    rows = [line for line in text.splitlines() if line.startswith("|")]
    bars = {line.replace("\\|", "").count("|") for line in rows if "b" in line and "\\|" in line}
    assert len(bars) == 1
    assert "## c" not in text


def test_text_cannot_become_markdown():
    assert escape("<script>\n# a_b|c") == "\\<script\\> \\# a\\_b\\|c"


def test_no_file_is_named():
    text = card(made.findings(), made.context())
    assert ".jpeg" not in text.replace("xray.jpeg", "")
