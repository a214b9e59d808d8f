"""Address of a served model, and how its server is called."""

import ipaddress
import math
import re
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import quote, urlsplit

from serving.client.call_errors import (
    DeadlinePassed,
    NotOurModel,
    Refused,
    TlsFailed,
    Unavailable,
    UnknownModel,
)
from transform_module.errors import UserError

MESSAGE_BYTES: Final = 64 * 1024 * 1024
"""The largest request: what the embedded server takes."""

RESPONSE_BYTES: Final = 8 * 1024 * 1024
"""The largest response that is read: 50,000 images have less, and Python makes 20 times as much."""

MAXIMUM_IMAGE: Final = (MESSAGE_BYTES - 4096) // 4 * 3
"""Bytes of the images of one request: base64 makes four of three, and JSON surrounds it."""

_PORTS: Final = {"http": 80, "https": 443, "grpc": 8500, "grpcs": 8500}
_LONGEST_QUOTE: Final = 500

# RFC 3986, sections 3.2.2 and 3.3; a name's parts as RFC 1123 bounds them, with the underscore that
# Docker's networks have.
_NAME: Final = re.compile(r"(?=.{1,253}$)[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*\.?")
_PATH: Final = re.compile(r"(/([A-Za-z0-9._~!$&'()*+,;=:@-]|%[0-9A-Fa-f]{2})*)*")


@dataclass(frozen=True)
class Tls:
    """The files of an encrypted connection, each in PEM.

    Attributes:
        authority: certificates that the server's is trusted by; None trusts the system's.
        certificate: the client's own, for a server that requires one.
        key: of the client's certificate; None where it is in the certificate's file.
    """

    authority: Path | None = None
    certificate: Path | None = None
    key: Path | None = None

    def context(self) -> ssl.SSLContext:
        """Makes the context of a connection.

        Raises:
            UserError: a file cannot be read, or has another content.
        """
        if self.key and not self.certificate:
            raise UserError(f"{self.key} is a key without a certificate. Give the certificate too.")
        try:
            context = ssl.create_default_context(cafile=self.authority)
        except OSError as error:
            raise _no_use(str(self.authority), error) from error
        if self.certificate:
            try:
                # Without a password OpenSSL would prompt for one at the terminal.
                context.load_cert_chain(self.certificate, self.key, password="")
            except OSError as error:
                files = [self.certificate, *([self.key] if self.key else [])]
                raise _no_use(" with ".join(map(str, files)), error) from error
        return context


def _no_use(what: str, error: OSError) -> UserError:
    return UserError(f"{what} cannot be used for TLS: {error}. Give files in PEM, unencrypted.")


@dataclass(frozen=True)
class Endpoint:
    """A served model, and how long a response may take.

    Attributes:
        scheme: http, https, grpc or grpcs.
        host: name or address, without brackets.
        port: of the API that the scheme names.
        path: what is before REST's own paths.
        model: its name.
        version: one of it; without it and a label the latest.
        label: names a version.
        timeout: seconds for a whole call.
        tls: the files of an encrypted connection.
    """

    scheme: str
    host: str
    port: int
    path: str
    model: str
    version: int | None
    label: str | None
    timeout: float
    tls: Tls

    @property
    def is_rest(self) -> bool:
        """Whether it is spoken to over REST."""
        return self.scheme in ("http", "https")

    @property
    def is_encrypted(self) -> bool:
        """Whether the connection is."""
        return self.scheme in ("https", "grpcs")

    @property
    def address(self) -> str:
        """Host and port, as gRPC names a server."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def url(self) -> str:
        """The server's URL."""
        return f"{self.scheme}://{self.address}{self.path}"

    @property
    def model_url(self) -> str:
        """The model's URL in REST."""
        url = f"{self.url}/v1/models/{quote(self.model, safe='')}"
        if self.version is not None:
            return f"{url}/versions/{self.version}"
        if self.label is not None:
            return f"{url}/labels/{quote(self.label, safe='')}"
        return url

    @property
    def named(self) -> str:
        """The model, for messages."""
        if self.version is not None:
            return f"{self.model}, version {self.version}"
        if self.label is not None:
            return f"{self.model}, label {self.label}"
        return self.model

    def unreachable(self, said: object, retry_after: float | None = None) -> Unavailable:
        """Says that there is no connection, or no more."""
        hint = ""
        if self.is_encrypted:
            hint = " A server that does not trust your certificate may also end like this."
        return Unavailable(
            f"{self.url} is not available: {_quoted(said)}. Is a server running there, and is this "
            f"where its {'REST' if self.is_rest else 'gRPC'} API listens?{hint}",
            retry_after=retry_after,
        )

    def busy(self, said: object, retry_after: float | None) -> Unavailable:
        """Says that the server has no time now."""
        wanted = "" if retry_after is None else f" It wants a pause of {retry_after:g} s."
        return Unavailable(
            f"{self.url} cannot serve {self.named} now: {_quoted(said)}.{wanted} Try later, or "
            "fewer at a time.",
            retry_after=retry_after,
        )

    def tls_failed(self, said: object) -> TlsFailed:
        """Says that no encrypted connection was agreed upon."""
        return TlsFailed(
            f"{self.url}: no encrypted connection was agreed upon: {_quoted(said)}. Does the "
            "server speak TLS there? Give the authority that signed its certificate and, if it "
            "requires yours, your certificate with its key."
        )

    def unknown(self, said: object) -> UnknownModel:
        """Says that the model is not served."""
        return UnknownModel(
            f"{self.url} does not serve {self.named}. It says: {_quoted(said)}. Give the name, and "
            "the version or label, of a model that it serves."
        )

    def late(self) -> DeadlinePassed:
        """Says that the time of a call is over."""
        return DeadlinePassed(
            f"{self.url} sent no response for {self.named} within {self.timeout:g} s. Give it more "
            "time, or fewer images at a time."
        )

    def refused(self, said: object) -> Refused:
        """Says that the server does not serve a call like this."""
        return Refused(
            f"{self.url} does not support this call for {self.named}: {_quoted(said)}. Its "
            "metadata describe what the model takes."
        )

    def too_large(self, size: int) -> Refused:
        """Says that a request is not sent because of its size."""
        return Refused(
            f"The images make a request of {size:,} bytes, and a server takes {MESSAGE_BYTES:,}. "
            "Give fewer images at a time."
        )

    def too_long(self) -> NotOurModel:
        """Says that a response is not read because of its size."""
        return self.not_ours(f"its response has more than {RESPONSE_BYTES:,} bytes")

    def not_ours(self, why: str) -> NotOurModel:
        """Says that the server is not one of a chest X-ray model."""
        return NotOurModel(
            f"{self.named} at {self.url} is not a served chest X-ray model of this pipeline: "
            f"{_quoted(why)}. Give the URL and the name of one."
        )


def parse(
    url: str,
    *,
    model: str,
    version: int | None,
    label: str | None,
    timeout: float,
    tls: Tls | None,
) -> Endpoint:
    """Reads a URL.

    Raises:
        UserError: it is not a server's, or the other arguments contradict each other.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise UserError(f"{url} is not a URL: {error}.") from error
    if parts.username is not None or parts.password is not None:
        raise UserError("The URL names a user. Give it without; servers of models know none.")
    path = parts.path.rstrip("/")
    has_more = bool(parts.query or parts.fragment or (path and parts.scheme.startswith("grpc")))
    host = parts.hostname or ""
    is_url = parts.scheme in _PORTS and _is_host(host) and _PATH.fullmatch(path)
    if not is_url or has_more or port == 0:
        raise UserError(
            f"{url} is not a URL of a server of models. Give http://HOST:8501 or https://HOST for "
            "REST, grpc://HOST:8500 or grpcs://HOST:8500 for gRPC."
        )
    if version is not None and label is not None:
        raise UserError(f"Give version {version} or label {label}, not both.")
    if not 0 < timeout < math.inf:
        raise UserError(f"A timeout of {timeout:g} s is invalid. Give a number of seconds above 0.")
    if tls is not None and parts.scheme not in ("https", "grpcs"):
        raise UserError(
            f"{url} is not encrypted, and TLS files are given. Give {parts.scheme}s://…"
        )
    return Endpoint(
        scheme=parts.scheme,
        host=host,
        port=_PORTS[parts.scheme] if port is None else port,
        path=path,
        model=model,
        version=version,
        label=label,
        timeout=timeout,
        tls=tls or Tls(),
    )


def _is_host(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return _NAME.fullmatch(name) is not None
    return True


def _quoted(said: object) -> str:
    """What another program says, on one line, without its full stop and terminals' commands."""
    shown = "".join(each if each.isprintable() else " " for each in str(said))
    text = " ".join(shown.split()).rstrip(".") or "no reason is given"
    return text if len(text) <= _LONGEST_QUOTE else f"{text[:_LONGEST_QUOTE]}…"
