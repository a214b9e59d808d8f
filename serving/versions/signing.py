"""Signing of a version that is pushed, by sigstore's `model-signing`."""

import os
from pathlib import Path
from typing import Any, Final, Literal

from pydantic import BaseModel, Field, ValidationInfo, field_validator, model_validator

from serving.versions.signature import SIGNATURE
from transform_module.errors import UserError
from transform_module.strict import STRICT

# The library takes no empty chain.
_NEEDED: Final = {"key": ("private_key",), "certificate": ("private_key", "certificate", "chain")}
_ALLOWED: Final = {**_NEEDED, "key": ("private_key", "password_variable")}


class SigningSettings(BaseModel):
    """Who signs what is pushed. No secret is in it: keys are files, a password is a variable's."""

    model_config = STRICT

    method: Literal["none", "key", "certificate", "keyless"] = Field(
        "none",
        description="What signs a pushed version: none; a private key; a private key with its"
        " certificate; keyless, sigstore's identity of the process, which needs the network.",
    )
    private_key: str | None = Field(
        None, description="PEM file of an elliptic curve's private key, for key and certificate."
    )
    password_variable: str | None = Field(
        None, description="Environment variable that holds the password of the key, for key."
    )
    certificate: str | None = Field(
        None, description="PEM file of the key's certificate, for certificate."
    )
    chain: tuple[str, ...] = Field(
        (),
        description="PEM files of the certificates from that one's issuer to the authority, each"
        " signed by the next, for certificate.",
    )

    @field_validator("private_key", "password_variable", "certificate", "chain")
    @classmethod
    def _is_taken(cls, value: Any, field: ValidationInfo) -> Any:
        method = field.data.get("method")
        if value and method and field.field_name not in _ALLOWED.get(method, ()):
            raise ValueError(f"method={method} takes no {field.field_name}")
        return value

    @model_validator(mode="after")
    def _has_what_is_needed(self) -> "SigningSettings":
        missing = [name for name in _NEEDED.get(self.method, ()) if not getattr(self, name)]
        if missing:
            raise ValueError(f"method={self.method} needs {' and '.join(missing)}")
        return self


UNSIGNED: Final = SigningSettings()
"""What is pushed is not signed."""


def check(settings: SigningSettings) -> None:
    """Checks, before hours of work, that the files of a key can be used.

    Raises:
        UserError: they cannot.
    """
    if settings.method not in _NEEDED:
        return
    try:
        from model_signing import signing

        _signer(signing.Config(), settings)
    except UserError:
        raise
    except Exception as error:
        raise UserError(
            f"push.signing: nothing can be signed by this {settings.method} "
            f"({str(error) or repr(error)}). Correct private_key and what belongs to it."
        ) from error


def sign(folder: Path, settings: SigningSettings) -> None:
    """Writes a version's signature into its folder, of all files that are there.

    Args:
        folder: of the version, with its manifest.
        settings: who signs; nothing is done where nobody does.

    Raises:
        UserError: it cannot be signed.
    """
    if settings.method == "none":
        return
    path = folder / SIGNATURE
    try:
        from model_signing import hashing, signing

        hashed = hashing.Config().set_ignored_paths(paths=[path], ignore_git_paths=False)
        _signer(signing.Config(), settings).set_hashing_config(hashed).sign(folder, path)
    except UserError:
        raise
    except Exception as error:
        raise UserError(
            f"push.signing: the model cannot be signed by {settings.method} "
            f"({str(error) or repr(error)}). Nothing was published."
        ) from error


def _signer(config: Any, settings: SigningSettings) -> Any:
    if settings.method == "key":
        return config.use_elliptic_key_signer(
            private_key=settings.private_key, password=_password(settings.password_variable)
        )
    if settings.method == "certificate":
        return config.use_certificate_signer(
            private_key=settings.private_key,
            signing_certificate=settings.certificate,
            certificate_chain=settings.chain,
        )
    return config.use_sigstore_signer(identity_token=_identity_token())


def _password(variable: str | None) -> bytes | None:
    if variable is None:
        return None
    if variable not in os.environ:
        raise UserError(
            f"push.signing.password_variable: there is no environment variable {variable}, which "
            "holds the password of the private key. Nothing was published."
        )
    # Bytes, whatever the library's type says: it hands them to cryptography as they are.
    return os.environ[variable].encode()


def _identity_token() -> str:
    from sigstore.oidc import detect_credential

    token = detect_credential()
    if token is None:
        # The library would open a browser and wait for it.
        raise UserError(
            "push.signing: keyless signing needs an identity that the machine has of itself, as "
            "GitHub Actions, GitLab, Google Cloud and Buildkite give one, and the network; there "
            "is none here. Sign by key or by certificate. Nothing was published."
        )
    return str(token)
