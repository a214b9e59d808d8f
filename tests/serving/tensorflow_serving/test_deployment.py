import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from serving.server.admission.batching_settings import BatchingSettings
from serving.tensorflow_serving import deployment, kserve, kubernetes, model_server
from serving.tensorflow_serving.compose import compose
from serving.tensorflow_serving.deployment import write
from serving.tensorflow_serving.served_model import find
from serving.tensorflow_serving.settings import DeploymentSettings, Ssl, Verification
from tests.serving.tensorflow_serving.manifests import kubernetes_problem
from tests.serving.versions import signed
from transform_module.errors import UserError

PLAIN = {
    "models.config",
    "batching.config",
    "monitoring.config",
    "compose.yaml",
    "kubernetes.yaml",
    "kubernetes-loader.yaml",
    "kserve.yaml",
}


@pytest.fixture
def out(tmp_path):
    return tmp_path / "new" / "deploy"


def read(path):
    return list(yaml.safe_load_all(path.read_text()))


def test_everything_is_written_and_listed(model, out):
    written = write(model, out)
    assert {path.name for path in written} == PLAIN
    assert sorted(written) == sorted(out.iterdir())


def test_the_files_say_what_the_functions_said(model, out):
    settings = DeploymentSettings(stable=7, canary=10)
    served = find(model, settings)
    contents = model_server.files(served, settings)
    write(model, out, settings=settings)
    for name, content in contents.items():
        assert (out / name).read_text() == content
    composed = compose(served, settings, contents=contents, model_path=model, out=out)
    assert read(out / "compose.yaml") == [composed]
    expected = kubernetes.resources(served, settings, contents=contents)
    assert read(out / "kubernetes.yaml") == expected
    assert read(out / "kubernetes-loader.yaml") == kubernetes.loader(served, settings)
    assert read(out / "kserve.yaml") == kserve.resources(served, settings, contents=contents)


def test_the_written_manifests_are_those_of_kubernetes(model, out):
    write(model, out)
    for name, count in (("kubernetes.yaml", 8), ("kubernetes-loader.yaml", 1)):
        assert [kubernetes_problem(manifest) for manifest in read(out / name)] == [None] * count


def test_no_file_but_one_holds_a_key_and_names_are_never_of_two_things(model, out, pem):
    write(model, out, settings=DeploymentSettings(ssl=Ssl(**pem)))
    for path in out.iterdir():
        assert ("PRIVATE KEY" in path.read_text()) == (path.name == "ssl.config")
    manifests = [
        manifest
        for name in ("kubernetes.yaml", "kubernetes-loader.yaml", "kserve.yaml")
        for manifest in read(out / name)
    ]
    names = [(each["kind"], each["metadata"]["name"]) for each in manifests]
    assert len(set(names)) == len(names)
    assert not [kind for kind, _ in names if kind in ("Secret", "Role", "RoleBinding")]


def test_all_places_serve_in_batches_of_the_same_sizes(model, out):
    batching = BatchingSettings(4, 100, 5, 1, (2, 4))
    write(model, out, settings=DeploymentSettings(batching=batching))
    texts = [
        (out / "batching.config").read_text(),
        read(out / "kubernetes.yaml")[0]["data"]["batching.config"],
        read(out / "kserve.yaml")[0]["data"]["batching.config"],
    ]
    assert [BatchingSettings.from_text_proto(text) for text in texts] == [batching] * 3


def test_a_key_is_written_for_its_owner_alone_and_nowhere_else(model, out, pem):
    write(model, out, settings=DeploymentSettings(ssl=Ssl(pem["key"], pem["certificate"])))
    assert {path.name for path in out.iterdir()} == {*PLAIN, "ssl.config"}
    assert (out / "ssl.config").stat().st_mode & 0o777 == 0o600
    assert (out / "models.config").stat().st_mode & 0o777 == 0o644
    holding = [path.name for path in out.iterdir() if "PRIVATE KEY" in path.read_text()]
    assert holding == ["ssl.config"]


def test_another_key_starts_another_server(model, out, pem):
    settings = DeploymentSettings(ssl=Ssl(pem["key"], pem["certificate"]))
    write(model, out, settings=settings)
    first = read(out / "compose.yaml")
    pem["key"].write_text(pem["key"].read_text().replace("text", "other"))
    write(model, out, settings=settings)
    assert read(out / "compose.yaml") != first


def test_a_file_is_replaced_whole(model, out):
    write(model, out, settings=DeploymentSettings(stable=7))
    with (out / "models.config").open() as reading:
        write(model, out, settings=DeploymentSettings(stable=10))
        old = reading.read()
    assert "value: 7" in old
    assert "value: 10" in (out / "models.config").read_text()


def test_writing_twice_writes_the_same(model, out):
    first = {path.name: path.read_bytes() for path in write(model, out)}
    assert {path.name: path.read_bytes() for path in write(model, out)} == first


def test_nothing_is_written_for_a_model_that_cannot_be_served(model, out):
    with pytest.raises(UserError, match="there is no version 8"):
        write(model, out, settings=DeploymentSettings(stable=8))
    assert not out.exists()


def test_nothing_is_left_of_a_file_that_cannot_be_written(model, out, monkeypatch):
    write(model, out)
    before = sorted(out.iterdir())
    monkeypatch.setattr(deployment.Path, "replace", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        write(model, out)
    assert sorted(out.iterdir()) == before


def test_tensorflow_is_not_loaded(model, out):
    script = (
        "import pathlib, sys\n"
        "from serving.tensorflow_serving.deployment import write\n"
        "write(*map(pathlib.Path, sys.argv[1:]))\n"
        "sys.exit('tensorflow' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", script, str(model), str(out)], check=True)


def test_the_key_that_verifies_is_in_the_configuration(model, out, tmp_path):
    keys = signed.keys(tmp_path / "keys")
    write(model, out, settings=DeploymentSettings(verification=Verification("cxr:1", keys.public)))
    (data,) = (each["data"] for each in read(out / "kubernetes.yaml") if "data" in each)
    assert data["verify-key.pem"] == keys.public.read_text()
    assert {path.name for path in out.iterdir()} == PLAIN


def test_a_key_that_is_none_is_refused(model, out, tmp_path):
    private = Path(signed.keys(tmp_path / "keys").settings.private_key)
    settings = DeploymentSettings(verification=Verification("cxr:1", private))
    with pytest.raises(UserError, match=r"verification\.key"):
        write(model, out, settings=settings)
