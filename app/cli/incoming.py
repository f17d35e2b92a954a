"""Commands about what comes in: which, receive, inbox, accept, reject."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from app.cli.base import NUMBER_LIMIT, Session, ids_from, spoken_ranges, table, why
from app.exchange import deciding, inbox, receiving
from app.exchange.deciding import Decided
from app.exchange.inbox import Listed
from app.exchange.receiving import Received
from app.messages import _, ngettext, plain


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.pass_obj
def which(session: Session, file: Path) -> int:
    """What a package file is, if it was sealed or opened here before."""
    with session.unlocked() as installation:
        known = receiving.which(installation, file)
    if known is None:
        return session.show({"known": False}, [_("Not sealed and not opened here before.")])
    name, side, seq = known
    document = {"known": True, "counterpart": name, "ours": side == "ours", "seq": seq}
    text = _("Our package {seq} for {name}.") if side == "ours" else _("Package {seq} from {name}.")
    return session.show(document, [text.format(seq=seq, name=plain(name))])


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.pass_obj
def receive(session: Session, file: Path) -> int:
    """Open a package into the inbox."""
    with session.unlocked() as installation:
        got = receiving.receive(installation, file, session.job())
    return session.show(
        _received(got), _received_lines(got), attention=got.status != "new" or bool(got.failed)
    )


def _received(got: Received) -> dict[str, Any]:
    return {
        "number": got.number,
        "from": got.sender,
        "seq": got.seq,
        "status": got.status,
        "parts": list(got.parts),
        "objects": got.objects,
        "missing": [list(pair) for pair in got.missing],
        "failed": [{"where": where, "code": code} for where, code in got.failed],
        "protection": got.protection,
    }


def _received_lines(got: Received) -> list[str]:
    lines = [_("Package {seq} from {name}.").format(seq=got.seq, name=plain(got.sender))]
    if got.objects:
        waiting = ngettext(
            "{n} object waits in the inbox as number {number}.",
            "{n} objects wait in the inbox as number {number}.",
            got.objects,
        )
        lines.append(waiting.format(n=got.objects, number=got.number))
    if got.status != "new":
        lines.append(why(f"status-{got.status}", missing=spoken_ranges(got.missing)))
    return lines + [f"{plain(where)}: {why(code)}" for where, code in got.failed]


@click.group("inbox")
def inbox_group() -> None:
    """Received packages waiting for review."""


@inbox_group.command("list")
@click.pass_obj
def inbox_list(session: Session) -> int:
    """Packages with intel, those that wait and are urgent first."""
    with session.unlocked() as installation:
        found = inbox.listed(installation)
    rows = ((p.number, p.sender, p.seq, p.state, p.priority, p.objects, p.received) for p in found)
    return session.show({"packages": [_package(one) for one in found]}, table(rows))


@inbox_group.command("show")
@click.argument("number", type=click.IntRange(1, NUMBER_LIMIT))
@click.pass_obj
def inbox_show(session: Session, number: int) -> int:
    """A package, each object compared with what is held."""
    with session.unlocked() as installation:
        review = inbox.review(installation, number, session.job())
    document = _package(review.package) | {
        "counts": review.counts,
        "objects": [
            {
                "id": one.id,
                "type": one.type,
                "name": one.name,
                "modified": one.modified or None,
                "status": one.status,
                "decision": one.decision,
                "handling": None if one.handling is None else one.handling.label,
            }
            for one in review.objects
        ],
    }
    lines = [
        *table(review.counts.items()),
        *table((o.status, o.decision, o.type, o.name[:60], o.id) for o in review.objects),
    ]
    if review.package.note:
        lines.insert(0, plain(review.package.note))
    return session.show(document, lines)


@click.command()
@click.argument("number", type=click.IntRange(1, NUMBER_LIMIT))
@click.option(
    "--ids", type=click.Path(path_type=Path), help="Only the STIX ids in this file; the rest stays pending."
)
@click.pass_obj
def accept(session: Session, number: int, ids: Path | None) -> int:
    """Take objects of a package into the holdings."""
    with session.unlocked() as installation:
        decided = deciding.accept(installation, number, None if ids is None else ids_from(ids), session.job())
    return _show_decided(session, decided)


@click.command()
@click.argument("number", type=click.IntRange(1, NUMBER_LIMIT))
@click.option("--reason", required=True, help="Why; the counterpart reads it in the receipt.")
@click.pass_obj
def reject(session: Session, number: int, reason: str) -> int:
    """Refuse what is still pending of a package."""
    with session.unlocked() as installation:
        decided = deciding.reject(installation, number, reason)
    return _show_decided(session, decided)


def _show_decided(session: Session, decided: Decided) -> int:
    document = {"accepted": decided.accepted, "rejected": decided.rejected, "pending": decided.pending}
    return session.show(document, table(document.items()))


def _package(one: Listed) -> dict[str, Any]:
    return {
        "number": one.number,
        "from": one.sender,
        "seq": one.seq,
        "state": one.state,
        "priority": one.priority,
        "received": one.received,
        "note": one.note,
        "protection": one.protection,
    }


COMMANDS: dict[str, click.Command] = {
    "which": which,
    "receive": receive,
    "inbox": inbox_group,
    "accept": accept,
    "reject": reject,
}
