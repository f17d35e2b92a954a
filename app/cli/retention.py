"""Commands about what must go by when: retention list and purge."""

from __future__ import annotations

import click

from app.cli.base import Session, table, why
from app.exchange import retention
from app.messages import _, ngettext


@click.group("retention")
def retention_() -> None:
    """What must go by when, here and at counterparts."""


@retention_.command("list")
@click.option("--to", default="", metavar="NAME", help="Only with this counterpart.")
@click.pass_obj
def list_(session: Session, to: str) -> int:
    """What is held of others' and what others hold of ours, the earliest day first."""
    with session.unlocked() as installation:
        found = retention.due(installation, to)
    document = {
        "held": [
            {
                "id": one.id,
                "modified": one.modified or None,
                "sha256": one.sha256.hex(),
                "from": one.giver,
                "since": one.since,
                "due": one.due,
                "overdue": one.overdue,
                "inbox": one.inbox,
            }
            for one in found.held
        ],
        "given": [
            {
                "to": one.to,
                "seq": one.seq,
                "objects": one.objects,
                "sealed": one.sealed,
                "due": one.due,
                "overdue": one.overdue,
                "longer": one.longer,
            }
            for one in found.given
        ],
    }
    lines = [
        *table((one.due, _late(one.overdue), one.giver, one.id, one.modified or "-") for one in found.held),
        *table(
            (one.due, _late(one.overdue), one.to, one.seq, _objects(one.objects), one.sealed)
            for one in found.given
        ),
    ]
    late = sum(one.overdue for one in found.held) + sum(one.overdue for one in found.given)
    if late:
        lines.append(why("retention-overdue", count=late))
    return session.show(document, lines or [_("Nothing is due.")], attention=bool(late))


@retention_.command("purge")
@click.pass_obj
def purge(session: Session) -> int:
    """Remove for good what is overdue here."""
    with session.unlocked() as installation:
        done, mixed = retention.purge(installation, session.job())
    document = {
        "purged": done.objects,
        "versions": done.versions,
        "copies": done.copies,
        "kept": list(mixed),
        "waiting": list(done.waiting),
    }
    lines = [
        _objects(done.objects),
        *(why("retention-mixed", id=id_) for id_ in mixed),
        *(why("purge-waiting", number=number) for number in done.waiting),
    ]
    return session.show(document, lines, attention=bool(mixed or done.waiting))


def _objects(count: int) -> str:
    return ngettext("{n} object", "{n} objects", count).format(n=count)


def _late(overdue: bool) -> str:
    return _("overdue") if overdue else "-"


COMMANDS: dict[str, click.Command] = {"retention": retention_}
