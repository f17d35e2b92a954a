"""The life of an installation: create, unlock, check, lock; its key slots; backup, restore, moving to another machine.

`home` says what lies in its folder. Nothing in it is readable without a passphrase, a recovery kit, or what a slot
bound to this workstation asks of its keyring. What is exchanged is not known here.

Each command unlocks and few do more: what the others need is loaded when it is first asked for (PEP 562).
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from app.vault.home import SLOTS, STORE
from app.vault.unlocking import LastSession, Unlocked, last_session, unlock, unlocked

if TYPE_CHECKING:
    from app.vault.anchor import anchored
    from app.vault.backup import Made, back_up, retired, revive
    from app.vault.checking import Problem, check, mend
    from app.vault.compacting import Compacted, compact, size
    from app.vault.creating import create
    from app.vault.keyslots import (
        PASSPHRASE_LENGTH,
        add_recovery_slot,
        add_slot,
        confirm,
        opens,
        rekey,
        remove_slot,
        slots_of,
    )
    from app.vault.restoring import Restored, restore

_LATER = {
    "anchor": ("anchored",),
    "backup": ("Made", "back_up", "retired", "revive"),
    "checking": ("Problem", "check", "mend"),
    "compacting": ("Compacted", "compact", "size"),
    "creating": ("create",),
    "keyslots": (
        "PASSPHRASE_LENGTH",
        "add_recovery_slot",
        "add_slot",
        "confirm",
        "opens",
        "rekey",
        "remove_slot",
        "slots_of",
    ),
    "restoring": ("Restored", "restore"),
}
_MODULES = {name: module for module, names in _LATER.items() for name in names}

__all__ = [
    "PASSPHRASE_LENGTH",
    "SLOTS",
    "STORE",
    "Compacted",
    "LastSession",
    "Made",
    "Problem",
    "Restored",
    "Unlocked",
    "add_recovery_slot",
    "add_slot",
    "anchored",
    "back_up",
    "check",
    "compact",
    "confirm",
    "create",
    "last_session",
    "mend",
    "opens",
    "rekey",
    "remove_slot",
    "restore",
    "retired",
    "revive",
    "size",
    "slots_of",
    "unlock",
    "unlocked",
]


def __getattr__(name: str) -> object:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_MODULES[name]}"), name)
