"""Keys and signed versions, made for tests."""

import datetime
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from serving.versions.push import push
from serving.versions.pushed import PushedVersion
from serving.versions.signing import SigningSettings
from tests.serving.certificates import key_pem
from tests.serving.versions import made


@dataclass(frozen=True)
class Keys:
    """A private key as settings have it, and the public one as a file."""

    settings: SigningSettings
    public: Path


def keys(folder: Path, password: bytes | None = None, variable: str | None = None) -> Keys:
    folder.mkdir(parents=True, exist_ok=True)
    key = ec.generate_private_key(ec.SECP256R1())
    private, public = folder / "private.pem", folder / "public.pem"
    private.write_text(key_pem(key, password))
    public.write_bytes(_public(key))
    settings = {"private_key": str(private), "password_variable": variable}
    return Keys(SigningSettings(method="key", **settings), public)


def version(folder: Path, settings: SigningSettings, weights: bytes = b"weights") -> PushedVersion:
    """Pushes a small model, signed, as the next version of ``{folder}/push/cxr``."""
    return push(
        made.model(folder / "model", weights), folder / "push" / "cxr", {}, signing=settings
    )


class Chain:
    """An authority, one below it, and a key with a certificate of that one."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        root, between, own = (ec.generate_private_key(ec.SECP256R1()) for _ in range(3))
        certificates = {
            "root": _certificate("root", root, "root", root, is_authority=True),
            "between": _certificate("between", between, "root", root, is_authority=True),
            "own": _certificate("hospital", own, "between", between, is_authority=False),
        }
        self.files = {}
        for name, certificate in certificates.items():
            self.files[name] = folder / f"{name}.pem"
            self.files[name].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        self.private = folder / "own-key.pem"
        self.private.write_text(key_pem(own))

    @property
    def root(self) -> Path:
        return self.files["root"]

    def settings(self, *chain: str) -> SigningSettings:
        return SigningSettings(
            method="certificate",
            private_key=str(self.private),
            certificate=str(self.files["own"]),
            chain=tuple(str(self.files[name]) for name in chain),
        )


def _public(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def _certificate(name, key, issuer, issuer_key, *, is_authority):
    now = datetime.datetime.now(datetime.UTC)
    usage = dict.fromkeys(
        (
            "content_commitment",
            "key_encipherment",
            "data_encipherment",
            "key_agreement",
            "encipher_only",
            "decipher_only",
        ),
        False,
    )
    return (
        x509.CertificateBuilder()
        .subject_name(_named(name))
        .issuer_name(_named(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
        .add_extension(
            x509.KeyUsage(
                digital_signature=not is_authority,
                key_cert_sign=is_authority,
                crl_sign=is_authority,
                **usage,
            ),
            critical=True,
        )
        .sign(issuer_key, hashes.SHA256())
    )


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
