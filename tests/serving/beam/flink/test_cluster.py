import http.server
import json
import threading

import pytest

from serving.beam.flink.cluster import cluster_at
from tests.ports import reserved
from transform_module.errors import UserError


@pytest.fixture
def serving():
    """Serves one content to all requests; returns the address."""
    stack = []

    def start(content: bytes) -> str:
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(200)
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_):
                pass

        server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        stack.append(server)
        return f"127.0.0.1:{server.server_port}"

    yield start
    for server in stack:
        server.shutdown()
        server.server_close()


def overview(version):
    return json.dumps({"flink-version": version, "slots-total": 3}).encode()


@pytest.mark.parametrize("form", ["{}", "http://{}", "http://{}/"])
def test_a_cluster_says_how_much_it_runs_at_once(serving, form):
    address = serving(overview("1.19.3"))
    found = cluster_at(form.format(address))
    assert (found.address, found.slots) == (f"http://{address}", 3)


@pytest.mark.parametrize("version", ["1.20.1", "1.190.0", "2.0.0"])
def test_another_release_is_refused(serving, version):
    with pytest.raises(UserError, match=rf"is Flink {version}; the job server is for 1\.19\."):
        cluster_at(serving(overview(version)))


@pytest.mark.parametrize("content", [b"<html>", b"[]", b"{}", b'{"flink-version": "1.19.3"}'])
def test_another_server_is_not_taken_for_flink(serving, content):
    with pytest.raises(UserError, match="is not Flink's REST API"):
        cluster_at(serving(content))


def test_an_address_of_no_server_is_reported():
    with (
        reserved() as [port],
        pytest.raises(UserError, match=f"No Flink cluster responds at http://127.0.0.1:{port}"),
    ):
        cluster_at(f"127.0.0.1:{port}")
