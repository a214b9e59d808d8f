from tests.serving.images.labels.known.miniatures import nih


def test_without_the_lists_there_is_no_split(read):
    made = nih()
    made.tables = {"Data_Entry_2017.csv": made.tables["Data_Entry_2017.csv"]}
    assert {row.folder for row in read("nih", made).values()} == {""}


def test_the_later_table_goes_before_the_first_one(read):
    made = nih()
    first = made.tables["Data_Entry_2017.csv"]
    made.tables["Data_Entry_2017_v2020.csv"] = first.replace(b"Effusion", b"Pneumonia")
    assert read("nih", made)["00000020_000.png"].label == "PNEUMONIA"
