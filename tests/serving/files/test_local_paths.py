from pathlib import Path

import pytest

from serving.files.local_paths import place_of, remote_address, require_local
from transform_module.errors import UserError
from transform_module.files.store_path import StorePath


@pytest.mark.parametrize(
    ("path", "address"),
    [
        ("gs://bucket/out", "gs://bucket/out"),
        (Path("gs://bucket/out"), "gs://bucket/out"),
        (Path("gs://bucket/out").absolute(), "gs://bucket/out"),
        ("GS://bucket", "gs://bucket"),
        ("s3://b/x", "s3://b/x"),
        ("hdfs:///user/x", "hdfs://user/x"),
        ("https://host/x.zip", "https://host/x.zip"),
    ],
)
def test_an_address_is_known_even_where_it_became_a_path(path, address):
    assert remote_address(path) == address


@pytest.mark.parametrize("path", ["out", "/a/b", "C:/a", "gs", "a:b/c", "logs:/x", "12:30/x", ""])
def test_a_local_path_is_none(path):
    assert remote_address(path) is None
    require_local(path, "The output")


def test_an_address_is_refused_with_what_to_do():
    with pytest.raises(
        UserError, match=r"The output must be a local path; received gs://b/out. Copy"
    ):
        require_local(Path("gs://b/out"), "The output")
    with pytest.raises(UserError, match="Give the path alone: /tmp/x"):
        require_local("file:///tmp/x", "The output")


@pytest.mark.parametrize(
    ("given", "place"),
    [
        ("s3://bucket/a//b/", StorePath("s3://bucket/a//b")),
        ("GS://bucket", StorePath("gs://bucket")),
        (Path("minio://bucket/a"), StorePath("minio://bucket/a")),
        (StorePath("s3://bucket"), StorePath("s3://bucket")),
        ("a/s3", Path("a/s3")),
        (Path("/a/b"), Path("/a/b")),
    ],
)
def test_a_place_is_here_or_in_a_store(given, place):
    assert place_of(given, "The output") == place


def test_a_place_that_cannot_be_used_is_refused():
    with pytest.raises(UserError, match="The output must be a local path; received https://a/b"):
        place_of("https://a/b", "The output")
    with pytest.raises(UserError, match="The output must name a bucket"):
        place_of("s3://", "The output")
