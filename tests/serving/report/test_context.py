from serving.report.context import Context
from tests.serving.report import made


def test_a_context_is_read_back_as_it_was_written_images_too():
    context = made.context()
    assert Context.model_validate_json(context.model_dump_json()) == context
    assert context.images


def test_nothing_has_to_be_known():
    assert Context.model_validate_json(Context().model_dump_json()) == Context()
