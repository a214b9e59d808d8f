"""The contract of the Examples, as a TensorFlow Metadata schema."""

from typing import TYPE_CHECKING

from transform_module import contract

if TYPE_CHECKING:
    from tensorflow_metadata.proto.v0 import schema_pb2

_STRINGS = (contract.FILENAME, contract.PATIENT_ID, contract.FORMAT, contract.SHA256)
_SIZES = (contract.WIDTH, contract.HEIGHT)


def contract_schema() -> "schema_pb2.Schema":
    """Builds the schema that every split must satisfy.

    Each example holds exactly one value of each feature, but for ``subtype``, which is only
    where the file's name has it. ``label`` is 0 or 1, ``label_name`` its name; sides are in
    pixels. ``image`` is declared as an image, so that statistics count its bytes and leave its
    values alone.

    Returns:
        The schema. Other features may be beside those it names.
    """
    from tensorflow_metadata.proto.v0 import schema_pb2

    schema = schema_pb2.Schema()

    def declare(
        name: str, kind: "schema_pb2.FeatureType", fraction: float = 1.0
    ) -> "schema_pb2.Feature":
        feature = schema.feature.add(name=name, type=kind)
        feature.presence.min_fraction = fraction
        feature.value_count.min = 1
        feature.value_count.max = 1
        return feature

    declare(contract.IMAGE, schema_pb2.BYTES).image_domain.SetInParent()
    label = declare(contract.LABEL, schema_pb2.INT)
    label.int_domain.min = 0
    label.int_domain.max = len(contract.LABELS) - 1
    declare(contract.LABEL_NAME, schema_pb2.BYTES).string_domain.value.extend(contract.LABELS)
    for name in _STRINGS:
        declare(name, schema_pb2.BYTES)
    for name in _SIZES:
        declare(name, schema_pb2.INT).int_domain.min = contract.MINIMUM_SIDE
    declare(contract.SUBTYPE, schema_pb2.BYTES, fraction=0.0)
    return schema
