"""What the store's indexes keep of one object: the words, the observables, the links, the names others gave it.

All of it follows from the object's text and this program, so that it can be taken out of an index again to the
letter, and made anew. Whoever changes what is found here, or how text is folded, raises `VERSION`.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping
from functools import lru_cache

import msgspec

from app.intel import timestamp
from app.intel.envelope import Envelope
from app.intel.fold import fold, index_text
from app.intel.observables import Observable, observables

VERSION = f"8/{unicodedata.unidata_version}"
"""Of the way of indexing; folding hangs on the characters this Python knows."""

MAX_REL = 250
"""Characters of a relationship's type; a longer one is cut."""
MAX_EXTERNAL = 250
"""Characters of an external id or its source; an object with a longer one is not found by it."""

_IN_PART = frozenset(("url", "domain-name", "file"))
_NO_LINKS = frozenset(("object_marking_refs", "marking_ref", "created_by_ref"))


class Link(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """From one id to another: `rel` is a relationship's type, or (`src` is "" then) the property of the object itself
    that refers.
    """

    rel: str
    src: str
    dst: str


class Indexed(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """`text` and `parts` are folded, for full text and for finding a part of an observable; `tags` stand beside the
    text (`type_tag`, `period_tags`); `domains` are written backwards; `externals` are (id, source).
    """

    text: str
    tags: str
    parts: str
    observables: tuple[Observable, ...]
    domains: tuple[str, ...]
    externals: tuple[tuple[str, str], ...]


NOTHING = Indexed("", "", "", (), (), ())


def indexed(value: Mapping[str, object], env: Envelope) -> Indexed:
    """What is kept of an object with this envelope."""
    found = observables(value)
    return Indexed(
        index_text(env.text),
        f"{type_tag(env.type)} {_tags(env.moment[: timestamp.DAY])}",
        "\n".join(fold(one.value) for one in found if one.kind in _IN_PART) if found else "",
        found,
        _domains(found) if found else (),
        _externals(value) if "external_references" in value else (),
    )


def wordless(value: Mapping[str, object]) -> Indexed:
    """The same without the words, which cost the most."""
    found = observables(value)
    return Indexed(
        "", "", "", found, _domains(found), _externals(value) if "external_references" in value else ()
    )


@lru_cache(256)
def type_tag(type_: str) -> str:
    """The word that stands for a type of object."""
    return "t" + type_.replace("-", "")


def period_tags(moment: str) -> tuple[str, ...]:
    """The words that stand for the year, the month and the day of a moment; of none: one."""
    if not moment:
        return ("none",)
    day = timestamp.digits(moment[: timestamp.DAY])
    return f"y{day[:4]}", f"m{day[:6]}", f"d{day}"


@lru_cache(1 << 12)
def _tags(day: str) -> str:
    return " ".join(period_tags(day))


def merged(several: Iterable[Indexed]) -> Indexed:
    """What is kept of an object with several contents in force, in order of arrival."""
    several = list(several)
    if len(several) == 1:
        return several[0]
    return Indexed(
        "\n".join(one.text for one in several),
        several[0].tags,
        "\n".join(one.parts for one in several),
        tuple(dict.fromkeys(found for one in several for found in one.observables)),
        tuple(dict.fromkeys(found for one in several for found in one.domains)),
        tuple(dict.fromkeys(found for one in several for found in one.externals)),
    )


def creator(env: Envelope) -> str:
    """The id of the object that made this one; "" where it names none, or itself."""
    return env.creator if env.creator in env.rels else ""


def links(value: Mapping[str, object], env: Envelope) -> tuple[Link, ...]:
    """The links an object is, or holds; markings and its creator are none."""
    found = []
    ends: tuple[str, ...] = ()
    if env.type == "relationship":
        rel, source, target = (value.get(key) for key in ("relationship_type", "source_ref", "target_ref"))
        # Any of them may be of any kind.
        refs = tuple(one for one in (source, target) if isinstance(one, str) and one in env.rels)
        if isinstance(rel, str) and len(refs) == 2:
            ends = source, target = refs
            found.append(Link(rel[:MAX_REL], source, target))
    for ref, key in env.rels.items():
        if key not in _NO_LINKS and ref not in ends:
            found.append(Link(key[:MAX_REL], "", ref))
    return tuple(found)


def _domains(found: Iterable[Observable]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(filter(None, map(_domain, found))))


def _domain(one: Observable) -> str:
    """The domain in an observable, backwards; "" where there is none."""
    if one.kind == "domain-name":
        return one.value[::-1]
    if one.kind == "url":
        host = one.value.partition("://")[2].partition("/")[0].rpartition("@")[2]
        host = host.partition("?")[0].partition("#")[0].partition(":")[0]
    elif one.kind == "email-addr":
        host = one.value.rpartition("@")[2]
    else:
        return ""
    return host[::-1] if "." in host and not host[-1:].isdigit() else ""


def _externals(value: Mapping[str, object]) -> tuple[tuple[str, str], ...]:
    found: dict[tuple[str, str], None] = {}
    references = value["external_references"]
    for one in references if isinstance(references, list) else ():
        if isinstance(one, dict):
            id_, source = one.get("external_id"), one.get("source_name", "")
            if isinstance(id_, str) and isinstance(source, str) and 0 < len(id_) <= MAX_EXTERNAL:
                found[id_.upper(), source[:MAX_EXTERNAL]] = None
    return tuple(found)
