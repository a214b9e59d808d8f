"""The server's metrics, in Prometheus' text format, under TensorFlow Serving's names."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Histogram

from serving.server.status import RequestError

PATH: Final = "/monitoring/prometheus/metrics"
"""Where TensorFlow Serving shows them (its documentation, "Monitoring Configuration")."""

_PREFIX: Final = ":tensorflow:serving:"
_REFUSED: Final = ":cxr:serving:refused_count"
# Upstream's `util.cc`: "Scale of 10, power of 1.8 with bucket count 33", in microseconds.
_MICROSECONDS: Final = tuple(float(f"{10 * 1.8**power:.6g}") for power in range(33))


class Metrics:
    """Counters and histograms of one server."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            f"{_PREFIX}request_count",
            "The total number of requests.",
            ["model_name", "status"],
            registry=self._registry,
        )
        self._refused = Counter(
            _REFUSED,
            "The total number of requests and connections that exceeded a limit.",
            ["reason"],
            registry=self._registry,
        )
        self._latency = Histogram(
            f"{_PREFIX}request_latency",
            "Distribution of wall time (in microseconds) of requests.",
            ["model_name", "API", "entrypoint"],
            buckets=_MICROSECONDS,
            registry=self._registry,
        )
        self._runtime = Histogram(
            f"{_PREFIX}runtime_latency",
            "Distribution of wall time (in microseconds) until the model's outputs were there.",
            ["model_name", "API", "runtime"],
            buckets=_MICROSECONDS,
            registry=self._registry,
        )

    def refuse(self, reason: str) -> None:
        """Counts a request or a connection that exceeded a limit.

        Args:
            reason: the limit, such as ``memory``.
        """
        self._refused.labels(reason).inc()

    @contextmanager
    def request(self, model: str, api: str, entrypoint: str) -> Iterator[None]:
        """Counts a request by how it ends, and how long it takes.

        Args:
            model: its name; give only names that are served, since each has figures of its own.
            api: such as ``Predict``.
            entrypoint: ``REST`` or ``GRPC``.
        """
        started, status = time.perf_counter(), "CANCELLED"
        try:
            yield
            status = "OK"
        except RequestError as error:
            status = error.code.name
            raise
        except Exception:
            status = "INTERNAL"
            raise
        finally:
            self._requests.labels(model, status).inc()
            if status == "OK":
                elapsed = (time.perf_counter() - started) * 1e6
                self._latency.labels(model, api, entrypoint).observe(elapsed)

    @contextmanager
    def runtime(self, model: str, api: str) -> Iterator[None]:
        """Measures how long the model takes, the wait for its batch included."""
        started = time.perf_counter()
        yield
        elapsed = (time.perf_counter() - started) * 1e6
        self._runtime.labels(model, api, "TF2").observe(elapsed)

    def text(self) -> str:
        """Writes all figures.

        Prometheus' own writer ends a counter's name in ``_total`` and a bucket's bound in ``.0``,
        which TensorFlow Serving does not.
        """
        lines = []
        for family in self._registry.collect():
            lines.append(f"# TYPE {family.name} {family.type}")
            for sample in family.samples:
                if sample.name.endswith("_created"):
                    continue
                name = sample.name.removesuffix("_total")
                shown = ",".join(_label(*each) for each in sample.labels.items())
                lines.append(f"{name}{{{shown}}} {sample.value:.15g}")
        return "\n".join(lines) + "\n"


def _label(key: str, value: str) -> str:
    if key == "le":
        value = value.removesuffix(".0")
    escaped = value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
    return f'{key}="{escaped}"'
