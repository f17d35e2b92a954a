"""The one language in which an officer says what to look for: plain words, and filters.

    query   = *(word / phrase / filter)          white space between them
    phrase  = '"' text '"'                       these words, side by side; \\" and \\\\ inside
    filter  = name ':' (text / phrase)           see `FILTERS`; all must fit, of one filter given twice either

Words must all occur, in any place, the last one as a beginning unless white space ends the query; a word that looks
like a part of an address, a name of a host or a hash also finds it inside one, a URL also its host, an address the
networks around it, a network also what lies in it, a STIX id its object. A name of letters and figures may be written
with a hyphen or a space between them, or without (APT28, APT-28, APT 28); so may some Arabic names, and an Arabic word
with or without what is written together with it (`app.intel.fold`). AND is what words do anyway; OR and NOT there are
not. Strict: what cannot be meant is refused with its place (the number of the character it begins at, from 1), and
a filter nobody knows is never taken for a word.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from app.intel import ids, marking, timestamp
from app.intel.fold import asked, fold, is_name, refang, spellings, terms, together
from app.intel.marking import Level
from app.intel.networks import inside, is_network, networks
from app.intel.observables import Observable, guess, hash_kind, host, normal
from app.messages import Refused
from app.store.conditions import Either, Named, Selection

QUERY_LIMIT = 1_000
SHORTEST_PART = 3
"""Letters of a part of an observable: what is shorter is in nearly all of them."""
SHORTEST_HASH = 4

FILTERS = (
    *("type", "marking", "source", "counterpart", "after", "before", "confidence", "technique", "revoked"),
    *("conflict", "id", "value", "part", "network", "domain", "hash"),
)
"""The names of filters; docs/cli.md says what each takes."""

_TECHNIQUE = re.compile(r"T[0-9]{4}(?:\.[0-9]{3})?")
_DATE = re.compile(r"([0-9]{4})(-[0-9]{2})?(-[0-9]{2})?")
_CONFIDENCE = re.compile(r"([0-9]{1,3})(\.\.)?([0-9]{1,3})?")
_FILTER = re.compile(r"([A-Za-z][A-Za-z-]+):")
_NO_FILTER = re.compile(r"[A-Za-z][A-Za-z-]+://|cpe:[/2]", re.IGNORECASE)
"""Some of what is looked for begins like one; so does a word of a sentence with a colon behind it (`Update: ...`)."""
_ALIASES = {"tlp": "marking"}
_LABEL = re.compile(
    r"\b(?:md5|sha-?(?:1|224|256|384|512)|sha3-(?:256|512))(?:\s*[:=]\s*(?=[0-9a-f]{4})|\s+(?=[0-9a-f]{32}))",
    re.IGNORECASE,
)
"""What a hash is called, as reports write it before one."""
_ESCAPE = re.compile(r"\\([\"\\])")
_PHRASE = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_PART = re.compile(r"[./:@\\]|[0-9a-f]{6}|[0-9]-|-[0-9]|_")
_NOTHING = '"\x01"'
"""An expression that no text fits: a query of punctuation only finds nothing rather than everything."""


def parse(text: str) -> Selection:
    """What `text` selects. Raises `Refused`: query-too-long, and with the facts `at` and `word`: query-quote (a
    quotation mark without its other), query-filter (no such filter), query-value (a filter does not take that),
    query-twice (a filter that cannot be given twice), query-operator (OR or NOT).
    """
    if len(text) > QUERY_LIMIT:
        raise Refused("query-too-long", most=QUERY_LIMIT)
    reader = _Reader(ended=text[-1:].isspace())
    pieces = list(_pieces(text))
    for number, piece in enumerate(pieces):
        if piece.plain in _OPERATORS and number < len(pieces) - 1 and (number or piece.plain == "NOT"):
            if piece.plain != "AND":
                raise Refused("query-operator", at=piece.at, word=piece.text)
            continue
        if piece.name:
            reader.filter(piece)
        elif piece.quoted:
            reader.phrase(piece.text)
        else:
            reader.words.append(piece.text)
    return reader.selection()


def as_parts(text: str) -> str:
    """The query that looks for the plain words of `text` in the middle of addresses, hosts and names of files, and not
    in texts; "" where there is no word that could be there. Raises `Refused` as `parse` does.
    """
    found, changed = list[str](), False
    for piece in _pieces(text):
        words = terms(piece.plain)
        if (
            piece.plain not in _OPERATORS
            and words
            and len(words[0]) >= SHORTEST_PART
            and not _PART.search(words[0])
        ):
            found.append(f"part:{piece.text}")
            changed = True
        elif piece.plain != "AND":
            name = f"{piece.name}:" if piece.name else ""
            written = piece.text.replace("\\", "\\\\").replace('"', '\\"')
            found.append(f'{name}"{written}"' if piece.quoted else name + piece.text)
    return " ".join(found) if changed else ""


# --- pieces -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Piece:
    """A word or phrase, or with a `name` a filter. `at` counts characters from 1."""

    at: int
    name: str
    text: str
    quoted: bool

    @property
    def plain(self) -> str:
        """Its text if it is a word; "" if not."""
        return "" if self.name or self.quoted else self.text

    def refused(self) -> Refused:
        return Refused("query-value", at=self.at, word=f"{self.name}:{self.text}")


_OPERATORS = ("AND", "OR", "NOT")


def _pieces(text: str) -> Iterator[_Piece]:
    at = 0
    while True:
        while at < len(text) and text[at].isspace():
            at += 1
        if at == len(text):
            return
        begin = at
        bare = text[at:].split(maxsplit=1)[0]
        found = _FILTER.match(bare)
        name = found[1].lower() if found and not guess(bare) and not _NO_FILTER.match(bare) else ""
        name = _ALIASES.get(name, name)
        if name not in FILTERS and found and found.end() == len(bare) and text[at + found.end() :][:1] != '"':
            name = ""
        if name and name not in FILTERS:
            raise Refused("query-filter", at=begin + 1, word=name)
        if found and name:
            at += found.end()
        if text[at : at + 1] == '"':
            quoted = _PHRASE.match(text, at)
            if quoted is None:
                raise Refused("query-quote", at=at + 1, word=text[at : at + 20])
            at = quoted.end()
            if at < len(text) and not text[at].isspace():
                raise Refused("query-quote", at=at + 1, word=text[at : at + 20])
            yield _Piece(begin + 1, name, _ESCAPE.sub(r"\1", quoted[1]), True)
        else:
            word = bare[at - begin :]
            at = begin + len(bare)
            yield _Piece(begin + 1, name, word, False)


# --- what they mean -----------------------------------------------------------------------------------------


@dataclass
class _Reader:
    """Collects what the pieces of a query ask for."""

    words: list[str] = field(default_factory=list)
    phrases: list[str] = field(default_factory=list)
    types: list[str] = field(default_factory=list)
    levels: list[int] = field(default_factory=list)
    sources: list[Named] = field(default_factory=list)
    counterparts: list[Named] = field(default_factory=list)
    techniques: list[str] = field(default_factory=list)
    either: list[Either] = field(default_factory=list)
    once: dict[str, object] = field(default_factory=dict)
    ended: bool = False

    def phrase(self, text: str) -> None:
        """Words that must stand side by side."""
        folded = fold(text)
        self.phrases.append(_either(_spelled(folded)) if folded.strip() else _NOTHING)

    def filter(self, piece: _Piece) -> None:
        """One filter; raises `Refused` (query-value, query-twice)."""
        text = piece.text.strip()
        if not text:
            raise piece.refused()
        if piece.name in _ONCE:
            if piece.name in self.once:
                raise Refused("query-twice", at=piece.at, word=piece.name)
            self.once[piece.name] = _ONCE[piece.name](piece, text)
        elif piece.name == "type":
            if not ids.is_type(text.lower()):
                raise piece.refused()
            self.types.append(text.lower())
        elif piece.name == "marking":
            self.levels.append(_level(piece, text))
        elif piece.name == "source":
            self.sources.append(Named(text, piece.at))
        elif piece.name == "counterpart":
            self.counterparts.append(Named(text, piece.at))
        elif piece.name == "technique":
            text = fold(text).upper()
            if not _TECHNIQUE.fullmatch(text):
                raise piece.refused()
            self.techniques.append(text)
        else:
            self.either.append(_OBSERVABLES[piece.name](piece, text))

    def selection(self) -> Selection:
        """All of it."""
        after, before = self.once.get("after", ""), self.once.get("before", "")
        confidence = self.once.get("confidence")
        revoked, conflict = self.once.get("revoked"), self.once.get("conflict")
        matches, looked_for = _words(" ".join(self.words), self.ended)
        return Selection(
            match=_all([*self.phrases, *matches]),
            types=tuple(dict.fromkeys(self.types)),
            levels=tuple(sorted(set(self.levels))),
            sources=tuple(self.sources),
            counterparts=tuple(self.counterparts),
            techniques=tuple(dict.fromkeys(self.techniques)),
            either=(*self.either, *looked_for),
            after=str(after),
            before=str(before),
            confidence=confidence if isinstance(confidence, tuple) else None,
            revoked=revoked if isinstance(revoked, bool) else None,
            conflict=conflict if isinstance(conflict, bool) else None,
            id=str(self.once.get("id", "")),
        )


def _words(text: str, ended: bool) -> tuple[list[str], list[Either]]:
    """Plain words as full-text expressions, and those that may also be a part of an observable."""
    found = asked(_LABEL.sub("", text))
    if not found and text.strip():
        return [_NOTHING], []
    matches, either = list[list[str]](), list[Either]()
    before = ""
    for number, (typed, several) in enumerate(found):
        beginning = "*" if number == len(found) - 1 and not ended else ""
        term = several[0]
        if is_name(term):
            spelled = [one + beginning for one in _spelled(term)]
        else:
            # The beginnings of what stands behind others are gathered from the whole index.
            spelled = [_quoted(one) + ("" if " " in one else beginning) for one in several]
        if len(term) >= SHORTEST_PART and _PART.search(term):
            id_ = term if ids.type_of(term) else ""
            about = _about(guess(term) + host(term))
            either.append(replace(about, match=" OR ".join(spelled), part=_quoted(term), begins=term, id=id_))
            typed = ""
        elif name := together(before, typed):
            matches[-1] = [f"{one} {other}" for one in matches[-1] for other in spelled]
            matches[-1] += [_quoted(one) + beginning for one in asked(name)[0].asked]
        else:
            matches.append(spelled)
        before = typed
    return [_either(one) for one in matches], either


def _about(whole: tuple[Observable, ...]) -> Either:
    """Observables, and the networks around them and what lies in them, where they are addresses or networks."""
    around = tuple(network for one in whole for network in networks(one))
    return Either(values=whole + around, spans=tuple(span for one in whole for span in inside(one)))


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


def _spelled(text: str) -> list[str]:
    """An expression for each way to write folded words that must stand side by side."""
    return [_quoted(text), *map(_quoted, spellings(text))]


def _either(expressions: Sequence[str]) -> str:
    return expressions[0] if len(expressions) == 1 else f"({' OR '.join(expressions)})"


def _all(expressions: Sequence[str]) -> str:
    """One expression of all of them. FTS5 takes parentheses only with an AND between."""
    plain = " ".join(one for one in expressions if one[0] != "(")
    return " AND ".join(filter(None, [plain, *(one for one in expressions if one[0] == "(")]))


# --- filters ------------------------------------------------------------------------------------------------


def _level(piece: _Piece, text: str) -> int:
    if text.lower() == "none":
        return -1
    if text.lower() == "unreadable":
        return int(Level.UNREADABLE)
    level = marking.parse(text)
    if level is None:
        raise piece.refused()
    return int(level)


def _moment(piece: _Piece, text: str) -> str:
    """A date, a month, a year or a timestamp as the beginning of a moment."""
    text = fold(text)
    found = _DATE.fullmatch(text)
    if found:
        day = f"{found[1]}{found[2] or '-01'}{found[3] or '-01'}T00:00:00Z"
        beginning = timestamp.moment(day)
        if beginning is not None:
            return beginning[: timestamp.DAY if found[3] else timestamp.MONTH if found[2] else timestamp.YEAR]
    moment = timestamp.moment(text.upper())
    if moment is None:
        raise piece.refused()
    return moment


def _confidence(piece: _Piece, text: str) -> tuple[int, int]:
    found = _CONFIDENCE.fullmatch(fold(text))
    if found is None or (found[3] and not found[2]):
        raise piece.refused()
    least, most = int(found[1]), int(found[3] or 100)
    if not least <= most <= 100:
        raise piece.refused()
    return least, most


def _yes(piece: _Piece, text: str) -> bool:
    if text.lower() not in ("yes", "no"):
        raise piece.refused()
    return text.lower() == "yes"


def _id(piece: _Piece, text: str) -> str:
    if not ids.type_of(text):
        raise piece.refused()
    return text


_ONCE: dict[str, Callable[[_Piece, str], object]] = {
    "after": _moment,
    "before": _moment,
    "confidence": _confidence,
    "revoked": _yes,
    "conflict": _yes,
    "id": _id,
}


def _value(_piece: _Piece, text: str) -> Either:
    """An observable, whole; what kind it is follows from what it looks like, or it may be any."""
    found = guess(text)
    spellings = {normal("", text), normal("mutex", text), *(one.value for one in found)}
    return Either(values=tuple(Observable("", value) for value in sorted(filter(None, spellings))))


def _some(piece: _Piece, text: str) -> Either:
    part = fold(refang(text)).strip()
    if len(part) < SHORTEST_PART:
        raise piece.refused()
    return Either(part=_quoted(part), begins=part)


def _network(piece: _Piece, text: str) -> Either:
    found = guess(text)
    if not found or not is_network(found[0]):
        raise piece.refused()
    return _about(found)


def _domain(piece: _Piece, text: str) -> Either:
    domain = normal("domain-name", refang(text)).lstrip(".*")
    if not domain or re.search(r"[\s/@:]", domain):
        raise piece.refused()
    return Either(domain=domain)


def _hash(piece: _Piece, text: str) -> Either:
    kind, colon, digest = text.rpartition(":")
    if colon and not hash_kind(kind):
        raise piece.refused()
    if len(digest) < SHORTEST_HASH or not re.fullmatch("[0-9a-fA-F]+", digest):
        raise piece.refused()
    return Either(begins=digest.lower(), kinds=(hash_kind(kind),) if colon else HASHES)


HASHES = ("md5", "sha-1", "sha-224", "sha-256", "sha-384", "sha-512", "sha3-256", "sha3-512")

_OBSERVABLES: dict[str, Callable[[_Piece, str], Either]] = {
    "value": _value,
    "part": _some,
    "network": _network,
    "domain": _domain,
    "hash": _hash,
}
