"""How every model of settings is validated."""

from typing import Final

from pydantic import ConfigDict

STRICT: Final = ConfigDict(frozen=True, extra="forbid")
"""A value does not change, and a key that is not known is a mistake."""
