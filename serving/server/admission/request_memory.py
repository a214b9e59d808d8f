"""The memory that requests take: shared out among them, measured, and given back."""

import asyncio
import contextlib
import ctypes
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

from serving.server.admission.limits import MEBIBYTE
from serving.server.status import busy, too_large

# A request of at most so many bytes finds room where larger ones do not: a quarter of the memory
# is kept for them.
_SMALL: Final = MEBIBYTE
_SHARE_OF_LARGE: Final = 0.75


class Budget:
    """The bytes of all requests together. It belongs to one event loop.

    Where it is used up, the largest request of those whose body is still arriving makes room for a
    smaller one, so that clients who send much and slowly cannot shut out the others.
    """

    def __init__(self, limit: int) -> None:
        """Starts with nothing used.

        Args:
            limit: bytes.
        """
        self.used = 0
        self._limit = limit
        self._arriving: set[Share] = set()

    def take(self, share: "Share", size: int) -> None:
        """Adds bytes to a request's share.

        Raises:
            RequestError: there is no room; or there never is for so many.
        """
        total = share.held + size
        limit = self._limit if total <= _SMALL else int(self._limit * _SHARE_OF_LARGE)
        if total > limit:
            raise too_large(
                f"The request would take more than the {limit} bytes of memory that this server "
                "has for one.",
                reason="memory",
            )
        while self.used + size > limit:
            largest = max(self._arriving, key=lambda each: each.held, default=None)
            if largest is None or largest is share or largest.held <= total:
                raise busy("The memory for requests is used up.", reason="memory")
            largest.refuse()
        share.held = total
        self.used += size

    def begin(self, share: "Share") -> None:
        """Notes that the body of a request is arriving."""
        self._arriving.add(share)

    def end(self, share: "Share") -> None:
        """Notes that it has arrived, or never will."""
        self._arriving.discard(share)


class Share:
    """The bytes of one request; used as a context manager, which gives them back.

    Attributes:
        held: bytes.
    """

    def __init__(self, budget: Budget) -> None:
        self.held = 0
        self._budget = budget
        self._timeout: asyncio.Timeout | None = None
        self._is_refused = False

    def __enter__(self) -> "Share":
        return self

    def __exit__(self, *error: object) -> None:
        self._give_back()

    def take(self, size: int) -> None:
        """Adds bytes; see `Budget.take`."""
        self._budget.take(self, size)

    @contextlib.asynccontextmanager
    async def arriving(self, deadline: float) -> AsyncIterator[None]:
        """While the body arrives: until a deadline, or until others need the room.

        Args:
            deadline: on the event loop's clock.

        Raises:
            TimeoutError: the deadline has passed.
            RequestError: the room was needed.
        """
        self._budget.begin(self)
        try:
            async with asyncio.timeout_at(deadline) as self._timeout:
                yield
        except TimeoutError:
            if self._is_refused:
                raise busy("The memory for requests is used up.", reason="memory") from None
            raise
        finally:
            self._budget.end(self)

    def refuse(self) -> None:
        """Ends the arrival, because others need the room."""
        self._is_refused = True
        self._budget.end(self)
        self._give_back()
        if self._timeout is not None:
            self._timeout.reschedule(asyncio.get_running_loop().time())

    def _give_back(self) -> None:
        self._budget.used -= self.held
        self.held = 0


class Allocator:
    """The C allocator of this process: tcmalloc, or glibc's; elsewhere nothing is known of it."""

    def __init__(self) -> None:
        library = ctypes.CDLL(None)
        self._property = getattr(library, "MallocExtension_GetNumericProperty", None)
        self._release = getattr(library, "MallocExtension_ReleaseFreeMemory", None)
        self._mallinfo = getattr(library, "mallinfo2", None)
        self._trim = getattr(library, "malloc_trim", None)
        if self._mallinfo is not None:
            self._mallinfo.restype = _Mallinfo

    def allocated(self) -> int:
        """Returns the bytes that are in use; memory that was freed but kept does not count."""
        if self._property is not None:
            value = ctypes.c_size_t()
            self._property(b"generic.current_allocated_bytes", ctypes.byref(value))
            return value.value
        if self._mallinfo is not None:
            info = self._mallinfo()
            return int(info.uordblks + info.hblkhd)
        return 0

    def resident(self) -> int:
        """Returns the bytes of memory that the process has from the system, or 0."""
        try:
            pages = int(Path("/proc/self/statm").read_text().split()[1])
        except OSError:
            return 0
        return pages * os.sysconf("SC_PAGE_SIZE")

    def give_back(self) -> None:
        """Returns freed memory to the system."""
        if self._release is not None:
            self._release()
        elif self._trim is not None:
            self._trim(0)


class _Mallinfo(ctypes.Structure):
    """glibc's ``struct mallinfo2`` (malloc.h)."""

    _fields_ = tuple(
        (name, ctypes.c_size_t)
        for name in (
            *("arena", "ordblks", "smblks", "hblks", "hblkhd"),
            *("usmblks", "fsmblks", "uordblks", "fordblks", "keepcost"),
        )
    )
