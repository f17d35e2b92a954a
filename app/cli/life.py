"""Commands about the life of an installation: backup, restore, revive, compact, head, clock."""

from __future__ import annotations

from pathlib import Path

import click

from app import vault
from app.audit import clock as clocks
from app.cli.base import Session, last_words, table, why
from app.cli.days import Day
from app.exchange import epochs
from app.messages import Refused, _


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--move", is_flag=True, help="Move to another machine: this installation retires in the same act."
)
@click.pass_obj
def backup(session: Session, file: Path, move: bool) -> int:
    """Write everything that is kept here into one encrypted file."""
    with session.unlocked() as installation:
        made = vault.back_up(installation, file, session.job(), move=move)
    document = {"file": str(made.path), "size": made.size, "entry": made.entry, "moved": move}
    lines = [_("Backup written and read back: {file}").format(file=made.path)]
    if move:
        lines.append(_("This installation is retired. Restore the file on the other machine."))
    return session.show(document, lines)


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.pass_obj
def restore(session: Session, file: Path) -> int:
    """Make the folder of --home, absent or empty, the installation that a backup holds."""
    passphrase = session.passphrase()
    done = vault.restore(
        session.home, file, passphrase, session.job(), recovery=session.recovery_file is not None
    )
    document = {
        "home": str(session.home),
        "fingerprint": done.fingerprint,
        "made": done.made,
        "entry": done.entry,
        "moved": done.moved,
        "problems": [{"code": p.code, "where": p.where} for p in done.problems],
    }
    lines = [
        _("Restored in {home}, as it was on {made}.").format(home=session.home, made=done.made),
        _("Fingerprint: {f}").format(f=done.fingerprint),
        _("Every channel begins anew; tell each counterpart's officer, who will be asked to confirm it."),
    ]
    lines += [why(p.code, where=p.where) for p in done.problems]
    return session.show(document, lines, attention=bool(done.problems))


@click.command()
@click.option("--confirmed", is_flag=True, help="The backup of the move was not restored, and will not be.")
@click.pass_obj
def revive(session: Session, confirmed: bool) -> int:
    """Work here again after a move that came to nothing; every channel begins anew."""
    if not confirmed:
        raise Refused("revive-unconfirmed")
    with session.unlocked() as installation:
        vault.revive(installation)
        channels = epochs.settle_restore(installation)
    return session.show({"channels": list(channels)}, [_("This installation is at work again.")])


@click.command()
@click.pass_obj
def compact(session: Session) -> int:
    """Write the store anew without the room that deleted objects left."""
    with session.unlocked() as installation:
        done = vault.compact(installation, session.job())
    return session.show(
        {"before": done.before, "after": done.after},
        [_("{before} bytes before, {after} after.").format(before=done.before, after=done.after)],
    )


@click.group()
def head() -> None:
    """Where the store stands, and whether an older copy of it was put back."""


@head.command("show")
@click.pass_obj
def head_show(session: Session) -> int:
    """The last session: when, by whom, at which log entry, and four words that stand for all of the log."""
    with session.opened() as opened:
        last = opened.last
        kept = vault.anchored(opened.installation.database.read())
    document = {
        "at": last.at,
        "officer": last.officer,
        "entry": last.entry,
        "words": list(last.words),
        "anchored": kept,
    }
    lines = [last_words(last)]
    lines.append(_("This workstation's keyring keeps watch.") if kept else why("rollback-unanchored"))
    return session.show(document, lines)


@head.command("accept")
@click.pass_obj
def head_accept(session: Session) -> int:
    """Go on with a store that is older than its anchor, or whose anchor is gone. You know why it is so.

    An older store begins every channel anew, as after a restore.
    """
    with session.opened(accept=True) as opened:
        if not opened.accepted:
            raise Refused("nothing-to-accept")
        document = {"accepted": opened.accepted, "entry": opened.last.entry}
    return session.show(document, [_("Accepted; the log says so.")])


@click.group()
def clock() -> None:
    """What time it is here, and the latest that the log has seen."""


@clock.command("show")
@click.pass_obj
def clock_show(session: Session) -> int:
    """This machine's clock, the latest time in the log, and the day by which agreements and consents end."""
    with session.unlocked() as installation:
        return _say_clock(session, clocks.read(installation))


@clock.command("correct")
@click.option("--today", "day", type=Day(), required=True, help="What day it is, as you know it (UTC).")
@click.option(
    "--reason", required=True, metavar="TEXT", help="Why the log saw a later time; it stands there."
)
@click.pass_obj
def clock_correct(session: Session, day: str, reason: str) -> int:
    """Count by this machine's clock again after it was wrongly ahead. What ended by that clock alone counts again."""
    with session.unlocked() as installation:
        return _say_clock(session, clocks.correct(installation, day, reason))


def _say_clock(session: Session, found: clocks.Reading) -> int:
    document = {"now": found.now, "latest": found.latest, "day": found.day, "behind": found.behind}
    rows = (
        (_("This machine's clock"), found.now),
        (_("Latest time in the log"), found.latest),
        (_("The day that counts"), found.day),
    )
    return session.show(document, table(rows), attention=found.behind)


COMMANDS: dict[str, click.Command] = {
    "backup": backup,
    "restore": restore,
    "revive": revive,
    "compact": compact,
    "head": head,
    "clock": clock,
}
