"""The serving page is written in plain technical words."""

import html
import re
from pathlib import Path

import pytest

import serving.server.upload_page
from tests.words import literals, replaced

FOLDER = Path(serving.server.upload_page.__file__).parent


def test_the_text_of_the_page_has_no_house_words():
    source = (FOLDER / "index.html").read_text(encoding="utf-8")
    named = " ".join(re.findall(r'(?:aria-label|title|alt)="([^"]*)"', source))
    assert replaced(html.unescape(re.sub(r"<[^>]*>", " ", source)) + named) == []


@pytest.mark.parametrize("name", ["page.js", "reasons.js"])
def test_the_messages_of_the_page_have_no_house_words(name):
    # A literal without a blank is a name of the document, the API or a state.
    messages = [text for text in literals((FOLDER / name).read_text()) if " " in text.strip()]
    assert len(messages) >= 5
    selectors = re.compile(r"^[.#]\S+ \S+$")
    found = [replaced(text) for text in messages if not selectors.match(text)]
    assert [each for each in found if each] == []


def test_literals_are_read_without_comments():
    script = 'const a = "one two"; // "told"\n/* `told` */ const b = `three ${c}`;'
    assert list(literals(script)) == ["one two", "three ${c}"]
