"""Commands that take in what comes, or refuse it: which, receive, accept, reject."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from app.cli.base import NUMBER_LIMIT, Session, counted, given_document, given_lines, ids_from, table, why
from app.exchange import deciding, naming, receiving
from app.exchange.deciding import Decided
from app.exchange.ranges import spoken
from app.exchange.receiving import Received
from app.messages import _, listed, ngettext, plain
from app.store.installation import OUTBOX
from app.words import PACKAGE_STATES, PRIORITIES, word


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
            *([(_("State"), word(PACKAGE_STATES, found.state))] if found.state else []),
            *([(_("Reference"), found.reference)] if found.reference else []),
            *([(_("Priority"), word(PRIORITIES, found.priority))] if found.priority == "flash" else []),
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
    attention = got.status != "new" or bool(got.failed or got.recalls or got.lacking)
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
        "lacking": [list(pair) for pair in got.lacking],
        "statements": list(got.said),
        "priority": got.priority,
    }


def _received_lines(got: Received) -> list[str]:
    lines = [_("Package {seq} from {name}.").format(seq=got.seq, name=plain(got.sender))]
    if got.priority == "flash":
        lines.append(_("It is urgent (flash)."))
    if got.objects:
        waiting = ngettext(
            "{n} object waits in the inbox as number {number}.",
            "{n} objects wait in the inbox as number {number}.",
            got.objects,
        )
        lines.append(waiting.format(n=got.objects, number=got.number))
    if got.recalls:
        numbers = listed(map(str, got.recalls))
        lines.append(
            _("They ask something back: recall {numbers}. See `recall show`.").format(numbers=numbers)
        )
    said = {
        "agreement": _("They propose an agreement. See `agreement list`."),
        "countersignature": _("They signed an agreement. See `agreement list`."),
        "receipt": _("They say what they opened, accepted and refused. See `ledger` and `outbox`."),
        "request": _("They ask for something. See `request list` and `consent list`."),
        "consent": _("They consent to a request. See `consent list`."),
        "confirmation": _("They answer a recall. See `recall list`."),
        "withdrawal": _(
            "They took something back, ended or declined it."
            " See `agreement list`, `consent list`, `request list` and `recall list`."
        ),
    }
    lines += [line for kind, line in said.items() if kind in got.said]
    if got.status != "new":
        lines.append(why(f"status-{got.status}", missing=spoken(got.missing)))
    if got.lacking:
        lines.append(why("packages-lacking", numbers=spoken(got.lacking), name=plain(got.sender)))
    return lines + [counted(plain(where), code) for where, code in got.failed]


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
    counts, given = _counts(decided), decided.given
    document = counts | {"given_lower": [given_document(one) for one in given]}
    return session.show(document, [*table(counts.items()), *given_lines(given)], attention=bool(given))


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
    counts = _counts(decided)
    return session.show(counts, table(counts.items()))


def _counts(decided: Decided) -> dict[str, Any]:
    return {"accepted": decided.accepted, "rejected": decided.rejected, "pending": decided.pending}


COMMANDS: dict[str, click.Command] = {
    "which": which,
    "receive": receive,
    "accept": accept,
    "reject": reject,
}
