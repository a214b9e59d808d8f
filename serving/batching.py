"""Joining concurrent requests into batches, as TensorFlow Serving does."""

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Final

import numpy as np
from grpc import StatusCode

from serving.batching_settings import BatchingSettings
from serving.status import RequestError, late

# Timeouts within which a client that was answered sends its next request; both have to travel.
_RETURN_TIMEOUTS: Final = 5

Tensors = Mapping[str, np.ndarray]
"""Arrays by name. The first dimension of each is the same: the rows of the batch."""


@dataclass(eq=False)
class _Task:
    inputs: Tensors
    rows: int
    arrived: float
    outputs: asyncio.Future[Tensors]


class Batcher:
    """The queue of one signature of one loaded version. It belongs to one event loop."""

    def __init__(
        self,
        run: Callable[[Tensors], Tensors],
        settings: BatchingSettings,
        executor: Executor,
        slots: asyncio.Semaphore,
    ) -> None:
        """Starts with an empty queue.

        Args:
            run: computes a batch; it is called in the executor.
            settings: sizes and limits.
            executor: where batches are computed.
            slots: of which each running batch holds one; queues may share them.
        """
        self._run = run
        self._settings = settings
        self._executor = executor
        self._slots = slots
        self._waiting: deque[_Task] = deque()
        self._enough = asyncio.Event()
        self._pumping: asyncio.Task[None] | None = None
        self._computing: set[asyncio.Task[None]] = set()
        self._rows_expected = 1
        self._answered = 0.0

    async def submit(self, inputs: Tensors, deadline: float | None = None) -> Tensors:
        """Computes a request, alone or with others.

        A request that is cancelled or late while it waits is not computed. One of more rows than a
        batch may have is split.

        Args:
            inputs: of at least one row.
            deadline: on the event loop's clock; None waits as long as it takes.

        Returns:
            The outputs, with as many rows.

        Raises:
            RequestError: RESOURCE_EXHAUSTED when the queue is full, DEADLINE_EXCEEDED.
        """
        rows = len(next(iter(inputs.values())))
        largest = self._settings.max_batch_size
        limit = largest * self._settings.max_enqueued_batches
        if self._rows_waiting() + rows > limit:
            raise RequestError(
                StatusCode.RESOURCE_EXHAUSTED,
                f"The batch scheduling queue to which this task was submitted is full: "
                f"{limit} rows wait. Try again later.",
            )
        loop = asyncio.get_running_loop()
        if deadline is not None and deadline <= loop.time():
            raise late("answer")
        tasks = []
        for start in range(0, rows, largest):
            part = {name: array[start : start + largest] for name, array in inputs.items()}
            size = min(largest, rows - start)
            tasks.append(_Task(part, size, loop.time(), loop.create_future()))
        self._waiting.extend(tasks)
        if self._rows_waiting() >= self._rows_expected:
            self._enough.set()
        if self._pumping is None:
            self._pumping = loop.create_task(self._pump())
        try:
            async with asyncio.timeout_at(deadline):
                parts = await asyncio.gather(*(task.outputs for task in tasks))
        except TimeoutError as error:
            raise late("answer") from error
        finally:
            self._answered = loop.time()
            for task in tasks:
                if task in self._waiting:
                    self._waiting.remove(task)
        if len(parts) == 1:
            return parts[0]
        return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}

    async def submit_alone(self, inputs: Tensors, deadline: float | None = None) -> Tensors:
        """Computes a request that cannot be joined with others; otherwise as `submit`."""
        if deadline is not None and deadline <= asyncio.get_running_loop().time():
            raise late("answer")
        try:
            async with asyncio.timeout_at(deadline), self._slots:
                return await asyncio.get_running_loop().run_in_executor(
                    self._executor, self._run, inputs
                )
        except TimeoutError as error:
            raise late("answer") from error

    async def _pump(self) -> None:
        """Starts batches while requests wait."""
        while self._waiting:
            await self._slots.acquire()
            await self._gather()
            if batch := self._take():
                computing = asyncio.create_task(self._compute(batch))
                self._computing.add(computing)
                computing.add_done_callback(self._computing.discard)
            else:
                self._slots.release()
        self._pumping = None

    async def _gather(self) -> None:
        """Waits while more rows are expected and come one soon after the other."""
        timeout = self._settings.batch_timeout_micros / 1e6
        while self._waiting and self._rows_waiting() < self._rows_expected:
            self._enough.clear()
            until = max(
                self._waiting[-1].arrived + timeout, self._answered + _RETURN_TIMEOUTS * timeout
            )
            if until <= asyncio.get_running_loop().time():
                return
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout_at(until):
                    await self._enough.wait()

    def _take(self) -> list[_Task]:
        batch: list[_Task] = []
        rows = 0
        while self._waiting:
            task = self._waiting[0]
            if not task.outputs.done():  # neither cancelled nor late
                if rows + task.rows > self._settings.max_batch_size:
                    break
                if batch and not _joinable(batch[0].inputs, task.inputs):
                    break
                batch.append(task)
                rows += task.rows
            self._waiting.popleft()
        return batch

    async def _compute(self, batch: list[_Task]) -> None:
        try:
            inputs = self._joined(batch)
            outputs = await asyncio.get_running_loop().run_in_executor(
                self._executor, self._run, inputs
            )
            _check_rows(inputs, outputs)
        except Exception as error:  # noqa: BLE001
            for task in batch:
                if not task.outputs.done():
                    task.outputs.set_exception(error)
        else:
            start = 0
            for task in batch:
                if not task.outputs.done():
                    rows = slice(start, start + task.rows)
                    task.outputs.set_result({name: out[rows] for name, out in outputs.items()})
                start += task.rows
        finally:
            # Clients ask again when they are answered; a batch of those alone who wait already
            # would leave them behind, and the load would stay split into small batches.
            expected = sum(task.rows for task in batch) + self._rows_waiting()
            self._rows_expected = min(expected, self._settings.max_batch_size)
            self._answered = asyncio.get_running_loop().time()
            self._slots.release()

    def _joined(self, batch: list[_Task]) -> Tensors:
        """Joins the requests' rows, and fills up to the next allowed size with the first row."""
        rows = sum(task.rows for task in batch)
        size = next((size for size in self._settings.allowed_batch_sizes if size >= rows), rows)
        return {
            name: np.concatenate(
                [task.inputs[name] for task in batch] + [first[:1]] * (size - rows)
            )
            for name, first in batch[0].inputs.items()
        }

    def _rows_waiting(self) -> int:
        return sum(task.rows for task in self._waiting)


def _joinable(first: Tensors, other: Tensors) -> bool:
    return all(first[name].shape[1:] == other[name].shape[1:] for name in first)


def _check_rows(inputs: Tensors, outputs: Tensors) -> None:
    """Checks that each request's rows can be told apart; else it got those of another one."""
    rows = len(next(iter(inputs.values())))
    for name, output in outputs.items():
        if len(output) != rows:
            raise RequestError(
                StatusCode.FAILED_PRECONDITION,
                f"Batched output tensor {name} has {len(output)} rows: its 0th dimension does not "
                f"equal the sum of the 0th dimension sizes of the input tensors, {rows}",
            )
