import csv

import pytest

from components.convert.outcomes import Outcome
from components.convert.quarantine import refuse_mostly_bad, refused_list, write_list
from serving.images.settings import DatasetSettings
from tests.components.convert.alone import tallied
from tests.components.convert.folders import source
from transform_module.errors import UserError


def outcomes(good=0, bad=0, skipped=0):
    return [
        *[Outcome(source("a", "train"), split="train")] * good,
        *[Outcome(source("b", "train"), quarantined="too small")] * bad,
        *[Outcome(source(".DS_Store", "train", skipped="system file"))] * skipped,
    ]


def test_the_list_survives_any_name(tmp_path):
    name = 'train/NORMAL/a "b", c\nd é.png'
    shown = r'train/NORMAL/a "b", c\x0ad é.png'
    bad = Outcome(source(name, "train", size=12), quarantined="too small: 1x1, sorry", sha256="ab")
    write_list([row(bad)], tmp_path / "list.csv")
    with (tmp_path / "list.csv").open(encoding="utf-8", newline="") as file:
        assert list(csv.reader(file)) == [
            ["path", "reason", "bytes", "sha256"],
            [shown, "too small: 1x1, sorry", "12", "ab"],
        ]


def row(outcome):
    return (outcome.file.filename, outcome.quarantined, outcome.file.size, outcome.sha256)


def judge(found, out, limit):
    rows = [row(each) for each in found if each.quarantined]
    settings = DatasetSettings(max_bad=limit)
    refuse_mostly_bad(tallied(found), [each.file for each in found], rows, out, settings)


@pytest.mark.parametrize(("good", "bad", "limit"), [(9, 1, 0.1), (1, 0, 0.0), (1, 9, 1.0)])
def test_as_much_as_is_allowed_passes(tmp_path, good, bad, limit):
    judge(outcomes(good, bad), tmp_path / "out", limit)
    assert not refused_list(tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("good", "bad", "skipped", "limit"),
    [(8, 1, 0, 0.1), (1, 1, 0, 0.0), (0, 1, 0, 1.0), (8, 1, 90, 0.1)],
)
def test_more_is_refused_with_the_list(tmp_path, good, bad, skipped, limit):
    with pytest.raises(
        UserError, match=r"not readable images.*Commonest: too small \(1, such as b\)"
    ):
        judge(outcomes(good, bad, skipped), tmp_path / "out", limit)
    assert refused_list(tmp_path / "out").read_text().count("too small") == bad


def refusal(tmp_path, *found):
    with pytest.raises(UserError) as refused:
        judge(found, tmp_path / "out", 0.1)
    return str(refused.value)


def test_the_refusal_shows_the_figures_and_the_way_out(tmp_path):
    both = [Outcome(source("n", "train", "NORMAL"), split="train")]
    assert refusal(tmp_path, *both, *outcomes(good=2999, bad=1000)) == (
        "1,000 of 4,000 files (25%) are not readable images; allowed are 10% (max_bad). "
        "Commonest: too small (1,000, such as b). Every file with its reason is in "
        f"{tmp_path}/out.quarantine.csv. Fix the files, or raise max_bad if this is as it should "
        "be."
    )


def test_the_refusal_names_three_reasons_with_examples_and_what_was_skipped(tmp_path):
    bad = [
        Outcome(source(f"{reason}{number}.png"), number, quarantined=f"{reason}: {number}")
        for number, reason in enumerate("aabbbcd")
    ]
    message = refusal(tmp_path, *outcomes(skipped=2), *bad)
    assert "Commonest: b (3, such as b2.png, b3.png); a (2, such as a0.png, a1.png)" in message
    assert "); c: 5 (1, such as c5.png)." in message
    assert "Skipped beside these: system file (2)." in message


def test_the_refusal_never_advises_a_dataset_of_one_class(tmp_path):
    normal = [Outcome(source("NORMAL/a.png", label="NORMAL"), split="train")] * 4
    others = [
        Outcome(
            source(f"{name}/{number}.png", label=""), quarantined="outside the class folders: x"
        )
        for name in ("BACTERIA", "VIRUS")
        for number in range(3)
    ]
    message = refusal(tmp_path, *normal, *others)
    assert "Files by folder: NORMAL (4), BACTERIA (3), VIRUS (3)." in message
    assert "Class folders are named NORMAL and PNEUMONIA" in message
    assert "no image of PNEUMONIA is left, so raising max_bad does not help" in message
    assert "or raise max_bad" not in message


def test_a_folder_of_which_nothing_is_left_is_refused(tmp_path):
    message = refusal(tmp_path, *outcomes(skipped=3))
    assert message.startswith("0 of 0 files (0%) are not readable images")
    assert "Skipped beside these: system file (3)" in message
