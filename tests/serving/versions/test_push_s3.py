"""Pushes into a store that speaks S3 (moto's), with its faults."""

import threading
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest
from tfx.types import standard_artifacts

from components.baseline.component import LATEST, Baseline
from serving.files import claim as claims
from serving.versions import push_remote, pushed
from serving.versions.push_remote import push_remotely, rollback_remotely
from serving.versions.push_rules import Compared, PushRefused
from tests import s3_store
from tests.s3_store import BUCKET
from tests.serving.versions import made
from transform_module.errors import UserError
from transform_module.files import remote


@pytest.fixture
def folder(store):
    return f"s3://{BUCKET}/{uuid.uuid4().hex}/cxr"


@pytest.fixture
def model(tmp_path):
    def make(weights=b"weights"):
        return made.model(tmp_path / weights.decode(), weights)

    return make


def pushed_to(folder, saved, version=""):
    return push_remotely(saved, folder, {}, Compared(pushed.sums(saved), version))


def test_versions_are_pushed_compared_and_rolled_back(folder, model, tmp_path):
    first, path = pushed_to(folder, model())
    assert path == f"{folder}/{first}"
    assert pushed_to(folder, model()) == (first, path)
    second, _ = pushed_to(folder, model(b"others"), str(first))
    assert push_remote.versions(folder) == [first, second]
    restored, third = rollback_remotely(folder)
    assert restored == first
    newest = push_remote.newest(folder, tmp_path / "newest").version
    assert newest.version == third
    assert pushed.verify(newest.path) == []
    assert (newest.path / "variables" / "data").read_bytes() == b"weights"
    assert not [name for name in remote.names(folder) if name.startswith(".claim-")]


def test_two_pushes_at_once_mix_no_version(folder, model, monkeypatch):
    models = [model(b"one"), model(b"two")]
    monkeypatch.setattr(claims, "_FIRST_WAIT_SECONDS", 0.2)
    both = threading.Barrier(2)

    def push(saved):
        both.wait()
        try:
            return pushed_to(folder, saved)
        except PushRefused as refused:
            return str(refused)

    with ThreadPoolExecutor(2) as threads:
        outcomes = list(threads.map(push, models))
    assert [isinstance(each, str) for each in outcomes].count(True) == 1
    assert len(push_remote.versions(folder)) == 1


def test_a_store_that_lists_late_is_not_pushed_to(folder, model, store):
    store.spoil = s3_store.without(".claim-")
    with pytest.raises(UserError, match="does not list an object right after it was written"):
        pushed_to(folder, model())
    store.spoil = None
    assert remote.files(folder) == []


def test_nothing_is_published_where_the_store_denies(folder, model, store, tmp_path):
    store.spoil = s3_store.denied
    with pytest.raises(OSError, match="ACCESS_DENIED"):
        pushed_to(folder, model())
    with pytest.raises(OSError, match=r"ACCESS_DENIED|403"):
        push_remote.newest(folder, tmp_path / "newest")
    store.spoil = None
    assert remote.files(folder) == []


def test_a_version_whose_writing_broke_off_never_counts(folder, model, store, tmp_path):
    first, _ = pushed_to(folder, model())

    def denied_at_the_graph(method, path, status, body):
        if "saved_model.pb" in path and method in ("PUT", "POST"):
            return s3_store.denied(method, path, status, body)
        return status, body, False

    store.spoil = denied_at_the_graph
    with pytest.raises(OSError, match="ACCESS_DENIED"):
        pushed_to(folder, model(b"others"), str(first))
    store.spoil = None
    newest = push_remote.newest(folder, tmp_path / "newest")
    assert newest.version.version == first
    assert pushed_to(folder, model(b"others"), str(first))[0] > first


def test_a_baseline_that_is_denied_is_an_error_and_not_none(folder, model, store, tmp_path):
    trained, made = standard_artifacts.Model(), standard_artifacts.Model()
    trained.uri, made.uri = str(tmp_path / "trained"), str(tmp_path / "made")
    store.spoil = s3_store.denied
    place, _, name = folder.rpartition("/")
    with pytest.raises(UserError, match="the pushed model cannot be read"):
        Baseline.EXECUTOR_SPEC.executor_class().Do(
            {"trained": [trained]},
            {"model": [made]},
            {"push_dir": place, "model_name": name, "version": LATEST, "code": ""},
        )
