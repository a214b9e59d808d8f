"""The line of an epoch, shortened to the width of a terminal."""

import re
from typing import Final

_EPOCH: Final = re.compile(r"epoch +\d+/\d+  ")
_GAP: Final = "  "

_LESS_NEEDED: Final = ("accuracy", "auc", "val_accuracy", "loss", "val_loss")
"""The metrics that are left out, in this order, until the line fits."""


def fitted(text: str, width: int) -> str:
    """Leaves metrics out of an epoch's line until it fits.

    Args:
        text: a line of the trainer.
        width: columns that it may take.

    Returns:
        The line; any other line is returned as it is. The log and ``history.csv`` have every
        metric.
    """
    if not _EPOCH.match(text):
        return text
    fields = text.split(_GAP)
    for name in _LESS_NEEDED:
        if len(_GAP.join(fields)) <= width:
            break
        fields = [field for field in fields if field.partition(" ")[0] != name]
    return _GAP.join(fields)
