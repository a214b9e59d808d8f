"""Files in image folders that are skipped because of their name.

It is counted as skipped, with its reason, and never as a bad file.
"""

import re
from typing import Final

SYSTEM: Final = "system file"
DOCUMENT: Final = "text or document"
THUMBNAIL: Final = "thumbnail"
MASK: Final = "mask or annotation"
DISCARDED: Final = "in a trash folder"
COPY: Final = "second copy"
NESTED: Final = "archive in an archive"

_SYSTEM_FILES = frozenset(
    {".ds_store", "thumbs.db", "ehthumbs.db", "ehthumbs_vista.db", "desktop.ini", r"icon\x0d"}
)
# `xray.jpeg:Zone.Identifier` is what WSL makes of the mark that Windows puts on downloads. Other
# programs replace the colon, which Windows allows in no name; U+F03A stands for it on its shares.
_ZONE = re.compile(r".[:._#\uf03a]zone\.identifier$", re.IGNORECASE)

# Of macOS's archives; Synology's, QNAP's and NetApp's; Windows's; ext4's; Python's.
_SYSTEM_FOLDERS = frozenset(
    {
        "__macosx",
        "@eadir",
        "@tmp",
        "#snapshot",
        "~snapshot",
        "system volume information",
        "lost+found",
        "__pycache__",
    }
)
_DISCARDED = re.compile(
    r"\.?trash(?:es|[-_]\w+)?|\$?recycle\.bin|recycle[rd]|[@#]recycle", re.IGNORECASE
)

# Montgomery's `leftMask`, Shenzhen's `mask`, the masks of the COVID-19 Radiography Database, …
_MASK_FOLDER = re.compile(
    r"(?:.*masks?|(?:.*[ _.-])?(?:segmentation|annotation)s?)(?:[ _.(-].*)?", re.IGNORECASE
)
_MASK_FILE = re.compile(
    r".+[ _.-]\(?(?:\w*masks?|seg(?:mentation)?|annotation)\)?(?:[ _.-]?\d{1,2})?", re.IGNORECASE
)
_THUMBNAIL_FOLDER = re.compile(
    r"[._@]*(?:.*[ _-])?thumb(?:nail)?s?(?:[._-]?(?:db|data))?", re.IGNORECASE
)
_THUMBNAIL_FILE = re.compile(r".+[ _.-]thumb(?:nail)?|synofile_thumb_.*", re.IGNORECASE)

_DOUBTFUL = re.compile(
    r"(?:.*[ _.-])?(?:labels?|overlays?|heat[ _-]?maps?|previews?|contours?|crop(?:s|ped)?"
    r"|augment(?:ed|ations?)|backups?|old|cop(?:y|ies)|rejected|deleted|synthetic)",
    re.IGNORECASE,
)

_DOCUMENT = re.compile(
    r".*\.(?:txt|text|md|rst|log|csv|tsv|xlsx?|ods|jsonl?|xml|ya?ml|toml|ini|cfg|conf|html?|url"
    r"|webloc|lnk|xmp|aae|rtf|docx?|odt|pdf|db|sqlite|py|ipynb|sh|bat|md5|sha256)",
    re.IGNORECASE,
)
_ARCHIVE = re.compile(
    r".*\.(?:zip|tar|tgz|tbz2?|txz|gz|bz2|xz|zst|7z|rar)(?:\.\d{3})?", re.IGNORECASE
)

_SIGNATURES = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF8", b"BM")
HEAD: Final = max(map(len, _SIGNATURES))
"""So many first bytes of a file are needed by `is_image_head`."""


def of_file(name: str) -> str | None:
    """Returns why a file is not one of a dataset's images, by its name; None where it may be."""
    lower = name.lower()
    if lower in _SYSTEM_FILES or name.startswith("._") or _ZONE.search(name):
        return SYSTEM
    return None


def in_archive(name: str) -> str | None:
    """Returns why a file in an archive is passed over, by its name; None where it is not."""
    return NESTED if _ARCHIVE.fullmatch(name) else None


def of_folder(name: str) -> str | None:
    """Returns why nothing under a folder is of a dataset, wherever the folder lies, or None."""
    if _DISCARDED.fullmatch(name):
        return DISCARDED
    if name.lower() in _SYSTEM_FOLDERS:
        return SYSTEM
    if _THUMBNAIL_FOLDER.fullmatch(name):
        return THUMBNAIL
    # Version control, checkpoints of notebooks, caches; not `..`, which archives may have in paths.
    return SYSTEM if name.startswith(".") and name != ".." else None


def derived_folder(name: str) -> str | None:
    """Returns why a folder beside images holds none of them, but what was made of them, or None."""
    return MASK if _MASK_FOLDER.fullmatch(name) else None


def derived_file(name: str) -> str | None:
    """Returns why an image file is made of another one, by its name; None where it is not."""
    stem = name.rsplit(".", 1)[0]
    if _MASK_FILE.fullmatch(stem):
        return MASK
    return THUMBNAIL if _THUMBNAIL_FILE.fullmatch(stem) else None


def is_doubtful_folder(name: str) -> bool:
    """Returns whether a folder's name makes it doubtful that it holds original images."""
    return _DOUBTFUL.fullmatch(name) is not None


def may_be_document(name: str) -> bool:
    """Returns whether a name promises a text or a hidden file, where `is_image_head` decides."""
    return name.startswith(".") or _DOCUMENT.fullmatch(name) is not None


def is_image_head(head: bytes) -> bool:
    """Returns whether a file that begins so is a JPEG, PNG, GIF or BMP, whatever its name."""
    return head.startswith(_SIGNATURES)
