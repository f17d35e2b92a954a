"""What every command shares: opening the installation, printing a result, saying no."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import click

from app import direction, outside
from app.jobs import Job
from app.messages import Refused, Sentence, _, plain, remedy, right_to_left, sentence
from app.words import OBJECT_STATES, word

if TYPE_CHECKING:
    from app.holdings.titles import Title
    from app.store.custody import Restraint
    from app.store.installation import Installation
    from app.store.ledger import Given
    from app.vault import LastSession, Unlocked

ATTENTION = 3
NUMBER_LIMIT = 1 << 53
USAGE_CODES = frozenset({"counterpart-ambiguous"})
DONE_CODES = frozenset({"output-lost", "traces-left", "unconfirmed"})
PASSPHRASE_LIMIT = 4096
IDS_LIMIT = 1 << 26
NAME_WIDTH = 60


@dataclass(frozen=True)
class Session:
    """The options that stand before the command."""

    home_option: Path | None
    passphrase_file: Path | None
    officer: str
    as_json: bool
    recovery_file: Path | None = None

    @property
    def home(self) -> Path:
        """The installation's folder."""
        if self.home_option is not None:
            return self.home_option
        import platformdirs

        return Path(platformdirs.user_data_dir("mithaq", appauthor=False))

    def passphrase(self, confirm: bool = False) -> str:
        """From the file given, else asked for at the terminal. Raises `Refused` (passphrase-missing,
        file-unreadable).
        """
        return self.read_passphrase(self.recovery_file or self.passphrase_file, confirm)

    def read_passphrase(self, path: Path | None, confirm: bool = False, ask: str = "") -> str:
        """A file's first line, or (of a recovery kit) all of it; without a file it is asked for (`ask`: how)."""
        if path is not None:
            try:
                with path.open("rb") as file:
                    text = file.read(PASSPHRASE_LIMIT).decode()
            except (OSError, UnicodeDecodeError) as error:
                raise Refused("file-unreadable", path=path, why=error) from error
            return text if path == self.recovery_file else text.split("\n", 1)[0].removesuffix("\r")
        if not sys.stdin.isatty():
            raise Refused("passphrase-missing")
        answer: str = click.prompt(
            ask or _("Passphrase"),
            hide_input=True,
            confirmation_prompt=_("Once more") if confirm else False,
            err=True,
        )
        return answer

    @contextmanager
    def unlocked(self, passphrase: str = "") -> Iterator[Installation]:
        """The installation, open while the block lasts; `passphrase` if it was asked for before."""
        with self.opened(passphrase) as opened:
            yield opened.installation

    @contextmanager
    def opened(self, passphrase: str = "", accept: bool = False) -> Iterator[Unlocked]:
        """The installation with what its unlocking found; with `accept`, in spite of an older store."""
        from app import vault
        from app.store.database import known_errors

        if not (self.home / vault.SLOTS).is_file():
            raise Refused("no-installation", home=self.home)
        with known_errors():
            opened = vault.unlock(
                self.home,
                passphrase or self.passphrase(),
                self.officer,
                recovery=self.recovery_file is not None,
                accept=accept,
                job=self.job(),
            )
            try:
                self._say_last(opened.last)
                self._settle(opened.installation)
                yield opened
            finally:
                opened.lock()

    def _say_last(self, last: LastSession) -> None:
        """An officer at a terminal sees where the store stood: an older copy put back shows there, if nowhere else."""
        if sys.stderr.isatty() and not self.as_json:
            tell(last_words(last))

    def _settle(self, installation: Installation) -> None:
        """After a restore every channel begins anew before anything else is done; a clock that went back is told."""
        from app.audit import clock
        from app.store import counterparts

        if clock.read(installation).behind:
            tell(why("clock-behind"))
        if counterparts.restored(installation.database.read()):
            from app.exchange import epochs

            for alias in epochs.settle_restore(installation):
                tell(why("channel-mending", name=alias))

    def job(self) -> Job:
        """Progress on standard error, where that is a terminal."""
        if self.as_json or not sys.stderr.isatty():
            return Job()
        return Job(_progress())

    def show(self, document: dict[str, Any], lines: Iterable[str], attention: bool = False) -> int:
        """Print a result: as JSON if asked, else as lines. Nothing in either acts in a terminal. Returns the exit code.

        The act is done by now: where its result cannot be printed, that is no failure of the act, but to be looked at.
        """
        if self.as_json:
            import msgspec

            text = json_plain(direction.bare(msgspec.json.encode(document, enc_hook=_text).decode())) + "\n"
        else:
            # A list of nothing is told from one that did not come.
            text = "".join(
                told(plain(part)) + "\n"
                for line in [*lines] or [_("There is nothing to show.")]
                for part in line.split("\n")
            )
        return _written(text) or (ATTENTION if attention else 0)


def _text(value: object) -> str:
    if isinstance(value, Sentence):
        return str(value)
    raise NotImplementedError(type(value))


def told(line: str) -> str:
    """A line for the terminal; one that holds words of the language in use runs as they do, whatever stands first."""
    return direction.shown(direction.line(line, right_to_left()))


def json_plain(text: str) -> str:
    """A JSON text in which whatever would act in a terminal, or has no place in its encoding, is an escape: the same
    value.
    """
    if text.isascii():
        return text
    only_ascii = sys.stdout is not None and "utf" not in (sys.stdout.encoding or "").lower()
    odd = {c for c in set(text) if not c.isascii() and (only_ascii or plain(c) != c)}
    return text.translate({ord(c): _escape(c) for c in odd})


def _escape(character: str) -> str:
    units = character.encode("utf-16-be").hex()
    return "".join(f"\\u{units[i : i + 4]}" for i in range(0, len(units), 4))


def _written(text: str) -> int:
    """Write to standard output; returns the exit code where that does not succeed, else 0."""
    why: str | None = "closed"
    try:
        if sys.stdout is not None:
            sys.stdout.write(text)
            sys.stdout.flush()
            return 0
    except BrokenPipeError:
        # Whoever read it has seen enough.
        why = None
    except OSError as error:
        why = error.strerror
    if sys.stdout is not None:
        _silence(sys.stdout)
    if why is not None:
        say_refused(Refused("output-lost", why=why))
    return ATTENTION


def tell(text: str, nl: bool = True) -> None:
    """Say something on standard error. Where that does not succeed, what is done goes on, and so does its exit code."""
    try:
        click.echo(direction.shown(text), err=True, nl=nl)
    except OSError:
        _silence(sys.stderr)


def _silence(stream: TextIO) -> None:
    """Write no more to a stream that failed: what is left in its buffer fails once more when the process ends."""
    with suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def last_words(last: LastSession) -> str:
    """Where the store stood when it was opened."""
    facts = {
        "at": plain(last.at),
        "officer": plain(last.officer),
        "n": last.entry,
        "words": " ".join(last.words),
    }
    return _("Last session: {at}, {officer}; log entry {n}: {words}").format(**facts)


def fail(code: str, **facts: object) -> int:
    """Say no after a document was printed; returns the exit code."""
    return say_refused(Refused(code, **facts))


def say_refused(error: Refused) -> int:
    """The one line of a refusal on standard error; returns the exit code."""
    text = " ".join(filter(None, (sentence(error.code, error.facts), remedy(error.code, error.facts))))
    tell(f"error: {error.code}: {direction.isolate(text) if right_to_left() else text}")
    return 2 if error.code in USAGE_CODES else ATTENTION if error.code in DONE_CODES else 1


def why(code: str, **facts: object) -> str:
    """A verdict or warning code as a sentence with its remedy and the code last."""
    named = direction.kept(code, right_to_left())
    return " ".join(filter(None, (sentence(code, facts), remedy(code, facts), f"({named})")))


def counted(many: object, code: str, **facts: object) -> str:
    """How many something is said of, or of what, before `why`."""
    return _("{many}: {what}").format(many=many, what=why(code, **facts))


def titled(title: Title) -> str:
    """What an object is called, as wide as a column is; a relationship has three."""
    return title.words[: NAME_WIDTH if title.ends is None else 2 * NAME_WIDTH]


def table(rows: Iterable[tuple[object, ...]]) -> Iterator[str]:
    """Rows as aligned lines; strings from outside are made plain. The columns follow one another as the language runs,
    whatever is in them.
    """
    rtl = right_to_left()
    cells = [[direction.bare(plain(cell)) for cell in row] for row in rows]
    widths = [max(len(row[i]) for row in cells) for i in range(len(cells[0]))] if cells else []
    for row in cells:
        line = "  ".join(
            f"{direction.kept(cell, rtl)}{' ' * (width - len(cell))}"
            for cell, width in zip(row, widths, strict=True)
        )
        yield direction.led(line.rstrip(), rtl)


def embargo_lines(bound: Restraint) -> list[str]:
    """What binds an object beside its level, in words."""
    return [
        *([_("Leaves for nobody before {day}.").format(day=bound.held)] if bound.held else []),
        *([_("No onward use before {day}.").format(day=bound.embargo)] if bound.embargo else []),
        *([_("A part of an exercise.")] if bound.exercise else []),
    ]


def plain_json(raw: bytes) -> list[str]:
    """A JSON text indented for reading, each line made plain."""
    import msgspec

    return [plain(line) for line in msgspec.json.format(raw, indent=2).decode().splitlines()]


def ids_from(path: Path) -> tuple[str, ...]:
    """STIX ids in a text file, one a line, or those of a JSON list. Raises `Refused` (file-unreadable, file-large,
    ids-missing).
    """
    try:
        text = outside.start(path, IDS_LIMIT).decode("utf-8-sig")
        if len(text) > IDS_LIMIT:
            # Part of a list is another list.
            raise Refused("file-large", path=path, most=IDS_LIMIT >> 20)
        if text.lstrip().startswith("["):
            import msgspec

            ids = msgspec.json.decode(text, type=list[str])
        else:
            ids = [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]
    except ValueError as error:
        raise Refused("file-unreadable", path=path, why=error) from error
    if not ids:
        raise Refused("ids-missing", path=path)
    return tuple(ids)


def level_option(*names: str, **kwargs: Any) -> Callable[[Any], Any]:
    """An option that takes a TLP level by name."""
    words = click.Choice(["CLEAR", "GREEN", "AMBER", "AMBER+STRICT", "RED"], case_sensitive=False)
    return click.option(*names, type=words, **kwargs)


def _progress() -> Callable[[int, int, str], None]:
    from app.messages import STAGES

    shown, named = [0.0], [""]

    def notice(done: int, total: int, stage: str) -> None:
        import time

        now = time.monotonic()
        # A stage may be named once, and then be silent.
        if now - shown[0] < 0.1 and stage == named[0]:
            return
        shown[0], named[0] = now, stage
        amount = f"{done}/{total}" if total else str(done or "")
        tell(f"\r{_(STAGES.get(stage, stage))} {amount}\x1b[K\r", nl=False)

    return notice


def given_document(given: Given) -> dict[str, Any]:
    """That an object went out, as JSON."""
    return {"id": given.id, "to": given.to, "seq": given.seq, "state": given.state}


def given_lines(given: Sequence[Given]) -> list[str]:
    """To whom objects went out under a lower level."""
    if not given:
        return []
    return [
        _("It went out under a lower level:"),
        *table((one.to, one.seq, word(OBJECT_STATES, one.state), one.id) for one in given),
    ]
