import gzip

from tests.serving.images.labels.known.miniatures import mimic


def test_a_study_without_labels_is_left_out(read):
    made = mimic()
    name = "mimic-cxr-2.0.0-chexpert.csv.gz"
    lines = gzip.decompress(made.tables[name]).splitlines(keepends=True)
    made.tables[name] = gzip.compress(b"".join(line for line in lines if b"50000005" not in line))
    (row,) = [row for path, row in read("mimic", made).items() if "/s50000005/" in path]
    assert (row.label, row.left_out) == ("", "other finding")
