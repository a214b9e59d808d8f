"""A Flink cluster, by its REST API."""

import json
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import Final

from serving.beam.flink.flink_downloads import FLINK_VERSION
from transform_module.errors import UserError

_SECONDS: Final = 30


@dataclass(frozen=True)
class Cluster:
    """A cluster that is there.

    Attributes:
        address: of its REST API, ``http://HOST:PORT``.
        slots: tasks that it can run at once, over all TaskManagers.
    """

    address: str
    slots: int


def cluster_at(address: str) -> Cluster:
    """Reads what a cluster is.

    Args:
        address: ``HOST:PORT`` of the JobManager's REST API, or its URL.

    Raises:
        UserError: there is none, or another server, or Flink of another release.
    """
    url = address if "://" in address else f"http://{address}"
    try:
        with urllib.request.urlopen(f"{url.rstrip('/')}/overview", timeout=_SECONDS) as response:
            overview = json.load(response)
        version, slots = str(overview["flink-version"]), int(overview["slots-total"])
    except (urllib.error.URLError, OSError) as error:
        raise UserError(
            f"No Flink cluster responds at {url}: {getattr(error, 'reason', error)}. Expected the "
            "address of the JobManager's REST API, such as localhost:8081."
        ) from error
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(f"The server at {url} is not Flink's REST API.") from error
    if not version.startswith(f"{FLINK_VERSION}."):
        raise UserError(
            f"The cluster at {url} is Flink {version}; the job server is for {FLINK_VERSION}. For "
            "another release name Beam's own: --runner=FlinkRunner --flink_master=ADDRESS "
            "--flink_version=RELEASE --environment_type=EXTERNAL --environment_config=HOST:PORT."
        )
    return Cluster(url.rstrip("/"), slots)
