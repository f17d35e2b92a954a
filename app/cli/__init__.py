"""The command line: every service of the window, for scripts and for tests (docs/cli.md).

Commands are registered once, in `TABLE`; the module behind one is imported when it is used, so that a
command starts fast. Sentences are made here and in the window only, from `app.messages`.
"""

from __future__ import annotations

import importlib
import os
import sys
from pathlib import Path

import click

from app import messages
from app.cli.base import Session, say_refused
from app.jobs import Cancelled
from app.messages import Refused

TABLE = {
    "init": "installation",
    "card": "installation",
    "check": "installation",
    "officer": "installation",
    "setting": "installation",
    "slot": "slots",
    "audit": "installation",
    "counterpart": "counterparts",
    "agreement": "agreements",
    "import": "holdings",
    "list": "holdings",
    "search": "holdings",
    "show": "holdings",
    "resolve": "holdings",
    "handling": "holdings",
    "sector": "agreements",
    "export": "holdings",
    "release": "outgoing",
    "outbox": "outgoing",
    "carry": "outgoing",
    "resend": "outgoing",
    "void": "outgoing",
    "channel": "channels",
    "receipt": "outgoing",
    "ledger": "outgoing",
    "drop": "outgoing",
    "which": "incoming",
    "receive": "incoming",
    "inbox": "incoming",
    "accept": "incoming",
    "reject": "incoming",
    "age": "age",
    "practice": "practice",
}


class Commands(click.Group):
    """A group whose commands are imported when they are used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names, in the order of a working day."""
        return list(TABLE)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the module behind a name and take its command."""
        if cmd_name not in TABLE:
            return None
        module = importlib.import_module(f"app.cli.{TABLE[cmd_name]}")
        command = module.COMMANDS[cmd_name]
        assert isinstance(command, click.Command)
        return command


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--home",
    type=click.Path(path_type=Path),
    help="The installation's folder (default: the platform's data folder).",
)
@click.option(
    "--passphrase-file", type=click.Path(path_type=Path), help="Read the passphrase from a file's first line."
)
@click.option(
    "--recovery-file",
    type=click.Path(path_type=Path),
    help="Unlock with the words of a recovery kit in a file.",
)
@click.option("--officer", default="", help="Who acts (default: the installation's first officer).")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document on standard output.")
@click.option(
    "--language", type=click.Choice(messages.LANGUAGES), default="en", help="Language of what is printed."
)
@click.version_option(package_name="mithaq", message="%(prog)s %(version)s")
@click.pass_context
def cli(
    ctx: click.Context,
    home: Path | None,
    passphrase_file: Path | None,
    recovery_file: Path | None,
    officer: str,
    as_json: bool,
    language: str,
) -> None:
    """Exchange cyber-threat intelligence with one counterpart at a time, sealed, under an agreement, offline."""
    messages.use_language(language)
    ctx.obj = Session(home, passphrase_file, officer, as_json, recovery_file)


def main() -> None:
    """The entry point `mithaq-cli`. Exit codes: 0 done, 1 refused or failed, 2 usage, 3 done but look at it."""
    sys.exit(_run(sys.argv[1:]))


def _run(arguments: list[str]) -> int:
    try:
        if any(not text.isprintable() and _has_surrogate(text) for text in arguments):
            raise click.UsageError("Arguments and file names must be UTF-8.")
        code = cli.main(arguments, standalone_mode=False)
        return code if isinstance(code, int) else 0
    except Refused as error:
        return say_refused(error)
    except click.exceptions.Exit as error:
        return error.exit_code
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt, Cancelled):
        return say_refused(Refused("cancelled"))
    except BrokenPipeError:
        return 1
    except Exception as error:
        # What no service foresaw is a fault of ours. It is said in one line like the rest; the trace is
        # for whoever mends it.
        if os.environ.get("MITHAQ_TRACE"):
            raise
        return say_refused(Refused("internal", what=f"{type(error).__name__}: {error}"))


def _has_surrogate(text: str) -> bool:
    return any("\ud800" <= c <= "\udfff" for c in text)
