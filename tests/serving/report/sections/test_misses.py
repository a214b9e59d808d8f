import re

import pytest

from serving.analysis.findings import Miss
from serving.report.drawing.figure_text import MINUS, UNDEFINED
from serving.report.privacy import anonymous
from serving.report.sections.misses import misses
from tests.serving.report import made


def rows(text: str) -> list[list[str]]:
    """The table's cells as text, the head first."""
    return [
        [re.sub(r"<[^>]*>", "", cell) for cell in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row)]
        for row in re.findall(r"<tr>(.*?)</tr>", text)
    ]


@pytest.fixture
def private():
    return misses(*anonymous(made.findings(), made.context(filenames=False, images={})))


def test_an_error_without_its_thumbnail_has_all_that_may_be_shown(private):
    head, first, *_, last = rows(private)
    digest = made.findings().misses[0].sha256
    assert dict(zip(head, first, strict=True)) == {
        "id": digest[:12],
        "true label": "NORMAL",
        "probability": "0.990",
        "distance": "+0.756",
        "in domain": "yes",
        "subtype": UNDEFINED,
        "size": "1024x768",
        "contrast": "55.0",
        "sharpness": "12.3",
    }
    # Findings of an earlier release have no measures.
    assert last == [
        UNDEFINED,
        "PNEUMONIA",
        "0.030",
        f"{MINUS}0.204",
        UNDEFINED,
        "virus",
        UNDEFINED,
        UNDEFINED,
        UNDEFINED,
    ]


def test_an_error_out_of_domain_is_marked(private):
    assert [row[4] for row in rows(private)[1:]].count("no") == 1


def test_a_private_page_names_the_settings_that_show_more(private):
    assert "--set report.pictures=thumbnails --set report.filenames=true" in private
    assert "sha256sum" in private


def test_a_page_that_shows_everything_advises_nothing():
    text = misses(made.findings(), made.context())
    assert "--set" not in text
    assert "<img" in text
    assert len(rows(text)) == 11


def test_a_page_of_an_evaluation_names_its_table_of_images():
    text = misses(made.findings(), made.context(verdict=None, filenames=False, images={}))
    assert "images.csv" in text
    assert "--set" not in text


def test_no_more_than_a_dozen_are_listed():
    many = [Miss(f"{number}.png", "NORMAL", "", 0.9) for number in range(30)]
    text = misses(made.findings(misses=many), made.context(images={}))
    assert "The first 12 are listed." in text
    assert len(rows(text)) == 13
