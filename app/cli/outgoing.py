"""Commands about what leaves: release, outbox, carry, resend, void, receipt, ledger."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import click

from app.cli.base import NUMBER_LIMIT, Session, counted, ids_from, say_refused, table, why
from app.courier import folder
from app.exchange import outbox, receipts, releases, sealing, telephone
from app.exchange.releases import Decision, Wish
from app.holdings import browsing
from app.messages import Refused, _, listed
from app.store.installation import Installation
from app.store.objects import ObjectRow
from app.store.packages import Told
from app.words import OBJECT_STATES, PACKAGE_STATES, PRIORITIES, type_name, word
from crypto.codes import spoken


@click.command()
@click.option(
    "--to",
    "names",
    required=True,
    multiple=True,
    metavar="NAME",
    help="The counterpart; with --dry-run, several.",
)
@click.option("--ids", type=click.Path(path_type=Path), help="STIX ids, one a line.")
@click.option("--query", help="What `search` finds.")
@click.option("--all", "everything", is_flag=True, help="Everything held.")
@click.option("--new", "new_only", is_flag=True, help="Only what they do not have yet.")
@click.option("--versions", type=click.Choice(["current", "all"]), default="current", show_default=True)
@click.option("--note", default="", help="A cover note, as plain text.")
@click.option("--priority", type=click.Choice(releases.PRIORITIES), default="routine", show_default=True)
@click.option("--reference", default="", help="The number of your own file.")
@click.option("--purpose", default="", help="What it is for, as the agreement names it.")
@click.option("--exercise", is_flag=True, help="It is an exercise.")
@click.option(
    "--answers",
    type=click.IntRange(1, NUMBER_LIMIT),
    multiple=True,
    metavar="NUMBER",
    help="It answers this request for information.",
)
@click.option("--dry-run", is_flag=True, help="Only show what would leave and what is held back.")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="A new file, or a folder (default: the package waits in the outbox).",
)
@click.pass_obj
def release(
    session: Session,
    names: tuple[str, ...],
    ids: Path | None,
    query: str | None,
    everything: bool,
    new_only: bool,
    versions: str,
    note: str,
    priority: str,
    reference: str,
    purpose: str,
    exercise: bool,
    answers: tuple[int, ...],
    dry_run: bool,
    out: Path | None,
) -> int:
    """Seal what may leave into one package for one counterpart."""
    if (ids is not None) + (query is not None) + everything != 1:
        raise click.UsageError(_("Give one of --ids, --query and --all."))
    if query is not None and not query.strip():
        # A query that narrows nothing finds everything: that is to be said, not to come of an empty variable.
        raise click.UsageError(_("--query is empty. To release everything, give --all."))
    if len(names) > 1 and not dry_run:
        raise click.UsageError(_("A package is for one counterpart. Compare several with --dry-run."))
    to = names[0]
    with session.unlocked() as installation:
        selected, known = None, dict[str, ObjectRow]()
        if ids is not None:
            selected = ids_from(ids)
        elif query is not None:
            selected = browsing.ids(installation, browsing.selection(query))
            if not selected:
                raise Refused("nothing-found", query=query)
        wish = Wish(
            selected,
            new_only,
            versions == "all",
            note,
            priority,
            reference,
            purpose=purpose,
            exercise=exercise,
            answers=answers,
        )
        if len(names) > 1:
            return _compare(session, installation, names, wish)
        try:
            if dry_run:
                releases.require_usable(installation, to, wish)
                decision = releases.check(installation, to, wish, session.job())
                if not decision.leaving:
                    raise Refused("nothing-leaves", decision=decision)
                sealed = None
                known = browsing.named(installation, (item.id for item in decision.leaving))
            else:
                released = releases.release(installation, to, wish, out, session.job())
                decision, sealed = released.decision, released.package
        except Refused as error:
            if error.code != "nothing-leaves" or not isinstance(error.facts.get("decision"), Decision):
                raise
            decision = error.facts["decision"]  # type: ignore[assignment]
            session.show(_document(decision, None), _lines(decision, None))
            return say_refused(error)
    lines = [*_leaving(decision, known), *_lines(decision, sealed)]
    return session.show(_document(decision, sealed), lines, attention=bool(decision.held))


def _compare(session: Session, installation: Installation, names: tuple[str, ...], wish: Wish) -> int:
    """One selection at the gate of several counterparts: what would leave for each, object by object."""
    found: dict[str, Decision | Refused] = {}
    for name in names:
        try:
            found[name] = releases.check(installation, name, wish, session.job())
        except Refused as error:
            found[name] = error
    decisions = {name: one for name, one in found.items() if isinstance(one, Decision)}
    codes: dict[str, dict[str, str]] = {}
    for name, decision in decisions.items():
        for item in decision.items:
            codes.setdefault(item.id, {})[name] = item.code
    document = {
        "counterparts": [
            {"to": name}
            | (
                {"refused": one.code, "leaves": 0, "held": []}
                if isinstance(one, Refused)
                else {
                    "refused": None,
                    "leaves": len(one.leaving),
                    "held": [{"id": item.id, "code": item.code} for item in one.held],
                }
            )
            for name, one in found.items()
        ]
    }
    differ = {id_: verdicts for id_, verdicts in codes.items() if len(set(verdicts.values())) > 1}
    lines = [
        *table(
            (name, why(one.code, **one.facts) if isinstance(one, Refused) else len(one.leaving))
            for name, one in found.items()
        ),
        *([_("Not the same for all:")] if differ else []),
        *table(
            (id_, *(verdicts.get(name, "-") for name in found)) for id_, verdicts in sorted(differ.items())
        ),
    ]
    held = any(isinstance(one, Refused) or one.held for one in found.values())
    return session.show(document, lines, attention=held)


def _document(decision: Decision, sealed: sealing.SealedPackage | None) -> dict[str, Any]:
    return {
        "package": None if sealed is None else str(sealed.path),
        "seq": None if sealed is None else sealed.seq,
        "protection": decision.protection,
        "leaves": len(decision.leaving),
        "objects": [
            {"id": item.id, "modified": item.modified or None, "sha256": item.sha256.hex()}
            for item in decision.leaving
        ],
        "already_has": sum(1 for item in decision.items if item.code == "already-has"),
        "held": [
            {"id": item.id, "modified": item.modified or None, "code": item.code} for item in decision.held
        ],
        "attachments": [
            {
                "id": one.id,
                "name": one.name,
                "size": one.size,
                "sha256": one.sha256.hex(),
                "sample": one.sample,
            }
            for one in decision.attachments
        ],
        "warnings": [{"code": one.code, "count": one.count} for one in decision.warnings],
        "sha256": None if sealed is None else sealed.sha256.hex(),
    }


def _leaving(decision: Decision, known: Mapping[str, ObjectRow]) -> Iterable[str]:
    """What would leave, each with the level it has at the gate; of a dry run only."""
    return table(
        (item.level.label, type_name(item.type), known[item.id].name[:60], item.id, item.modified or "-")
        for item in decision.leaving
        if item.id in known
    )


def _lines(decision: Decision, sealed: sealing.SealedPackage | None) -> list[str]:
    lines = [_("Leaves: {n}").format(n=len(decision.leaving))]
    for code, count in Counter(item.code for item in decision.items if item.code != "leaves").most_common():
        lines.append(counted(count, code))
        some = [item for item in decision.items if item.code == code]
        lines += [f"    {item.id}" for item in some[:5]]
        if len(some) > 5:
            lines.append("    " + _("and {n} more").format(n=len(some) - 5))
    if decision.attachments:
        lines.append(_("With them, attachments: {n}").format(n=len(decision.attachments)))
        lines += table(("   ", one.size, one.name, one.id) for one in decision.attachments)
    lines += [counted(one.count, one.code) for one in decision.warnings]
    lines.append(why(f"protection-{decision.protection}"))
    if sealed is not None:
        lines.append(_("Package {seq}: {path}").format(seq=sealed.seq, path=sealed.path))
        lines.append(f"SHA-256 {sealed.sha256.hex()}")
    return lines


@click.command("outbox")
@click.option("--to", default="", metavar="NAME", help="Only for this counterpart.")
@click.pass_obj
def outbox_(session: Session, to: str) -> int:
    """Sealed packages and how far they got."""
    with session.unlocked() as installation:
        found = outbox.listed(installation, to)
    document = {
        "packages": [
            {
                "to": one.to,
                "seq": one.seq,
                "state": one.state,
                "sealed": one.sealed,
                "size": one.size,
                "protection": one.protection,
                "release": one.release,
                "reference": one.reference,
                "priority": one.priority,
                "accepted": None if one.told is None else one.told.accepted,
                "refused": None if one.told is None else one.told.refused,
                "reason": "" if one.told is None else one.told.reason,
                "file": str(one.path),
            }
            for one in found
        ]
    }
    rows = (
        (
            p.to,
            p.seq,
            word(PACKAGE_STATES, p.state),
            p.sealed,
            p.size,
            word(PRIORITIES, p.priority),
            p.reference,
            _told(p.told),
        )
        for p in found
    )
    return session.show(document, table(rows))


def _told(said: Told | None) -> str:
    """What the newest receipt says of a package, in words."""
    if said is None:
        return ""
    words = _("{accepted} accepted, {refused} refused").format(accepted=said.accepted, refused=said.refused)
    return f"{words}: {said.reason}" if said.reason and said.refused else words


@click.command()
@click.argument("seq", type=click.IntRange(1, NUMBER_LIMIT))
@click.option("--to", required=True, metavar="NAME", help="The counterpart.")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="A new file, or a folder.")
@click.pass_obj
def carry(session: Session, seq: int, to: str, out: Path) -> int:
    """Copy a sealed package once more, byte for byte."""
    with session.unlocked() as installation:
        path = outbox.carry(installation, to, seq, out, session.job())
    return session.show({"package": str(path), "seq": seq}, [str(path)])


@click.command()
@click.argument("seq", type=click.IntRange(1, NUMBER_LIMIT))
@click.option("--to", required=True, metavar="NAME", help="The counterpart.")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="A new file, or a folder (default: it waits in the outbox).",
)
@click.pass_obj
def resend(session: Session, seq: int, to: str, out: Path | None) -> int:
    """Release again what a lost package had, as a new package; SEQ becomes void."""
    with session.unlocked() as installation:
        released = outbox.resend(installation, to, seq, out, session.job())
    document = _document(released.decision, released.package) | {"replaces": seq}
    return session.show(document, _lines(released.decision, released.package))


@click.command()
@click.argument("seq", type=click.IntRange(1, NUMBER_LIMIT))
@click.option("--to", required=True, metavar="NAME", help="The counterpart.")
@click.pass_obj
def void(session: Session, seq: int, to: str) -> int:
    """Declare a package void that was sealed wrongly or is lost; the next one tells them."""
    with session.unlocked() as installation:
        outbox.void(installation, to, seq)
    return session.show({"seq": seq, "state": "void"}, [_("Package {seq} is void.").format(seq=seq)])


@click.command()
@click.argument("seq", type=click.IntRange(1, NUMBER_LIMIT))
@click.option("--to", required=True, metavar="NAME", help="The counterpart.")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    required=True,
    help="A new file: .html to print, else plain text.",
)
@click.pass_obj
def slip(session: Session, seq: int, to: str, out: Path) -> int:
    """Write the slip that goes with a package on paper: its SHA-256, whom it is for, lines for signatures."""
    from app import printed
    from app.exchange import slips

    with session.unlocked() as installation:
        found = slips.slip(installation, to, seq)
    page = out.suffix.lower() in (".html", ".htm")
    text = printed.slip_page(found) if page else "\n".join(printed.slip(found)) + "\n"
    folder.write_pieces(out, [text.encode()])
    return session.show({"file": str(out), "sha256": found.sha256}, [str(out)])


@click.command()
@click.option("--to", required=True, metavar="NAME", help="The counterpart.")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="A new file, or a folder (default: it waits in the outbox).",
)
@click.pass_obj
def receipt(session: Session, to: str, out: Path | None) -> int:
    """Seal the signed answer to what a counterpart sent."""
    with session.unlocked() as installation:
        sealed = receipts.send(installation, to, out, session.job())
    document = {"package": str(sealed.path), "seq": sealed.seq, "protection": sealed.protection}
    return session.show(document, [_("Package {seq}: {path}").format(seq=sealed.seq, path=sealed.path)])


@click.command()
@click.argument("seq", type=click.IntRange(1, NUMBER_LIMIT))
@click.option("--to", required=True, metavar="NAME", help="The counterpart.")
@click.option("--code", help="The eight digits they read out.")
@click.option("--accepted", type=click.IntRange(0, NUMBER_LIMIT), help="How many they said they accepted.")
@click.option("--refused", type=click.IntRange(0, NUMBER_LIMIT), help="How many they said they refused.")
@click.pass_obj
def heard(
    session: Session, seq: int, to: str, code: str | None, accepted: int | None, refused: int | None
) -> int:
    """Check the code that a counterpart reads over the telephone for package SEQ, until their receipt is here."""
    with session.unlocked() as installation:
        if code is None:
            return _codes(session, seq, telephone.expected(installation, to, seq, accepted, refused))
        said = telephone.heard(installation, to, seq, code, accepted, refused)
    document = {"seq": seq, "objects": said.objects, "accepted": said.accepted, "refused": said.refused}
    words = _("They opened package {seq}: {accepted} of {objects} accepted, {refused} refused.")
    return session.show(document, [words.format(**document)])


def _codes(session: Session, seq: int, found: list[tuple[telephone.Heard, str]]) -> int:
    document = {
        "seq": seq,
        "codes": [
            {"accepted": one.accepted, "refused": one.refused, "code": spoken(code)[0]} for one, code in found
        ],
    }
    rows = ((*spoken(code), _("accepted"), one.accepted, _("refused"), one.refused) for one, code in found)
    return session.show(document, table(rows))


@click.command()
@click.option("--to", default="", metavar="NAME", help="Only this counterpart.")
@click.option("--id", "id_", default="", metavar="ID", help="Only this object.")
@click.pass_obj
def ledger(session: Session, to: str, id_: str) -> int:
    """Who was given which version of what, and how far it got."""
    with session.unlocked() as installation:
        found = list(receipts.ledger(installation, to, id_))
        given = receipts.given(installation, id_) if id_ else []
    document = {
        "entries": [
            {
                "id": e.id,
                "modified": e.modified or None,
                "to": e.to,
                "seq": e.seq,
                "state": e.state,
                "acknowledged": e.acknowledged,
                "since": e.since or None,
                "reference": e.reference,
                "agreements": list(e.agreements),
                "sha256": e.sha256,
            }
            for e in found
        ],
        "given": [
            {
                "id": e.id,
                "modified": e.modified or None,
                "from": e.sender,
                "number": e.number,
                "seq": e.seq,
                "received": e.received,
                "state": e.state,
                "sha256": e.sha256,
            }
            for e in given
        ],
    }
    state = partial(word, OBJECT_STATES)
    if not id_:
        return session.show(document, table((e.to, e.seq, state(e.state), e.id, e.modified) for e in found))
    numbers = {e: listed(map(str, e.agreements)) or "-" for e in found}
    gave = ((e.to, e.seq, state(e.state), e.modified, e.since, numbers[e], e.reference) for e in found)
    got = ((e.sender, e.seq, state(e.state), e.modified, e.received) for e in given)
    return session.show(document, [*table(gave), *([_("They gave us:")] if given else []), *table(got)])


COMMANDS: dict[str, click.Command] = {
    "release": release,
    "outbox": outbox_,
    "carry": carry,
    "resend": resend,
    "void": void,
    "receipt": receipt,
    "heard": heard,
    "slip": slip,
    "ledger": ledger,
}
