"""Settings of StatisticsGen."""

from typing import TYPE_CHECKING

from components.schema_gen import contract_schema
from transform_module import contract

if TYPE_CHECKING:
    import tensorflow_data_validation as tfdv

_NAMES = (contract.FILENAME, contract.PATIENT_ID, contract.SHA256)
"""Features that name a file or a patient; a hash is one of a file that others may hold."""


def statistics_options() -> "tfdv.StatsOptions":
    """Builds the options of StatisticsGen, which leave images and names unread.

    TFDV counts presence, type and sizes of a feature that is declared an image, and makes no
    ranking, quantile or vocabulary of its values. The statistics' schema declares that of what
    names a file or a patient, too: its most frequent values would be in the artifact, in its
    visualizations, and in whatever is sent on of them.

    Returns:
        Options that survive StatisticsGen's JSON.
    """
    import tensorflow_data_validation as tfdv

    schema = contract_schema()
    for feature in schema.feature:
        if feature.name in _NAMES:
            feature.image_domain.SetInParent()
    return tfdv.StatsOptions(schema=schema, use_sketch_based_topk_uniques=True)
