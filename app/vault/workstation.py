"""This workstation's keyring: the only module that asks it. Without a back-end the feature is off and says so.

Back-ends raise what they like, a D-Bus library's own errors included, and may wait for an owner who is not there: this
is the one border where all is caught and no question lasts longer than `PATIENCE`.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable
from pathlib import Path

from app.messages import Refused
from app.vault.home import write_private
from crypto import slots

KEYRING_SERVICE = "mithaq"
WORKSTATION, NAME_LIMIT = "workstation", 64
PATIENCE = 20.0
"""Seconds: somebody may have to type the keyring's own password."""


def wake() -> None:
    """Load the keyring's libraries beside other work: they take longer than a short command."""
    threading.Thread(target=_load, name="keyring", daemon=True).start()


def recall(name: str) -> str | None:
    """What is kept under a name, None if nothing is. Raises `Refused` (keyring-unavailable)."""

    def ask() -> str | None:
        import keyring

        return keyring.get_password(KEYRING_SERVICE, name)

    return _answer(ask)


def remember(name: str, value: str) -> None:
    """Keep a value under a name, and see that it is kept. Raises `Refused` (keyring-unavailable)."""

    def ask() -> str | None:
        import keyring

        keyring.set_password(KEYRING_SERVICE, name, value)
        return keyring.get_password(KEYRING_SERVICE, name)

    if _answer(ask) != value:
        raise Refused("keyring-unavailable", why="not kept")


def device_secret(home: Path) -> bytes | None:
    """This workstation's secret for an installation, None if its keyring has none or cannot be asked."""
    try:
        found = recall(_name(home))
        return None if found is None else bytes.fromhex(found)
    except (Refused, ValueError):
        return None


def make_device_secret(home: Path) -> bytes:
    """The secret of this workstation, made and kept in its keyring if there is none. Raises `Refused`
    (keyring-unavailable).
    """
    # A keyring that does not answer may hold it all the same: another in its place would close the slots bound to it.
    known = recall(_name(home))
    try:
        secret = None if known is None else bytes.fromhex(known)
    except ValueError:
        secret = None
    if secret is None:
        secret = secrets.token_bytes(slots.DEVICE_BYTES)
        if not (home / WORKSTATION).is_file():
            write_private(home / WORKSTATION, secrets.token_hex(16).encode())
        remember(_name(home), secret.hex())
    return secret


def _name(home: Path) -> str:
    """What the secret is kept under: a random name that lies in the installation's folder and moves with it."""
    try:
        return (home / WORKSTATION).read_bytes()[:NAME_LIMIT].decode()
    except (OSError, UnicodeDecodeError):
        return str(home)


def _answer(ask: Callable[[], str | None]) -> str | None:
    found: list[str | None] = []
    failed: list[BaseException] = []

    def work() -> None:
        try:
            found.append(ask())
        except BaseException as error:
            failed.append(error)

    thread = threading.Thread(target=work, name="keyring", daemon=True)
    thread.start()
    thread.join(PATIENCE)
    if failed:
        raise Refused("keyring-unavailable", why=type(failed[0]).__name__) from failed[0]
    if not found:
        raise Refused("keyring-unavailable", why="no answer")
    return found[0]


def _load() -> None:
    try:
        import keyring

        keyring.get_keyring()
    except Exception:
        return
