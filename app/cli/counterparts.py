"""Commands about counterparts: add, list, verify, alias, revoke."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from app.cli.base import Session, table
from app.exchange import counterparts
from app.exchange.counterparts import Listed
from app.messages import Refused, _


@click.group()
def counterpart() -> None:
    """Whom this installation exchanges with."""


@counterpart.command("add")
@click.argument("card", type=click.Path(path_type=Path))
@click.option("--alias", default="", help="The local name (default: the card's name, if it is free).")
@click.pass_obj
def add(session: Session, card: Path, alias: str) -> int:
    """Pin a counterpart's card. It stays unverified until `verify`."""
    try:
        with card.open("rb") as file:
            raw = file.read(counterparts.CARD_LIMIT + 1)
    except OSError as error:
        raise Refused("file-unreadable", path=card, why=error.strerror) from error
    with session.unlocked() as installation:
        one = counterparts.add(installation, raw, alias)
    return session.show(_document(one), _lines(one))


@counterpart.command("list")
@click.pass_obj
def list_(session: Session) -> int:
    """All counterparts."""
    with session.unlocked() as installation:
        found = counterparts.listed(installation)
    rows = ((one.alias, _state(one), one.country, one.name, one.fingerprint) for one in found)
    return session.show({"counterparts": [_document(one) for one in found]}, table(rows))


@counterpart.command("verify")
@click.argument("name")
@click.option(
    "--confirmed",
    is_flag=True,
    help="You compared the fingerprint with the counterpart, by voice or in person.",
)
@click.pass_obj
def verify(session: Session, name: str, confirmed: bool) -> int:
    """State that a counterpart's card is theirs. Without --confirmed: show what to compare."""
    with session.unlocked() as installation:
        if not confirmed:
            with installation.database.snapshot() as reader:
                one = counterparts.find(reader, name)
            groups = " ".join(one.fingerprint[i : i + 4] for i in range(0, 64, 4))
            raise Refused("verify-unconfirmed", name=one.alias, fingerprint=groups)
        listed = counterparts.verify(installation, name)
    return session.show(_document(listed), _lines(listed))


@counterpart.command("alias")
@click.argument("name")
@click.argument("new")
@click.pass_obj
def alias(session: Session, name: str, new: str) -> int:
    """Give a counterpart another local name."""
    with session.unlocked() as installation:
        one = counterparts.rename(installation, name, new)
    return session.show(_document(one), _lines(one))


@counterpart.command("revoke")
@click.argument("name")
@click.pass_obj
def revoke(session: Session, name: str) -> int:
    """Exchange nothing with a counterpart any more."""
    with session.unlocked() as installation:
        one = counterparts.revoke(installation, name)
    return session.show(_document(one), _lines(one))


def _document(one: Listed) -> dict[str, Any]:
    return {
        "fingerprint": one.fingerprint,
        "name": one.name,
        "alias": one.alias,
        "country": one.country,
        "verified": one.verified,
        "revoked": one.revoked,
    }


def _state(one: Listed) -> str:
    return _("revoked") if one.revoked else _("verified") if one.verified else _("not verified")


def _lines(one: Listed) -> list[str]:
    return [*table([(one.alias, _state(one), one.country, one.name)]), one.fingerprint]


COMMANDS: dict[str, click.Command] = {"counterpart": counterpart}
