import base64
import json
import math
import time
from contextlib import suppress

import numpy as np
import pytest
import tensorflow as tf
from grpc import StatusCode
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from serving.server.admission.batching_settings import BatchingSettings
from serving.server.protocols import json_tensors
from serving.server.protocols.json_tensors import parse, response, signature_name, values_in
from serving.server.status import RequestError

FLOATS = (tf.float16, tf.float32, tf.float64)
INTEGERS = (tf.int8, tf.int16, tf.int32, tf.int64, tf.uint8, tf.uint16, tf.uint32, tf.uint64)
DTYPES = (*FLOATS, *INTEGERS, tf.bool, tf.string)
SPECIAL = ("NaN", "Infinity", "-Infinity")


def specs(**dtypes):
    return {name: tf.TensorSpec(None, dtype) for name, dtype in dtypes.items()}


def inputs_of(request, specs):
    return json_tensors.inputs_of(request, specs, BatchingSettings())


def rows(values, dtype=tf.float32):
    """Reads the values of the only input, a row each."""
    return inputs_of({"instances": values}, specs(x=dtype))["x"]


def column(value, dtype=tf.float32):
    """Reads the value of the only input, as a whole."""
    return inputs_of({"inputs": value}, specs(x=dtype))["x"]


def refusal(function, *arguments):
    with pytest.raises(RequestError) as refused:
        function(*arguments)
    assert refused.value.code is StatusCode.INVALID_ARGUMENT
    return refused.value.message


def strings(values):
    array = np.empty(len(values), object)
    array[:] = values
    return array


def seen(shape):
    """The shape that JSON shows: what is within an empty list cannot be seen."""
    return shape[: shape.index(0) + 1] if 0 in shape else shape


@st.composite
def tensor(draw, dtype, rank=None, first=None):
    """An output of any shape; of strings with any text, or bytes."""
    rank = draw(st.integers(0, 4)) if rank is None else rank
    shape = tuple(draw(st.lists(st.integers(0, 3), min_size=rank, max_size=rank)))
    if first is not None:
        shape = (first, *shape[1:])
    if dtype == tf.string:
        size = math.prod(shape)
        texts = draw(st.lists(st.text(), min_size=size, max_size=size))
        return strings([text.encode() for text in texts]).reshape(shape)
    return draw(arrays.arrays(dtype.as_numpy_dtype, shape))


@st.composite
def outputs(draw):
    """Several outputs of as many rows, with their dtypes."""
    names = draw(
        st.lists(st.text(max_size=4).filter(lambda name: name != "b64"), min_size=1, max_size=3)
    )
    dtypes = {name: draw(st.sampled_from(DTYPES)) for name in names}
    count = draw(st.integers(1, 4))
    tensors = {}
    for name, dtype in dtypes.items():
        tensors[name] = draw(tensor(dtype, rank=draw(st.integers(1, 3)), first=count))
    return tensors, dtypes


def check_same(found, array):
    assert found.dtype == array.dtype
    assert found.shape == seen(array.shape)
    np.testing.assert_array_equal(found.ravel(), array.ravel())
    if array.dtype.kind == "f":
        for one, other in zip(found.ravel(), array.ravel(), strict=True):
            assert np.isnan(one) or np.signbit(one) == np.signbit(other)


class TestRoundTrip:
    """What `response` writes, `inputs_of` reads back."""

    @settings(max_examples=100)
    @given(outputs())
    def test_rows(self, given_outputs):
        tensors, dtypes = given_outputs
        written = parse(response({"instances": []}, tensors))
        assert list(written) == ["predictions"]
        found = inputs_of({"instances": written["predictions"]}, specs_of(dtypes))
        assert found.keys() == tensors.keys()
        for name, array in tensors.items():
            check_same(found[name], array)

    @settings(max_examples=100)
    @given(st.data())
    def test_columns(self, data):
        names = data.draw(st.sampled_from([["x"], ["x", "y"], ["a", "b_bytes", "c"]]))
        dtypes = {name: data.draw(st.sampled_from(DTYPES)) for name in names}
        tensors = {name: data.draw(tensor(dtype)) for name, dtype in dtypes.items()}
        written = parse(response({"inputs": []}, tensors))
        assert list(written) == ["outputs"]
        found = inputs_of({"inputs": written["outputs"]}, specs_of(dtypes))
        for name, array in tensors.items():
            check_same(found[name], array)

    @given(st.lists(st.binary(), min_size=1))
    def test_bytes(self, values):
        written = parse(response({"instances": []}, {"x_bytes": strings(values)}))
        found = inputs_of({"instances": written["predictions"]}, specs(x=tf.string))
        assert found["x"].tolist() == values

    @pytest.mark.parametrize("dtype", FLOATS)
    def test_the_bounds_of_a_type(self, dtype):
        kind = np.finfo(dtype.as_numpy_dtype)
        array = np.array(
            [kind.max, kind.min, kind.tiny, kind.smallest_subnormal, kind.eps], kind.dtype
        )
        found = inputs_of(
            {"inputs": parse(response({"inputs": 0}, {"y": array}))["outputs"]}, specs(x=dtype)
        )
        check_same(found["x"], array)


def specs_of(dtypes):
    return {name: tf.TensorSpec(None, dtype) for name, dtype in dtypes.items()}


class TestResponse:
    def test_numbers_have_the_decimals_of_their_width(self):
        array = np.array([[0.1, 1], [1e-10, 16777216]], np.float32)
        assert (
            response({"inputs": 0}, {"y": array}) == b'{"outputs":[[0.1,1.0],[1e-10,16777216.0]]}'
        )
        assert response({"inputs": 0}, {"y": array[0]}) == b'{"outputs":[0.1,1.0]}'
        assert response({"inputs": 0}, {"y": array[0, 0]}) == b'{"outputs":0.1}'

    @pytest.mark.parametrize("dtype", FLOATS)
    def test_special_numbers_have_names(self, dtype):
        array = np.array([1.5, math.nan, math.inf, -math.inf], dtype.as_numpy_dtype)
        assert response({"inputs": 0}, {"y": array}) == b'{"outputs":[1.5,NaN,Infinity,-Infinity]}'
        text = response({"instances": 0}, {"y": array, "z": np.arange(4)})
        assert text.startswith(b'{"predictions":[{"y":1.5,"z":0},{"y":NaN,"z":1},')

    def test_in_rows_there_must_be_rows(self):
        message = refusal(response, {"instances": 0}, {"y": np.float32(1), "z": np.zeros(2)})
        assert message == "The output y has no rows; send 'inputs' instead."
        message = refusal(response, {"instances": 0}, {"y": np.zeros(2), "z": np.zeros(3)})
        assert message == "The output z has 3 rows and another one 2; send 'inputs' instead."

    def test_bytes_that_are_not_text_break_no_response(self):
        written = response({"instances": 0}, {"y": strings([b"\xff\xfe", b'"\x00'])})
        assert json.loads(written) == {"predictions": ["\ufffd\ufffd", '"\x00']}


class TestSpecialNumbers:
    @pytest.mark.parametrize("dtype", FLOATS)
    @pytest.mark.parametrize("name", SPECIAL)
    def test_they_are_read(self, dtype, name):
        found = inputs_of(parse(f'{{"inputs": [{name}, 1.5]}}'.encode()), specs(x=dtype))["x"]
        assert repr(float(found[0])) == repr(float(name))
        assert found[1] == 1.5

    @pytest.mark.parametrize("dtype", [*INTEGERS, tf.bool, tf.string])
    @pytest.mark.parametrize("name", SPECIAL)
    def test_other_types_have_none(self, dtype, name):
        request = parse(f'{{"inputs": [{name}]}}'.encode())
        assert "is not of expected type" in refusal(inputs_of, request, specs(x=dtype))

    @pytest.mark.parametrize("name", [*SPECIAL, "x NaN y", "Inf"])
    def test_within_a_text_they_are_text(self, name):
        request = parse(json.dumps({"inputs": [name], name: 1}).encode())
        assert inputs_of(request, specs(x=tf.string))["x"].tolist() == [name.encode()]

    @pytest.mark.parametrize("number", ["1e400", "-1e400", "1" + "0" * 400, "1" + "0" * 9999])
    def test_a_number_beyond_all_bounds_is_refused(self, number):
        for text in (f'{{"inputs": [{number}]}}', f'{{"inputs": [{number}, NaN]}}'):
            for dtype in (tf.float32, tf.float64, tf.int64):
                refusal(lambda: inputs_of(parse(text.encode()), specs(x=dtype)))  # noqa: B023

    @pytest.mark.parametrize(
        ("dtype", "value"),
        [
            (dtype, value)
            for dtype in INTEGERS
            for value in (dtype.min - 1, dtype.max + 1, 0.5, 1.0, True, None, "1", [], {})
        ],
    )
    def test_what_is_not_such_a_whole_number_is_refused(self, dtype, value):
        refusal(rows, [1, value], dtype)

    @pytest.mark.parametrize("value", [0, 1, 1.0, None, "true"])
    def test_what_is_not_a_boolean_is_refused(self, value):
        refusal(rows, [True, value], tf.bool)

    @pytest.mark.parametrize("dtype", INTEGERS)
    def test_whole_numbers_are_taken_up_to_their_bounds(self, dtype):
        assert rows([dtype.min, 0, dtype.max], dtype).tolist() == [dtype.min, 0, dtype.max]

    @pytest.mark.parametrize(
        ("dtype", "limit"), [(tf.float16, 2**11), (tf.float32, 2**24), (tf.float64, 2**53)]
    )
    def test_a_float_takes_whole_numbers_that_it_distinguishes(self, dtype, limit):
        assert rows([limit - 1, 1 - limit], dtype).tolist() == [limit - 1, 1 - limit]
        for value in (limit, -limit, 2**63, -(2**63)):
            assert "without loss of precision" in refusal(rows, [value], dtype)

    @pytest.mark.parametrize(("dtype", "value"), [(tf.float32, 1e39), (tf.float16, 65536.0)])
    def test_a_float_out_of_range_is_refused(self, dtype, value):
        for each in (value, -value):
            assert "without loss of precision" in refusal(column, [each], dtype)


class TestShapes:
    @pytest.mark.parametrize(
        "values",
        [
            [[1, 2], [3]],
            [[1, 2], 3],
            [[1, 2], [[3], [4]]],
            [[1, [2]], [3, 4]],
            [[[1, 2], [3]], [[4, 5], [6]]],
            [[[1], 2]],
            [[], [1]],
            [[1], []],
            [[[]], [[1]]],
            [[[], [1]]],
        ],
    )
    def test_ragged_lists_are_refused(self, values):
        refusal(rows, values)
        refusal(column, values)

    @given(st.recursive(st.just(1), lambda inner: st.lists(inner, max_size=3), max_leaves=12))
    def test_a_list_is_read_exactly_when_it_is_even(self, value):
        try:
            expected = np.array(value, np.float32)
        except ValueError:
            refusal(column, value)
        else:
            assert column(value).tolist() == expected.tolist()

    @pytest.mark.parametrize(
        ("values", "shape"), [([[], []], (2, 0)), ([[[], []]], (1, 2, 0)), ([[[]]], (1, 1, 0))]
    )
    def test_empty_lists(self, values, shape):
        assert rows(values).shape == shape
        assert column(values).shape == shape

    @pytest.mark.parametrize("depth", [1, 20, 63, 64, 65, 66, 253, 254, 255, 256, 900, 5000, 10**5])
    @pytest.mark.parametrize("special", ["", ", NaN"])
    def test_deep_lists_are_read_or_refused(self, depth, special):
        text = "[" * depth + "1" + special + "]" * depth
        started = time.thread_time()
        for key in ("instances", "inputs"):
            try:
                request = parse(f'{{"{key}": {text}}}'.encode())
                shape = inputs_of(request, specs(x=tf.float32))["x"].shape
                assert shape == (1,) * (depth - 1) + (2 if special else 1,)
                assert depth < 65
            except RequestError as error:
                assert error.code is StatusCode.INVALID_ARGUMENT  # noqa: PT017
                assert depth > 63
        assert time.thread_time() - started < 30

    def test_deep_objects_are_refused(self):
        for depth in (500, 5000, 10**5):
            body = b'{"x": ' * depth + b"1" + b"}" * depth
            refusal(lambda body=body: inputs_of(parse(body), specs(x=tf.float32)))

    def test_many_dimensions_of_many_make_no_large_array(self):
        value = 1
        for _ in range(12):
            value = [value, *[1] * 100_000]
        refusal(rows, [value])
        refusal(column, value)


class TestNames:
    BOTH = specs(a=tf.int32, b=tf.string)

    def test_rows_may_have_their_names_in_any_order(self):
        found = inputs_of({"instances": [{"a": 1, "b": "x"}, {"b": "y", "a": 2}]}, self.BOTH)
        assert found["a"].tolist() == [1, 2]
        assert found["b"].tolist() == [b"x", b"y"]

    @pytest.mark.parametrize(
        "instances",
        [
            [{"a": 1}],
            [{}],
            [{"a": 1, "b": "x", "c": 1}],
            [{"a": 1, "c": "x"}],
            [{"a": 1, "b": "x"}, 1],
            [1, {"a": 1, "b": "x"}],
            [1],
            [],
            {},
            "a",
            None,
            5,
            [{"b64": "AA=="}],
        ],
    )
    def test_rows_without_all_their_names_are_refused(self, instances):
        refusal(inputs_of, {"instances": instances}, self.BOTH)

    @pytest.mark.parametrize("inputs", [{"a": [1]}, {}, [1], 1, None, "x", {"b64": "AA=="}])
    def test_columns_without_all_their_names_are_refused(self, inputs):
        refusal(inputs_of, {"inputs": inputs}, self.BOTH)

    def test_there_is_one_format(self):
        assert "only one of" in refusal(inputs_of, {"inputs": [1], "instances": [1]}, self.BOTH)
        assert refusal(inputs_of, {"a": 1}, self.BOTH) == "Missing 'inputs' or 'instances' key"


class TestBase64:
    @given(st.binary())
    def test_bytes_are_read_with_and_without_padding(self, content):
        text = base64.b64encode(content).decode()
        assert column([{"b64": text}], tf.string).tolist() == [content]
        assert column([{"b64": text.rstrip("=")}], tf.string).tolist() == [content]

    @pytest.mark.parametrize(
        "text",
        ["A", "AAAAA", "AA=A", "====", "=", "A===", "AA==AA==", "A A=", "AA\n=", "Ä===", "-_=="],
    )
    def test_what_is_not_base64_is_refused(self, text):
        assert "base64" in refusal(column, [{"b64": text}], tf.string)

    @pytest.mark.parametrize(
        "value",
        [{"b64": 1}, {"b64": None}, {"b64": ["AA=="]}, {"b64": "AA==", "x": 1}, {"B64": ""}],
    )
    def test_other_objects_are_refused(self, value):
        refusal(column, [value], tf.string)

    def test_half_a_character_is_refused(self):
        refusal(lambda: column(parse(b'{"a": ["\\ud800"]}')["a"], tf.string))
        refusal(lambda: column(parse(b'{"a": ["\\ud800", NaN]}')["a"], tf.string))


SECRET = "Jane-Doe-1961"


class TestEcho:
    """No message repeats what was sent: neither values nor names."""

    @pytest.mark.parametrize("dtype", [tf.string, tf.float32, tf.int64, tf.bool])
    @pytest.mark.parametrize("key", ["inputs", "instances"])
    @pytest.mark.parametrize(
        "value",
        [
            SECRET,
            [SECRET],
            [[SECRET], [[1]]],
            {SECRET: 1},
            [{SECRET: 1}],
            [{"b64": SECRET}],
            [{"b64": SECRET, SECRET: 1}],
            [{"x": SECRET, SECRET: 1}],
            [{"x": 1}, {"x": {SECRET: 1}}],
            [1e300, SECRET],
        ],
    )
    def test_of_tensors(self, dtype, key, value):
        try:
            inputs_of({key: value}, specs(x=dtype))
        except RequestError as error:
            assert SECRET not in error.message  # noqa: PT017

    @pytest.mark.parametrize(
        "text",
        [f'{{"a": {SECRET}', f'"{SECRET}"', f'{{"{SECRET}": NaN, {SECRET}', f'{{"\\{SECRET}": 1}}',
         f'["{SECRET}", NaN]', f'{{"a": "{SECRET}\n"}}', '{"a": 1e99999, "b": NaN}'],
    )  # fmt: skip
    def test_of_the_text(self, text):
        message = refusal(parse, text.encode())
        assert SECRET not in message
        assert "99999" not in message

    def test_of_the_signature(self):
        assert SECRET not in refusal(signature_name, {"signature_name": [SECRET]}, "d")


class TestLimits:
    def test_rows_are_counted_before_they_are_looked_at(self):
        class Unseen(list):
            def __getitem__(self, index):
                raise AssertionError

        many = Unseen([0]) * 3201
        for request in ({"instances": many}, {"inputs": [0] * 3201}):
            with pytest.raises(RequestError, match="3201 rows; 3200 are the most") as refused:
                inputs_of(request, specs(x=tf.float32))
            assert (refused.value.http, refused.value.reason) == (413, "rows")

    @given(st.recursive(st.integers() | st.just("x"), lambda inner: st.lists(inner)
                        | st.dictionaries(st.text("ab", max_size=2), inner)))  # fmt: skip
    def test_no_value_is_missed_by_the_count(self, value):
        def count(each):
            if isinstance(each, dict):
                return 1 + sum(map(count, each.values()))
            return 1 + sum(map(count, each)) if isinstance(each, list) else 1

        values, memory = values_in(json.dumps(value).encode())
        assert values + 1 >= count(value)
        assert memory >= 40 * values

    def test_special_numbers_are_for_short_texts(self):
        short = b'{"a": NaN, "b": "%s"}' % (b"x" * 1000)
        assert math.isnan(parse(short)["a"])
        refusal(parse, b'{"a": NaN, "b": "%s"}' % (b"x" * (1 << 20)))


class TestParse:
    @pytest.mark.parametrize(
        "body",
        [b"", b" \n", b"{", b"[]", b"1", b'"x"', b"null", b"NaN", b"{]", b"\xff", b"{'a': 1}",
         b'{"a": 1,}', b"\xef\xbb\xbf", b'{"a": "\xff"}', b'{"a": "\xff", "b": NaN}', b"{} {}",
         b"{NaN", b'{"a": nan}', b'{"a": 01}', b"\x00", b'{"a": "\n"}'],
    )  # fmt: skip
    def test_what_is_not_an_object_is_refused(self, body):
        assert refusal(parse, body).startswith("JSON ")

    @pytest.mark.parametrize("body", [b"", b" \n", b"\xef\xbb\xbf"])
    def test_nothing_is_reported_as_nothing(self, body):
        assert refusal(parse, body) == "JSON Parse error: The document is empty"

    def test_a_byte_order_mark_is_passed_over(self):
        assert parse(b'\xef\xbb\xbf{"a": 1}') == {"a": 1}

    @given(st.binary(max_size=60))
    def test_any_bytes_are_read_or_refused(self, body):
        with suppress(RequestError):
            assert isinstance(parse(body), dict)


class TestSignatureName:
    @pytest.mark.parametrize(
        ("request_", "name"),
        [({}, "d"), ({"signature_name": ""}, "d"), ({"signature_name": "s"}, "s")],
    )
    def test_it_is_reported(self, request_, name):
        assert signature_name(request_, "d") == name

    @pytest.mark.parametrize("value", [None, 1, ["s"], {}, True])
    def test_it_must_be_text(self, value):
        assert "must be a string" in refusal(signature_name, {"signature_name": value}, "d")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
    | st.builds(lambda value: {"b64": value}, st.text("AB=", max_size=5)),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("xyz"), inner),
    max_leaves=10,
)  # fmt: skip


@settings(max_examples=150)
@given(JSON, st.lists(st.sampled_from(DTYPES), min_size=1, max_size=2))
def test_any_values_are_read_or_refused(value, dtypes):
    for key in ("inputs", "instances"):
        try:
            found = inputs_of({key: value}, specs_of(dict(zip("xy", dtypes, strict=False))))
        except RequestError as error:
            assert error.code is StatusCode.INVALID_ARGUMENT  # noqa: PT017
        else:
            for array, dtype in zip(found.values(), dtypes, strict=True):
                assert array.dtype == dtype.as_numpy_dtype
