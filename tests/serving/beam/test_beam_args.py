import pytest

from serving.beam.beam_args import DEFAULT_BEAM_ARGS, computes_here


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
    ],
)
def test_workers_are_here_with_the_runners_of_this_machine(beam_args, here):
    assert computes_here(beam_args) == here
