"""Commands about the log: audit list, verify, export, checkpoint, prove, open, opened, report."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import Any

import click

from app import audit, outside
from app.audit import checking, opening, papers
from app.audit import report as reports
from app.audit.papers import Checked
from app.cli.base import NUMBER_LIMIT, Session, fail, table, why
from app.cli.days import Day
from app.courier import folder
from app.direction import shown
from app.exchange import counterparts
from app.messages import _, plain
from app.store.installation import Installation
from app.words import ACTS, logged_words, word

CARD_LIMIT = 65_536

# What few commands need, and takes long to load, is imported where it is used.


@click.group("audit")
def audit_group() -> None:
    """The tamper-evident log."""


@audit_group.command("list")
@click.option("--limit", type=click.IntRange(1, 100_000), default=100, show_default=True)
@click.option("--before", type=click.IntRange(1, NUMBER_LIMIT), help="Only entries with a lower number.")
@click.pass_obj
def audit_list(session: Session, limit: int, before: int | None) -> int:
    """The newest entries first."""
    with session.unlocked() as installation:
        found = audit.entries(installation.database.read(), before, limit)
    rows = (_cells(e) for e in found)
    return session.show({"entries": [_entry(e) for e in found]}, table(rows))


def _cells(one: audit.Entry) -> tuple[object, ...]:
    detail = ", ".join(
        f"{name}={word(logged_words(one.act, name, value), str(value))}" for name, value in one.detail.items()
    )
    return one.number, one.at, one.officer, word(ACTS, one.act), detail


def _entry(one: audit.Entry) -> dict[str, Any]:
    return {
        "number": one.number,
        "at": one.at,
        "officer": one.officer,
        "act": one.act,
        "detail": one.detail,
    }


@audit_group.command("verify")
@click.argument("file", type=click.Path(path_type=Path), required=False)
@click.option(
    "--card", "cards", type=click.Path(path_type=Path), multiple=True, help="Whose log FILE is of; repeat it."
)
@click.option(
    "--checkpoint",
    "checkpoints",
    type=click.Path(path_type=Path),
    multiple=True,
    help="An earlier checkpoint that the log must have grown from; repeat it.",
)
@click.pass_obj
def audit_verify(
    session: Session, file: Path | None, cards: tuple[Path, ...], checkpoints: tuple[Path, ...]
) -> int:
    """Check that no entry was altered, dropped, cut off, moved or rewritten.

    With FILE, an export, a proof or a checkpoint: needs no installation and no passphrase.
    """
    if file is not None:
        if not cards:
            raise click.UsageError(_("Give the card of the installation whose log it is: --card."))
        return _verify_file(session, file, cards, checkpoints)
    if cards:
        raise click.UsageError(_("--card goes with FILE."))
    with session.unlocked() as installation:
        reader = installation.database.read()
        own, name = papers.own_cards(reader), audit.name(reader)
        problems = checking.check(installation, [papers.witness(path, own, name) for path in checkpoints])
    document = {"ok": not problems, "problems": [_problem(one) for one in problems]}
    return _say(session, document, [], problems)


def _verify_file(session: Session, file: Path, cards: tuple[Path, ...], checkpoints: tuple[Path, ...]) -> int:
    known = papers.cards([outside.start(card, CARD_LIMIT) for card in cards])
    found = papers.check(file, known, checkpoints)
    document = _checked(found) | {
        "ok": not found.breaks,
        "problems": [_problem(one) for one in found.breaks],
    }
    lines = [
        *table(
            (
                (_("Signed by"), f"{found.card.name} ({found.card.country})"),
                (_("Fingerprint"), found.card.fingerprint),
                (_("Log"), found.checkpoint.origin),
                (_("Entries"), found.checkpoint.size),
            )
        )
    ]
    if found.entry is not None:
        lines += table([_cells(found.entry)])
        lines.append(_("This entry is in the log."))
    if found.kind != "export":
        # One checkpoint, or one entry, says nothing of all the others.
        return session.show(document, [*lines, _("The signature is good.")])
    return _say(session, document, lines, found.breaks)


def _checked(found: Checked) -> dict[str, Any]:
    return {
        "kind": found.kind,
        "signer": {"fingerprint": found.card.fingerprint, "name": found.card.name},
        "origin": found.checkpoint.origin,
        "entries": found.checkpoint.size,
        "entry": None if found.entry is None else _entry(found.entry),
    }


def _say(session: Session, document: dict[str, Any], lines: list[str], problems: Any) -> int:
    found = [why(one.code, where=one.where) for one in problems]
    session.show(document, [*lines, *(found or [_("The log is whole.")])])
    return fail("problems-found", count=len(found)) if found else 0


def _problem(one: checking.Break) -> dict[str, object]:
    return {"code": one.code, "first": one.first, "last": one.last, "against": one.against or None}


@audit_group.command("export")
@click.argument("file", type=click.Path(path_type=Path))
@click.pass_obj
def audit_export(session: Session, file: Path) -> int:
    """Write the log to FILE with its signed checkpoint: whoever has the card can verify it."""
    with session.unlocked() as installation, folder.new_file(file) as out:
        _logged(installation, "log.exported")
        with installation.database.snapshot() as reader:
            out.writelines(papers.export(reader, installation))
    return session.show({"file": str(file)}, [str(file)])


@audit_group.command("checkpoint")
@click.argument("file", type=click.Path(path_type=Path))
@click.pass_obj
def audit_checkpoint(session: Session, file: Path) -> int:
    """Write the signed checkpoint of the log to FILE, to be kept elsewhere and compared later."""
    with session.unlocked() as installation, folder.new_file(file) as out:
        _logged(installation, "log.checkpoint")
        reader = installation.database.read()
        out.write(papers.signed(reader, installation))
        size, verifier = audit.head(reader).number, papers.verifier(reader, installation)
    document = {"file": str(file), "entries": size, "verifier": verifier}
    return session.show(document, [str(file), _("Entries: {n}").format(n=size), verifier])


@audit_group.command("prove")
@click.argument("number", type=click.IntRange(1, NUMBER_LIMIT))
@click.option("--out", type=click.Path(path_type=Path), required=True, help="A new file.")
@click.pass_obj
def audit_prove(session: Session, number: int, out: Path) -> int:
    """Write a proof that entry NUMBER is in the log, with nothing of the other entries."""
    with session.unlocked() as installation:
        papers.prove(installation.database.read(), installation, number)
        with folder.new_file(out) as file:
            _logged(installation, "log.proved", number=number)
            with installation.database.snapshot() as reader:
                file.write(papers.prove(reader, installation, number))
    return session.show({"file": str(out), "number": number}, [str(out)])


@audit_group.command("open")
@click.argument("seq", type=click.IntRange(1, NUMBER_LIMIT))
@click.option("--to", required=True, metavar="NAME", help="The counterpart.")
@click.option("--out", type=click.Path(path_type=Path), help="A new file, for whoever disputes it.")
@click.pass_obj
def audit_open(session: Session, seq: int, to: str, out: Path | None) -> int:
    """Open what package SEQ committed to: which log stood behind it."""
    from app.exchange import outbox

    with session.unlocked() as installation:
        reader = installation.database.read()
        record = outbox.record(installation, to, seq)
        raw = opening.opening(reader, record)
        found = opening.check(raw, papers.own_cards(reader))
        if out is not None:
            folder.write_pieces(out, [raw])
        _logged(installation, "log.opened", to=counterparts.find(reader, to).fingerprint, seq=seq)
    document = _opened(found) | {"salt": record.salt.hex(), "file": None if out is None else str(out)}
    lines = [found.checkpoint.text.decode().rstrip(), f"salt {record.salt.hex()}"]
    return session.show(document, [*lines, _("Package {seq} committed to this log.").format(seq=seq)])


@audit_group.command("opened")
@click.argument("file", type=click.Path(path_type=Path))
@click.pass_obj
def audit_opened(session: Session, file: Path) -> int:
    """Check what a counterpart opened against the manifest that is kept here."""
    from app.exchange import outbox

    with session.unlocked() as installation:
        found, name, number = outbox.opened(installation, outside.start(file, opening.FILE_LIMIT))
    document = _opened(found) | {"from": name, "number": number}
    lines = [
        found.checkpoint.text.decode().rstrip(),
        _("Package {seq} from {name} committed to this log.").format(
            seq=found.manifest.seq, name=plain(name)
        ),
    ]
    if number is None:
        lines.append(why("opening-unreceived", seq=found.manifest.seq, name=name))
    return session.show(document, lines, attention=number is None)


def _opened(found: opening.Opened) -> dict[str, Any]:
    return {
        "seq": found.manifest.seq,
        "manifest": found.manifest_hash.hex(),
        "entries": found.checkpoint.size,
        "checkpoint": found.checkpoint.text.decode(),
    }


@audit_group.command("report")
@click.option("--from", "since", type=Day(), help="The first day, as 2027-01-31.")
@click.option("--until", type=Day(), help="The last day.")
@click.option(
    "--references",
    is_flag=True,
    help="Tell the references and purposes of releases too, as officers wrote them.",
)
@click.option("--out", type=click.Path(path_type=Path), help="A new text file.")
@click.pass_obj
def audit_report(
    session: Session, since: str | None, until: str | None, references: bool, out: Path | None
) -> int:
    """What an inspector may read: who did what when, how much went to whom. No intel."""
    from app import printed

    with session.unlocked() as installation, nullcontext() if out is None else folder.new_file(out) as file:
        _logged(installation, "log.reported")
        with installation.database.snapshot() as reader:
            found = reports.report(reader, since or "", until or "", references)
            problems = checking.verify(reader)
        lines = printed.report(found, problems)
        if file is not None:
            file.write((shown("\n".join(lines)) + "\n").encode())
    document = {
        "from": since,
        "until": until,
        "head": {"number": found.head.number, "hash": found.head.hash.hex()},
        "problems": [_problem(one) for one in problems],
        "officers": {name: dict(acts) for name, acts in found.officers.items()},
        "exchanges": [
            {
                "fingerprint": one.fingerprint,
                "alias": one.alias,
                "sealed": one.sealed,
                "void": one.void,
                "released": one.released,
                "objects": one.objects,
                "received": one.received,
                "receipts": one.receipts,
                "accepted": one.accepted,
                "refused": one.refused,
                "agreements": sorted(one.agreements),
            }
            for one in found.exchanges
        ],
        "entries": [_entry(one) for one in found.entries],
        "file": None if out is None else str(out),
    }
    return session.show(document, lines if out is None else [str(out)])


def _logged(installation: Installation, act: str, **detail: object) -> None:
    with installation.database.write() as tx:
        audit.append(tx, installation, act, **detail)


COMMANDS: dict[str, click.Command] = {"audit": audit_group}
