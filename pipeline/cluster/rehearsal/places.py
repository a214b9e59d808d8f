"""Local folders that stand for remote places, such as a bucket's."""

import re
from collections.abc import Mapping


def holds(places: Mapping[str, str], uri: str) -> bool:
    """Returns whether a remote place, or one above it, has a local folder."""
    return any(_named(remote).match(uri) for remote in places)


def localized(text: str, places: Mapping[str, str]) -> str:
    """Replaces the remote places in a text by the local folders that stand for them.

    Args:
        text: may name remote places anywhere.
        places: local folders by remote place. Where one lies within another, the inner one counts;
            ``gs://bucket/ex`` does not stand for ``gs://bucket/examples``.
    """
    for remote in sorted(places, key=len, reverse=True):
        text = places[remote].join(_named(remote).split(text))
    return text


def _named(remote: str) -> re.Pattern[str]:
    name_continues = r"[\w.~%+@=-]"
    return re.compile(f"{re.escape(remote.rstrip('/'))}(?!{name_continues})")
