"""Processing of a request, from either API."""

import asyncio
import contextlib
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

from serving.images.encoding.encoding import Encoded, encoded
from serving.server import servable
from serving.server.admission import image_headers
from serving.server.admission.batching import Tensors
from serving.server.admission.batching_settings import BatchingSettings
from serving.server.admission.limits import Limits
from serving.server.admission.request_memory import Budget, Share
from serving.server.loaded_versions import ServedModel, Version
from serving.server.metrics import Metrics
from serving.server.model_config import ModelConfig
from serving.server.servable import Lanes, Servable, Work
from serving.server.status import RequestError, busy, late, not_found

T = TypeVar("T")

# What takes a millisecond is done at once; beyond it the other requests would wait.
_AT_ONCE: Final = 64 * 1024
_QUICK: Final = 4 * 1024 * 1024

# A quarter of the pixels is kept for requests of few, so that large ones cannot shut them out.
_SHARE_OF_LARGE: Final = 0.75


@dataclass(frozen=True)
class Target:
    """Which model a request is for.

    Attributes:
        name: the model's.
        version: one of it; without it and a label the latest.
        label: names a version.
    """

    name: str
    version: int | None = None
    label: str | None = None


class Core:
    """The served models. It belongs to one event loop.

    Attributes:
        metrics: what is counted.
        limits: of all requests.
        memory: what they take of it.
        batching: of every signature.
    """

    def __init__(
        self,
        configs: Sequence[ModelConfig],
        batching: BatchingSettings,
        *,
        limits: Limits = Limits(),  # noqa: B008
        allow_unverified: bool = False,
    ) -> None:
        """Serves nothing yet; see `refresh`.

        Args:
            configs: the models.
            batching: of every signature.
            limits: of all requests.
            allow_unverified: whether a model is loaded that is not what was pushed.
        """
        self.metrics = Metrics()
        self.limits = limits
        self.memory = Budget(limits.memory_bytes)
        self.batching = batching
        self._allow_unverified = allow_unverified
        threads = min(batching.num_batch_threads, os.cpu_count() or 1)
        self._lanes = Lanes(
            ThreadPoolExecutor(threads, "batch"),
            asyncio.Semaphore(threads),
            ThreadPoolExecutor(1, "large"),
            asyncio.Semaphore(1),
        )
        self._quick = ThreadPoolExecutor(2, "quick")
        self._slow = ThreadPoolExecutor(1, "slow")
        self._requests = self._pixels = 0
        self._models = {config.name: self._model(config) for config in configs}

    async def refresh(self) -> None:
        """Loads the versions that are new, and unloads those no longer wanted."""
        for model in list(self._models.values()):
            await model.refresh()

    def models(self) -> list[str]:
        """Names the models."""
        return list(self._models)

    def is_ready(self, name: str | None = None) -> bool:
        """Returns whether every model, or one, has a version that is available."""
        return all(
            any(version.servable for version in model.status().values())
            for model in ([self._models[name]] if name else self._models.values())
        )

    def find(self, target: Target) -> Servable:
        """Finds the version for a request.

        Raises:
            RequestError: NOT_FOUND, or INVALID_ARGUMENT for an unknown label.
        """
        model = self._models.get(target.name)
        if model is None:
            raise _unknown()
        return model.find(target.version, target.label)

    def status(self, target: Target) -> dict[int, Version]:
        """Returns the state of a model's versions, or of one.

        Raises:
            RequestError: as `find`.
        """
        model = self._models.get(target.name)
        if model is None:
            raise _unknown()
        versions = model.status()
        version = model.labelled(target.label) if target.label is not None else target.version
        if version is None:
            return versions
        if version not in versions:
            raise not_found(f"The model has no version {version} here.")
        return {version: versions[version]}

    async def run(
        self, model: str, version: Servable, work: Work, deadline: float | None
    ) -> Tensors:
        """Computes a request; see `Servable.run`.

        Raises:
            RequestError: RESOURCE_EXHAUSTED, where too many pixels wait; or see `Servable.run`.
        """
        with self._decoding(work.total_pixels), self.metrics.runtime(model, "Predict"):
            return await version.run(work, deadline)

    async def encoded(self, data: bytes, deadline: float) -> Encoded | str:
        """Encodes a file's image for a model, one file after the other; see `encoding.encoded`.

        Args:
            data: the content of the file.
            deadline: on the event loop's clock.

        Raises:
            RequestError: RESOURCE_EXHAUSTED, where too many pixels wait, or DEADLINE_EXCEEDED.
        """
        lane, slot = self._lanes.large, self._lanes.large_slot
        with self._decoding(image_headers.pixels(data)):
            try:
                async with asyncio.timeout_at(deadline), slot:
                    return await asyncio.get_running_loop().run_in_executor(lane, encoded, data)
            except TimeoutError as error:
                raise late("response") from error

    @contextlib.contextmanager
    def _decoding(self, pixels: int) -> Iterator[None]:
        limit = self.limits.pixels
        if pixels > image_headers.FEW_PIXELS:
            limit = max(int(limit * _SHARE_OF_LARGE), min(limit, self.limits.request_pixels))
        if self._pixels + pixels > limit:
            raise busy("The images that wait have too many pixels.", reason="pixels")
        self._pixels += pixels
        try:
            yield
        finally:
            self._pixels -= pixels

    def request_of(self, model: str, api: str, entrypoint: str) -> AbstractContextManager[None]:
        """Counts a request; see `Metrics.request`. One for a model that is unknown is not."""
        if model not in self._models:
            return contextlib.nullcontext()
        return self.metrics.request(model, api, entrypoint)

    @contextlib.contextmanager
    def admitted(self) -> Iterator[Share]:
        """Lets a request for a prediction in, and gives it a share of the memory.

        Raises:
            RequestError: RESOURCE_EXHAUSTED, where too many are in.
        """
        if self._requests >= self.limits.requests:
            raise busy(f"{self.limits.requests} requests are in progress.", reason="requests")
        self._requests += 1
        try:
            with Share(self.memory) as share:
                yield share
        finally:
            self._requests -= 1

    async def in_thread(self, size: int, function: Callable[..., T], *arguments: Any) -> T:
        """Calls a function in a thread, where it may take longer than the others can wait.

        Args:
            size: bytes, or what takes as long; large ones do not hold up smaller ones.
            function: called with the arguments.
            arguments: for it.
        """
        if size <= _AT_ONCE:
            return function(*arguments)
        executor = self._quick if size <= _QUICK else self._slow
        return await asyncio.get_running_loop().run_in_executor(executor, function, *arguments)

    def close(self) -> None:
        """Ends the threads."""
        for executor in (self._lanes.executor, self._lanes.large, self._quick, self._slow):
            executor.shutdown(wait=False, cancel_futures=True)

    def _model(self, config: ModelConfig) -> ServedModel:
        return ServedModel(config, self._load, self._lanes.slots)

    def _load(self, path: Path) -> Servable:
        if not self._allow_unverified:
            servable.check(path)
        return Servable(path, self.batching, self._lanes, self.limits)


def _unknown() -> RequestError:
    return not_found("No model of this name is served here.")
