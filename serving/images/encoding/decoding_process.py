"""The process in which `isolation` has images decoded.

    python -m serving.images.encoding.decoding_process

reads requests from standard input until it is closed: a line of JSON with ``form``, ``memory`` and
``bytes``, and then so many bytes of a file. To each it writes a line of JSON with ``reason``, or
with ``bytes`` and the ``facts`` of a DICOM file, and then so many bytes of a PNG.
"""

import contextlib
import io
import json
import resource
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any, BinaryIO, Final

from PIL import Image

from serving.images.dicom.rendering import Rendered, render
from serving.images.encoding import decoders, formats

# A PNG of X-rays is a few percent larger by zlib's fastest level than by its default one, in a
# fifth of the time.
_PNG_LEVEL: Final = 1


def reencoded(data: bytes, form: str) -> Rendered | bytes | str:
    """Decodes an image, and encodes its pixels without loss.

    Args:
        data: the content of a file.
        form: its format, one that is not passed on as it is.

    Returns:
        A PNG, with its facts where the file is DICOM; or why the image is not read.

    Raises:
        Exception: of any kind, where the file is damaged.
    """
    if form == formats.DICOM:
        return render(data)
    try:
        pixels = decoders.decode(data, form)
    except decoders.UnsupportedError as error:
        return f"{formats.NAMES[form]} that is not read: {error}"
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG", compress_level=_PNG_LEVEL)
    return file.getvalue()


def serve(requests: BinaryIO, responses: BinaryIO) -> None:
    """Responds to requests until there are no more.

    Raises:
        Exception: a file is damaged. Some decoders leave the memory in disorder then, so that this
            process should decode no other.
    """
    while line := requests.readline():
        request = json.loads(line)
        _limit_memory(request["memory"])
        data = requests.read(request["bytes"])
        found = reencoded(data, request["form"])
        # Before room is made for the next one.
        del data
        image, response = _response(found)
        responses.write(json.dumps(response).encode() + b"\n" + image)
        responses.flush()


def _response(found: Rendered | bytes | str) -> tuple[bytes, dict[str, Any]]:
    if isinstance(found, str):
        return b"", {"reason": found}
    if isinstance(found, bytes):
        return found, {"bytes": len(found), "facts": None}
    return found.png, {"bytes": len(found.png), "facts": asdict(found.facts)}


def _limit_memory(more: int) -> None:
    """Limits the address space to so many bytes more than it has now, where the system can."""
    with contextlib.suppress(OSError, ValueError):
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
        limit = pages * resource.getpagesize() + more
        _, most = resource.getrlimit(resource.RLIMIT_AS)
        limit = limit if most == resource.RLIM_INFINITY else min(limit, most)
        resource.setrlimit(resource.RLIMIT_AS, (limit, most))


if __name__ == "__main__":
    # Some decoders crash on damaged files, which leaves no trace then.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    serve(sys.stdin.buffer, sys.stdout.buffer)
