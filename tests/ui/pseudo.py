"""Arabic that nobody wrote: each Latin letter of our own words becomes an Arabic one, placeholders stay.

Shows on any screen, without a translator, what does not mirror, does not fit, or does not come from the catalogues.
"""

from __future__ import annotations

import gettext
import re

import pytest
from PySide6.QtWidgets import QApplication

from app import messages
from ui.numbers import use_arabic_digits
from ui.theme import theme

_LATIN = "abcdefghijklmnopqrstuvwxyz"
_ARABIC = "ابثدهفغحيجكلمنوبقرستعفوخيز"
_MAP = {**dict(zip(_LATIN, _ARABIC, strict=True)), ",": "،", "?": "؟"}
_KEPT = re.compile(r"(\{[^}]*\})")


def arabic(text: str) -> str:
    parts = _KEPT.split(text)
    return "".join(p if _KEPT.fullmatch(p) else "".join(_MAP.get(c, c) for c in p.lower()) for p in parts)


class PseudoArabic(gettext.NullTranslations):
    def info(self) -> dict[str, str]:
        return {"language": "ar"}

    def gettext(self, message: str) -> str:
        return arabic(message)

    def pgettext(self, context: str, message: str) -> str:
        return arabic(message)

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        return arabic(msgid1 if n == 1 else msgid2)


def switch(on: bool) -> None:
    """Speak pseudo-Arabic from right to left, or English again."""
    messages._translation = PseudoArabic() if on else gettext.NullTranslations()
    use_arabic_digits(on)
    theme().set_arabic(on)
    QApplication.processEvents()


@pytest.fixture
def pseudo_arabic():  # type: ignore[no-untyped-def]
    switch(True)
    yield
    switch(False)
