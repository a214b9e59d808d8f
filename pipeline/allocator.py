"""glibc's allocator, tuned for training."""

import os
import sys

_TUNABLES = "glibc.malloc.hugetlb=1:glibc.malloc.mmap_max=0:glibc.malloc.trim_threshold=8000000000"
"""Keeps freed memory and backs it by huge pages. Page faults dominate training on the CPU: one
step of the CNN at batch 32 took 1.70 s with these and 2.40 s without, on two cores."""


def tune_allocator() -> None:
    """Starts this program once more, with the tuned allocator, which reads only at a start.

    Does nothing where the C library is not glibc, or the user has set GLIBC_TUNABLES.
    """
    if _is_glibc() and "GLIBC_TUNABLES" not in os.environ:
        os.environ["GLIBC_TUNABLES"] = _TUNABLES
        sys.stdout.flush()
        sys.stderr.flush()
        os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])


def _is_glibc() -> bool:
    try:
        return (os.confstr("CS_GNU_LIBC_VERSION") or "").startswith("glibc")
    except (ValueError, OSError, AttributeError):
        return False
