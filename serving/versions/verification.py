"""What each pushed version of a model is worth: its sums, its signature, and by whom."""

from dataclasses import dataclass
from pathlib import Path

from serving.files.local_paths import require_local
from serving.versions import pushed, signature
from serving.versions.signature import Trust
from transform_module.errors import UserError


@dataclass(frozen=True)
class Verified:
    """One version.

    Attributes:
        version: its folder's name.
        sums: whether its files, its number and its name are those of its manifest.
        is_signed: whether it has a signature, whatever that is worth.
        signer: who signed it; empty where no signature was verified.
        problems: a sentence each, which names the file.
    """

    version: str
    sums: bool
    is_signed: bool
    signer: str = ""
    problems: tuple[str, ...] = ()


def verify(model: Path, trust: Trust | None) -> list[Verified]:
    """Verifies each version of a model, without a network unless an identity is given.

    Args:
        model: a version's folder, or the folder of the versions.
        trust: whose signature each must have; None verifies the sums alone.

    Returns:
        The versions, the oldest first.

    Raises:
        UserError: there is none, or the folder cannot be read.
    """
    require_local(model, "The model")
    try:
        return [_verified(path, trust) for path in _versions(model)]
    except OSError as error:
        raise UserError(f"{model}: cannot be read: {error}.") from error


def _versions(model: Path) -> list[Path]:
    folder = model.absolute()
    own = (pushed.SAVED_MODEL, pushed.MANIFEST, signature.SIGNATURE)
    if pushed.version_number(folder.name) or any((folder / name).exists() for name in own):
        return [folder]
    found = [each.path for each in pushed.versions(folder.parent, folder.name)]
    if not found:
        raise UserError(
            f"{model}: there is no version to verify. Give the folder of a version, or the folder "
            "of a model's versions, such as cxr-root/pushed/chest_xray."
        )
    return found


def _verified(path: Path, trust: Trust | None) -> Verified:
    sums = pushed.verify_sums(path)
    signed = pushed.verify_signature(path, trust) if trust else []
    return Verified(
        path.name,
        not sums,
        signature.is_signed(path),
        signature.signer(path, trust) if trust and not signed else "",
        tuple(dict.fromkeys([*signed, *sums])),
    )
