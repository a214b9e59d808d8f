import pytest
from kfp.pipeline_spec import pipeline_spec_pb2

from pipeline.cluster.rehearsal.compiled import Compiled
from pipeline.cluster.rehearsal.kubeflow_launcher import RELEASES, KubeflowLauncher
from pipeline.cluster.rehearsal.launcher import launcher
from pipeline.cluster.rehearsal.vertex_launcher import VertexLauncher
from transform_module.errors import UserError


def compiled(*, is_job):
    return Compiled(pipeline_spec_pb2.PipelineSpec(), {}, "gs://bucket/runs", is_job=is_job)


def test_by_default_a_file_is_run_as_what_it_is_compiled_for(tmp_path):
    kubeflow = launcher(compiled(is_job=False), None, tmp_path, {})
    assert isinstance(kubeflow, KubeflowLauncher)
    assert kubeflow._release == RELEASES["kubeflow-2.17"]
    assert isinstance(launcher(compiled(is_job=True), None, tmp_path, {}), VertexLauncher)


@pytest.mark.parametrize(("like", "is_job"), [("vertex", False), ("kubeflow-2.5", True)])
def test_a_file_is_not_run_as_what_it_is_not_compiled_for(tmp_path, like, is_job):
    target = "kubeflow" if is_job else "vertex"
    with pytest.raises(UserError, match=f"--like {like}: .* cxr compile --target {target}"):
        launcher(compiled(is_job=is_job), like, tmp_path, {})
