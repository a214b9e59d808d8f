import asyncio
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import numpy as np
import pytest
from grpc import StatusCode
from hypothesis import given, settings
from hypothesis import strategies as st

from serving.server.admission.batching import Batcher
from serving.server.admission.batching_settings import BatchingSettings
from serving.server.status import RequestError

SECONDS = 600  # no case waits as long, unless it fails


class Doubling:
    """Computes twice the input; records each batch, and holds it up while it is closed."""

    def __init__(self):
        self.batches = []
        self.running = self.most_running = 0
        self._lock = threading.Lock()
        self._open = threading.Event()
        self._open.set()
        self.seconds = 0.0

    def __call__(self, inputs):
        with self._lock:
            self.batches.append(inputs["x"])
            self.running += 1
            self.most_running = max(self.most_running, self.running)
        assert self._open.wait(SECONDS)
        time.sleep(self.seconds)
        with self._lock:
            self.running -= 1
        if np.any(inputs["x"] == -13):
            raise ValueError("unlucky")
        return {"y": 2 * inputs["x"]}

    def close(self):
        self._open.clear()

    def open(self):
        self._open.set()

    @property
    def sizes(self):
        return [len(batch) for batch in self.batches]

    @property
    def seen(self):
        return {float(value) for batch in self.batches for value in np.ravel(batch)}


def rows(*values):
    return {"x": np.array(values, np.float32)}


def sizes_of(largest, waiting=100, timeout=0, threads=1, allowed=()):
    return BatchingSettings(largest, timeout, waiting, threads, allowed)


@contextmanager
def batcher_of(run, batching, slots=None):
    with ThreadPoolExecutor(8) as executor:
        slots = slots or asyncio.Semaphore(batching.num_batch_threads)
        yield Batcher(run, batching, executor, slots)


def tried(case):
    """Runs a coroutine function, and never longer than SECONDS."""

    async def limited():
        async with asyncio.timeout(SECONDS):
            return await case()

    return asyncio.run(limited())


async def until(condition):
    while not condition():
        await asyncio.sleep(0.001)


async def busy(batcher, run):
    """Closes the way and sends a first request into it, so that the next ones wait."""
    run.close()
    first = asyncio.create_task(batcher.submit(rows(1000)))
    await until(lambda: run.running)
    return first


def queued(batcher, *requests, deadline=None):
    return [asyncio.create_task(batcher.submit(each, deadline)) for each in requests]


async def settle():
    for _ in range(5):
        await asyncio.sleep(0)


async def step(run):
    """Lets the running batch end, until the next one runs."""
    count = len(run.batches)
    run.open()
    run.close()
    await until(lambda: len(run.batches) > count)


def waiting_case(batching, steps):
    """Runs `steps(run, batcher)` while a first request holds the only slot."""
    run = Doubling()

    async def case():
        with batcher_of(run, batching) as batcher:
            first = await busy(batcher, run)
            try:
                return await steps(run, batcher)
            finally:
                run.open()
                await first

    return run, tried(case)


def test_a_request_alone_is_computed():
    run = Doubling()

    async def case():
        with batcher_of(run, sizes_of(8)) as batcher:
            return await batcher.submit(rows(1, 2, 3))

    assert tried(case)["y"].tolist() == [2, 4, 6]
    assert run.sizes == [3]


def test_requests_that_wait_run_as_one_batch():
    async def steps(run, batcher):
        tasks = queued(batcher, *(rows(value) for value in range(6)))
        await settle()
        run.open()
        return [(await task)["y"].tolist() for task in tasks]

    run, outputs = waiting_case(sizes_of(8), steps)
    assert outputs == [[0], [2], [4], [6], [8], [10]]
    assert run.sizes == [1, 6]


def test_requests_of_several_rows_get_their_own():
    async def steps(run, batcher):
        tasks = queued(batcher, rows(1, 2), rows(3), rows(4, 5, 6))
        await settle()
        run.open()
        return [(await task)["y"].tolist() for task in tasks]

    run, outputs = waiting_case(sizes_of(8), steps)
    assert outputs == [[2, 4], [6], [8, 10, 12]]
    assert run.sizes == [1, 6]


@pytest.mark.parametrize(("count", "size"), [(1, 1), (2, 2), (3, 4), (5, 8), (8, 8)])
def test_a_batch_is_filled_up_to_the_next_allowed_size(count, size):
    async def steps(run, batcher):
        tasks = queued(batcher, *(rows(value) for value in range(count)))
        await settle()
        run.open()
        return [(await task)["y"].tolist() for task in tasks]

    run, outputs = waiting_case(sizes_of(8, allowed=(1, 2, 4, 8)), steps)
    assert outputs == [[2 * value] for value in range(count)]
    assert run.sizes == [1, size]
    assert set(run.batches[1].tolist()) == set(range(count))  # filled up with rows that are there


def test_a_batch_is_filled_up_with_its_shortest_row():
    seen = []

    async def case():
        def lengths(inputs):
            seen.append(inputs["x"].tolist())
            return {"y": np.array([len(each) for each in inputs["x"]])}

        with batcher_of(lengths, sizes_of(4, allowed=(4,))) as batcher:
            return await batcher.submit({"x": np.array([b"long" * 9, b"s", b"more"], object)})

    assert tried(case)["y"].tolist() == [36, 1, 4]
    assert seen == [[b"long" * 9, b"s", b"more", b"s"]]


def test_no_batch_is_larger_than_the_largest():
    async def steps(run, batcher):
        tasks = queued(batcher, *(rows(value, value) for value in range(10)))
        await settle()
        run.open()
        return [(await task)["y"].tolist() for task in tasks]

    run, outputs = waiting_case(sizes_of(5), steps)
    assert outputs == [[2 * value] * 2 for value in range(10)]
    assert run.sizes == [1] + [4] * 5


def test_the_images_of_a_batch_have_few_pixels_or_are_of_one_request():
    async def steps(run, batcher):
        batcher._batch_pixels = 10
        tasks = [
            asyncio.create_task(batcher.submit(rows(value), None, np.array([pixels])))
            for value, pixels in enumerate((4, 6, 1, 30, 2, 2))
        ]
        await settle()
        run.open()
        return [float((await task)["y"][0]) for task in tasks]

    run, outputs = waiting_case(sizes_of(8), steps)
    assert run.sizes[1:] == [4, 1, 1]
    assert outputs == [0, 2, 4, 6, 8, 10]


def test_a_large_request_is_split_and_returned_as_one():
    run = Doubling()

    async def case():
        with batcher_of(run, sizes_of(4, threads=3)) as batcher:
            return await batcher.submit(rows(*range(11)))

    assert tried(case)["y"].tolist() == [2 * value for value in range(11)]
    assert sorted(run.sizes) == [3, 4, 4]


class TestTurns:
    """A small request does not wait for a large one."""

    def test_the_request_of_fewer_rows_goes_first(self):
        async def steps(run, batcher):
            tasks = queued(batcher, rows(*range(50, 61)), rows(1, 2, 3), rows(4))
            await settle()
            run.open()
            return [(await task)["y"].tolist() for task in tasks]

        run, outputs = waiting_case(sizes_of(4), steps)
        assert outputs == [[2 * value for value in range(50, 61)], [2, 4, 6], [8]]
        assert [batch.tolist() for batch in run.batches[1:3]] == [[4, 1, 2, 3], [50, 51, 52, 53]]

    def test_many_large_requests_hold_up_nobody_and_are_not_left_behind(self):
        async def steps(run, batcher):
            large = queued(batcher, *(rows(*range(start, start + 8)) for start in (50, 60, 70)))
            small = []
            for number in range(1, 6):
                small += queued(batcher, rows(number))
                await settle()
                await step(run)
            run.open()
            await asyncio.gather(*large, *small)

        run, _ = waiting_case(sizes_of(4), steps)
        assert [batch.tolist() for batch in run.batches[1:6]] == [
            [1],
            [50, 51, 52, 53],
            [2, 3],
            [60, 61, 62, 63],
            [4, 5],
        ]

    def test_the_image_of_fewer_pixels_goes_first(self):
        async def steps(run, batcher):
            tasks = [
                asyncio.create_task(batcher.submit(rows(pixels), None, np.array([pixels])))
                for pixels in (8_000_000, 7_000_000, 50_000)
            ]
            await settle()
            run.open()
            await asyncio.gather(*tasks)

        run, _ = waiting_case(sizes_of(1), steps)
        assert [batch.tolist() for batch in run.batches[1:]] == [[50_000], [8_000_000], [7_000_000]]

    def test_requests_of_as_many_rows_keep_their_order(self):
        async def steps(run, batcher):
            tasks = queued(batcher, *(rows(value) for value in range(6)))
            await settle()
            run.open()
            await asyncio.gather(*tasks)

        run, _ = waiting_case(sizes_of(2), steps)
        assert [batch.tolist() for batch in run.batches[1:]] == [[0, 1], [2, 3], [4, 5]]

    def test_the_parts_of_a_large_request_let_others_in_between(self):
        async def steps(run, batcher):
            large = queued(batcher, rows(*range(50, 62)))
            await settle()
            await step(run)
            small = queued(batcher, rows(1))
            await settle()
            run.open()
            await asyncio.gather(*large, *small)

        run, _ = waiting_case(sizes_of(4), steps)
        assert [batch.tolist() for batch in run.batches[1:3]] == [[50, 51, 52, 53], [1]]


class TestTimeout:
    """How long a batch waits for more."""

    def test_a_request_waits_for_as_many_as_came_last_time(self):
        run = Doubling()

        async def case():
            with batcher_of(run, sizes_of(8, timeout=100_000)) as batcher:
                await asyncio.gather(*queued(batcher, *(rows(value) for value in range(4))))
                started = time.monotonic()
                await batcher.submit(rows(1))  # waits five times: four have just had theirs
                return time.monotonic() - started

        assert tried(case) >= 0.5
        assert run.sizes == [4, 1]

    def test_without_one_nothing_waits(self, monkeypatch):
        run, waits = Doubling(), []
        timeout_at = asyncio.timeout_at

        def recorded(until):
            waits.append(until)
            return timeout_at(until)

        monkeypatch.setattr(asyncio, "timeout_at", recorded)

        async def case():
            with batcher_of(run, sizes_of(8)) as batcher:
                await asyncio.gather(*queued(batcher, *(rows(value) for value in range(4))))
                await batcher.submit(rows(1))

        tried(case)
        # None is a request without a deadline of its own.
        assert set(waits) == {None}

    def test_a_batch_starts_once_as_many_are_there(self):
        run = Doubling()

        async def case():
            with batcher_of(run, sizes_of(8, timeout=2 * SECONDS * 1_000_000)) as batcher:
                await asyncio.gather(*queued(batcher, rows(1), rows(2), rows(3)))
                first = queued(batcher, rows(4), rows(5))
                await asyncio.sleep(0.02)
                assert run.sizes == [3]
                await asyncio.gather(*first, *queued(batcher, rows(6)))

        # The first batch of all waits for nobody; these come at the same moment.
        tried(case)
        assert run.sizes == [3, 3]

    def test_those_who_had_a_response_are_waited_for(self):
        run = Doubling()

        async def case():
            with batcher_of(run, sizes_of(8, timeout=5_000_000)) as batcher:
                run.close()
                first = queued(batcher, rows(1), rows(2), rows(3))
                await settle()
                # These wait longer than they may while the first batch runs.
                others = queued(batcher, rows(4), rows(5))
                await settle()
                run.open()
                await asyncio.gather(*first)
                await asyncio.gather(*others, *queued(batcher, rows(1), rows(2), rows(3)))

        tried(case)
        assert run.sizes == [3, 5]


class TestFullQueue:
    def test_it_refuses_at_once_whoever_has_most_rows(self):
        async def steps(run, batcher):
            tasks = queued(batcher, *(rows(value, value) for value in range(4)))
            await settle()
            with pytest.raises(RequestError, match="queue is full") as refused:
                await batcher.submit(rows(77, 78, 79))
            (small,) = queued(batcher, rows(1))
            outputs = await asyncio.wait_for(
                asyncio.gather(tasks[3], return_exceptions=True), SECONDS
            )
            run.open()
            await asyncio.gather(*tasks[:3], small)
            await batcher.submit(rows(90))  # there is room again
            return refused.value, outputs[0]

        run, errors = waiting_case(sizes_of(4, waiting=2), steps)
        for error in errors:
            assert error.code is StatusCode.RESOURCE_EXHAUSTED
            assert (error.http, error.reason) == (429, "queue")
        assert not run.seen & {77, 3}
        assert run.seen >= {0, 1, 2, 90}

    def test_what_never_fits_is_reported_so(self):
        async def case():
            with batcher_of(Doubling(), sizes_of(4, waiting=2)) as batcher:
                await batcher.submit(rows(*range(8)))
                with pytest.raises(RequestError) as refused:
                    await batcher.submit(rows(*range(9)))
                return refused.value

        error = tried(case)
        assert (error.http, error.reason) == (413, "rows")
        assert error.message == "The request has 9 rows; 8 are the most."

    def test_a_response_that_is_too_large_is_refused(self):
        run = Doubling()

        async def case():
            with ThreadPoolExecutor(1) as executor:
                batcher = Batcher(run, sizes_of(4), executor, asyncio.Semaphore(1), 40)
                assert len((await batcher.submit(rows(*range(10))))["y"]) == 10
                with pytest.raises(RequestError) as refused:
                    await batcher.submit(rows(*range(11)))
                return refused.value

        assert tried(case).reason == "answer"

    def test_up_to_it_everything_is_taken(self):
        async def steps(run, batcher):
            tasks = queued(batcher, *(rows(value) for value in range(8)))
            await settle()
            assert not any(task.done() for task in tasks)
            run.open()
            return [(await task)["y"].tolist() for task in tasks]

        _, outputs = waiting_case(sizes_of(4, waiting=2), steps)
        assert outputs == [[2 * value] for value in range(8)]


class TestDeadline:
    def refused_after(self, wait):
        """What a request with a deadline of 50 ms gets, and what was computed."""

        async def steps(run, batcher):
            deadline = asyncio.get_running_loop().time() + 0.05
            late, patient = (
                *queued(batcher, rows(77), deadline=deadline),
                *queued(batcher, rows(2)),
            )
            await settle()
            await wait(run)
            with pytest.raises(RequestError) as refused:
                await late
            run.open()
            assert (await patient)["y"].tolist() == [4]
            return refused.value

        return waiting_case(sizes_of(4), steps)

    def test_what_is_late_in_the_queue_is_never_computed(self):
        run, error = self.refused_after(lambda run: asyncio.sleep(0.1))
        assert error.code is StatusCode.DEADLINE_EXCEEDED
        assert error.http == 504
        assert run.seen == {1000, 2}

    def test_nor_when_a_slot_becomes_free_at_that_moment(self):
        async def wait(run):
            run.open()
            time.sleep(0.1)  # the event loop itself is late

        run, error = self.refused_after(wait)
        assert error.code is StatusCode.DEADLINE_EXCEEDED
        assert run.seen == {1000, 2}

    def test_what_comes_late_is_never_computed(self):
        run = Doubling()

        async def case():
            with batcher_of(run, sizes_of(4)) as batcher:
                for submit in (batcher.submit, batcher.submit_alone):
                    with pytest.raises(RequestError) as refused:
                        await submit(rows(77), asyncio.get_running_loop().time() - 1)
                    assert refused.value.code is StatusCode.DEADLINE_EXCEEDED
                await batcher.submit(rows(2))

        tried(case)
        assert run.seen == {2}

    def test_it_holds_while_the_batch_runs_and_spares_the_others(self):
        async def steps(run, batcher):
            run.open()
            await until(lambda: not run.running)
            run.close()
            deadline = asyncio.get_running_loop().time() + 0.2
            tasks = [*queued(batcher, rows(1), deadline=deadline), *queued(batcher, rows(2))]
            await until(lambda: run.running)
            # The batch does not end before it is refused.
            with pytest.raises(RequestError) as refused:
                await tasks[0]
            run.open()
            assert (await tasks[1])["y"].tolist() == [4]
            return refused.value.code

        _, code = waiting_case(sizes_of(4), steps)
        assert code is StatusCode.DEADLINE_EXCEEDED

    def test_one_that_is_kept_changes_nothing(self):
        run = Doubling()

        async def case():
            with batcher_of(run, sizes_of(4)) as batcher:
                deadline = asyncio.get_running_loop().time() + 5
                return await batcher.submit(rows(1, 2, 3, 4, 5), deadline)

        assert tried(case)["y"].tolist() == [2, 4, 6, 8, 10]


class TestCancelled:
    @pytest.mark.parametrize("request_rows", [rows(77), rows(*range(70, 79))])
    def test_what_is_cancelled_in_the_queue_is_never_computed(self, request_rows):
        async def steps(run, batcher):
            gone, kept = queued(batcher, request_rows, rows(2))
            await settle()
            gone.cancel()
            await asyncio.wait([gone])
            run.open()
            assert (await kept)["y"].tolist() == [4]
            return gone.cancelled()

        run, cancelled = waiting_case(sizes_of(4), steps)
        assert cancelled
        assert run.seen == {1000, 2}

    def test_it_makes_room_in_the_queue(self):
        async def steps(run, batcher):
            gone, *_ = tasks = queued(batcher, rows(1, 2, 3, 4), rows(5, 6, 7, 8))
            await settle()
            gone.cancel()
            await asyncio.wait([gone])
            tasks[:1] = queued(batcher, rows(9, 10, 11, 12))
            run.open()
            return [(await task)["y"].tolist() for task in tasks]

        _, outputs = waiting_case(sizes_of(4, waiting=2), steps)
        assert outputs == [[18, 20, 22, 24], [10, 12, 14, 16]]

    def test_in_a_running_batch_it_spares_the_others(self):
        async def steps(run, batcher):
            gone, kept = queued(batcher, rows(1), rows(2))
            await settle()
            run.open()
            run.close()
            await until(lambda: len(run.batches) == 2)
            gone.cancel()
            run.open()
            return (await kept)["y"].tolist()

        assert waiting_case(sizes_of(4), steps)[1] == [4]

    def test_everything_may_be_cancelled(self):
        async def steps(run, batcher):
            tasks = queued(batcher, *(rows(value) for value in range(5)))
            await settle()
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
            run.open()
            await until(lambda: not run.running)
            await asyncio.sleep(0.02)  # the slot has been free, and nobody wanted it
            return (await batcher.submit(rows(60)))["y"].tolist()

        run, outputs = waiting_case(sizes_of(4), steps)
        assert outputs == [120]
        assert run.seen == {1000, 60}


class TestErrors:
    def test_an_error_reaches_the_request_that_causes_it_alone(self):
        async def steps(run, batcher):
            tasks = queued(batcher, rows(1), rows(-13), rows(3), rows(4))
            await settle()
            run.open()
            return await asyncio.gather(*tasks, return_exceptions=True)

        run, outputs = waiting_case(sizes_of(8), steps)
        assert str(outputs[1]) == "unlucky"
        assert [outputs[index]["y"].tolist() for index in (0, 2, 3)] == [[2], [6], [8]]
        assert run.sizes == [1, 4, 1, 1, 1, 1]

    def test_a_request_that_is_gone_is_not_tried_again(self):
        async def steps(run, batcher):
            gone, unlucky, kept = queued(batcher, rows(7), rows(-13), rows(2))
            await settle()
            run.open()
            run.close()
            await until(lambda: len(run.batches) == 2)
            gone.cancel()
            await asyncio.wait([gone])
            run.open()
            with pytest.raises(ValueError, match="unlucky"):
                await unlucky
            return (await kept)["y"].tolist()

        run, outputs = waiting_case(sizes_of(4), steps)
        assert outputs == [4]
        assert [batch.tolist() for batch in run.batches[2:]] == [[-13], [2]]

    def test_after_errors_all_slots_are_there(self):
        run = Doubling()

        async def case():
            with batcher_of(run, sizes_of(1, threads=2)) as batcher:
                for _ in range(5):
                    for submit in (batcher.submit, batcher.submit_alone):
                        with pytest.raises(ValueError, match="unlucky"):
                            await submit(rows(-13))
                run.close()
                tasks = queued(batcher, rows(1), rows(2), rows(3))
                await until(lambda: run.running == 2)
                run.open()
                await asyncio.gather(*tasks)

        tried(case)
        assert run.most_running == 2

    def test_rows_that_cannot_be_distinguished_are_refused(self):
        """Else a request would get what is for another one."""

        async def case():
            def fewer(inputs):
                return {"y": inputs["x"][1:]}

            with batcher_of(fewer, sizes_of(4)) as batcher:
                tasks = queued(batcher, rows(1), rows(2), rows(3))
                return await asyncio.gather(*tasks, return_exceptions=True)

        for error in tried(case):
            assert isinstance(error, RequestError)
            assert error.code is StatusCode.FAILED_PRECONDITION
            assert "rows of several requests" in error.message


class TestTailShapes:
    def test_rows_of_different_shapes_are_not_joined(self):
        wide = [{"x": np.full((1, 3), value, np.float32)} for value in (1, 2)]
        narrow = [{"x": np.full((2, 2), value, np.float32)} for value in (3, 4)]

        async def steps(run, batcher):
            tasks = queued(batcher, wide[0], wide[1], narrow[0], wide[0], narrow[1])
            await settle()
            run.open()
            return [(await task)["y"].tolist() for task in tasks]

        run, outputs = waiting_case(sizes_of(8), steps)
        assert outputs == [
            [[2] * 3],
            [[4] * 3],
            [[6] * 2] * 2,
            [[2] * 3],
            [[8] * 2] * 2,
        ]
        assert [batch.shape for batch in run.batches[1:]] == [(3, 3), (4, 2)]

    def test_each_input_counts(self):
        async def case():
            def both(inputs):
                shapes.append((inputs["a"].shape, inputs["b"].shape))
                return inputs

            shapes = []
            with batcher_of(both, sizes_of(8)) as batcher:
                requests = [{"a": np.zeros(1), "b": np.zeros((1, width))} for width in (2, 2, 3)]
                await asyncio.gather(*queued(batcher, *requests))
            return shapes

        assert tried(case) == [((2,), (2, 2)), ((1,), (1, 3))]


class TestSlots:
    def test_no_more_batches_run_than_there_are_slots(self):
        run = Doubling()
        run.seconds = 0.02

        async def case():
            with batcher_of(run, sizes_of(1, threads=3)) as batcher:
                await asyncio.gather(*queued(batcher, *(rows(value) for value in range(12))))

        tried(case)
        assert run.most_running == 3

    def test_two_queues_share_them(self):
        run = Doubling()
        run.seconds = 0.02

        async def case():
            slots, batching = asyncio.Semaphore(2), sizes_of(1)
            with (
                batcher_of(run, batching, slots) as one,
                batcher_of(run, batching, slots) as other,
            ):
                values = range(8)
                tasks = queued(one, *(rows(value) for value in values))
                tasks += queued(other, *(rows(value + 100) for value in values))
                alone = [asyncio.create_task(one.submit_alone(rows(value))) for value in values]
                outputs = [(await task)["y"].tolist() for task in [*tasks, *alone]]
                assert not slots.locked()
                return outputs

        expected = [[2 * value] for value in (*range(8), *range(100, 108), *range(8))]
        assert tried(case) == expected
        assert run.most_running == 2

    def test_a_queue_that_waits_does_not_starve_the_other(self):
        run = Doubling()

        async def case():
            slots = asyncio.Semaphore(1)
            with (
                batcher_of(run, sizes_of(1), slots) as one,
                batcher_of(run, sizes_of(1), slots) as other,
            ):
                many = queued(one, *(rows(value) for value in range(50)))
                few = queued(other, rows(100))
                await asyncio.gather(*few)
                done = sum(task.done() for task in many)
                await asyncio.gather(*many)
                return done

        assert tried(case) < 10


class TestAlone:
    def test_it_is_joined_with_none(self):
        async def steps(run, batcher):
            tasks = [asyncio.create_task(batcher.submit_alone(rows(value))) for value in (1, 2)]
            tasks += queued(batcher, rows(3), rows(4))
            await settle()
            run.open()
            return [(await task)["y"].tolist() for task in tasks]

        run, outputs = waiting_case(sizes_of(8, allowed=(4, 8)), steps)
        assert outputs == [[2], [4], [6], [8]]
        assert sorted(run.sizes) == [1, 1, 4, 4]  # and it is not filled up

    @pytest.mark.parametrize("ends", ["late", "cancelled"])
    def test_what_waits_in_vain_is_never_computed(self, ends):
        async def steps(run, batcher):
            loop = asyncio.get_running_loop()
            deadline = loop.time() + 0.05 if ends == "late" else None
            task = asyncio.create_task(batcher.submit_alone(rows(77), deadline))
            await settle()
            if ends == "cancelled":
                task.cancel()
            (result,) = await asyncio.gather(task, return_exceptions=True)
            run.open()
            await batcher.submit_alone(rows(2))
            return result

        run, result = waiting_case(sizes_of(4), steps)
        if ends == "late":
            assert result.code is StatusCode.DEADLINE_EXCEEDED
        else:
            assert isinstance(result, asyncio.CancelledError)
        assert run.seen == {1000, 2}

    def test_a_deadline_holds_while_it_runs(self):
        run = Doubling()

        async def case():
            with batcher_of(run, sizes_of(4)) as batcher:
                run.close()
                deadline = asyncio.get_running_loop().time() + 0.05
                with pytest.raises(RequestError) as refused:
                    await batcher.submit_alone(rows(1), deadline)
                run.open()
                return refused.value.code

        assert tried(case) is StatusCode.DEADLINE_EXCEEDED


@settings(max_examples=60)
@given(
    requests=st.lists(
        st.tuples(st.integers(1, 9), st.integers(1, 2), st.integers(0, 3)), min_size=1, max_size=25
    ),
    largest=st.integers(1, 8),
    timeout=st.sampled_from([0, 500]),
    threads=st.integers(1, 3),
    filled=st.booleans(),
)
def test_each_request_gets_its_own_rows_in_their_order(requests, largest, timeout, threads, filled):
    run = Doubling()
    allowed = tuple(sorted({(largest + 1) // 2, largest})) if filled else ()
    batching = sizes_of(largest, 1000, timeout, threads, allowed)

    async def one(batcher, number, count, width, wait):
        for _ in range(wait):
            await asyncio.sleep(0)
        values = np.arange(count * width, dtype=np.float32).reshape(count, width) + 1000 * number
        outputs = await batcher.submit({"x": values + 100})
        assert outputs["y"].tolist() == (2 * (values + 100)).tolist()

    async def case():
        with batcher_of(run, batching) as batcher:
            await asyncio.gather(*(one(batcher, *each) for each in enumerate_all(requests)))

    tried(case)
    assert max(run.sizes) <= largest
    assert run.most_running <= threads
    assert not filled or set(run.sizes) <= set(allowed)
    assert filled or sum(run.sizes) == sum(count for count, _, _ in requests)


def enumerate_all(requests):
    return [(number, *request) for number, request in enumerate(requests)]
