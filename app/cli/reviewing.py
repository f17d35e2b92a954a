"""Looking at what waits in the inbox: list, one package beside what is held, its code for the telephone."""

from __future__ import annotations

from typing import Any

import click
import msgspec

from app.cli.base import NUMBER_LIMIT, Session, counted, plain_json, table, titled
from app.cli.hits import HITS_SHOWN, hit_document, hit_lines
from app.exchange import inbox, recalling, telephone
from app.exchange.inbox import Listed
from app.intel.compare import ABSENT
from app.messages import _, listed, plain
from app.words import OBJECT_STATES, PACKAGE_STATES, PRIORITIES, STATUSES, type_name, word


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
    rows = (
        (
            p.number,
            p.sender,
            p.seq,
            word(PACKAGE_STATES, p.state),
            word(PRIORITIES, p.priority),
            p.objects,
            p.received,
        )
        for p in found
    )
    document = {
        "packages": [_package(one) for one in found],
        "recalls": [
            {"number": r.number, "from": r.counterpart, "objects": r.objects, "received": r.came}
            for r in asked_back
        ],
    }
    asks = _("Recall {number}: {name} asks back {n}. See `recall show {number}`.")
    lines = [asks.format(number=r.number, name=plain(r.counterpart), n=r.objects) for r in asked_back]
    return session.show(document, [*lines, *table(rows)])


@inbox_group.command("show")
@click.argument("number", type=click.IntRange(1, NUMBER_LIMIT))
@click.option(
    "--diff",
    "id_",
    metavar="ID",
    help="One object, property by property beside what is held; all of it, if nothing is.",
)
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
                "level": None if one.level is None else one.level.label,
                "embargo": one.embargo or None,
                "exercise": one.exercise,
                "hits": [hit_document(hit) for hit in one.hits],
            }
            for one in review.objects
        ],
    }
    lines = [
        *table((word(STATUSES, status), count) for status, count in review.counts.items()),
        *table(
            (
                word(STATUSES, o.status),
                word(OBJECT_STATES, o.decision),
                "-" if o.level is None else o.level.label,
                type_name(o.type),
                titled(o.title),
                o.id,
            )
            for o in review.objects
        ),
    ]
    if review.answers:
        numbers = listed(map(str, review.answers))
        lines.insert(0, _("It answers request {numbers}.").format(numbers=numbers))
    hits = [hit for one in review.objects for hit in one.hits]
    if hits:
        lines += [_("{n} observables are held already:").format(n=len(hits)), *hit_lines(hits[:HITS_SHOWN])]
    if review.package.note:
        lines[:0] = map(plain, review.package.note.splitlines())
    for remark, count in review.remarks.items():
        if count:
            lines.append(counted(count, f"remark-{remark}"))
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
    return {
        "position": one.position,
        "held": held,
        "differences": differences,
        "object": msgspec.Raw(one.raw),
    }


def _beside_lines(one: inbox.Beside) -> list[str]:
    if one.held is None:
        return [_("Nothing is held under this id."), *plain_json(one.raw)]
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


COMMANDS: dict[str, click.Command] = {"inbox": inbox_group}
