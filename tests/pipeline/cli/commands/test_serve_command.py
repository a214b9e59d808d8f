from click.testing import CliRunner

from pipeline.cli.commands.serve_command import rollback, serve
from serving.versions import pushed
from serving.versions.push import push
from serving.versions.signature import VERIFY_KEY
from tests.serving.versions import signed


def versions(folder):
    for content in (b"one", b"two"):
        saved = folder / content.decode()
        saved.mkdir()
        (saved / "saved_model.pb").write_bytes(content)
        yield push(saved, folder / "cxr", {})


def called(*arguments):
    return CliRunner().invoke(rollback, [str(each) for each in arguments])


def test_a_rollback_says_what_is_back(tmp_path):
    first, second = versions(tmp_path)
    done = called(tmp_path / "cxr")
    restored = pushed.latest(tmp_path, "cxr")
    assert done.exit_code == 0
    assert done.output == (
        f"Version {first.version} is back, as version {restored.version}: {restored.path}\n"
    )
    assert second.version < restored.version


def test_a_rollback_from_a_broken_version_goes_back_by_one(tmp_path):
    first, second = versions(tmp_path)
    (second.path / pushed.MANIFEST).unlink()
    assert f"Version {first.version} is back" in called(tmp_path / "cxr").output


def test_what_cannot_be_is_one_sentence(tmp_path):
    done = called(tmp_path / "nowhere")
    assert done.exit_code == 1
    assert "nowhere: there is no such folder." in done.output
    (tmp_path / "cxr").mkdir()
    assert "there is no pushed version to go back to" in called(tmp_path / "cxr").output
    list(versions(tmp_path))
    assert "there is no version 5. There are" in called(tmp_path / "cxr", "--to", "5").output


def test_a_bucket_is_read_as_one():
    done = called("ram://nowhere/cxr")
    assert done.exit_code == 1
    assert "ram://nowhere/cxr: there is no pushed version to go back to." in done.output


def test_a_rollback_is_signed_as_configured_and_refused_without(tmp_path, monkeypatch):
    keys = signed.keys(tmp_path / "keys")
    first, _ = (signed.version(tmp_path, keys.settings, each) for each in (b"one", b"two"))
    monkeypatch.setenv(VERIFY_KEY, str(keys.public))
    folder = tmp_path / "push" / "cxr"
    done = called(folder)
    assert done.exit_code == 1
    assert "nothing says who signs this one. Nothing was published." in done.output
    given = {"method": "key", "private_key": keys.settings.private_key}
    sets = [f"--set=push.signing.{name}={value}" for name, value in given.items()]
    done = called(folder, *sets)
    assert f"Version {first.version} is back" in done.output
    assert pushed.verify(pushed.latest(tmp_path / "push", "cxr").path) == []


def test_where_a_signature_is_required_unverified_models_are_not_allowed(tmp_path, monkeypatch):
    keys = signed.keys(tmp_path / "keys")
    monkeypatch.setenv(VERIFY_KEY, str(keys.public))
    monkeypatch.setenv("GLIBC_TUNABLES", "")  # or the command would start this process anew
    done = CliRunner().invoke(serve, [str(tmp_path), "--allow-unverified"])
    assert done.exit_code == 1
    assert "Leave out the one or the other." in done.output
