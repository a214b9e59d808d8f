"""Repeated attempts of a call within its timeout."""

import random
import time
from typing import Final

from serving.client.call_errors import ClientError

_FIRST_PAUSE: Final = 0.1
_LONGEST_PAUSE: Final = 5.0


class Attempts:
    """The attempts at one call, which has begun.

    Every call only reads, so making it again does no harm.
    """

    def __init__(self, timeout: float, retries: int) -> None:
        self._deadline = time.monotonic() + timeout
        self._retries = retries
        self._failed = 0

    def left(self) -> float:
        """Returns the seconds that are left."""
        return self._deadline - time.monotonic()

    def pause_after(self, error: ClientError) -> float:
        """Returns how many seconds to wait before the next attempt.

        Args:
            error: what the last one ended with.

        Raises:
            ClientError: the same, when there is no next one.
        """
        self._failed += 1
        error.attempts = self._failed
        if not error.can_retry or self._failed > self._retries:
            raise error
        # Jittered, so that clients that failed together do not come back together.
        backoff = min(_LONGEST_PAUSE, _FIRST_PAUSE * 2 ** (self._failed - 1))
        pause = max(backoff * random.uniform(0.5, 1), error.retry_after or 0)
        if pause >= self.left():
            raise error
        return pause
