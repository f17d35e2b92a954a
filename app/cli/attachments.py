"""Commands about attachments: attach, attachment list, save, remove."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from app.cli.base import Session, table
from app.courier import folder
from app.holdings import attachments, samples
from app.messages import _, plain
from app.store.attachments import Attachment


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--to", "id_", required=True, metavar="ID", help="The object it belongs to.")
@click.option("--name", default="", help="What to call it (default: the file's name).")
@click.option("--sample", "kind", flag_value="sample", help="It is malware: saved out as a zip only.")
@click.option(
    "--harmless",
    "kind",
    flag_value="harmless",
    help="It is none, whatever its object and first bytes suggest.",
)
@click.pass_obj
def attach(session: Session, file: Path, id_: str, name: str, kind: str | None) -> int:
    """Keep a copy of FILE with an object, encrypted."""
    sample = None if kind is None else kind == "sample"
    with session.unlocked() as installation:
        one = attachments.attach(installation, file, id_, name, sample, session.job())
    return session.show({"id": id_} | document(one), _lines([one]))


@click.group("attachment")
def group() -> None:
    """The files that belong to objects."""


@group.command("list")
@click.argument("id_", metavar="ID")
@click.pass_obj
def list_(session: Session, id_: str) -> int:
    """The attachments of an object."""
    with session.unlocked() as installation:
        found = attachments.listed(installation, id_)
    return session.show({"id": id_, "attachments": [document(one) for one in found]}, _lines(found))


@group.command()
@click.argument("id_", metavar="ID")
@click.argument("name")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="The file to write.")
@click.pass_obj
def save(session: Session, id_: str, name: str, out: Path) -> int:
    """Write an attachment to a file in the clear; a malware sample as a zip with a password."""
    with session.unlocked() as installation:
        saving = attachments.save(installation, id_, name, session.job())
        folder.write_pieces(out, saving.pieces)
    password = samples.PASSWORD if saving.zipped else None
    facts = {"id": id_, "file": str(out), "zipped": saving.zipped, "password": password}
    lines = [plain(out)]
    if saving.zipped:
        text = _("It is a malware sample: a zip with the password {password}.")
        lines.append(text.format(password=samples.PASSWORD))
    return session.show(facts | document(saving.attachment), lines)


@group.command()
@click.argument("id_", metavar="ID")
@click.argument("name")
@click.pass_obj
def remove(session: Session, id_: str, name: str) -> int:
    """Destroy an attachment here. What went to counterparts stays with them."""
    with session.unlocked() as installation:
        attachments.remove(installation, id_, name)
    return session.show({"id": id_, "name": name}, [_("{name} is destroyed.").format(name=plain(name))])


def document(one: Attachment) -> dict[str, Any]:
    """What a JSON document says of an attachment."""
    return {
        "name": one.name,
        "size": one.size,
        "sha256": one.sha256.hex(),
        "sample": one.sample,
        "package": one.package,
        "officer": one.officer,
        "at": one.at,
    }


def _lines(found: list[Attachment]) -> list[str]:
    return list(
        table((one.name, one.size, _("sample") if one.sample else "", one.sha256.hex()) for one in found)
    )


COMMANDS: dict[str, click.Command] = {"attach": attach, "attachment": group}
