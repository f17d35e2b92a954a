"""Commands about a channel: how it stands, and the officer's decisions when something went wrong."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import click

from app import outside
from app.cli.base import Session, counted, table, why
from app.courier import folder
from app.exchange import epochs, evidence
from app.exchange.epochs import Status
from app.exchange.ranges import spoken
from app.messages import _, plain
from app.store.installation import Installation


@click.group()
def channel() -> None:
    """The ordered exchange with one counterpart."""


@channel.command("show")
@click.argument("name")
@click.pass_obj
def show(session: Session, name: str) -> int:
    """How the channel with NAME stands: what is unacknowledged, missing, lost; keys left."""
    return _decide(session, name, epochs.status)


@channel.command("restart")
@click.argument("name")
@click.option(
    "--reason",
    type=click.Choice(["restored", "forked"]),
    required=True,
    help="Why our direction begins anew.",
)
@click.pass_obj
def restart(session: Session, name: str, reason: str) -> int:
    """Begin our direction anew; NAME must confirm it. What lay unacknowledged is released again with `resend`."""
    return _decide(
        session, name, lambda i, n: epochs.restart(i, n, "restored" if reason == "restored" else "forked")
    )


@channel.command("confirm")
@click.argument("name")
@click.pass_obj
def confirm(session: Session, name: str) -> int:
    """Believe that NAME begins a new epoch, after asking them by another way."""
    return _decide(session, name, epochs.confirm)


@channel.command("excuse")
@click.argument("name")
@click.pass_obj
def excuse(session: Session, name: str) -> int:
    """Record that NAME acknowledged what was never sent, and go on sealing."""
    return _decide(session, name, epochs.excuse)


@channel.command("evidence")
@click.argument("name")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="A new file.")
@click.pass_obj
def evidence_(session: Session, name: str, out: Path) -> int:
    """Write what NAME signed, as you received it: for showing them what their own installation does not know."""
    with session.unlocked() as installation:
        folder.write_pieces(out, [evidence.export(installation, name)])
    return session.show({"evidence": str(out)}, [_("Evidence: {path}").format(path=plain(out))])


@channel.command("prove")
@click.argument("name")
@click.argument("file", type=click.Path(path_type=Path))
@click.pass_obj
def prove(session: Session, name: str, file: Path) -> int:
    """Take in evidence that NAME wrote: does it show that this installation went back?"""
    raw = outside.start(file, evidence.FILE_LIMIT)
    with session.unlocked() as installation:
        codes = evidence.prove(installation, name, raw)
    lines = [counted(count, code, name=name) for code, count in Counter(codes).items()]
    lines = lines or [why("nothing-proven", name=name)]
    return session.show({"found": dict(Counter(codes))}, lines, attention=True)


@channel.command("ask")
@click.argument("name")
@click.pass_obj
def ask(session: Session, name: str) -> int:
    """Ask NAME for every package that has not come; the next package says so."""
    return _decide(session, name, epochs.ask)


def _decide(session: Session, name: str, act: Callable[[Installation, str], Status]) -> int:
    with session.unlocked() as installation:
        found = act(installation, name)
    lines = [why(found.state, name=found.name)] if found.state else []
    if found.pending:
        lines.append(why("epoch-pending", name=found.name, reason=found.pending))
    if found.mending:
        lines.append(why("channel-mending", name=found.name))
    lines += table(
        [
            (_("last heard"), found.heard or "-"),
            (_("last sealed"), found.sealed or "-"),
            (_("sent"), found.sent),
            (_("not acknowledged"), spoken(found.unacked)),
            (_("lost there"), spoken(found.lost)),
            (_("has not come there"), spoken(found.lacking)),
            (_("received"), found.received),
            (_("missing"), spoken(found.missing)),
            (_("one-time keys of ours"), found.own_keys),
            (_("one-time keys of theirs"), found.their_keys),
        ]
    )
    if found.missing_before:
        ranges = spoken(found.missing_before)
        lines.append(_("missing from before their keys changed: {ranges}").format(ranges=ranges))
    attention = bool(found.state or found.pending or found.mending or found.missing or found.lost)
    if found.lacking:
        lines.append(why("packages-lacking", numbers=spoken(found.lacking), name=found.name))
    lines += [counted(seq, "receipt-contradicts") for seq in found.contradicted]
    attention = attention or bool(found.missing_before or found.lacking or found.contradicted)
    return session.show(asdict(found), lines, attention)


COMMANDS: dict[str, click.Command] = {"channel": channel}
