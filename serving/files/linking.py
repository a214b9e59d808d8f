"""Hard links and copies of files."""

import os
import shutil
from pathlib import Path


def link(source: str | Path, target: str | Path) -> None:
    """Links or copies a local file to a second path.

    A link costs nothing and outlives the deletion of the first one; another file system needs a
    copy. Neither may be written into later, only replaced.

    Args:
        source: the file.
        target: does not exist yet; its folder does.

    Raises:
        FileExistsError: the target is there.
        OSError: the file can neither be linked nor copied.
    """
    try:
        os.link(source, target)
    except FileExistsError:
        raise
    except OSError:
        shutil.copyfile(source, target)
