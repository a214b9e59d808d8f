"""What a test on a real Flink needs."""

import pytest

from serving.beam.flink.flink_downloads import flink_jars, java, job_server_jars
from transform_module.errors import UserError


def skip_without_flink():
    """Skips a test where Java is missing, or the jars cannot be fetched."""
    try:
        java(), job_server_jars(), flink_jars()
    except UserError as error:
        pytest.skip(str(error))
