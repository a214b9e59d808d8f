"""TensorFlow Serving's configuration messages that ``tensorflow-serving-api`` leaves out.

Each has the package, the field names and the numbers that it has upstream, in the files of the
repository tensorflow/serving that `_FILES` names. They are in a pool of their own, so that a
later release of ``tensorflow-serving-api`` that brings them along does not collide with them.
"""

from functools import cache
from typing import Any, Final

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, wrappers_pb2

_PACKAGE: Final = "tensorflow.serving"

_BOOL_VALUE: Final = ".google.protobuf.BoolValue"
_INT64_VALUE: Final = ".google.protobuf.Int64Value"
_STRING_VALUE: Final = ".google.protobuf.StringValue"

_Field = tuple[int, str, str, str]
"""Number, label, type and name."""

_FILES: Final[dict[str, dict[str, tuple[_Field, ...]]]] = {
    "tensorflow_serving/servables/tensorflow/session_bundle_config.proto": {
        "BatchingParameters": (
            (1, "optional", _INT64_VALUE, "max_batch_size"),
            (2, "optional", _INT64_VALUE, "batch_timeout_micros"),
            (3, "optional", _INT64_VALUE, "max_enqueued_batches"),
            (4, "optional", _INT64_VALUE, "num_batch_threads"),
            (5, "optional", _STRING_VALUE, "thread_pool_name"),
            (6, "repeated", "int64", "allowed_batch_sizes"),
            (7, "optional", "bool", "pad_variable_length_inputs"),
            (8, "optional", _BOOL_VALUE, "enable_large_batch_splitting"),
            (9, "optional", _INT64_VALUE, "max_execution_batch_size"),
        ),
    },
    "tensorflow_serving/config/monitoring_config.proto": {
        "PrometheusConfig": (
            (1, "optional", "bool", "enable"),
            (2, "optional", "string", "path"),
        ),
        "MonitoringConfig": (
            (1, "optional", f".{_PACKAGE}.PrometheusConfig", "prometheus_config"),
        ),
    },
    "tensorflow_serving/config/ssl_config.proto": {
        "SSLConfig": (
            (1, "optional", "string", "server_key"),
            (2, "optional", "string", "server_cert"),
            (3, "optional", "string", "custom_ca"),
            (4, "optional", "bool", "client_verify"),
        ),
    },
}


def batching_parameters() -> Any:
    """Returns the class of the message ``tensorflow.serving.BatchingParameters``."""
    return _message_class("BatchingParameters")


def monitoring_config() -> Any:
    """Returns the class of the message ``tensorflow.serving.MonitoringConfig``."""
    return _message_class("MonitoringConfig")


def ssl_config() -> Any:
    """Returns the class of the message ``tensorflow.serving.SSLConfig``."""
    return _message_class("SSLConfig")


@cache
def _message_class(name: str) -> Any:
    return message_factory.GetMessageClass(_pool().FindMessageTypeByName(f"{_PACKAGE}.{name}"))


@cache
def _pool() -> Any:
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(wrappers_pb2.DESCRIPTOR.serialized_pb)
    for path, messages in _FILES.items():
        file = descriptor_pb2.FileDescriptorProto(
            name=path,
            package=_PACKAGE,
            syntax="proto3",
            dependency=[wrappers_pb2.DESCRIPTOR.name],
        )
        for message, fields in messages.items():
            file.message_type.add(name=message, field=[_field(*field) for field in fields])
        pool.AddSerializedFile(file.SerializeToString())
    return pool


def _field(number: int, label: str, kind: str, name: str) -> Any:
    proto = descriptor_pb2.FieldDescriptorProto
    is_message = kind.startswith(".")
    return proto(
        name=name,
        number=number,
        label=proto.Label.Value(f"LABEL_{label.upper()}"),
        type=proto.Type.Value("TYPE_MESSAGE" if is_message else f"TYPE_{kind.upper()}"),
        type_name=kind if is_message else None,
    )
