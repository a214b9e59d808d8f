"""What a server counts, in Prometheus' text format.

Sources: serving_config.md, "Monitoring Configuration" (the path); prometheus_exporter.cc (names and
format); util.cc (the metrics and their labels).
"""

import re

import pytest

from tests.conformance.clients import b64, error_of, response_of
from tests.conformance.images import WHOLE

PATH = "/monitoring/prometheus/metrics"
COUNT = ":tensorflow:serving:request_count"
LATENCY = ":tensorflow:serving:request_latency"
RUNTIME = ":tensorflow:serving:runtime_latency"
BODY = {"instances": [b64(WHOLE["grey"])]}


@pytest.fixture
def scrape(rest, server):
    """Reads the page, after a request, as {name and labels: value}."""

    def read() -> dict[str, float]:
        response = rest.client.get(PATH)
        if response.status_code == 404 and not server.embedded:
            pytest.skip("the server was started without --monitoring_config_file")
        assert response.status_code == 200
        assert response.headers["content-type"].startswith("text/plain")
        lines = [line for line in response.text.splitlines() if not line.startswith("#")]
        assert response.text.endswith("\n")
        return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines)}

    response_of(rest.post(BODY))
    return read


def value_of(page: dict[str, float], name: str, **labels: str) -> float:
    """The sum of the samples of a metric with these labels, among others."""
    wanted = {f'{key}="{value}"' for key, value in labels.items()}
    return sum(
        value
        for sample, value in page.items()
        if sample.split("{", 1)[0] == name and wanted <= set(re.findall(r'\w+="[^"]*"', sample))
    )


@pytest.mark.parametrize(("name", "kind"), [(COUNT, "counter"), (LATENCY, "histogram")])
def test_type_line(rest, scrape, name, kind):
    # prometheus_exporter.cc: "# TYPE %s histogram"; the names' slashes become colons.
    scrape()
    assert f"# TYPE {name} {kind}" in rest.client.get(PATH).text.splitlines()


def test_every_line_has_the_format(rest, scrape):
    # prometheus_exporter.cc: NAME{label="value",...} number
    scrape()
    sample = re.compile(r'[a-zA-Z_:][\w:]*(\{(\w+="([^"\\]|\\.)*",?)*\})? \S+')
    for line in rest.client.get(PATH).text.splitlines():
        assert line.startswith("# ") or sample.fullmatch(line), line


def test_request_is_counted(rest, scrape):
    # util.cc: "/tensorflow/serving/request_count" with the labels "model_name" and "status"
    before = value_of(scrape(), COUNT, model_name=rest.model, status="OK")
    assert before > 0
    response_of(rest.post(BODY))
    response_of(rest.post(BODY))
    assert value_of(scrape(), COUNT, model_name=rest.model, status="OK") == before + 2


def test_failed_request_is_counted_by_its_code(rest, scrape):
    # util.cc: the status is the code's name.
    labels = {"model_name": rest.model, "status": "INVALID_ARGUMENT"}
    before = value_of(scrape(), COUNT, **labels)
    error_of(rest.post({}), 400)
    assert value_of(scrape(), COUNT, **labels) == before + 1


def test_grpc_request_is_counted(rest, rpc, scrape):
    before = value_of(scrape(), COUNT, model_name=rest.model, status="OK")
    rpc.predict_images([WHOLE["grey"]])
    assert value_of(scrape(), COUNT, model_name=rest.model, status="OK") == before + 1


@pytest.mark.parametrize("entrypoint", ["REST", "GRPC"])
def test_latency_is_measured(rest, rpc, scrape, entrypoint):
    # util.cc: the labels are "model_name", "API" and "entrypoint"; http_server.cc passes the
    # path's method as API, prediction_service_impl.cc "Predict".
    api = {"REST": "predict", "GRPC": "Predict"}[entrypoint]
    labels = {"model_name": rest.model, "API": api, "entrypoint": entrypoint}
    before = value_of(scrape(), f"{LATENCY}_count", **labels)
    if entrypoint == "REST":
        response_of(rest.post(BODY))
    else:
        rpc.predict_images([WHOLE["grey"]])
    page = scrape()
    assert value_of(page, f"{LATENCY}_count", **labels) == before + 1
    assert value_of(page, f"{LATENCY}_sum", **labels) > 0


def test_buckets(rest, scrape):
    # prometheus_exporter.cc: cumulative, the last one is "+Inf" and equals the count; util.cc:
    # "Scale of 10, power of 1.8 with bucket count 33".
    page = scrape()
    series: dict[str, list[tuple[str, float]]] = {}
    for sample, value in page.items():
        found = re.fullmatch(rf'{LATENCY}_bucket\{{(.*),le="([^"]+)"\}}', sample)
        if found:
            series.setdefault(found[1], []).append((found[2], value))
    mine = {labels: buckets for labels, buckets in series.items() if rest.model in labels}
    assert mine
    for labels, buckets in mine.items():
        limits, counts = zip(*buckets, strict=True)
        assert (limits[0], limits[1], limits[-1]) == ("10", "18", "+Inf")
        assert list(counts) == sorted(counts)
        assert counts[-1] == page[f"{LATENCY}_count{{{labels}}}"]


def test_time_in_the_graph_is_measured(rest, scrape):
    # util.cc: "/tensorflow/serving/runtime_latency"; predict_util.cc: the API is "Predict".
    before = value_of(scrape(), f"{RUNTIME}_count", model_name=rest.model, API="Predict")
    response_of(rest.post(BODY))
    after = value_of(scrape(), f"{RUNTIME}_count", model_name=rest.model, API="Predict")
    assert after > before


def test_other_path(rest):
    assert rest.client.get("/monitoring/prometheus/nope").status_code == 404
