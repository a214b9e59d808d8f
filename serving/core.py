"""What a server does for a request, whichever way it came."""

import asyncio
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from grpc import StatusCode

from components.errors import UserError
from serving import servable
from serving.batching import Tensors
from serving.batching_settings import BatchingSettings
from serving.metrics import Metrics
from serving.model_config import ModelConfig
from serving.servable import Servable
from serving.status import RequestError, invalid, not_found
from serving.versions import ServedModel, Version


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
    """

    def __init__(
        self,
        configs: Sequence[ModelConfig],
        batching: BatchingSettings,
        *,
        allow_unverified: bool = False,
    ) -> None:
        """Serves nothing yet; see `refresh`.

        Args:
            configs: the models.
            batching: of every signature.
            allow_unverified: whether a model is loaded that is not what was pushed.
        """
        self.metrics = Metrics()
        self._batching = batching
        self._allow_unverified = allow_unverified
        threads = min(batching.num_batch_threads, os.cpu_count() or 1)
        self._executor = ThreadPoolExecutor(threads, "batch")
        self._slots = asyncio.Semaphore(threads)
        self._models = {config.name: self._model(config) for config in configs}
        self._reconfiguring = asyncio.Lock()

    async def refresh(self) -> None:
        """Loads the versions that are new, and unloads those no longer wanted."""
        for model in list(self._models.values()):
            await model.refresh()

    async def reconfigure(self, configs: Sequence[ModelConfig]) -> None:
        """Serves other models, versions or labels from now on.

        Raises:
            RequestError: it cannot be done, and nothing has changed.
        """
        async with self._reconfiguring:
            for config in configs:
                known = self._models.get(config.name)
                if known is not None:
                    known.check_labels(config)
            before = self._models
            self._models = {
                config.name: before.get(config.name) or self._model(config) for config in configs
            }
            for config in configs:
                self._models[config.name].config = config
            await self.refresh()
            for name in before.keys() - self._models.keys():
                await before[name].close()

    def models(self) -> list[str]:
        """Names the models."""
        return list(self._models)

    def knows(self, name: str) -> bool:
        """Tells whether a model of this name is served."""
        return name in self._models

    def is_ready(self) -> bool:
        """Tells whether every model has a version that is available."""
        return all(
            any(version.servable for version in model.status().values())
            for model in self._models.values()
        )

    def find(self, target: Target) -> Servable:
        """Finds what answers a request.

        Raises:
            RequestError: NOT_FOUND, or INVALID_ARGUMENT for an unknown label.
        """
        model = self._models.get(target.name)
        if model is None:
            asked = (
                f"Latest({target.name})"
                if target.version is None
                else f"Specific({target.name}, {target.version})"
            )
            raise not_found(f"Servable not found for request: {asked}")
        return model.find(target.version, target.label)

    def status(self, target: Target) -> dict[int, Version]:
        """Tells the state of a model's versions, or of one.

        Raises:
            RequestError: as `find`.
        """
        model = self._models.get(target.name)
        if model is None:
            raise not_found(f"Could not find any versions of model {target.name}")
        versions = model.status()
        version = model.labelled(target.label) if target.label is not None else target.version
        if version is None:
            return versions
        if version not in versions:
            raise not_found(f"Could not find version {version} of model {target.name}")
        return {version: versions[version]}

    async def run(
        self,
        model: str,
        version: Servable,
        signature: str,
        inputs: Tensors,
        deadline: float | None,
        api: str,
    ) -> Tensors:
        """Computes a request; see `Servable.run`."""
        with self.metrics.runtime(model, api):
            return await version.run(signature, inputs, deadline)

    def close(self) -> None:
        """Ends the threads."""
        self._executor.shutdown(wait=False, cancel_futures=True)

    def _model(self, config: ModelConfig) -> ServedModel:
        return ServedModel(config, self._load, self._slots)

    def _load(self, path: Path) -> Servable:
        if not self._allow_unverified:
            servable.check(path)
        return Servable(path, self._batching, self._executor, self._slots)


def reload_configs(message: Any) -> list[ModelConfig]:
    """Checks the configuration of a reload request as TensorFlow Serving does, and reads it.

    Raises:
        RequestError: INVALID_ARGUMENT.
    """
    from serving.model_config import from_proto

    if message.WhichOneof("config") != "model_config_list":
        raise invalid("Only ModelConfigList is currently supported")
    names = [each.name for each in message.model_config_list.config]
    for each in message.model_config_list.config:
        if names.count(each.name) > 1:
            raise invalid(f"Illegal to list model {each.name} multiple times in config list")
        if not Path(each.base_path).is_absolute():
            raise invalid(
                f"Expected model {each.name} to have an absolute path or URI; got base_path()="
                f"{each.base_path}"
            )
        if each.model_platform != "tensorflow":
            raise invalid(
                f"Illegal to change a model's platform: model_platform of {each.name} must be "
                f"tensorflow, is {each.model_platform!r}"
            )
    try:
        return from_proto(message)
    except UserError as error:
        raise RequestError(StatusCode.INVALID_ARGUMENT, str(error)) from error
