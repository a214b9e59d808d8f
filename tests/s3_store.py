"""A store that speaks S3 on the loopback (moto's), and a proxy in front of it that spoils answers.

The store runs in this process and forgets all at its end.
"""

import http.client
import logging
import re
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

from moto.server import ThreadedMotoServer

BUCKET = "mlpipeline"

Spoil = Callable[[str, str, int, bytes], tuple[int, bytes, bool]]
"""From the method, the path, the status and the body: status and body to send, and whether the
connection breaks in the middle of the body."""


@dataclass
class Store:
    """The proxy.

    Attributes:
        url: its address.
        spoil: changes answers; None changes none.
        seen: the requests, such as ``GET /mlpipeline/a``.
    """

    url: str = ""
    spoil: Spoil | None = None
    seen: list[str] = field(default_factory=list)


@contextmanager
def started() -> Iterator[Store]:
    """Runs the store, with one bucket, until the block ends."""
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    moto = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    moto.start()
    host, port = moto.get_host_and_port()
    store = Store()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_any(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            behind = http.client.HTTPConnection(host, port)
            behind.request(self.command, self.path, body, dict(self.headers))
            answer = behind.getresponse()
            content, status, cut = answer.read(), answer.status, False
            length = answer.headers["Content-Length"] or str(len(content))
            store.seen.append(f"{self.command} {self.path}")
            if store.spoil:
                before = content
                status, content, cut = store.spoil(self.command, self.path, status, content)
                if content != before and not cut:
                    length = str(len(content))
            self.send_response(status)
            for name, value in answer.headers.items():
                if name not in ("Content-Length", "Transfer-Encoding", "Connection"):
                    self.send_header(name, value)
            self.send_header("Content-Length", length)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(content)
            if cut:
                self.close_connection = True

        do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = do_any

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    proxy = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    store.url = f"http://127.0.0.1:{proxy.server_port}"
    Thread(target=proxy.serve_forever, daemon=True).start()
    signed = {"Authorization": "AWS4-HMAC-SHA256 Credential=a/20200101/us-east-1/s3/aws4_request"}
    made = urllib.request.Request(f"http://{host}:{port}/{BUCKET}", method="PUT", headers=signed)
    urllib.request.urlopen(made).close()
    try:
        yield store
    finally:
        proxy.shutdown()
        proxy.server_close()
        moto.stop()


def environment(store: Store) -> dict[str, str]:
    """The variables of the clients."""
    return {
        "AWS_ENDPOINT_URL": store.url,
        "AWS_ACCESS_KEY_ID": "minio",
        "AWS_SECRET_ACCESS_KEY": "minio123",
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def denied(method: str, path: str, status: int, body: bytes) -> tuple[int, bytes, bool]:
    """A key without permission."""
    return 403, b"<Error><Code>AccessDenied</Code><Message>no</Message></Error>", False


def without(name: str) -> Spoil:
    """A list that does not have an object yet that was just written."""

    def spoil(method: str, path: str, status: int, body: bytes) -> tuple[int, bytes, bool]:
        entry = rb"<Contents>(?:(?!</Contents>).)*" + name.encode() + rb".*?</Contents>"
        return status, re.sub(entry, b"", body, flags=re.DOTALL), False

    return spoil


class CutOnce:
    """Breaks the connection in the middle of an object's first answer."""

    def __init__(self, times: int = 1) -> None:
        self.left = times

    def __call__(self, method: str, path: str, status: int, body: bytes) -> tuple[int, bytes, bool]:
        if method == "GET" and "list-type" not in path and body and self.left > 0:
            self.left -= 1
            return status, body[: len(body) // 2], True
        return status, body, False
