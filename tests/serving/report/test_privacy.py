from serving.analysis.findings import to_json
from serving.report.page import page
from serving.report.privacy import anonymous
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
