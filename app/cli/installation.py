"""Commands about this installation: init, card, check, officer, setting."""

from __future__ import annotations

import os
from pathlib import Path

import click

from app import officers, settings, vault
from app.cli.base import Session, fail, table, why
from app.courier import folder
from app.exchange import counterparts
from app.messages import _


@click.command()
@click.option("--name", required=True, help="The installation's name, as its card will say it.")
@click.option("--country", required=True, help="ISO 3166 two-letter code.")
@click.option("--officer", default="", help="The first officer (default: your login name).")
@click.pass_obj
def init(session: Session, name: str, country: str, officer: str) -> int:
    """Create an installation."""
    who = officer or session.officer or os.environ.get("USER") or "officer"
    fingerprint = vault.create(session.home, name, country, who, session.passphrase(confirm=True))
    lines = [
        _("Installation created in {home}.").format(home=session.home),
        _("Fingerprint: {f}").format(f=fingerprint),
    ]
    return session.show({"fingerprint": fingerprint, "home": str(session.home), "officer": who}, lines)


@click.group()
def card() -> None:
    """This installation's card."""


@card.command("export")
@click.argument("file", type=click.Path(path_type=Path))
@click.pass_obj
def card_export(session: Session, file: Path) -> int:
    """Write the card to FILE, for a counterpart to import."""
    with session.unlocked() as installation:
        folder.write_pieces(file, [counterparts.own_card(installation)])
        fingerprint = installation.identity.fingerprint
    return session.show(
        {"fingerprint": fingerprint, "card": str(file)}, [_("Fingerprint: {f}").format(f=fingerprint)]
    )


@click.command()
@click.option("--mend", is_flag=True, help="Make the indexes and counters anew before looking.")
@click.pass_obj
def check(session: Session, mend: bool) -> int:
    """Check the store, the log and the files kept here."""
    with session.unlocked() as installation:
        if mend:
            vault.mend(installation, session.job())
        problems = vault.check(installation, session.job())
        warnings = [] if vault.anchored(installation.database.read()) else ["rollback-unanchored"]
    document = {
        "ok": not problems,
        "problems": [{"code": p.code, "where": p.where} for p in problems],
        "warnings": [{"code": code} for code in warnings],
    }
    lines = [why(p.code, where=p.where) for p in problems] or [_("Nothing is wrong.")]
    lines += [why(code) for code in warnings]
    session.show(document, lines)
    return fail("problems-found", count=len(problems)) if problems else 0


@click.group()
def officer() -> None:
    """Who works here."""


@officer.command("add")
@click.argument("name")
@click.pass_obj
def officer_add(session: Session, name: str) -> int:
    """Add an officer."""
    with session.unlocked() as installation:
        officers.add(installation, name)
    return session.show({"officer": name}, [_("Officer added.")])


@officer.command("list")
@click.pass_obj
def officer_list(session: Session) -> int:
    """The officers of this installation."""
    with session.unlocked() as installation:
        names = officers.names(installation.database.read())
    return session.show({"officers": names}, table((name,) for name in names))


@officer.command("remove")
@click.argument("name")
@click.pass_obj
def officer_remove(session: Session, name: str) -> int:
    """Remove an officer; what they did keeps their name."""
    with session.unlocked() as installation:
        officers.remove(installation, name)
    return session.show({"officer": name}, [_("Officer removed.")])


@click.group()
def setting() -> None:
    """What an officer may set."""


@setting.command("list")
@click.pass_obj
def setting_list(session: Session) -> int:
    """The settings in force."""
    with session.unlocked() as installation:
        found = officers.current_settings(installation)
    values = {name: getattr(found, name) for name in settings.Settings.__dataclass_fields__}
    return session.show({"settings": values}, table(values.items()))


@setting.command("set")
@click.argument("name")
@click.argument("value")
@click.pass_obj
def setting_set(session: Session, name: str, value: str) -> int:
    """Change one setting."""
    with session.unlocked() as installation:
        officers.change_setting(installation, name, value)
    return session.show({"name": name, "value": value}, [f"{name} = {value}"])


COMMANDS: dict[str, click.Command] = {
    "init": init,
    "card": card,
    "check": check,
    "officer": officer,
    "setting": setting,
}
