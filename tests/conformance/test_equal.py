"""REST and gRPC give the same prediction for the same images.

Source: api_rest.md: the Predict API "closely follows the PredictionService.Predict gRPC API".
"""

import numpy as np
import pytest

from tests.conformance.clients import b64, response_of
from tests.conformance.images import ALL, BROKEN, WHOLE, batch
from transform_module import contract


def check(rest, rpc, images: list[bytes]) -> list[dict]:
    rows = response_of(rest.post({"instances": [b64(one) for one in images]}))["predictions"]
    outputs = rpc.predict_images(images).outputs
    assert len(rows) == len(images)
    assert [row[contract.VALID] for row in rows] == list(outputs[contract.VALID].bool_val)
    assert [row[contract.IN_DOMAIN] for row in rows] == list(outputs[contract.IN_DOMAIN].bool_val)
    for name in (contract.PREDICTED_LABEL, contract.TRIAGE):
        assert [row[name].encode() for row in rows] == list(outputs[name].string_val)
    for name in (contract.PROBABILITY, contract.DOMAIN_DISTANCE):
        np.testing.assert_allclose([row[name] for row in rows], outputs[name].float_val, rtol=1e-6)
    return rows


@pytest.mark.parametrize("name", list(ALL))
def test_image(rest, rpc, name):
    row = check(rest, rpc, [ALL[name]])[0]
    assert row[contract.VALID] is (name in WHOLE)


@pytest.mark.parametrize("size", [1, 2, 3, 5, 8, 32, 33])
def test_batch(rest, rpc, size):
    images = batch(size)
    rows = check(rest, rpc, images)
    whole = set(WHOLE.values())
    assert [row[contract.VALID] for row in rows] == [one in whole for one in images]


@pytest.mark.parametrize("name", list(BROKEN))
def test_broken_image_does_not_touch_its_neighbours(rest, rpc, name):
    alone = check(rest, rpc, [WHOLE["grey"]])[0]
    rows = check(rest, rpc, [WHOLE["grey"], BROKEN[name], WHOLE["grey"]])
    for row in (rows[0], rows[2]):
        assert row[contract.PROBABILITY] == pytest.approx(alone[contract.PROBABILITY], rel=1e-4)
        assert row[contract.PREDICTED_LABEL] == alone[contract.PREDICTED_LABEL]
    del rows[1][contract.DOMAIN_DISTANCE]
    assert rows[1] == {
        contract.PROBABILITY: 0.5,
        contract.PREDICTED_LABEL: contract.INVALID,
        contract.VALID: False,
        contract.IN_DOMAIN: False,
        contract.TRIAGE: contract.REVIEW,
    }
