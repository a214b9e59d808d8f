from components.artifacts.shared_record import without_places


def test_local_paths_are_left_out():
    message = without_places(
        {
            "seed": 7,
            "images": "/home/ann/study",
            "dataset": {
                "patients": "patients.csv",
                "labels": "labels.csv",
                "shards": 4,
                "dicom": {"patient_key": "/k"},
            },
            "push": {
                "directory": "/srv/pushed",
                "model_name": "cxr",
                "signing": {"method": "certificate", "private_key": "/k", "chain": ["/home/ann/c"]},
            },
        }
    )
    assert message == {
        "seed": 7,
        "images": None,
        "dataset": {
            "patients": None,
            "labels": None,
            "shards": 4,
            "dicom": {"patient_key": None},
        },
        "push": {
            "directory": None,
            "model_name": "cxr",
            "signing": {"method": "certificate", "private_key": None, "chain": None},
        },
    }


def test_a_bucket_stays_and_what_is_missing_is_not_made():
    configuration = {"push": {"directory": "gs://bucket/pushed"}, "seed": 7}
    assert without_places(configuration) == configuration


def test_what_is_given_is_not_changed():
    configuration = {"push": {"directory": "/srv/pushed"}}
    without_places(configuration)
    assert configuration == {"push": {"directory": "/srv/pushed"}}
