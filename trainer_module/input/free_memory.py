"""Memory that this process may take."""

from pathlib import Path
from typing import Final

import psutil

_CGROUP: Final = Path("/sys/fs/cgroup")


def available(cgroup: Path = _CGROUP) -> int:
    """Returns the memory that is left, in bytes, of the machine or of the container.

    Args:
        cgroup: folder of the process's control group, version 2 (Linux, "Control Group v2",
            memory.max and memory.current); without one the machine's memory counts.
    """
    left = psutil.virtual_memory().available
    try:
        limit = int((cgroup / "memory.max").read_text())
        used = int((cgroup / "memory.current").read_text())
    except (OSError, ValueError):
        return left
    return min(left, max(limit - used, 0))
