"""Encryption, set by TensorFlow Serving's file of ``--ssl_config_file``."""

import os
import ssl
import tempfile
from pathlib import Path
from typing import Any

import grpc
from google.protobuf import text_format

from serving.tensorflow_serving import protos
from transform_module.errors import UserError


def read(path: Path) -> Any:
    """Reads the file.

    Args:
        path: a ``tensorflow.serving.SSLConfig`` in the text format.

    Returns:
        The message, whose keys and certificates are PEM texts.

    Raises:
        UserError: it cannot be read, or lacks the server's key or certificate.
    """
    try:
        config = text_format.Parse(path.read_text(encoding="utf-8"), protos.ssl_config()())
    except (OSError, UnicodeDecodeError, text_format.ParseError) as error:
        raise UserError(f"{path}: no SSLConfig text proto: {error}") from error
    for name in ("server_key", "server_cert"):
        if not getattr(config, name):
            raise UserError(f"{path}: {name}: is missing; it is a PEM text.")
    if config.client_verify and not config.custom_ca:
        raise UserError(f"{path}: custom_ca: is missing; client_verify needs it.")
    return config


def for_http(config: Any) -> ssl.SSLContext:
    """Makes the context that REST is served with.

    Raises:
        UserError: the key or a certificate is invalid.
    """
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    # The ssl module reads keys from files alone.
    handle, name = tempfile.mkstemp(suffix=".pem")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(f"{config.server_key}\n{config.server_cert}\n")
        # An encrypted key is refused: without a password here, OpenSSL prompts for one and waits.
        context.load_cert_chain(name, password="")
        if config.client_verify:
            context.load_verify_locations(cadata=config.custom_ca)
            context.verify_mode = ssl.CERT_REQUIRED
    except (OSError, TypeError, ValueError) as error:
        raise UserError(f"The SSL configuration cannot be used: {error}") from error
    finally:
        Path(name).unlink()
    return context


def for_grpc(config: Any) -> grpc.ServerCredentials:
    """Makes the credentials that gRPC is served with."""
    return grpc.ssl_server_credentials(
        [(config.server_key.encode(), config.server_cert.encode())],
        config.custom_ca.encode() or None,
        config.client_verify,
    )
