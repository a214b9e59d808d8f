import pytest
from cryptography.hazmat.primitives import serialization

from serving.client import Tls, TlsFailed, Unavailable
from serving.model import Model
from tests.serving.certificates import Authority, key_pem
from tests.serving.client.calling import IMAGE
from tests.serving.client.conftest import pair_files
from transform_module.errors import UserError


@pytest.fixture(params=["rest", "grpc"])
def url(request, encrypted):
    return getattr(encrypted, request.param)


def test_a_client_with_a_certificate_gets_a_response(
    url, call, version, authority_file, client_files
):
    tls = Tls(authority_file, *client_files)
    assert call(url, "predict", [IMAGE], tls=tls) == Model(version).predict([IMAGE])


def test_certificate_and_key_may_are_in_one_file(url, call, authority_file, client_files, tmp_path):
    both = tmp_path / "both.pem"
    both.write_bytes(b"".join(file.read_bytes() for file in client_files))
    assert call(url, "status", tls=Tls(authority_file, both))


def test_a_server_of_an_unknown_authority_gets_no_request(url, call, client_files, tmp_path):
    stranger = tmp_path / "stranger.pem"
    stranger.write_text(Authority("stranger").certificate)
    for trusted in (None, stranger):
        with pytest.raises(TlsFailed) as caught:
            call(url, "predict", [IMAGE], tls=Tls(trusted, *client_files))
        assert f"{url}: no encrypted connection was agreed upon: " in str(caught.value)
        assert "CERTIFICATE_VERIFY_FAILED" in str(caught.value)
        assert "tried" not in str(caught.value)


def test_a_server_with_a_certificate_for_another_name_gets_no_request(
    url, call, authority_file, client_files
):
    other_name = url.replace("127.0.0.1", "[::ffff:127.0.0.1]")
    with pytest.raises(TlsFailed, match=r"mismatch|Hostname Verification"):
        call(other_name, "predict", [IMAGE], tls=Tls(authority_file, *client_files))


def test_a_client_without_a_trusted_certificate_gets_no_response(
    url, call, authority_file, tmp_path
):
    untrusted = pair_files(Authority("stranger"), tmp_path / "stranger")
    for tls in (Tls(authority_file), Tls(authority_file, *untrusted)):
        with pytest.raises((Unavailable, TlsFailed), match="your certificate"):
            call(url, "predict", [IMAGE], tls=tls, retries=0)


def test_a_server_in_the_clear_gets_no_encrypted_request(served, call):
    for url in (served.rest.replace("http", "https"), served.grpc.replace("grpc", "grpcs")):
        with pytest.raises(TlsFailed, match="Does the server speak TLS there"):
            call(url, "predict", [IMAGE])


@pytest.mark.parametrize("url", ["https://127.0.0.1:9", "grpcs://127.0.0.1:9"])
def test_files_that_cannot_be_used_are_reported_before_anything_is_sent(
    url, call, authority, authority_file, client_files, tmp_path
):
    missing, text, locked = (tmp_path / name for name in ("missing", "text", "locked"))
    text.write_text("no certificate")
    certificate, key = client_files
    private_key = serialization.load_pem_private_key(key.read_bytes(), None)
    locked.write_text(key_pem(private_key, b"secret"))
    for tls, message in (
        (Tls(missing), missing),
        (Tls(text), text),
        (Tls(None, missing, key), missing),
        (Tls(None, certificate, text), text),
        (Tls(None, certificate), certificate),
        (Tls(None, authority_file, key), key),
        (Tls(None, certificate, locked), "unencrypted"),
        (Tls(None, None, key), "a key without a certificate"),
    ):
        with pytest.raises(UserError) as caught:
            call(url, "status", tls=tls)
        assert str(message) in str(caught.value)


@pytest.mark.parametrize("url", ["http://127.0.0.1:9", "grpc://127.0.0.1:9"])
def test_files_without_encryption_are_reported(url, call, authority_file):
    with pytest.raises(UserError, match=r"is not encrypted.*Give (https|grpcs)://"):
        call(url, "status", tls=Tls(authority_file))
