import logging

from serving.server import sparse_log
from serving.server.sparse_log import Sparse


def record(line, message="%s of many", argument="one"):
    return logging.LogRecord("x", logging.INFO, "module.py", line, message, (argument,), None)


def test_of_each_kind_a_few_pass_and_the_last_says_so():
    sparse = Sparse()
    passed = [each for each in (record(1) for _ in range(100)) if sparse.filter(each)]
    assert len(passed) == 5
    assert "not logged for a minute" in passed[-1].getMessage()
    assert passed[0].getMessage() == "one of many"
    assert sparse.filter(record(2))


def test_there_are_not_too_many_kinds():
    sparse = Sparse()
    assert sum(sparse.filter(record(line)) for line in range(1000)) == 200


def test_after_a_while_they_pass_again(monkeypatch):
    now = 1000.0
    monkeypatch.setattr(sparse_log.time, "monotonic", lambda: now)
    sparse = Sparse()
    assert sum(sparse.filter(record(1)) for _ in range(9)) == 5
    now += 61
    assert sparse.filter(record(1))
