"""The versions of one model: found in its folder, loaded, switched and unloaded."""

import asyncio
import contextlib
import gc
import logging
import os
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Final

from serving.server.model_config import ModelConfig
from serving.server.servable import Servable
from serving.server.status import invalid, not_found
from serving.versions.pushed import PushedVersion, by_preference
from serving.versions.pushed import versions as pushed_versions
from transform_module.errors import UserError

_UNLOAD_AFTER_SECONDS: Final = 0.3

_LOG = logging.getLogger(__name__)


class State(Enum):
    """State of a version; the names are those of ``ModelVersionStatus.State``."""

    START = 10
    LOADING = 20
    AVAILABLE = 30
    UNLOADING = 40
    END = 50


@dataclass
class Version:
    """What is known of a version.

    Attributes:
        state: of the version.
        error: why it did not load; empty otherwise.
        stamp: shows whether its files changed since.
        servable: while it is available.
    """

    state: State
    stamp: float
    error: str = ""
    servable: Servable | None = None


class ServedModel:
    """A model and its versions. It belongs to one event loop.

    A version that is wanted is loaded while the others serve. Where the latest are wanted and one
    of them does not load, the next older one is. What is wanted no longer is unloaded once
    something that is wanted is there, and serves the requests that it has to their end.

    Attributes:
        config: what is wanted.
    """

    def __init__(
        self, config: ModelConfig, load: Callable[[Path], Servable], slots: asyncio.Semaphore
    ) -> None:
        """Knows no version yet.

        Args:
            config: what is wanted.
            load: checks, loads and warms up the version in a folder; runs in a thread, and raises
                UserError where the version cannot be used.
            slots: of which each running batch holds one.
        """
        self.config = config
        self._slots = slots
        self._load = load
        self._versions: dict[int, Version] = {}
        self._refreshing = asyncio.Lock()
        self._unreadable = ""

    def status(self) -> dict[int, Version]:
        """Returns the versions, the latest first."""
        return dict(sorted(self._versions.items(), reverse=True))

    def find(self, version: int | None = None, label: str | None = None) -> Servable:
        """Finds the version for a request.

        Args:
            version: the requested one; without it and a label the latest available one.
            label: names a version.

        Raises:
            RequestError: NOT_FOUND.
        """
        available = {
            number: each.servable for number, each in self._versions.items() if each.servable
        }
        if label is not None:
            version = self.labelled(label)
        if version is None:
            if not available:
                raise not_found("No version of this model is available.")
            return available[max(available)]
        if version not in available:
            raise not_found(f"Version {version} of this model is not available.")
        return available[version]

    def labelled(self, label: str) -> int:
        """Returns the version that a label names.

        Raises:
            RequestError: INVALID_ARGUMENT when there is no such label.
        """
        if label not in self.config.labels:
            raise invalid("The model has no version of this label.")
        return self.config.labels[label]

    async def refresh(self) -> None:
        """Looks into the folder, loads what is new and unloads what is no longer wanted."""
        async with self._refreshing:
            folder = self.config.base_path
            try:
                found = await asyncio.to_thread(pushed_versions, folder.parent, folder.name)
            except OSError as error:
                if str(error) != self._unreadable:
                    _LOG.error("The versions of %s cannot be listed: %s", self.config.name, error)
                self._unreadable = str(error)
                return
            self._unreadable = ""
            present = {each.version: each.path for each in found}
            wanted = self.config.wanted(sorted(present))
            for number in sorted(wanted & present.keys()):
                await self._bring_up(number, present[number])
            if self.config.follows and self._available(wanted) < self.config.latest:
                # A latest version that does not load hides no older one.
                for number in await asyncio.to_thread(_older, found, wanted):
                    if self._available(wanted) >= self.config.latest:
                        break
                    wanted.add(number)
                    await self._bring_up(number, present[number])
            for number in sorted(wanted - present.keys() - self._versions.keys()):
                self._versions[number] = Version(
                    State.END, 0, f"{self.config.base_path / str(number)}: there is no such folder"
                )
            ready = {number for number, each in self._versions.items() if each.servable}
            if ready & wanted and ready - wanted:
                # What unloading costs the interpreter shall not fall on the first requests of the
                # new version.
                await asyncio.sleep(_UNLOAD_AFTER_SECONDS)
                for number in sorted(ready - wanted):
                    await self._take_down(number)

    def _available(self, numbers: Iterable[int]) -> int:
        return sum(
            number in self._versions and self._versions[number].servable is not None
            for number in numbers
        )

    async def _bring_up(self, number: int, path: Path) -> None:
        stamp = await asyncio.to_thread(_stamp, path)
        known = self._versions.get(number)
        if known and (known.servable or (known.error and known.stamp == stamp)):
            return
        self._versions[number] = version = Version(State.LOADING, stamp)
        try:
            servable = await asyncio.to_thread(self._load, path)
        except Exception as error:  # noqa: BLE001
            is_foreseen = isinstance(error, UserError)
            version.state = State.END
            version.error = str(error) if is_foreseen else f"{path}: {error!r}"
            _LOG.error(
                "Version %d of %s is not served: %s",
                number,
                self.config.name,
                version.error,
                exc_info=not is_foreseen,
            )
        else:
            # Between two batches: the new version's first request would otherwise wait for the rest
            # of the former one's, and then for its own.
            async with self._slots:
                version.servable = servable
                version.state = State.AVAILABLE
            _LOG.info("Version %d of %s is served.", number, self.config.name)

    async def _take_down(self, number: int) -> None:
        version = self._versions[number]
        version.state, servable, version.servable = State.UNLOADING, version.servable, None
        if servable:
            await servable.drained()
        del servable
        # TensorFlow's functions refer to each other in circles, and hold the weights.
        await asyncio.to_thread(gc.collect)
        version.state = State.END
        _LOG.info("Version %d of %s is unloaded.", number, self.config.name)


def _older(found: Sequence[PushedVersion], wanted: Collection[int]) -> list[int]:
    """Lists the versions that take the place of wanted ones, the best first."""
    try:
        order = list(by_preference(found))
    except (OSError, UserError):
        # Which were rolled back is not known; one of them is better than none.
        order = list(reversed(found))
    return [each.version for each in order if each.version not in wanted]


def _stamp(path: Path) -> float:
    """Returns when a version's files changed last."""
    latest = 0.0
    for folder, _, files in os.walk(path):
        for name in (".", *files):
            # A link may lead nowhere, and a file may have gone meanwhile.
            with contextlib.suppress(OSError):
                latest = max(latest, os.stat(os.path.join(folder, name)).st_mtime)
    return latest
