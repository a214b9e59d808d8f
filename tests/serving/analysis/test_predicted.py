import numpy as np
import pytest

from serving.analysis.predicted import PredictedImage, table
from tests.serving.analysis.samples import predicted


def test_columns_of_other_lengths_are_refused():
    with pytest.raises(ValueError, match="one length"):
        predicted([1, 0], [0.5, 0.5], mode=["L"])


def test_images_are_chosen_with_all_their_columns():
    all_of_them = predicted(
        [1, 0, 1],
        [0.1, 0.2, 0.3],
        in_domain=[True, False, True],
        others={"site": np.array(list("abc"))},
    )
    some = all_of_them.only(np.array([True, False, True]))
    assert len(some) == 2
    assert some.probability.tolist() == [0.1, 0.3]
    assert some.in_domain.tolist() == [True, True]
    assert some.others["site"].tolist() == ["a", "c"]
    assert all_of_them.only(np.array([2, 0])).path.tolist() == ["0002.png", "0000.png"]


def test_another_column_may_be_called_as_its_own():
    others = {"mode": np.array(["lying", "upright"])}
    chosen = predicted([1, 0], [0.1, 0.2], others=others).only(np.array([1]))
    assert (chosen.mode.tolist(), chosen.others["mode"].tolist()) == (["L"], ["upright"])


def test_an_unknown_domain_stays_unknown():
    assert predicted([1, 0], [0.1, 0.2]).only(np.array([0])).in_domain is None


def test_patients_are_counted():
    assert predicted([1, 0, 1], [0.1, 0.2, 0.3], patient=["a", "b", "a"]).patients() == 2


def row(**known):
    return PredictedImage(
        **{
            "path": "a.png",
            "patient": "p",
            "label": True,
            "subtype": "",
            "probability": 0.5,
            "valid": True,
            **known,
        }
    )


def test_rows_become_a_table_in_their_order():
    rows = [
        row(path="b.png", in_domain=True, width=30, brightness=4.5),
        row(path="a.png", label=False, valid=False),
    ]
    made = table(rows, {"site": np.array(["Rome", "Oslo"])})
    assert made.path.tolist() == ["b.png", "a.png"]
    assert made.label.tolist() == [True, False]
    assert made.width.tolist() == [30, 0]
    assert made.height.tolist() == made.bytes.tolist() == [0, 0]
    assert np.array_equal(made.brightness, [4.5, np.nan], equal_nan=True)
    assert made.others["site"].tolist() == ["Rome", "Oslo"]
    # What cannot be decoded is not in domain either.
    assert made.in_domain.tolist() == [True, False]


def test_rows_of_a_model_without_a_domain_have_none():
    assert table([row(), row()]).in_domain is None
    assert table([row(), row()]).triage is None


def test_a_triage_is_kept_where_it_is_known():
    made = table([row(triage="REVIEW"), row(valid=False)])
    assert made.triage.tolist() == ["REVIEW", ""]
    assert made.only(np.array([0])).triage.tolist() == ["REVIEW"]
