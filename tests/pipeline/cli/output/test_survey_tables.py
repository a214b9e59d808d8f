import io

import pytest
from rich.console import Console

from pipeline.cli.output.survey_tables import print_survey
from serving.images.dataset import FileKind, Shortcut, Spread
from tests.pipeline.printed import cells, tables
from tests.serving.images.test_dataset import SURVEY as PLAIN

SURVEY = PLAIN.model_copy(
    update={
        "kinds": (
            FileKind(format="jpeg", colours="grey", bits="8", label="NORMAL", images=1341),
            FileKind(format="png", colours="RGB", bits="12 of 16", label="NORMAL", images=3),
            FileKind(format="jpeg", colours="grey", bits="8", label="PNEUMONIA", images=3875),
        ),
        "spreads": (
            Spread(name="images of a patient", least=1, low=1, middle=1, high=4, most=30),
            Spread(name="file size, KB", least=3.63, low=5.2, middle=6.33, high=7.75, most=1234.5),
        ),
        "shortcuts": (
            Shortcut(
                name="border brightness",
                normal=79.6,
                pneumonia=83.4,
                auc=0.567,
                low=0.55,
                high=0.585,
            ),
            Shortcut(name="format png", normal=0.002, pneumonia=0, auc=0.499),
        ),
    }
)


def printed(survey, width=80):
    file = io.StringIO()
    console = Console(file=file, width=width, force_terminal=True, color_system=None)
    print_survey(console, survey)
    return file.getvalue()


def test_kinds_of_files_are_counted_by_class():
    text = printed(SURVEY)
    assert cells(text, "jpeg") == ["jpeg", "grey", "8", "1,341", "3,875"]
    assert cells(text, "png") == ["png", "RGB", "12", "of", "16", "3", "0"]


def test_sizes_and_shortcuts_are_tables():
    _, sizes, shortcuts, *_ = tables(printed(SURVEY))
    assert sizes[0].split() == ["sizes", "least", "5", "%", "median", "95", "%", "most"]
    assert sizes[2].split() == ["file", "size,", "KB", "3.63", "5.20", "6.33", "7.75", "1,234"]
    assert shortcuts[1].split()[2:] == ["79.6", "83.4", "0.567", "0.550", "to", "0.585"]
    assert shortcuts[2].split()[2:] == ["0.00", "0", "0.499", "-"]


@pytest.mark.parametrize("width", [60, 80])
def test_it_fits_the_terminal(width):
    text = printed(SURVEY, width)
    assert max(map(len, text.splitlines())) <= width
    # No cell is broken, and every figure that matters is there.
    assert "0.550 to 0.585" in text
    assert "images of a patient " in text


def test_on_a_narrow_terminal_the_percentiles_go_first():
    sizes = tables(printed(SURVEY, 44))[1]
    assert sizes[0].split() == ["sizes", "least", "median", "95", "%", "most"]
    assert sizes[1].split()[-3:] == ["1", "4", "30"]


def test_of_many_images_it_says_which_were_measured():
    survey = SURVEY.model_copy(update={"images": 112_120, "measured": 20_000})
    assert "those of 20,000 of 112,120 images, whose patients a hash chose." in printed(survey, 200)


def test_duplicates_are_counted_where_there_are_some():
    assert "same bytes" not in printed(SURVEY)
    survey = SURVEY.model_copy(update={"duplicates": 26})
    assert "26 images are of the same bytes as another one" in printed(survey, 200)


def test_one_class_has_no_table_of_shortcuts():
    assert "AUC" not in printed(SURVEY.model_copy(update={"shortcuts": ()}))
