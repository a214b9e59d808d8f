"""The process that serves: its log, TensorFlow without Keras, and what it says once it is ready."""

import logging
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from serving.process.collector import importing, without_keras
from serving.process.log_format import Formatter
from serving.server.model_config import ModelConfig
from serving.server.sparse_log import Sparse

if TYPE_CHECKING:
    from serving.server.core import Core
    from serving.server.server import Addresses


def run(models: list[ModelConfig], *, ready_file: Path | None = None, **settings: Any) -> None:
    """Serves in this process until SIGTERM or SIGINT.

    Args:
        models: what is served.
        ready_file: is written, with the addresses, when every model has been loaded or has failed
            to; see `serving.server.server.write_ready_file`.
        **settings: of `serving.server.server.ServerSettings`.

    Raises:
        UserError: it cannot listen.
    """
    # TensorFlow's C++ reads it once, on import: 2 leaves errors.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    # gRPC's C++ writes a line for each connection that is not encrypted as it should be.
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    logging.basicConfig(stream=sys.stderr, level=logging.INFO)
    for handler in logging.getLogger().handlers:
        handler.setFormatter(Formatter("%(asctime)s %(levelname).1s %(message)s"))
        handler.addFilter(Sparse())
    log = logging.getLogger("serving")
    log.info("Starting TensorFlow")

    with importing(), without_keras():
        import tensorflow as tf

        from serving.server import server

        # Finds the devices, of which CUDA writes more than is of use.
        tf.config.list_logical_devices()

    chosen = server.ServerSettings(**settings)

    def ready(addresses: "Addresses", core: "Core") -> None:
        for config in models:
            if core.is_ready(config.name):
                log.info("REST  %s/v1/models/%s", addresses.rest, config.name)
            else:
                log.warning(
                    "Model %s is not served: no version in %s was loaded. The folder is read again "
                    "every %g s.",
                    config.name,
                    config.base_path,
                    chosen.poll_seconds,
                )
        log.info("gRPC  %s", addresses.grpc)
        log.info("Page  %s/", addresses.rest)
        log.info("Ctrl-C stops it.")
        if ready_file:
            server.write_ready_file(ready_file, addresses)

    server.serve(models, chosen, ready=ready)
