"""Calls that are made again, and calls that are not: against stubs that fail and count."""

import contextlib
import math
import time

import pytest

from serving.client import (
    ClientError,
    DeadlinePassed,
    NotOurModel,
    Prediction,
    Refused,
    Unavailable,
    UnknownModel,
)
from tests.ports import reserved
from tests.serving.client import stubs
from tests.serving.client.calling import IMAGE
from tests.serving.client.stubs import (
    APIS,
    BROKEN,
    BUSY,
    CLOSE_AFTER,
    ENDING,
    FULL,
    LATE,
    MALFORMED,
    MESSAGE,
    MISSING,
    PREDICTION,
    RESET,
    Failure,
    Stub,
)


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("failure", [BUSY, FULL, ENDING])
def test_a_busy_server_is_called_again(stub, call, failure):
    stub.script = [failure] * 3
    assert call(stub.url, "predict", [IMAGE]) == [PREDICTION]
    assert len(stub.calls) == 4


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("failure", [BUSY, FULL, ENDING])
def test_a_server_that_stays_busy_is_reported(stub, call, failure):
    stub.script = [failure] * 9
    with pytest.raises(Unavailable) as caught:
        call(stub.url, "predict", [IMAGE], retries=2)
    assert len(stub.calls) == 3
    assert stub.url in str(caught.value)
    assert MESSAGE in str(caught.value)
    assert str(caught.value).endswith("It was tried 3 times.")


@pytest.mark.parametrize(
    ("failure", "error"),
    [(MALFORMED, Refused), (MISSING, UnknownModel), (LATE, DeadlinePassed), (BROKEN, Refused)],
)
def test_other_failures_are_reported_at_once(stub, call, failure, error):
    stub.script = [failure]
    with pytest.raises(error) as caught:
        call(stub.url, "predict", [IMAGE])
    assert len(stub.calls) == 1
    assert stub.url in str(caught.value)
    assert "tried" not in str(caught.value)
    if failure is not LATE:
        assert MESSAGE in str(caught.value)


@pytest.mark.parametrize("status", [301, 401, 413, 502])
def test_no_other_status_of_rest_is_retried(rest_stub, call, status):
    rest_stub.script = [Failure(status, None)]
    with pytest.raises(Refused, match=f"{status}, {MESSAGE}"):
        call(rest_stub.url, "predict", [IMAGE])
    assert len(rest_stub.calls) == 1


@pytest.mark.usefixtures("quick")
def test_a_connection_that_is_reset_is_made_anew(rest_stub, call):
    rest_stub.script = [RESET] * 3
    assert call(rest_stub.url, "predict", [IMAGE]) == [PREDICTION]
    assert len(rest_stub.calls) == 4
    assert len(rest_stub.peers) == 4


@pytest.mark.usefixtures("quick")
def test_resets_without_end_are_reported(rest_stub, call):
    rest_stub.script = [RESET] * 9
    with pytest.raises(Unavailable, match=r"is not available: .*tried 4 times"):
        call(rest_stub.url, "predict", [IMAGE])
    assert len(rest_stub.calls) == 4


@pytest.mark.usefixtures("quick")
def test_a_connection_that_was_closed_in_between_is_made_anew(rest_stub, call):
    rest_stub.script = [CLOSE_AFTER, CLOSE_AFTER]
    assert call(rest_stub.url, "predict", [IMAGE], times=3) == [PREDICTION]
    assert len(rest_stub.peers) == 3


@pytest.fixture
def port():
    """A port that refuses connections until a stub takes it."""
    with reserved() as (found,):
        yield found


def test_a_refused_connection_is_reported(call, port):
    for scheme, api in (("http", "REST"), ("grpc", "gRPC")):
        with pytest.raises(Unavailable) as caught:
            call(f"{scheme}://127.0.0.1:{port}", "predict", [IMAGE], retries=1)
        assert f"{scheme}://127.0.0.1:{port} is not available: " in str(caught.value)
        assert f"where its {api} API listens? It was tried 2 times." in str(caught.value)


@pytest.mark.parametrize("api", APIS)
def test_a_server_that_starts_late_is_found_soon(call, api, monkeypatch, port):
    stub, pauses = Stub(), []
    with contextlib.ExitStack() as stack:

        def paused(low, high):
            pauses.append(high)
            if len(pauses) == 2:
                stack.enter_context(api(stub, port))
            return high

        monkeypatch.setattr("serving.client.attempts.random.uniform", paused)
        url = f"{'http' if api is stubs.rest else 'grpc'}://127.0.0.1:{port}"
        assert call(url, "predict", [IMAGE], retries=3) == [PREDICTION]
    assert len(stub.calls) == 1


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize(("api", "seconds"), [(stubs.rest, 1), (stubs.rpc, 0.3)])
def test_a_server_that_wants_a_pause_gets_it(call, api, seconds):
    with api(Stub([Failure(503, BUSY.code, str(seconds))])) as stub:
        assert call(stub.url, "predict", [IMAGE]) == [PREDICTION]
    (first, _), (second, _) = stub.calls
    assert seconds <= second - first


def test_a_date_to_wait_for_is_read(rest_stub, call):
    rest_stub.script = [Failure(429, FULL.code, "Fri, 01 Jan 2100 00:00:00 GMT")]
    with pytest.raises(Unavailable, match=r"It wants a pause of [\d.e+]+ s\. Try later"):
        call(rest_stub.url, "predict", [IMAGE])
    assert len(rest_stub.calls) == 1


def test_a_wait_beyond_the_deadline_is_not_begun(stub, call):
    stub.script = [Failure(429, FULL.code, "60")]
    started = time.monotonic()
    with pytest.raises(Unavailable, match="It wants a pause of 60 s"):
        call(stub.url, "predict", [IMAGE])
    # It would be 60 seconds.
    assert time.monotonic() - started < 45
    assert len(stub.calls) == 1


def test_a_wait_that_is_none_is_passed_over(rest_stub, call):
    rest_stub.script = [Failure(503, BUSY.code, "soon")]
    assert call(rest_stub.url, "predict", [IMAGE]) == [PREDICTION]


def test_calls_go_by_one_connection(stub, call):
    assert call(stub.url, "predict", [IMAGE], times=7) == [PREDICTION]
    assert len(stub.calls) == 7
    assert len(stub.peers) == 1


def test_a_failure_does_not_cost_the_connection(stub, call):
    stub.script = [BUSY, FULL]
    assert call(stub.url, "predict", [IMAGE]) == [PREDICTION]
    assert len(stub.peers) == 1


def test_a_version_or_a_label_is_requested(rest_stub, rpc_stub, call):
    for options, path in (
        ({"version": 7}, "/versions/7"),
        ({"label": "stable"}, "/labels/stable"),
        ({}, ""),
    ):
        for url in (rest_stub.url, f"{rest_stub.url}/behind/", rpc_stub.url):
            call(url, "predict", [IMAGE], model="of two", **options)
        assert rest_stub.calls[-2][1] == f"/v1/models/of%20two{path}:predict"
        assert rest_stub.calls[-1][1] == f"/behind/v1/models/of%20two{path}:predict"
        spec = rpc_stub.calls[-1][1]
        assert (spec.name, spec.signature_name) == ("of two", "serving_default")
        assert spec.version.value == options.get("version", 0)
        assert spec.version_label == options.get("label", "")


STRANGE = [
    {"probability": [0.25], "label": ["NORMAL"]},
    {"probability": [0.25, 0.5], "label": ["NORMAL", "NORMAL"], "valid": [True, True]},
    {"probability": [1.5], "label": ["NORMAL"], "valid": [True]},
    {"probability": [float("inf")], "label": ["NORMAL"], "valid": [True]},
    {"probability": ["0.5"], "label": ["NORMAL"], "valid": [True]},
    {"probability": [0.25], "label": ["cat"], "valid": [True]},
    {"probability": [0.25], "label": [3], "valid": [True]},
    {"probability": [0.25], "label": ["NORMAL"], "valid": [1]},
    {"probability": 0.25, "label": "NORMAL", "valid": True},
    {"probability": [0.25], "label": ["NORMAL"], "valid": [True], "in_domain": [0.5]},
    {"probability": [0.25], "label": ["NORMAL"], "valid": [True], "in_domain": [True, True]},
    {"probability": [0.25], "label": ["NORMAL"], "valid": [True], "domain_distance": [-1.0]},
    {"probability": [0.25], "label": ["NORMAL"], "valid": [True], "domain_distance": ["far"]},
    {"probability": [0.25], "label": ["NORMAL"], "valid": [True], "triage": ["INVALID"]},
    {"probability": [0.25], "label": ["NORMAL"], "valid": [True], "triage": [True]},
    {},
]


@pytest.mark.parametrize("outputs", STRANGE)
def test_a_response_of_another_model_is_reported(stub, call, outputs):
    stub.outputs = outputs
    with pytest.raises(NotOurModel, match=r"chest_xray at .* is not a served chest X-ray model"):
        call(stub.url, "predict", [IMAGE])
    assert len(stub.calls) == 1


@pytest.mark.parametrize(
    "content", [b"<html>a page</html>", b"[]", b"{}", b'{"outputs": [0.25]}', b"\xff"]
)
@pytest.mark.parametrize("what", ["predict", "status", "metadata"])
def test_a_response_of_another_server_is_reported(rest_stub, call, content, what):
    rest_stub.outputs = content
    with pytest.raises(NotOurModel, match=rest_stub.url):
        call(rest_stub.url, what, *([[IMAGE]] if what == "predict" else []))


def test_a_probability_that_is_not_a_number_is_given_as_it_is(stub, call):
    stub.outputs = {**stubs.OUTPUTS, "probability": [float("nan")]}
    (prediction,) = call(stub.url, "predict", [IMAGE])
    assert math.isnan(prediction.probability)


def test_a_response_in_the_words_of_tensorflow_serving_is_read(rest_stub, call):
    rest_stub.outputs = b"""{
    "outputs": {
        "probability": [
            0.300000012,
            0.5
        ],
        "label": [
            "NORMAL",
            "INVALID"
        ],
        "valid": [
            true,
            false
        ]
    }
}"""
    predictions = call(rest_stub.url, "predict", [IMAGE] * 2)
    assert predictions == [
        Prediction(0.30000001192092896, "NORMAL", True),
        Prediction(0.5, "INVALID", False),
    ]


def test_a_service_that_does_not_know_the_call_is_reported(rpc_stub, call):
    with pytest.raises(Refused, match="UNIMPLEMENTED"):
        call(rpc_stub.url, "status")


def test_every_failure_is_an_error_of_a_client(stub, call):
    for failure in (MALFORMED, MISSING, LATE, BROKEN):
        stub.script = [failure]
        with pytest.raises(ClientError):
            call(stub.url, "predict", [IMAGE])


def test_all_servers_of_a_name_are_called_in_turn(call, monkeypatch):
    with stubs.rpc(Stub()) as one, stubs.rpc(Stub()) as other:
        addresses = ",".join(each.url.removeprefix("grpc://") for each in (one, other))
        monkeypatch.setattr("serving.client.address.Endpoint.address", f"ipv4:{addresses}")
        # The second may be connected to later than the first is called.
        call(one.url, "predict", [IMAGE], times=200)
    assert len(one.calls) + len(other.calls) == 200
    assert one.calls
    assert other.calls
