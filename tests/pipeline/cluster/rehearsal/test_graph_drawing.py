from xml.etree import ElementTree

import pytest

from pipeline.cluster.rehearsal import compiled, graph_drawing
from pipeline.runners import kubeflow, specification
from tests.pipeline.cluster_configuration import configured

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def graph(tmp_path_factory):
    file = tmp_path_factory.mktemp("graph") / "pipeline.yaml"
    file.write_text(kubeflow.render(specification.specify(configured()), configured().cluster))
    return ElementTree.fromstring(graph_drawing.svg(compiled.read(file)))


def test_each_edge_ends_with_an_arrowhead_at_a_task(graph):
    edges = graph.findall(f"{SVG}path")
    markers = {f"url(#{marker.get('id')})" for marker in graph.iter(f"{SVG}marker")}
    tops = {
        (float(box.get("x")) + float(box.get("width")) / 2, float(box.get("y")))
        for box in graph.findall(f"{SVG}rect")
        if box.get("x")
    }
    assert len(edges) >= 9
    assert {edge.get("marker-end") for edge in edges} == markers
    for edge in edges:
        x, y = edge.get("d").split()[-2:]
        assert (float(x), float(y)) in tops


def test_no_box_covers_another(graph):
    boxes = [
        tuple(float(box.get(key)) for key in ("x", "y", "width", "height"))
        for box in graph.findall(f"{SVG}rect")
        if box.get("x")
    ]
    for index, (x, y, width, height) in enumerate(boxes):
        for left, top, *_ in boxes[:index]:
            assert abs(x - left) >= width or abs(y - top) >= height
