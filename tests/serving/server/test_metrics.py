import asyncio
import re
import time

import pytest
from grpc import StatusCode
from hypothesis import given
from hypothesis import strategies as st

from serving.server.metrics import Metrics
from serving.server.status import RequestError

COUNT = ":tensorflow:serving:request_count"
REFUSED = ":cxr:serving:refused_count"
LATENCY = ":tensorflow:serving:request_latency"
RUNTIME = ":tensorflow:serving:runtime_latency"
OK = "cxr", "Predict", "GRPC"


def samples(metrics):
    """The page as {name and labels: value}."""
    text = metrics.text()
    assert text.endswith("\n")
    lines = [line for line in text.splitlines() if not line.startswith("# TYPE ")]
    return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines)}


def counted(metrics, model="cxr"):
    pattern = re.compile(re.escape(COUNT) + rf'{{model_name="{model}",status="(\w+)"}}')
    found = {pattern.fullmatch(name): value for name, value in samples(metrics).items()}
    return {match[1]: value for match, value in found.items() if match}


def fail(metrics, error):
    with pytest.raises(type(error)), metrics.request(*OK):
        raise error


def test_before_any_request_there_are_only_types():
    assert Metrics().text().splitlines() == [
        f"# TYPE {COUNT} counter",
        f"# TYPE {REFUSED} counter",
        f"# TYPE {LATENCY} histogram",
        f"# TYPE {RUNTIME} histogram",
    ]


def test_requests_are_counted_by_how_they_end():
    metrics = Metrics()
    for _ in range(3):
        with metrics.request(*OK):
            pass
    fail(metrics, RequestError(StatusCode.NOT_FOUND, "no"))
    fail(metrics, RequestError(StatusCode.RESOURCE_EXHAUSTED, "full"))
    fail(metrics, ZeroDivisionError())
    fail(metrics, asyncio.CancelledError())
    assert counted(metrics) == {
        "OK": 3,
        "NOT_FOUND": 1,
        "RESOURCE_EXHAUSTED": 1,
        "INTERNAL": 1,
        "CANCELLED": 1,
    }


def test_refusals_are_counted_by_their_reason():
    metrics = Metrics()
    for reason in ("rows", "memory", "rows"):
        metrics.refuse(reason)
    assert samples(metrics)[f'{REFUSED}{{reason="rows"}}'] == 2
    assert samples(metrics)[f'{REFUSED}{{reason="memory"}}'] == 1


def test_models_are_counted_apart():
    metrics = Metrics()
    for model in ("one", "two", "two"):
        with metrics.request(model, "Predict", "REST"):
            pass
    assert counted(metrics, "one") == {"OK": 1}
    assert counted(metrics, "two") == {"OK": 2}


def test_two_servers_do_not_share_figures():
    one, other = Metrics(), Metrics()
    with one.request(*OK):
        pass
    assert counted(other) == {}


def test_latency_is_that_of_finished_requests_in_microseconds():
    metrics = Metrics()
    with metrics.request(*OK):
        time.sleep(0.02)
    fail(metrics, RequestError(StatusCode.NOT_FOUND, "no"))
    found = samples(metrics)
    labels = 'model_name="cxr",API="Predict",entrypoint="GRPC"'
    assert found[f"{LATENCY}_count{{{labels}}}"] == 1
    assert 20_000 <= found[f"{LATENCY}_sum{{{labels}}}"] < 60_000_000
    counts = [
        value for name, value in found.items() if name.startswith(f"{LATENCY}_bucket{{{labels},le=")
    ]
    assert counts == sorted(counts)
    assert counts[-1] == 1
    assert len(counts) == 34
    # 10 * 1.8^12 = 11,568 and 10 * 1.8^13 = 20,823
    assert found[f'{LATENCY}_bucket{{{labels},le="11568.3"}}'] == 0
    assert found[f'{LATENCY}_bucket{{{labels},le="+Inf"}}'] == 1
    assert f'{LATENCY}_bucket{{{labels},le="10"}}' in found


def test_the_time_of_the_model_is_measured_where_it_predicts():
    metrics = Metrics()
    with metrics.runtime("cxr", "Predict"):
        time.sleep(0.01)
    with pytest.raises(ZeroDivisionError), metrics.runtime("cxr", "Predict"):
        raise ZeroDivisionError
    labels = 'model_name="cxr",API="Predict",runtime="TF2"'
    assert samples(metrics)[f"{RUNTIME}_count{{{labels}}}"] == 1
    assert 10_000 <= samples(metrics)[f"{RUNTIME}_sum{{{labels}}}"] < 60_000_000


def test_there_are_no_times_of_creation_and_no_totals():
    metrics = Metrics()
    with metrics.request(*OK):
        pass
    assert "_created" not in metrics.text()
    assert "_total" not in metrics.text()


@pytest.mark.parametrize("model", ["v1.0", "resnet-v2.0", "Zürich 漢字"])
def test_a_models_name_stays_whole(model):
    metrics = Metrics()
    with metrics.request(model, "Predict", "REST"), metrics.runtime(model, "Predict"):
        pass
    assert counted(metrics, model) == {"OK": 1}
    assert f'model_name="{model}",API="Predict",runtime="TF2"' in metrics.text()


@given(st.text())
def test_no_name_breaks_the_format(model):
    metrics = Metrics()
    with metrics.request(model, "Predict", "REST"):
        pass
    sample = re.compile(r'[a-zA-Z_:][\w:]*(\{(\w+="([^"\\\n]|\\["\\n])*",?)*\})? \S+')
    lines = metrics.text().split("\n")
    assert all(sample.fullmatch(line) for line in lines if line and not line.startswith("# TYPE "))
    (shown,) = re.findall(rf'{COUNT}{{model_name="(.*)",status="OK"}}', metrics.text())
    meant = {r"\\": "\\", r"\"": '"', r"\n": "\n"}
    assert re.sub(r"\\.", lambda match: meant[match[0]], shown) == model
