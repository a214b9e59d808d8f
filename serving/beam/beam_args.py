"""Beam's default options."""

import argparse
import re
from collections.abc import Sequence
from typing import Final

_DISK_RUNNER: Final = "serving.beam.disk_runner.DiskRunner"

DEFAULT_BEAM_ARGS: Final = (
    # In this process. "DirectRunner" hands over to Prism, a program that Beam 2.77 downloads.
    f"--runner={_DISK_RUNNER}",
    "--direct_running_mode=in_memory",
    "--direct_num_workers=1",
)
"""Options that a user's own go after, and so win over."""

SDK_HERE: Final = "--sdk_container_image=none"
"""For a component of TFX whose Beam runs on this machine. Without an image's name TFX packs itself
for workers elsewhere before each component (1.4 s), and nothing here needs either, nor does Flink,
whose workers have the package."""

FLINK_HERE: Final = r"local(?:\[([1-9]\d*)\])?"
"""A Flink cluster that is started on this machine, and how many TaskManagers it has."""

FLINK: Final = rf"^({FLINK_HERE}|(https?://)?[^/\s\[\]]+:\d+/?)$"
"""A Flink cluster: HOST:PORT of its REST API, or ``local``, ``local[N]``."""

_FLINK_RUNNER: Final = "serving.beam.flink.runner.FlinkRunner"

BEAM_ARGS: Final = "beam_args"
"""The parameter of a compiled task: what would be on a command line, such as
``--runner=DataflowRunner --max_num_workers=3``."""

_RUNNERS_HERE: Final = (_DISK_RUNNER, "FnApiRunner", "DirectRunner", "BundleBasedDirectRunner")


def flink_args(cluster: str) -> tuple[str, ...]:
    """Returns the options by which Beam's steps run on Flink.

    Args:
        cluster: as FLINK.
    """
    return (f"--runner={_FLINK_RUNNER}", f"--flink_master={cluster}")


def computes_here(beam_args: Sequence[str]) -> bool:
    """Returns whether Beam's workers are processes of this machine, which see its files.

    Args:
        beam_args: Beam's own options; without a runner among them Beam computes here.
    """
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--runner", default=_RUNNERS_HERE[0])
    parser.add_argument("--flink_master", default="")
    given = parser.parse_known_args(beam_args)[0]
    if given.runner == _FLINK_RUNNER:
        return re.fullmatch(FLINK_HERE, given.flink_master) is not None
    return given.runner in _RUNNERS_HERE
