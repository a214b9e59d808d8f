import csv

import pytest

from components.errors import UserError
from components.images.outcomes import Outcome
from components.images.quarantine import refuse_mostly_bad, refused_list, write_list
from tests.components.images.folders import source


def outcomes(good=0, bad=0, skipped=0):
    return [
        *[Outcome(source("a", "train"), split="train")] * good,
        *[Outcome(source("b", "train"), quarantined="too small: 1x1")] * bad,
        *[Outcome(source(".DS_Store", "train", skipped=True))] * skipped,
    ]


def test_the_list_survives_any_name(tmp_path):
    name = 'train/NORMAL/a "b", c\nd é.png'
    bad = Outcome(source(name, "train", size=12), quarantined="too small: 1x1, sorry", sha256="ab")
    write_list([*outcomes(good=2, skipped=1), bad], tmp_path / "list.csv")
    with (tmp_path / "list.csv").open(encoding="utf-8", newline="") as file:
        assert list(csv.reader(file)) == [
            ["path", "reason", "bytes", "sha256"],
            [name, "too small: 1x1, sorry", "12", "ab"],
        ]


@pytest.mark.parametrize(("good", "bad", "limit"), [(9, 1, 0.1), (1, 0, 0.0), (1, 9, 1.0)])
def test_as_much_as_is_allowed_passes(tmp_path, good, bad, limit):
    refuse_mostly_bad(outcomes(good, bad), tmp_path / "out", limit)
    assert not refused_list(tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("good", "bad", "skipped", "limit"),
    [(8, 1, 0, 0.1), (1, 1, 0, 0.0), (0, 1, 0, 1.0), (8, 1, 90, 0.1)],
)
def test_more_is_refused_with_the_list(tmp_path, good, bad, skipped, limit):
    with pytest.raises(UserError, match=r"no usable pictures.*Commonest: too small \(1\)"):
        refuse_mostly_bad(outcomes(good, bad, skipped), tmp_path / "out", limit)
    assert refused_list(tmp_path / "out").read_text().count("too small") == bad


def test_the_refusal_tells_the_figures_and_the_way_out(tmp_path):
    with pytest.raises(UserError) as refusal:
        refuse_mostly_bad(outcomes(good=3000, bad=1000), tmp_path / "out", 0.1)
    assert str(refusal.value) == (
        "1,000 of 4,000 files (25%) are no usable pictures; allowed are 10% (max_bad). "
        "Commonest: too small (1,000). Every file with its reason is in "
        f"{tmp_path}/out.quarantine.csv. Mend the folder, or raise max_bad if this is as it should "
        "be."
    )
