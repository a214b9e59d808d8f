import socket
import ssl
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import grpc
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from google.protobuf import text_format

from serving.server import tls
from tests.serving.certificates import Authority, Pair, key_pem, ssl_config, write
from transform_module.errors import UserError

SECONDS = 600

AUTHORITY = Authority()
SERVER = AUTHORITY.sign("server")
CLIENT = AUTHORITY.sign("client")
STRANGER = Authority("another authority").sign("stranger")


def written(tmp_path, config):
    path = tmp_path / "ssl.config"
    path.write_text(text_format.MessageToString(config))
    return path


class TestRead:
    def test_a_file_is_read(self, tmp_path):
        config = ssl_config(SERVER, AUTHORITY, verify=True)
        assert tls.read(written(tmp_path, config)) == config

    def test_keys_may_are_in_lines(self, tmp_path):
        """As TensorFlow Serving's documentation shows it."""
        path = tmp_path / "ssl.config"
        texts = {"server_key": SERVER.key, "server_cert": SERVER.certificate}
        path.write_text(
            "".join(
                f"{name}: " + "\n".join(f'"{line}\\n"' for line in text.splitlines()) + "\n"
                for name, text in texts.items()
            )
        )
        assert tls.read(path) == ssl_config(SERVER)

    @pytest.mark.parametrize("name", ["server_key", "server_cert"])
    def test_a_file_without_key_or_certificate_is_refused(self, tmp_path, name):
        config = ssl_config(SERVER)
        config.ClearField(name)
        path = written(tmp_path, config)
        with pytest.raises(UserError, match=rf"^{path}: {name}: is missing"):
            tls.read(path)

    def test_clients_cannot_be_verified_without_an_authority(self, tmp_path):
        path = written(tmp_path, ssl_config(SERVER, verify=True))
        with pytest.raises(UserError, match=r"custom_ca: is missing; client_verify needs it"):
            tls.read(path)

    @pytest.mark.parametrize("content", [b"server_kee: 'x'", b"\xff\xfe", b"{}", None])
    def test_what_is_not_such_a_file_is_refused(self, tmp_path, content):
        path = tmp_path / "ssl.config"
        if content is not None:
            path.write_bytes(content)
        with pytest.raises(UserError, match=rf"^{path}: no SSLConfig text proto: "):
            tls.read(path)


@contextmanager
def https(config):
    """Returns to the first client, over TLS, what it sent; yields the port."""
    context = tls.for_http(config)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(SECONDS)

        def response():
            try:
                connection, _ = listener.accept()
                connection.settimeout(SECONDS)
                with context.wrap_socket(connection, server_side=True) as encrypted:
                    encrypted.sendall(encrypted.recv(100))
            except OSError:
                pass

        thread = threading.Thread(target=response)
        thread.start()
        yield listener.getsockname()[1]
        thread.join(SECONDS)


def said(port, tmp_path, pair=None, trusted=AUTHORITY):
    """What a client gets back over TLS."""
    context = ssl.create_default_context(cadata=trusted.certificate)
    if pair:
        context.load_cert_chain(*write(tmp_path / "client", pair))
    with (
        socket.create_connection(("127.0.0.1", port), SECONDS) as connection,
        context.wrap_socket(connection, server_hostname="127.0.0.1") as encrypted,
    ):
        encrypted.sendall(b"hello")
        return encrypted.recv(100)


class TestHttp:
    def test_the_server_has_its_certificate(self, tmp_path):
        with https(ssl_config(SERVER)) as port:
            assert said(port, tmp_path) == b"hello"

    def test_a_client_that_trusts_another_authority_leaves(self, tmp_path):
        with https(ssl_config(SERVER)) as port, pytest.raises(ssl.SSLCertVerificationError):
            said(port, tmp_path, trusted=Authority("other"))

    def test_a_verified_client_is_let_in(self, tmp_path):
        with https(ssl_config(SERVER, AUTHORITY, verify=True)) as port:
            assert said(port, tmp_path, CLIENT) == b"hello"

    @pytest.mark.parametrize("pair", [None, STRANGER])
    def test_any_other_is_not(self, tmp_path, pair):
        with (
            https(ssl_config(SERVER, AUTHORITY, verify=True)) as port,
            pytest.raises((ssl.SSLError, ConnectionError)),
        ):
            assert said(port, tmp_path, pair) == b"hello"

    def test_without_verification_anybody_is(self, tmp_path):
        with https(ssl_config(SERVER, AUTHORITY)) as port:
            assert said(port, tmp_path) == b"hello"

    @pytest.mark.parametrize(
        "change",
        [
            {"server_key": "no key"},
            {"server_cert": "no certificate"},
            {"server_key": STRANGER.key},
            {"server_key": SERVER.key[:60]},
            {"custom_ca": "no certificate"},
            {"custom_ca": "Zürich"},
        ],
    )
    def test_what_cannot_be_used_is_reported(self, change):
        config = ssl_config(SERVER, AUTHORITY, verify=True)
        for name, text in change.items():
            setattr(config, name, text)
        with pytest.raises(UserError, match=r"^The SSL configuration cannot be used: "):
            tls.for_http(config)

    def test_an_encrypted_key_is_refused_without_a_prompt(self, capfd):
        key = key_pem(ec.generate_private_key(ec.SECP256R1()), b"password")
        with pytest.raises(UserError, match=r"^The SSL configuration cannot be used: "):
            tls.for_http(ssl_config(Pair(key, SERVER.certificate)))
        assert capfd.readouterr() == ("", "")

    def test_the_key_leaves_no_file(self, tmp_path, monkeypatch):
        monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
        tls.for_http(ssl_config(SERVER))
        with pytest.raises(UserError):
            tls.for_http(ssl_config(Pair("no key", SERVER.certificate)))
        assert list(Path(tmp_path).iterdir()) == []


class TestGrpc:
    @contextmanager
    def serving(self, config):
        def echo(request, context):
            return request

        handlers = {"Echo": grpc.unary_unary_rpc_method_handler(echo)}
        with ThreadPoolExecutor(1) as executor:
            server = grpc.server(executor)
            server.add_generic_rpc_handlers(
                (grpc.method_handlers_generic_handler("t.T", handlers),)
            )
            port = server.add_secure_port("127.0.0.1:0", tls.for_grpc(config))
            server.start()
            yield f"127.0.0.1:{port}"
            server.stop(None).wait()

    def said(self, address, pair=None, trusted=AUTHORITY):
        credentials = grpc.ssl_channel_credentials(
            trusted.certificate.encode(),
            *((pair.key.encode(), pair.certificate.encode()) if pair else ()),
        )
        options = [("grpc.enable_http_proxy", 0)]
        with grpc.secure_channel(address, credentials, options) as channel:
            return channel.unary_unary("/t.T/Echo")(b"hello", timeout=SECONDS)

    @pytest.mark.parametrize(
        ("authority", "verify", "pair"),
        [
            (None, False, None),
            (AUTHORITY, False, None),
            (AUTHORITY, False, CLIENT),
            (AUTHORITY, True, CLIENT),
        ],
    )
    def test_who_is_let_in(self, authority, verify, pair):
        with self.serving(ssl_config(SERVER, authority, verify=verify)) as address:
            assert self.said(address, pair) == b"hello"

    @pytest.mark.parametrize("pair", [None, STRANGER])
    def test_who_is_not(self, pair):
        with (
            self.serving(ssl_config(SERVER, AUTHORITY, verify=True)) as address,
            pytest.raises(grpc.RpcError) as refused,
        ):
            self.said(address, pair)
        assert refused.value.code() is grpc.StatusCode.UNAVAILABLE

    def test_a_client_that_trusts_another_authority_leaves(self):
        with (
            self.serving(ssl_config(SERVER)) as address,
            pytest.raises(grpc.RpcError) as refused,
        ):
            self.said(address, trusted=Authority("other"))
        assert refused.value.code() is grpc.StatusCode.UNAVAILABLE
