"""Two installations on this machine for tests and screenshots: cheap to unlock, cards exchanged, intel imported."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app import vault
from app.exchange import counterparts
from app.formats import stix
from app.holdings import importing
from app.intel import marking
from app.jobs import Job
from crypto.slots import Cost

CHEAP = Cost(passes=1, memory=8 * 1024)
PASSPHRASE = "correct horse battery"


@dataclass(frozen=True)
class Side:
    """One installation of the two."""

    name: str
    home: Path


def create(home: Path, name: str = "CERT Almaria", country: str = "JO", officer: str = "R. Haddad") -> Side:
    vault.create(home, name, country, officer, PASSPHRASE, CHEAP)
    return Side(name, home)


def pair(folder: Path, *, verified: bool = True) -> tuple[Side, Side]:
    """Two installations that know each other's cards."""
    a = create(folder / "almaria")
    b = create(folder / "northmark", "Northmark CSIRT", "PT", "S. Duarte")
    with vault.unlocked(a.home, PASSPHRASE) as one, vault.unlocked(b.home, PASSPHRASE) as other:
        for here, there in ((one, other), (other, one)):
            added = counterparts.add(here, counterparts.own_card(there))
            if verified:
                counterparts.verify(here, added.fingerprint)
    return a, b


def take(side: Side, path: Path, handling: str | None = None) -> None:
    """Import a file."""
    level = marking.parse(handling) if handling else None
    with vault.unlocked(side.home, PASSPHRASE) as installation, stix.opened(path) as entries:
        importing.import_entries(installation, entries, path.name, level, Job())


def bundle(path: Path, objects: Sequence[dict[str, Any]]) -> Path:
    """Write objects as a bundle."""
    value = {"type": "bundle", "id": "bundle--00000000-0000-4000-8000-000000000001", "objects": list(objects)}
    path.write_text(json.dumps(value), encoding="utf-8", errors="surrogatepass")
    return path


def indicator(number: int, name: str, **more: Any) -> dict[str, Any]:
    """An indicator with a number of its own."""
    return {
        "type": "indicator",
        "spec_version": "2.1",
        "id": f"indicator--00000000-0000-4000-8000-{number:012d}",
        "created": "2026-03-01T08:00:00.000Z",
        "modified": "2026-03-01T08:00:00.000Z",
        "name": name,
        "pattern": "[domain-name:value = 'update-relay.saltpan.example']",
        "pattern_type": "stix",
        "valid_from": "2026-03-01T08:00:00Z",
        **more,
    }
