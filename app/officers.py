"""Who works at this installation, and how they like it: officers and settings."""

from __future__ import annotations

import unicodedata

from app import audit, settings
from app.messages import Refused
from app.store import people
from app.store.database import Connection
from app.store.installation import Installation
from crypto.names import NAME_LIMIT, usable


def good_name(name: str) -> str:
    """`name` as it is kept and may stand on a card: NFC, one line, nothing invisible; raises `Refused`
    (name-unusable).
    """
    name = unicodedata.normalize("NFC", name.strip())
    if not usable(name):
        raise Refused("name-unusable", name=name[:NAME_LIMIT])
    return name


def names(connection: Connection) -> list[str]:
    """The officers, in order of arrival."""
    return [name for name, _ in people.officers(connection)]


def add(installation: Installation, name: str) -> None:
    """Add an officer; raises `Refused` (name-unusable, officer-exists)."""
    name = good_name(name)
    with installation.database.write() as tx:
        if name in names(tx):
            raise Refused("officer-exists", name=name)
        people.add_officer(tx, name, installation.now())
        audit.append(tx, installation, "officer.added", name=name)


def remove(installation: Installation, name: str) -> None:
    """Remove an officer; raises `Refused` (officer-unknown, officer-last)."""
    with installation.database.write() as tx:
        known = names(tx)
        if name not in known:
            raise Refused("officer-unknown", name=name)
        if len(known) == 1:
            raise Refused("officer-last", name=name)
        people.remove_officer(tx, name, installation.now())
        audit.append(tx, installation, "officer.removed", name=name)


def current_settings(installation: Installation) -> settings.Settings:
    """The settings in force."""
    return people.current_settings(installation.database.read())


def change_setting(installation: Installation, name: str, value: str) -> None:
    """Change one setting, logged; raises `Refused` (setting-unknown)."""
    if not settings.acceptable(name, value):
        raise Refused("setting-unknown", name=name, value=value)
    with installation.database.write() as tx:
        people.put_setting(tx, name, value)
        audit.append(tx, installation, "setting.changed", name=name, value=value)
