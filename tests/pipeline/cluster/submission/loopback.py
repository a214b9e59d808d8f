"""Servers on the loopback that speak the part of the clusters' APIs that is used, with faults.

Requests and responses are read and written with the clients' own definitions, which refuse what the
real servers would not understand.
"""

import json
import re
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import kfp_server_api
from google.cloud import aiplatform_v1
from google.protobuf import json_format

BREAK = 0


@dataclass
class Server:
    """The requests, and the responses to them.

    Attributes:
        url: where it listens.
        requests: method, path and body of each.
        faults: statuses that the next requests to a path get, by a part of "METHOD path"; `BREAK`
            breaks the connection.
        states: how the run stands at each look; the last one stays.
        requires: a header and its value, without which the page of a login is sent.
    """

    url: str = ""
    requests: list[tuple[str, str, Any]] = field(default_factory=list)
    faults: dict[str, list[int]] = field(default_factory=dict)
    states: list[Any] = field(default_factory=list)
    requires: tuple[str, str] | None = None

    def bodies(self, wanted: str) -> list[Any]:
        return [body for method, path, body in self.requests if wanted in f"{method} {path}"]

    def state(self) -> Any:
        return self.states.pop(0) if len(self.states) > 1 else self.states[0]

    def fault(self, call: str) -> int | None:
        for part, statuses in self.faults.items():
            if part in call and statuses:
                return statuses.pop(0)
        return None


class Refused(Exception):
    """A request that a real server would refuse."""


@contextmanager
def serving(response: Any, tls: ssl.SSLContext | None = None) -> Iterator[Server]:
    """Serves `response(server, method, path, query, body)`, which returns a dictionary."""
    server = Server()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _handle(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            text = self.rfile.read(length)
            is_json = "json" in (self.headers.get("Content-Type") or "")
            body = json.loads(text) if text and is_json else None
            url = urlsplit(self.path)
            call = f"{self.command} {url.path}"
            if url.path == "/dex/auth":
                self._send(200, b"<html>Log in to Your Account</html>", "text/html")
                return
            if server.requires and self.headers.get(server.requires[0]) != server.requires[1]:
                self.send_response(302)
                self.send_header("Location", "/dex/auth")
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            server.requests.append((self.command, url.path, body))
            status = server.fault(call)
            if status == BREAK:
                self.close_connection = True
                self.connection.close()
                return
            if status is None:
                try:
                    query = {key: each[0] for key, each in parse_qs(url.query).items()}
                    status, content = 200, response(server, self.command, url.path, query, body)
                except Refused as error:
                    status, content = 400, {"error": {"code": 400, "message": str(error)}}
            else:
                said = f"fault {status}"
                content = {"message": said, "error": {"code": status, "message": said}}
            self._send(status, json.dumps(content).encode())

        def _send(self, status: int, content: bytes, kind: str = "application/json") -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = _handle

        def log_message(self, *arguments: Any) -> None:
            pass

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    http.daemon_threads = True
    if tls:
        http.socket = tls.wrap_socket(http.socket, server_side=True)
    server.url = f"{'https' if tls else 'http'}://127.0.0.1:{http.server_port}"
    thread = threading.Thread(target=http.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        http.shutdown()
        http.server_close()


def _known(kind: type, content: Any) -> None:
    """Checks that a body has no field that the client's own definition lacks."""
    known = set(kind.attribute_map.values())  # type: ignore[attr-defined]
    if extra := set(content) - known:
        raise Refused(f"{kind.__name__} has no {sorted(extra)}")


def kubeflow(server: Server, method: str, path: str, query: dict[str, str], body: Any) -> Any:
    match method, path.removeprefix("/apis/v2beta1/").split("/"):
        case "GET", ["healthz"]:
            return {"multi_user": False}
        case "GET", ["experiments"]:
            return {}
        case "POST", ["experiments"]:
            _known(kfp_server_api.V2beta1Experiment, body)
            return {**body, "experiment_id": "e1"}
        case "POST", ["runs"]:
            _known(kfp_server_api.V2beta1Run, body)
            return {**body, "run_id": "r1", "state": "PENDING"}
        case "GET", ["runs", "r1"]:
            return {"run_id": "r1", **server.state()}
        case "POST", ["recurringruns"]:
            _known(kfp_server_api.V2beta1RecurringRun, body)
            return {**body, "recurring_run_id": "s1"}
    raise Refused(f"unknown: {method} {path}")


_PARENT = "projects/p/locations/us-central1"


def vertex(server: Server, method: str, path: str, query: dict[str, str], body: Any) -> Any:
    if path == "/token":
        return {"access_token": "t", "expires_in": 3600, "token_type": "Bearer"}
    if path.startswith("/storage/v1/b/"):  # the client looks for the root's bucket
        name = path.rpartition("/")[2]
        return {"kind": "storage#bucket", "name": name, "projectNumber": "1"}
    name = re.sub(r"^/v1(beta1)?/", "", path)
    if method == "POST" and name == f"{_PARENT}/pipelineJobs":
        job = aiplatform_v1.PipelineJob.pb()()
        _parse(body, job)
        return {**body, "name": f"{name}/{query['pipelineJobId']}", "state": _state("PENDING")}
    if method == "GET" and name.startswith(f"{_PARENT}/pipelineJobs/"):
        return {"name": name, **server.state()}
    if method == "POST" and name == f"{_PARENT}/schedules":
        _parse(body, aiplatform_v1.Schedule.pb()())
        return {**body, "name": f"{name}/s1", "state": "ACTIVE"}
    raise Refused(f"unknown: {method} {path}")


def _state(name: str) -> str:
    return f"PIPELINE_STATE_{name}"


def _parse(body: Any, message: Any) -> None:
    try:
        json_format.ParseDict(body, message)
    except json_format.ParseError as error:
        raise Refused(str(error)) from None
