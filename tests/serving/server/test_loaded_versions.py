import asyncio
import gc
import json
import logging
import os
import shutil
import threading

import pytest
from grpc import StatusCode

from serving.server import loaded_versions as versions
from serving.server.loaded_versions import ServedModel, State
from serving.server.model_config import ModelConfig
from serving.server.status import RequestError
from serving.versions.pushed import MANIFEST
from serving.versions.rolled_back import ROLLED_BACK, RolledBack, to_json
from transform_module.errors import UserError
from transform_module.files.sums import digest

SECONDS = 600  # no case waits as long, unless it fails


@pytest.fixture(autouse=True, scope="module")
def _others_garbage():
    """Unloading collects garbage: what other modules left would be counted as its time."""
    gc.collect()


class FakeServable:
    """Is drained when a case lets it be."""

    def __init__(self, path):
        self.version = int(path.name)
        self.path = path
        self.content = (path / "model").read_text()
        self.idle = asyncio.Event()
        self.idle.set()

    async def drained(self):
        await self.idle.wait()


class Loading:
    """Loads versions as they say in their file; records what it loads, and can be held up."""

    def __init__(self):
        self.loaded = []
        self._open = threading.Event()
        self._open.set()
        self.is_loading = False

    def __call__(self, path):
        self.loaded.append(int(path.name))
        self.is_loading = True
        assert self._open.wait(SECONDS)
        self.is_loading = False
        content = (path / "model").read_text()
        if content == "broken":
            raise UserError(f"{path}: broken")
        if content == "surprise":
            raise RuntimeError("a surprise")
        return FakeServable(path)

    def close(self):
        self._open.clear()

    def open(self):
        self._open.set()


def write(folder, *versions, content="good"):
    for version in versions:
        (folder / str(version)).mkdir(parents=True, exist_ok=True)
        (folder / str(version) / "model").write_text(content)


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "chest_xray"


@pytest.fixture
def load():
    return Loading()


def served(folder, load, **choices):
    return ServedModel(ModelConfig("cxr", folder, **choices), load, asyncio.Semaphore(1))


def tried(case):
    """Runs a coroutine, and never longer than SECONDS."""

    async def limited():
        async with asyncio.timeout(SECONDS):
            return await case

    return asyncio.run(limited())


async def until(condition):
    while not condition():
        await asyncio.sleep(0.001)


def states(model):
    return {number: version.state for number, version in model.status().items()}


def available(model):
    return [number for number, state in states(model).items() if state is State.AVAILABLE]


def refused(model, code, message, **wanted):
    with pytest.raises(RequestError, match=message) as error:
        model.find(**wanted)
    assert error.value.code is code


def test_the_latest_version_is_served(folder, load):
    write(folder, 9, 10, 1)
    model = served(folder, load)
    assert states(model) == {}
    refused(model, StatusCode.NOT_FOUND, "^No version of this model is available.$")
    tried(model.refresh())
    assert states(model) == {10: State.AVAILABLE}
    assert load.loaded == [10]
    assert model.find().version == 10
    assert model.find(version=10) is model.find()
    message = "^Version 9 of this model is not available.$"
    refused(model, StatusCode.NOT_FOUND, message, version=9)


@pytest.mark.parametrize(("listed", "number"), [(True, 1), (False, 2), (None, 2)])
def test_in_place_of_a_broken_version_none_is_served_that_was_rolled_back(
    folder, load, listed, number
):
    write(folder, 1, 2)
    write(folder, 3, content="broken")
    (folder / "2" / MANIFEST).write_text(json.dumps({"files": {"model": "sum"}}))
    left = [RolledBack(2, digest({"model": "sum"}))] if listed else []
    (folder / ROLLED_BACK).write_text("damaged" if listed is None else to_json(left))
    model = served(folder, load)
    tried(model.refresh())
    assert available(model) == [number]


def test_what_is_served_is_not_loaded_again(folder, load):
    write(folder, 1)
    model = served(folder, load)
    tried(model.refresh())
    servable = model.find()
    write(folder, 1, content="changed")
    tried(model.refresh())
    assert load.loaded == [1]
    assert model.find() is servable


def test_a_new_version_loads_while_the_old_one_serves(folder, load):
    write(folder, 1)
    model = served(folder, load)

    async def case():
        await model.refresh()
        write(folder, 2)
        load.close()
        refreshing = asyncio.create_task(model.refresh())
        await until(lambda: load.is_loading)
        assert states(model) == {2: State.LOADING, 1: State.AVAILABLE}
        assert model.find().version == 1
        refused(model, StatusCode.NOT_FOUND, "Version 2", version=2)
        load.open()
        await refreshing

    tried(case())
    assert states(model) == {2: State.AVAILABLE, 1: State.END}
    assert list(states(model)) == [2, 1]  # the latest first
    assert model.find().version == 2
    refused(model, StatusCode.NOT_FOUND, "Version 1", version=1)
    assert model.status()[1].error == ""


def test_the_old_version_predicts_until_the_new_one_does(folder, load):
    """At no moment is there none."""
    write(folder, 1)
    model = served(folder, load)

    async def case():
        await model.refresh()
        write(folder, 2)
        refreshing = asyncio.create_task(model.refresh())
        while not refreshing.done():
            assert model.find().version in (1, 2)
            await asyncio.sleep(0)

    tried(case())
    assert model.find().version == 2


class TestInFlight:
    def test_a_version_is_kept_until_its_requests_are_finished(self, folder, load):
        write(folder, 1)
        model = served(folder, load)

        async def case():
            await model.refresh()
            old = model.find()
            old.idle.clear()
            write(folder, 2)
            refreshing = asyncio.create_task(model.refresh())
            await until(lambda: states(model).get(1) is State.UNLOADING)
            assert model.find().version == 2  # new requests go to the new version
            await asyncio.sleep(0.05)
            assert states(model) == {2: State.AVAILABLE, 1: State.UNLOADING}
            assert not refreshing.done()
            old.idle.set()
            await refreshing

        tried(case())
        assert states(model) == {2: State.AVAILABLE, 1: State.END}


class TestBroken:
    def test_it_is_reported_and_the_old_version_stays(self, folder, load, caplog):
        write(folder, 1)
        model = served(folder, load)
        tried(model.refresh())
        write(folder, 2, content="broken")
        with caplog.at_level(logging.INFO, "serving"):
            tried(model.refresh())
        assert states(model) == {2: State.END, 1: State.AVAILABLE}
        assert model.status()[2].error == f"{folder / '2'}: broken"
        assert model.find().version == 1
        assert f"Version 2 of cxr is not served: {folder / '2'}: broken" in caplog.text

    def test_it_is_not_tried_again_as_it_is(self, folder, load):
        write(folder, 1, content="broken")
        model = served(folder, load)
        for _ in range(3):
            tried(model.refresh())
        assert load.loaded == [1]

    @pytest.mark.parametrize("repair", ["changed", "changed-deep", "added", "removed"])
    def test_once_it_is_repaired_it_is_loaded(self, folder, load, repair):
        place = folder / "2"
        write(folder, 2, content="broken")
        (place / "variables" / "deep").mkdir(parents=True)
        for name in ("extra", "variables/deep/data"):
            (place / name).write_text("weights")
        age(place)
        model = served(folder, load)
        tried(model.refresh())
        assert states(model) == {2: State.END}
        (place / "model").write_text("good")
        age(place / "model")
        if repair == "changed":
            os.utime(place / "model")
        elif repair == "changed-deep":
            (place / "variables" / "deep" / "data").write_text("other weights")
        elif repair == "added":
            (place / "variables" / "more").touch()
            age(place / "variables" / "more")
        else:
            (place / "extra").unlink()
        tried(model.refresh())
        assert states(model) == {2: State.AVAILABLE}
        assert model.status()[2].error == ""
        assert load.loaded == [2, 2]

    @pytest.mark.parametrize("content", ["broken", "surprise"])
    def test_it_hides_no_older_one_when_the_server_starts(self, folder, load, caplog, content):
        write(folder, 1, 2)
        write(folder, 3, 4, content=content)
        model = served(folder, load)
        tried(model.refresh())
        assert states(model) == {4: State.END, 3: State.END, 2: State.AVAILABLE}
        assert model.find().version == 2
        assert content in model.status()[4].error
        assert "Version 4 of cxr is not served" in caplog.text
        for _ in range(3):
            tried(model.refresh())
        assert load.loaded == [4, 3, 2]  # neither again, nor more than is wanted
        assert available(model) == [2]

    def test_once_it_is_repaired_it_takes_over(self, folder, load):
        write(folder, 1)
        write(folder, 2, content="broken")
        model = served(folder, load)
        tried(model.refresh())
        write(folder, 2)
        age(folder / "2")
        tried(model.refresh())
        assert states(model) == {2: State.AVAILABLE, 1: State.END}

    def test_as_many_as_are_wanted_are_served_and_stay(self, folder, load):
        write(folder, 1, 2, 4)
        write(folder, 3, content="broken")
        model = served(folder, load, latest=2)
        for _ in range(3):
            tried(model.refresh())
            assert available(model) == [4, 2]
        assert load.loaded == [3, 4, 2]

    def test_a_named_version_is_replaced_by_no_other(self, folder, load):
        write(folder, 1)
        write(folder, 2, content="broken")
        model = served(folder, load, specific=(2,))
        tried(model.refresh())
        assert available(model) == []
        assert load.loaded == [2]

    def test_a_folder_that_cannot_be_listed_is_reported_once_and_takes_nothing_away(
        self, folder, load, caplog, monkeypatch
    ):
        write(folder, 1)
        model = served(folder, load)
        tried(model.refresh())

        def denied(*_):
            raise PermissionError(13, "Permission denied")

        monkeypatch.setattr(versions, "pushed_versions", denied)
        for _ in range(3):
            tried(model.refresh())
        assert available(model) == [1]
        assert caplog.text.count("The versions of cxr cannot be listed") == 1

    def test_a_newer_version_takes_its_place(self, folder, load):
        write(folder, 1)
        model = served(folder, load)
        tried(model.refresh())
        write(folder, 2, content="broken")
        tried(model.refresh())
        write(folder, 3)
        tried(model.refresh())
        assert states(model) == {3: State.AVAILABLE, 2: State.END, 1: State.END}
        assert model.status()[2].error.endswith("broken")

    def test_an_error_that_nobody_foresaw_is_reported_too(self, folder, load):
        write(folder, 1)
        model = served(folder, load, every=True)
        tried(model.refresh())
        write(folder, 2, content="surprise")
        write(folder, 3)
        tried(model.refresh())
        assert states(model) == {3: State.AVAILABLE, 2: State.END, 1: State.AVAILABLE}
        assert "a surprise" in model.status()[2].error
        tried(model.refresh())
        assert load.loaded == [1, 2, 3]

    @pytest.mark.parametrize("target", ["nowhere", "."])
    def test_links_hold_up_nothing(self, folder, load, target):
        write(folder, 1, 2)
        (folder / "1" / "link").symlink_to(target)
        model = served(folder, load, every=True)
        tried(model.refresh())
        assert available(model) == [2, 1]


def age(path):
    """Makes files look as if they had changed long ago."""
    for each in (path, *path.rglob("*")):
        os.utime(each, (1, 1))


class TestPolicy:
    def test_all(self, folder, load):
        write(folder, 1, 5, 3)
        model = served(folder, load, every=True)
        tried(model.refresh())
        assert available(model) == [5, 3, 1]
        assert model.find().version == 5
        assert model.find(version=3).version == 3
        shutil.rmtree(folder / "3")
        write(folder, 4)
        tried(model.refresh())
        assert available(model) == [5, 4, 1]
        assert states(model)[3] is State.END

    def test_the_latest_n(self, folder, load):
        write(folder, 1, 2, 3)
        model = served(folder, load, latest=2)
        tried(model.refresh())
        assert available(model) == [3, 2]
        write(folder, 4)
        tried(model.refresh())
        assert available(model) == [4, 3]
        assert load.loaded == [2, 3, 4]

    def test_of_fewer_than_n_there_are_all(self, folder, load):
        write(folder, 3)
        model = served(folder, load, latest=2)
        tried(model.refresh())
        assert available(model) == [3]

    def test_pinned(self, folder, load):
        write(folder, 1, 2, 3)
        model = served(folder, load, specific=(1, 2))
        tried(model.refresh())
        write(folder, 4)
        tried(model.refresh())
        assert available(model) == [2, 1]
        assert load.loaded == [1, 2]

    def test_a_pinned_version_that_is_not_there_is_reported(self, folder, load):
        write(folder, 1)
        model = served(folder, load, specific=(7,))
        tried(model.refresh())
        assert states(model) == {7: State.END}
        assert model.status()[7].error == f"{folder / '7'}: there is no such folder"
        write(folder, 7)
        tried(model.refresh())
        assert available(model) == [7]

    def test_a_pinned_version_that_vanishes_continues_serving(self, folder, load):
        write(folder, 1)
        model = served(folder, load, specific=(1,))
        tried(model.refresh())
        shutil.rmtree(folder / "1")
        tried(model.refresh())
        assert states(model) == {1: State.AVAILABLE}
        assert model.find().version == 1

    def test_another_choice_holds_from_the_next_look_on(self, folder, load):
        write(folder, 1, 2)
        model = served(folder, load)
        tried(model.refresh())
        model.config = ModelConfig("cxr", folder, specific=(1,))
        tried(model.refresh())
        assert states(model) == {2: State.END, 1: State.AVAILABLE}
        model.config = ModelConfig("cxr", folder)
        tried(model.refresh())
        assert states(model) == {2: State.AVAILABLE, 1: State.END}
        assert load.loaded == [2, 1, 2]

    def test_a_choice_that_cannot_be_served_takes_nothing_away(self, folder, load):
        write(folder, 1)
        write(folder, 2, content="broken")
        model = served(folder, load, specific=(1,))
        tried(model.refresh())
        model.config = ModelConfig("cxr", folder, specific=(2,))
        tried(model.refresh())
        assert available(model) == [1]


class TestLabels:
    def test_a_label_names_a_version(self, folder, load):
        write(folder, 1, 2)
        model = served(folder, load, every=True, labels={"stable": 1, "canary": 2})
        tried(model.refresh())
        assert model.find(label="stable").version == 1
        assert model.find(label="canary").version == 2
        assert model.labelled("stable") == 1

    def test_an_unknown_label_is_refused(self, folder, load):
        write(folder, 1)
        model = served(folder, load, labels={"stable": 1})
        tried(model.refresh())
        for label in ("canary", ""):
            message = "^The model has no version of this label.$"
            refused(model, StatusCode.INVALID_ARGUMENT, message, label=label)

    def test_a_label_of_what_is_not_there_finds_nothing(self, folder, load):
        write(folder, 1)
        model = served(folder, load, labels={"stable": 7})
        tried(model.refresh())
        refused(model, StatusCode.NOT_FOUND, "Version 7", label="stable")


class TestFolders:
    @pytest.mark.parametrize(
        "name",
        [
            *(".tmp-7", "v7", "7.bak", "-7", "+7", "7 ", "seven", "\u0667"),
            *("0", "007", str(2**63), "99999999999999999999"),
        ],
    )
    def test_what_is_not_a_number_is_not_a_version(self, folder, load, name):
        write(folder, 1, name)
        (folder / "9").write_text("a file")
        model = served(folder, load, every=True)
        tried(model.refresh())
        assert states(model) == {1: State.AVAILABLE}
        assert load.loaded == [1]

    def test_an_unfinished_version_is_one_once_it_is_renamed(self, folder, load):
        write(folder, 1, ".tmp-2")
        model = served(folder, load)
        tried(model.refresh())
        assert model.find().version == 1
        (folder / ".tmp-2").rename(folder / "2")
        tried(model.refresh())
        assert model.find().version == 2

    @pytest.mark.parametrize("lost", ["version", "model"])
    def test_what_vanishes_continues_serving_until_there_is_another(self, folder, load, lost):
        write(folder, 1)
        model = served(folder, load)
        tried(model.refresh())
        shutil.rmtree(folder / "1" if lost == "version" else folder)
        tried(model.refresh())
        assert states(model) == {1: State.AVAILABLE}
        assert model.find().version == 1
        write(folder, 2)
        tried(model.refresh())
        assert states(model) == {2: State.AVAILABLE, 1: State.END}

    def test_of_what_vanishes_the_one_before_takes_over(self, folder, load):
        write(folder, 1, 2)
        model = served(folder, load)
        tried(model.refresh())
        shutil.rmtree(folder / "2")
        tried(model.refresh())
        assert states(model) == {2: State.END, 1: State.AVAILABLE}

    def test_a_version_that_comes_back_is_loaded_again(self, folder, load):
        write(folder, 1, 2)
        model = served(folder, load)
        tried(model.refresh())
        (folder / "2").rename(folder / ".tmp-2")
        tried(model.refresh())
        (folder / ".tmp-2").rename(folder / "2")
        tried(model.refresh())
        assert states(model) == {2: State.AVAILABLE, 1: State.END}

    def test_a_version_that_vanishes_while_it_is_looked_at_spares_the_others(
        self, folder, load, monkeypatch
    ):
        write(folder, 1, 2)
        model = served(folder, load, every=True)
        found = versions.pushed_versions(folder.parent, folder.name)
        monkeypatch.setattr(versions, "pushed_versions", lambda *place: found)
        shutil.rmtree(folder / "1")
        tried(model.refresh())
        assert available(model) == [2]

    def test_two_looks_at_a_time_load_once(self, folder, load):
        write(folder, 1)
        model = served(folder, load)

        async def case():
            await asyncio.gather(*(model.refresh() for _ in range(5)))

        tried(case())
        assert load.loaded == [1]


def test_a_version_takes_over_between_two_batches(folder, load):
    write(folder, 1)
    slots = asyncio.Semaphore(1)
    model = ServedModel(ModelConfig("cxr", folder), load, slots)

    async def case():
        await model.refresh()
        write(folder, 2)
        async with slots:  # a batch runs
            refreshing = asyncio.create_task(model.refresh())
            await until(lambda: load.loaded == [1, 2])
            await asyncio.sleep(0.05)
            assert model.find().version == 1
        await until(lambda: model.find().version == 2)
        await refreshing

    tried(case())
