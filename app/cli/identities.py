"""Commands about our own identity: list, rotate, replace."""

from __future__ import annotations

import click

from app.cli.base import Session, table
from app.exchange import counterparts, identities
from app.messages import Refused, _, listed


@click.group()
def identity() -> None:
    """This installation's keys: who it is, and who it was."""


@identity.command("list")
@click.pass_obj
def list_(session: Session) -> int:
    """Every identity this installation had, the one in use first."""
    with session.unlocked() as installation:
        found = identities.listed(installation)
    words = {"in-use": _("in use"), "retired": _("retired"), "erased": _("retired, erased")}
    rows = ((one.fingerprint, words[one.state], one.since, listed(one.waiting)) for one in found)
    document = {
        "identities": [
            {
                "fingerprint": one.fingerprint,
                "state": one.state,
                "since": one.since,
                "rotated": one.rotated,
                "waiting": list(one.waiting),
            }
            for one in found
        ]
    }
    return session.show(document, table(rows))


@identity.command("rotate")
@click.option("--name", default="", help="The name the new card says (default: as before).")
@click.option("--country", default="", help="ISO 3166 two-letter code (default: as before).")
@click.pass_obj
def rotate(session: Session, name: str, country: str) -> int:
    """Take new keys in time. The old ones sign for them: counterparts follow with the next package, without a
    ceremony.
    """
    with session.unlocked() as installation:
        before = installation.identity.fingerprint
        fingerprint = identities.rotate(installation, name, country.upper())
    lines = [
        _("Fingerprint: {f}").format(f=fingerprint),
        _(
            "Every counterpart is told with the next package. Tell them by another way too, so that they may ask."
        ),
    ]
    return session.show({"fingerprint": fingerprint, "before": before}, lines)


@identity.command("replace")
@click.option("--lost", is_flag=True, help="The old keys are lost, or may be in other hands.")
@click.option("--name", default="", help="The name the new card says (default: as before).")
@click.option("--country", default="", help="ISO 3166 two-letter code (default: as before).")
@click.pass_obj
def replace(session: Session, lost: bool, name: str, country: str) -> int:
    """Take new keys that the old ones do not sign for: every counterpart compares the new card anew."""
    if not lost:
        raise Refused("replace-unconfirmed")
    with session.unlocked() as installation:
        before = installation.identity.fingerprint
        fingerprint = identities.replace_lost(installation, name, country.upper())
        names = [one.alias for one in counterparts.listed(installation) if not one.revoked]
    lines = [
        _("Fingerprint: {f}").format(f=fingerprint),
        _("Export the card, and verify anew with: {names}").format(names=listed(names) or "-"),
    ]
    return session.show({"fingerprint": fingerprint, "before": before, "verify": names}, lines, bool(names))


COMMANDS: dict[str, click.Command] = {"identity": identity}
