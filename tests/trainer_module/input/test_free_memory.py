import psutil
import pytest

from trainer_module.input import free_memory


@pytest.mark.parametrize(
    ("limit", "used", "left"),
    [("1000\n", "400\n", 600), ("1000", "1400", 0), ("max\n", "400\n", None), (None, None, None)],
)
def test_the_limit_of_the_container_counts_where_there_is_one(
    tmp_path, monkeypatch, limit, used, left
):
    monkeypatch.setattr(psutil, "virtual_memory", lambda: type("", (), {"available": 10**6}))
    if limit:
        (tmp_path / "memory.max").write_text(limit)
        (tmp_path / "memory.current").write_text(used)
    assert free_memory.available(tmp_path) == (10**6 if left is None else left)
