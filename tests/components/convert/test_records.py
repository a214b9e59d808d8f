import dataclasses
import hashlib

import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from components.convert import records
from components.convert.outcomes import Outcome
from tests.components.convert.folders import source

IMAGE = Outcome(
    source("train/PNEUMONIA/person1_virus_é.png", "train"),
    sha256="ab" * 32,
    format="png",
    width=40,
    height=50,
    patient="virus-0",
    split="eval",
)
DESCRIBED = records.features(IMAGE)


def test_an_example_holds_what_the_contract_names():
    example = tf.train.Example.FromString(records.serialize(DESCRIBED, b"\x89PNG"))
    assert {
        name: [*feature.int64_list.value, *feature.bytes_list.value]
        for name, feature in example.features.feature.items()
    } == {
        "image": [b"\x89PNG"],
        "label": [1],
        "label_name": [b"PNEUMONIA"],
        "filename": ["train/PNEUMONIA/person1_virus_é.png".encode()],
        "patient_id": [b"virus-0"],
        "subtype": [b"virus"],
        "format": [b"png"],
        "width": [40],
        "height": [50],
        "sha256": [b"ab" * 32],
    }


def test_the_label_of_a_normal_image_is_0():
    normal = dataclasses.replace(IMAGE, file=source("train/NORMAL/a.png", "train", "NORMAL"))
    assert records.features(normal)["label"] == 0


def test_the_order_of_the_features_changes_no_byte():
    backwards = dict(reversed(DESCRIBED.items()))
    assert records.serialize(backwards, b"1") == records.serialize(DESCRIBED, b"1")


def test_shards_are_named_as_the_contract_says():
    assert records.shard_path("eval", 3, 12) == "eval/cxr-00003-of-00012.tfrecord.gz"


def test_shards_fill_evenly():
    counts = [0] * 4
    for number in range(4000):
        counts[records.shard_key(f"train/NORMAL/IM-{number:04d}-0001.jpeg") % 4] += 1
    assert all(900 < count < 1100 for count in counts)


written = st.lists(
    st.tuples(
        st.sampled_from(["train", "eval"]),
        st.dictionaries(st.sampled_from(["label", "sha256"]), st.sampled_from([0, 1, "1", "a"])),
    ),
    max_size=4,
)


@given(one=written, other=written)
def test_fingerprints_are_equal_exactly_where_the_records_are(one, other):
    def in_order(listed):
        return sorted(listed, key=repr)

    same = in_order([(s, sorted(d.items())) for s, d in one]) == in_order(
        [(s, sorted(d.items())) for s, d in other]
    )
    first, second = (
        records.fingerprint(sorted(records.line(split, each) for split, each in listed))
        for listed in (one, other)
    )
    assert (first == second) == same


def test_the_fingerprint_is_that_of_all_lines_at_once():
    lines = [records.line("train", {"sha256": "a"}), records.line("train", {"sha256": "b"})]
    expected = hashlib.sha256("\n".join(lines).encode()).hexdigest()
    assert records.fingerprint(iter(lines)) == expected
