"""The command `cxr verify`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipeline.cli import options
from pipeline.cli.command import for_people
from pipeline.cli.path_argument import LocalPath
from serving import strict_json
from transform_module.errors import UserError
from transform_module.text import printable

if TYPE_CHECKING:
    from serving.versions.signature import Trust
    from serving.versions.verification import Verified

_PATH = LocalPath()


@click.command()
@click.argument("model", type=_PATH)
@click.option("--key", type=_PATH, metavar="FILE", help="PEM file of the signer's public key.")
@click.option(
    "--certificate",
    type=_PATH,
    metavar="FILE",
    help="PEM file of the authorities that the signer's certificate must lead to.",
)
@click.option("--identity", metavar="WHO", help="Who signed keyless; needs the network.")
@click.option("--issuer", metavar="URL", help="What vouched for the identity.")
@options.as_json
@for_people
def verify(
    model: Path,
    key: Path | None,
    certificate: Path | None,
    identity: str | None,
    issuer: str | None,
    as_json: bool,
) -> None:
    """Verify the files of a pushed MODEL, and who signed them.

    MODEL is a version's folder, or the folder of the versions, each of which is verified. The sums
    of its manifest prove that nothing was damaged; who can write the folder can write them, too. A
    signature proves the origin. It is verified by --key, --certificate or --identity, or by the
    environment variable CXR_VERIFY_KEY, which servers have, too; without them the sums alone are.

    The exit code is 1 if a version is not what was pushed, or not signed as it must be.
    """
    from serving.versions import verification

    trust = _trust(key, certificate, identity, issuer)
    found = verification.verify(model, trust)
    if as_json:
        plain = [{**vars(each), "problems": list(each.problems)} for each in found]
        click.echo(strict_json.dumps(plain, indent=2))
    else:
        for each in found:
            click.echo(printable(_line(each, is_verified=trust is not None)))
            for problem in each.problems:
                click.echo(f"  {printable(problem)}", err=True)
    if any(each.problems for each in found):
        sys.exit(1)


def _trust(
    key: Path | None, certificate: Path | None, identity: str | None, issuer: str | None
) -> Trust | None:
    from serving.versions.signature import Trust, from_file, required

    if sum(map(bool, (key, certificate, identity))) > 1 or bool(identity) != bool(issuer):
        raise UserError(
            "Give one of --key FILE, --certificate FILE, and --identity WHO with --issuer URL."
        )
    for name, file in (("key", key), ("certificate", certificate)):
        if file:
            trust = from_file(file, f"--{name}")
            if bool(trust.key) != (name == "key"):
                raise UserError(f"--{name}: {file} holds the other one of a key and certificates.")
            return trust
    return Trust(identity=identity, issuer=issuer) if identity and issuer else required()


def _line(found: Verified, *, is_verified: bool) -> str:
    sums = "match" if found.sums else "REFUSED"
    if found.signer:
        signed = found.signer
    elif is_verified:
        signed = "REFUSED"
    else:
        signed = "not verified, for want of a key" if found.is_signed else "none"
    return f"{found.version}  sums: {sums}  signature: {signed}"
