"""The page and the card are written in plain technical words."""

import html
import re

import pytest

from serving.report.card import card
from serving.report.context import Verdict
from serving.report.page import page
from serving.report.settings import ReportSettings
from serving.report.sources import KERMANY
from tests.serving.report import made
from tests.words import replaced

CONTEXTS = {
    "everything": made.context(),
    "private": made.context(filenames=False, images={}),
    "refused": made.context(verdict=Verdict(blessed=False, reasons=("AUC 0.7 is below 0.85",))),
    "sourced": made.context(source=KERMANY),
    "unsourced": made.context(source=None),
    "bare": None,
}


def visible(text: str) -> str:
    """The text of a page, with the alternatives of images and the names of regions."""
    named = " ".join(re.findall(r'(?:alt|aria-label|content)="([^"]*)"', text))
    plain = re.sub(r"<style>.*?</style>|<[^>]*>", " ", text, flags=re.DOTALL)
    return html.unescape(f"{plain} {named}")


@pytest.mark.parametrize("name", CONTEXTS)
def test_the_page_has_no_house_words(name):
    assert replaced(visible(page(made.findings(), CONTEXTS[name]))) == []


@pytest.mark.parametrize("name", CONTEXTS)
def test_the_card_has_no_house_words(name):
    assert replaced(card(made.findings(), CONTEXTS[name])) == []


def test_the_settings_of_the_report_have_no_house_words():
    described = [field.description for field in ReportSettings.model_fields.values()]
    assert replaced(" ".join(described)) == []


def test_a_house_word_is_found():
    assert len(replaced("1 of 1 files has no usable pictures, it was told.")) == 3
