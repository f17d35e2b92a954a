"""The command `practice`: the whole exchange between two throw-away installations, in the terminal."""

from __future__ import annotations

import tempfile
from pathlib import Path

import click

from app import practice as exchange
from app.cli.base import Session, told
from app.messages import Refused, _


@click.command()
@click.option(
    "--folder", type=click.Path(path_type=Path), help="A folder to create (default: a new temporary one)."
)
@click.pass_obj
def practice(session: Session, folder: Path | None) -> int:
    """Let two practice installations exchange sample intel, step by step."""
    if folder is None:
        folder = Path(tempfile.mkdtemp(prefix="mithaq-practice-"))
    else:
        try:
            folder.mkdir(mode=0o700, parents=True)
        except OSError as error:
            raise Refused("target-exists", path=folder) from error
    steps: list[str] = []
    exchange.run(folder, steps.append if session.as_json else lambda line: click.echo(told(line)))
    return session.show(
        {"folder": str(folder), "steps": steps}, [_("Everything is in {folder}.").format(folder=folder)]
    )


COMMANDS: dict[str, click.Command] = {"practice": practice}
