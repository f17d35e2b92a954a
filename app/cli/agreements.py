"""Commands about agreements: propose, sign, list, show, diff, end, export, verify; and the sectors of an object."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import click

from app import outside
from app.cli.base import NUMBER_LIMIT, Session, level_option, table
from app.cli.days import Day
from app.courier import folder
from app.exchange import agreement_file, agreements, terms
from app.exchange.agreements import Agreement, Done
from app.exchange.sectors import label
from app.exchange.terms import KINDS, ONWARD, RECEIPTS, Clauses
from app.intel import marking
from app.messages import Refused, _, listed, plain
from app.words import AGREEMENT_STATES, CLAUSES, SIDES, word
from app.words import KINDS as KIND_WORDS
from app.words import ONWARD as ONWARD_WORDS
from app.words import RECEIPTS as RECEIPT_WORDS

CARD_LIMIT = 65_536

Command = Callable[..., Any]


class Names(click.ParamType[tuple[str, ...]]):
    """Names with commas between them; `among` says which there are."""

    name = "NAMES"

    def __init__(self, among: tuple[str, ...] = ()) -> None:
        self.among = among

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, ...]:
        """Each name once, sorted."""
        if isinstance(value, tuple):
            return value
        names = {name.strip() for name in str(value).split(",") if name.strip()}
        unknown = sorted(names - set(self.among)) if self.among else []
        if unknown or not names:
            self.fail(_("Choose from {names}.").format(names=listed(self.among) or "a,b"), param, ctx)
        return tuple(sorted(names))


def _number(command: Command) -> Command:
    return click.argument("number", type=click.IntRange(1, NUMBER_LIMIT))(command)


def _out(command: Command) -> Command:
    return click.option(
        "--out",
        type=click.Path(path_type=Path),
        help="A new file, or a folder (default: the package waits in the outbox).",
    )(command)


@click.group()
def agreement() -> None:
    """What each side may give the other, signed by both."""


@agreement.command("propose")
@click.option("--to", required=True, metavar="NAME", help="The counterpart.")
@level_option("--ceiling", required=True, help="The highest TLP level that may leave.")
@click.option("--until", type=Day(), required=True, help="The last day in force, in UTC.")
@click.option("--from", "start", type=Day(), help="The first day in force (default: today).")
@click.option(
    "--open-until", type=Day(), help="The last day for signing (default: 90 days on, at most --until)."
)
@click.option("--kinds", type=Names(KINDS), default=KINDS, help="What kinds of objects (default: all).")
@click.option("--sectors", type=Names(), help="Only what is about these sectors.")
@click.option("--purposes", type=Names(), help="Only for these purposes.")
@click.option("--onward", type=click.Choice(ONWARD), default=ONWARD[0], show_default=True, help="Passing on.")
@click.option(
    "--retention", type=click.IntRange(1, terms.RETENTION_LIMIT), metavar="DAYS", help="How long kept."
)
@click.option("--exercise", is_flag=True, help="For exercises only.")
@click.option(
    "--receipts",
    type=click.Choice(RECEIPTS),
    default=RECEIPTS[-1],
    show_default=True,
    help="What receipts tell: how many objects were accepted and refused, or which.",
)
@click.option(
    "--supersedes",
    type=click.IntRange(1, NUMBER_LIMIT),
    multiple=True,
    metavar="NUMBER",
    help="Replaces this one.",
)
@_out
@click.pass_obj
def propose(
    session: Session,
    to: str,
    ceiling: str,
    until: str,
    start: str | None,
    open_until: str | None,
    kinds: tuple[str, ...],
    sectors: tuple[str, ...] | None,
    purposes: tuple[str, ...] | None,
    onward: str,
    retention: int | None,
    exercise: bool,
    receipts: str,
    supersedes: tuple[int, ...],
    out: Path | None,
) -> int:
    """Sign a proposal and seal it into a package for the counterpart."""
    level = marking.parse(ceiling)
    assert level is not None
    with session.unlocked() as installation:
        today = installation.now()[:10]
        clauses = Clauses(
            ceiling=level,
            start=start or today,
            until=until,
            open_until=open_until or min(until, str(date.fromisoformat(today) + timedelta(terms.OPEN_DAYS))),
            kinds=tuple(kind for kind in KINDS if kind in kinds),
            sectors=sectors,
            purposes=purposes,
            onward=onward,
            retention=retention,
            exercise=exercise,
            receipts=receipts,
        )
        done = agreements.propose(installation, to, clauses, supersedes, out, session.job())
    return _show_done(session, done)


@agreement.command("sign")
@_number
@_out
@click.pass_obj
def sign(session: Session, number: int, out: Path | None) -> int:
    """Countersign a proposal of theirs: it is in force here at once, there when the package comes."""
    with session.unlocked() as installation:
        done = agreements.sign(installation, number, out, session.job())
    return _show_done(session, done)


@agreement.command("end")
@_number
@_out
@click.pass_obj
def end(session: Session, number: int, out: Path | None) -> int:
    """Withdraw from an agreement, withdraw a proposal, or decline one."""
    with session.unlocked() as installation:
        done = agreements.end(installation, number, out, session.job())
    return _show_done(session, done)


@agreement.command("list")
@click.pass_obj
def list_(session: Session) -> int:
    """All agreements and proposals, newest first."""
    with session.unlocked() as installation:
        found = agreements.listed(installation)
    rows = (
        (
            a.number,
            a.counterpart,
            word(AGREEMENT_STATES, a.state),
            a.clauses.ceiling.label,
            a.clauses.start,
            a.clauses.until,
        )
        for a in found
    )
    return session.show({"agreements": [_row(one) for one in found]}, table(rows))


@agreement.command("show")
@_number
@click.pass_obj
def show(session: Session, number: int) -> int:
    """One agreement, and in what it differs from each other one in force with the same counterpart."""
    with session.unlocked() as installation:
        one = agreements.show(installation, number)
        beside = [
            (other.number, terms.changed(other.clauses, one.clauses))
            for other in agreements.listed(installation)
            if other.number != number and other.counterpart == one.counterpart and other.state == "in-force"
        ]
    document = _row(one) | {
        "proposed": one.proposed,
        "signed": one.signed or None,
        "ended": one.ended or None,
        "parties": list(one.parties),
        "clauses": terms.clauses_as_facts(one.clauses),
        "differs": [{"number": other, "clauses": _changes(changes)} for other, changes in beside],
    }
    lines = [
        *_clauses(_row(one) | document["clauses"]),
        *_clauses({name: document[name] for name in ("proposed", "signed", "ended") if document[name]}),
    ]
    for other, changes in beside:
        lines.append(_("Differs from agreement {number}, in force:").format(number=other))
        lines += _change_lines(changes)
    return session.show(document, lines)


@agreement.command("diff")
@click.argument("before", type=click.IntRange(1, NUMBER_LIMIT))
@click.argument("after", type=click.IntRange(1, NUMBER_LIMIT))
@click.pass_obj
def diff(session: Session, before: int, after: int) -> int:
    """The clauses in which two agreements differ."""
    with session.unlocked() as installation:
        changes = agreements.differences(installation, before, after)
    return session.show({"clauses": _changes(changes)}, _change_lines(changes) or [_("No clause differs.")])


@agreement.command("export")
@_number
@click.argument("file", type=click.Path(path_type=Path))
@click.pass_obj
def export(session: Session, number: int, file: Path) -> int:
    """Write an agreement with both signatures to a file that anybody can check."""
    with session.unlocked() as installation:
        folder.write_pieces(file, [agreement_file.export(installation, number)])
    return session.show({"number": number, "file": str(file)}, [str(file)])


@agreement.command("verify")
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--card", "cards", type=click.Path(path_type=Path), multiple=True, help="A party's card; give both."
)
@click.pass_obj
def verify(session: Session, file: Path, cards: tuple[Path, ...]) -> int:
    """Check an exported agreement against both parties' cards. Needs no installation and no passphrase."""
    if len(cards) != 2:
        raise click.UsageError(_("Give --card twice, once for each party."))
    try:
        checked = agreement_file.check(
            outside.start(file, agreement_file.FILE_LIMIT),
            [outside.start(card, CARD_LIMIT) for card in cards],
        )
    except Refused as error:
        if error.code != "agreement-file":
            raise
        raise Refused("agreement-file", path=file) from error
    clauses = terms.clauses_as_facts(checked.clauses)
    document = {
        "id": checked.id,
        "proposer": {"fingerprint": checked.proposer.fingerprint, "name": checked.proposer.name},
        "signer": {"fingerprint": checked.signer.fingerprint, "name": checked.signer.name},
        "proposed": checked.proposed,
        "signed": checked.signed,
        "ended": checked.ended or None,
        "clauses": clauses,
    }
    lines = [
        _("Proposed {at} by {name}.").format(at=checked.proposed, name=plain(checked.proposer.name)),
        _("Signed {at} by {name}, over the same text.").format(
            at=checked.signed, name=plain(checked.signer.name)
        ),
        *([_("Ended {at}.").format(at=checked.ended)] if checked.ended else []),
        *_clauses(clauses),
    ]
    return session.show(document, lines)


@click.command("sector")
@click.argument("id_", metavar="ID")
@click.argument("sectors", metavar="[SECTORS]...", nargs=-1)
@click.pass_obj
def sector(session: Session, id_: str, sectors: tuple[str, ...]) -> int:
    """Say what sectors an object is about; with none, what identities say counts again."""
    with session.unlocked() as installation:
        before = label(installation, id_, sectors)
    after = sorted(set(sectors))
    document = {"id": id_, "before": sorted(before), "after": after}
    return session.show(document, [listed(after) or _("No label.")])


def _show_done(session: Session, done: Done) -> int:
    document = _row(done.agreement) | {
        "package": str(done.package.path),
        "seq": done.package.seq,
        "protection": done.package.protection,
    }
    lines = [
        _("Agreement {number}: {state}").format(
            number=done.agreement.number, state=word(AGREEMENT_STATES, done.agreement.state)
        ),
        _("Package {seq}: {path}").format(seq=done.package.seq, path=done.package.path),
    ]
    return session.show(document, lines)


def _row(one: Agreement) -> dict[str, Any]:
    return {
        "number": one.number,
        "id": one.id,
        "counterpart": one.counterpart,
        "proposer": "ours" if one.ours else "theirs",
        "state": one.state,
        "ceiling": one.clauses.ceiling.label,
        "from": one.clauses.start,
        "until": one.clauses.until,
        "supersedes": list(one.supersedes),
    }


def _changes(changes: dict[str, tuple[object, object]]) -> list[dict[str, object]]:
    return [{"clause": name, "before": old, "after": new} for name, (old, new) in changes.items()]


def _change_lines(changes: dict[str, tuple[object, object]]) -> list[str]:
    words = _("{clause}: {before} -> {after}")
    return [
        words.format(clause=word(CLAUSES, name), before=_text(name, old), after=_text(name, new))
        for name, (old, new) in changes.items()
    ]


def _clauses(found: Mapping[str, object]) -> Iterator[str]:
    return table((word(CLAUSES, name), _text(name, value)) for name, value in found.items())


_WORDS: dict[str, Mapping[str, str]] = {
    "state": AGREEMENT_STATES,
    "kinds": KIND_WORDS,
    "onward": ONWARD_WORDS,
    "proposer": SIDES,
    "receipts": RECEIPT_WORDS,
}


def _text(name: str, value: object) -> str:
    words = _WORDS.get(name, {})
    if isinstance(value, list):
        return listed(word(words, str(one)) for one in value) or _("none")
    if value is None:
        return _("any")
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    return word(words, str(value))


COMMANDS: dict[str, click.Command] = {"agreement": agreement, "sector": sector}
