from html.parser import HTMLParser

from hypothesis import given
from hypothesis import strategies as st

from serving.report.drawing.markup import Markup, element, escape, join


class Reader(HTMLParser):
    def __init__(self):
        super().__init__()
        self.tags, self.text, self.attributes = [], "", {}

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes |= dict(attrs)

    def handle_data(self, data):
        self.text += data


def read(markup: str) -> Reader:
    reader = Reader()
    reader.feed(markup)
    reader.close()
    return reader


@given(st.text(st.characters(exclude_categories=("Cc", "Cf", "Cs"))))
def test_any_text_is_read_back_as_it_was_and_adds_no_tag(text):
    shown = read(element("p", text, title=text))
    assert (shown.tags, shown.text, shown.attributes) == (["p"], text, {"title": text})


@given(st.text(st.characters(categories=("Cs", "Cc", "L"))))
def test_whatever_a_file_is_called_can_be_written(text):
    assert "\x00" not in escape(text)
    escape(text).encode("utf-8")


def test_text_that_turns_the_direction_of_writing_is_replaced():
    assert escape("a\u202egpj.exe") == "a\ufffdgpj.exe"


def test_markup_is_not_escaped_twice():
    assert element("p", element("b", "<")) == "<p><b>&lt;</b></p>"
    assert escape(Markup("&lt;")) == "&lt;"


def test_nothing_is_left_out():
    assert join("a", None, "b") == "ab"
    assert element("p", None, title=None, hidden=True) == "<p hidden></p>"


def test_an_attribute_may_have_a_name_that_python_keeps():
    assert element("img", class_="a", aria_label="b") == '<img class="a" aria-label="b">'
