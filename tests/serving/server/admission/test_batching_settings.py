import pytest
from google.protobuf import text_format

from serving.server.admission.batching_settings import BatchingSettings
from serving.tensorflow_serving import protos
from transform_module import contract
from transform_module.errors import UserError

WHOLE = """
max_batch_size { value: 8 }
batch_timeout_micros { value: 500 }
max_enqueued_batches { value: 20 }
num_batch_threads { value: 2 }
allowed_batch_sizes: 4
allowed_batch_sizes: 8
"""


def test_a_file_is_read_into_its_settings():
    assert BatchingSettings.from_text_proto(WHOLE) == BatchingSettings(8, 500, 20, 2, (4, 8))


@pytest.mark.parametrize("settings", [BatchingSettings(), BatchingSettings(5, 0, 1, 1, ())])
def test_what_is_written_reads_back_as_the_same(settings):
    assert BatchingSettings.from_text_proto(settings.to_text_proto()) == settings


def test_a_request_of_more_than_a_batch_is_split():
    message = text_format.Parse(BatchingSettings().to_text_proto(), protos.batching_parameters()())
    assert message.enable_large_batch_splitting.value
    assert message.max_execution_batch_size.value == 32
    assert message.max_batch_size.value == 3200
    # tensorflow_serving/servables/tensorflow/bundle_factory_util.cc, WrapSessionForBatching.
    assert message.allowed_batch_sizes[-1] == message.max_batch_size.value
    # tensorflow/core/kernels/batching_util/shared_batch_scheduler.h, AddQueue.
    assert message.max_batch_size.value >= message.max_execution_batch_size.value


SPLITTING = """
enable_large_batch_splitting { value: true }
max_execution_batch_size { value: 4 }
"""


def test_a_batch_is_what_is_executed():
    assert BatchingSettings.from_text_proto(WHOLE + SPLITTING) == BatchingSettings(
        4, 500, 20, 2, (4,)
    )


@pytest.mark.parametrize("value", ["true", "false"])
def test_without_a_size_of_its_own_a_batch_is_a_request(value):
    text = f"{WHOLE} enable_large_batch_splitting {{ value: {value} }}"
    assert BatchingSettings.from_text_proto(text) == BatchingSettings(8, 500, 20, 2, (4, 8))


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ("value: true", "value: false", r"^max_execution_batch_size: has no effect without enable"),
        ("value: 4 }", "value: 9 }", r"^max_execution_batch_size: must be from 1 to .* 8, is 9"),
        ("value: 4 }", "value: 0 }", r"^max_execution_batch_size: must be from 1 to .* 8, is 0"),
        ("value: 4 }", "value: 5 }", r"^allowed_batch_sizes: must contain max_execution.* 5;"),
    ],
)
def test_a_wrong_split_is_refused(before, after, message):
    with pytest.raises(UserError, match=message):
        BatchingSettings.from_text_proto(WHOLE + SPLITTING.replace(before, after))


def test_the_sizes_are_those_that_the_model_is_warmed_up_with():
    settings = BatchingSettings()
    assert settings.allowed_batch_sizes == contract.SERVING_BATCH_SIZES
    assert settings.max_batch_size == contract.SERVING_BATCH_SIZES[-1]


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ("max_batch_size", "max_batch_sise", r'^max_batch_sise: .*no field named "max_batch_sise"'),
        ("num_batch_threads {", "num_threads {", r'^num_threads: .*no field named "num_threads"'),
        ("value: 500", "value: soon", r"^batch_timeout_micros: .*integer: soon"),
        ("{ value: 20 }", "20", r'^max_enqueued_batches: .*Expected "\{"'),
        ("sizes: 4", "sizes: 4.5", r"^allowed_batch_sizes: .*integer: 4\.5"),
        ("value: 2 }", "value: 2 ", r"^num_batch_threads: "),
        ("value: 8 }", "value: 8 }\nmax_batch_size { value: 8 }", r"^max_batch_size: .*multiple"),
        ("sizes: 4", "sizes: 9", r"^allowed_batch_sizes: must be ascending .* are 9, 8"),
        ("sizes: 4", "sizes: 8", r"^allowed_batch_sizes: must be ascending .* are 8, 8"),
        ("sizes: 4", "sizes: 0", r"^allowed_batch_sizes: must be ascending from 1 .* are 0, 8"),
        ("value: 8", "value: 16", r"^allowed_batch_sizes: the last, 8, must equal .* 16"),
        ("value: 20", "value: 0", r"^max_enqueued_batches: must be at least 1, is 0"),
        ("value: 500", "value: -1", r"^batch_timeout_micros: must be at least 0, is -1"),
        ("num_batch_threads { value: 2 }", "", r"^num_batch_threads: is missing"),
        ("\nmax", '\nthread_pool_name { value: "p" }\nmax', r"^thread_pool_name: .*remove it"),
    ],
)
def test_a_wrong_file_is_refused_by_its_field(before, after, message):
    assert before in WHOLE
    with pytest.raises(UserError, match=message):
        BatchingSettings.from_text_proto(WHOLE.replace(before, after, 1))


def test_what_is_not_a_text_proto_is_refused():
    with pytest.raises(UserError, match=r"^batching parameters: is not a BatchingParameters text"):
        BatchingSettings.from_text_proto("{}")


def test_an_empty_file_is_refused():
    with pytest.raises(UserError, match=r"^max_batch_size: is missing"):
        BatchingSettings.from_text_proto("")


def test_wrong_settings_are_refused_as_they_are_made():
    with pytest.raises(UserError, match=r"^num_batch_threads: must be at least 1, is 0"):
        BatchingSettings(num_batch_threads=0)
