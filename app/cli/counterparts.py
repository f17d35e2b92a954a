"""Commands about counterparts: add, list, show, verify, alias, revoke."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from app import outside
from app.cli.base import Session, table, tell, why
from app.direction import shown
from app.exchange import counterparts, verification
from app.exchange.counterparts import Listed
from app.exchange.ranges import spoken
from app.exchange.verification import Ceremony
from app.messages import Refused, _, ngettext, plain
from app.store.installation import Installation


@click.group()
def counterpart() -> None:
    """Whom this installation exchanges with."""


@counterpart.command("add")
@click.argument("card", type=click.Path(path_type=Path))
@click.option("--alias", default="", help="The local name (default: the card's name, if it is free).")
@click.option(
    "--replaces",
    default="",
    help="The counterpart whose place it takes once it is verified: their old keys are lost.",
)
@click.pass_obj
def add(session: Session, card: Path, alias: str, replaces: str) -> int:
    """Pin a counterpart's card. It stays unverified until `verify`."""
    raw = outside.start(card, counterparts.CARD_LIMIT)
    with session.unlocked() as installation:
        one = counterparts.add(installation, raw, alias, replaces)
    return session.show(_document(one), _lines(one))


@counterpart.command("list")
@click.pass_obj
def list_(session: Session) -> int:
    """All counterparts."""
    with session.unlocked() as installation:
        found = counterparts.listed(installation)
    rows = ((one.alias, _state(one), one.country, one.name, one.fingerprint) for one in found)
    return session.show({"counterparts": [_document(one) for one in found]}, table(rows))


@counterpart.command("show")
@click.argument("name")
@click.pass_obj
def show(session: Session, name: str) -> int:
    """One counterpart: its card, the cards it had before, and what is to be compared."""
    with session.unlocked() as installation:
        fingerprint = counterparts.named(installation, name)
        one = next(one for one in counterparts.listed(installation) if one.fingerprint == fingerprint)
    lines = _lines(one)
    if one.carried:
        lines.append(why("identity-rotated"))
    if one.disputed:
        lines.append(why("identity-forked", name=one.alias))
    if one.lacks:
        lines.append(why("packages-lacking", numbers=spoken(one.lacks), name=plain(one.alias)))
    if one.replaces:
        lines.append(_("Takes the place of {name} once it is verified.").format(name=plain(one.replaces)))
    lines += [_("before: {f}").format(f=old) for old in reversed(one.former)]
    return session.show(_document(one), lines, one.disputed or bool(one.carried))


@counterpart.command("verify")
@click.argument("name")
@click.option(
    "--confirmed",
    is_flag=True,
    help="You compared the fingerprint with the counterpart, by voice or in person.",
)
@click.option("--code", is_flag=True, help="Compare by reading digits to each other, step by step.")
@click.pass_obj
def verify(session: Session, name: str, confirmed: bool, code: bool) -> int:
    """State that a counterpart's card is theirs. Without an option: show what to compare."""
    if confirmed and code:
        raise click.UsageError(_("Give one of --confirmed and --code."))
    with session.unlocked() as installation:
        if code:
            listed = _ceremony(installation, name)
        elif confirmed:
            listed = counterparts.verify(installation, name)
        else:
            with installation.database.snapshot() as reader:
                one = counterparts.find(reader, name)
            groups = " ".join(one.fingerprint[i : i + 4] for i in range(0, 64, 4))
            raise Refused("verify-unconfirmed", name=one.alias, fingerprint=groups)
    return session.show(_document(listed), _lines(listed))


def _ceremony(installation: Installation, name: str) -> Listed:
    """The dialogue of protocol.md 5; what is asked and shown goes to standard error."""
    ceremony = verification.begin(installation, name)
    _say(
        _("Read these digits to {name}, one by one; they type them.").format(name=plain(ceremony.name)),
        ceremony.mine,
    )
    ceremony = _until(ceremony, _("Their eight digits"), verification.hear)
    _say(_("Now read your half of the code to them:"), ceremony.half)
    while not ceremony.passed:
        ceremony = _until(ceremony, _("Their half of the code"), verification.compare)
        if not ceremony.passed:
            left = ceremony.misses_left
            if not left:
                raise Refused("verify-mismatch", name=ceremony.name)
            text = ngettext("It does not fit; {n} try is left.", "It does not fit; {n} tries are left.", left)
            tell(text.format(n=left))
    if not click.confirm(shown(_("It fits here. Did it fit on their side too?")), err=True):
        raise Refused("verify-unconfirmed-there", name=ceremony.name)
    return verification.confirm(installation, ceremony)


def _until(ceremony: Ceremony, question: str, step: Callable[[Ceremony, str], Ceremony]) -> Ceremony:
    """Ask until what was typed is a code at all."""
    while True:
        typed: str = click.prompt(shown(question), err=True)
        try:
            return step(ceremony, typed)
        except Refused as error:
            if error.code != "code-format":
                raise
            tell(why(error.code))


def _say(text: str, digits: str) -> None:
    western, arabic = verification.spoken(digits)
    tell(f"{text}\n\n    {western}\n    {arabic}\n")


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
        "carried": one.carried,
        "disputed": one.disputed,
        "former": list(one.former),
        "replaces": one.replaces,
        "lacks": [list(pair) for pair in one.lacks],
    }


def _state(one: Listed) -> str:
    if one.revoked:
        return _("revoked")
    if one.disputed:
        return _("two successors: verify anew")
    if one.carried:
        return _("verified, carried over")
    if one.lacks:
        return _("verified, lacks {numbers}").format(numbers=spoken(one.lacks))
    return _("verified") if one.verified else _("not verified")


def _lines(one: Listed) -> list[str]:
    return [*table([(one.alias, _state(one), one.country, one.name)]), one.fingerprint]


COMMANDS: dict[str, click.Command] = {"counterpart": counterpart}
