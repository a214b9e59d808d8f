"""Names of patients that say nothing of their ids, which no output ever holds."""

import hashlib
import hmac
import os
import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from transform_module.errors import UserError

UNKEYED: Final = "unkeyed-"
"""The names begin so where no key was given: they differ with each run, and have to be replaced."""

BY_TAG: Final = "the patient id in DICOM"
"""How a patient is known, in words."""

_KEYED: Final = "dicom-"
_ENVIRONMENT: Final = "env:"
_LEAST_BYTES: Final = 16


@dataclass(frozen=True)
class Pseudonyms:
    """Names patients.

    Attributes:
        key: of HMAC-SHA256 (RFC 2104).
        is_given: whether the user has given it; else it is of this run alone.
    """

    key: bytes = field(repr=False)
    is_given: bool

    def __call__(self, patient_id: str) -> str:
        """Returns the name of a patient."""
        digest = hmac.new(self.key, patient_id.encode(errors="surrogatepass"), hashlib.sha256)
        return f"{_KEYED if self.is_given else UNKEYED}{digest.hexdigest()[:24]}"

    @property
    def check(self) -> str | None:
        """A text by which another given key is known to be another one; None without."""
        if not self.is_given:
            return None
        return hmac.new(self.key, b"which key it is", hashlib.sha256).hexdigest()


def pseudonyms(patient_key: str | None) -> Pseudonyms:
    """Reads the key.

    Args:
        patient_key: see `DicomSettings`.

    Returns:
        What names the patients.

    Raises:
        UserError: there is no key where it should be, or one that can be guessed.
    """
    if patient_key is None:
        return Pseudonyms(secrets.token_bytes(32), is_given=False)
    if patient_key.startswith(_ENVIRONMENT):
        name = patient_key.removeprefix(_ENVIRONMENT)
        key, where = os.environ.get(name, "").encode(), f"the environment variable {name}"
    else:
        # Not its path: that may be a key, given by mistake.
        where = "its file"
        try:
            key = Path(patient_key).read_bytes()
        except OSError as error:
            raise UserError(
                f"dataset.dicom.patient_key: {where} cannot be read: {error.strerror}. Give the "
                f"path of a file, or {_ENVIRONMENT}NAME, and not the key itself."
            ) from error
    key = key.strip()
    if len(key) < _LEAST_BYTES:
        raise UserError(
            f"dataset.dicom.patient_key: {where} holds {len(key)} bytes; at least {_LEAST_BYTES} "
            "are needed, such as those of `openssl rand -hex 32`. Keep them: with another key, "
            "patients get other names, and go to other splits."
        )
    return Pseudonyms(key, is_given=True)
