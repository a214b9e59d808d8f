"""Requests that fail: which are tried again, and the messages for those that are not."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeVar

from transform_module.errors import UserError

_TRIES: Final = 5
_FIRST_PAUSE_SECONDS: Final = 0.5

T = TypeVar("T")


@dataclass(frozen=True)
class Refusal:
    """A request that failed.

    Attributes:
        status: HTTP's; 0 where no response came.
        said: what the server, or the system, said of it.
    """

    status: int
    said: str


_ADVICE: Final = {
    400: "The request is invalid; the message names the field.",
    401: "Authentication is missing or invalid. {login}",
    403: "Permission is missing. Request it, or give another --service-account.",
    404: "Not found. Check the address, the project, the region and the namespace.",
    409: "One of that name is there already. Give another --name.",
    429: "Too many requests, or a quota is used up. Try again later.",
    503: "It is not available now. Try again later.",
}


def attempt(
    request: Callable[[], T],
    understand: Callable[[Exception], Refusal | None],
    *,
    where: str,
    login: str,
    repeatable: bool,
) -> T:
    """Makes a request, again after a pause where that is safe and may help.

    What the server has refused for now (429, 503) was not done and is tried again. After a broken
    connection only what changes nothing is: a run may have been started.

    Args:
        request: what is done.
        understand: reads an exception; None lets it pass.
        where: the server, for the message.
        login: how to authenticate, for the message.
        repeatable: whether it changes nothing.

    Raises:
        UserError: it failed.
    """
    for number in range(_TRIES):
        try:
            return request()
        except Exception as error:
            refusal = understand(error)
            if refusal is None:
                raise
            again = refusal.status in (429, 503) or (not refusal.status and repeatable)
            if again and number < _TRIES - 1:
                time.sleep(_FIRST_PAUSE_SECONDS * 2**number)
                continue
            raise UserError(_message(refusal, where, login, repeatable)) from None
    raise AssertionError("unreachable")


def _message(refusal: Refusal, where: str, login: str, repeatable: bool) -> str:
    if not refusal.status:
        message = f"{where} cannot be reached, or broke off: {refusal.said}"
        if not repeatable:
            message += "\nA run may have begun nevertheless. Look there before you submit again."
        return message
    advice = _ADVICE.get(refusal.status, "").format(login=login)
    return f"{where} responds {refusal.status}: {refusal.said}" + (f"\n{advice}" if advice else "")
