"""Making an installation: built beside its folder and renamed, so that there is a whole one or none."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from app import audit, officers
from app.messages import Refused
from app.store import index, people
from app.store.database import KEY_BYTES, Database
from app.store.installation import Identities, Installation, utc_now
from app.store.objects import HASH_KEY
from app.vault.anchor import ID_BYTES, STORE_ID
from app.vault.home import OUTBOX, SLOTS, STORE, built_beside, write_private
from app.vault.keyslots import PASSPHRASE_LENGTH, remember
from app.vault.process import close_the_process
from crypto import slots
from crypto.identity import Identity


def create(
    home: Path,
    name: str,
    country: str,
    officer: str,
    passphrase: str,
    cost: slots.Cost = slots.MODERATE,
    *,
    clock: Callable[[], datetime] = utc_now,
) -> str:
    """Make an installation in `home` (absent or empty) and return its fingerprint.

    `country` is an ISO 3166 two-letter code; `clock` is replaced in tests only. Built beside `home` and renamed, so
    that there is a whole one or none.
    Raises `Refused`: installation-exists, passphrase-short, name-unusable, country-unusable, home-unusable.
    """
    close_the_process()
    name, officer, country = officers.good_name(name), officers.good_name(officer), _good_country(country)
    if len(passphrase) < PASSPHRASE_LENGTH:
        raise Refused("passphrase-short", least=PASSPHRASE_LENGTH)
    with built_beside(home) as scratch:
        return _build(scratch, name, country, officer, passphrase, cost, clock)


def _build(
    home: Path,
    name: str,
    country: str,
    officer: str,
    passphrase: str,
    cost: slots.Cost,
    clock: Callable[[], datetime],
) -> str:
    key = secrets.token_bytes(KEY_BYTES)
    (home / OUTBOX).mkdir(mode=0o700)
    raw = slots.create(key, passphrase, cost=cost)
    write_private(home / SLOTS, raw)
    write_private(home / STORE, b"")
    identity = Identity.generate()
    database = Database(home / STORE, key, new=True)
    try:
        installation = Installation(home, database, Identities(identity), officer, clock)
        now = installation.now()
        with database.write() as tx:
            people.put_meta(tx, HASH_KEY, secrets.token_bytes(16))
            index.remake(tx)
            remember(tx, raw)
            people.put_meta(tx, STORE_ID, secrets.token_bytes(ID_BYTES))
            people.add_identity(tx, identity.to_bytes(), identity.card(name, country, now), now)
            people.add_officer(tx, officer, now)
            audit.append(tx, installation, "created", fingerprint=identity.fingerprint)
    finally:
        database.close()
    return identity.fingerprint


def _good_country(country: str) -> str:
    if len(country) != 2 or not country.isascii() or not country.isalpha():
        raise Refused("country-unusable", country=country[:20])
    return country.upper()
