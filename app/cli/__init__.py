"""The command line: every service of the window, for scripts and for tests (docs/cli.md).

Commands are registered once, in `TABLE`; the module behind one is imported when it is used, so that a
command starts fast. Sentences are made here and in the window only, from `app.messages`.
"""

from __future__ import annotations

import importlib
import io
import os
import signal
import sys
from pathlib import Path

import click

from app import messages
from app.cli.base import Session, say_refused, tell
from app.jobs import Cancelled
from app.messages import Refused

READER = "--read-hostile-file"

TABLE = {
    "init": ("installation", "Create an installation."),
    "card": ("installation", "This installation's card."),
    "identity": ("identities", "This installation's keys: who it is, and who it was."),
    "check": ("installation", "Check the store, the log and the files kept here."),
    "backup": ("life", "Write everything that is kept here into one encrypted file."),
    "restore": ("life", "Make the folder of --home, absent or empty, the installation that a backup holds."),
    "head": ("life", "Where the store stands, and whether an older copy of it was put back."),
    "compact": ("life", "Write the store anew without the room that deleted objects left."),
    "clock": ("life", "What time it is here, and the latest that the log has seen."),
    "revive": ("life", "Work here again after a move that came to nothing; every channel begins anew."),
    "officer": ("installation", "Who works here."),
    "setting": ("installation", "What an officer may set."),
    "slot": (
        "slots",
        "What opens this installation: passphrases, this workstation's keyring, a recovery kit.",
    ),
    "audit": ("log", "The tamper-evident log."),
    "counterpart": ("counterparts", "Whom this installation exchanges with."),
    "agreement": ("agreements", "What each side may give the other, signed by both."),
    "import": ("holdings", "Import STIX bundles into the holdings."),
    "list": ("searching", "What is held, newest first."),
    "search": ("searching", "Objects that fit a query: plain words, and filters such as type:indicator."),
    "neighbours": (
        "searching",
        "What an object is linked with: by relationships, and by references in either.",
    ),
    "dangling": ("searching", "References of objects held to objects that are not."),
    "show": ("holdings", "One object: its level, where it came from, its versions, its text."),
    "creator": ("holdings", "Say whose the objects of an identity are: only they can revoke them."),
    "resolve": ("holdings", "End a conflict: keep one content, set the others aside."),
    "handling": ("holdings", "Set the TLP level at which an object is treated here."),
    "sector": (
        "agreements",
        "Say what sectors an object is about; with none, what identities say counts again.",
    ),
    "purge": (
        "holdings",
        "Remove objects for good: every version, in the holdings and in decided packages of the inbox.",
    ),
    "source": (
        "asking",
        "Declare an independent source of objects that came from a counterpart: what is held of them is ours too.",
    ),
    "attach": ("attachments", "Keep a copy of FILE with an object, encrypted."),
    "attachment": ("attachments", "The files that belong to objects."),
    "embargo": (
        "asking",
        "Keep an object here until a day, or from being passed on; without an option, say what binds it.",
    ),
    "export": ("holdings", "Write what is held, every version, as one STIX bundle in the clear."),
    "release": ("outgoing", "Seal what may leave into one package for one counterpart."),
    "outbox": ("outgoing", "Sealed packages and how far they got."),
    "carry": ("outgoing", "Copy a sealed package once more, byte for byte."),
    "resend": ("outgoing", "Release again what a lost package had, as a new package; SEQ becomes void."),
    "void": (
        "outgoing",
        "Declare a package void that was sealed wrongly or is lost; the next one tells them.",
    ),
    "slip": (
        "outgoing",
        "Write the slip that goes with a package on paper: its SHA-256, whom it is for, lines for signatures.",
    ),
    "channel": ("channels", "The ordered exchange with one counterpart."),
    "feedback": ("enquiries", "Write a sighting, an opinion or a note on an object that is held."),
    "sanitise": ("sanitising", "Make forms of our own objects from which something is taken out."),
    "recall": ("recalls", "Ask back what was given to counterparts."),
    "confirm": ("recalls", "Answer a recall: delete what they ask back and confirm it, or refuse."),
    "receipt": ("outgoing", "Seal the signed answer to what a counterpart sent."),
    "heard": (
        "outgoing",
        "Check the code that a counterpart reads over the telephone for package SEQ, until their receipt is here.",
    ),
    "ledger": ("outgoing", "Who was given which version of what, and how far it got."),
    "request": ("asking", "Ask a counterpart for something."),
    "consent": ("asking", "Requests and consents: what was asked, and what may be done."),
    "withdraw": ("asking", "Take back a request or a consent of ours, or decline a request of theirs."),
    "retention": ("retention", "What must go by when, here and at counterparts."),
    "drop": ("drops", "Folders both sides reach, used as mailboxes."),
    "which": ("incoming", "What a file is: a package of ours, of theirs, for us, or something else."),
    "receive": ("incoming", "Open a package into the inbox."),
    "inbox": ("reviewing", "Received packages waiting for review."),
    "accept": ("incoming", "Take objects of a package into the holdings."),
    "reject": ("incoming", "Refuse what is still pending of a package."),
    "age": ("age", "Plain age v1 files."),
    "practice": ("practice", "Let two practice installations exchange sample intel, step by step."),
}
"""Each command: the module it lives in, and the line the list of commands says of it."""


class Commands(click.Group):
    """A group whose commands are imported when they are used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names, in the order of a working day."""
        return list(TABLE)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the module behind a name and take its command."""
        if cmd_name not in TABLE:
            return None
        module = importlib.import_module(f"app.cli.{TABLE[cmd_name][0]}")
        command = module.COMMANDS[cmd_name]
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list of commands, without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in TABLE.items()])


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
    if sys.argv[1:] == [READER]:
        # A frozen program has no module to run: it starts itself as the reader of hostile files.
        from app.formats import worker

        worker.main()
        return
    _ready()
    sys.exit(_run(sys.argv[1:]))


def _ready() -> None:
    """Let what runs this process not decide what becomes of its files: what is closed of the three standard ones takes
    no file of ours, letters that the terminal lacks are told as escapes, and being told to stop is being interrupted.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    for stop in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(stop) == signal.SIG_DFL:
            signal.signal(stop, signal.default_int_handler)


def _run(arguments: list[str]) -> int:
    try:
        if any(map(_has_surrogate, (*arguments, _here()))):
            raise click.UsageError("Arguments and file names must be UTF-8.")
        code = cli.main(arguments, standalone_mode=False)
        return code if isinstance(code, int) else 0
    except Refused as error:
        return say_refused(error)
    except click.exceptions.Exit as error:
        return error.exit_code
    except click.ClickException as error:
        _say_usage(error)
        return error.exit_code
    except (click.Abort, KeyboardInterrupt, Cancelled) as error:
        # click makes an `Abort` of both: a question that was not answered, and being told to stop at any moment.
        stopped = any(isinstance(one, KeyboardInterrupt) for one in (error, error.__cause__))
        return say_refused(Refused("interrupted" if stopped else "cancelled"))
    except BrokenPipeError:
        return 1
    except Exception as error:
        # What no service foresaw is a fault of ours. It is said in one line like the rest; the trace is
        # for whoever mends it.
        if os.environ.get("MITHAQ_TRACE"):
            raise
        return say_refused(Refused("internal", what=f"{type(error).__name__}: {error}"))


def _say_usage(error: click.ClickException) -> None:
    """As click says it, but for what acts in a terminal: arguments may be the names of files from anywhere."""
    context = getattr(error, "ctx", None)
    if isinstance(error, click.exceptions.NoArgsIsHelpError) and context is not None:
        # What was typed has no words of its own: the help of the command is all there is to say.
        tell(context.get_help())
        return
    if context is not None:
        tell(context.get_usage())
        tell(f"Try '{context.command_path} --help' for help.\n")
    # Where an option has few values, click puts each on a line of its own.
    words = error.format_message().replace(":\n\t", ": ").replace(",\n\t", ", ")
    tell(f"Error: {messages.plain(words)}")


def _here() -> str:
    try:
        return os.getcwd()
    except OSError:
        return ""


def _has_surrogate(text: str) -> bool:
    return any("\ud800" <= c <= "\udfff" for c in text)
