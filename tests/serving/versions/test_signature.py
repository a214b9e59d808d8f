import json
import random
import shutil
import subprocess
import sys

import pytest

from serving.versions import pushed, signature
from serving.versions.push import push
from serving.versions.signature import SIGNATURE, VERIFY_KEY, Trust, from_file
from serving.versions.signing import UNSIGNED
from tests.serving.versions import made, signed
from transform_module.errors import UserError

CHANGES = 400


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    return signed.keys(tmp_path_factory.mktemp("keys"))


@pytest.fixture
def version(tmp_path, keys):
    return signed.version(tmp_path, keys.settings).path


@pytest.fixture
def required(monkeypatch, keys):
    """Requires a signature of the key."""
    monkeypatch.setenv(VERIFY_KEY, str(keys.public))


def unsigned(folder, weights=b"unsigned"):
    """Pushes a version where nothing requires a signature."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv(VERIFY_KEY, raising=False)
        return push(made.model(folder / "plain", weights), folder / "push" / "cxr", {}).path


def test_a_signed_version_is_whole_and_names_its_signer(required, version, keys):
    assert pushed.verify(version) == []
    assert signature.signer(version, Trust(key=keys.public)).startswith("key ")


@pytest.mark.usefixtures("required")
def test_a_changed_byte_of_any_file_is_refused_with_its_name(version):
    files = sorted(path for path in version.rglob("*") if path.is_file())
    assert {SIGNATURE, pushed.MANIFEST} <= {path.name for path in files}
    chance = random.Random(7)
    for _ in range(CHANGES):
        path = chance.choice(files)
        content = path.read_bytes()
        changed = bytearray(content)
        changed[chance.randrange(len(changed))] ^= chance.randrange(1, 256)
        path.write_bytes(changed)
        problems = pushed.verify(version)
        path.write_bytes(content)
        assert problems
        assert path.name in problems[0], (path, changed)
    assert pushed.verify(version) == []


@pytest.mark.usefixtures("required")
def test_sums_made_anew_do_not_stand_for_a_signature(version):
    (version / "variables/data").write_bytes(b"another's")
    manifest = pushed.read_manifest(version)
    (version / pushed.MANIFEST).write_text(json.dumps({**manifest, "files": pushed.sums(version)}))
    assert pushed.verify_sums(version) == []
    (problem,) = pushed.verify(version)
    assert problem == (
        f"{version / SIGNATURE}: the signature does not hold: manifest.json, variables/data was "
        "changed since"
    )


@pytest.mark.usefixtures("required")
@pytest.mark.parametrize("name", ["{number}1", "1"])
def test_a_signed_version_under_another_number_is_refused(version, name):
    replayed = version.with_name(name.format(number=version.name))
    shutil.copytree(version, replayed)
    assert "a version is never renamed" in pushed.verify(replayed)[0]
    manifest = pushed.read_manifest(replayed)
    text = json.dumps({**manifest, "version": int(replayed.name)}, indent=2) + "\n"
    (replayed / pushed.MANIFEST).write_text(text)
    assert pushed.verify_sums(replayed) == []
    assert pushed.MANIFEST in pushed.verify(replayed)[0]


@pytest.mark.usefixtures("required")
def test_a_signed_version_under_another_model_is_refused(version):
    replayed = version.parent.with_name("other") / version.name
    shutil.copytree(version, replayed)
    assert "a version is never renamed" in pushed.verify(replayed)[0]


@pytest.mark.usefixtures("required")
def test_the_signature_of_another_version_is_refused(tmp_path, version, keys):
    newer = signed.version(tmp_path, keys.settings, b"newer").path
    shutil.copyfile(version / SIGNATURE, newer / SIGNATURE)
    assert pushed.verify(newer)[0].startswith(f"{newer / SIGNATURE}: ")


@pytest.mark.usefixtures("required")
def test_a_signature_of_fewer_files_is_refused(tmp_path, version, keys):
    from model_signing import hashing, signing

    left = [version / SIGNATURE, version / "variables"]
    config = signing.Config().use_elliptic_key_signer(private_key=keys.settings.private_key)
    config.set_hashing_config(hashing.Config().set_ignored_paths(paths=left))
    config.sign(version, version / SIGNATURE)
    assert "it is not of variables/data" in pushed.verify(version)[0]


@pytest.mark.usefixtures("required")
def test_an_added_file_is_refused_and_a_note_is_not(version):
    (version / "README.txt").write_text("a note")
    assert pushed.verify(version) == []
    (version / "variables/more").write_text("")
    assert "variables/more" in pushed.verify(version)[0]


@pytest.mark.usefixtures("required")
def test_an_unsigned_version_is_refused_and_hides_no_older_signed_one(tmp_path, version):
    newer = unsigned(tmp_path)
    found = pushed.newest(tmp_path / "push", "cxr")
    assert found.version.path == version
    assert found.broken == (
        f"{newer / SIGNATURE}: the version is not signed, and a signature is required",
    )


@pytest.mark.usefixtures("required")
def test_another_key_is_refused(tmp_path):
    others = signed.keys(tmp_path / "others")
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv(VERIFY_KEY)
        version = signed.version(tmp_path, others.settings).path
    assert pushed.verify(version)[0].startswith(f"{version / SIGNATURE}: the signature does not")


def test_without_a_key_sums_decide(tmp_path):
    assert pushed.verify(unsigned(tmp_path)) == []


def test_whatever_the_library_raises_is_a_refusal(required, version, monkeypatch):
    from model_signing import verifying

    def fail(*_):
        raise MemoryError

    monkeypatch.setattr(verifying.Config, "verify", fail)
    assert pushed.verify(version) == [
        f"{version / SIGNATURE}: the signature does not hold: MemoryError()"
    ]


@pytest.mark.parametrize("content", [None, "", "-----BEGIN PRIVATE KEY-----", "both"])
def test_a_key_that_is_none_permits_nothing(tmp_path, version, monkeypatch, keys, content):
    path = tmp_path / "key.pem"
    if content is not None:
        both = keys.public.read_text() + signed.Chain(tmp_path / "chain").root.read_text()
        path.write_text(both if content == "both" else content)
    monkeypatch.setenv(VERIFY_KEY, str(path))
    with pytest.raises(UserError, match=VERIFY_KEY):
        pushed.verify(version)


def test_an_empty_setting_permits_nothing(version, monkeypatch):
    monkeypatch.setenv(VERIFY_KEY, "")
    with pytest.raises(UserError, match=VERIFY_KEY):
        pushed.verify(version)


def test_a_damaged_key_permits_nothing(tmp_path, version, monkeypatch):
    path = tmp_path / "key.pem"
    path.write_text("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n")
    monkeypatch.setenv(VERIFY_KEY, str(path))
    assert pushed.verify(version)[0].startswith(f"{version / SIGNATURE}: ")


@pytest.mark.parametrize("chain", [("between",), ("between", "root")])
def test_a_certificate_that_leads_to_the_authority_holds(tmp_path, monkeypatch, chain):
    made_chain = signed.Chain(tmp_path / "chain")
    monkeypatch.setenv(VERIFY_KEY, str(made_chain.root))
    version = signed.version(tmp_path, made_chain.settings(*chain)).path
    assert pushed.verify(version) == []
    assert (
        signature.signer(version, Trust(certificates=made_chain.root)) == "certificate CN=hospital"
    )


def test_a_changed_byte_of_a_certificate_s_signature_is_refused(tmp_path, monkeypatch):
    chain = signed.Chain(tmp_path / "chain")
    monkeypatch.setenv(VERIFY_KEY, str(chain.root))
    version = signed.version(tmp_path, chain.settings("between", "root")).path
    path = version / SIGNATURE
    content, chance = path.read_bytes(), random.Random(11)
    for _ in range(CHANGES // 2):
        changed = bytearray(content)
        changed[chance.randrange(len(changed))] ^= chance.randrange(1, 256)
        path.write_bytes(changed)
        assert pushed.verify(version)[0].startswith(f"{path}: "), changed
    path.write_bytes(content)
    assert pushed.verify(version) == []


def test_a_certificate_of_another_authority_or_without_its_chain_is_refused(tmp_path):
    chain, other = signed.Chain(tmp_path / "chain"), signed.Chain(tmp_path / "other")
    whole = signed.version(tmp_path / "a", chain.settings("between")).path
    assert pushed.verify_signature(whole, from_file(chain.root, "key")) == []
    assert pushed.verify_signature(whole, from_file(other.root, "key"))
    lacking = signed.version(tmp_path / "b", chain.settings("root")).path
    assert pushed.verify_signature(lacking, from_file(chain.root, "key"))


def test_an_identity_without_a_network_is_refused_with_a_sentence(version, monkeypatch):
    from sigstore.models import ClientTrustConfig

    def unreachable():
        raise ConnectionError("no route to host")

    monkeypatch.setattr(ClientTrustConfig, "production", unreachable)
    trust = Trust(identity="ann@example.com", issuer="https://accounts.example.com")
    (problem,) = pushed.verify_signature(version, trust)
    assert "which needs the network (no route to host)" in problem
    (problem,) = pushed.verify_signature(version, Trust(identity="ann@example.com"))
    assert "nobody is named" in problem


def test_a_manifest_without_a_name_does_not_count(version, keys):
    manifest = pushed.read_manifest(version)
    del manifest["name"]
    (version / pushed.MANIFEST).write_text(json.dumps(manifest))
    assert "no name" in pushed.verify_signature(version, Trust(key=keys.public))[0]


def test_the_library_is_imported_only_where_a_signature_is_verified(tmp_path):
    code = (
        "import sys\n"
        "from serving.versions import pushed, push\n"
        f"assert pushed.verify({str(unsigned(tmp_path))!r}) == []\n"
        "assert not {'model_signing', 'sigstore', 'cryptography'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    assert UNSIGNED.method == "none"


@pytest.mark.usefixtures("required")
@pytest.mark.parametrize("added", ["\n", " "])
def test_what_a_reader_of_json_passes_over_is_a_change(version, added):
    path = version / SIGNATURE
    path.write_text(path.read_text() + added)
    assert pushed.verify(version) == [
        f"{path}: the signature does not hold: the file is not as it was written"
    ]
