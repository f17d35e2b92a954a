"""docs/cli.md: it names every command, argument and option of the program and no other, and its examples are true.

The examples run in the order of the page, in one folder, in this process, with a key derivation that costs nothing.
They run a second time with `--json`, and each document must have exactly the keys that the page says.
"""

from __future__ import annotations

import contextlib
import io
import json
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import click
import pytest

from app import cli, vault
from app.messages import MESSAGES
from crypto.slots import Cost

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
SHARED, HELP = "What all commands share", {"-h", "--help"}


@dataclass(frozen=True)
class Section:
    """What stands under one heading: `words` of the command ("" of chapters), its arguments, the text."""

    title: str
    words: str
    arguments: str
    text: str

    @property
    def options(self) -> set[str]:
        """The options that the section lists, in either spelling."""
        items = re.findall(r"^- ((?:`[^`]+`(?:, )?)+):", self.text, re.MULTILINE)
        return {name for item in items for name in re.findall(r"`(-{1,2}[a-z-]+)", item)}

    @property
    def documents(self) -> list[object]:
        """The shapes of its JSON document; a key without a value may hold anything."""
        line = re.search(r"^JSON: ((?:.+\n)+)", self.text, re.MULTILINE)
        shapes = re.findall(r"`(\{.+?\})`", line[1]) if line else []
        return [json.loads(re.sub(r'"(\w+)"(?=\s*[,}])', r'"\1": null', shape)) for shape in shapes]

    @property
    def examples(self) -> list[tuple[str, list[str]]]:
        """(command, lines it prints) of each example."""
        found: list[tuple[str, list[str]]] = []
        for block in re.findall(r"^```console\n(.*?)^```$", self.text, re.MULTILINE | re.DOTALL):
            for line in block.splitlines():
                if line.startswith("$ "):
                    found.append((line[2:], []))
                else:
                    found[-1][1].append(line)
        return found


def sections(page: str = PAGE) -> list[Section]:
    """The page in pieces, in its order."""
    found = []
    for piece in re.split(r"^(?=##+ )", page, flags=re.MULTILINE)[1:]:
        heading, text = piece.split("\n", 1)
        command = re.fullmatch(r"### `([a-z ]+?)((?: [A-Z\[].*)?)`", heading)
        title = heading.lstrip("# ")
        found.append(Section(title, command[1] if command else "", command[2] if command else "", text))
    return found


def commands(group: click.Group, before: str = "") -> Iterator[tuple[str, click.Command]]:
    """Every command of the program with its words, groups themselves left out."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        if isinstance(command, click.Group):
            yield from commands(command, f"{before}{name} ")
        else:
            yield before + name, command


def options(command: click.Command) -> set[str]:
    return {name for p in command.params if isinstance(p, click.Option) for name in p.opts}


def arguments(command: click.Command) -> str:
    names = []
    for parameter in command.params:
        if isinstance(parameter, click.Argument):
            name = parameter.human_readable_name
            many = parameter.nargs == -1 and not name.endswith("...")
            names.append(f" {name}..." if many else f" {name}")
    return "".join(names)


def test_the_page_has_a_section_for_every_command_and_no_other() -> None:
    told = [section.words for section in sections() if section.words]
    assert sorted(told) == sorted(words for words, _ in commands(cli.cli))


@pytest.mark.parametrize("words,command", list(commands(cli.cli)), ids=[w for w, _ in commands(cli.cli)])
def test_a_section_names_what_its_command_takes(words: str, command: click.Command) -> None:
    section = next(one for one in sections() if one.words == words)
    assert section.arguments == arguments(command)
    assert section.options == options(command)
    assert section.documents, "no JSON line"


def test_the_shared_options_are_those_of_the_program() -> None:
    section = next(one for one in sections() if one.title == SHARED)
    assert section.options == options(cli.cli) | HELP


def test_no_option_on_the_page_is_made_up() -> None:
    real = options(cli.cli) | HELP
    for _, command in commands(cli.cli):
        real |= options(command)
    assert set(re.findall(r"(?<![\w-])--[a-z]+(?:-[a-z]+)*", PAGE)) <= real


def test_every_code_on_the_page_has_a_sentence() -> None:
    codes = next(one for one in sections() if one.title == "Codes").text
    rows = [row.split("|") for row in codes.splitlines() if row.startswith("| ")]
    named = [code for row in rows for code in re.findall(r"`(.+?)`", row[2])]
    assert named
    assert [code for code in named if code not in MESSAGES] == []


# Examples ---------------------------------------------------------------------------------------------------


class Terminal:
    """A folder in which the commands of the page run as they stand there."""

    def __init__(self) -> None:
        self.names: dict[str, list[str]] = {"mithaq-cli": []}

    def run(self, command: str, as_json: bool = False) -> tuple[str, int]:
        """What a command prints on both streams (as JSON only on the first), and its exit code."""
        if function := re.fullmatch(r'(\w+)\(\) \{ mithaq-cli (.*) "\$@"; \}', command):
            self.names[function[1]] = shlex.split(function[2])
            return "", 0
        name, *words = shlex.split(command)
        if name not in self.names:
            done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False)
            return done.stdout + done.stderr, done.returncode
        out = io.TextIOWrapper(io.BytesIO(), "utf-8", write_through=True)
        errors = io.StringIO() if as_json else out
        sys.argv = ["mithaq-cli", *self.names[name], *words]
        if as_json and "--json" not in words:
            sys.argv.insert(1, "--json")
        with (
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(errors),
            pytest.raises(SystemExit) as end,
        ):
            cli.main()
        code = end.value.code
        assert isinstance(code, int)
        return out.buffer.getvalue().decode(), code  # type: ignore[attr-defined]

    def words(self, command: str, known: set[str]) -> str:
        """The words of the program's command that a line of the page runs; "" of the shell's own commands."""
        name, *rest = shlex.split(command)
        if name not in self.names:
            return ""
        pairs = [" ".join(rest[i : i + n]) for n in (2, 1) for i in range(len(rest))]
        return next((pair for pair in pairs if pair in known), "")


@pytest.fixture
def terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Terminal:
    monkeypatch.setattr(vault.create, "__defaults__", (Cost(passes=1, memory=8),))
    monkeypatch.setattr(sys, "argv", [])
    monkeypatch.chdir(tmp_path)
    shutil.copy(ROOT / "resources" / "samples" / "copper-lantern.json", tmp_path)
    return Terminal()


CHANGING = (
    (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z", "TIME"),
    (r"\b(?:[0-9a-f]{4} (?:… )?){2,}[0-9a-f]{4}\b", "HEX"),
    (r"\bage1\w{8,}…?", "RECIPIENT"),
    (r"\b[0-9a-f]{12,}…?", "HEX"),
    (r"\b\d\d,?\d{3}\b", "SIZE"),
)


def expected(lines: list[str]) -> re.Pattern[str]:
    """What the page shows as an expression: `...` is any number of lines, `…` anything within one."""
    pattern = ""
    for line in lines:
        pattern += r"(?:.*\n)*" if line == "..." else re.escape(plain(line)).replace("…", ".*") + r"\n"
    return re.compile(pattern)


def plain(text: str) -> str:
    """Text with what differs from run to run made equal, and without what keeps Arabic in its column (unseen)."""
    text = re.sub("[\u2066-\u2069]", "", text)
    for changing, word in CHANGING:
        text = re.sub(changing, word, text)
    return text


def test_the_examples_print_what_the_page_shows(terminal: Terminal) -> None:
    assert sum(len(section.examples) for section in sections()) > 50
    for section in sections():
        for command, lines in section.examples:
            out, code = terminal.run(command)
            shown = "".join(
                line + "\n" for line in [*out.splitlines(), *([f"(exit {code})"] if code else [])]
            )
            assert expected(lines).fullmatch(plain(shown)), f"{section.title}: {command}\n{shown}"


def test_the_json_documents_have_the_keys_that_the_page_says(terminal: Terminal) -> None:
    shapes = {section.words: section.documents for section in sections() if section.words}
    checked = set()
    for section in sections():
        for command, _ in section.examples:
            out, code = terminal.run(command, as_json=True)
            words = terminal.words(command, set(shapes))
            if words and code in (0, 3):
                document = json.loads(out)
                assert any(fits(document, shape) for shape in shapes[words]), f"{command}: {out}"
                checked.add(words)
    # An older store to accept needs a keyring that saw a newer one: tests/vault/test_anchor.py; a log that is
    # ahead of this machine's clock, tests/exchange/test_clock.py; a false acknowledgement, in test_evidence.py there.
    assert checked == set(shapes) - {"head accept", "clock correct", "channel excuse"}


def fits(value: object, shape: object) -> bool:
    """Whether a document has exactly the keys of a shape, all the way down."""
    if isinstance(shape, dict):
        return (
            isinstance(value, dict)
            and value.keys() == shape.keys()
            and all(fits(value[key], shape[key]) for key in shape)
        )
    if isinstance(shape, list):
        return isinstance(value, list) and all(fits(one, shape[0]) for one in value)
    return True


def test_a_page_that_says_something_else_fails(terminal: Terminal) -> None:
    assert not expected(["Leaves: 32"]).fullmatch("Leaves: 31\n")
    assert expected(["a", "...", "z … z"]).fullmatch("a\nb\nc\nz q z\n")
    assert not fits({"a": 1, "b": 2}, {"a": None})
    assert not fits({"a": [{"b": 1}]}, {"a": [{"c": None}]})
    made_up = sections('## X\n\n### `import FILES...`\n\n- `--nothing TEXT`: no.\n\nJSON: `{"read"}`\n')[1]
    assert (made_up.words, made_up.arguments, made_up.options) == ("import", " FILES...", {"--nothing"})
    assert made_up.documents == [{"read": None}]
