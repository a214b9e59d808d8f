"""Verification of the signature of a pushed version, by sigstore's `model-signing`.

The signature is of the manifest and of every file that it lists, so that the model's name, its
version and, in the model's record, the fingerprint of its data are signed with the files. The
library is imported where a signature is verified, since that takes seconds.
"""

import base64
import itertools
import json
import os
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from transform_module.errors import UserError

SIGNATURE: Final = "model.sig"
"""The file of a pushed version that holds its signature: a sigstore bundle, as JSON."""

VERIFY_KEY: Final = "CXR_VERIFY_KEY"
"""The environment variable that demands signatures: path of a PEM file, see `from_file`."""

# The library prints a list, as Python writes it: where digests hold both quotes, these are escaped.
_CHANGED: Final = re.compile(r"Hash mismatch for \\?'(.+?)\\?': Expected ")
_PUBLIC_KEY: Final = b"-----BEGIN PUBLIC KEY-----"
_CERTIFICATE: Final = b"-----BEGIN CERTIFICATE-----"


@dataclass(frozen=True)
class Trust:
    """Whose signatures are accepted: exactly one of the three is given.

    Attributes:
        key: PEM file of the public key.
        certificates: PEM file of the authorities that the signing certificate must lead to.
        identity: who signed without a key of their own, such as an e-mail address or a workflow.
        issuer: what vouched for the identity: the URL of an OpenID Connect provider.
    """

    key: Path | None = None
    certificates: Path | None = None
    identity: str = ""
    issuer: str = ""


def required() -> Trust | None:
    """Returns whose signature each pushed version needs in this process, or None.

    Raises:
        UserError: the environment names a file that holds neither a key nor certificates.
    """
    value = os.environ.get(VERIFY_KEY)
    return None if value is None else from_file(Path(value), VERIFY_KEY)


def from_file(path: Path, name: str) -> Trust:
    """Reads from a PEM file what kind of signature it verifies.

    Args:
        path: of a public key, or of the certificates that a signing certificate must lead to.
        name: of the setting, for the message.

    Raises:
        UserError: it is neither, or cannot be read.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UserError(
            f"{name}: {str(path)!r} cannot be read ({error.strerror}), so that no signature can be "
            "verified. Name the PEM file of a public key or of certificates."
        ) from error
    # A file of both would leave open which of them decides.
    if (_PUBLIC_KEY in content) == (_CERTIFICATE in content):
        raise UserError(
            f"{name}: {path} must be the PEM file of a public key (BEGIN PUBLIC KEY) or of "
            "certificates (BEGIN CERTIFICATE)."
        )
    return Trust(key=path) if _PUBLIC_KEY in content else Trust(certificates=path)


def is_signed(root: Path) -> bool:
    """Returns whether a version has a signature, whatever it is worth."""
    return (root / SIGNATURE).is_file()


def problems(root: Path, names: Collection[str], trust: Trust) -> list[str]:
    """Verifies the signature of a version, and that the files are those that were signed.

    What lies beside them is not looked at.

    Args:
        root: the version's folder.
        names: of the files that must be signed, all of them and no other.
        trust: whose signature it must be.

    Returns:
        One sentence that names the file; empty where the signature holds. Whatever the library
        raises means that it does not.
    """
    path = root / SIGNATURE
    if not is_signed(root):
        return [f"{path}: the version is not signed, and a signature is required"]
    try:
        _verify(root, path, names, trust)
    except Exception as error:  # noqa: BLE001  (nothing of it is a permission)
        changed = _CHANGED.findall(str(error))
        reason = f"{', '.join(changed)} was changed since" if changed else str(error) or repr(error)
        return [f"{path}: the signature does not hold: {reason}"]
    return []


def signer(root: Path, trust: Trust) -> str:
    """Describes who signed a version, of which `problems` found none.

    Returns:
        The identity, the subject of the signing certificate, or the SHA-256 of the public key.
    """
    material = json.loads((root / SIGNATURE).read_bytes())["verificationMaterial"]
    if trust.key:
        return f"key {material['publicKey']['hint']}"
    if trust.certificates:
        return f"certificate {_certificates(material)[0].subject.rfc4514_string()}"
    return f"identity {trust.identity}"


def _verify(root: Path, path: Path, names: Collection[str], trust: Trust) -> None:
    from model_signing import hashing
    from sigstore_models.bundle.v1 import Bundle

    text = path.read_text(encoding="utf-8")
    # What readers pass over, such as a key that they do not know, is a change, too.
    if Bundle.from_json(text).to_json() != text:
        raise ValueError("the file is not as it was written")
    bundle = json.loads(text)
    if "publicKey" not in bundle["verificationMaterial"]:
        _check_chain(_certificates(bundle["verificationMaterial"]))
    # The sums find what was added; a note beside the files makes it no other model.
    config = _verifier(trust).set_ignore_unsigned_files(True)
    config.set_hashing_config(hashing.Config().set_allow_symlinks(True))
    config.verify(root, path)
    statement = json.loads(base64.b64decode(bundle["dsseEnvelope"]["payload"]))
    signed = {each["name"] for each in statement["predicate"]["resources"]}
    if others := sorted(signed.symmetric_difference(names)):
        raise ValueError(f"it is not of {others[0]}, or the manifest is not")


def _verifier(trust: Trust) -> Any:
    from model_signing import verifying

    config = verifying.Config()
    if trust.key:
        return config.use_elliptic_key_verifier(public_key=trust.key)
    if trust.certificates:
        return config.use_certificate_verifier(certificate_chain=[trust.certificates])
    if not (trust.identity and trust.issuer):
        raise ValueError("nobody is named whose signature it must be")
    try:
        return config.use_sigstore_verifier(identity=trust.identity, oidc_issuer=trust.issuer)
    except Exception as error:
        raise ValueError(
            f"sigstore's roots of trust cannot be fetched, which needs the network ({error})"
        ) from error


def _certificates(material: Mapping[str, Any]) -> list[Any]:
    from cryptography import x509

    chain = material.get("x509CertificateChain", {}).get("certificates")
    listed = chain or [material["certificate"]]
    return [x509.load_der_x509_certificate(base64.b64decode(each["rawBytes"])) for each in listed]


def _check_chain(certificates: list[Any]) -> None:
    """Checks that each certificate in a bundle was signed by the next one.

    The library passes over those that it does not need, and so over changes in them.
    """
    for each, above in itertools.pairwise(certificates):
        each.verify_directly_issued_by(above)
    last = certificates[-1]
    if last.issuer == last.subject:
        last.verify_directly_issued_by(last)
