"""Public datasets in small: folders, names and columns as published, images made by the caller."""

import csv
import gzip
import io
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

FINDINGS = (
    "Atelectasis",
    "Cardiomegaly",
    "Consolidation",
    "Edema",
    "Enlarged Cardiomediastinum",
    "Fracture",
    "Lung Lesion",
    "Lung Opacity",
    "No Finding",
    "Pleural Effusion",
    "Pleural Other",
    "Pneumonia",
    "Pneumothorax",
    "Support Devices",
)
"""The columns of CheXpert's labeler."""


@dataclass
class Miniature:
    """A dataset in small.

    Attributes:
        tables: by path.
        images: the label, the folder and the patient of each image that counts, by path.
        left_out: why the other listed images are skipped, by path.
        unlisted: images that no table lists.
    """

    tables: dict[str, bytes] = field(default_factory=dict)
    images: dict[str, tuple[str, str, str]] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)
    unlisted: list[str] = field(default_factory=list)

    def files(self, image: Callable[[int], bytes]) -> dict[str, bytes]:
        """All files, with images drawn by their numbers."""
        paths = (*self.images, *self.left_out, *self.unlisted)
        return self.tables | {path: image(number) for number, path in enumerate(paths)}


def table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    """A CSV file."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(columns)
    writer.writerows(rows)
    return text.getvalue().encode()


def labels(number: int) -> Iterable[tuple[int, str]]:
    """As many images, numbered, of the two classes in turn."""
    return ((each, ("NORMAL", "PNEUMONIA")[each % 2]) for each in range(number))


def nih() -> Miniature:
    """As ChestX-ray14: two folders of images, a table, and the lists of the split."""
    made = Miniature(unlisted=["images_002/images/00009999_000.png"])
    columns = (
        *("Image Index", "Finding Labels", "Follow-up #", "Patient ID", "Patient Age"),
        *("Patient Gender", "View Position", "OriginalImage[Width", "Height]"),
        *("OriginalImagePixelSpacing[x", "y]", ""),
    )
    rows, lists = [], {"train": [], "test": []}
    for number, label in labels(16):
        name = f"{number // 2 + 1:08d}_{number % 2:03d}.png"
        folder = "test" if number >= 12 else "train"
        finding = "No Finding" if label == "NORMAL" else "Infiltration|Pneumonia"
        rows.append((name, finding, number % 2, number // 2 + 1, 58, "M", "PA", 2, 3, 0.1, 0.1, ""))
        lists[folder].append(name)
        path = f"images_{number % 2 + 1:03d}/images/{name}"
        made.images[path] = (label, folder, f"nih-{number // 2 + 1:08d}")
    rows.append(("00000020_000.png", "Effusion", 0, 20, 58, "F", "AP", 2, 3, 0.1, 0.1, ""))
    made.left_out["images_001/images/00000020_000.png"] = "other finding"
    made.tables = {
        "Data_Entry_2017.csv": table(columns, rows),
        "train_val_list.txt": "\n".join(lists["train"]).encode(),
        "test_list.txt": "\n".join(lists["test"]).encode(),
    }
    return made


def chexpert() -> Miniature:
    """As CheXpert-v1.0-small, with a lateral view and uncertain labels."""
    made = Miniature()
    columns = ("Path", "Sex", "Age", "Frontal/Lateral", "AP/PA", *FINDINGS)
    rows: dict[str, list[Sequence[object]]] = {"train": [], "valid": []}

    def add(role, patient, view, **values):
        path = f"{role}/patient{patient:05d}/study1/view1_{view}.jpg"
        cells = [values.get(name.replace(" ", "_"), "") for name in FINDINGS]
        side = view.capitalize()
        rows[role].append((f"CheXpert-v1.0-small/{path}", "Male", 60, side, "AP", *cells))
        return path

    for number, label in labels(16):
        role = "valid" if number >= 12 else "train"
        values = {"No_Finding": "1.0"} if label == "NORMAL" else {"Pneumonia": "1.0", "Edema": -1.0}
        path = add(role, number + 1, "frontal", **values)
        folder = "val" if role == "valid" else role
        made.images[path] = (label, folder, f"chexpert-patient{number + 1:05d}")
    made.left_out = {
        add("train", 1, "lateral", No_Finding="1.0"): "lateral view",
        add("train", 20, "frontal", Pneumonia="-1.0"): "uncertain label",
        add("train", 21, "frontal", Pneumonia="0.0", Edema="1.0"): "other finding",
    }
    made.tables = {f"{role}.csv": table(columns, each) for role, each in rows.items()}
    return made


def mimic() -> Miniature:
    """As MIMIC-CXR-JPG: compressed tables of studies, images and splits."""
    made = Miniature()
    studies, images, splits = [], [], []

    def add(number, view, split, **values):
        patient, study, image = 10000000 + number, 50000000 + number, f"{len(images):08x}-0a1b2c3d"
        if not any(row[1] == study for row in studies):
            cells = [values.get(name.replace(" ", "_"), "") for name in FINDINGS]
            studies.append((patient, study, *cells))
        images.append((image, patient, study, "CHEST (PA AND LAT)", view, 3056, 2544))
        splits.append((image, study, patient, split))
        return f"files/p{str(patient)[:2]}/p{patient}/s{study}/{image}.jpg"

    for number, label in labels(16):
        splits_of = (("test", "test"), ("validate", "val"), ("train", "train"))
        split, folder = splits_of[min(number // 4, 2)]
        values = {"No_Finding": "1.0"} if label == "NORMAL" else {"Pneumonia": "1.0"}
        path = add(number, ("PA", "AP")[number % 3 == 0], split, **values)
        made.images[path] = (label, folder, f"mimic-p{10000000 + number}")
    other = "another view, or none that is stated"
    made.left_out = {
        add(0, "LATERAL", "test"): "lateral view",
        add(1, "LL", "test"): "lateral view",
        add(2, "", "test"): other,
        add(30, "AP", "train", Pneumonia="-1.0"): "uncertain label",
        add(31, "AP", "train", Edema="1.0"): "other finding",
    }
    made.tables = {
        f"mimic-cxr-2.0.0-{name}.csv.gz": gzip.compress(table(columns, rows))
        for name, columns, rows in (
            ("chexpert", ("subject_id", "study_id", *FINDINGS), studies),
            (
                "metadata",
                (
                    "dicom_id",
                    "subject_id",
                    "study_id",
                    "PerformedProcedureStepDescription",
                    "ViewPosition",
                    "Rows",
                    "Columns",
                ),
                images,
            ),
            ("split", ("dicom_id", "study_id", "subject_id", "split"), splits),
        )
    }
    return made


def rsna() -> Miniature:
    """As the challenge's second stage."""
    names = [f"{number:08x}-0000-4000-8000-000000000000" for number in range(18)]
    made = Miniature(unlisted=[f"stage_2_test_images/{names[17]}.dcm"])
    boxes, classes = [], []
    for number, label in labels(16):
        path = f"stage_2_train_images/{names[number]}.dcm"
        made.images[path] = (label, "", f"uuid-{names[number]}")
        if label == "NORMAL":
            boxes.append((names[number], "", "", "", "", 0))
            classes.append((names[number], "Normal"))
        else:
            # A row for each box, in both tables.
            boxes += [(names[number], 264.0, 152.0, 213.0, 379.0, 1)] * 2
            classes += [(names[number], "Lung Opacity")] * 2
    boxes.append((names[16], "", "", "", "", 0))
    classes.append((names[16], "No Lung Opacity / Not Normal"))
    made.left_out[f"stage_2_train_images/{names[16]}.dcm"] = "other finding"
    made.tables = {
        "stage_2_train_labels.csv": table(
            ["patientId", "x", "y", "width", "height", "Target"], boxes
        ),
        "stage_2_detailed_class_info.csv": table(("patientId", "class"), classes),
    }
    return made


def vindr() -> Miniature:
    """As VinDr-CXR, three rows an image in train."""
    made = Miniature()
    columns = ("Lung Opacity", "Pleural effusion", "Pneumonia", "Tuberculosis", "No finding")
    rows: dict[str, list[Sequence[object]]] = {"train": [], "test": []}
    votes = {"NORMAL": (0, 0, 0, 0, 1), "PNEUMONIA": (1, 0, 1, 0, 0), "": (0, 1, 0, 0, 0)}

    def add(number, role, *labels):
        name = f"{number:032x}"
        for radiologist, label in enumerate(labels, 8):
            rader = (f"R{radiologist}",) if role == "train" else ()
            rows[role].append((name, *rader, *votes[label]))
        return f"{role}/{name}.dicom"

    for number, label in labels(16):
        given = (label, label, "") if number < 12 else (label,)
        role = "train" if number < 12 else "test"
        made.images[add(number, role, *given)] = (label, role, f"hash-{number:032x}")
    made.left_out = {
        add(20, "train", "PNEUMONIA", "", ""): "other finding",
        add(21, "train", "PNEUMONIA", "NORMAL", ""): "other finding",
        add(22, "test", ""): "other finding",
    }
    made.tables = {
        f"annotations/image_labels_{role}.csv": table((*first, *columns), rows[role])
        for role, first in (("train", ("image_id", "rad_id")), ("test", ("image_id",)))
    }
    return made


def padchest() -> Miniature:
    """As PadChest: folders by number, lists of labels, several projections."""
    made = Miniature()
    columns = ("", "ImageID", "ImageDir", "StudyDate_DICOM", "StudyID", "PatientID", "Projection")
    rows: list[Sequence[object]] = []

    def add(number, view, found):
        study = 216840111366964012768025509942010000000 + number
        name, folder = f"{study}_00-059-{len(rows):03d}.png", number % 3
        rows.append((len(rows), name, folder, 20140915, study, number // 2, view, str(found)))
        return f"{folder}/{name}"

    for number, label in labels(16):
        found = ["normal"] if label == "NORMAL" else ["pneumonia", "infiltrates"]
        path = add(number, ("PA", "AP", "AP_horizontal")[number % 3], found)
        made.images[path] = (label, "", f"padchest-patient-{number // 2}")
    made.left_out = {
        add(0, "L", ["normal"]): "lateral view",
        add(1, "COSTAL", ["normal"]): "another view, or none that is stated",
        add(30, "PA", ["normal", "scoliosis"]): "other finding",
        add(31, "PA", []): "other finding",
    }
    name = "PADCHEST_chest_x_ray_images_labels_160K_01.02.19.csv"
    made.tables = {name: table((*columns, "Labels"), rows)}
    return made


MINIATURES = {
    "nih": nih,
    "chexpert": chexpert,
    "mimic": mimic,
    "rsna": rsna,
    "vindr": vindr,
    "padchest": padchest,
}
