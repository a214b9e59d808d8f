import pytest
from hypothesis import given
from hypothesis import strategies as st

from transform_module.errors import UserError
from transform_module.files.archives import member_list
from transform_module.files.archives.member_list import (
    NAMELESS,
    OUTSIDE,
    UNUSUAL,
    Member,
    Members,
    safe,
)

FILE = Member(0, 10, 10)


@pytest.mark.parametrize(
    ("name", "path"),
    [
        (b"NORMAL/a.png", b"NORMAL/a.png"),
        (b"./NORMAL//a.png", b"NORMAL/a.png"),
        (b"NORMAL/a..png", b"NORMAL/a..png"),
        (b"r\xf6ntgen.png", b"r\xf6ntgen.png"),
    ],
)
def test_a_name_is_a_path_below_the_archive(name, path):
    assert safe(name) == (path, None)


@pytest.mark.parametrize(
    ("name", "path", "problem"),
    [
        (b"/etc/passwd", b"/etc/passwd", OUTSIDE),
        (b"//etc/passwd", b"/etc/passwd", OUTSIDE),
        (b"a/../../b", b"a/../../b", OUTSIDE),
        (b"..", b"..", OUTSIDE),
        (b"C:/a.png", b"C:/a.png", OUTSIDE),
        (b"", NAMELESS, UNUSUAL),
        (b"./", NAMELESS, UNUSUAL),
        (b"a.png\0.exe", b"a.png\\0.exe", UNUSUAL),
        (b"a" * 4097, b"a" * 4096, UNUSUAL),
        (b"a/" * 64 + b"b", b"a/b", UNUSUAL),
    ],
)
def test_a_name_that_leads_elsewhere_has_a_problem(name, path, problem):
    assert safe(name) == (path, problem)


@given(st.lists(st.sampled_from([b"..", b".", b"", b"a", b"\xff", b"C:", b"\0"])).map(b"/".join))
def test_no_path_without_a_problem_leads_out(name):
    path, problem = safe(name)
    parts = path.split(b"/")
    assert path
    assert len(path) <= member_list.LONGEST
    assert problem or not {b"", b".", b".."} & set(parts)


def test_of_two_files_of_one_path_none_is_read():
    found = Members("x.zip", 100)
    for name in (b"a/b.png", b"c.png", b"./a//b.png"):
        found.add(name, FILE)
    assert {path: each.problem for path, each in found.found.items()} == {
        b"a/b.png": member_list.TWICE,
        b"c.png": None,
    }


def test_the_number_of_members_is_limited(monkeypatch):
    monkeypatch.setattr(member_list, "MEMBERS", 2)
    found = Members("x.zip", 100)
    found.add(b"a", FILE)
    found.add(b"b", FILE)
    with pytest.raises(UserError, match=r"x\.zip has more than 2 members, which is the limit"):
        found.add(b"c", FILE)


def test_the_bytes_of_all_members_are_limited_by_the_size_of_the_archive():
    found = Members("x.zip", 1000)
    most = 250 * 1000 + (64 << 20)
    found.add(b"a", FILE._replace(size=most))
    with pytest.raises(UserError, match=r"more than 250 times its size of 1,000 bytes.* a decompr"):
        found.add(b"b", FILE._replace(size=1))
