from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from pipeline.cli.path_argument import AnyPath, LocalPath


@click.command()
@click.argument("folder", type=LocalPath())
@click.option("--out-file", type=LocalPath())
def command(folder, out_file):
    click.echo(repr((folder, out_file)))


def test_a_local_path_is_handed_on():
    result = CliRunner().invoke(command, ["a/b", "--out-file", "c:d"])
    assert result.output == f"{(Path('a/b'), Path('c:d'))!r}\n"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["gs://b/x"], "FOLDER must be a local path; received gs://b/x"),
        (["a", "--out-file", "s3://b/x"], "--out-file must be a local path; received s3://b/x"),
    ],
)
def test_an_address_is_refused_by_the_arguments_name(words, message):
    result = CliRunner().invoke(command, words)
    assert result.exit_code == 1
    assert message in result.output


@click.command()
@click.argument("folder", type=AnyPath())
def any_command(folder):
    click.echo(f"{type(folder).__name__} {folder}")


def test_a_path_may_be_in_a_store():
    result = CliRunner().invoke(any_command, ["s3://bucket/a//b/"])
    assert result.output == "StorePath s3://bucket/a//b\n"
    assert CliRunner().invoke(any_command, ["a/b"]).output == "PosixPath a/b\n"


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("https://b/x", "FOLDER must be a local path; received https://b/x"),
        ("s3://", "FOLDER must name a bucket, as s3://bucket/folder; received s3://"),
    ],
)
def test_an_address_that_cannot_be_used_is_refused(address, message):
    result = CliRunner().invoke(any_command, [address])
    assert result.exit_code == 1
    assert message in result.output
