from serving.report.sections.training import training
from tests.serving.report import made


def test_an_epoch_without_a_finite_figure_leaves_a_gap_and_no_other_epoch_moves():
    history = ({"val_auc": 0.5}, {}, {"val_auc": 0.7}, {"val_auc": 0.8})
    whole = ({"val_auc": 0.5}, {"val_auc": 0.6}, {"val_auc": 0.7}, {"val_auc": 0.8})
    gapped = training(made.findings(), made.context(histories=(history,)))
    drawn = training(made.findings(), made.context(histories=(whole,)))

    def ends(text):
        points = text.split('<polyline points="')[1].split('"')[0].split()
        return points[0], points[-1]

    assert ends(gapped) == ends(drawn)


def test_without_a_history_the_training_is_reported_and_not_drawn():
    text = training(made.findings(), made.context(histories=()))
    assert "1,666,273" in text
    assert "<svg" not in text


def test_a_model_that_says_nothing_of_its_training_has_no_section():
    assert training(made.findings(record={}), made.context(histories=())) == ""


def test_each_member_of_an_ensemble_has_its_lines():
    member = ({"val_auc": 0.5}, {"val_auc": 0.6})
    record = {**made.RECORD, "training": {"epochs": 4, "members": [{}, {}]}}
    text = training(made.findings(record=record), made.context(histories=(member, member)))
    assert text.count("<polyline") == 2
    assert "Each member has its own lines." in text
    assert "best epoch" not in text
