import re
from html import unescape

import pytest

from serving.images.dataset import Example, FileKind, Finding, Shortcut, Spread
from serving.report.context import ShownImage
from serving.report.dataset_page import page
from tests.serving.images.test_dataset import DATASET, SURVEY
from tests.serving.report.test_page import Outline

JPEG = ShownImage(thumbnail=b"\xff\xd8\xff some image")
EXAMPLES = (
    Example(kind="typical", about="NORMAL", number=3, path="NORMAL/anna.png"),
    Example(kind="odd", about="PNEUMONIA", number=1200, path="PNEUMONIA/bob.png"),
    Example(kind="doubtful", about="unlike", number=7, path="NORMAL/anna-2.png"),
    Example(kind="quarantined", about="mask", number=8, path="NORMAL/carl.png"),
    Example(kind="quarantined", about="empty file", number=9, path="NORMAL/dora.png"),
)
WHOLE = DATASET.model_copy(
    update={
        "survey": SURVEY.model_copy(
            update={
                "examples": EXAMPLES,
                "kinds": (
                    FileKind(
                        format="png", colours="grey", bits="12 of 16", label="NORMAL", images=4
                    ),
                    FileKind(
                        format="png",
                        colours="grey",
                        bits="12 of 16",
                        label="PNEUMONIA",
                        images=1200,
                    ),
                ),
                "spreads": (
                    Spread(name="width", least=40, low=41, middle=1024, high=2000, most=3000.7),
                ),
            }
        ),
        "findings": (
            Finding(kind="unlike", images=1, message="One is unlike.", examples=("anna-2.png",)),
        ),
        "layout_warnings": ("Images of bob are in NORMAL.",),
    }
)
SHOWN = {each.path: JPEG for each in EXAMPLES[:4]}


def text_of(html):
    return re.sub(r"<[^>]+>", " ", html[html.index("<body") :])


def test_each_image_is_under_its_heading_with_its_number():
    text = " ".join(text_of(page(WHOLE, SHOWN)).split())
    assert "Typical of NORMAL no. 3" in text
    assert "Least like the others of PNEUMONIA no. 1,200" in text
    assert "Found: unlike the others no. 7" in text
    assert "Quarantined: mask no. 8" in text


def test_what_does_not_decode_is_left_out():
    assert "Quarantined: empty file" not in text_of(page(WHOLE, SHOWN))
    assert "Contact sheet" not in page(WHOLE, {})


def test_no_file_folder_or_patient_is_named():
    html = page(WHOLE, SHOWN)
    names = ("anna", "bob", "carl", "dora", ".png", WHOLE.dropped_patients[0])
    assert [name for name in names if name in html] == []


def test_it_needs_no_other_file_and_runs_nothing():
    html = page(WHOLE, SHOWN)
    sources = re.findall(r'(?:src|href)="(.{5})', html)
    assert set(sources) == {"data:"}
    assert "default-src 'none'" in unescape(html)
    assert "<script" not in html


def test_its_tags_are_closed_in_their_order():
    assert Outline(page(WHOLE, SHOWN)).open == []


def test_the_figures_of_the_survey_are_there():
    text = " ".join(text_of(page(WHOLE, SHOWN)).split())
    assert "png grey 12 of 16 4 1,200" in text
    assert "width 40 41 1,024 2,000 3,001" in text
    assert "file size 0.100" in text
    assert "0.050 to 0.200" in text
    assert "of all 17 images of 9 patients" in text
    assert "text file quarantined 1" in text


def test_of_many_images_it_says_which_were_measured():
    survey = SURVEY.model_copy(update={"images": 112_120, "measured": 20_000})
    text = text_of(page(DATASET.model_copy(update={"survey": survey}), {}))
    assert "of 20,000 of 112,120 images, of 9 patients by a hash" in text


def test_the_verdict_counts_the_warnings_and_lists_those_that_name_nothing():
    text = " ".join(text_of(page(WHOLE, SHOWN)).split())
    assert f"{len(WHOLE.warnings)} warnings" in text
    assert "One is unlike." in text
    assert "1 warning about folders and patients, which may name files" in text


@pytest.mark.parametrize("duplicates", [0, 1, 2])
def test_duplicates_are_counted(duplicates):
    survey = SURVEY.model_copy(update={"duplicates": duplicates})
    text = text_of(page(DATASET.model_copy(update={"survey": survey}), {}))
    said = ["No image is", "1 image is", "2 images are"][duplicates]
    assert f"{said} of the same bytes as another" in text


def test_a_shortcut_without_interval_is_shown():
    survey = SURVEY.model_copy(
        update={"shortcuts": (Shortcut(name="width", normal=1, pneumonia=2, auc=1.0),)}
    )
    assert "1.000" in text_of(page(DATASET.model_copy(update={"survey": survey}), {}))


def test_a_dataset_without_a_survey_has_a_page():
    assert "Splits" in page(DATASET, {})
