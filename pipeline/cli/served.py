"""The options that name a served model, and the client that they make."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from transform_module.errors import UserError

if TYPE_CHECKING:
    from serving.client import Client

_Command = TypeVar("_Command", bound=Callable[..., Any])

_PATH: Final = click.Path(path_type=Path)
_SECONDS: Final = 30.0
_OPTIONS: Final = (
    click.option("--model-name", help="The served model's name.  [default: chest_xray]"),
    click.option(
        "--version",
        type=click.IntRange(1, 2**63 - 1),
        metavar="N",
        help="One of its versions; without it the server chooses.",
    ),
    click.option("--label", help="The version that has this label on the server."),
    click.option(
        "--timeout",
        type=click.FloatRange(0, min_open=True),
        metavar="SECONDS",
        help=f"Of a request with its repetitions.  [default: {_SECONDS:g}]",
    ),
    click.option(
        "--ca-cert",
        type=_PATH,
        metavar="FILE",
        help="PEM file that the server's certificate is trusted by; else the system's.",
    ),
    click.option(
        "--certificate",
        type=_PATH,
        metavar="FILE",
        help="PEM file of your certificate, for a server that requires one.",
    ),
    click.option("--key", type=_PATH, metavar="FILE", help="PEM file of your certificate's key."),
)


def options(command: _Command) -> _Command:
    """Adds the options to a command that has ``--url``."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def check(url: str | None, given: Mapping[str, Any]) -> None:
    """Refuses options that would have no effect.

    Args:
        url: of the server.
        given: values of the options, by parameter.

    Raises:
        UsageError: one is given without a URL.
    """
    chosen = [name for name, value in given.items() if value is not None]
    if chosen and not url:
        raise click.UsageError(f"--{chosen[0].replace('_', '-')} needs --url.")


@contextlib.contextmanager
def connected(
    url: str,
    *,
    model_name: str | None,
    version: int | None,
    label: str | None,
    timeout: float | None,
    ca_cert: Path | None,
    certificate: Path | None,
    key: Path | None,
) -> Iterator[Client]:
    """Makes a client of a served model.

    Args:
        url: see `serving.client.connect`.
        model_name: its name on the server; chest_xray if None.
        version: one of its versions.
        label: names a version.
        timeout: seconds of a request with its repetitions; 30 if None.
        ca_cert: PEM file that the server's certificate is trusted by.
        certificate: PEM file of the client's certificate.
        key: PEM file of its key.

    Raises:
        UserError: a value cannot be used, or the block's request has no response; the options that
            may help are named.
    """
    from serving import client as clients

    files = (ca_cert, certificate, key)
    try:
        with clients.connect(
            url,
            model=model_name or "chest_xray",
            version=version,
            label=label,
            timeout=timeout or _SECONDS,
            tls=clients.Tls(*files) if any(files) else None,
        ) as client:
            yield client
    except clients.TlsFailed as error:
        raise UserError(f"{error} See --ca-cert, --certificate and --key.") from error
    except clients.DeadlinePassed as error:
        raise UserError(f"{error} See --timeout.") from error
    except clients.UnknownModel as error:
        raise UserError(f"{error} See --model-name, --version and --label.") from error
