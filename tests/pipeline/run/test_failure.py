import contextlib
import traceback
from pathlib import Path

import pytest

from pipeline.run.failure import explain
from transform_module.errors import UserError

MESSAGE = "The examples are not what the pipeline needs:\n  split eval: none\nConvert them again."


def raised(*errors):
    """The last of several errors, each raised while the former was handled."""
    former = None
    for error in errors:
        error.__context__ = former
        with contextlib.suppress(type(error)):
            raise error
        former = error
    return former


def printed(error):
    """What a worker process hands on: the traceback as text."""
    text = "".join(traceback.format_exception(error))
    return RuntimeError(f"{text.rstrip()} [while running 'Stage [1]']\n")


def test_a_users_error_is_reported_as_it_is():
    assert explain(UserError(MESSAGE)) == MESSAGE


def test_the_stage_that_beam_adds_is_left_out():
    assert explain(UserError(f"{MESSAGE} [while running 'Generate [1]/Map']")) == MESSAGE


@pytest.mark.parametrize("depth", [1, 3])
def test_a_users_error_is_found_under_others(depth):
    others = [RuntimeError(f"outer {number}") for number in range(depth)]
    assert explain(raised(UserError(MESSAGE), *others)) == MESSAGE


def test_a_users_error_is_found_as_a_cause():
    outer = RuntimeError("outer")
    outer.__cause__ = UserError(MESSAGE)
    assert explain(outer) == MESSAGE


def test_a_users_error_is_found_in_a_workers_text():
    assert explain(printed(raised(UserError(MESSAGE)))) == MESSAGE


def test_a_users_error_that_another_followed_is_found_in_a_workers_text():
    assert explain(printed(raised(UserError(MESSAGE), RuntimeError("outer")))) == MESSAGE


def test_a_users_error_that_caused_another_is_found_in_a_workers_text():
    outer = raised(UserError(MESSAGE), RuntimeError("outer"))
    outer.__cause__ = outer.__context__
    assert explain(printed(outer)) == MESSAGE


def test_a_users_error_that_followed_another_is_found_in_a_workers_text():
    assert explain(printed(raised(ValueError("inner"), UserError(MESSAGE)))) == MESSAGE


def test_a_users_error_is_found_in_a_text_under_others():
    error = printed(raised(UserError(MESSAGE)))
    assert explain(raised(error, RuntimeError("outer"))) == MESSAGE


@pytest.mark.parametrize(
    ("error", "output"),
    [
        (ValueError("no such thing"), "ValueError: no such thing"),
        (ValueError("first line\nlast line\n"), "ValueError: last line"),
        (KeyError("label"), "KeyError: 'label'"),
        (MemoryError(), "MemoryError"),
        (KeyboardInterrupt(), "KeyboardInterrupt"),
        (OSError("something else"), "OSError: something else"),
        (RuntimeError("odd [while running 'Stage']"), "RuntimeError: odd"),
    ],
)
def test_any_other_error_is_reported_by_its_type_and_last_line(error, output):
    assert explain(error) == output


def test_a_workers_other_error_is_reported_by_its_own_type():
    assert explain(printed(raised(OSError("No such thing")))) == "OSError: No such thing"


def test_a_full_disk_is_reported_with_the_root_where_the_error_names_no_file():
    error = RuntimeError("outer")
    error.__cause__ = OSError(28, "No space left on device")
    output = "/r: there is no space left on its disk; free some, or use another disk."
    assert explain(error, Path("/r")) == output
    assert explain(printed(raised(OSError(28, "No space left on device"))), Path("/r")) == output


RECORD = b"\x1f\x8b\x00patient7.jpeg"


@pytest.mark.parametrize(
    "message",
    [
        f"Not a valid TFRecord: {RECORD!r}",
        f"Not a valid TFRecord: {RECORD.decode('latin-1')}",
        "Not a valid TFRecord: \ufffd\u2028 patient7.jpeg",
        "Not a valid TFRecord: patient7.jpeg " + "word " * 1000,
        "Not a valid TFRecord: \\037\\213 patient7.jpeg",
    ],
)
def test_the_data_that_a_librarys_message_quotes_is_not_reported(message):
    for error in (ValueError(message), printed(raised(ValueError(message)))):
        output = explain(error)
        assert output.startswith("ValueError")
        assert "patient7" not in output
        assert len(output.splitlines()) == 1


def test_of_tensorflows_message_the_operation_is_left_out():
    error = ValueError("corrupted record at 12\n\t [[{{node IteratorGetNext}}]] [Op:X]")
    assert explain(error) == "ValueError: corrupted record at 12"


def test_a_class_of_a_similar_name_is_not_a_users_error():
    assert explain(RuntimeError("NotAUserError: words")) == "NotAUserError: words"


def test_errors_that_refer_to_each_other_end():
    first, second = ValueError("first"), ValueError("second")
    first.__context__, second.__context__ = second, first
    assert explain(first) == "ValueError: first"


@pytest.mark.slow
def test_beam_itself():
    import apache_beam as beam
    from apache_beam.options.pipeline_options import PipelineOptions

    def fail(_):
        raise UserError(MESSAGE)

    options = PipelineOptions(runner="DirectRunner", direct_running_mode="in_memory")
    with pytest.raises(UserError) as caught, beam.Pipeline(options=options) as pipeline:
        _ = pipeline | beam.Create([1]) | "Stage [1]" >> beam.Map(fail)
    assert explain(caught.value) == MESSAGE
