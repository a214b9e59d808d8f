import pytest
from pydantic import ValidationError

from serving.versions import pushed, signing
from serving.versions.push import push, rollback
from serving.versions.push_remote import fetch, push_remotely, rollback_remotely, versions
from serving.versions.push_rules import Compared
from serving.versions.rolled_back import ROLLED_BACK
from serving.versions.signature import SIGNATURE, VERIFY_KEY, Trust
from serving.versions.signing import SigningSettings
from tests.object_store import new_place
from tests.serving.versions import made, signed
from transform_module.errors import UserError


@pytest.fixture
def keys(tmp_path):
    return signed.keys(tmp_path / "keys")


@pytest.fixture
def required(monkeypatch, keys):
    monkeypatch.setenv(VERIFY_KEY, str(keys.public))


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"method": "key"}, "needs private_key"),
        ({"method": "certificate", "private_key": "k"}, "needs certificate and chain"),
        ({"method": "keyless", "private_key": "k"}, "takes no private_key"),
        ({"private_key": "k"}, "method=none takes no private_key"),
        (
            {"method": "certificate", "private_key": "k", "password_variable": "P"}
            | {"certificate": "c", "chain": ["r"]},
            "takes no password_variable",
        ),
    ],
)
def test_settings_that_do_not_fit_are_refused(given, reason):
    with pytest.raises(ValidationError, match=reason):
        SigningSettings(**given)


def test_a_password_comes_from_the_environment(tmp_path, monkeypatch):
    keys = signed.keys(tmp_path / "keys", b"secret", "KEY_PASSWORD")
    with pytest.raises(UserError, match="there is no environment variable KEY_PASSWORD"):
        signed.version(tmp_path, keys.settings)
    monkeypatch.setenv("KEY_PASSWORD", "wrong")
    with pytest.raises(UserError, match="cannot be signed by key"):
        signed.version(tmp_path, keys.settings)
    assert pushed.versions(tmp_path / "push", "cxr") == []
    monkeypatch.setenv("KEY_PASSWORD", "secret")
    version = signed.version(tmp_path, keys.settings)
    assert pushed.verify_signature(version.path, Trust(key=keys.public)) == []


def test_a_key_that_cannot_be_used_is_found_before_the_work(tmp_path, keys):
    signing.check(keys.settings)
    signing.check(signing.UNSIGNED)
    signing.check(signed.Chain(tmp_path / "chain").settings("between"))
    for name in ("nowhere.pem", keys.public.name):
        settings = SigningSettings(method="key", private_key=str(keys.public.with_name(name)))
        with pytest.raises(UserError, match="nothing can be signed by this key"):
            signing.check(settings)


def test_keyless_signing_without_an_identity_is_refused_with_a_sentence(tmp_path, monkeypatch):
    from sigstore import oidc

    monkeypatch.setattr(oidc, "detect_credential", lambda: None)
    with pytest.raises(UserError, match=r"needs an identity .* and the network"):
        signed.version(tmp_path, SigningSettings(method="keyless"))
    assert pushed.versions(tmp_path / "push", "cxr") == []


def test_the_same_model_is_not_pushed_again_unless_it_was_not_signed(tmp_path, keys):
    plain = signed.version(tmp_path, signing.UNSIGNED)
    first = signed.version(tmp_path, keys.settings)
    assert first.version > plain.version
    assert signed.version(tmp_path, keys.settings) == first
    assert signed.version(tmp_path, signing.UNSIGNED) == first


@pytest.mark.usefixtures("required")
def test_where_a_signature_is_required_nothing_is_published_without_one(tmp_path, keys):
    with pytest.raises(UserError, match=f"{VERIFY_KEY} is set"):
        signed.version(tmp_path, signing.UNSIGNED)
    others = signed.keys(tmp_path / "others")
    with pytest.raises(UserError, match=r"the signature does not hold.*Nothing was published"):
        signed.version(tmp_path, others.settings)
    assert pushed.versions(tmp_path / "push", "cxr") == []
    version = signed.version(tmp_path, keys.settings)
    assert pushed.newest(tmp_path / "push", "cxr").version == version


@pytest.mark.usefixtures("required")
def test_a_rollback_is_signed_or_refused(tmp_path, keys):
    first = signed.version(tmp_path, keys.settings, b"first")
    signed.version(tmp_path, keys.settings, b"second")
    folder = tmp_path / "push" / "cxr"
    with pytest.raises(UserError, match="nothing says who signs"):
        rollback(folder)
    assert not (folder / ROLLED_BACK).exists()
    version = rollback(folder, signing=keys.settings)
    assert version.manifest["restores"] == first.version
    assert pushed.verify(version.path) == []


@pytest.mark.usefixtures("required")
def test_a_trial_needs_no_signature(tmp_path):
    model = made.model(tmp_path / "model")
    version = push(model, tmp_path / "push" / "cxr", {}, is_trial=True)
    assert not (version.path / SIGNATURE).exists()


@pytest.mark.usefixtures("required")
def test_a_bucket_holds_signed_versions_and_signed_rollbacks(tmp_path, keys):
    folder = f"{new_place()}/cxr"
    numbers = []
    for weights in (b"first", b"second"):
        model = made.model(tmp_path / "model", weights)
        compared = Compared(pushed.sums(model), str(numbers[-1]) if numbers else "")
        with pytest.raises(UserError, match="nothing says who signs"):
            push_remotely(model, folder, {}, compared)
        number, _ = push_remotely(model, folder, {}, compared, signing=keys.settings)
        assert push_remotely(model, folder, {}, compared, signing=keys.settings)[0] == number
        numbers.append(number)
    with pytest.raises(UserError, match="nothing says who signs"):
        rollback_remotely(folder)
    restored, number = rollback_remotely(folder, signing=keys.settings)
    assert restored == numbers[0]
    assert versions(folder) == [*numbers, number]
    assert pushed.verify(fetch(folder, str(number), tmp_path / "near")) == []
