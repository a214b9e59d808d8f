import os

import pytest
from tfx_bsl.coders import batch_util

from pipeline.runners.executable import executable
from serving.beam.beam_process import prepare_process
from tests.pipeline.command import COMPONENTS
from tests.pipeline.wired import wire


@pytest.fixture(scope="module")
def nodes():
    """The compiled nodes by their ids."""
    compiled = executable(wire(), "20260301-1", ["Pusher", "Trainer"])
    return {node.pipeline_node.node_info.id: node.pipeline_node for node in compiled.nodes}


def test_every_node_is_compiled(nodes):
    assert set(nodes) == COMPONENTS


def test_every_node_belongs_to_the_run(nodes):
    for node in nodes.values():
        names = [context.name.field_value.string_value for context in node.contexts.contexts]
        assert "20260301-1" in names


def test_all_are_cached_but_what_may_not_be(nodes):
    uncached = {
        name
        for name, node in nodes.items()
        if not node.execution_options.caching_options.enable_cache
    }
    assert uncached == {"Pusher", "Trainer"}


def test_beams_batches_are_fixed_and_its_workers_see_no_gpu(monkeypatch):
    monkeypatch.setattr(batch_util, "GetBatchElementsKwargs", None)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    prepare_process()
    given = batch_util.GetBatchElementsKwargs(None, element_size_fn=len)
    assert given == {"min_batch_size": 32, "max_batch_size": 32}
    assert os.environ["CUDA_VISIBLE_DEVICES"] == "-1"
