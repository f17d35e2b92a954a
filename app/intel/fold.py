"""Text folded for search, so that what an eye takes for the same word is the same word.

One fold for indexed text and queries alike, before any tokeniser sees them: compatibility forms, case, Latin,
Greek and Cyrillic accents, Arabic vowel marks and tatweel, the forms of alef, hamza, ya, ta marbuta and kaf,
Arabic and Persian digits, and characters that cannot be seen. Folding folded text changes nothing.

The Arabic article must not hide a word: the index keeps each word that carries it (alone or behind the
particles that are written together with it) a second time without, and a query looks for the word without.
Nor must a hyphen or a space: of a name of letters and figures (APT 28) the index keeps both together once more.
Source: Unicode Standard Annex 15 (normalisation), chapter 9.2 (Arabic); facts of the tokeniser: it splits at
marks.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

_DROPPED = (
    *range(0x0300, 0x0370),  # accents
    *range(0x0483, 0x0488),  # Cyrillic marks
    *range(0x0610, 0x061B),  # Koranic signs
    0x0640,  # tatweel
    *range(0x064B, 0x0660),  # harakat, hamza and madda above and below
    0x0670,  # dagger alef
    *range(0x06D6, 0x06DD),
    *range(0x06DF, 0x06E9),
    *range(0x06EA, 0x06EE),
    *range(0x08CA, 0x08E2),
    *range(0x08E3, 0x0900),
    *range(0x1AB0, 0x1B00),  # accents, supplements
    *range(0x1DC0, 0x1E00),
    *range(0x20D0, 0x2100),
    *range(0xFE20, 0xFE30),
    0x0621,  # hamza on the line, left out as often as written
    0x00AD,  # soft hyphen
    0x034F,
    0x061C,
    *range(0x200B, 0x2010),  # zero width, marks of direction
    *range(0x202A, 0x202F),
    *range(0x2060, 0x2070),
    *range(0xFE00, 0xFE10),  # variation selectors
    0xFEFF,
)
_REPLACED = {
    "ٱ": "ا",
    "ٲ": "ا",
    "ٳ": "ا",
    "ٵ": "ا",
    "ى": "ي",
    "ی": "ي",
    "ې": "ي",
    "ے": "ي",
    "ۍ": "ي",
    "ێ": "ي",
    "ة": "ه",
    "ہ": "ه",
    "ھ": "ه",
    "ۃ": "ه",
    "ە": "ه",
    "ک": "ك",
    "ڪ": "ك",
    "ø": "o",
    "đ": "d",
    "ð": "d",
    "ħ": "h",
    "ı": "i",
    "ł": "l",
    "ŧ": "t",
    "æ": "ae",
    "œ": "oe",
}
_TABLE: dict[str, str] = {
    "\0": " ",  # ends a string where C reads it
    **dict.fromkeys(map(chr, _DROPPED), ""),
    **_REPLACED,
    **{chr(base + digit): str(digit) for base in (0x0660, 0x06F0) for digit in range(10)},
}
# Most characters stay as they are: looking for the others is faster than looking each one up, as long as the class
# holds none beyond the first plane. Hidden tags and the rarer variation selectors are there, so they go separately.
_CHANGED = re.compile(f"[{''.join(_TABLE)}]")
_TAGS = re.compile("[\U000e0000-\U000e01ef]")


def _changed(found: re.Match[str]) -> str:
    return _TABLE[found[0]]


def fold(text: str) -> str:
    """`text` folded. `fold(fold(text)) == fold(text)`."""
    if text.isascii():
        return text.lower().replace("\0", " ")
    decomposed = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    return unicodedata.normalize("NFC", _CHANGED.sub(_changed, _TAGS.sub("", decomposed)))


# --- the article --------------------------------------------------------------------------------------------

_WORD = re.compile(r"[^\W_]+")
# Whole words that could carry the article, by their first letter.
_CARRIER = re.compile(r"[اوفبكل](?<![^\W_].)[^\W_]+", re.DOTALL)
# Behind one letter the article is surer than behind two, so the longer forms ask for a longer rest.
_ARTICLE = re.compile(r"(?:ال(?=..)|(?:[وف]?[بك]|[وف])ال(?=...)|[وف]?لل(?=...))(.+)")

_ELIDED = re.compile(r"[^\w]*(?:[cdjlmnst]|(?:jus|lors|puis|quoi)?qu)['’](?=\w)")


def _bare(word: str) -> str:
    """A folded word without its article; "" where it has none."""
    found = _ARTICLE.fullmatch(word)
    return found[1] if found else ""


def _others(word: str) -> Iterator[str]:
    """What else than `_bare(word)` somebody may look for, and `terms` make of it."""
    bare = _bare(word)
    # Some words begin like the article themselves: with it, إلكتروني does so twice.
    if again := _bare(bare):
        yield again
    # Behind the particle `li` two lams stand for three: the word's own may be one of them.
    if word.removesuffix(bare)[-2:] == "لل":
        yield "ل" + bare
    elif bare[0] == "ل" and len(bare) > 3:
        yield bare[1:]


def index_text(text: str) -> str:
    """What a full text index stores of `text`: folded, and behind it the words that carry the article, without it,
    and names of letters and figures, without what stands between the two.
    """
    folded = fold(text)
    # Most texts hold none, and to be told so is quicker than to be given none.
    parted = _BY_SPACE(folded) or _BY_HYPHEN(folded) or _BY_LINE(folded) or not folded.isascii()
    more = _joined(folded) if parted else {}
    if "ال" in folded or "لل" in folded:
        carriers = [word for word in _CARRIER.findall(folded) if _bare(word)]
        # Side by side as in the text first: a phrase without articles is found too.
        more = (
            dict.fromkeys(map(_bare, carriers))
            | dict.fromkeys(one for word in carriers for one in _others(word))
            | more
        )
    return f"{folded}\n{' '.join(more)}" if more else folded


def terms(query: str) -> tuple[str, ...]:
    """The folded terms of what somebody typed, in order: each must be found, in any place, the last as a
    beginning.

    A term holds one word, or several joined by punctuation (`cve-2024-3094`), which must stand side by side.
    Defanged addresses are made whole first. What French elides before a word (`l'attaque`) hides it no more than the
    Arabic article does. Terms hold whatever was typed but white space: quote them for the
    query language.
    """
    found = []
    for piece in refang(fold(query)).split():
        words = _WORD.findall(piece)
        if words:
            if len(words) > 1 and (elided := _ELIDED.match(piece)):
                piece = piece[elided.end() :]
                words = words[1:]
            # Of ::1 the noughts count.
            alone = len(words) == 1 and "::" not in piece
            found.append((_bare(words[0]) or words[0]) if alone else piece)
    return tuple(found)


# --- letters and figures ------------------------------------------------------------------------------------

MAX_JOINED = 1_000
"""Names of letters and figures that are kept together of one text."""
_LETTERS, _FIGURES = "[a-z]{2,24}", "[0-9]{1,6}"
# Nothing of a host's name, an address, a time or a number with a point; and SHA-256 is in nearly every pattern.
_BEHIND = rf"(?=[0-9])(?<=[a-z].)(?<!sha.)({_FIGURES})(?![^\W_]|[.,][0-9]|[.@][^\W_]|:[0-9])"
# By one letter that is sure to stand there: looking for any of several takes three times as long.
_BETWEEN = [re.compile(mark + _BEHIND) for mark in (" ", "-", "_", "[\u2010-\u2015\u2212]")]
_BY_SPACE, _BY_HYPHEN, _BY_LINE = (pattern.search for pattern in _BETWEEN[:3])
_NAMED = re.compile(rf"(?<![\w.-]){_LETTERS}\Z")

_SPELLED = re.compile(r"[^\W_]+(?:[-_\u2010-\u2015\u2212][^\W_]+){1,3}")
_APART = re.compile(f"([a-z]{{1,24}})({_FIGURES})")
_LETTERS_ALONE, _FIGURES_ALONE = re.compile("[a-z]{1,24}"), re.compile(_FIGURES)


def _joined(folded: str) -> dict[str, None]:
    """The names in folded text that a hyphen or a space parts into letters and figures, without it."""
    found: dict[str, None] = {}
    for pattern in _BETWEEN:
        for figures in pattern.finditer(folded):
            at = figures.start()
            named = _NAMED.search(folded, max(0, at - 25), at)
            if named and len(found) < MAX_JOINED:
                found[named[0] + figures[1]] = None
    return found


def together(one: str, other: str) -> str:
    """Two folded words as one name of letters and figures; "" where they are none."""
    return one + other if _LETTERS_ALONE.fullmatch(one) and _FIGURES_ALONE.fullmatch(other) else ""


def spellings(text: str) -> tuple[str, ...]:
    """How else the names of letters and figures in folded `text`, of words that must stand side by side, are written:
    all of them together, all of them apart. Without `text` itself.
    """
    words = _WORD.findall(text)
    joined, apart = list[str](), list[str]()
    for word in words:
        name = together(joined[-1], word) if joined else ""
        joined[-1:] = [name] if name else [*joined[-1:], word]
        found = _APART.fullmatch(word)
        apart += found.groups() if found else (word,)
    return tuple(dict.fromkeys(" ".join(some) for some in (joined, apart) if some != words))


def is_name(term: str) -> bool:
    """Whether a folded term may be one name of several words, and no address or number."""
    return _SPELLED.fullmatch(term) is not None


# --- observables --------------------------------------------------------------------------------------------

MAX_DEFANGED = 2048
"""Characters of a text that `refang` looks at; a longer one is no observable and stays as it is."""

_OPEN, _CLOSE = r"[\[({<]", r"[\])}>]"
_FANGS = (
    (re.compile(r"\bh(?:xx|\*\*)p(?=s?[\[({<]?:)", re.IGNORECASE), "http"),
    (re.compile(r"\bmailto:(?=[^\s@]+@)", re.IGNORECASE), ""),
    (re.compile(r"\bfxp(?=s?[\[({<]?:)", re.IGNORECASE), "ftp"),
    (re.compile(rf"\s{{0,3}}{_OPEN}\s?(?:\.|dot)\s?{_CLOSE}\s{{0,3}}", re.IGNORECASE), "."),
    (re.compile(rf"\s{{0,3}}{_OPEN}\s?(?:@|at)\s?{_CLOSE}\s{{0,3}}", re.IGNORECASE), "@"),
    (re.compile(rf"{_OPEN}(:|//?|://){_CLOSE}"), r"\1"),
    (re.compile(r"(?<!\[)\[++\.|\.\]++"), "."),
)


def refang(text: str) -> str:
    """`text` with defanged addresses made whole: `hxxp`, `[.]`, `(dot)`, `[@]`, `(at)`, `[:]`, `[://]`,
    and bare (`mailto:`).

    For what people type and paste, never for values of objects. `refang(refang(text)) == refang(text)`.
    """
    if len(text) > MAX_DEFANGED:
        return text
    before = None
    while text != before:
        before = text
        for pattern, plain in _FANGS:
            text = pattern.sub(plain, text)
    return text
