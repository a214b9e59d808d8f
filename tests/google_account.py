"""A service account of Google's, as its clients find one in the environment, for a local server."""

import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from google.auth.credentials import CredentialsWithRegionalAccessBoundary


def log_in(monkeypatch: pytest.MonkeyPatch, folder: Path, url: str) -> None:
    """Lets Google's clients find an account, with its key, whose tokens `url`/token gives.

    Args:
        monkeypatch: undoes it.
        folder: where the account's file is written.
        url: the server's.
    """
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    account = {
        "type": "service_account",
        "project_id": "project-1",
        "private_key_id": "k",
        "private_key": key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ).decode(),
        "client_email": "cxr@project-1.example",
        "client_id": "1",
        "token_uri": f"{url}/token",
    }
    file = folder / "account.json"
    file.write_text(json.dumps(account))
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(file))
    # In the background, the client queries at a fixed address where the account may be used, again
    # and again, also after the test.
    monkeypatch.setattr(
        CredentialsWithRegionalAccessBoundary,
        "_maybe_start_regional_access_boundary_refresh",
        lambda *_: None,
    )
