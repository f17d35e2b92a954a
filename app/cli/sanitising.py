"""Commands about what is taken out of our own objects before they leave: sanitise."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from app.cli.base import Session, ids_from, table
from app.exchange import sanitising
from app.exchange.sanitising import Sanitised, Wanted
from app.messages import Refused, ngettext, plain
from app.words import OBJECT_STATES, word

TEXTS_BYTES = 2 << 20


class Making(click.Group):
    """A group in which options alone stand for `make` and those options."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """`sanitise --to NAME` is `sanitise make --to NAME`."""
        options = bool(args) and args[0].startswith("-") and args[0] not in ("-h", "--help")
        return super().parse_args(ctx, ["make", *args] if options else args)


@click.group(cls=Making)
def sanitise() -> None:
    """Make forms of our own objects from which something is taken out."""


@sanitise.command("make")
@click.option("--to", required=True, metavar="NAME", help="The counterpart they are for.")
@click.option("--ids", type=click.Path(path_type=Path), required=True, help="STIX ids, one a line.")
@click.option("--drop", multiple=True, metavar="PROPERTY", help="Take out this property or extension.")
@click.option("--redact", type=click.Path(path_type=Path), help="Take out these texts, one a line.")
@click.option("--pseudonym", is_flag=True, help="Let a pseudonymous identity stand as the creator.")
@click.option("--ours", multiple=True, metavar="ID", help="This identity is our own.")
@click.option("--dry-run", is_flag=True, help="Only show exactly what would be made.")
@click.pass_obj
def make(
    session: Session,
    to: str,
    ids: Path,
    drop: tuple[str, ...],
    redact: Path | None,
    pseudonym: bool,
    ours: tuple[str, ...],
    dry_run: bool,
) -> int:
    """Make sanitised forms of objects of ours for one counterpart."""
    wanted = Wanted(drop, () if redact is None else _texts(redact), pseudonym, ours)
    with session.unlocked() as installation:
        if dry_run:
            done = sanitising.shown(installation, to, ids_from(ids), wanted, session.job())
        else:
            done = sanitising.sanitise(installation, to, ids_from(ids), wanted, False, session.job())
    return session.show(_document(done), _lines(done, dry_run))


@sanitise.command("list")
@click.option("--to", default="", metavar="NAME", help="Only for this counterpart.")
@click.option("--id", "id_", default="", metavar="ID", help="Only of this object of ours.")
@click.pass_obj
def list_(session: Session, to: str, id_: str) -> int:
    """Which content of ours became which, for whom, and how far it got."""
    with session.unlocked() as installation:
        found = sanitising.listed(installation, to, id_)
    document = {
        "sanitised": [
            {
                "original": one.original or None,
                "original_sha256": one.original_sha256.hex(),
                "id": one.id,
                "modified": one.modified,
                "sha256": one.sha256.hex(),
                "to": one.to,
                "at": one.at,
                "seq": one.seq,
                "state": one.state,
            }
            for one in found
        ]
    }
    return session.show(
        document,
        table((f.to, f.original or "-", f.id, word(OBJECT_STATES, f.state) or "-", f.at) for f in found),
    )


@sanitise.command("end")
@click.option("--to", required=True, metavar="NAME", help="The counterpart who may have the whole again.")
@click.option("--ids", type=click.Path(path_type=Path), required=True, help="STIX ids of originals.")
@click.pass_obj
def end(session: Session, to: str, ids: Path) -> int:
    """Let a counterpart have originals again."""
    with session.unlocked() as installation:
        ended = sanitising.give_whole(installation, to, ids_from(ids))
    said = ngettext("{n} sanitised form is ended.", "{n} sanitised forms are ended.", ended)
    return session.show({"ended": ended}, [said.format(n=ended)])


def _texts(path: Path) -> tuple[str, ...]:
    try:
        if path.stat().st_size > TEXTS_BYTES:
            raise Refused("redaction-unusable", most=sanitising.TEXTS_LIMIT)
        return tuple(line for line in path.read_text(encoding="utf-8").splitlines() if line)
    except UnicodeDecodeError as error:
        raise Refused("file-unreadable", path=path, why="UTF-8") from error
    except OSError as error:
        raise Refused("file-unreadable", path=path, why=error.strerror) from error


def _document(done: Sanitised) -> dict[str, Any]:
    return {
        "objects": [
            {
                "original": one.original or None,
                "id": one.id,
                "text": one.raw.decode(),
                "unchanged": one.unchanged,
            }
            for one in done.made
        ],
        "removed": list(done.removed),
    }


def _lines(done: Sanitised, dry_run: bool) -> list[str]:
    if dry_run:
        return [plain(one.raw.decode()) for one in done.made]
    return list(table((one.original or "-", "->", one.id) for one in done.made))


COMMANDS: dict[str, click.Command] = {"sanitise": sanitise}
