import os
import signal

import apache_beam as beam
import pytest

from serving.beam import beam_pipeline
from serving.process import interrupts
from transform_module.errors import UserError


def test_options_of_the_user_win_over_our_own():
    made = beam_pipeline.options(["--direct_num_workers=3"]).get_all_options()
    assert (made["runner"], made["direct_num_workers"]) == (
        "serving.beam.disk_runner.DiskRunner",
        3,
    )


def test_an_option_that_beam_does_not_understand_is_reported(capfd):
    with pytest.raises(UserError, match=r"understand --direct_num_workers=x: .* int value: 'x'$"):
        beam_pipeline.options(["--direct_num_workers=x"])
    assert capfd.readouterr().err == ""


def failing(fail):
    pipeline = beam.Pipeline(options=beam_pipeline.options([]))
    _ = pipeline | beam.Create([1]) | beam.Map(fail)
    return pipeline


def test_a_workers_mistake_ends_the_job():
    def fail(_):
        raise UserError("The disk is full.")

    with pytest.raises(UserError, match=r"^The disk is full\.$"):
        beam_pipeline.run(failing(fail))


def test_a_signal_in_a_worker_interrupts_the_job():
    def interrupted(_):
        os.kill(os.getpid(), signal.SIGINT)

    with interrupts.listening(), pytest.raises(KeyboardInterrupt):
        beam_pipeline.run(failing(interrupted))


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ("--direct_num_workers=x", "does not understand --direct_num_workers=x"),
        ("--runner=Nobody", "no runner as in --runner=Nobody: .*Valid values are"),
        ("--runner=nowhere.Runner", "no runner as in --runner=nowhere.Runner"),
        ("--runner=json.Runner", "no runner as in --runner=json.Runner"),
    ],
)
def test_what_beam_does_not_know_is_reported(argument, message):
    with pytest.raises(UserError, match=message):
        beam_pipeline.options([argument])
