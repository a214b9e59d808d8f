"""ExampleValidator: stops the run when an anomaly of the examples matters."""

import logging
from collections import Counter
from collections.abc import Iterator, Mapping

import tensorflow_data_validation as tfdv
from tensorflow_metadata.proto.v0 import anomalies_pb2, statistics_pb2
from tfx.components.example_validator import executor as tfx_executor
from tfx.components.statistics_gen import stats_artifact_utils
from tfx.dsl.component.experimental.annotations import InputArtifact, OutputArtifact
from tfx.dsl.component.experimental.decorators import component
from tfx.types import artifact_utils
from tfx.types.standard_artifacts import ExampleAnomalies, ExampleStatistics, Schema
from tfx.utils import io_utils

from components.hashed import hashed
from components.schema_gen import contract_schema
from transform_module import contract
from transform_module.errors import UserError

_LOG = logging.getLogger(__name__)


def breaches(split: str, statistics: statistics_pb2.DatasetFeatureStatisticsList) -> Iterator[str]:
    """Yields what in a split breaks the contract.

    Args:
        split: the split's name, for the message.
        statistics: its statistics.

    Yields:
        One sentence for each breach, naming split, feature and anomaly: no examples, a feature
        that is missing or of another type or domain, a class without an example.
    """
    if not any(dataset.num_examples for dataset in statistics.datasets):
        yield f"split {split}: it has no examples"
        return
    schema = contract_schema()
    anomalies = tfdv.validate_statistics(statistics, schema)
    declared = {feature.name for feature in schema.feature}
    for name, anomaly in sorted(anomalies.anomaly_info.items()):
        if name in declared:
            yield _sentence(split, name, anomaly)
    if contract.LABEL not in anomalies.anomaly_info:
        yield from _absent_classes(split, statistics)


@hashed
@component
def ExampleValidator(
    statistics: InputArtifact[ExampleStatistics],
    schema: InputArtifact[Schema],
    anomalies: OutputArtifact[ExampleAnomalies],
) -> None:
    """Records every anomaly as TFX does, and stops the run with an error at those that matter.

    What breaks our contract matters: a feature missing, of another type or out of its domain, an
    empty split, a split without one of the classes. What merely differs from the inferred schema,
    as a subtype that only ``test`` has, is recorded and logged.

    Args:
        statistics: what StatisticsGen made.
        schema: what SchemaGen made.
        anomalies: what differs from the schema, by split.

    Raises:
        UserError: a split breaks the contract.
    """
    inputs, outputs = {"statistics": [statistics], "schema": [schema]}, {"anomalies": [anomalies]}
    tfx_executor.Executor().Do(inputs, outputs, {})
    found: list[str] = []
    held: Counter[str] = Counter()
    for split in artifact_utils.decode_split_names(statistics.split_names):
        counted = stats_artifact_utils.load_statistics(statistics, split).proto()
        found += breaches(split, counted)
        held.update(_class_counts(counted))
        _log_anomalies(split, artifact_utils.get_split_uri([anomalies], split))
    if found:
        problems = "".join(f"\n  {problem}" for problem in found)
        raise UserError(f"The examples are not what the pipeline needs:{problems}\n{_advice(held)}")


def _log_anomalies(split: str, folder: str) -> None:
    anomalies = anomalies_pb2.Anomalies()
    content = io_utils.read_bytes_file(f"{folder}/{tfx_executor.DEFAULT_FILE_NAME}")
    anomalies.ParseFromString(content)
    for name, anomaly in sorted(anomalies.anomaly_info.items()):
        _LOG.warning("Anomaly against the schema, %s.", _sentence(split, name, anomaly))


def _sentence(split: str, name: str, anomaly: anomalies_pb2.AnomalyInfo) -> str:
    text = "; ".join(
        f"{reason.short_description} ({reason.description})" for reason in anomaly.reason
    )
    return f"split {split}, feature {name}: {text or anomaly.short_description}"


def _absent_classes(
    split: str, statistics: statistics_pb2.DatasetFeatureStatisticsList
) -> Iterator[str]:
    for name, count in _class_counts(statistics).items():
        if not count:
            yield f"split {split}, feature {contract.LABEL}: no example of {name}"


def _class_counts(statistics: statistics_pb2.DatasetFeatureStatisticsList) -> dict[str, int]:
    """Counts the examples of each class, as far as the label is what it should be."""
    counts = dict.fromkeys(contract.LABELS, 0)
    for dataset in statistics.datasets:
        for feature in dataset.features:
            if list(feature.path.step) == [contract.LABEL]:
                zeros = feature.num_stats.num_zeros
                ones = feature.num_stats.common_stats.num_non_missing - zeros
                for name, count in zip(contract.LABELS, (zeros, ones), strict=True):
                    counts[name] += count
    return counts


def _advice(held: Mapping[str, int]) -> str:
    """Returns what to do, by how many examples of each class all splits hold together."""
    if missing := [name for name, count in held.items() if not count]:
        return (
            f"No split holds an example of {' or '.join(missing)}: fix the image folder, so that "
            "it has readable images of both classes."
        )
    return (
        "Fix the image folder, or split the patients in another way (a class with few patients "
        "can miss a split): give another `seed`, and run again."
    )
