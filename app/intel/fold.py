"""Text folded for search, so that what an eye takes for the same word is the same word.

One fold for indexed text and queries alike, before any tokeniser sees them: compatibility forms, case, Latin,
Greek and Cyrillic accents, Arabic vowel marks and tatweel, the forms of alef, hamza, ya, ta marbuta and kaf,
Arabic and Persian digits, and characters that cannot be seen. Folding folded text changes nothing.

Nothing written together with an Arabic word must hide it: of each word with the article, a conjunction or a preposition
before it the index keeps what is behind those too, and a query looks for the word without. So with the seats of hamza
that are a matter of taste (مسئول, مسؤول), with names of two words (عبد الله) and with a hyphen or a space in a name of
letters and figures (APT 28): the index keeps both together once more.
Source: Unicode Standard Annex 15 (normalisation), chapter 9.2 (Arabic); facts of the tokeniser: it splits at
marks.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

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


# --- Arabic words -------------------------------------------------------------------------------------------

_WORD = re.compile(r"[^\W_]+")
# Whole words that could carry something, by their first letter.
_CARRIER = re.compile(r"(?:[وفبكل](?<![^\W_].)|ا(?<![^\W_].)ل)[^\W_]{2,}", re.DOTALL)
_CARRYING = "لوبفك"
"""A letter of each carrier, the most frequent first."""
# Behind one letter the article is surer than behind two, so the longer forms ask for a longer rest.
_ARTICLE = re.compile(r"(?:ال(?=..)|(?:[وف]?[بك]|[وف])ال(?=...)|[وف]?لل(?=...))(.+)")
_SHORTEST = 3
"""Letters that are left of a word of a text behind particles; of one of a query, where the word as it is was meant more
often than not, one more.
"""
_WHOLE = frozenset(
    (
        *(
            "بطاقه",
            "بطاقات",
            "بحريه",
            "بلديه",
            "بطوله",
            "برقيه",
            "بوصله",
            "فعاليه",
            "فعاليات",
            "فعليه",
            "فعليا",
        ),
        *("فاصله", "لازمه", "كوارث", "وسايل", "وجهات"),
    )
)
"""Words that begin like a particle and go on like another word: who types one means that."""

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


def _behind(word: str, shortest: int) -> tuple[str, ...]:
    """What is behind the particles of a folded word without article, if they are any and so many letters are left:
    behind the first, behind both.
    """
    first, length = word[0], len(word)
    if length <= shortest or first not in "وفبكل":
        return ()
    if length > shortest + 1 and first in "وف" and word[1] in "بكل":
        return word[1:], word[2:]
    return (word[1:],)


_Carried = tuple[str, tuple[str, ...], tuple[str, ...]]


def _carries(word: str) -> _Carried:
    """Of a folded word of a text: it without its article, what else that may be, and what is behind its particles."""
    bare = _bare(word)
    if bare:
        return bare, tuple(_others(word)), ()
    behind = _behind(word, _SHORTEST)
    # Two letters behind the article are sure enough only in a text, where looking for them costs no other word.
    if len(word) == 5 and word[0] in "وف" and word[1:3] == "ال":
        behind += (word[3:],)
    return "", (), behind


_carried = lru_cache(1 << 13)(_carries)
_LONGEST = 24
"""Letters of a word that is kept in mind: few texts have longer ones, and somebody may write very long ones."""


# A long u behind a hamza: on ya, on waw, or with one waw for both.
_ON_YA = re.compile("ي(?=[\u0640\u064b-\u0653\u0655-\u065f]*+\u0654)(?=[\u0640\u064b-\u065f]*+و)")


def _seated(text: str) -> str:
    """`text` folded as if each hamza before a long u sat on waw; "" where that is what it is."""
    decomposed = unicodedata.normalize("NFKD", text)
    seated = _ON_YA.sub("و", decomposed)
    return "" if seated == decomposed else fold(seated)


def _single(word: str) -> str:
    """A folded word with one waw for two, which is how some write both; as it is if few letters were left."""
    single = word.replace("وو", "و")
    return single if len(single) > _SHORTEST else word


def _doubled(folded: str) -> Iterator[str]:
    """The words with two waws, without what they carry."""
    for word in _WORD.findall(folded):
        if "وو" in word:
            bare, others, behind = _carries(word)
            yield from (bare or word, *others, *behind)


def index_text(text: str) -> str:
    """What a full text index stores of `text`: folded, and behind it the Arabic words without what is written together
    with them, and names of two words or of letters and figures, without what stands between the two.
    """
    folded = fold(text)
    # Most texts hold none, and to be told so is quicker than to be given none.
    latin = folded.isascii()
    parted = not latin or _BY_SPACE(folded) or _BY_HYPHEN(folded) or _BY_LINE(folded)
    more = _joined(folded) if parted else {}
    if not latin:
        more = _uncovered(text, folded, more)
    return f"{folded}\n{' '.join(more)}" if more else folded


def _uncovered(text: str, folded: str, more: dict[str, None]) -> dict[str, None]:
    """What is kept beside a folded text that may hold Arabic words, `more` among it."""
    if not any(letter in folded for letter in _CARRYING):
        return more
    bare, others, behind = dict[str, None](), dict[str, None](), dict[str, None]()
    for word in _CARRIER.findall(folded):
        one, some, rest = _carried(word) if len(word) <= _LONGEST else _carries(word)
        if one:
            # Side by side as in the text first: a phrase without articles is found too.
            bare[one] = None
        for one in some:
            others[one] = None
        for one in rest:
            behind[one] = None
    if "وو" in folded:
        behind.update(dict.fromkeys(map(_single, _doubled(folded))))
    if "يو" in folded:
        for one in _doubled(_seated(text)):
            behind[one] = behind[_single(one)] = None
    if any(part in folded for part in _OF_NAMES):
        for first, second in _TWO_WORDS.findall(folded):
            behind.update(dict.fromkeys((first + second, *_behind(first + second, _SHORTEST))))
    return bare | others | more | behind


class Term(NamedTuple):
    """A term of a query: `typed` folded, and what is `asked` for, any of it: the first is the term itself, one with a
    space in it words that stand side by side.
    """

    typed: str
    asked: tuple[str, ...]


def asked(query: str) -> tuple[Term, ...]:
    """The folded terms of what somebody typed, in order: each must be found, in any place, the last as a
    beginning.

    A term holds one word, or several joined by punctuation (`cve-2024-3094`), which must stand side by side.
    Defanged addresses are made whole first. What French elides before a word (`l'attaque`) hides it no more than the
    Arabic article does. Terms hold whatever was typed but white space: quote them for the
    query language.
    """
    pieces = refang(fold(query)).split()
    seated = refang(_seated(query)).split() or pieces
    found = []
    for piece, other in zip(pieces, seated, strict=True):
        words = _WORD.findall(piece)
        if words:
            if len(words) > 1 and (elided := _ELIDED.match(piece)):
                piece = piece[elided.end() :]
                words = words[1:]
            # Of ::1 the noughts count.
            if len(words) == 1 and "::" not in piece:
                plain = tuple(_looked_for(words[0]))
                written = plain if other == piece else _looked_for(_WORD.findall(other)[-1])
                several = dict.fromkeys((*plain, *map(_single, written), *_grouped(words[0])))
                found.append(Term(words[0], tuple(several)))
            else:
                number = _GROUPS.fullmatch(piece)
                found.append(Term(piece, (piece, "".join(words)) if number else (piece,)))
    return tuple(found)


def terms(query: str) -> tuple[str, ...]:
    """The terms that are `asked` for, without how else they are written."""
    return tuple(one.asked[0] for one in asked(query))


def _looked_for(word: str) -> Iterator[str]:
    """What a folded word of a query asks for: itself, and what is behind all it may carry."""
    bare = _bare(word)
    yield bare or word
    behind = () if bare or word in _WHOLE else _behind(word, _SHORTEST + 1)
    if behind:
        yield behind[0] if behind[0] in _WHOLE else behind[-1]


# --- figures ------------------------------------------------------------------------------------------------

_GROUPS = re.compile("[0-9]{1,3}(?:[,٬،'’][0-9]{3})+")
_NUMBER = re.compile("[1-9][0-9]{4,14}")


def _grouped(word: str) -> Iterator[str]:
    """A number as it stands where its thousands are kept apart. Shorter ones are years more often than not."""
    if _NUMBER.fullmatch(word):
        yield f"{int(word):,}".replace(",", " ")


# --- names ------------------------------------------------------------------------------------

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


# Arabic names of two words that are as often written as one, by the first or by the second. أم is left out: it is "or".
_FIRST, _SECOND = "عبد|ابو", "الله|الدين"
_OF_NAMES = ("عبد ", "ابو ", " الله", " الدين")
_TWO_WORDS = re.compile(
    rf"(?<![^\W_])([وفبكل]{{0,2}}(?:{_FIRST})(?= )|[^\W_]{{2,24}}(?= (?:{_SECOND})(?![^\W_])))"
    r" ([^\W_]{2,24})(?![^\W_])"
)
_AS_ONE = re.compile(rf"((?:{_FIRST})(?=...)|[^\W_]{{2,24}}(?=(?:{_SECOND})\Z))(.+)")


def together(one: str, other: str) -> str:
    """Two folded words as one name of letters and figures, or of two Arabic words; "" where they are none."""
    if _LETTERS_ALONE.fullmatch(one) and _FIGURES_ALONE.fullmatch(other):
        return one + other
    name = _TWO_WORDS.fullmatch(f"{one} {other}")
    return name[1] + name[2] if name else ""


def spellings(text: str) -> tuple[str, ...]:
    """How else the names in folded `text`, of words that must stand side by side, are written: all of them together,
    all of them apart. Without `text` itself.
    """
    words = _WORD.findall(text)
    joined, apart = list[str](), list[str]()
    for word in words:
        name = together(joined[-1], word) if joined else ""
        joined[-1:] = [name] if name else [*joined[-1:], word]
        found = _APART.fullmatch(word) or _AS_ONE.fullmatch(word)
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
