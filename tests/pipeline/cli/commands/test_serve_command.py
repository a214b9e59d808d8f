from click.testing import CliRunner

from pipeline.cli.commands.serve_command import rollback
from serving.versions import pushed
from serving.versions.push import push


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
