"""How tensors of every kind are read from JSON and written to it.

Sources: api_rest.md, "JSON mapping", "JSON conformance" and "Output of binary values";
json_tensor.cc with its test. All cases need the tests' own model.
"""

import json

import pytest

from tests.conformance.clients import b64, error_of, response_of
from tests.conformance.models import MATRIX, TOTAL, TYPED, UNEVEN, identity

FIELDS = {"integer": 1, "number": 1.5, "flag": True, "text": "one"}


def signature(name: str):
    return pytest.mark.signature(name)


def typed(type_name: str, values, format_name: str = "instances") -> dict:
    return {"signature_name": identity(type_name), format_name: values}


def cases(values: dict[str, list]) -> list:
    """A case for each value of each type, marked with the signature that it needs."""
    return [
        pytest.param(type_name, value, marks=signature(identity(type_name)))
        for type_name, several in values.items()
        for value in several
    ]


class TestOneOutput:
    """api_rest.md: "only one named tensor, we omit the name"."""

    @pytest.mark.parametrize(
        ("type_name", "values"),
        cases(
            {
                "int32": [[1, -2, 2**31 - 1, -(2**31)]],
                "int64": [[2**63 - 1, -(2**63), 2**53 + 1]],
                "uint8": [[0, 255]],
                "float32": [[1.5, -0.25, 0.0], [1, -3, 2**24 - 1], [1e10, 1e-10]],
                "float64": [[1.5, 1e300, 0.1], [2**53 - 1]],
                "bool": [[True, False]],
                "string": [["a", "", "Zürich 漢字 😀", 'a"b\\c/d\n\t']],
            }
        ),
    )
    @pytest.mark.parametrize(
        ("format_name", "key"), [("instances", "predictions"), ("inputs", "outputs")]
    )
    def test_values_come_back(self, rest, type_name, values, format_name, key):
        body = response_of(rest.post(typed(type_name, values, format_name)))
        assert list(body) == [key]
        found = body[key]
        assert [type(one) for one in found] == [type(found[0])] * len(found)
        if type_name == "float32":
            assert found == pytest.approx(values, rel=1e-7)
        else:
            assert found == values

    @signature(identity("float32"))
    def test_floats_have_a_decimal_point(self, rest):
        # json_tensor.cc, WriteDecimal: "Add trailing '.0' for whole numbers"
        body = response_of(rest.post(typed("float32", [1, 2.0, 100])))
        assert [type(one) for one in body["predictions"]] == [float] * 3

    @signature(identity("float32"))
    @pytest.mark.parametrize("value", [0.1, 0.2, 0.3, 1.1, 2.7, 0.0625, 123.456])
    def test_floats_have_no_noise(self, rest, value):
        # json_tensor.cc, WriteDecimal: "a float value of 0.2 can get written out as
        # 0.2000000012322"; it is not.
        assert response_of(rest.post(typed("float32", [value]))) == {"predictions": [value]}


class TestSpecialNumbers:
    """api_rest.md, "JSON conformance": NaN, Infinity and -Infinity are taken and given."""

    @pytest.mark.parametrize(
        ("type_name", "token"),
        cases({name: ["NaN", "Infinity", "-Infinity"] for name in ("float32", "float64")}),
    )
    def test_token(self, rest, type_name, token):
        body = f'{{"signature_name": "{identity(type_name)}", "instances": [{token}, 1.0]}}'
        response = rest.post(body)
        found = response_of(response)["predictions"]
        assert repr(found[0]) == repr(float(token))
        assert found[1] == 1.0
        assert token in response.text

    @pytest.mark.parametrize(
        ("type_name", "token"),
        cases({name: ["NaN", "-Infinity"] for name in ("int32", "int64", "bool", "string")}),
    )
    def test_token_that_is_not_a_float(self, rest, type_name, token):
        body = f'{{"signature_name": "{identity(type_name)}", "instances": [{token}]}}'
        error_of(rest.post(body), 400)

    @signature(identity("float32"))
    @pytest.mark.parametrize("text", ["NaN", "Infinity", "1.5"])
    def test_text_is_not_a_number(self, rest, text):
        error_of(rest.post(typed("float32", [text])), 400)


class TestWrongValues:
    """json_tensor.cc, AddValueToTensor."""

    @pytest.mark.parametrize(
        ("type_name", "value"),
        cases(
            {
                "int32": ["1", 1.5, 1.0, 2**31, -(2**31) - 1, True, None, {"b64": "AA=="}],
                "int64": ["1", 1.0, 2**63, -(2**63) - 1, 2**64, False],
                "bool": [1, 0, "true", None],
                "float64": ["1", True, None, {"b64": "AA=="}],
                "string": [1, 1.5, True, None],
            }
        ),
    )
    @pytest.mark.parametrize("format_name", ["instances", "inputs"])
    def test_wrong_type(self, rest, type_name, value, format_name):
        # TypeError: "JSON Value: ", value, " Type: ", type, " is not of expected type: ", dtype
        error_of(rest.post(typed(type_name, [value], format_name)), 400)

    @signature(identity("float32"))
    @pytest.mark.parametrize("value", [2**24, -(2**24), 2**53, 1e39, -1e39, 1e308])
    def test_lossy_float(self, rest, value):
        # LossyDecimalError; a whole number must be below 2^24, one with a point in range.
        error_of(rest.post(typed("float32", [value])), 400)

    @signature(identity("float32"))
    @pytest.mark.parametrize("value", [float(2**24), 3.4e38, 0.1234567890123])
    def test_rounded_float(self, rest, value):
        # IsLosslessDecimal: of numbers with a point only the range counts.
        found = response_of(rest.post(typed("float32", [value])))["predictions"]
        assert found == pytest.approx([value], rel=1e-7)

    @signature(identity("float64"))
    def test_lossy_double(self, rest):
        error_of(rest.post(typed("float64", [2**53])), 400)


class TestSeveralTensors:
    """api_rest.md: "For multiple named inputs, each item is expected to be an object"."""

    pytestmark = signature(TYPED)

    def post(self, rest, **body):
        return rest.post({"signature_name": TYPED, **body})

    def test_rows(self, rest):
        second = {"integer": -7, "number": 0.25, "flag": False, "text": "two"}
        body = response_of(self.post(rest, instances=[FIELDS, second]))
        assert body == {
            "predictions": [
                {**FIELDS, "text_bytes": b64(b"one")},
                {**second, "text_bytes": b64(b"two")},
            ]
        }

    def test_columns(self, rest):
        columns = {name: [value] * 2 for name, value in FIELDS.items()}
        body = response_of(self.post(rest, inputs=columns))
        assert body == {"outputs": {**columns, "text_bytes": [b64(b"one")] * 2}}

    def test_bytes_that_are_not_text_come_back_encoded(self, rest):
        # "Output of binary values": tensors with the suffix _bytes are considered to be binary.
        content = b64(bytes([0, 1, 254, 255]))
        response = self.post(rest, inputs={name: [value] for name, value in FIELDS.items()})
        assert response_of(response)["outputs"]["text_bytes"] == [b64(b"one")]
        row = {**FIELDS, "text": content}
        response = self.post(rest, instances=[row])
        assert response.status_code == 200
        body = json.loads(response.content.decode(errors="replace"))
        assert body["predictions"][0]["text_bytes"] == content

    def test_key_order_does_not_matter(self, rest):
        backwards = dict(reversed(FIELDS.items()))
        assert response_of(self.post(rest, instances=[backwards])) == response_of(
            self.post(rest, instances=[FIELDS])
        )

    @pytest.mark.parametrize("name", list(FIELDS))
    def test_missing_key(self, rest, name):
        row = {key: value for key, value in FIELDS.items() if key != name}
        error_of(self.post(rest, instances=[FIELDS, row]), 400)

    @pytest.mark.parametrize("name", list(FIELDS))
    def test_missing_column(self, rest, name):
        columns = {key: [value] for key, value in FIELDS.items() if key != name}
        error_of(self.post(rest, inputs=columns), 400)

    def test_extra_key(self, rest):
        error_of(self.post(rest, instances=[{**FIELDS, "more": 1}]), 400)

    @pytest.mark.parametrize("values", [[1, 2], ["a"], [None]])
    def test_list_of_values(self, rest, values):
        error_of(self.post(rest, instances=values), 400)

    @pytest.mark.parametrize("value", [[1, 2], "a", 5])
    def test_plain_columns(self, rest, value):
        error_of(self.post(rest, inputs=value), 400)


class TestShapes:
    """json_tensor.cc, FillTensorProto and AddInstanceItem; the checks of json_tensor_test.cc."""

    def post(self, rest, name: str = MATRIX, **body):
        return rest.post({"signature_name": name, **body})

    @signature(MATRIX)
    @pytest.mark.parametrize(
        ("format_name", "key"), [("instances", "predictions"), ("inputs", "outputs")]
    )
    @pytest.mark.parametrize("values", [[[1.0, 2.0], [3.0, 4.0]], [[5.0]], [[], []]])
    def test_matrix(self, rest, values, format_name, key):
        # "Tensors are expressed naturally in nested notation"
        assert response_of(self.post(rest, **{format_name: values})) == {key: values}

    @signature(MATRIX)
    @pytest.mark.parametrize(
        "values",
        [
            [[1, 2], [3, 4], [5, 6, 7]],
            [[1, 2], [3]],
            [[1, 2], [[3, 4]]],
            [1, [1]],
            [[1, [2]]],
            [[[1], 2]],
            [[[1, 2], [3]]],
        ],
    )
    @pytest.mark.parametrize("format_name", ["instances", "inputs"])
    def test_ragged(self, rest, values, format_name):
        error_of(self.post(rest, **{format_name: values}), 400)

    @signature(UNEVEN)
    def test_columns_of_different_length(self, rest):
        # api_rest.md: "need not share the same 0-th dimension (aka batch size)"
        columns = {"left": [1.0, 2.0, 3.0], "right": [4.0]}
        assert response_of(self.post(rest, UNEVEN, inputs=columns)) == {"outputs": columns}

    @signature(TOTAL)
    def test_scalar_output_in_columns(self, rest):
        assert response_of(self.post(rest, TOTAL, inputs=[1, 2, 3])) == {"outputs": 6.0}

    @signature(TOTAL)
    def test_scalar_output_in_rows(self, rest):
        # json_tensor.cc, MakeRowFormatJsonFromTensors
        error_of(self.post(rest, TOTAL, instances=[1, 2, 3]), 400)
