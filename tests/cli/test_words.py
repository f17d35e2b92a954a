"""What the terminal calls what it lists: in English by its code, in other languages in words."""

from __future__ import annotations

import json
import re
from typing import get_args

import pytest

from app import cli, messages, words
from app.exchange import channel, consents, recalls, terms
from app.holdings import comparing
from app.intel.marking import Level
from tests.cli.conftest import bundle, indicator

MARKS = str.maketrans("", "", "\u2066\u2067\u2068\u2069\u200e\u200f")


def test_every_code_of_a_table_has_its_word():
    assert words.KINDS.keys() == set(terms.KINDS)
    assert words.ONWARD.keys() == set(terms.ONWARD)
    assert words.STATUSES.keys() == set(comparing.STATUSES)
    assert words.RECALL_STATES.keys() == set(recalls.STATES)
    assert words.RECEIPTS.keys() == set(terms.RECEIPTS)
    assert words.EPOCH_REASONS.keys() == set(get_args(channel.Reason))
    assert words.ASKED.keys() > set(consents.ABOUT)
    clauses = terms.clauses_as_facts(terms.Clauses(Level.AMBER, "", "", ""))
    assert words.CLAUSES.keys() > clauses.keys()


@pytest.fixture
def said(capsys):
    """Run a command in a language; returns its exit code and what it prints, without marks of direction."""

    def run(site, language, *command):
        where = ("--home", site.home, "--passphrase-file", site.passphrase, "--language", language)
        code = cli.cli.main([*map(str, where), *command], standalone_mode=False)
        return code, capsys.readouterr().out.translate(MARKS)

    yield run
    messages.use_language("en")


@pytest.fixture
def exchanged(pair, tmp_path):
    """A package of one object lies in the outbox of one and the inbox of the other; an agreement is proposed."""
    a, b = pair
    a.run("import", bundle(tmp_path / "b.json", indicator(1)))
    a.run("release", "--to", "beta", "--all", "--priority", "flash", "--out", tmp_path / "one.age")
    b.run("receive", tmp_path / "one.age")
    proposed = ("--to", "beta", "--ceiling", "AMBER", "--until", "2099-12-31", "--out", tmp_path / "two.age")
    a.run("agreement", "propose", *proposed)
    return a, b


def test_lists_say_codes_in_english_and_words_in_other_languages(exchanged, said):
    a, b = exchanged
    for site, command, codes in (
        (a, ("list",), ("indicator",)),
        (a, ("outbox",), ("handed", "flash")),
        (a, ("ledger",), ("carried",)),
        (a, ("agreement", "list"), ("proposed",)),
        (a, ("agreement", "show", "1"), ("ceiling", "threats", "best-practices", "ours", "ids")),
        (a, ("slot", "list"), ("passphrase",)),
        (a, ("audit", "list"), ("package.sealed", "agreement.proposed")),
        (a, ("audit", "report"), ("package.sealed",)),
        (b, ("inbox", "list"), ("pending", "flash")),
        (b, ("inbox", "show", "1"), ("new", "pending", "indicator")),
    ):
        found = [said(site, language, *command) for language in ("en", "ar", "fr")]
        assert {exit_code for exit_code, _text in found} == {0}
        shown = [set(re.split(r"[\s,،]+", text)) for _code, text in found]
        for code in codes:
            assert [code in one for one in shown] == [True, False, False], (command, code, found)


def test_a_document_holds_the_codes_in_every_language(exchanged, said):
    a, b = exchanged
    for site, command in ((a, ("outbox",)), (a, ("agreement", "show", "1")), (b, ("inbox", "show", "1"))):
        found = [said(site, language, "--json", *command) for language in ("en", "ar", "fr")]
        assert found[0] == found[1] == found[2]
        assert json.loads(found[0][1])


def test_a_code_without_a_word_keeps_its_name_and_does_nothing():
    messages.use_language("ar")
    try:
        assert words.word(words.PACKAGE_STATES, "odd") == words.type_name("odd") == "odd"
        assert words.word(words.PACKAGE_STATES, "void") == "لاغية"
        assert words.type_name("malware") == "برمجية خبيثة"
    finally:
        messages.use_language("en")
    assert words.word(words.PACKAGE_STATES, "void") == "void"
    assert words.type_name("malware") == "malware"


@pytest.mark.parametrize(
    "act, name, value, in_french",
    [
        ("epoch.restarted", "reason", "rotated", "Rotation des clés"),
        ("package.rejected", "reason", "rotated", "rotated"),
        ("slot.added", "kind", "recovery", "Kit de récupération"),
        ("slots.undone", "undone", "slot.added", "Moyen de déverrouillage ajouté"),
        ("setting.changed", "name", "theme", "Couleurs"),
        ("setting.changed", "value", "high_contrast", "Contraste élevé"),
        ("setting.changed", "value", "15", "15"),
        ("restored", "moved", False, "non"),
        ("restored", "made", "True", "True"),
    ],
)
def test_what_the_log_tells_is_in_words_where_it_is_one_of_a_list(act, name, value, in_french):
    said = words.logged_words(act, name, value)
    assert words.word(said, str(value)) == str(value)
    messages.use_language("fr")
    try:
        assert words.word(said, str(value)).translate(MARKS) == in_french
    finally:
        messages.use_language("en")


TERMINAL_ONLY = frozenset(
    {
        *("interrupted", "output-lost", "passphrase-missing", "rekey-recovery", "no-installation"),
        *("setting-unknown", "internal", "entry-unknown", "replace-unconfirmed", "verify-unconfirmed"),
        *("nothing-proven", "revive-unconfirmed", "content-unknown"),
        *("sanitise-nothing", "sanitise-not-ours", "sanitise-unknown", "text-missing"),
        *("enquiry-unknown", "enquiry-own", "enquiry-closed"),
        *("recall-never-given", "recall-standing", "recall-ours"),
        *("retention-overdue", "retention-mixed", "nothing-to-ask", "request-unknown"),
        *("not-ours-to-give", "never-given", "consent-period"),
    }
)
"""What only acts of the terminal come to."""


def test_the_window_names_no_command_but_those_of_the_terminal_in_full():
    for code, message in messages.MESSAGES.items():
        shown = message.window or message.remedy
        commands = re.findall(r"`([^`]*)`", shown)
        short = [one for one in commands if not one.startswith("mithaq-cli ")]
        short += re.findall(r"(?<![\w-])--[a-z-]+", re.sub(r"`[^`]*`", "", shown))
        assert not short or code in TERMINAL_ONLY, (code, shown)
    assert messages.MESSAGES.keys() >= TERMINAL_ONLY
