"""The few facts that are read from a DICOM file's tags.

A tag may hold anything, a name too, so all but the patient's id are words of a vocabulary here.
"""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from pydicom import Dataset

OTHER: Final = "other"
"""A value that is in no vocabulary here."""

CHEST: Final = "CHEST"
FRONTAL: Final = "FRONTAL"
LATERAL: Final = "LATERAL"

MODALITIES: Final = frozenset(
    {
        *("CR", "DX", "RG", "RF", "SC", "OT", "MG", "IO", "PX", "XA", "CT", "MR", "US", "NM", "PT"),
        *("ES", "XC", "GM", "SM", "OP", "OPT", "IVUS", "BI", "BMD", "ECG", "EM", "HD", "TG", "SR"),
        *("DOC", "KO", "PR", "REG", "SEG", "RTDOSE", "RTIMAGE", "RTPLAN", "RTSTRUCT", "RTRECORD"),
    }
)
"""The modalities that are known by name: PS3.3, section C.7.3.1.1.1, and SC, which many write."""

BODY_PARTS: Final = frozenset(
    {
        *("CHEST", "ABDOMEN", "PELVIS", "SKULL", "HEAD", "BRAIN", "JAW", "TEETH", "NECK", "SPINE"),
        *("CSPINE", "TSPINE", "LSPINE", "SSPINE", "SACRUM", "COCCYX", "STERNUM", "RIB", "HEART"),
        *("BREAST", "SHOULDER", "CLAVICLE", "ARM", "HUMERUS", "ELBOW", "FOREARM", "WRIST", "HAND"),
        *("FINGER", "HIP", "LEG", "FEMUR", "KNEE", "TIBIA", "ANKLE", "FOOT", "TOE", "EXTREMITY"),
        "WHOLEBODY",
    }
)
"""The body parts that are known by name, of PS3.16, annex L."""

VIEWS: Final = ("PA", "AP", FRONTAL, LATERAL)
"""The views: FRONTAL and LATERAL where no more is known."""

# PS3.3, section C.8.11.5.1.1; `LAT` and `LATERAL` are written, too.
_VIEW_POSITIONS: Final = {
    **{view: view for view in VIEWS},
    **dict.fromkeys(("LL", "RL", "LAT", "LLAT", "RLAT", "XTL"), LATERAL),
}

# PS3.16, CID 4010, as SNOMED CT and as the older SRT; the meanings are those of both.
_VIEW_CODES: Final = {
    **dict.fromkeys(("272479007", "R-10214", "R-40888", "postero-anterior"), "PA"),
    **dict.fromkeys(("399348003", "R-10206", "antero-posterior"), "AP"),
    **dict.fromkeys(("399033003", "R-10202", "frontal"), FRONTAL),
    **dict.fromkeys(("399173006", "R-10236", "left lateral"), LATERAL),
    **dict.fromkeys(("399198007", "R-10232", "right lateral"), LATERAL),
    **dict.fromkeys(("399067008", "R-102CD", "lateral"), LATERAL),
}

# PS3.16, CID 4009 and 4031: the chest, the thorax, the lung.
_CHEST_CODES: Final = frozenset(
    {"816094009", "51185008", "43799004", "39607008", "T-D3000", "T-D3300", "T-28000"}
)

# What programs that remove names write in their place: no patient's own.
_NOBODY: Final = frozenset(
    {"", "0", "NONE", "NULL", "N/A", "UNKNOWN", "REMOVED", "ANON", "ANONYMOUS", "ANONYMIZED"}
)


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a DICOM file; each is empty where its tag is, OTHER where it is unknown.

    Attributes:
        modality: one of MODALITIES.
        body_part: one of BODY_PARTS.
        view: one of VIEWS.
        laterality: ``L``, ``R``, ``B`` or ``U``.
        burned_in: whether texts are burned into the pixels, None where it is not said.
        patient_id: as it is read; it may be a name, and never leaves the process unhashed.
    """

    modality: str = ""
    body_part: str = ""
    view: str = ""
    laterality: str = ""
    burned_in: bool | None = None
    patient_id: str | None = field(default=None, repr=False)


def facts_of(dataset: "Dataset") -> Facts:
    """Reads the facts; a tag that is malformed counts as unknown."""
    modality = _word(dataset, "Modality")
    laterality = _word(dataset, "ImageLaterality") or _word(dataset, "Laterality")
    return Facts(
        modality=_known(modality, MODALITIES),
        body_part=_body_part(dataset),
        view=_view(dataset),
        laterality=_known(laterality, frozenset("LRBU")),
        burned_in={"YES": True, "NO": False}.get(_word(dataset, "BurnedInAnnotation")),
        patient_id=_patient_id(dataset),
    )


def _body_part(dataset: "Dataset") -> str:
    written = _word(dataset, "BodyPartExamined")
    if any(part in written for part in ("CHEST", "THORAX", "LUNG")):
        return CHEST
    if not written:
        return CHEST if _codes(dataset, "AnatomicRegionSequence") & _CHEST_CODES else ""
    return _known(written.replace(" ", "").replace("-", ""), BODY_PARTS)


def _view(dataset: "Dataset") -> str:
    written = _word(dataset, "ViewPosition")
    if written in _VIEW_POSITIONS:
        return _VIEW_POSITIONS[written]
    codes = _codes(dataset, "ViewCodeSequence")
    named = {_VIEW_CODES[code] for code in codes if code in _VIEW_CODES}
    if len(named) == 1:
        return named.pop()
    if written or codes:
        return OTHER
    return _view_by_orientation(dataset)


def _view_by_orientation(dataset: "Dataset") -> str:
    """Reads the view from where rows and columns lead to (PS3.3, section C.7.6.1.1.1)."""
    directions = _value(dataset, "PatientOrientation")
    if directions is None or isinstance(directions, str) or len(directions) != 2:
        return ""
    row, column = (str(direction).strip().upper()[:1] for direction in directions)
    if {row, column} & {"H", "F"} and {row, column} & {"L", "R"}:
        return FRONTAL
    return LATERAL if {row, column} & {"H", "F"} and {row, column} & {"A", "P"} else ""


def _patient_id(dataset: "Dataset") -> str | None:
    written = str(_value(dataset, "PatientID") or "").strip()
    return None if written.upper() in _NOBODY else written


def _codes(dataset: "Dataset", keyword: str) -> frozenset[str]:
    """Returns the values and the meanings of a sequence of codes."""
    return frozenset(
        text
        for item in _value(dataset, keyword) or ()
        for text in (
            str(_value(item, "CodeValue") or "").strip(),
            str(_value(item, "CodeMeaning") or "").strip().lower(),
        )
        if text
    )


def _known(word: str, vocabulary: frozenset[str]) -> str:
    return word if not word or word in vocabulary else OTHER


def _word(dataset: "Dataset", keyword: str) -> str:
    value = _value(dataset, keyword)
    return str(value).strip().upper() if isinstance(value, str) else ""


def _value(dataset: "Dataset", keyword: str) -> Any:
    try:
        return dataset.get(keyword)
    except Exception:  # noqa: BLE001 - many kinds are raised on a malformed tag
        return None
