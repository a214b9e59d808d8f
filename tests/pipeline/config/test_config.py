import pytest
from pydantic import BaseModel, ValidationError

from pipeline.config.config import Config
from pipeline.config.config_fields import submodel


def fields(model=Config, prefix=""):
    for name, field in model.model_fields.items():
        yield f"{prefix}{name}", field
        if inner := submodel(field):
            yield from fields(inner, f"{prefix}{name}.")


def test_every_key_has_a_description():
    assert [path for path, field in fields() if not field.description] == []


def test_every_key_has_a_default():
    assert [path for path, field in fields() if field.is_required()] == []


def models(model=Config):
    yield model
    for field in model.model_fields.values():
        if inner := submodel(field):
            yield from models(inner)


@pytest.mark.parametrize("model", models(), ids=lambda model: model.__name__)
def test_no_model_takes_an_unknown_key_or_can_be_changed(model: type[BaseModel]):
    with pytest.raises(ValidationError, match="Extra inputs"):
        model.model_validate({"no_such_key": 1})
    with pytest.raises(ValidationError, match="frozen"):
        setattr(model(), next(iter(model.model_fields)), None)


@pytest.mark.parametrize(
    ("change", "bad"),
    [
        ({"name": "Chest X-Ray"}, "name"),
        ({"name": ""}, "name"),
        ({"seed": -1}, "seed"),
        ({"seed": 2**31}, "seed"),
        ({"orchestrator": "airflow"}, "orchestrator"),
        ({"push": {"model_name": "../elsewhere"}}, "model_name"),
        ({"push": {"model_name": "a" * 64}}, "model_name"),
        ({"synthetic": {"images": 59}}, "images"),
    ],
)
def test_an_impossible_value_is_refused(change, bad):
    with pytest.raises(ValidationError, match=rf"\b{bad}\n"):
        Config.model_validate(change)
