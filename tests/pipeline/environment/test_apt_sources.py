import pytest

from pipeline.environment.apt_sources import (
    AptSource,
    parse_deb822,
    parse_one_line,
    read_apt_sources,
)

ONE_LINE = """\
# deb http://commented.example/debian bookworm main
deb http://mirror.example/debian bookworm main contrib # the nearest
deb [arch=amd64 signed-by=/usr/share/keyrings/x.gpg]  https://x.example/ stable main
deb-src http://mirror.example/debian bookworm main
  deb\t[ Signed-By=/key.asc ]\thttp://tabs.example\tjammy universe
nonsense
"""

DEB822 = """\
# The distribution's own file.
Types: deb deb-src
URIs: http://one.example/ubuntu http://two.example/ubuntu
Suites: jammy jammy-updates
# a comment within
Components: main universe
Signed-By: /usr/share/keyrings/ubuntu.gpg

Types: deb-src
URIs: http://sources.example
Suites: jammy
Components: main

Enabled: no
Types: deb
URIs: http://disabled.example
Suites: jammy
Components: main

types: deb
uris:
 http://wrapped.example
suites: jammy
components: main
 restricted
"""


def test_reads_the_one_line_format():
    assert parse_one_line(ONE_LINE) == [
        AptSource("http://mirror.example/debian", "bookworm", ("main", "contrib")),
        AptSource("https://x.example/", "stable", ("main",), "/usr/share/keyrings/x.gpg"),
        AptSource("http://tabs.example", "jammy", ("universe",), "/key.asc"),
    ]


def test_reads_the_deb822_format():
    keyring = "/usr/share/keyrings/ubuntu.gpg"
    components = ("main", "universe")
    assert parse_deb822(DEB822) == [
        AptSource("http://one.example/ubuntu", "jammy", components, keyring),
        AptSource("http://one.example/ubuntu", "jammy-updates", components, keyring),
        AptSource("http://two.example/ubuntu", "jammy", components, keyring),
        AptSource("http://two.example/ubuntu", "jammy-updates", components, keyring),
        AptSource("http://wrapped.example", "jammy", ("main", "restricted")),
    ]


@pytest.mark.parametrize("word", ["no", "False", "0"])
def test_a_disabled_source_is_none(word):
    text = f"Types: deb\nURIs: http://x\nSuites: s\nComponents: main\nEnabled: {word}\n"
    assert parse_deb822(text) == []


@pytest.mark.parametrize("parse", [parse_one_line, parse_deb822])
@pytest.mark.parametrize("text", ["", "\n\n", "Types: deb", "deb", ":::", "\0\ufffd"])
def test_what_is_not_a_source_is_passed_over(parse, text):
    assert parse(text) == []


def test_reads_apts_folder_in_the_order_of_its_files(tmp_path):
    parts = tmp_path / "sources.list.d"
    parts.mkdir()
    (tmp_path / "sources.list").write_text("deb http://main suite main\n")
    (parts / "b.list").write_text("deb http://b suite main\n")
    (parts / "a.list").write_bytes(b"# \xff\xfe\ndeb http://a suite main\n")
    (parts / "c.sources").write_text("Types: deb\nURIs: http://c\nSuites: s\nComponents: main\n")
    (parts / "off.list.disabled").write_text("deb http://off suite main\n")
    uris = [source.uri for source in read_apt_sources(tmp_path)]
    assert uris == ["http://main", "http://a", "http://b", "http://c"]


def test_a_machine_without_apt_has_no_sources(tmp_path):
    assert read_apt_sources(tmp_path / "absent") == ()
