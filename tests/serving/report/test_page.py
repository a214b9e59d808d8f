import dataclasses
import re
from html.parser import HTMLParser

import pytest

from serving.analysis.findings import Confusion, Estimate, Findings, Group, Miss
from serving.images.dataset import Finding
from serving.report.context import Context, Verdict
from serving.report.page import page
from tests.serving.report import made

VOID = {"br", "col", "img", "link", "meta"}
HOSTILE = '"><script>alert(1)</script>&<img src=x onerror=alert(1)>.jpeg'
PLAIN = Findings(
    model="chest_xray/17",
    record={},
    data="a folder",
    threshold=0.5,
    images=2,
    invalid=0,
    overall=Group("all", 2, 2, 1),
    slices={},
    roc=None,
    precision_recall=None,
    reliability=[],
    confusion=Confusion(1, 0, 1, 0),
    misses=[],
)


class Outline(HTMLParser):
    """Checks that tags are closed in their order; keeps what a reader meets."""

    def __init__(self, text: str):
        super().__init__()
        self.open, self.tags, self.titles, self.links = [], [], [], []
        self.identities, self.attributes = [], []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, name, value) for name, value in attrs]
        self.identities += [value for name, value in attrs if name == "id"]
        self.links += [value for name, value in attrs if name in ("href", "src")]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] == "h2":
            self.titles.append(data)


@pytest.fixture(scope="module")
def whole():
    return page(made.findings(), made.context())


def test_all_that_is_known_has_its_section(whole):
    assert Outline(whole).titles == [
        "Data",
        "Training",
        "Performance",
        "Triage",
        "Subgroups",
        "Worst errors",
        "Shifted images",
        "Corruptions",
        "Shortcuts",
        "Domain and drift",
        "Comparison",
        "Serving",
        "Times",
        "Configuration and versions",
    ]


def test_what_is_not_known_leaves_no_frame():
    outline = Outline(page(PLAIN))
    assert outline.titles == ["Performance"]
    assert "svg" not in outline.tags


@pytest.mark.parametrize("field", ["roc", "precision_recall", "domain", "triage", "comparison"])
def test_each_part_may_be_missing(field):
    Outline(page(made.findings(**{field: None}), made.context()))


@pytest.mark.parametrize(
    "field", ["slices", "reliability", "misses", "shifts", "corruptions", "probes", "drift"]
)
def test_each_list_may_be_empty(field):
    empty = {} if field == "slices" else []
    Outline(page(made.findings(**{field: empty}), made.context()))


@pytest.mark.parametrize("field", list(Context.model_fields))
def test_each_part_of_the_context_may_be_missing(field):
    default = Context.model_fields[field].get_default(call_default_factory=True)
    Outline(page(made.findings(), made.context(**{field: default})))


def test_nothing_is_loaded_from_elsewhere(whole):
    outline = Outline(whole)
    assert all(link.startswith(("data:image/", "#")) for link in outline.links)
    assert "script" not in outline.tags
    without_data = re.sub(r'"data:[^"]*"', "", whole)
    assert "http:" not in without_data
    assert "https:" not in without_data
    assert "url(" not in without_data
    assert "@import" not in without_data


def test_every_link_leads_to_a_section(whole):
    outline = Outline(whole)
    inner = [link[1:] for link in outline.links if link.startswith("#")]
    assert len(inner) == len(outline.titles)
    assert set(inner) <= set(outline.identities)
    assert len(outline.identities) == len(set(outline.identities))


def test_every_figure_is_finite(whole):
    text = re.sub(r'"data:[^"]*"', "", whole)
    assert not re.search(r"\b(nan|inf|None)\b", text)


def test_images_and_drawings_show_what_they_show(whole):
    images = [name for tag, name, value in Outline(whole).attributes if tag == "img" and value]
    assert images.count("alt") == images.count("src") > 0
    for drawing in re.findall(r"<svg.*?</svg>", whole):
        assert "aria-hidden" in drawing or "<title>" in drawing


def test_a_hostile_file_name_is_text():
    context = made.context(
        images={}, verdict=Verdict(blessed=False, reasons=(HOSTILE,)), run=HOSTILE
    )
    found = made.findings(
        misses=[Miss(HOSTILE, "NORMAL", HOSTILE, 0.9)],
        model=HOSTILE,
        data=HOSTILE,
        notes=[HOSTILE],
        slices={HOSTILE: [made.group(HOSTILE, 3, 1)]},
    )
    text = page(found, context)
    assert {"script", "img"}.isdisjoint(Outline(text).tags)
    assert text.count("&lt;script&gt;") >= 6


def test_files_are_not_named_unless_that_is_allowed():
    for images in ({}, made.context().images):
        text = page(made.findings(), made.context(filenames=False, images=images))
        assert ".jpeg" not in text
        assert "person7" not in text
    assert "person7_virus_3.jpeg" in page(made.findings(), made.context())


def test_what_is_doubtful_in_the_data_is_said_without_names():
    finding = Finding(kind="unlike", images=1, message="One is unlike.", examples=("secret.png",))
    doubtful = made.dataset().model_copy(update={"findings": (finding,)})
    text = page(made.findings(), made.context(dataset=doubtful))
    assert "One is unlike." in text
    assert "secret" not in text


def test_the_findings_alone_show_no_file_and_no_image():
    text = page(made.findings())
    assert "<img" not in text
    assert ".jpeg" not in text


def test_a_model_that_is_refused_is_reported_first_with_the_reason():
    verdict = Verdict(blessed=False, reasons=("AUC 0.7 is below the floor 0.85",))
    text = page(made.findings(), made.context(verdict=verdict))
    assert "Not pushed" in text
    assert text.index("AUC 0.7 is below the floor 0.85") < text.index("<main>")


def test_a_figure_is_with_its_interval_and_meaning(whole):
    assert "0.905 to 0.965" in whole
    assert "area under the ROC curve; 0.5 is chance" in whole
    assert "Intervals are 95 % intervals" in whole


def test_a_group_of_one_class_has_a_dash():
    text = page(dataclasses.replace(PLAIN, slices={"subtype": [made.group("virus", 3, 3)]}))
    assert "\u2013" not in text
    undefined = made.group("virus", 3, 3, specificity=Estimate())
    other = made.group("bacteria", 3, 3)
    text = page(dataclasses.replace(PLAIN, slices={"subtype": [undefined, other]}))
    assert "\u2013" in text


def test_the_same_is_drawn_again_in_the_same_bytes(whole):
    assert page(made.findings(), made.context()) == whole
