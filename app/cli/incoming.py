"""Commands about what comes in: which, receive, inbox, accept, reject."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import msgspec

from app.cli.base import NUMBER_LIMIT, Session, ids_from, spoken_ranges, table, why
from app.cli.searching import HITS_SHOWN, hit_document, hit_lines
from app.exchange import deciding, inbox, naming, recalling, receiving, telephone
from app.exchange.deciding import Decided
from app.exchange.inbox import Listed
from app.exchange.receiving import Received
from app.intel.compare import ABSENT
from app.messages import _, ngettext, plain
from app.store.installation import OUTBOX


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--locked", is_flag=True, help="Only what can be told without the passphrase.")
@click.pass_obj
def which(session: Session, file: Path, locked: bool) -> int:
    """What a file is: a package of ours, of theirs, for us, or something else. It is not received."""
    if locked:
        found = naming.outside(file, session.home / OUTBOX)
    else:
        with session.unlocked() as installation:
            found = naming.which(installation, file)
    document = {
        "kind": found.kind,
        "counterpart": found.name or None,
        "seq": found.seq or None,
        "state": found.state or None,
        "reference": found.reference,
        "priority": found.priority or None,
        "intact": found.intact,
        "size": found.size,
        "sha256": found.sha256,
    }
    return session.show(document, _named(found), attention=found.intact is False)


def _named(found: naming.Named) -> list[str]:
    words = {
        (naming.OURS, True): _("Our package {seq} for {name}."),
        (naming.THEIRS, True): _("Package {seq} from {name}."),
        (naming.FOR_US, True): _("Package {seq} from {name}, not received yet."),
        (naming.KEY_LOST, True): _("For us from {name}, but its key was lost in a restore."),
        (naming.OURS, False): _("A package of ours: the same bytes lie in the outbox."),
        (naming.FOR_US, False): _("Sealed to a key of ours, by nobody who is known here."),
        (naming.SEALED, False): _(
            "A sealed file. Not sealed and not opened here, and not for us as far as can be told."
        ),
        (naming.OTHER, False): _("Not a sealed package."),
    }
    lines = [words[found.kind, bool(found.name)].format(seq=found.seq, name=plain(found.name))]
    if found.intact is False:
        lines.append(why("package-damaged"))
    lines += table(
        [
            *([(_("State"), found.state)] if found.state else []),
            *([(_("Reference"), found.reference)] if found.reference else []),
            *([(_("Priority"), found.priority)] if found.priority == "flash" else []),
            (_("Size"), found.size),
            ("SHA-256", found.sha256),
        ]
    )
    return lines


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.pass_obj
def receive(session: Session, file: Path) -> int:
    """Open a package into the inbox."""
    with session.unlocked() as installation:
        got = receiving.receive(installation, file, session.job())
    attention = got.status != "new" or bool(got.failed) or bool(got.recalls)
    return session.show(_received(got), _received_lines(got), attention=attention)


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
        "recalls": list(got.recalls),
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
    if got.recalls:
        numbers = ", ".join(map(str, got.recalls))
        lines.append(
            _("They ask something back: recall {numbers}. See `recall show`.").format(numbers=numbers)
        )
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
        asked_back = [one for one in recalling.listed(installation) if not one.ours and one.state == "open"]
    rows = ((p.number, p.sender, p.seq, p.state, p.priority, p.objects, p.received) for p in found)
    document = {
        "packages": [_package(one) for one in found],
        "recalls": [
            {"number": r.number, "from": r.counterpart, "objects": r.objects, "received": r.came}
            for r in asked_back
        ],
    }
    said = _("Recall {number}: {name} asks back {n}. See `recall show {number}`.")
    lines = [said.format(number=r.number, name=plain(r.counterpart), n=r.objects) for r in asked_back]
    return session.show(document, [*lines, *table(rows)])


@inbox_group.command("show")
@click.argument("number", type=click.IntRange(1, NUMBER_LIMIT))
@click.option("--diff", "id_", metavar="ID", help="One object, property by property beside what is held.")
@click.pass_obj
def inbox_show(session: Session, number: int, id_: str | None) -> int:
    """A package, each object compared with what is held."""
    if id_ is not None:
        with session.unlocked() as installation:
            contents = inbox.differing(installation, number, id_)
        document = {"number": number, "id": id_, "contents": [_beside(one) for one in contents]}
        return session.show(document, [line for one in contents for line in _beside_lines(one)])
    with session.unlocked() as installation:
        review = inbox.review(installation, number, session.job())
    document = _package(review.package) | {
        "counts": review.counts,
        "attachments": [
            {
                "id": one.id,
                "name": one.name,
                "size": one.size,
                "sha256": one.sha256.hex(),
                "sample": one.sample,
            }
            for one in review.attachments
        ],
        "remarks": review.remarks,
        "answers": list(review.answers),
        "objects": [
            {
                "id": one.id,
                "type": one.type,
                "name": one.name,
                "modified": one.modified or None,
                "status": one.status,
                "remarks": list(one.remarks),
                "decision": one.decision,
                "handling": None if one.handling is None else one.handling.label,
                "embargo": one.embargo or None,
                "exercise": one.exercise,
                "hits": [hit_document(hit) for hit in one.hits],
            }
            for one in review.objects
        ],
    }
    lines = [
        *table(review.counts.items()),
        *table((o.status, o.decision, o.type, o.name[:60], o.id) for o in review.objects),
    ]
    if review.answers:
        numbers = ", ".join(map(str, review.answers))
        lines.insert(0, _("It answers request {numbers}.").format(numbers=numbers))
    hits = [hit for one in review.objects for hit in one.hits]
    if hits:
        lines += [_("{n} observables are held already:").format(n=len(hits)), *hit_lines(hits[:HITS_SHOWN])]
    if review.package.note:
        lines.insert(0, plain(review.package.note))
    for remark, count in review.remarks.items():
        if count:
            lines.append(f"{count}: {why(f'remark-{remark}')}")
            some = [one.id for one in review.objects if remark in one.remarks]
            lines += [f"    {plain(id_)}" for id_ in some[:5]]
            if count > 5:
                lines.append("    " + _("and {n} more").format(n=count - 5))
    return session.show(document, lines)


def _beside(one: inbox.Beside) -> dict[str, Any]:
    """Each difference has `held` and `incoming`, either left out where there is nothing at that place."""
    differences = [
        {"path": d.path}
        | ({} if d.before is ABSENT else {"held": d.before})
        | ({} if d.after is ABSENT else {"incoming": d.after})
        for d in one.differences
    ]
    held = (
        None if one.held is None else {"sha256": one.held.sha256.hex(), "modified": one.held.modified or None}
    )
    return {"position": one.position, "held": held, "differences": differences}


def _beside_lines(one: inbox.Beside) -> list[str]:
    if one.held is None:
        return [_("Nothing is held under this id.")]
    if not one.differences:
        return [_("The same as what is held.")]
    return list(table((d.path, _value(d.before), "->", _value(d.after)) for d in one.differences))


def _value(value: object) -> str:
    return "-" if value is ABSENT else msgspec.json.encode(value).decode()


@inbox_group.command("code")
@click.argument("number", type=click.IntRange(1, NUMBER_LIMIT))
@click.pass_obj
def inbox_code(session: Session, number: int) -> int:
    """A short code to read over the telephone: what was decided of a package, until the receipt is there."""
    with session.unlocked() as installation:
        said = telephone.mine(installation, number)
    document = {
        "from": said.name,
        "seq": said.seq,
        "accepted": said.accepted,
        "refused": said.refused,
        "pending": said.pending,
        "code": said.code[0],
    }
    rows = table(
        [
            (_("package"), said.seq),
            (_("accepted"), said.accepted),
            (_("refused"), said.refused),
            (_("code"), " / ".join(said.code)),
        ]
    )
    return session.show(document, rows)


@click.command()
@click.argument("number", type=click.IntRange(1, NUMBER_LIMIT))
@click.option(
    "--ids", type=click.Path(path_type=Path), help="Only the STIX ids in this file; the rest stays pending."
)
@click.option("--undo", is_flag=True, help="Undo the acceptance, while nothing depends on it.")
@click.option("--recalled", is_flag=True, help="Also what its sender asks back.")
@click.pass_obj
def accept(session: Session, number: int, ids: Path | None, undo: bool, recalled: bool) -> int:
    """Take objects of a package into the holdings."""
    if undo and recalled:
        raise click.UsageError(_("Give --undo or --recalled."))
    with session.unlocked() as installation:
        chosen = None if ids is None else ids_from(ids)
        if undo:
            decided = deciding.undo(installation, number, chosen, session.job())
        else:
            decided = deciding.accept(installation, number, chosen, session.job(), recalled)
    return _show_decided(session, decided)


@click.command()
@click.argument("number", type=click.IntRange(1, NUMBER_LIMIT))
@click.option("--reason", required=True, help="Why; the counterpart reads it in the receipt.")
@click.option(
    "--ids", type=click.Path(path_type=Path), help="Only the STIX ids in this file; the rest stays pending."
)
@click.pass_obj
def reject(session: Session, number: int, reason: str, ids: Path | None) -> int:
    """Refuse what is still pending of a package."""
    with session.unlocked() as installation:
        decided = deciding.reject(installation, number, reason, None if ids is None else ids_from(ids))
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
