from serving.analysis.findings import to_json
from serving.images.dataset import Finding
from serving.report.page import page
from serving.report.privacy import anonymous, without_patients
from tests.serving.images.test_dataset import SURVEY
from tests.serving.report import made


def with_everything():
    findings = made.findings()
    context = made.context(filenames=False)
    return findings, context


def test_no_name_of_a_file_or_patient_is_left_in_any_file():
    findings, context = with_everything()
    names = [
        *(miss.path for miss in findings.misses),
        *(each.path for each in context.quarantine),
        *context.images,
        *(context.dataset.dropped_patients if context.dataset else ()),
    ]
    assert names
    found, shown = anonymous(findings, context)
    text = to_json(found) + shown.model_dump_json() + page(found, shown)
    assert [name for name in names if f'"{name}"' in text or f">{name}<" in text] == []


def test_what_counts_stays():
    findings, context = with_everything()
    found, shown = anonymous(findings, context)
    assert [each.probability for each in found.misses] == [
        each.probability for each in findings.misses
    ]
    assert {each.path for each in found.misses} >= set(shown.images)
    assert len(shown.images) == len(set(context.images) & {e.path for e in findings.misses})
    assert len(shown.dataset.dropped_patients) == len(context.dataset.dropped_patients)


def test_no_name_that_the_conversion_recorded_is_left():
    finding = Finding(kind="unlike", images=1, message="One.", examples=("anna.png",))
    update = {"findings": (finding,), "layout_warnings": ("Look at bob.png.",), "survey": SURVEY}
    named = made.context().dataset.model_copy(update=update)
    found = without_patients(named)
    assert "anna" in named.model_dump_json()
    assert not any(name in found.model_dump_json() for name in ("anna", "bob"))
    assert (found.findings[0].message, found.survey.shortcuts) == ("One.", SURVEY.shortcuts)
