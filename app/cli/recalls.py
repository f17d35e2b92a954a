"""Commands about what was given and is asked back: recall, confirm."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from app.cli.base import NUMBER_LIMIT, Session, counted, ids_from, table
from app.cli.days import Day
from app.exchange import recalling
from app.exchange.recalling import Listed, Sent
from app.exchange.touching import Touched
from app.holdings import attachments
from app.messages import Refused, _, listed, plain
from app.words import OBJECT_STATES, RECALL_STATES, SIDES, word

Command = Callable[..., Any]


def _out(command: Command) -> Command:
    return click.option(
        "--out",
        type=click.Path(path_type=Path),
        help="A new file, or a folder (default: the package waits in the outbox).",
    )(command)


def _number(command: Command) -> Command:
    return click.argument("number", type=click.IntRange(1, NUMBER_LIMIT))(command)


class Hashes(click.ParamType[tuple[bytes, ...]]):
    """SHA-256 in hexadecimal, with commas between them."""

    name = "SHA256"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[bytes, ...]:
        """The hashes as bytes."""
        try:
            found = tuple(bytes.fromhex(part.strip()) for part in str(value).split(","))
        except ValueError:
            found = ()
        if not found or any(len(one) != 32 for one in found):
            self.fail(_("Give whole SHA-256 hashes in hexadecimal."), param, ctx)
        return found


class Sending(click.Group):
    """A group in which options alone stand for `send` and those options."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """`recall --to NAME` is `recall send --to NAME`."""
        options = bool(args) and args[0].startswith("-") and args[0] not in ("-h", "--help")
        return super().parse_args(ctx, ["send", *args] if options else args)


@click.group(cls=Sending)
def recall() -> None:
    """Ask back what was given to counterparts."""


@recall.command("send")
@click.option("--to", metavar="NAME", help="The counterpart who was given it.")
@click.option("--all-holders", is_flag=True, help="Every counterpart who was given any of it.")
@click.option("--ids", type=click.Path(path_type=Path), required=True, help="STIX ids, one a line.")
@click.option("--versions", type=Hashes(), help="Only these contents (default: all they were given).")
@click.option("--reason", required=True, help="Why; the counterpart reads it.")
@_out
@click.pass_obj
def send(
    session: Session,
    to: str | None,
    all_holders: bool,
    ids: Path,
    versions: tuple[bytes, ...] | None,
    reason: str,
    out: Path | None,
) -> int:
    """Ask counterparts to delete what they were given."""
    if (to is not None) == all_holders:
        raise click.UsageError(_("Give one of --to and --all-holders."))
    with session.unlocked() as installation:
        chosen = list(ids_from(ids))
        sent, refused = list[Sent](), list[tuple[str, Refused]]()
        names = [to] if to is not None else recalling.holders(installation, chosen, versions)
        if not names:
            raise Refused("recall-never-given", id=chosen[0], name=_("anybody"))
        if len(names) > 1 and out is not None and not out.is_dir():
            # Each gets a package of its own; one file would hold the first, and the others would not be told.
            raise click.UsageError(_("It goes to several counterparts: give a folder for --out, or none."))
        for name in names:
            theirs = recalling.held_by(installation, name, chosen, versions) if all_holders else chosen
            try:
                sent.append(
                    recalling.recall(installation, name, theirs, versions, reason, out, session.job())
                )
            except Refused as error:
                if len(names) == 1:
                    raise
                refused.append((name, error))
    document = {
        "recalls": [_sent(one) for one in sent],
        "refused": [{"to": name, "code": error.code} for name, error in refused],
    }
    lines = [line for one in sent for line in _sent_lines(one)]
    lines += [counted(plain(name), error.code, **error.facts) for name, error in refused]
    return session.show(document, lines, attention=bool(refused))


@recall.command("list")
@click.pass_obj
def list_(session: Session) -> int:
    """What was asked back, by us and by counterparts, newest first."""
    with session.unlocked() as installation:
        found = recalling.listed(installation)
    rows = (_cells(one) for one in found)
    return session.show({"recalls": [_row(one) for one in found]}, table(rows))


@recall.command("show")
@_number
@click.pass_obj
def show(session: Session, number: int) -> int:
    """One recall, and what it touches here."""
    with session.unlocked() as installation:
        found, touched = recalling.show(installation, number, session.job())
        # What an officer attached goes with the object, and may be wanted elsewhere.
        ours = {
            one.id: [file.name for file in attachments.listed(installation, one.id) if file.package is None]
            for one in touched
            if one.state == "held" and not one.independent and not found.ours
        }
    document = _row(found) | {
        "touches": [_touched(one) | {"attachments": ours.get(one.id, [])} for one in touched]
    }
    lines = [
        *table([_cells(found)]),
        _("Reason: {reason}").format(reason=plain(found.reason)),
        *_answer_lines(found),
        *table((word(OBJECT_STATES, t.state), t.id, t.sha256.hex()[:16], t.name[:60]) for t in touched),
    ]
    for one in touched:
        if one.independent:
            lines.append(_("{id} is held from another source too; that stays.").format(id=plain(one.id)))
        if one.referring:
            lines.append(_("{id} is named by:").format(id=plain(one.id)))
            lines += [f"    {plain(id_)}" for id_ in one.referring[:5]]
            if len(one.referring) > 5:
                lines.append("    " + _("and {n} more").format(n=len(one.referring) - 5))
        if one.onward and not found.ours:
            lines.append(_onward_line(one))
    said = _("{name} was attached to {id} here, and goes with it: `attachment save` writes it first.")
    lines += [said.format(name=plain(name), id=plain(id_)) for id_, names in ours.items() for name in names]
    return session.show(document, lines)


@recall.command("withdraw")
@_number
@click.option("--reason", required=True, help="Why; the counterpart reads it.")
@_out
@click.pass_obj
def withdraw(session: Session, number: int, reason: str, out: Path | None) -> int:
    """Take a recall of ours back."""
    with session.unlocked() as installation:
        sent = recalling.withdraw(installation, number, reason, out, session.job())
    return session.show(_sent(sent), _sent_lines(sent))


@click.command()
@_number
@click.option("--backups", metavar="DATE|none", help="The last day on which backups may hold it.")
@click.option("--refuse", metavar="REASON", help="Do not delete it, and say why.")
@_out
@click.pass_obj
def confirm(session: Session, number: int, backups: str | None, refuse: str | None, out: Path | None) -> int:
    """Answer a recall: delete what they ask back and confirm it, or refuse."""
    if (backups is None) == (refuse is None):
        raise click.UsageError(_("Give one of --backups and --refuse."))
    with session.unlocked() as installation:
        touched = recalling.show(installation, number, session.job())[1]
        if refuse is not None:
            sent = recalling.refuse(installation, number, refuse, out, session.job())
        else:
            day = "" if backups == "none" else Day().convert(backups, None, None)
            sent = recalling.confirm(installation, number, day, out, session.job())
    onward = [one for one in touched if one.onward and refuse is None]
    document = _sent(sent) | {
        "onward": [{"id": one.id, "sha256": one.sha256.hex(), "to": list(one.onward)} for one in onward]
    }
    lines = [*_sent_lines(sent), *map(_onward_line, onward)]
    return session.show(document, lines, attention=bool(onward))


def _onward_line(one: Touched) -> str:
    said = _("{id} was released onward to {names}: recall it there too, with `recall`.")
    return said.format(id=plain(one.id), names=listed(map(plain, one.onward)))


def _by(one: Listed) -> str:
    return "ours" if one.ours else "theirs"


def _cells(one: Listed) -> tuple[object, ...]:
    state = word(RECALL_STATES, one.state)
    return one.number, one.counterpart, word(SIDES, _by(one)), state, one.objects, one.came


def _row(one: Listed) -> dict[str, Any]:
    return {
        "number": one.number,
        "counterpart": one.counterpart,
        "by": _by(one),
        "state": one.state,
        "at": one.at,
        "received": one.came,
        "objects": one.objects,
        "reason": one.reason,
        "kept": one.kept,
        "never": one.never,
        "backups": one.backups or None,
        "answer": one.answer,
    }


def _touched(one: Touched) -> dict[str, Any]:
    return {
        "id": one.id,
        "sha256": one.sha256.hex(),
        "state": one.state,
        "packages": list(one.packages),
        "independent": one.independent,
        "referring": list(one.referring),
        "onward": list(one.onward),
    }


def _sent(sent: Sent) -> dict[str, Any]:
    return _row(sent.listed) | {
        "package": str(sent.package.path),
        "seq": sent.package.seq,
        "protection": sent.package.protection,
        "void": list(sent.void),
    }


def _answer_lines(one: Listed) -> list[str]:
    lines = []
    if one.state == "confirmed":
        lines.append(
            _("Backups may hold it until {day}.").format(day=one.backups)
            if one.backups
            else _("No backup holds it.")
        )
    if one.kept:
        lines.append(_("Held from another source, and kept: {n}").format(n=one.kept))
    if one.never:
        lines.append(_("Never came: {n}").format(n=one.never))
    if one.answer:
        lines.append(_("Refused: {reason}").format(reason=plain(one.answer)))
    return lines


def _sent_lines(sent: Sent) -> list[str]:
    one = sent.listed
    lines = [
        _("Recall {number}, {name}: {state}, {n} contents").format(
            number=one.number,
            name=plain(one.counterpart),
            state=word(RECALL_STATES, one.state),
            n=one.objects,
        ),
        *_answer_lines(one),
    ]
    if sent.void:
        lines.append(_("Void: package {seqs}").format(seqs=listed(map(str, sent.void))))
    lines.append(_("Package {seq}: {path}").format(seq=sent.package.seq, path=plain(sent.package.path)))
    return lines


COMMANDS: dict[str, click.Command] = {"recall": recall, "confirm": confirm}
