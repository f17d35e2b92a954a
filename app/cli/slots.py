"""Commands about key slots: what opens this installation."""

from __future__ import annotations

from pathlib import Path

import click

from app import vault
from app.cli.base import NUMBER_LIMIT, Session, table
from app.messages import Refused, _
from app.words import SLOTS, word


@click.group()
def slot() -> None:
    """What opens this installation: passphrases, this workstation's keyring, a recovery kit."""


@slot.command("list")
@click.pass_obj
def list_(session: Session) -> int:
    """The key slots."""
    with session.unlocked() as installation:
        found = vault.slots_of(installation)
    document = {"slots": [{"id": s.id, "kind": s.kind, "label": s.label} for s in found]}
    return session.show(document, table((s.id, word(SLOTS, s.kind), s.label) for s in found))


@slot.command("add")
@click.option(
    "--kind", type=click.Choice(["passphrase", "device", "recovery"]), default="passphrase", show_default=True
)
@click.option(
    "--new-passphrase-file",
    type=click.Path(path_type=Path),
    help="The new passphrase, in a file's first line.",
)
@click.option("--label", default="", help="What to call it in lists.")
@click.pass_obj
def add(session: Session, kind: str, new_passphrase_file: Path | None, label: str) -> int:
    """Add a passphrase, one bound to this workstation's keyring (device), or a recovery kit whose words
    are shown once.
    """
    with session.unlocked() as installation:
        if kind == "recovery":
            words = vault.add_recovery_slot(installation, label)
            lines = [_("Write these words down; they are shown this once:"), "", *_grouped(words)]
            return session.show({"kind": kind, "words": list(words)}, lines)
        passphrase = session.read_passphrase(new_passphrase_file, True, _("New passphrase"))
        vault.add_slot(installation, passphrase, label, device=kind == "device")
    return session.show({"kind": kind, "label": label}, [_("Slot added.")])


@slot.command("remove")
@click.argument("number", type=click.IntRange(1, NUMBER_LIMIT))
@click.pass_obj
def remove(session: Session, number: int) -> int:
    """Remove a slot. Older copies of the store still open with it: `slot rekey` ends that for new ones."""
    with session.unlocked() as installation:
        vault.remove_slot(installation, number)
    return session.show({"id": number}, [_("Slot removed.")])


@slot.command("rekey")
@click.pass_obj
def rekey(session: Session) -> int:
    """Encrypt the store anew under a fresh key; only the slot of the passphrase in use comes along."""
    if session.recovery_file is not None:
        raise Refused("rekey-recovery")
    passphrase = session.passphrase()
    with session.unlocked(passphrase) as installation:
        vault.rekey(installation, passphrase, session.job())
        found = vault.slots_of(installation)
    return session.show({"slots": len(found)}, [_("The store has a fresh key.")])


def _grouped(words: tuple[str, ...]) -> list[str]:
    return [" ".join(words[i : i + 4]) for i in range(0, len(words), 4)]


COMMANDS: dict[str, click.Command] = {"slot": slot}
