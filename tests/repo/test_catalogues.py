"""The check of the message catalogues: what it lets pass, what it finds."""

from __future__ import annotations

import gettext
import re
from pathlib import Path

import pytest
from babel import Locale
from babel.messages.catalog import Message
from babel.messages.pofile import read_po

from app import messages
from scripts import catalogues


@pytest.mark.parametrize(
    "text, fields",
    [
        ("Nothing to fill.", []),
        ("{n} of {total}", ["{n}", "{total}"]),
        ("{size!r:>8}", ["{size!r:>8}"]),
        ("{{kept}} {x}", ["{x}"]),
        ("%s at %(where)s", ["%(where)s", "%s"]),
        ("50 % full", []),
        ("open {", ["unpaired {"]),
    ],
)
def test_placeholders(text: str, fields: list[str]) -> None:
    assert sorted(catalogues.placeholders(text)) == fields


@pytest.mark.parametrize(
    "message",
    [
        Message("From {who}", "{who}"),
        Message("From {who}", ""),
        Message("{a} to {b}", "{b} {a}"),
        Message(("{n} object", "{n} objects"), ("", "", "", "", "", "")),
        Message(("{n} object", "{n} objects"), ("none", "one", "two", "{n} a", "{n} b", "{n} c")),
        Message(("One from {who}", "{n} from {who}"), ("{who}", "{n} {who}")),
    ],
)
def test_agreeing_translations_pass(message: Message) -> None:
    assert catalogues.faults_of(message) == []


@pytest.mark.parametrize(
    "message",
    [
        Message("From {who}", "From somebody"),
        Message("From {who}", "{qui}"),
        Message("From {who}", "{who} {when}"),
        Message("From {who}", "{who.__class__}"),
        Message("From {who}", "{who!r}"),
        Message("From {who}", "{who"),
        Message("{n} object", "one object"),
        Message("%s", "%d"),
        Message(("{n} from {who}", "{n} from {who}"), ("{n}", "{n} {who}")),
        Message(("{n} object", "{n} objects"), ("{n} objet", "")),
    ],
)
def test_disagreeing_translations_are_found(message: Message) -> None:
    assert catalogues.faults_of(message)


@pytest.mark.parametrize(
    "message, yes",
    [
        (None, False),
        (Message("a", ""), False),
        (Message("a", "b"), True),
        (Message(("{n} a", "{n} as"), ("", "")), False),
        (Message(("{n} a", "{n} as"), ("{n} b", "")), False),
        (Message(("{n} a", "{n} as"), ("{n} b", "{n} c")), True),
    ],
)
def test_what_counts_as_translated(message: Message | None, yes: bool) -> None:
    assert catalogues.is_translated(message) is yes


def test_a_file_is_read_and_its_line_is_named(tmp_path: Path) -> None:
    po = tmp_path / "fr.po"
    po.write_text(
        'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=utf-8\\n"\n\n'
        'msgid "From {who}"\nmsgstr "De {qui}"\n'
    )
    faults = list(catalogues.faults_in(po, "fr"))
    assert [fault.split(": ")[0] for fault in faults] == [f"{po}:5", f"{po}:5"]


@pytest.mark.parametrize("content", [b"\xff\xfe", b'nonsense "x"\n'])
def test_an_unreadable_file_is_a_fault(tmp_path: Path, content: bytes) -> None:
    po = tmp_path / "fr.po"
    po.write_bytes(content)
    assert list(catalogues.faults_in(po, "fr"))


def test_all_marks_are_extracted(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(
        'a = _("one"); b = N_("two")\n'
        'c = ngettext("{n} three", "{n} threes", n)\n'
        'd = pgettext("button", "four"); e = NP_("state", "four")\n'
    )
    template, faults = catalogues.extract([tmp_path], tmp_path)
    assert faults == []
    assert [(m.id, m.context) for m in template if m.id] == [
        ("one", None),
        ("two", None),
        (("{n} three", "{n} threes"), None),
        ("four", "button"),
        ("four", "state"),
    ]


@pytest.mark.parametrize(
    "source",
    [
        '_(f"{x} left")',
        '_("a" + x)',
        '_("%s left" % x)',
        '_("{} left".format(x))',
        "def broken(:",
        "ngettext(f'{n}', 'b', n)",
    ],
)
def test_what_no_translator_would_see_is_found(tmp_path: Path, source: str) -> None:
    (tmp_path / "a.py").write_text(source + "\n")
    assert catalogues.extract([tmp_path], tmp_path)[1]


@pytest.mark.parametrize(
    "source", ["_(code)", '_("a" "b")', '_("{x} left").format(x=1)', "_(message.sentence)"]
)
def test_ordinary_marks_are_no_fault(tmp_path: Path, source: str) -> None:
    (tmp_path / "a.py").write_text(source + "\n")
    assert catalogues.extract([tmp_path], tmp_path)[1] == []


def test_our_own_catalogues_are_sound() -> None:
    assert catalogues.check() == 0


@pytest.mark.parametrize("language", catalogues.LANGUAGES)
def test_the_program_speaks_each_of_its_languages(language: str) -> None:
    """A message that was written a moment ago may lack its translation; a screen of them may not."""
    with catalogues.po(language).open("rb") as file:
        messages = [one for one in read_po(file, locale=language) if one.id]
    missing = [one.id for one in messages if not catalogues.is_translated(one)]
    assert len(missing) < len(messages) / 50, missing


# Words of these tables that are labels elsewhere too, and mean the same there.
TABLES = {"app/words.py", "ui/words.py"}
SAME_SENSE = {
    "no",
    "yes",
    *(
        "Alias",
        "Ceiling",
        "Changed",
        "Conflicts",
        "Counterpart",
        "Fingerprint",
        "Flash",
        "For exercises only",
    ),
    *("Handling", "Kinds", "Name", "Objects", "Package", "Passing on", "Passphrase", "Purposes"),
    *("Reason", "Recovery kit", "Revoked", "Routine", "Sign by", "Size", "State", "Until", "Versions"),
}


def test_a_word_for_a_state_a_type_or_an_act_is_no_label() -> None:
    """English calls a state, a moment and a signature "Received"; other languages do not. Such a word has a context."""
    template, _faults = catalogues.extract(catalogues.ROOT / name for name in catalogues.SOURCES)
    shared = {
        m.id
        for m in template
        if isinstance(m.id, str)
        and m.context is None
        and (files := {path for path, _line in m.locations}) & TABLES
        and files - TABLES
    }
    assert shared == SAME_SENSE


def test_contexts_are_there_because_translations_differ() -> None:
    by_id: dict[str, set[tuple[str, ...]]] = {}
    contexts: dict[str, int] = {}
    read = {}
    for language in catalogues.LANGUAGES:
        with catalogues.po(language).open("rb") as file:
            read[language] = read_po(file, locale=language)
    for message in read["ar"]:
        if message.id and isinstance(message.id, str):
            said = tuple(str(one.get(message.id, message.context).string) for one in read.values())
            by_id.setdefault(message.id, set()).add(said)
            contexts[message.id] = contexts.get(message.id, 0) + 1
    several = {id_ for id_, count in contexts.items() if count > 1}
    assert {"From", "To", "Received", "Sealed", "File", "Accepted"} <= several
    assert {id_ for id_ in several if len(by_id[id_]) < 2} == set()


# Commands, patterns of a file dialogue, and a quotation mark that is spoken of.
NOT_PROSE = re.compile(r'`[^`]*`|\(\*[^)]*\);;|\\"')


def prose(language: str) -> list[str]:
    with catalogues.po(language).open("rb") as file:
        told = [one.string for one in read_po(file, locale=language) if one.id]
    texts = [text for one in told for text in ((one,) if isinstance(one, str) else one)]
    return [NOT_PROSE.sub("x", text) for text in texts]


def test_french_is_spaced_and_quoted_as_french() -> None:
    wrong = re.compile("[^\u202f][;!?»]|«[^\u202f]|[^\u00a0]:(?=\\s|$)|['\"]|\\.\\.\\.")
    assert [text for text in prose("fr") if wrong.search(text)] == []


def test_arabic_is_punctuated_as_arabic() -> None:
    wrong = re.compile("[,;?'\"]|\\.\\.\\.| [،؛؟.:](?:\\s|$)")
    assert [text for text in prose("ar") if wrong.search(text)] == []


def test_every_arabic_plural_has_its_six_forms() -> None:
    with catalogues.po("ar").open("rb") as file:
        several = [one for one in read_po(file, locale="ar") if isinstance(one.id, tuple) and one.id]
    assert len(several) > 30
    assert [one.id for one in several if len(one.string) != 6] == []


def test_each_number_takes_the_plural_form_that_its_language_gives_it() -> None:
    order = ("zero", "one", "two", "few", "many", "other")
    form = gettext.c2py(catalogues.PLURAL_FORMS["ar"].split("plural=")[1].rstrip(";"))
    for count in range(1_300):
        assert order[form(count)] == Locale("ar").plural_form(count), count
    with catalogues.po("ar").open("rb") as file:
        assert read_po(file, locale="ar").plural_forms == catalogues.PLURAL_FORMS["ar"]
    messages.use_language("ar")
    try:
        said = {n: messages.ngettext("{number} object", "{number} objects", n) for n in (3, 11, 99, 100, 111)}
    finally:
        messages.use_language("en")
    assert said[11] == said[99] == said[111] == "{number} كائنًا"
    assert said[3] == "{number} كائنات"
    assert said[100] == "{number} كائن"
