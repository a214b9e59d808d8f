"""The question "Did you mean ...?" after a name that is not known."""

import difflib
from collections.abc import Iterable


def nearest(given: str, names: Iterable[str], *, cutoff: float = 0.6) -> str:
    """Finds the name that was probably meant.

    Args:
        given: what was written.
        names: what could have been written; case does not matter.
        cutoff: the least similarity, from 0 to 1.

    Returns:
        One of the names, or an empty text where none is similar.
    """
    by_lower: dict[str, str] = {}
    for name in names:
        by_lower.setdefault(name.lower(), name)
    close = difflib.get_close_matches(given.lower(), by_lower, n=1, cutoff=cutoff)
    return by_lower[close[0]] if close else ""


def did_you_mean(given: str, names: Iterable[str], *, cutoff: float = 0.6) -> str:
    """Returns ` Did you mean NAME?`, or an empty text where no name is similar; see `nearest`."""
    near = nearest(given, names, cutoff=cutoff)
    return f" Did you mean {near}?" if near else ""
