"""Commands about what is asked and said of objects: request information, list, close; feedback."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from app.cli.base import NUMBER_LIMIT, Session, ids_from, level_option, table
from app.exchange import enquiries
from app.exchange.enquiries import Listed, Sent
from app.holdings import browsing
from app.holdings import feedback as service
from app.holdings.feedback import Said
from app.intel import authoring, marking
from app.messages import _, listed, plain
from app.words import REQUEST_STATES, SIDES, word

Command = Callable[..., Any]


class Asking(click.Group):
    """A group in which options alone stand for `information` and those options."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """`request --to NAME --text TEXT` is `request information --to NAME --text TEXT`."""
        options = bool(args) and args[0].startswith("-") and args[0] not in ("-h", "--help")
        return super().parse_args(ctx, ["information", *args] if options else args)


def _out(command: Command) -> Command:
    return click.option(
        "--out",
        type=click.Path(path_type=Path),
        help="A new file, or a folder (default: the package waits in the outbox).",
    )(command)


@click.command("information")
@click.option("--to", required=True, metavar="NAME", help="The counterpart who is asked.")
@click.option("--text", required=True, help="What you want to know.")
@click.option("--ids", type=click.Path(path_type=Path), help="STIX ids that it is about, one a line.")
@_out
@click.pass_obj
def information(session: Session, to: str, text: str, ids: Path | None, out: Path | None) -> int:
    """Ask a counterpart for information."""
    with session.unlocked() as installation:
        about = () if ids is None else ids_from(ids)
        sent = enquiries.ask(installation, to, text, about, out, session.job())
    return _show(session, sent)


@click.command("list")
@click.pass_obj
def list_(session: Session) -> int:
    """Requests for information, newest first, and what answers them."""
    with session.unlocked() as installation:
        found = enquiries.listed(installation)
    rows = (
        (
            r.number,
            r.counterpart,
            word(SIDES, _by(r)),
            word(REQUEST_STATES, r.state),
            ",".join(map(str, r.answers)) or "-",
            r.text[:60],
        )
        for r in found
    )
    return session.show({"requests": [_row(one) for one in found]}, table(rows))


@click.command("show")
@click.argument("number", type=click.IntRange(1, NUMBER_LIMIT))
@click.pass_obj
def show(session: Session, number: int) -> int:
    """One request for information: all of its text, and what it is about."""
    with session.unlocked() as installation:
        one = enquiries.show(installation, number)
        known = browsing.named(installation, one.about)
    lines = [
        *table(
            [(one.number, one.counterpart, word(SIDES, _by(one)), word(REQUEST_STATES, one.state), one.at)]
        ),
        *map(plain, one.text.splitlines()),
        *table((id_, known[id_].name[:60] if id_ in known else _("not held")) for id_ in one.about),
    ]
    if one.answers:
        lines.append(_("Answered by package {numbers}.").format(numbers=listed(map(str, one.answers))))
    if one.reason:
        lines.append(_("Reason: {reason}").format(reason=plain(one.reason)))
    return session.show(_row(one), lines)


@click.command("close")
@click.argument("number", type=click.IntRange(1, NUMBER_LIMIT))
@click.option("--reason", default="", help="Why; needed to decline.")
@_out
@click.pass_obj
def close(session: Session, number: int, reason: str, out: Path | None) -> int:
    """Close a request for information of ours, or decline one of theirs."""
    with session.unlocked() as installation:
        sent = enquiries.close(installation, number, reason, out, session.job())
    return _show(session, sent)


@click.command()
@click.argument("id_", metavar="ID")
@click.option("--sighting", is_flag=True, help="It was seen.")
@click.option("--opinion", type=click.Choice(authoring.OPINIONS), help="Whether you agree with it.")
@click.option("--note", is_flag=True, help="A note, in --text.")
@click.option("--text", default="", help="The note; of a sighting or an opinion, words on it.")
@click.option("--count", type=click.IntRange(0, 999_999_999), help="How often it was seen.")
@click.option("--first", default="", metavar="TIME", help="When it was seen first, as 2026-06-01T12:00:00Z.")
@click.option("--last", default="", metavar="TIME", help="When it was seen last.")
@level_option("--tlp", help="The level (default: as strict as what it is about).")
@click.pass_obj
def feedback(
    session: Session,
    id_: str,
    sighting: bool,
    opinion: str | None,
    note: bool,
    text: str,
    count: int | None,
    first: str,
    last: str,
    tlp: str | None,
) -> int:
    """Write a sighting, an opinion or a note on an object that is held."""
    if sighting + (opinion is not None) + note != 1 or (note and not text.strip()):
        raise click.UsageError(_("Give one of --sighting, --opinion and --note; a note has a --text."))
    if not sighting and (count is not None or first or last):
        raise click.UsageError(_("--count, --first and --last go with --sighting."))
    kind = "sighting" if sighting else "note" if note else "opinion"
    level = None if tlp is None else marking.parse(tlp)
    with session.unlocked() as installation:
        said = Said(kind, text, opinion or "", count, first, last, level)
        made = service.say(installation, id_, said, session.job())
    return session.show({"id": made, "type": kind, "about": id_}, [made])


def _by(one: Listed) -> str:
    return "ours" if one.ours else "theirs"


def _row(one: Listed) -> dict[str, Any]:
    return {
        "number": one.number,
        "counterpart": one.counterpart,
        "by": _by(one),
        "state": one.state,
        "at": one.at,
        "text": one.text,
        "about": list(one.about),
        "answers": list(one.answers),
        "reason": one.reason,
    }


def _show(session: Session, sent: Sent) -> int:
    one = sent.listed
    document = _row(one) | {
        "package": str(sent.package.path),
        "seq": sent.package.seq,
        "protection": sent.package.protection,
    }
    lines = [
        _("Request {number}: {state}").format(number=one.number, state=word(REQUEST_STATES, one.state)),
        _("Package {seq}: {path}").format(seq=sent.package.seq, path=plain(sent.package.path)),
    ]
    return session.show(document, lines)


COMMANDS: dict[str, click.Command] = {"feedback": feedback}
