import logging
import sys

from serving.process.log_format import Formatter

HOSTILE = "a\x1b[31m\nb\u202e"


def formatted(formatter, message, **details):
    record = logging.LogRecord("name", logging.ERROR, "file", 1, message, (HOSTILE,), **details)
    return formatter.format(record)


def test_a_name_neither_acts_on_the_terminal_nor_makes_a_line():
    shown = formatted(Formatter("%(levelname)s %(message)s"), "no %s", exc_info=None)
    assert shown == "ERROR no a\\x1b[31m\\x0ab\\u202e"


def test_a_traceback_keeps_its_lines():
    try:
        raise ValueError(HOSTILE)
    except ValueError:
        shown = formatted(Formatter(), "no %s", exc_info=sys.exc_info())
    first, *lines = shown.splitlines()
    assert first == "no a\\x1b[31m\\x0ab\\u202e"
    assert len(lines) >= 4
    assert "\x1b" not in shown


def test_a_log_of_messages_in_several_lines_keeps_them():
    shown = formatted(Formatter(one_line=False), "one\ntwo %s", exc_info=None)
    assert shown.splitlines() == ["one", "two a\\x1b[31m", "b\\u202e"]
