import codecs
import io
import logging
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.process.log_format import DataFreeFormatter
from serving.process.quoted_data import clean_file, without_quoted_data

NAME = b"Jane-Doe-1961.jpeg"
RECORD = b"\n\x9f\x01\n" + NAME + b"\xff\xd8\xff" + NAME + b"\x00'\"\\" + NAME + b"\x80"


def octal(content: bytes) -> str:
    """Writes bytes as protobuf does."""
    special = {ord(each): f"\\{each}" for each in "'\"\\"}
    return "".join(
        special.get(each) or (chr(each) if 32 <= each < 127 else f"\\{each:03o}")
        for each in content
    )


QUOTED = {
    "Beam, a record that is cut": f"Fewer than 9 bytes: {codecs.encode(RECORD, 'hex')!r}",
    "Python": f"cannot parse {RECORD!r} [while running 'Read']",
    "Python, in an element": f"('key', {RECORD!r}, 7)",
    "Python, cut": f"cannot parse {RECORD!r}"[:-9],
    "protobuf": f'bytes_list {{ value: "{octal(RECORD)}" }}',
    "protobuf, cut": f'value: "{octal(RECORD)}'[:-3],
    "as a text": f"cannot parse {RECORD.decode('latin-1')}",
    "as a text with replacements": f"cannot parse {RECORD.decode(errors='replace')[1:]}",
    "hexadecimal": f"cannot parse {RECORD.hex()}",
    "base64": "cannot parse " + codecs.encode(RECORD * 4, "base64").decode().replace("\n", ""),
}
SPELT = [
    NAME.decode(),
    NAME.hex(),
    codecs.encode(NAME, "base64").decode()[:12],
]


@pytest.mark.parametrize("kind", QUOTED)
def test_no_byte_of_a_record_is_left(kind):
    text = f"before\nValueError: {QUOTED[kind]}\nafter"
    cleaned = without_quoted_data(text)
    assert not [each for each in SPELT if each in cleaned]
    assert cleaned.startswith("before\nValueError: ")
    assert cleaned.endswith("\nafter")
    assert "…" in cleaned


@given(st.binary(min_size=1))
def test_no_literal_is_left(content):
    assert without_quoted_data(f"x {content!r} y") in ("x b'…' y", 'x b"…" y')


@pytest.mark.parametrize(
    "text",
    [
        "/data/artifacts/Trainer/model/5/Format-Serving/variables/variables.data-00000-of-00001",
        "SHA-256 is 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08, the manifest",
        "\tFile \"/src/x.py\", line 3, in <module>\r\n\x1b[32m✓\x1b[0m Größe 7 µm: 'web' b'",
        'W0000 00:00:1795999272.420159   10127 port.cc:153] oneDNN "custom" operations are on',
    ],
)
def test_other_texts_stay(text):
    assert without_quoted_data(text).rstrip("'…") == text.rstrip("'")


def test_what_is_logged_holds_no_data_in_its_traceback_either():
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(DataFreeFormatter("%(levelname)s %(message)s"))
    logger = logging.Logger("test")
    logger.addHandler(handler)
    try:
        raise ValueError(QUOTED["Python"])
    except ValueError:
        logger.exception("It failed: %s", QUOTED["protobuf"])
    said = stream.getvalue()
    assert "Traceback" in said
    assert NAME.decode() not in said


def test_a_log_that_others_wrote_to_is_cleaned(tmp_path):
    log = tmp_path / "log"
    log.write_bytes(b"before\n" + QUOTED["Python"].encode() + b"\n" + RECORD + b"\nafter\n")
    clean_file(log)
    content = log.read_text()
    assert NAME.decode() not in content
    assert content.startswith("before\ncannot parse ")
    assert content.endswith("after\n")
    clean_file(tmp_path / "none")


def test_an_error_that_nothing_handles_is_printed_without_data():
    script = (
        "from pipeline.cli.command import for_people\n"
        "@for_people\n"
        "def command():\n"
        f"    raise ValueError({QUOTED['Python']!r})\n"
        "command()"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 1
    assert "Traceback" in done.stderr
    assert "ValueError: cannot parse b" in done.stderr
    # The line of the script is quoted by Python 3.13, too.
    assert NAME.decode() not in done.stderr.split("ValueError: cannot")[-1]
