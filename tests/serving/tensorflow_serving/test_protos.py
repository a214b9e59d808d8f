import pytest
from google.protobuf import text_format

from serving.tensorflow_serving import protos


@pytest.mark.parametrize(
    ("message_class", "text", "wire"),
    [
        # Written by hand from the upstream files: field number << 3 | wire type, then the value.
        (
            protos.batching_parameters(),
            "max_batch_size { value: 32 } batch_timeout_micros { value: 5 } "
            "max_enqueued_batches { value: 6 } num_batch_threads { value: 7 } "
            'thread_pool_name { value: "p" } allowed_batch_sizes: [1, 32] '
            "pad_variable_length_inputs: true "
            "enable_large_batch_splitting { value: true } max_execution_batch_size { value: 9 }",
            "0a020820120208051a020806220208072a030a0170320201203801420208014a020809",
        ),
        (
            protos.monitoring_config(),
            'prometheus_config { enable: true path: "/m" }',
            "0a06080112022f6d",
        ),
        (
            protos.ssl_config(),
            'server_key: "k" server_cert: "c" custom_ca: "a" client_verify: true',
            "0a016b1201631a01612001",
        ),
    ],
)
def test_the_messages_have_the_fields_and_numbers_of_upstream(message_class, text, wire):
    message = text_format.Parse(text, message_class())
    assert message.SerializeToString(deterministic=True).hex() == wire
    assert message.DESCRIPTOR.full_name.startswith("tensorflow.serving.")
    assert text_format.Parse(text_format.MessageToString(message), message_class()) == message


def test_a_class_is_made_once():
    assert protos.ssl_config() is protos.ssl_config()
