import asyncio
import json
import shutil
import struct
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import tensorflow as tf
from grpc import StatusCode
from tensorflow.core.protobuf import saved_model_pb2
from tensorflow_serving.apis import prediction_log_pb2

from serving.server.admission import image_headers
from serving.server.admission.batching_settings import BatchingSettings
from serving.server.admission.limits import Limits
from serving.server.protocols import proto_tensors
from serving.server.servable import Lanes, Servable, check
from serving.server.status import RequestError
from serving.versions import pushed
from serving.versions.push import push
from serving.versions.signature import SIGNATURE, VERIFY_KEY
from tests.conformance import models
from tests.images import encode, grey_pixels
from tests.serving.images.encoding.samples import FILES
from tests.serving.saved import save, write_manifest
from tests.serving.versions import signed
from transform_module import contract
from transform_module.errors import UserError

GRAPH = "saved_model.pb"
DATA = "variables/variables.data-00000-of-00001"
INDEX = "variables/variables.index"


def grey(value):
    return encode(np.full((4, 4), value, np.uint8), "png-grey")


def image_inputs(*contents):
    array = np.empty(len(contents), object)
    array[:] = contents
    return {contract.IMAGE_BYTES: array}


@pytest.fixture(scope="module")
def lanes():
    with ThreadPoolExecutor(2) as usual, ThreadPoolExecutor(1, "large") as large:
        yield Lanes(usual, asyncio.Semaphore(2), large, asyncio.Semaphore(1))


@pytest.fixture
def load(lanes):
    def load(path):
        return Servable(path, BatchingSettings(), lanes, Limits())

    return load


@pytest.fixture
def place(version, tmp_path):
    """A version that was pushed, and may be changed."""
    return write_manifest(shutil.copytree(version, tmp_path / "chest_xray" / "17"))


def edit_signature(place, change):
    """Changes the only signature of a version that was pushed so."""
    saved = saved_model_pb2.SavedModel.FromString((place / GRAPH).read_bytes())
    change(saved.meta_graphs[0].signature_def)
    (place / GRAPH).write_bytes(saved.SerializeToString())
    write_manifest(place)


def refusal(function, *arguments):
    with pytest.raises(UserError) as refused:
        function(*arguments)
    return str(refused.value)


class TestCheck:
    def test_what_was_pushed_is_let_in(self, place):
        check(place)

    def test_a_missing_file(self, place):
        (place / DATA).unlink()
        assert refusal(check, place).startswith(f"{place / DATA}: the file is missing. Push the")

    @pytest.mark.parametrize("name", [GRAPH, DATA, INDEX, contract.MODEL_RECORD])
    def test_a_changed_file(self, place, name):
        content = (place / name).read_bytes()
        (place / name).write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
        assert refusal(check, place).startswith(f"{place / name}: SHA-256 is ")

    def test_an_extra_file(self, place):
        (place / "assets").mkdir(exist_ok=True)
        (place / "assets" / "extra").touch()
        message = refusal(check, place)
        assert message.startswith(f"{place / 'assets' / 'extra'}: the file is not in the manifest")
        assert "allow unverified models" in message

    def test_what_the_push_takes_for_the_same_model_is_let_in(self, place):
        (place / "note.txt").touch()
        check(place)

    def test_of_several_problems_their_number_is_reported(self, place):
        for name in (DATA, INDEX):
            (place / name).unlink()
        assert "(and 1 more)" in refusal(check, place)

    @pytest.mark.parametrize("text", [None, "", "{", "{}"])
    def test_no_manifest(self, place, text):
        (place / pushed.MANIFEST).unlink()
        if text is not None:
            (place / pushed.MANIFEST).write_text(text)
        assert "manifest.json: the manifest is missing or cannot be read" in refusal(check, place)

    def test_a_renamed_version(self, place):
        renamed = place.with_name("18")
        place.rename(renamed)
        assert f"{renamed}: it was pushed as " in refusal(check, renamed)

    def test_a_version_of_another_model(self, place):
        manifest = json.loads((place / pushed.MANIFEST).read_text())
        (place / pushed.MANIFEST).write_text(json.dumps({**manifest, "name": "another"}))
        assert f"{place}: it was pushed as another/" in refusal(check, place)

    def test_a_file_that_cannot_be_read(self, place, monkeypatch):
        def failing(*_, **__):
            raise OSError(5, "Input/output error")

        monkeypatch.setattr(pushed, "sums", failing)
        assert "cannot be read: [Errno 5] Input/output error" in refusal(check, place)

    def test_no_folder(self, tmp_path):
        assert "the folder is missing" in refusal(check, tmp_path / "17")

    def test_a_missing_signature(self, place):
        edit_signature(place, lambda definitions: definitions.pop(contract.SERVING_DEFAULT))
        assert refusal(check, place) == f"{place}: there is no signature serving_default."

    @pytest.mark.parametrize(
        ("side", "name"), [("outputs", contract.PROBABILITY), ("inputs", contract.IMAGE_BYTES)]
    )
    @pytest.mark.parametrize("how", ["dtype", "name", "missing", "more"])
    def test_another_signature(self, place, side, name, how):
        def change(definitions):
            tensors = getattr(definitions[contract.SERVING_DEFAULT], side)
            if how == "dtype":
                tensors[name].dtype = tf.float64.as_datatype_enum
            elif how == "more":
                tensors["more"].CopyFrom(tensors[name])
            else:
                tensor = tensors.pop(name)
                if how == "name":
                    tensors["other"].CopyFrom(tensor)

        edit_signature(place, change)
        message = refusal(check, place)
        assert message.startswith(f"{place}: the {side} of serving_default must be ")
        if how == "dtype":
            assert f"{name} (float64)" in message

    @pytest.mark.parametrize("content", [b"", b"damage", bytes(100)])
    def test_a_graph_that_was_pushed_damaged(self, place, content):
        (place / GRAPH).write_bytes(content)
        write_manifest(place)
        assert GRAPH in refusal(check, place) or "serve" in refusal(check, place)

    def test_an_unknown_type(self, place):
        def change(definitions):
            definitions[contract.SERVING_DEFAULT].outputs[contract.VALID].dtype = 999

        edit_signature(place, change)
        assert "cannot be read" in refusal(check, place)

    def test_a_model_that_shows_its_domain(self, tmp_path):
        check(write_manifest(save(tmp_path / "1", has_domain=True)))

    def test_a_model_with_a_triage(self, tmp_path):
        check(write_manifest(save(tmp_path / "1", has_triage=True)))


class TestLoad:
    def test_a_version_is_loaded(self, load, place):
        servable = load(place)
        assert (servable.version, servable.path) == (17, place)
        assert list(servable.signatures) == [contract.SERVING_DEFAULT, contract.TRANSFORM_FEATURES]
        signature = servable.signatures[contract.SERVING_DEFAULT]
        assert signature.joinable
        assert signature.inputs == {contract.IMAGE_BYTES: tf.TensorSpec([None], tf.string)}
        assert set(signature.outputs) == {"probability", "label", "valid"}
        result = servable.call(contract.SERVING_DEFAULT, image_inputs(grey(255), b"x"))
        assert result[contract.PROBABILITY].tolist() == [1.0, 0.5]

    @pytest.mark.parametrize("name", [DATA, INDEX, GRAPH])
    @pytest.mark.parametrize("share", [0, 0.3, 0.9])
    def test_a_truncated_file_does_not_load(self, load, place, name, share):
        content = (place / name).read_bytes()
        (place / name).write_bytes(content[: int(share * len(content))])
        assert refusal(load, place).startswith(f"{place}: cannot be loaded as a model: ")

    @pytest.mark.parametrize("name", [DATA, INDEX, GRAPH])
    def test_a_missing_file_does_not_load(self, load, place, name):
        (place / name).unlink()
        assert refusal(load, place).startswith(f"{place}: cannot be loaded as a model: ")

    def test_changed_weights_do_not_load(self, load, place):
        content = bytearray((place / DATA).read_bytes())
        content[1] ^= 0xFF
        (place / DATA).write_bytes(content)
        assert "cannot be loaded" in refusal(load, place)

    def test_a_damaged_graph_loads_or_says_that_it_does_not(self, load, place):
        whole = (place / GRAPH).read_bytes()
        generator = np.random.default_rng(5)
        refused = 0
        for _ in range(25):
            content = bytearray(whole)
            for at in generator.integers(0, len(whole), 20):
                content[at] = generator.integers(0, 256)
            (place / GRAPH).write_bytes(content)
            try:
                load(place)
            except UserError as error:
                assert f"{place}: cannot be loaded" in str(error)  # noqa: PT017
                refused += 1
        assert refused > 10


def write_warm_up(place, *requests):
    """Writes warm-up requests: signature names and inputs."""
    with tf.io.TFRecordWriter(str(place / contract.WARMUP_REQUESTS)) as writer:
        for signature, inputs in requests:
            log = prediction_log_pb2.PredictionLog()
            request = log.predict_log.request
            request.model_spec.signature_name = signature
            for name, array in inputs.items():
                proto = proto_tensors.to_proto(array, tf.as_dtype(array.dtype))
                request.inputs[name].CopyFrom(proto)
            writer.write(log.SerializeToString())


class TestWarmUp:
    @pytest.fixture
    def called(self, monkeypatch):
        calls = []
        call = Servable.call

        def recorded(self, signature, inputs):
            name = threading.current_thread().name
            calls.append((signature, len(inputs[contract.IMAGE_BYTES]), name))
            return call(self, signature, inputs)

        monkeypatch.setattr(Servable, "call", recorded)
        return calls

    def test_but_for_the_least_the_requests_run_where_batches_do_the_longest_first(
        self, load, place, called
    ):
        requests = [("", image_inputs(*[grey(9)] * size)) for size in (2, 4, 1)]
        write_warm_up(place, *requests, (contract.SERVING_DEFAULT, image_inputs(*[grey(1)] * 3)))
        load(place)
        default = contract.SERVING_DEFAULT
        first, *others = called
        assert first[:2] == (default, 1)
        assert not first[2].startswith("ThreadPoolExecutor")
        assert [call[:2] for call in others] == [(default, 4), (default, 3), (default, 2)]
        assert all(call[2].startswith("ThreadPoolExecutor") for call in others)

    def test_without_any_nothing_is_run(self, load, place, called):
        load(place)
        assert called == []

    def test_logs_of_other_methods_are_passed_over(self, load, place, called):
        with tf.io.TFRecordWriter(str(place / contract.WARMUP_REQUESTS)) as writer:
            log = prediction_log_pb2.PredictionLog()
            log.classify_log.request.model_spec.name = "cxr"
            writer.write(log.SerializeToString())
        load(place)
        assert called == []

    @pytest.mark.parametrize(
        "request_",
        [
            ("other", image_inputs(b"x")),
            ("", {"other": image_inputs(b"x")[contract.IMAGE_BYTES]}),
            ("", {contract.IMAGE_BYTES: np.zeros(1, np.float32)}),
            ("", image_inputs(b"\x89PNG and no more")),
        ],
    )
    def test_a_version_that_fails_at_them_does_not_load(self, load, place, request_):
        write_warm_up(place, ("", image_inputs(grey(9))), request_)
        assert "cannot be loaded as a model" in refusal(load, place)

    @pytest.mark.parametrize("share", [0.3, 0.9])
    def test_damaged_ones_do_not_load(self, load, place, share):
        write_warm_up(place, ("", image_inputs(grey(9))))
        file = place / contract.WARMUP_REQUESTS
        content = file.read_bytes()
        file.write_bytes(content[: int(share * len(content))])
        assert "cannot be loaded as a model" in refusal(load, place)


class _Odd(tf.Module):
    """Signatures whose rows cannot be joined, or not be distinguished."""

    @tf.function(input_signature=[tf.TensorSpec([None], tf.float32, name="x")])
    def total(self, x):
        return {"y": tf.reduce_sum(x), "text": tf.constant("sum")}

    @tf.function(input_signature=[tf.TensorSpec([], tf.float32, name="x")])
    def scalar(self, x):
        return {"y": x + 1}

    @tf.function(input_signature=[tf.TensorSpec([None], tf.float32, name="x")])
    def positive(self, x):
        return {"y": tf.boolean_mask(x, x > 0)}

    @tf.function(
        input_signature=[
            tf.TensorSpec([None], tf.float32, name="a"),
            tf.TensorSpec([None], tf.float32, name="b"),
        ]
    )
    def both(self, a, b):
        return {"a": 2 * a, "b": 3 * b}


@pytest.fixture(scope="module")
def odd(tmp_path_factory, lanes):
    folder = tmp_path_factory.mktemp("odd") / "1"
    model = _Odd()
    names = ("total", "scalar", "positive", "both")
    tf.saved_model.save(
        model, str(folder), signatures={name: getattr(model, name) for name in names}
    )
    return Servable(folder, BatchingSettings(), lanes, Limits())


def run(servable, signature, deadline=None, **inputs):
    async def limited():
        async with asyncio.timeout(20):
            return await servable.run(servable.prepare(signature, inputs), deadline)

    return asyncio.run(limited())


def floats(*values):
    return np.array(values, np.float32)


def run_refused(servable, signature, **inputs):
    with pytest.raises(RequestError) as refused:
        run(servable, signature, **inputs)
    return refused.value


class TestRun:
    @pytest.fixture(scope="class")
    def servable(self, version, lanes):
        return Servable(version, BatchingSettings(), lanes, Limits())

    def test_a_request_is_served(self, servable):
        result = run(servable, contract.SERVING_DEFAULT, **image_inputs(grey(51), b"x", grey(255)))
        assert result[contract.PROBABILITY].tolist() == pytest.approx([0.2, 0.5, 1])
        assert result[contract.PREDICTED_LABEL].tolist() == [b"NORMAL", b"INVALID", b"PNEUMONIA"]
        assert result[contract.VALID].tolist() == [True, False, True]

    def test_requests_are_joined(self, servable, monkeypatch):
        sizes = []
        call = servable.call

        async def case():
            works = [
                servable.prepare(contract.SERVING_DEFAULT, image_inputs(grey(value)))
                for value in range(0, 250, 25)
            ]
            return await asyncio.gather(*(servable.run(work, None) for work in works))

        batcher = servable._batchers[contract.SERVING_DEFAULT]
        monkeypatch.setattr(
            batcher,
            "_run",
            lambda inputs: (
                sizes.append(len(inputs[contract.IMAGE_BYTES]))
                or call(contract.SERVING_DEFAULT, inputs)
            ),
        )
        results = asyncio.run(case())
        found = [result[contract.PROBABILITY].tolist() for result in results]
        assert found == [[pytest.approx(value / 255)] for value in range(0, 250, 25)]
        assert sizes == [16]  # ten, filled up

    @pytest.mark.parametrize(
        ("inputs", "message"),
        [
            ({}, "lacks 1 of them and has 0 others"),
            ({"x": floats(1)}, "inputs are image_bytes; the request lacks 1 of them and has 1"),
            ({**image_inputs(b"x"), "x": floats(1)}, "lacks 0 of them and has 1 others"),
            ({"image_bytes": floats(1)}, "must be string, is float32"),
            ({"image_bytes": np.array(b"x", object)}, "shape [None], has []"),
            ({"image_bytes": np.array([[b"x"]], object)}, "shape [None], has [1, 1]"),
        ],
    )
    def test_what_does_not_fit_is_refused(self, servable, inputs, message):
        error = run_refused(servable, contract.SERVING_DEFAULT, **inputs)
        assert error.code is StatusCode.INVALID_ARGUMENT
        assert message in error.message

    def test_what_the_graph_refuses_is_the_requests_fault(self, servable):
        error = run_refused(servable, contract.SERVING_DEFAULT, **image_inputs(b"\x89PNG no more"))
        assert error.code is StatusCode.INVALID_ARGUMENT
        assert error.message.startswith("The model cannot compute this request")
        assert "PNG" not in error.message

    def test_of_a_batch_the_request_that_the_graph_refuses_fails_alone(self, load, version):
        servable = load(version)

        async def case():
            contents = [grey(51), b"\x89PNG Jane Doe", grey(255)]
            works = [
                servable.prepare(contract.SERVING_DEFAULT, image_inputs(each)) for each in contents
            ]
            return await asyncio.gather(
                *(servable.run(work, None) for work in works), return_exceptions=True
            )

        first, refused, last = asyncio.run(case())
        assert first[contract.PROBABILITY].tolist() == pytest.approx([0.2])
        assert last[contract.PROBABILITY].tolist() == [1]
        assert refused.code is StatusCode.INVALID_ARGUMENT
        assert "Jane" not in refused.message

    def test_a_passed_deadline_is_reported(self, servable):
        with pytest.raises(RequestError) as refused:
            run(servable, contract.SERVING_DEFAULT, deadline=0.0, **image_inputs(b"x"))
        assert refused.value.code is StatusCode.DEADLINE_EXCEEDED

    def test_it_is_drained_once_all_requests_are_finished(self, servable, monkeypatch):
        way = threading.Event()
        call = servable.call

        def held_up(inputs):
            assert way.wait(20)
            return call(contract.SERVING_DEFAULT, inputs)

        batcher = servable._batchers[contract.SERVING_DEFAULT]
        monkeypatch.setattr(batcher, "_run", held_up)

        async def case():
            await servable.drained()  # nothing is in flight
            work = servable.prepare(contract.SERVING_DEFAULT, image_inputs(grey(255)))
            request = asyncio.create_task(servable.run(work, None))
            gone = asyncio.create_task(servable.run(work, None))
            await asyncio.sleep(0.01)
            drained = asyncio.create_task(servable.drained())
            gone.cancel()
            await asyncio.sleep(0.05)
            assert not drained.done()
            way.set()
            assert (await request)[contract.VALID].tolist() == [True]
            await asyncio.wait_for(drained, 5)

        asyncio.run(case())


def header(width, height):
    """The start of a PNG, with nothing to decode."""
    return b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + struct.pack(">II", width, height)


class TestPixels:
    @pytest.fixture(scope="class")
    def servable(self, version, lanes):
        return Servable(version, BatchingSettings(), lanes, Limits(request_pixels=20_000_000))

    def test_the_row_that_is_too_much_is_named(self, servable):
        images = [header(3000, 3000), header(3000, 3000), b"x", header(2000, 1001)]
        with pytest.raises(RequestError, match=r"^Row 3: ") as refused:
            servable.prepare(contract.SERVING_DEFAULT, image_inputs(*images))
        assert (refused.value.http, refused.value.reason) == (400, "pixels")
        work = servable.prepare(contract.SERVING_DEFAULT, image_inputs(*images[:3]))
        assert work.total_pixels == 18_000_000

    def test_large_images_do_not_hold_up_small_ones(self, version, lanes, monkeypatch):
        way = threading.Event()
        call, threads = Servable.call, []

        def held_up(self, signature, inputs):
            threads.append(threading.current_thread().name)
            if threads[-1].startswith("large"):
                assert way.wait(20)
            return call(self, signature, inputs)

        monkeypatch.setattr(Servable, "call", held_up)
        servable = Servable(version, BatchingSettings(), lanes, Limits())
        images = [encode(np.full((3000, 3000), value, np.uint8), "png-grey") for value in (0, 255)]

        async def case():
            work = servable.prepare(contract.SERVING_DEFAULT, image_inputs(*images))
            large = asyncio.create_task(servable.run(work, None))
            await asyncio.sleep(0.01)
            small = servable.prepare(contract.SERVING_DEFAULT, image_inputs(grey(51)))
            result = await servable.run(small, None)
            assert not large.done()
            way.set()
            return result, await large

        small, large = asyncio.run(case())
        assert small[contract.PROBABILITY].tolist() == pytest.approx([0.2])
        assert large[contract.PROBABILITY].tolist() == [0, 1]
        assert sum(name.startswith("large") for name in threads) == 2  # a part for each image


class TestExamples:
    @pytest.mark.parametrize("bad", [b"Jane Doe", b"\xff", b"\x0a\x05Jane", b"\x0a\x02\x0a\xff"])
    def test_one_that_is_none_is_named(self, tmp_path, lanes, bad):
        folder = models.save(tmp_path / "1")
        servable = Servable(folder, BatchingSettings(), lanes, Limits())
        inputs = {contract.EXAMPLES: image_inputs(b"", b"", bad)[contract.IMAGE_BYTES]}
        with pytest.raises(
            RequestError, match=r"^examples\[2\]: not a valid tf.Example"
        ) as refused:
            servable.prepare(contract.SERVE_EXAMPLES, inputs)
        assert "Jane" not in refused.value.message


class TestOdd:
    def test_only_signatures_with_rows_are_joined(self, odd):
        joinable = {name: signature.joinable for name, signature in odd.signatures.items()}
        assert joinable == {"both": True, "positive": True, "scalar": False, "total": False}

    def test_scalars_are_arrays_too(self, odd):
        result = run(odd, "total", x=floats(1, 2, 3))
        assert {name: array.shape for name, array in result.items()} == {"y": (), "text": ()}
        assert result["y"] == 6
        assert result["text"].dtype == object
        assert result["text"].tolist() == b"sum"

    def test_a_scalar_is_taken(self, odd):
        assert run(odd, "scalar", x=np.float32(1))["y"] == 2

    def test_no_rows_give_no_rows(self, odd):
        result = run(odd, "both", a=floats(), b=floats())
        assert {name: array.shape for name, array in result.items()} == {"a": (0,), "b": (0,)}

    def test_inputs_of_different_length_are_computed_alone(self, odd):
        result = run(odd, "both", a=floats(1, 2), b=floats(1))
        assert result["a"].tolist() == [2, 4]
        assert result["b"].tolist() == [3]

    def test_rows_that_cannot_be_distinguished_are_refused(self, odd):
        assert run(odd, "positive", x=floats(1))["y"].tolist() == [1]
        assert run_refused(odd, "positive", x=floats(-1, 1)).code is StatusCode.FAILED_PRECONDITION


def test_images_of_other_formats_are_encoded_for_the_model(load, place):
    servable = load(place)
    pixels = grey_pixels(44, 40)
    files = [made(pixels) for made in FILES.values()]
    inputs = image_inputs(*files, b"II*\0 damaged", encode(pixels, "png-grey"))
    outputs = servable.call(contract.SERVING_DEFAULT, inputs)
    assert outputs[contract.VALID].tolist() == [True] * len(files) + [False, True]
    probability = outputs[contract.PROBABILITY]
    assert set(probability[: len(files)]) == {probability[-1]}
    work = servable.prepare(contract.SERVING_DEFAULT, inputs)
    # Beside the others, a few at a time.
    assert min(work.pixels[: len(files)]) > image_headers.FEW_PIXELS


class TestSignature:
    @pytest.fixture
    def keys(self, tmp_path):
        return signed.keys(tmp_path / "keys")

    def test_a_signed_version_is_let_in(self, version, tmp_path, keys, monkeypatch):
        monkeypatch.setenv(VERIFY_KEY, str(keys.public))
        check(push(version, tmp_path / "chest_xray", {}, signing=keys.settings).path)

    def test_an_unsigned_version_is_not(self, place, keys, monkeypatch):
        monkeypatch.setenv(VERIFY_KEY, str(keys.public))
        manifest = {"name": "chest_xray", **pushed.read_manifest(place)}
        (place / pushed.MANIFEST).write_text(json.dumps(manifest))
        message = refusal(check, place)
        assert message.startswith(f"{place / SIGNATURE}: the version is not signed")
        assert "allow unverified models" not in message

    def test_one_that_was_signed_by_another_is_not(self, version, tmp_path, keys, monkeypatch):
        place = push(version, tmp_path / "chest_xray", {}, signing=keys.settings).path
        monkeypatch.setenv(VERIFY_KEY, str(signed.keys(tmp_path / "others").public))
        message = refusal(check, place)
        assert message.startswith(f"{place / SIGNATURE}: the signature does not hold")
