from tests.serving.images.labels.known.miniatures import vindr


def test_one_of_the_sets_alone_is_read(read):
    made = vindr()
    del made.tables["annotations/image_labels_train.csv"]
    assert {row.folder for row in read("vindr", made).values()} == {"test"}
