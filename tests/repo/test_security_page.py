"""docs/security.md names only what there is: tests, modules, commands, options, codes, targets of make.

Everything that stands between backticks there is one of these, or one of the few other words below.
"""

from __future__ import annotations

import ast
import functools
import re
from pathlib import Path

import click
import pytest

from app import cli
from app.messages import MESSAGES

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
PROGRAM = "mithaq-cli"
WORDS = frozenset(("bytes", "str", "cryptography", "pynacl", "onward", "retention", "recalled"))

MODULE = re.compile(r"(?:app|crypto|ui)(?:\.\w+)+")
TEST = re.compile(r"(tests/[\w/]+\.py)(?:::(\w+))?")
CODE = re.compile(r"[a-z]+(?:-[a-z]+)+")


def quoted(page: str) -> list[tuple[str, str]]:
    """Each text between backticks, and what follows it on its line."""
    parts = [line.split("`") for line in page.splitlines()]
    return [(line[i], line[i + 1]) for line in parts for i in range(1, len(line) - 1, 2)]


def kind(text: str) -> str:
    """Which sort of name a text is; "" if none."""
    if text == PROGRAM or text.startswith((f"{PROGRAM} ", "--")):
        return "command"
    if text.startswith("make "):
        return "target"
    for name, form in (("test", TEST), ("module", MODULE), ("code", CODE)):
        if form.fullmatch(text):
            return name
    return "word" if text in WORDS else ""


@functools.cache
def module(path: str) -> ast.Module:
    return ast.parse((ROOT / path).read_text(encoding="utf-8"))


def missing_test(text: str, after: str) -> str:
    """What is wrong with a test that is named: it does not exist, or is of the long ones and not called so."""
    path, _, name = text.partition("::")
    if not (ROOT / path).is_file():
        return "no such file"
    if not name:
        return ""
    tree = module(path)
    found = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == name]
    if not found or not name.startswith("test_"):
        return "no such test"
    marks = [node for node in tree.body if isinstance(node, ast.Assign) and "pytestmark" in ast.unparse(node)]
    long = any("torture" in ast.unparse(one) for one in (*found[0].decorator_list, *marks))
    return "" if long == after.startswith(" (torture") else "long" if long else "not long"


def missing_module(text: str) -> bool:
    place = ROOT.joinpath(*text.split("."))
    return not (place.with_suffix(".py").is_file() or (place / "__init__.py").is_file())


def missing_command(text: str) -> bool:
    """Whether the program has no such command, or the command no such option; an option alone is anybody's."""
    if text.startswith("--"):
        return text not in everything()[1]
    commands, _ = everything()
    words = [word for word in text.split()[1:] if not word.startswith("-")]
    options = [word for word in text.split()[1:] if word.startswith("-")]
    if not words:
        return not set(options) <= names(cli.cli)
    command = commands.get(" ".join(words))
    return command is None or not set(options) <= names(command)


@functools.cache
def everything() -> tuple[dict[str, click.Command], set[str]]:
    """Every command by its words, groups too, and every option of any."""
    commands: dict[str, click.Command] = {}

    def add(group: click.Group, before: str) -> None:
        context = click.Context(group)
        for name in group.list_commands(context):
            command = group.get_command(context, name)
            assert command is not None
            commands[before + name] = command
            if isinstance(command, click.Group):
                add(command, f"{before}{name} ")

    add(cli.cli, "")
    return commands, names(cli.cli).union(*map(names, commands.values()))


def names(command: click.Command) -> set[str]:
    return {name for one in command.params if isinstance(one, click.Option) for name in one.opts}


def missing_target(text: str) -> bool:
    return f"\n{text.removeprefix('make ')}:" not in (ROOT / "Makefile").read_text(encoding="utf-8")


def faults(page: str) -> list[str]:
    """What the page names and is not there."""
    found = []
    for text, after in quoted(page):
        sort = kind(text)
        wrong = {
            "test": lambda t=text, a=after: missing_test(t, a),
            "module": lambda t=text: missing_module(t),
            "command": lambda t=text: missing_command(t),
            "target": lambda t=text: missing_target(t),
            "code": lambda t=text: t not in MESSAGES,
            "word": lambda: False,
            "": lambda: True,
        }[sort]()
        if wrong:
            found.append(f"{text}: {wrong if isinstance(wrong, str) else sort or 'what is this?'}")
    return found


def test_everything_that_the_page_names_exists() -> None:
    assert faults(PAGE) == []


@pytest.mark.parametrize("sort,least", [("test", 60), ("module", 20), ("command", 10), ("code", 5)])
def test_the_page_names_much(sort: str, least: int) -> None:
    assert len({text for text, _ in quoted(PAGE) if kind(text) == sort}) >= least


@pytest.mark.parametrize("adversary", ["courier", "thief", "counterpart", "older copy", "keyboard"])
def test_each_adversary_has_a_table_in_which_every_row_says_by_what_and_what_shows_it(adversary: str) -> None:
    chapter = PAGE.split("## 2. Against whom")[1].split("\n## ")[0]
    section = next(part for part in chapter.split("\n### ")[1:] if adversary in part.split("\n")[0])
    rows = [line.split("|") for line in section.splitlines() if line.startswith("|")]
    assert [cell.strip() for cell in rows[0]] == ["", "what must hold", "by", "shown by", ""]
    assert len(rows) > 5
    for row in rows[2:]:
        assert [kind(text) for text, _ in quoted(row[2])].count("module"), row
        tests = [text for text, _ in quoted(row[3]) if kind(text) == "test"]
        assert tests or "no test" in row[3], row


@pytest.mark.parametrize(
    "made_up",
    [
        "tests/repo/test_nothing.py",
        "tests/repo/test_security_page.py::test_nothing",
        "tests/repo/test_security_page.py::faults",
        "tests/crypto/test_damage.py::test_every_flipped_bit",
        "crypto.nothing",
        "app.exchange.nothing",
        "mithaq-cli nothing",
        "mithaq-cli slot nothing",
        "mithaq-cli slot add --nothing",
        "--nothing",
        "make nothing",
        "nothing-of-ours",
        "slot add",
    ],
)
def test_a_page_that_names_something_made_up_fails(made_up: str) -> None:
    assert len(faults(f"It is `{made_up}` that does it.")) == 1


@pytest.mark.parametrize(
    "real",
    [
        "`tests/repo/test_security_page.py::test_everything_that_the_page_names_exists`",
        "`tests/crypto/test_damage.py::test_every_flipped_bit` (torture)",
        "`crypto.slots`, `app.exchange`",
        "`mithaq-cli slot add --label`, `mithaq-cli --home`, `--reference`",
        "`make torture`",
        "`slots-old`",
    ],
)
def test_a_page_that_names_what_there_is_passes(real: str) -> None:
    assert faults(real) == []
