"""The limits of a server: how much its clients together can take of it.

The defaults are those of a container of 2 GB in which TensorFlow and a model of 200 MB take 0.9 GB.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Final

from transform_module.errors import UserError

MEBIBYTE: Final = 1024 * 1024


@dataclass(frozen=True)
class Limits:
    """What a server takes at most.

    Attributes:
        body_bytes: of a request's body, packed or unpacked, or of a gRPC message.
        memory_bytes: of the bodies, the values read from them and the responses to all requests
            together.
        process_bytes: allocated by the whole process; above it, gRPC messages that are still
            arriving are refused.
        json_values: values, lists and objects in a JSON body. 32 rows of 160x160 pixels written as
            numbers are 1.7 million.
        request_pixels: of all images of a request together. 32 images of 3000x3000 are 288 million.
        pixels: of the images of all requests together.
        answer_bytes: of a request's outputs; 100 bytes in JSON can be four of them.
        requests: that are read, wait or are computed at the same time.
        connections: open at the same time, for REST and for gRPC each; fewer where the process may
            open few files.
        header_seconds: until the header of a request, or of a new connection's first one, is there.
        body_seconds: until the body of a request is there.
        idle_seconds: that a connection may be kept between two requests, or that a client may take
            to read its response.

    Raises:
        UserError: a limit is not positive.
    """

    body_bytes: int = 64 * MEBIBYTE
    memory_bytes: int = 384 * MEBIBYTE
    process_bytes: int = 1500 * MEBIBYTE
    json_values: int = 2_000_000
    request_pixels: int = 300_000_000
    pixels: int = 600_000_000
    answer_bytes: int = 16 * MEBIBYTE
    requests: int = 1024
    connections: int = 1000
    header_seconds: int = 10
    body_seconds: int = 30
    idle_seconds: int = 75

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if value < 1:
                raise UserError(f"--limit {field.name}: must be at least 1, is {value}.")


def parse(settings: Sequence[str]) -> Limits:
    """Reads limits from the command line.

    Args:
        settings: NAME=NUMBER each.

    Returns:
        The limits; those that are not named have their defaults.

    Raises:
        UserError: a name is unknown or a value is not a positive whole number.
    """
    names = [field.name for field in fields(Limits)]
    chosen = {}
    for setting in settings:
        name, _, value = setting.partition("=")
        if name not in names:
            raise UserError(
                f"--limit {setting}: must be NAME=NUMBER; the names are {', '.join(names)}."
            )
        if not (value.isascii() and value.isdigit()):
            raise UserError(f"--limit {setting}: {value or 'nothing'} is not a whole number.")
        chosen[name] = int(value)
    return replace(Limits(), **chosen)
