"""A client of a served model: REST or gRPC by the URL, blocking or asynchronous.

    with connect("grpc://127.0.0.1:8500") as client:
        (prediction,) = client.predict([Path("xray.jpeg").read_bytes()])

The embedded server and TensorFlow Serving are called alike. Over REST nothing of TensorFlow is
imported.
"""

from serving.client.address import MAXIMUM_IMAGE, Tls
from serving.client.call_errors import (
    ClientError,
    DeadlinePassed,
    NotOurModel,
    Refused,
    TlsFailed,
    Unavailable,
    UnknownModel,
)
from serving.client.clients import AsyncClient, Client, connect, connect_async
from serving.client.responses import Metadata, Signature, Tensor, VersionStatus
from serving.model import Prediction

__all__ = [
    "MAXIMUM_IMAGE",
    "AsyncClient",
    "Client",
    "ClientError",
    "DeadlinePassed",
    "Metadata",
    "NotOurModel",
    "Prediction",
    "Refused",
    "Signature",
    "Tensor",
    "Tls",
    "TlsFailed",
    "Unavailable",
    "UnknownModel",
    "VersionStatus",
    "connect",
    "connect_async",
]
