import pytest
from kfp.pipeline_spec import pipeline_spec_pb2

from pipeline.cluster.rehearsal.verdict import refuse_without_report
from transform_module.errors import UserError


def made(reason: str):
    artifact = pipeline_spec_pb2.RuntimeArtifact(name="report")
    artifact.metadata.update({"reason": reason})
    return {"report": [artifact]}


def test_a_report_that_was_made_is_accepted():
    refuse_without_report(made(""))


def test_a_report_that_was_not_made_is_reported_with_its_reason():
    with pytest.raises(UserError, match="Report: there is no report: no space left"):
        refuse_without_report(made("no space left"))
