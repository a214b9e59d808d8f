"""Certificates made for tests: an authority, and what it signs for 127.0.0.1."""

import datetime
import ipaddress
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from serving.tensorflow_serving import protos


@dataclass(frozen=True)
class Pair:
    """A key and its certificate, as PEM texts."""

    key: str
    certificate: str


class Authority:
    """Signs certificates."""

    def __init__(self, name: str = "tests' authority"):
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _named(name)
        builder = _builder(self._name, self._name, self._key)
        constraints = x509.BasicConstraints(ca=True, path_length=None)
        certificate = builder.add_extension(constraints, critical=True)
        self.certificate = _pem(certificate.sign(self._key, hashes.SHA256()))

    def sign(self, name: str) -> Pair:
        key = ec.generate_private_key(ec.SECP256R1())
        addresses = [
            x509.DNSName("localhost"),
            x509.IPAddress(ipaddress.ip_address("127.0.0.1")),
        ]
        builder = _builder(_named(name), self._name, key).add_extension(
            x509.SubjectAlternativeName(addresses), critical=False
        )
        return Pair(key_pem(key), _pem(builder.sign(self._key, hashes.SHA256())))


def key_pem(key: ec.EllipticCurvePrivateKey, password: bytes | None = None) -> str:
    encryption = (
        serialization.BestAvailableEncryption(password)
        if password
        else serialization.NoEncryption()
    )
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption
    ).decode()


def ssl_config(pair: Pair, authority: Authority | None = None, *, verify: bool = False):
    """The message ``tensorflow.serving.SSLConfig``."""
    return protos.ssl_config()(
        server_key=pair.key,
        server_cert=pair.certificate,
        custom_ca=authority.certificate if authority else "",
        client_verify=verify,
    )


def write(folder: Path, pair: Pair) -> tuple[str, str]:
    """Writes a pair into files, as Python's ssl module wants them: certificate and key."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "certificate.pem").write_text(pair.certificate)
    (folder / "key.pem").write_text(pair.key)
    return str(folder / "certificate.pem"), str(folder / "key.pem")


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])


def _builder(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey):
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=1))
    )


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()
