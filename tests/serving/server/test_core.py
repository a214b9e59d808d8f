import asyncio

import numpy as np
import pytest

from serving.server.admission.batching_settings import BatchingSettings
from serving.server.admission.image_headers import FEW_PIXELS
from serving.server.admission.limits import Limits
from serving.server.core import Core
from serving.server.servable import Work
from serving.server.status import RequestError


class Busy:
    """A version that is computing all that it was given."""

    async def run(self, work, deadline):
        await asyncio.Event().wait()


def work_of(pixels):
    return Work("serving_default", {}, np.array([pixels], np.int64))


async def refused(core, *requests):
    """Starts requests one after the other; returns which were refused for their pixels."""
    tasks = []
    for pixels in requests:
        tasks.append(asyncio.create_task(core.run("cxr", Busy(), work_of(pixels), None)))
        await asyncio.sleep(0)
    found = [task.done() for task in tasks]
    for task, is_refused in zip(tasks, found, strict=True):
        if is_refused:
            with pytest.raises(RequestError, match="too many pixels"):
                task.result()
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    return found


@pytest.mark.parametrize(
    ("requests", "expected"),
    [
        ([300, 290, 8, 8], [False, True, False, False]),
        ([300, 150, 8], [False, False, False]),
        ([8] * 76, [False] * 75 + [True]),
    ],
)
def test_images_of_many_pixels_leave_room_for_those_of_few(requests, expected):
    async def case():
        core = Core([], BatchingSettings(), limits=Limits(pixels=600 * FEW_PIXELS // 8))
        try:
            return await refused(core, *(each * FEW_PIXELS // 8 for each in requests))
        finally:
            core.close()

    assert asyncio.run(case()) == expected


def test_the_largest_request_fits_where_nothing_else_waits():
    async def case():
        core = Core([], BatchingSettings(), limits=Limits(pixels=300_000_000))
        try:
            return await refused(core, 300_000_000)
        finally:
            core.close()

    assert asyncio.run(case()) == [False]
