from pathlib import Path

from pipeline.cli.output.align_table import as_plain
from serving.align.job import Aligned
from tests.pipeline.cli.commands.test_align_command import FOUND


def test_machines_get_every_figure():
    plain = as_plain(Aligned(Path("pushed/17"), FOUND, 0.125))
    assert plain["prevalence"] == {"before": 0.74, "after": 0.2, "low": 0.17, "high": 0.23}
    assert (plain["from_version"], plain["version"], plain["refused"]) == ("17", None, None)
    assert plain["tests"]["mixture"]["p_value"] == 0.3
    assert plain["tests"]["domain"]["share"] == 0.04
    assert plain["labels_changed"] == 0.125
    assert plain["is_needed"]
