import numpy as np
import pytest

from transform_module.images.used_bits import used_bits


@pytest.mark.parametrize("bits", [8, 10, 12, 14, 16])
def test_the_fewest_bits_that_nearly_all_samples_need_are_counted(bits):
    levels = np.full((100, 100), 2**bits - 1, np.uint16)
    assert used_bits(levels) == bits
    # Letters at full scale, on less than a hundredth.
    levels[0, :99] = 65_535
    assert used_bits(levels) == bits
    levels[0, :], levels[1, 0] = 65_535, 65_535
    assert used_bits(levels) == 16
