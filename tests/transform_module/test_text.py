import shutil
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transform_module.text import brief, count, printable, shell_quoted


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a b.png", "a b.png"),
        ("röntgen 胸部 🫁.png", "röntgen 胸部 🫁.png"),
        ("a\nb\r\tc", r"a\x0ab\x0d\x09c"),
        ("\x1b[31mred\x1b]0;title\x07", r"\x1b[31mred\x1b]0;title\x07"),
        ("\x7f\x9b2J", r"\x7f\x9b2J"),
        ("a\u2028b\u2029c", r"a\u2028b\u2029c"),
        ("gnp.\u202eexe", r"gnp.\u202eexe"),
        ("\u2066a\u200f\ufeff", r"\u2066a\u200f\ufeff"),
        ("a\U000e0041", r"a\U000e0041"),
        ("\udce9.png", r"\udce9.png"),
        ("क्\u200dष 👩\u200d⚕.png", "क्\u200dष 👩\u200d⚕.png"),
    ],
)
def test_what_acts_on_a_terminal_is_escaped_and_all_else_stays(text, shown):
    assert printable(text) == shown


def test_a_message_keeps_its_lines():
    assert printable("a\nb\x1b", keep="\n") == "a\nb\\x1b"


@given(st.text())
def test_a_shown_text_is_one_line_and_stays_as_it_is(text):
    shown = printable(text)
    assert len(shown.splitlines()) <= 1
    assert printable(shown) == shown
    shown.encode()


@pytest.mark.parametrize("text", ["a", "a b", "it's", "a\x1b\n\u202eb", "'\\\x1b", "\u2028\\n'"])
def test_a_quoted_word_is_the_same_word_for_a_shell_and_safe_to_print(text):
    quoted = shell_quoted(text)
    assert quoted == printable(quoted)
    if shutil.which("bash") is None:
        pytest.skip("bash is not installed")
    done = subprocess.run(
        ["bash", "-c", f"printf %s {quoted}"],
        env={"LC_ALL": "C.UTF-8"},
        capture_output=True,
        check=True,
    )
    assert done.stdout.decode() == text


def test_one_thing_is_singular():
    assert count(1, "image") == "1 image"
    assert count(1200, "image") == "1,200 images"


@pytest.mark.parametrize(
    ("value", "text"),
    [(1.0, "1"), (0, "0"), (1.333, "1.33"), (54.04, "54.0"), (7238.4, "7,238"), (0.996, "1.00")],
)
def test_a_measurement_has_as_many_digits_as_a_table_needs(value, text):
    assert brief(value) == text
