import re

import pytest

from serving.beam.beam_args import DEFAULT_BEAM_ARGS, FLINK, computes_here, flink_args


@pytest.mark.parametrize(
    ("beam_args", "here"),
    [
        ([], True),
        (list(DEFAULT_BEAM_ARGS), True),
        (["--runner=DirectRunner"], True),
        (["--runner", "DirectRunner"], True),
        (["--runner=DataflowRunner", "--project=p"], False),
        (["--runner", "FlinkRunner"], False),
        ([*DEFAULT_BEAM_ARGS, "--runner=PortableRunner"], False),
        (flink_args("local"), True),
        (flink_args("local[4]"), True),
        (flink_args("localhost:8081"), False),
        (flink_args("http://local:8081"), False),
        (flink_args("local:8081"), False),
    ],
)
def test_workers_are_here_with_the_runners_of_this_machine(beam_args, here):
    assert computes_here(beam_args) == here


@pytest.mark.parametrize(
    ("cluster", "is_one"),
    [
        *((each, True) for each in ("local", "local[3]", "a:1", "http://a.b:8081/", "https://a:1")),
        *((each, False) for each in ("", "local[0]", "local[]", "locals", "a", "a:b", "ftp://a:1")),
    ],
)
def test_a_cluster_is_an_address_or_local(cluster, is_one):
    assert bool(re.search(FLINK, cluster)) == is_one
