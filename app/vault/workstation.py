"""This workstation's keyring: the only module that asks it. Without a back-end the feature is off and says so.

Back-ends raise what they like, a D-Bus library's own errors included: this is the one border where all are caught.
"""

from __future__ import annotations

import secrets
from pathlib import Path

from app.messages import Refused
from crypto import slots

KEYRING_SERVICE = "mithaq"


def device_secret(home: Path) -> bytes | None:
    """This workstation's secret for an installation, None if its keyring has none or cannot be asked.

    Back-ends raise what they like, a D-Bus library's own errors included: this is the one border where all are caught.
    """
    try:
        import keyring

        found = keyring.get_password(KEYRING_SERVICE, str(home))
        return None if found is None else bytes.fromhex(found)
    except Exception:
        return None


def make_device_secret(home: Path) -> bytes:
    """The secret of this workstation, made and kept in its keyring if there is none. Raises `Refused`
    (keyring-unavailable).
    """
    secret = device_secret(home)
    if secret is not None:
        return secret
    secret = secrets.token_bytes(slots.DEVICE_BYTES)
    try:
        import keyring

        keyring.set_password(KEYRING_SERVICE, str(home), secret.hex())
        kept = keyring.get_password(KEYRING_SERVICE, str(home))
    except Exception as error:
        raise Refused("keyring-unavailable", why=type(error).__name__) from error
    if kept != secret.hex():
        raise Refused("keyring-unavailable", why="not kept")
    return secret
