"""Commands about drops: folders both sides reach, used as mailboxes."""

from __future__ import annotations

from pathlib import Path

import click

from app.cli.base import Session, counted, table, why
from app.exchange import drops
from app.exchange.ranges import spoken
from app.messages import _


@click.group()
def drop() -> None:
    """Folders both sides reach, used as mailboxes."""


@drop.command("add")
@click.argument("name")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--with", "with_", required=True, metavar="NAME", help="The counterpart it is shared with.")
@click.pass_obj
def drop_add(session: Session, name: str, folder: Path, with_: str) -> int:
    """Use FOLDER as a drop with a counterpart."""
    with session.unlocked() as installation:
        drops.add(installation, name, folder, with_)
    return session.show({"name": name, "folder": str(folder.absolute())}, [_("Drop added.")])


@drop.command("remove")
@click.argument("name")
@click.pass_obj
def drop_remove(session: Session, name: str) -> int:
    """Use a drop no more. What lies in its folder stays there."""
    with session.unlocked() as installation:
        removed = drops.remove(installation, name)
    return session.show({"name": removed}, [_("Drop removed.")])


@drop.command("list")
@click.pass_obj
def drop_list(session: Session) -> int:
    """The drops in use."""
    with session.unlocked() as installation:
        found = drops.listed(installation)
    document = {"drops": [{"name": d.name, "with": d.counterpart, "folder": d.folder} for d in found]}
    return session.show(document, table((d.name, d.counterpart, d.folder) for d in found))


@drop.command("sync")
@click.argument("names", metavar="[NAME]...", nargs=-1)
@click.pass_obj
def drop_sync(session: Session, names: tuple[str, ...]) -> int:
    """Publish what waits in the outbox, find what is for us, and open it into the inbox."""
    with session.unlocked() as installation:
        done = drops.sync(installation, names, session.job())
        shared = {one.name: one for one in drops.listed(installation)}
    document = {
        "published": [{"drop": d, "seq": seq} for d, seq in done.published],
        "received": [
            {"drop": d, "number": r.number, "from": r.sender, "seq": r.seq, "status": r.status}
            for d, r in done.received
        ],
        "refused": [{"drop": d, "file": str(file), "code": code} for d, file, code in done.refused],
    }
    lines = [
        _("Published: {n}").format(n=len(done.published)),
        _("Received: {n}").format(n=len(done.received)),
    ]
    for name, file, code in done.refused:
        about = f"{name}: {file}" if file else name
        lines.append(counted(about, code, **drops.facts(shared[name], file)))
    lines += [
        why(f"status-{r.status}", missing=spoken(r.missing))
        for _drop, r in done.received
        if r.status != "new"
    ]
    attention = bool(done.refused) or any(r.status != "new" for _drop, r in done.received)
    return session.show(document, lines, attention)


COMMANDS: dict[str, click.Command] = {"drop": drop}
