"""Runs trials of a search that is led elsewhere: ``python -m trainer_module.search.worker JOB``.

Several machines search together by KerasTuner's environment variables. The Tuner that is started
with KERASTUNER_TUNER_ID=chief, KERASTUNER_ORACLE_IP and KERASTUNER_ORACLE_PORT leads: it draws the
trials, and writes and names the JOB. Each worker is started with an id of its own and the same
address, sees the same files, and ends when nothing is left to draw.
"""

import json
import logging
import sys
from pathlib import Path

from tfx.components.trainer.fn_args_utils import FnArgs

from trainer_module.search.tuner_fn import tuner_fn


def main() -> None:
    """Runs trials until the chief has no more."""
    # What was imported has a handler already.
    logging.basicConfig(level=logging.INFO, format="%(message)s", force=True)
    job = json.loads(Path(sys.argv[1]).read_text())
    tuner_fn(FnArgs(**job)).tuner.search()


if __name__ == "__main__":
    main()
