import pytest

from serving.images.labels.known.known_layout import left_out_by_view
from serving.images.settings import DatasetSettings


@pytest.mark.parametrize(
    ("view", "reason"),
    [
        ("PA", ""),
        ("AP_horizontal", ""),
        ("LL", "lateral view"),
        ("", "another view, or none that is stated"),
    ],
)
def test_only_frontal_views_are_taken_but_where_all_are_kept(view, reason):
    assert left_out_by_view(view, DatasetSettings()) == reason
    assert left_out_by_view(view, DatasetSettings(lateral="keep")) == ""
