"""Commands about what is somebody else's: request, consent, withdraw, source; and embargo."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from app.cli import enquiries
from app.cli.base import NUMBER_LIMIT, Session, embargo_lines, ids_from, table
from app.cli.days import Day
from app.cli.enquiries import Asking
from app.exchange import asking, embargo, provenance
from app.exchange.asking import Asked, Listed
from app.holdings import browsing
from app.messages import _, listed, ngettext, plain
from app.words import ASKED, CONSENT_STATES, REQUEST_STATES, SIDES, word

Command = Callable[..., Any]


def _to(command: Command) -> Command:
    return click.option("--to", required=True, metavar="NAME", help="The counterpart it came from.")(command)


def _out(command: Command) -> Command:
    return click.option(
        "--out",
        type=click.Path(path_type=Path),
        help="A new file, or a folder (default: the package waits in the outbox).",
    )(command)


def _ids(command: Command) -> Command:
    return click.option(
        "--ids", type=click.Path(path_type=Path), required=True, help="STIX ids, one a line."
    )(command)


@click.group(cls=Asking)
def request() -> None:
    """Ask a counterpart for something."""


for _command in (enquiries.information, enquiries.list_, enquiries.show, enquiries.close):
    request.add_command(_command)


@request.command("onward")
@_to
@_ids
@click.option("--for", "third", required=True, metavar="NAME", help="The counterpart it is to go to.")
@click.option("--reason", required=True, help="Why; the counterpart reads it.")
@click.option("--until", type=Day(), help="The last day for which leave is asked.")
@_out
@click.pass_obj
def onward(
    session: Session, to: str, ids: Path, third: str, reason: str, until: str | None, out: Path | None
) -> int:
    """Ask for leave to release what came from a counterpart to another one."""
    with session.unlocked() as installation:
        asked = asking.request_onward(
            installation, to, ids_from(ids), third, reason, until or "", out, session.job()
        )
    return _show(session, asked)


@request.command("retention")
@_to
@_ids
@click.option("--until", type=Day(), required=True, help="The last day on which it is to be held.")
@click.option("--reason", required=True, help="Why; the counterpart reads it.")
@_out
@click.pass_obj
def retention(session: Session, to: str, ids: Path, until: str, reason: str, out: Path | None) -> int:
    """Ask for leave to keep what came from a counterpart longer than agreed."""
    with session.unlocked() as installation:
        asked = asking.request_retention(installation, to, ids_from(ids), until, reason, out, session.job())
    return _show(session, asked)


class Numbered(click.Group):
    """A group in which a number alone stands for `give` and that number."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """`consent 3` is `consent give 3`."""
        return super().resolve_command(ctx, ["give", *args] if args and args[0].isdigit() else args)


@click.group(cls=Numbered)
def consent() -> None:
    """Requests and consents: what was asked, and what may be done."""


@consent.command("give")
@click.argument("number", type=click.IntRange(1, NUMBER_LIMIT))
@click.option("--ids", type=click.Path(path_type=Path), help="Only for the STIX ids in this file.")
@click.option("--until", type=Day(), help="The last day it is good for (default: as asked, else 90 days).")
@_out
@click.pass_obj
def give(session: Session, number: int, ids: Path | None, until: str | None, out: Path | None) -> int:
    """Consent to a request of theirs."""
    with session.unlocked() as installation:
        chosen = None if ids is None else ids_from(ids)
        asked = asking.consent(installation, number, chosen, until or "", out, session.job())
    return _show(session, asked)


@consent.command("list")
@click.pass_obj
def list_(session: Session) -> int:
    """All requests and consents, newest first."""
    with session.unlocked() as installation:
        found = asking.listed(installation)
    rows = (
        (
            one.number,
            word(ASKED, one.kind),
            word(ASKED, one.of),
            one.counterpart,
            word(SIDES, _by(one)),
            _state(one),
            one.third or one.fingerprint[:16] or "-",
            len(one.contents),
            one.until or "-",
            one.why,
        )
        for one in found
    )
    return session.show({"consents": [_row(one) for one in found]}, table(rows))


@consent.command("show")
@click.argument("number", type=click.IntRange(1, NUMBER_LIMIT))
@click.pass_obj
def show(session: Session, number: int) -> int:
    """One request or consent: whom it is for, why, and each content that it names."""
    with session.unlocked() as installation:
        one = asking.show(installation, number)
        known = browsing.named(installation, (content.id for content in one.contents))
    facts = [
        (_("Counterpart"), one.counterpart),
        (_("Signed"), listed((word(SIDES, _by(one)), one.at))),
        (_("State"), _state(one)),
        (_("For"), one.third or "-"),
        (_("Fingerprint"), one.fingerprint or "-"),
        (_("Until"), one.until or "-"),
        (_("Reason"), one.why or "-"),
    ]
    lines = [
        *table([(one.number, word(ASKED, one.kind), word(ASKED, one.of))]),
        *table(facts),
        *table(
            (c.id, c.sha256[:16], known[c.id].name[:60] if c.id in known else _("not held"))
            for c in one.contents
        ),
    ]
    return session.show(_row(one), lines)


@click.command()
@click.argument("number", type=click.IntRange(1, NUMBER_LIMIT))
@click.option("--reason", default="", help="Why; needed to decline a request of theirs.")
@_out
@click.pass_obj
def withdraw(session: Session, number: int, reason: str, out: Path | None) -> int:
    """Take back a request or a consent of ours, or decline a request of theirs."""
    with session.unlocked() as installation:
        asked = asking.withdraw(installation, number, reason, out, session.job())
    return _show(session, asked)


@click.command()
@click.argument("ids", metavar="ID...", nargs=-1, required=True)
@click.option("--reason", required=True, help="What the source is; it stays here.")
@click.pass_obj
def source(session: Session, ids: tuple[str, ...], reason: str) -> int:
    """Declare an independent source of objects that came from a counterpart: what is held of them is ours too."""
    with session.unlocked() as installation:
        freed = provenance.declare(installation, ids, reason)
    said = ngettext("{n} content is ours too now.", "{n} contents are ours too now.", freed)
    return session.show({"ids": list(ids), "freed": freed}, [said.format(n=freed)])


def _show(session: Session, asked: Asked) -> int:
    document = _row(asked.listed) | {
        "package": str(asked.package.path),
        "seq": asked.package.seq,
        "protection": asked.package.protection,
    }
    words = (
        _("Request {number}: {state}") if asked.listed.kind == "request" else _("Consent {number}: {state}")
    )
    lines = [
        words.format(number=asked.listed.number, state=_state(asked.listed)),
        *table((one.id, one.sha256[:16]) for one in asked.listed.contents[:20]),
        _("Package {seq}: {path}").format(seq=asked.package.seq, path=plain(asked.package.path)),
    ]
    return session.show(document, lines)


def _by(one: Listed) -> str:
    return "ours" if one.ours else "theirs"


def _state(one: Listed) -> str:
    return word(REQUEST_STATES if one.kind == "request" else CONSENT_STATES, one.state)


def _row(one: Listed) -> dict[str, Any]:
    return {
        "number": one.number,
        "kind": one.kind,
        "of": one.of,
        "counterpart": one.counterpart,
        "by": _by(one),
        "state": one.state,
        "at": one.at,
        "for": one.third or None,
        "fingerprint": one.fingerprint or None,
        "objects": [{"id": content.id, "sha256": content.sha256} for content in one.contents],
        "until": one.until or None,
        "reason": one.why,
        "request": one.request,
    }


@click.command("embargo")
@click.argument("id_", metavar="ID")
@click.option("--until", type=Day(), help="The day on which it may leave, or be passed on.")
@click.option("--travels", is_flag=True, help="It may leave now, and is not to be passed on before that day.")
@click.option("--end", is_flag=True, help="End what was said here.")
@click.pass_obj
def embargo_(session: Session, id_: str, until: str | None, travels: bool, end: bool) -> int:
    """Keep an object here until a day, or from being passed on; without an option, say what binds it."""
    if bool(until) + end > 1 or (travels and not until):
        raise click.UsageError(_("Give --until, with --travels or without, or --end."))
    with session.unlocked() as installation:
        if until:
            bound = embargo.keep(installation, id_, until, travels).after
        else:
            bound = embargo.lift(installation, id_).after if end else embargo.of(installation, id_)
    document = {
        "id": id_,
        "held": bound.held or None,
        "travels": bound.travels or None,
        "theirs": bound.theirs or None,
        "exercise": bound.exercise,
    }
    return session.show(document, embargo_lines(bound) or [_("No embargo.")])


COMMANDS: dict[str, click.Command] = {
    "request": request,
    "consent": consent,
    "withdraw": withdraw,
    "source": source,
    "embargo": embargo_,
}
