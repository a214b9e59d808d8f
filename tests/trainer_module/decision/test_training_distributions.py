import json

import numpy as np
import pytest

from tests.trainer_module import small
from trainer_module.decision import training_distributions
from transform_module import contract
from transform_module.images.measures import MEASURES


def test_what_was_trained_on_is_summarised(tmp_path):
    (tmp_path / contract.TRAINING_STATISTICS).parent.mkdir()
    images = small.images(12)
    training_distributions.write(tmp_path, images, np.array([0.1, 0.9], np.float32))
    found = json.loads((tmp_path / contract.TRAINING_STATISTICS).read_text())
    assert set(found) == {*MEASURES, contract.PROBABILITY}
    assert found["probability"]["mean"] == pytest.approx(0.5)
    mean = np.mean([pixels.numpy().mean() for pixels, _ in images.dataset])
    assert found["brightness"]["mean"] == pytest.approx(mean)
