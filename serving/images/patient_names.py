r"""Names of files of public datasets that identify the patient.

* Kermany et al. 2018 (Cell 172(5), "Chest X-Ray Images (Pneumonia)"):
  ``person100_bacteria_475.jpeg``, ``IM-0115-0001.jpeg``, ``NORMAL2-IM-0927-0001-0001.jpeg``. The
  number alone is not unique: it counts for each type.
* The same dataset in its third version (Mendeley Data, rscbjbr9sj/3, ``ZhangLabData``; its text:
  "(disease)-(randomized patient ID)-(image number by this patient)"):
  ``BACTERIA-1351146-0002.jpeg``, ``VIRUS-614452-0001.jpeg``, ``NORMAL-28501-0001.jpeg``.
* NIH ChestX-ray14 (Wang et al. 2017; its README: ``[patientId]_[image index].png``, patients 1 to
  30,805): ``00000013_005.png``.
* CheXpert (Irvin et al. 2019; its train.csv):
  ``CheXpert-v1.0/train/patient00001/study1/view1_frontal.jpg``.
* MIMIC-CXR (Johnson et al. 2019; physionet.org/content/mimic-cxr-jpg, "folder structure": subject,
  then study): ``p10/p10000032/s50414267/02aa804e-….jpg``.

These identify no patient, though they look as if they might:

* PadChest (Bustos et al. 2020; its table has the columns ImageID, StudyID and PatientID, and the
  number in ImageID is at most the study's): ``2168401113669640122833938341520…_00-059-118.png``.
  Images with the same number are of one study, so of one patient; a patient may have several.
* RSNA Pneumonia Detection Challenge: a UUID for each image. They are images of NIH ChestX-ray14
  (rsna.org, "RSNA Pneumonia Detection Challenge (2018)", with a table that maps both), whose
  patients have several.
* VinDr-CXR (Nguyen et al. 2022; physionet.org/content/vindr-cxr): a hash for each image; what could
  identify a patient was removed.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence, Set
from dataclasses import dataclass
from typing import Final, NamedTuple

KERMANY: Final = "the names of Kermany et al."

_PNEUMONIA_NAME = re.compile(r"person(?P<number>\d+)_(?P<type>bacteria|virus)_", re.IGNORECASE)
_TYPE_OF_VERSION_3 = re.compile(r"(?P<type>bacteria|virus)-\d{3,7}-\d{4}\.", re.IGNORECASE)
_NORMAL_NAME = re.compile(r"(?:(?P<series>normal\d*)-)?IM-(?P<number>\d+)-", re.IGNORECASE)

NEARLY_ALL: Final = 0.95
"""The share of a class's images that a convention must fit to be taken for theirs."""


class Convention(NamedTuple):
    """How a dataset names its files.

    Attributes:
        name: whose names they are, in words.
        pattern: searched in the path below the class folder; its group ``id``.
        prefix: goes before the id, which is unique in the dataset alone.
        is_patient: whether the id is the patient's; else it is that of an image or a study.
    """

    name: str
    pattern: re.Pattern[str]
    prefix: str
    is_patient: bool


CONVENTIONS: Final = (
    Convention(
        "the names of Kermany et al., version 3",
        re.compile(
            r"(?:^|/)(?:normal|bacteria|virus)-(?P<id>\d{3,7})-\d{4}\.[^/]+$", re.IGNORECASE
        ),
        "kermany-",
        True,
    ),
    Convention(
        "the names of NIH ChestX-ray14",
        # No date, such as 20200131_001.png, begins so.
        re.compile(r"(?:^|/)(?P<id>000[0-3]\d{4})_\d{3}\.[^/]+$"),
        "nih-",
        True,
    ),
    Convention(
        "the paths of CheXpert",
        re.compile(r"(?:^|[/_-])(?P<id>patient\d{5})[/_-]study\d+[/_-]view\d+_", re.IGNORECASE),
        "chexpert-",
        True,
    ),
    Convention(
        "the paths of MIMIC-CXR",
        re.compile(r"(?:^|[/_-])(?P<id>p1\d{7})[/_-]s5\d{7}(?:[/_.-]|$)", re.IGNORECASE),
        "mimic-",
        True,
    ),
    Convention(
        "the names of PadChest, which identify the study at most",
        re.compile(r"(?:^|/)(?P<id>\d{30,50})_[0-9a-z-]+\.[^/]+$", re.IGNORECASE),
        "padchest-",
        False,
    ),
    Convention(
        "names such as those of the RSNA challenge, one for each image",
        re.compile(
            r"(?:^|/)(?P<id>[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})\.[^/]+$",
            re.IGNORECASE,
        ),
        "uuid-",
        False,
    ),
    Convention(
        "names such as those of VinDr-CXR, one for each image",
        re.compile(r"(?:^|/)(?P<id>[0-9a-f]{32})\.[^/]+$", re.IGNORECASE),
        "hash-",
        False,
    ),
)


@dataclass(frozen=True, slots=True)
class Named:
    """A file to be named.

    Attributes:
        label: its class.
        path: below its class folder.
    """

    label: str
    path: str


class Patient(NamedTuple):
    """Whose image a file is.

    Attributes:
        id: the patient's.
        known_by: how it is known, in words.
        is_patient: whether it is a patient's id, or that of a study or an image.
    """

    id: str
    known_by: str
    is_patient: bool = True


def known_patient(name: str) -> str | None:
    """Reads the patient's id out of a file name of Kermany et al.

    Args:
        name: file name without folders.

    Returns:
        Type and number, such as ``bacteria-100`` or ``normal2-0927``; None for other names.
    """
    if match := _PNEUMONIA_NAME.match(name):
        return f"{match['type'].lower()}-{match['number']}"
    if match := _NORMAL_NAME.match(name):
        return f"{(match['series'] or 'normal').lower()}-{match['number']}"
    return None


def type_of_pneumonia(name: str) -> str | None:
    """Reads ``bacteria`` or ``virus`` out of a file name of Kermany et al."""
    match = _PNEUMONIA_NAME.match(name) or _TYPE_OF_VERSION_3.match(name)
    return match["type"].lower() if match else None


def by_names(files: Sequence[Named]) -> list[Patient | None]:
    """Names the patients of files by how these are called; see `finder`.

    Args:
        files: all files of a dataset.

    Returns:
        For each file its patient, None where its name has none.
    """
    return list(map(finder(files), files))


def finder(files: Iterable[Named]) -> Callable[[Named], Patient | None]:
    """Finds out how the files of a dataset are called.

    Names of Kermany et al. are so particular that each speaks for itself. Another convention is
    taken for that of a class where `NEARLY_ALL` of its other images follow it, and no other does,
    but that one of patients goes before one of images.

    Args:
        files: all files of the dataset; they are read twice.

    Returns:
        The function that names a file's patient, None where its name has none.
    """
    reused = _reused(files)

    def kermany(file: Named) -> str | None:
        name = file.path.rsplit("/", 1)[-1]
        return None if (file.label, name) in reused else known_patient(name)

    others, following = Counter[str](), Counter[tuple[str, Convention]]()
    for file in files:
        if not kermany(file):
            others[file.label] += 1
            following.update(
                (file.label, each) for each in CONVENTIONS if each.pattern.search(file.path)
            )
    chosen = {}
    for label, number in others.items():
        fitting = [each for each in CONVENTIONS if following[label, each] >= NEARLY_ALL * number]
        # A file called by a hash may lie in a patient's folder.
        fitting = [each for each in fitting if each.is_patient] or fitting
        if len(fitting) == 1:
            (chosen[label],) = fitting

    def find(file: Named) -> Patient | None:
        if patient := kermany(file):
            return Patient(patient, KERMANY)
        convention = chosen.get(file.label)
        match = convention.pattern.search(file.path) if convention else None
        if convention is None or match is None:
            return None
        number = convention.prefix + match["id"].lower()
        return Patient(number, convention.name, convention.is_patient)

    return find


def _reused(files: Iterable[Named]) -> Set[tuple[str, str]]:
    """Finds names that OsiriX gives, as Kermany et al. have them, and gives again in each folder.

    It calls the first image of the first series of every patient IM-0001-0001; where the same name
    lies in several folders of a class, each folder may be another patient's.
    """
    first: dict[tuple[str, str], str] = {}
    reused = set()
    for file in files:
        folder, _, name = file.path.rpartition("/")
        if folder and _NORMAL_NAME.match(name):
            key = (file.label, name)
            if first.setdefault(key, folder) != folder:
                reused.add(key)
    return reused
