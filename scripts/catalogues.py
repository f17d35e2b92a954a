"""The message catalogues: `python -m scripts.catalogues check | update | compile`.

Sentences are marked in `app` and `ui` with `_`, `N_`, `NP_`, `ngettext` and `pgettext`, and translated in
resources/i18n/LANGUAGE/LC_MESSAGES/mithaq.po. `check` reads the marks afresh and compares every translation's
placeholders with its message's: one that asks for a fact nobody gives would fail in front of an officer, and
one that reaches into a fact (`{x.__class__}`) would show what it should not. What is not translated yet is
counted, not refused.
"""

from __future__ import annotations

import ast
import re
import string
import sys
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_file
from babel.messages.mofile import write_mo
from babel.messages.pofile import PoFileError, read_po, write_po

ROOT = Path(__file__).resolve().parent.parent
SOURCES = ("app", "ui")
LANGUAGES = ("ar", "fr")
KEYWORDS = {"_": None, "N_": None, "ngettext": (1, 2), "pgettext": ((1, "c"), 2), "NP_": ((1, "c"), 2)}
# In a plural a language may say the number in a word ("two packages"), so these may be left out there.
COUNTS = frozenset({"n", "count", "number"})
# Arabic counts as CLDR does: none, one, two, few (3 to 10), many (11 to 99), others. Babel's own rule has the last two
# the other way round, and whoever translates writes them in this order.
PLURAL_FORMS = {
    "ar": "nplurals=6; plural=(n==0 ? 0 : n==1 ? 1 : n==2 ? 2 : n%100>=3 && n%100<=10 ? 3 : n%100>=11 ? 4 : 5);"
}
EPOCH = datetime(2026, 1, 1, tzinfo=UTC)

_PERCENT = re.compile(r"%(?:\(\w+\))?[sdif]")


def placeholders(text: str) -> frozenset[str]:
    """The fields of `text`, with conversion and format (`{size!r:>8}`), and printf ones (`%s`, `%(n)d`)."""
    found = set(_PERCENT.findall(text))
    try:
        for _, name, spec, conversion in string.Formatter().parse(text):
            if name is not None:
                found.add(
                    "{" + name + (f"!{conversion}" if conversion else "") + (f":{spec}" if spec else "") + "}"
                )
    except ValueError:
        found.update(f"unpaired {brace}" for brace in "{}" if brace in text)
    return frozenset(found)


def faults_of(message: Message) -> list[str]:
    """What is wrong with the placeholders of one translated message; an untranslated one has no faults."""
    ids = message.id if isinstance(message.id, (list, tuple)) else (message.id,)
    strings = message.string if isinstance(message.string, (list, tuple)) else (message.string,)
    wanted = frozenset().union(*(placeholders(text) for text in ids))
    optional = frozenset(f for f in wanted if f[1:-1] in COUNTS) if len(ids) > 1 else frozenset()
    faults = []
    for text in strings:
        if not text:
            continue
        there = placeholders(text)
        if missing := wanted - there - optional:
            faults.append(f"{text!r} lacks {', '.join(sorted(missing))}")
        if unknown := there - wanted:
            faults.append(f"{text!r} has {', '.join(sorted(unknown))}, which {ids[0]!r} has not")
    if any(strings) and not all(strings):
        faults.append(f"{ids[0]!r} is translated in some of its plural forms only")
    return faults


def faults_in(path: Path, language: str) -> Iterator[str]:
    """What is wrong with the catalogue at `path`, one line each."""
    try:
        with path.open("rb") as file:
            catalogue = read_po(file, locale=language, domain="mithaq", abort_invalid=True)
    except (PoFileError, UnicodeDecodeError, ValueError) as error:
        yield f"{path}: cannot be read: {error}"
        return
    for message in catalogue:
        if message.id:
            for fault in faults_of(message):
                yield f"{path}:{message.lineno}: {fault}"


def unextractable(path: Path) -> Iterator[str]:
    """Marks that no translator will ever see: their text is put together where it is marked."""
    for node in ast.walk(ast.parse(path.read_bytes(), str(path))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in KEYWORDS:
            for argument in node.args:
                built = isinstance(argument, ast.JoinedStr) or (
                    isinstance(argument, ast.BinOp)
                    and isinstance(argument.op, (ast.Add, ast.Mod))
                    and any(
                        isinstance(n, ast.Constant) and isinstance(n.value, str) for n in ast.walk(argument)
                    )
                )
                if built or _formats(argument):
                    yield f"{path}:{node.lineno}: {node.func.id}() marks a text that is put together"


def _formats(node: ast.expr) -> bool:
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "format"
        and isinstance(node.func.value, ast.Constant)
    )


def extract(folders: Iterable[Path], root: Path = ROOT) -> tuple[Catalog, list[str]]:
    """All marked messages of the Python files under `folders`, and what stood in the way."""
    catalogue = Catalog(
        domain="mithaq",
        project="Mithaq",
        version="0.1.0",
        creation_date=EPOCH,
        revision_date=EPOCH,
        fuzzy=False,
    )
    faults: list[str] = []
    for path in sorted(p for folder in folders for p in folder.rglob("*.py")):
        where = path.relative_to(root).as_posix()
        try:
            faults += unextractable(path)
            found = list(extract_from_file("python", path, keywords=KEYWORDS, comment_tags=("Translators:",)))
        except (SyntaxError, ValueError) as error:
            faults.append(f"{path}: cannot be read: {error}")
            continue
        for line, text, comments, context in found:
            try:
                catalogue.add(text, None, [(where, line)], auto_comments=comments, context=context)
            except ValueError as error:
                faults.append(f"{path}:{line}: {error}")
    return catalogue, faults


def po(language: str, root: Path = ROOT) -> Path:
    """Where the translations into `language` are kept."""
    return root / "resources" / "i18n" / language / "LC_MESSAGES" / "mithaq.po"


def is_translated(message: Message | None) -> bool:
    """Whether it says anything in its language, in every plural form."""
    if message is None or message.fuzzy:
        return False
    strings = message.string if isinstance(message.string, (list, tuple)) else (message.string,)
    return all(strings)


def check() -> int:
    """Print every fault; 1 if there is one."""
    template, faults = extract(ROOT / name for name in SOURCES)
    for language in LANGUAGES:
        faults += faults_in(po(language), language)
    for fault in faults:
        print(fault, file=sys.stderr)
    if faults:
        return 1
    wanted = {(m.id if isinstance(m.id, str) else m.id[0], m.context) for m in template if m.id}
    for language in LANGUAGES:
        with po(language).open("rb") as file:
            catalogue = read_po(file, locale=language)
        done = sum(is_translated(catalogue.get(text, context)) for text, context in wanted)
        print(f"Catalogue {language}: {done} of {len(wanted)} messages translated, placeholders agree.")
    return 0


def update() -> int:
    """Bring the catalogues up to date with the marks. What the code lost is dropped, nothing is guessed."""
    template, faults = extract(ROOT / name for name in SOURCES)
    if faults:
        print("\n".join(faults), file=sys.stderr)
        return 1
    for language in LANGUAGES:
        path = po(language)
        path.parent.mkdir(parents=True, exist_ok=True)
        catalogue = Catalog(locale=language, domain="mithaq")
        if path.exists():
            with path.open("rb") as file:
                catalogue = read_po(file, locale=language, domain="mithaq")
        if language in PLURAL_FORMS:
            catalogue.mime_headers = [("Plural-Forms", PLURAL_FORMS[language])]
        catalogue.update(template, no_fuzzy_matching=True)
        catalogue.project, catalogue.version, catalogue.fuzzy = "Mithaq", template.version, False
        catalogue.header_comment = (
            f"# {catalogue.locale.english_name if catalogue.locale else language} messages of Mithaq."
        )
        catalogue.creation_date = catalogue.revision_date = EPOCH
        catalogue.last_translator = catalogue.language_team = catalogue.msgid_bugs_address = "-"
        with path.open("wb") as file:
            write_po(
                file, catalogue, width=120, include_lineno=False, ignore_obsolete=True, sort_by_file=True
            )
    return 0


def compile_all() -> int:
    """Write the .mo file beside every catalogue."""
    for language in LANGUAGES:
        path = po(language)
        with path.open("rb") as file:
            catalogue = read_po(file, locale=language, domain="mithaq")
        with path.with_suffix(".mo").open("wb") as file:
            write_mo(file, catalogue)
    return 0


if __name__ == "__main__":
    commands = {"check": check, "update": update, "compile": compile_all}
    if len(sys.argv) != 2 or sys.argv[1] not in commands:
        sys.exit(f"usage: python -m scripts.catalogues {' | '.join(commands)}")
    sys.exit(commands[sys.argv[1]]())
