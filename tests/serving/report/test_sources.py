import pydantic
import pytest

from serving.images.dataset import PatientsKnown
from serving.images.patient_names import KERMANY as KERMANY_NAMES
from serving.report.settings import ReportSettings
from serving.report.sources import KERMANY, SYNTHETIC, data_source, source
from tests.serving.report import made


def known_by(name: str):
    patients = PatientsKnown(images=100, known=98, by={name: 98})
    return made.context(
        source=None, dataset=made.dataset().model_copy(update={"patients": patients})
    )


def test_the_owner_states_source_and_licence():
    settings = ReportSettings(data_source="X-rays of our hospital, 2019", licence="internal use")
    context = made.context(source=source("", settings))
    assert data_source(context) == "X-rays of our hospital, 2019. Licence: internal use."


def test_a_licence_alone_leaves_the_source_open():
    context = made.context(source=source("", ReportSettings(licence="CC0")))
    assert data_source(context) == (
        "Source: not stated (set report.data_source in the configuration). Licence: CC0."
    )


def test_known_sources_have_their_licence():
    settings = ReportSettings()
    assert source("synthetic", settings) is SYNTHETIC
    assert source("kermany-2018", settings) is KERMANY
    assert "CC BY 4.0" in data_source(made.context(source=KERMANY))


def test_without_a_statement_nothing_is_invented():
    text = data_source(made.context(source=None))
    assert text.count("not stated") == 2
    assert "report.data_source" in text
    assert "report.licence" in text


def test_a_dataset_that_is_recognised_by_its_names_is_not_stated():
    text = data_source(known_by(KERMANY_NAMES))
    assert "98 of 100 files follow the names of Kermany et al." in text
    assert "report.dataset=kermany-2018" in text
    assert text.endswith("Licence: not stated (set report.licence in the configuration).")


def test_names_by_a_table_say_nothing_of_the_source():
    assert "follow" not in data_source(known_by("the table"))


def test_two_statements_contradict():
    with pytest.raises(pydantic.ValidationError, match="remove data_source and licence"):
        ReportSettings(dataset="kermany-2018", licence="MIT")
