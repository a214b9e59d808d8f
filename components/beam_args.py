"""How Beam runs where nothing else is asked for."""

from typing import Final

DEFAULT_BEAM_ARGS: Final = (
    # In this process. "DirectRunner" hands over to Prism, a program that Beam 2.77 downloads.
    "--runner=FnApiRunner",
    "--direct_running_mode=in_memory",
    "--direct_num_workers=1",
)
"""Options that a user's own go after, and so win over."""

BEAM_ARGS: Final = "beam_args"
"""The parameter of a compiled task: what would stand on a command line, such as
``--runner=DataflowRunner --max_num_workers=3``."""
