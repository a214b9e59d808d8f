"""Paths that are addresses of a bucket or a server, where only local ones can be used."""

import re
from pathlib import Path
from typing import Final

from transform_module.errors import UserError

# `Path` makes one slash of two.
_REMOTE: Final = re.compile(
    r"(?:^|/)(?P<scheme>gs|gcs|s3a?|r2|hdfs|viewfs|az|adl|abfss?|wasbs?|dbfs|https?|ftps?|sftp|ssh"
    r"|smb|file):/+(?P<rest>.*)$",
    re.IGNORECASE | re.DOTALL,
)


def remote_address(path: str | Path) -> str | None:
    """Returns the address that a path stands for, such as ``gs://bucket/folder``.

    Args:
        path: as it was given, or made absolute since.

    Returns:
        The address with both slashes; None where the path is local.
    """
    match = _REMOTE.search(str(path))
    return f"{match['scheme'].lower()}://{match['rest']}" if match else None


def require_local(path: str | Path, what: str) -> None:
    """Refuses an address where a local path is needed.

    Args:
        path: see `remote_address`.
        what: what the path is, such as ``The output``.

    Raises:
        UserError: it is an address.
    """
    address = remote_address(path)
    if address is None:
        return
    if address.startswith("file:"):
        advice = f"Give the path alone: /{address.removeprefix('file://').lstrip('/')}"
    else:
        advice = (
            "Copy between this machine and there with the tool of that storage, such as "
            "`gcloud storage cp --recursive` or `aws s3 cp --recursive`."
        )
    raise UserError(f"{what} must be a local path; received {address}. {advice}")
