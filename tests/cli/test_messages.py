"""Every code that can reach an officer has a sentence, and sentences keep to the rules of writing."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from app import messages
from app.messages import MESSAGES

ROOT = Path(__file__).resolve().parents[2]


def raised_codes():
    """Codes given literally to Refused and Fault, to `failed` lists, and returned by the gate."""
    for path in [*(ROOT / "app").rglob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf8"))):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Name)
                and node.func.id in ("Refused", "Problem")
                and node.args
                and isinstance(node.args[0], ast.Constant)
            ):
                yield node.args[0].value, path.name
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("Fault", "NotStrict", "_Bad"):
                for argument in node.args:
                    if isinstance(argument, ast.Constant) and re.fullmatch(
                        r"(json|stix|object)-[a-z0-9.-]+", argument.value
                    ):
                        yield argument.value, path.name


def test_every_code_that_is_raised_has_a_sentence():
    found = set(raised_codes())
    assert len(found) > 60
    assert sorted((code, name) for code, name in found if code not in MESSAGES) == []


@pytest.mark.parametrize(
    "code",
    [
        "no-agreement",
        "ceiling",
        "card-key",
        "unreadable-marking",
        "withheld-reference",
        "leaves",
        "already-has",
        "dangling",
        "not-selected",
        "protection-onetime",
        "protection-reusable",
        "protection-card",
        "status-duplicate",
        "status-gap",
        "status-closed",
        "fork",
        "too-far",
        "epoch-unknown",
        "channel-frozen",
        "channel-claimed",
        "channel-full",
        "keys-format",
        "document-format",
        "signature",
        "part-unreadable",
        "age-header",
        "age-hmac",
        "age-no-match",
        "age-payload",
        "age-armor",
        "age-key",
        "age-recipients",
        "page-damaged",
        "structure-damaged",
        "reference-broken",
        "audit-altered",
        "audit-missing",
        "slots-damaged",
        "wrong-passphrase",
    ],
)
def test_codes_that_are_computed_have_sentences(code):
    assert code in MESSAGES


def test_sentences_keep_to_the_rules_of_writing():
    for code, message in MESSAGES.items():
        for text in filter(None, (message.sentence, message.remedy, message.window)):
            assert text[-1] == ".", code
            assert not re.search(r"\b(please|sorry|invalid|successfully|error)\b|!", text, re.IGNORECASE), (
                code
            )


def test_facts_from_outside_cannot_act_in_a_sentence():
    shown = messages.sentence("counterpart-unknown", {"name": "x\u202egnp\x1b[31m\n{evil}"})
    assert "\u202e" not in shown
    assert "\x1b" not in shown
    assert "\n" not in shown
    assert "[U+202E]" in shown
    assert messages.sentence("counterpart-unknown", {}) == "There is no counterpart ?."
    assert messages.sentence("no-such-code") == "Refused."


def test_what_nobody_said_in_brackets_is_left_out_with_them():
    assert "(" not in messages.sentence("package-damaged")
    assert "(cut)" in messages.sentence("package-damaged", {"detail": "cut"})


def test_what_is_marked_with_a_context_is_translated_in_it():
    marked = messages.NP_("package", "Received")
    assert messages._(marked) == "Received"
    messages.use_language("ar")
    try:
        said = {messages._(marked), messages._(messages.NP_("object", "Received"))}
        assert len(said) == 2
        assert "Received" not in said
        assert messages._(marked) == messages.pgettext("package", "Received")
    finally:
        messages.use_language("en")


def test_what_is_to_be_done_in_the_window_is_told_without_a_command_or_with_all_of_it():
    for code, message in MESSAGES.items():
        in_full = re.findall("`mithaq-cli [a-z -]+`", message.window)
        assert not re.search("`| --", re.sub("`mithaq-cli [a-z -]+`", "", message.window)), code
        assert not in_full or "terminal" in message.window, code
        assert not message.window or message.window != message.remedy, code
    assert "`slot add`" in messages.remedy("slot-last-free")
    assert "`" not in messages.remedy("slot-last-free", window=True)
    assert messages.remedy("disk-full", window=True) == messages.remedy("disk-full")


def test_what_a_target_refuses_is_true_of_whatever_is_written_there():
    """A plain export, an attachment saved and a backup meet these too."""
    for code in ("target-exists", "target-full", "target-read-only", "target-missing", "target-failed"):
        assert "sealed" not in MESSAGES[code].sentence + MESSAGES[code].remedy
