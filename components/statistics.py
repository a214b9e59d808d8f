"""What StatisticsGen computes."""

from typing import TYPE_CHECKING

from components.schema import contract_schema

if TYPE_CHECKING:
    import tensorflow_data_validation as tfdv


def statistics_options() -> "tfdv.StatsOptions":
    """Builds the options of StatisticsGen, which leave the pictures' bytes unread.

    The contract schema declares ``image`` a picture: its presence, type and sizes are counted, and
    no ranking, quantile or vocabulary is made of its values. Sketches rank the other strings, most
    of which are unique (names, hashes), in bounded memory.

    Returns:
        Options that survive StatisticsGen's JSON.
    """
    import tensorflow_data_validation as tfdv

    return tfdv.StatsOptions(schema=contract_schema(), use_sketch_based_topk_uniques=True)
