import asyncio

import pytest
from grpc import StatusCode

from serving.server.admission.request_memory import Allocator, Budget, Share
from serving.server.status import RequestError

MEBIBYTE = 1024 * 1024


def refused(share, size):
    with pytest.raises(RequestError) as error:
        share.take(size)
    assert error.value.reason == "memory"
    return error.value


def test_what_was_taken_is_given_back():
    budget = Budget(100)
    with Share(budget) as share:
        share.take(30)
        share.take(40)
        assert budget.used == share.held == 70
    assert budget.used == 0


def test_there_is_no_more_than_the_limit():
    budget = Budget(100)
    with Share(budget) as one, Share(budget) as other:
        one.take(60)
        error = refused(other, 50)
        assert (error.code, error.http) == (StatusCode.RESOURCE_EXHAUSTED, 429)
        other.take(40)


def test_what_never_fits_is_reported_so():
    budget = Budget(8 * MEBIBYTE)
    with Share(budget) as share:
        share.take(6 * MEBIBYTE)
        assert refused(share, 1).http == 413
        assert budget.used == 6 * MEBIBYTE


def test_large_requests_leave_room_for_small_ones():
    budget = Budget(8 * MEBIBYTE)
    with Share(budget) as large, Share(budget) as other, Share(budget) as small:
        large.take(6 * MEBIBYTE)
        assert refused(other, 2 * MEBIBYTE).http == 429
        small.take(MEBIBYTE)


def test_the_largest_that_still_arrives_makes_room():
    budget = Budget(100)

    async def arrive(share, size):
        async with share.arriving(asyncio.get_running_loop().time() + 20):
            share.take(size)
            await asyncio.sleep(20)

    async def case():
        with Share(budget) as computed, Share(budget) as large, Share(budget) as middle:
            computed.take(20)
            arrivals = [
                asyncio.create_task(arrive(share, size))
                for share, size in ((large, 50), (middle, 30))
            ]
            await asyncio.sleep(0)
            with Share(budget) as small:
                small.take(10)
                assert budget.used == 60
                (error,) = await asyncio.gather(arrivals[0], return_exceptions=True)
                assert (error.code, error.reason) == (StatusCode.RESOURCE_EXHAUSTED, "memory")
                assert not arrivals[1].done()
                refused(small, 60)  # it would be the largest itself
            arrivals[1].cancel()
        assert budget.used == 0

    asyncio.run(case())


def test_an_arrival_has_a_deadline():
    async def case():
        with Share(Budget(100)) as share:
            async with share.arriving(asyncio.get_running_loop().time() + 0.01):
                await asyncio.sleep(20)

    with pytest.raises(TimeoutError):
        asyncio.run(case())


def test_the_allocator_shows_what_is_in_use():
    allocator = Allocator()
    before = allocator.allocated()
    if not before:
        pytest.skip("nothing is known of this allocator")
    block = bytearray(200 * MEBIBYTE)
    # What other tests left in this process may be given back meanwhile.
    assert allocator.allocated() >= before + 150 * MEBIBYTE
    del block
    allocator.give_back()
    assert allocator.allocated() < before + 100 * MEBIBYTE
