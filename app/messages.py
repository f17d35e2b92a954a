"""Every code (error, verdict, warning) with its sentence and its remedy, translatable.

Core code returns codes and values and raises `Refused`; only the window and the command line turn them into sentences,
and they do it here. A sentence says what is, a remedy says what to do; neither blames. Facts in braces come from the
raiser and may be hostile: whoever prints them shows control characters as marks (see `plain`).
"""

from __future__ import annotations

import gettext as _gettext
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

CATALOGUES = Path(__file__).resolve().parent.parent / "resources" / "i18n"
DOMAIN = "mithaq"
LANGUAGES = ("en", "ar", "fr")

_translation: _gettext.NullTranslations = _gettext.NullTranslations()


def use_language(language: str) -> None:
    """Speak `language` ("en", "ar", "fr") from now on; a catalogue that is not built falls back to English."""
    global _translation
    _translation = _gettext.translation(DOMAIN, str(CATALOGUES), [language], fallback=True)


def _(text: str) -> str:
    """The translation of `text` in the language in use."""
    return _translation.gettext(text)


def ngettext(one: str, many: str, count: int) -> str:
    """The translation of the form of `one`/`many` that `count` needs."""
    return _translation.ngettext(one, many, count)


def N_(text: str) -> str:
    """Mark `text` for the catalogues; it is translated where it is shown."""
    return text


class Refused(Exception):
    """A service says no. `code` is a key of `MESSAGES`; `facts` fill the sentence's braces. Nothing was changed."""

    def __init__(self, code: str, **facts: object) -> None:
        super().__init__(code)
        self.code = code
        self.facts = facts


@dataclass(frozen=True)
class Message:
    """What a code says and what can be done about it (`remedy` may be empty: nothing needs doing)."""

    sentence: str
    remedy: str = ""


def plain(value: object) -> str:
    """`value` as one line in which nothing acts: control, format and line-breaking characters become U+XXXX marks."""
    text = value if isinstance(value, str) else str(value)
    if text.isascii() and text.isprintable():
        return text
    return "".join(f"[U+{ord(c):04X}]" if unicodedata.category(c) in _ACTING else c for c in text)


_ACTING = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


class _Facts(dict[str, str]):
    def __missing__(self, key: str) -> str:
        return "?"


def sentence(code: str, facts: Mapping[str, object] | None = None) -> str:
    """The sentence of `code` in the language in use, with `facts` filled in as plain text."""
    message = MESSAGES.get(code)
    if message is None:
        return _("Refused.")
    return _(message.sentence).format_map(_Facts({k: plain(v) for k, v in (facts or {}).items()}))


def remedy(code: str, facts: Mapping[str, object] | None = None) -> str:
    """What to do about `code`, or "" where nothing needs doing."""
    message = MESSAGES.get(code)
    if message is None or not message.remedy:
        return ""
    return _(message.remedy).format_map(_Facts({k: plain(v) for k, v in (facts or {}).items()}))


STAGES: dict[str, str] = {
    "read": N_("Reading"),
    "store": N_("Storing"),
    "check": N_("Checking"),
    "seal": N_("Sealing"),
    "open": N_("Opening"),
    "verify": N_("Reading back"),
    "export": N_("Exporting"),
}

MESSAGES: dict[str, Message] = {
    # Installation and unlocking
    "wrong-passphrase": Message(
        N_("The passphrase does not open this installation."), N_("Type it again; check the keyboard layout.")
    ),
}
