"""Joining concurrent requests into batches, as TensorFlow Serving does."""

import asyncio
import contextlib
import math
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Final

import numpy as np
from grpc import StatusCode

from serving.server.admission.batching_settings import BatchingSettings
from serving.server.admission.limits import Limits
from serving.server.status import RequestError, busy, late, too_large

# Decoding so many pixels takes about as long as the default model takes for a row, 7 ms.
_PIXELS_PER_ROW: Final = 500_000

# Timeouts within which a client that had its response sends its next request; both have to travel.
_RETURN_TIMEOUTS: Final = 5

_NO_IMAGES: Final = np.zeros(0, np.int64)

Tensors = Mapping[str, np.ndarray]
"""Arrays by name. The first dimension of each is the same: the rows of the batch."""


@dataclass(eq=False)
class _Task:
    inputs: Tensors
    rows: int
    outputs: asyncio.Future[Tensors]
    pixels: int

    @property
    def cost(self) -> float:
        return self.rows + self.pixels / _PIXELS_PER_ROW


class Batcher:
    """The queue of one signature of one loaded version. It belongs to one event loop."""

    def __init__(
        self,
        run: Callable[[Tensors], Tensors],
        settings: BatchingSettings,
        executor: Executor,
        slots: asyncio.Semaphore,
        answer_bytes: int = Limits().answer_bytes,
        batch_pixels: float = math.inf,
    ) -> None:
        """Starts with an empty queue.

        Args:
            run: computes a batch; it is called in the executor.
            settings: sizes and limits.
            executor: where batches are computed.
            slots: of which each running batch holds one; queues may share them.
            answer_bytes: of the outputs of a request, at most.
            batch_pixels: of the images of a batch, at most, unless one request has more.
        """
        self._run = run
        self._settings = settings
        self._executor = executor
        self._slots = slots
        self._answer_bytes = answer_bytes
        self._batch_pixels = batch_pixels
        self._waiting: list[_Task] = []  # as they came
        self._has_passed_over = False  # whether the last batch left the oldest task behind
        self._arrived = 0.0
        self._enough = asyncio.Event()
        self._pumping: asyncio.Task[None] | None = None
        self._computing: set[asyncio.Task[None]] = set()
        self._rows_expected = 1
        self._responded = 0.0

    async def submit(
        self, inputs: Tensors, deadline: float | None = None, pixels: np.ndarray = _NO_IMAGES
    ) -> Tensors:
        """Computes a request, alone or with others.

        A request that is cancelled or late while it waits is not computed. One of more rows than a
        batch may have is split, and its parts wait one after the other, each anew. A request of
        few rows does not wait for one of many: those that take the least time go first, but
        after each batch that passes over the oldest one, that one goes first. Where the queue is
        full, the request with the most rows is refused, whether it is this one or one that waits.

        Args:
            inputs: of at least one row.
            deadline: on the event loop's clock; None waits as long as it takes.
            pixels: [rows] of each row's image; empty where there are no images.

        Returns:
            The outputs, with as many rows.

        Raises:
            RequestError: INVALID_ARGUMENT for more rows than the queue ever takes,
                RESOURCE_EXHAUSTED when it is full, DEADLINE_EXCEEDED.
        """
        rows = len(next(iter(inputs.values())))
        largest = self._settings.max_batch_size
        check_rows(rows, self._settings)
        loop = asyncio.get_running_loop()
        if deadline is not None and deadline <= loop.time():
            raise late("response")
        parts, size = [], 0
        for start in range(0, rows, largest):
            part = {name: array[start : start + largest] for name, array in inputs.items()}
            task = _Task(
                part,
                min(largest, rows - start),
                loop.create_future(),
                int(pixels[start : start + largest].sum()),
            )
            outputs = await self._compute_queued(task, deadline)
            size += sum(array.nbytes for array in outputs.values())
            check_response(size, self._answer_bytes)
            parts.append(outputs)
        if len(parts) == 1:
            return parts[0]
        return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}

    async def _compute_queued(self, task: _Task, deadline: float | None) -> Tensors:
        """Puts a task into the queue, and waits for its outputs."""
        loop = asyncio.get_running_loop()
        self._make_room(task)
        self._waiting.append(task)
        self._arrived = loop.time()
        if self._rows_waiting() >= self._rows_expected:
            self._enough.set()
        if self._pumping is None:
            self._pumping = loop.create_task(self._pump())
        try:
            async with asyncio.timeout_at(deadline):
                return await task.outputs
        except TimeoutError as error:
            raise late("response") from error
        finally:
            self._responded = loop.time()
            if task in self._waiting:
                self._waiting.remove(task)

    def _make_room(self, task: _Task) -> None:
        limit = row_limit(self._settings)
        surplus = self._rows_waiting() + task.rows - limit
        larger = [each for each in self._waiting if each.rows > task.rows]
        larger.sort(key=lambda each: each.rows)
        if surplus > sum(each.rows for each in larger):
            raise _full(limit)
        for each in reversed(larger):
            if surplus <= 0:
                return
            self._waiting.remove(each)
            surplus -= each.rows
            if not each.outputs.done():
                each.outputs.set_exception(_full(limit))

    async def submit_alone(self, inputs: Tensors, deadline: float | None = None) -> Tensors:
        """Computes a request that cannot be joined with others; otherwise as `submit`."""
        if deadline is not None and deadline <= asyncio.get_running_loop().time():
            raise late("response")
        try:
            async with asyncio.timeout_at(deadline), self._slots:
                return await asyncio.get_running_loop().run_in_executor(
                    self._executor, self._run, inputs
                )
        except TimeoutError as error:
            raise late("response") from error

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
            until = max(self._arrived + timeout, self._responded + _RETURN_TIMEOUTS * timeout)
            if until <= asyncio.get_running_loop().time():
                return
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout_at(until):
                    await self._enough.wait()

    def _take(self) -> list[_Task]:
        batch: list[_Task] = []
        rows = pixels = 0
        oldest, tasks = self._waiting[:1], list(self._waiting)
        if not self._has_passed_over:
            tasks.sort(key=lambda each: each.cost)
        for task in tasks:
            if not task.outputs.done():  # neither cancelled nor late
                if rows + task.rows > self._settings.max_batch_size:
                    break
                if batch and not _joinable(batch[0].inputs, task.inputs):
                    break
                # A batch cannot be stopped: one of many large images would hold up all others.
                if batch and pixels + task.pixels > self._batch_pixels:
                    break
                batch.append(task)
                rows += task.rows
                pixels += task.pixels
            self._waiting.remove(task)
        self._has_passed_over = bool(batch) and self._waiting[:1] == oldest
        return batch

    async def _compute(self, batch: list[_Task]) -> None:
        try:
            await self._compute_joined(batch)
        except Exception as error:  # noqa: BLE001
            if len(batch) == 1:
                _fail(batch[0], error)
            else:
                # One request's input fails the whole batch: that request alone shall fail.
                for task in batch:
                    if not task.outputs.done():
                        await self._compute_alone(task)
        finally:
            # Clients send the next request once they have their response; a batch of those alone
            # who wait already would leave them behind, and the load would stay split into small
            # batches.
            expected = sum(task.rows for task in batch) + self._rows_waiting()
            self._rows_expected = min(expected, self._settings.max_batch_size)
            self._responded = asyncio.get_running_loop().time()
            self._slots.release()

    async def _compute_joined(self, batch: list[_Task]) -> None:
        inputs = self._joined(batch)
        outputs = await asyncio.get_running_loop().run_in_executor(
            self._executor, self._run, inputs
        )
        _check_rows(inputs, outputs)
        start = 0
        for task in batch:
            if not task.outputs.done():
                rows = slice(start, start + task.rows)
                task.outputs.set_result({name: out[rows] for name, out in outputs.items()})
            start += task.rows

    async def _compute_alone(self, task: _Task) -> None:
        try:
            await self._compute_joined([task])
        except Exception as error:  # noqa: BLE001
            _fail(task, error)

    def _joined(self, batch: list[_Task]) -> Tensors:
        """Joins the requests' rows, and fills up to the next allowed size with the shortest row."""
        rows = sum(task.rows for task in batch)
        size = next((size for size in self._settings.allowed_batch_sizes if size >= rows), rows)
        return {
            name: _filled(np.concatenate([task.inputs[name] for task in batch]), size - rows)
            for name in batch[0].inputs
        }

    def _rows_waiting(self) -> int:
        return sum(task.rows for task in self._waiting)


def row_limit(settings: BatchingSettings) -> int:
    """Returns how many rows wait at most, and so how many a request may have."""
    return settings.max_batch_size * settings.max_enqueued_batches


def check_rows(rows: int, settings: BatchingSettings) -> None:
    """Checks that a request can ever be computed.

    Raises:
        RequestError: it has too many rows.
    """
    if rows > row_limit(settings):
        raise too_large(
            f"The request has {rows} rows; {row_limit(settings)} are the most.", reason="rows"
        )


def check_response(size: int, limit: int) -> None:
    """Checks that a request's outputs, of so many bytes, are not too large.

    Raises:
        RequestError: they are.
    """
    if size > limit:
        raise too_large(
            f"The response has more than {limit} bytes. Send fewer rows.", reason="answer"
        )


def _full(limit: int) -> RequestError:
    return busy(f"The queue is full: {limit} rows wait.", reason="queue")


def _fail(task: _Task, error: Exception) -> None:
    if not task.outputs.done():
        task.outputs.set_exception(error)


def _filled(rows: np.ndarray, count: int) -> np.ndarray:
    """Adds copies of a row that is there, the shortest, since a large image takes long to decode.

    It is a row that the model has to compute anyway, so that filling up can make no batch fail. The
    outputs of the copies are thrown away, so that nobody gets those of another request.
    """
    if not count:
        return rows
    shortest = 0
    if rows.dtype == object and rows.ndim == 1:
        shortest = min(range(len(rows)), key=lambda row: len(rows[row]))
    return np.concatenate([rows, *[rows[shortest : shortest + 1]] * count])


def _joinable(first: Tensors, other: Tensors) -> bool:
    return all(first[name].shape[1:] == other[name].shape[1:] for name in first)


def _check_rows(inputs: Tensors, outputs: Tensors) -> None:
    """Checks that each request's rows can be separated; else it got those of another one."""
    rows = len(next(iter(inputs.values())))
    for name, output in outputs.items():
        if len(output) != rows:
            raise RequestError(
                StatusCode.FAILED_PRECONDITION,
                f"The model's output {name} has {len(output)} rows for {rows} rows of input: the "
                "rows of several requests cannot be separated.",
            )
