"""The comparisons inside a STIX pattern, in time proportional to its length.

A reader for finding observables, not a judge: it looks at tokens from left to right, calls itself never, and
what it does not understand it passes by. Whether a pattern is valid is no business of search.
Source: STIX 2.1 section 9 (patterning).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

MAX_PATTERN = 1 << 20
"""Characters of a pattern that are looked at."""

_TOKEN = re.compile(
    r"""
      (?P<path> [A-Za-z_][\w-]*+ : (?: [A-Za-z_][\w-]*+ | '(?:[^'\\]|\\.)*+' )
          (?: \. (?: [A-Za-z_][\w-]*+ | '(?:[^'\\]|\\.)*+' ) | \[ (?: \* | -?\d++ ) \] )*+ )
    | (?P<kind> [bht] )?+ (?P<text> '(?:[^'\\]|\\.)*+ (?:'|\\?\Z) )
    | (?P<word> [A-Za-z_][\w-]*+ )
    | (?P<number> [+-]?\d++(?:\.\d++)?+ )
    | (?P<sign> ==? | != | <> | <=? | >=? )
    | (?P<mark> [()\[\]] )
    """,
    re.VERBOSE | re.DOTALL,
)
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_WORDS = frozenset(("IN", "LIKE", "MATCHES", "ISSUBSET", "ISSUPERSET"))


@dataclass(frozen=True, slots=True)
class Comparison:
    """One comparison: the path as written without quotes (`file:hashes.SHA-256`), the operator (`=`, `!=`,
    `IN`, `LIKE`, ...), whether it is negated, and the constants as text.
    """

    path: str
    operator: str
    negated: bool
    values: tuple[str, ...]


def comparisons(pattern: str) -> Iterator[Comparison]:
    """The comparisons of `pattern` with a constant, from left to right."""
    path, operator, negated, in_set = "", "", False, False
    values: list[str] = []
    for token in _TOKEN.finditer(pattern[:MAX_PATTERN]):
        group = token.lastgroup
        text = token[0]
        if group == "path":
            path, operator, negated, in_set = _unquoted(text), "", False, False
        elif not path:
            continue
        elif group == "sign" and not operator:
            operator = "=" if text == "==" else "!=" if text == "<>" else text
        elif group == "word" and not operator and text.upper() == "NOT":
            negated = True
        elif group == "word" and not operator and text.upper() in _WORDS:
            operator = text.upper()
        elif operator and text == "(" and not in_set:
            in_set, values = True, []
        elif operator and group in ("text", "number", "word") and (group != "text" or text[-1] == "'"):
            value = _literal(token["text"]) if group == "text" else text
            if in_set:
                values.append(value)
            else:
                yield Comparison(path, operator, negated, (value,))
                path = ""
        elif in_set and text == ")":
            yield Comparison(path, operator, negated, tuple(values))
            path = ""
        else:
            path = ""


_EQUALITY = r"([a-z][a-z0-9-]*+:[a-z_]++(?:\.(?:[A-Za-z_][\w-]*+|'[^'\\]*+'))*+) ?= ?'([^'\\]*+)'"
_PLAIN = re.compile(rf"\[{_EQUALITY}(?: (?:AND|OR) {_EQUALITY})*+\]")
_EQUALITIES = re.compile(_EQUALITY)


def demanded(pattern: str) -> Iterator[tuple[str, str]]:
    """(path, constant) of the comparisons that what is looked for is equal to, or one of; negated ones are none."""
    if len(pattern) <= MAX_PATTERN and _PLAIN.fullmatch(pattern):
        # Most patterns are equalities in a row: read token by token they cost ten times as much.
        for path, value in _EQUALITIES.findall(pattern):
            yield _unquoted(path), value
        return
    for comparison in comparisons(pattern):
        if not comparison.negated and comparison.operator in ("=", "IN", "ISSUBSET"):
            for value in comparison.values:
                yield comparison.path, value


def _literal(quoted: str) -> str:
    return _ESCAPE.sub(r"\1", quoted[1:-1])


def _unquoted(path: str) -> str:
    return re.sub(r"'((?:[^'\\]|\\.)*+)'", r"\1", path) if "'" in path else path
