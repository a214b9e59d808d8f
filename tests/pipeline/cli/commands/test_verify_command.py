import json

import pytest
from click.testing import CliRunner

from pipeline.cli.main import main
from serving.versions.signature import SIGNATURE, VERIFY_KEY
from serving.versions.signing import UNSIGNED
from tests.serving.versions import signed


@pytest.fixture
def keys(tmp_path):
    return signed.keys(tmp_path / "keys")


def verify(*arguments):
    return CliRunner().invoke(main, ["verify", *map(str, arguments)])


def test_each_version_is_said_with_its_signer(tmp_path, keys):
    versions = [signed.version(tmp_path, keys.settings, each) for each in (b"one", b"two")]
    result = verify(tmp_path / "push" / "cxr", "--key", keys.public)
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert [line.split()[0] for line in lines] == [str(each.version) for each in versions]
    assert all("sums: match  signature: key " in line for line in lines)


def test_a_changed_file_is_named(tmp_path, keys):
    version = signed.version(tmp_path, keys.settings)
    (version.path / "variables/data").write_bytes(b"other")
    for arguments in ((version.path,), (version.path, "--key", keys.public)):
        result = verify(*arguments)
        assert result.exit_code == 1
        assert "variables/data" in result.stderr
        assert "sums: REFUSED" in result.stdout


def test_without_a_key_it_says_what_was_not_verified(tmp_path, keys):
    version = signed.version(tmp_path, UNSIGNED)
    assert "signature: none" in verify(version.path).stdout
    version = signed.version(tmp_path, keys.settings, b"signed")
    assert "signature: not verified" in verify(version.path).stdout


@pytest.mark.parametrize("by", ["--key", "environment"])
def test_an_unsigned_version_is_refused_where_a_key_is_given(tmp_path, keys, monkeypatch, by):
    version = signed.version(tmp_path, UNSIGNED)
    if by == "environment":
        monkeypatch.setenv(VERIFY_KEY, str(keys.public))
    result = verify(version.path, *(["--key", keys.public] if by == "--key" else []))
    assert result.exit_code == 1
    assert f"{version.path / SIGNATURE}: the version is not signed" in result.stderr


def test_a_certificate_is_named_and_json_has_it(tmp_path):
    chain = signed.Chain(tmp_path / "chain")
    version = signed.version(tmp_path, chain.settings("between"))
    result = verify(version.path, "--certificate", chain.root, "--json")
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout) == [
        {
            "version": str(version.version),
            "sums": True,
            "is_signed": True,
            "signer": "certificate CN=hospital",
            "problems": [],
        }
    ]


@pytest.mark.parametrize(
    "arguments",
    [("--key", "KEY", "--certificate", "KEY"), ("--identity", "ann"), ("--issuer", "https://a")],
)
def test_options_that_contradict_each_other_are_refused(tmp_path, keys, arguments):
    version = signed.version(tmp_path, keys.settings)
    given = [str(keys.public) if each == "KEY" else each for each in arguments]
    result = verify(version.path, *given)
    assert result.exit_code == 1
    assert "Give one of --key FILE" in result.stderr


def test_a_key_is_no_certificate(tmp_path, keys):
    version = signed.version(tmp_path, keys.settings)
    result = verify(version.path, "--certificate", keys.public)
    assert result.exit_code == 1
    assert "holds the other one" in result.stderr


def test_a_folder_without_versions_is_refused(tmp_path):
    result = verify(tmp_path)
    assert result.exit_code == 1
    assert "there is no version to verify" in result.stderr
