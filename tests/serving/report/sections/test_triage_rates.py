from serving.report.sections.triage_rates import triage
from tests.serving.report import made


def test_each_figure_is_beside_its_allowed_rate():
    page = triage(made.findings())
    assert "20 of 143 images are for review" in page
    assert "with a probability between 0.120 and 0.410" in page
    missed = page[page.index("Missed PNEUMONIA") :]
    assert missed.index("0.011") < missed.index("0.001 to 0.016") < missed.index("0.020")
    assert "Triage never says NORMAL: too few patients." in page


def test_a_model_without_a_triage_has_no_section():
    assert triage(made.findings(triage=None)) == ""


def test_a_record_without_rates_shows_the_figures_alone():
    assert "20 of 143 images are for review" in triage(made.findings(record={"training": {}}))
