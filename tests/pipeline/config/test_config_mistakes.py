import pytest
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from pipeline.config.config_mistakes import describe


class Inner(BaseModel):
    model_config = ConfigDict(extra="forbid")

    depth: int = Field(1, ge=1)
    sizes: tuple[int, ...] = ()

    @field_validator("sizes")
    @classmethod
    def _is_even(cls, sizes):
        if any(size % 2 for size in sizes):
            raise ValueError("every size must be even, such as [2, 4]")
        return sizes


class Outer(BaseModel):
    model_config = ConfigDict(extra="forbid")

    colour: str = "red"
    inner: Inner = Field(default_factory=Inner)


def described(data, **places):
    with pytest.raises(ValidationError) as caught:
        Outer.model_validate(data)
    return describe(Outer, caught.value, places)


def test_a_wrong_value():
    assert described({"inner": {"depth": 0}}) == [
        "inner.depth: received 0; allowed: a whole number >= 1"
    ]


def test_a_wrong_item_of_a_list():
    assert described({"inner": {"sizes": [2, "x"]}}) == [
        'inner.sizes.1: received "x"; allowed: a list, each a whole number'
    ]


def test_a_validators_own_words_are_kept():
    assert described({"inner": {"sizes": [3]}}) == [
        "inner.sizes: every size must be even, such as [2, 4]"
    ]


def test_an_unknown_key_inside():
    assert described({"inner": {"dept": 1}}) == [
        "inner.dept: there is no such key. Did you mean inner.depth? Keys under inner: depth, sizes"
    ]


def test_an_unknown_key_at_the_top():
    assert described({"color": "red"}) == [
        "color: there is no such key. Did you mean colour? Keys at the top: colour, inner"
    ]


def test_the_place_is_that_of_the_nearest_key_that_was_written():
    message = described({"inner": {"sizes": ["x"]}}, **{"inner": "f:1", "inner.sizes": "f:2"})
    assert message[0].startswith("f:2: inner.sizes.0: ")


def test_all_mistakes_are_reported_in_the_order_of_the_fields():
    message = described({"inner": {"depth": 0, "sizes": "x"}, "colour": 1})
    assert [line.partition(":")[0] for line in message] == ["colour", "inner.depth", "inner.sizes"]
