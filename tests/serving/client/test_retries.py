"""What is asked again, and what is not: against stubs that fail and count."""

import contextlib
import math
import time

import pytest

from serving.client import (
    Answer,
    ClientError,
    DeadlinePassed,
    NotOurModel,
    Refused,
    Unavailable,
    UnknownModel,
)
from tests.ports import reserved
from tests.serving.client import stubs
from tests.serving.client.asked import IMAGE
from tests.serving.client.stubs import (
    ANSWER,
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
    RESET,
    Failure,
    Stub,
)


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("failure", [BUSY, FULL, ENDING])
def test_a_busy_server_is_asked_again(stub, ask, failure):
    stub.script = [failure] * 3
    assert ask(stub.url, "predict", [IMAGE]) == [ANSWER]
    assert len(stub.asked) == 4


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("failure", [BUSY, FULL, ENDING])
def test_a_server_that_stays_busy_is_reported(stub, ask, failure):
    stub.script = [failure] * 9
    with pytest.raises(Unavailable) as caught:
        ask(stub.url, "predict", [IMAGE], retries=2)
    assert len(stub.asked) == 3
    assert stub.url in str(caught.value)
    assert MESSAGE in str(caught.value)
    assert str(caught.value).endswith("It was tried 3 times.")


@pytest.mark.parametrize(
    ("failure", "error"),
    [(MALFORMED, Refused), (MISSING, UnknownModel), (LATE, DeadlinePassed), (BROKEN, Refused)],
)
def test_other_failures_are_reported_at_once(stub, ask, failure, error):
    stub.script = [failure]
    with pytest.raises(error) as caught:
        ask(stub.url, "predict", [IMAGE])
    assert len(stub.asked) == 1
    assert stub.url in str(caught.value)
    assert "tried" not in str(caught.value)
    if failure is not LATE:
        assert MESSAGE in str(caught.value)


@pytest.mark.parametrize("status", [301, 401, 413, 502])
def test_no_other_status_of_rest_is_asked_again(rest_stub, ask, status):
    rest_stub.script = [Failure(status, None)]
    with pytest.raises(Refused, match=f"{status}, {MESSAGE}"):
        ask(rest_stub.url, "predict", [IMAGE])
    assert len(rest_stub.asked) == 1


@pytest.mark.usefixtures("quick")
def test_a_connection_that_is_reset_is_made_anew(rest_stub, ask):
    rest_stub.script = [RESET] * 3
    assert ask(rest_stub.url, "predict", [IMAGE]) == [ANSWER]
    assert len(rest_stub.asked) == 4
    assert len(rest_stub.peers) == 4


@pytest.mark.usefixtures("quick")
def test_resets_without_end_are_reported(rest_stub, ask):
    rest_stub.script = [RESET] * 9
    with pytest.raises(Unavailable, match=r"is not available: .*tried 4 times"):
        ask(rest_stub.url, "predict", [IMAGE])
    assert len(rest_stub.asked) == 4


@pytest.mark.usefixtures("quick")
def test_a_connection_that_was_closed_in_between_is_made_anew(rest_stub, ask):
    rest_stub.script = [CLOSE_AFTER, CLOSE_AFTER]
    assert ask(rest_stub.url, "predict", [IMAGE], times=3) == [ANSWER]
    assert len(rest_stub.peers) == 3


@pytest.fixture
def port():
    """A port that refuses connections until a stub takes it."""
    with reserved() as (found,):
        yield found


def test_a_refused_connection_is_reported(ask, port):
    for scheme, api in (("http", "REST"), ("grpc", "gRPC")):
        with pytest.raises(Unavailable) as caught:
            ask(f"{scheme}://127.0.0.1:{port}", "predict", [IMAGE], retries=1)
        assert f"{scheme}://127.0.0.1:{port} is not available: " in str(caught.value)
        assert f"where its {api} API listens? It was tried 2 times." in str(caught.value)


@pytest.mark.parametrize("api", APIS)
def test_a_server_that_starts_late_is_found_soon(ask, api, monkeypatch, port):
    stub, pauses = Stub(), []
    with contextlib.ExitStack() as stack:

        def paused(low, high):
            pauses.append(high)
            if len(pauses) == 2:
                stack.enter_context(api(stub, port))
            return high

        monkeypatch.setattr("serving.client.attempts.random.uniform", paused)
        url = f"{'http' if api is stubs.rest else 'grpc'}://127.0.0.1:{port}"
        assert ask(url, "predict", [IMAGE], retries=3) == [ANSWER]
    assert len(stub.asked) == 1


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize(("api", "seconds"), [(stubs.rest, 1), (stubs.rpc, 0.3)])
def test_a_server_that_asks_to_wait_is_left_alone_so_long(ask, api, seconds):
    with api(Stub([Failure(503, BUSY.code, str(seconds))])) as stub:
        assert ask(stub.url, "predict", [IMAGE]) == [ANSWER]
    (first, _), (second, _) = stub.asked
    assert seconds <= second - first


def test_a_date_to_wait_for_is_read(rest_stub, ask):
    rest_stub.script = [Failure(429, FULL.code, "Fri, 01 Jan 2100 00:00:00 GMT")]
    with pytest.raises(Unavailable, match=r"It asks to wait [\d.e+]+ s\. Try later"):
        ask(rest_stub.url, "predict", [IMAGE])
    assert len(rest_stub.asked) == 1


def test_a_wait_beyond_the_deadline_is_not_begun(stub, ask):
    stub.script = [Failure(429, FULL.code, "60")]
    started = time.monotonic()
    with pytest.raises(Unavailable, match="It asks to wait 60 s"):
        ask(stub.url, "predict", [IMAGE])
    # It would be 60 seconds.
    assert time.monotonic() - started < 45
    assert len(stub.asked) == 1


def test_a_wait_that_is_none_is_passed_over(rest_stub, ask):
    rest_stub.script = [Failure(503, BUSY.code, "soon")]
    assert ask(rest_stub.url, "predict", [IMAGE]) == [ANSWER]


def test_calls_go_by_one_connection(stub, ask):
    assert ask(stub.url, "predict", [IMAGE], times=7) == [ANSWER]
    assert len(stub.asked) == 7
    assert len(stub.peers) == 1


def test_a_failure_does_not_cost_the_connection(stub, ask):
    stub.script = [BUSY, FULL]
    assert ask(stub.url, "predict", [IMAGE]) == [ANSWER]
    assert len(stub.peers) == 1


def test_a_version_or_a_label_is_asked_for(rest_stub, rpc_stub, ask):
    for options, path in (
        ({"version": 7}, "/versions/7"),
        ({"label": "stable"}, "/labels/stable"),
        ({}, ""),
    ):
        for url in (rest_stub.url, f"{rest_stub.url}/behind/", rpc_stub.url):
            ask(url, "predict", [IMAGE], model="of two", **options)
        assert rest_stub.asked[-2][1] == f"/v1/models/of%20two{path}:predict"
        assert rest_stub.asked[-1][1] == f"/behind/v1/models/of%20two{path}:predict"
        spec = rpc_stub.asked[-1][1]
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
    {},
]


@pytest.mark.parametrize("outputs", STRANGE)
def test_an_answer_of_another_model_is_reported(stub, ask, outputs):
    stub.outputs = outputs
    with pytest.raises(NotOurModel, match=r"chest_xray at .* is no served chest X-ray model"):
        ask(stub.url, "predict", [IMAGE])
    assert len(stub.asked) == 1


@pytest.mark.parametrize(
    "content", [b"<html>a page</html>", b"[]", b"{}", b'{"outputs": [0.25]}', b"\xff"]
)
@pytest.mark.parametrize("what", ["predict", "status", "metadata"])
def test_an_answer_of_another_server_is_reported(rest_stub, ask, content, what):
    rest_stub.outputs = content
    with pytest.raises(NotOurModel, match=rest_stub.url):
        ask(rest_stub.url, what, *([[IMAGE]] if what == "predict" else []))


def test_a_probability_that_is_no_number_is_given_as_it_is(stub, ask):
    stub.outputs = {**stubs.OUTPUTS, "probability": [float("nan")]}
    (answer,) = ask(stub.url, "predict", [IMAGE])
    assert math.isnan(answer.probability)


def test_an_answer_in_the_words_of_tensorflow_serving_is_read(rest_stub, ask):
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
    answers = ask(rest_stub.url, "predict", [IMAGE] * 2)
    assert answers == [Answer(0.30000001192092896, "NORMAL", True), Answer(0.5, "INVALID", False)]


def test_a_service_that_does_not_know_the_call_is_reported(rpc_stub, ask):
    with pytest.raises(Refused, match="UNIMPLEMENTED"):
        ask(rpc_stub.url, "status")


def test_every_failure_is_an_error_of_a_client(stub, ask):
    for failure in (MALFORMED, MISSING, LATE, BROKEN):
        stub.script = [failure]
        with pytest.raises(ClientError):
            ask(stub.url, "predict", [IMAGE])


def test_all_servers_of_a_name_are_asked_in_turn(ask, monkeypatch):
    with stubs.rpc(Stub()) as one, stubs.rpc(Stub()) as other:
        addresses = ",".join(each.url.removeprefix("grpc://") for each in (one, other))
        monkeypatch.setattr("serving.client.address.Endpoint.address", f"ipv4:{addresses}")
        # The second may be connected to later than the first is asked.
        ask(one.url, "predict", [IMAGE], times=200)
    assert len(one.asked) + len(other.asked) == 200
    assert one.asked
    assert other.asked
