from tests.serving.images.labels.known.miniatures import padchest


def test_atypical_pneumonia_is_pneumonia(read):
    made = padchest()
    (name,) = made.tables
    made.tables[name] = made.tables[name].replace(b"'pneumonia'", b"'atypical pneumonia'")
    labels = [row.label for row in read("padchest", made).values()]
    assert labels.count("PNEUMONIA") == 8
