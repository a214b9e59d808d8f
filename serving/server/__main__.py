"""Serves the folder of a model's versions on free ports.

    python -m serving.server FOLDER READY_FILE

READY_FILE gets the addresses, as JSON. `cxr serve` has all options.
"""

import sys
from pathlib import Path

from serving.server import serving_process
from serving.server.model_config import of_folder
from transform_module.errors import UserError


def main() -> None:
    """Serves until SIGTERM or SIGINT."""
    folder, ready_file = map(Path, sys.argv[1:])
    try:
        serving_process.run([of_folder(folder)], ready_file=ready_file, rest_port=0, grpc_port=0)
    except UserError as error:
        sys.exit(f"Error: {error}")


if __name__ == "__main__":
    main()
