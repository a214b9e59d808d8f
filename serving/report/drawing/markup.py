"""HTML and SVG that cannot be broken by what they show."""

import html
import re
from typing import Final

_VOID: Final = frozenset({"br", "col", "img", "link", "meta"})

# Control characters, halves of surrogate pairs, and what turns the direction of later text.
_UNPRINTABLE: Final = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)


class Markup(str):
    """Text that is markup already, and is not escaped again."""

    __slots__ = ()


def escape(text: object) -> Markup:
    """Turns anything into text of a page; what cannot be shown becomes U+FFFD."""
    if isinstance(text, Markup):
        return text
    return Markup(html.escape(_UNPRINTABLE.sub("\ufffd", str(text))))


def join(*parts: object) -> Markup:
    """Sets parts one after the other; None is nothing."""
    return Markup("".join(escape(part) for part in parts if part is not None))


def element(tag: str, *children: object, **attributes: object) -> Markup:
    """Makes an element.

    Args:
        tag: its name.
        children: what it holds, in order; text is escaped, None is nothing.
        attributes: by name, where ``_`` stands for ``-`` and a last one is dropped (``class_``);
            None leaves one out, True gives it no value.
    """
    given = "".join(
        f" {_name(name)}" if value is True else f' {_name(name)}="{escape(value)}"'
        for name, value in attributes.items()
        if value is not None
    )
    if tag in _VOID:
        return Markup(f"<{tag}{given}>")
    return Markup(f"<{tag}{given}>{join(*children)}</{tag}>")


def _name(attribute: str) -> str:
    return attribute.rstrip("_").replace("_", "-")
