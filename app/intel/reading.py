"""A STIX bundle taken apart: each object as its exact text and its value, bad ones named and passed by.

The text of an object is kept with the white space between its tokens removed and nothing else touched; it
must be strict JSON (`strict`). What an object means is not judged here: unknown types, extensions and custom
properties pass. Memory is bounded by a window, not by the bundle (`splitting`).
Sources: STIX 2.1 sections 2.9 (identifier), 3.2 (common properties), 8 (bundle).
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass

import msgspec

from app.intel import ids, splitting, timestamp
from app.intel.splitting import MAX_OBJECT, WINDOW
from app.intel.strict import MAX_DEPTH, NotStrict, quick, shallow, strict
from app.messages import Refused

MAX_TAIL = 1 << 20
"""Bytes of a bundle behind its last object."""

# Without `spec_version` these are STIX 2.0 (STIX 2.1, section 3.2). Marking definitions and custom types have
# the same shape in both versions and are read as they are.
SINCE_2_0 = frozenset(
    (
        *("attack-pattern", "campaign", "course-of-action", "identity", "indicator", "intrusion-set"),
        *("malware", "observed-data", "relationship", "report", "sighting", "threat-actor", "tool"),
        "vulnerability",
    )
)
"""The types of domain and relationship objects that STIX 2.0 has too."""

_RAWS = msgspec.json.Decoder(list[msgspec.Raw])


class Entry(msgspec.Struct, frozen=True):
    """One object: its exact text, its value (a JSON object as Python values), and its place in the file.

    `old`: it came as STIX 2.0.
    """

    raw: bytes
    value: dict[str, object]
    where: str
    old: bool = False


@dataclass(frozen=True, slots=True)
class Fault:
    """One object that was passed by: its place in the file and the code of what is wrong with it."""

    where: str
    code: str


def read_bundle(raw: bytes | bytearray | memoryview) -> Iterator[Entry | Fault]:
    """The objects of a bundle held in memory or mapped, one after the other; see `read_chunks`."""
    view = memoryview(raw)
    return read_chunks(view[at : at + WINDOW] for at in range(0, len(view), WINDOW))


def read_chunks(chunks: Iterable[bytes | memoryview], take_old: bool = False) -> Iterator[Entry | Fault]:
    """The objects of the bundle whose text is `chunks` joined, in order; a single object is a bundle of one.

    Objects of STIX 2.0 are faults (stix-2.0); with `take_old` they are entries, as they stand, for
    whoever converts them.

    `where` is `objects[N]`, or `object` for a single one. Codes of faults: json-syntax, json-encoding,
    json-surrogate, json-number, json-duplicate-key, json-depth, object-size, stix-object, stix-type, stix-id,
    stix-timestamp, stix-version, stix-2.0.

    Raises `Refused` when the file as a whole is no use: not-stix, file-size, json-truncated; object-size and
    the codes above that begin with json- where something outside the objects is at fault (fact `where`). This
    may come after entries were given out: what was read counts only when the iterator ends by itself.
    """
    text = splitting.Text(chunks)
    text.fill(4)
    start = bytes(text.buffer[:4])
    if start.startswith(b"\xef\xbb\xbf"):
        text.drop(3)
    elif start[:2] in (b"\xff\xfe", b"\xfe\xff") or b"\0" in start:
        raise Refused("json-encoding", where="byte 0")
    head = splitting.head(text)
    if head is None:
        yield from _single(text.take(), take_old)
        return
    opening = _frame(head + b"]}")
    if opening.get("type", "bundle") != "bundle":
        raise Refused("not-stix")
    dialect = _Dialect(opening.get("spec_version") == "2.0", take_old)
    index = 0
    for run in splitting.runs(text):
        index = yield from _entries(run, index, dialect)
    text.fill(MAX_TAIL + 1)
    if not text.buffer.strip():
        raise Refused("json-truncated", where=f"byte {text.offset}")
    if len(text.buffer) > MAX_TAIL:
        raise Refused("json-syntax", where=f"byte {text.offset}")
    if _frame(head + b"]" + bytes(text.buffer)).get("type") != "bundle":
        raise Refused("not-stix")


@dataclass(frozen=True, slots=True)
class _Dialect:
    """`old`: the bundle says it is STIX 2.0; `take_old`: such objects are wanted."""

    old: bool
    take_old: bool


def _frame(text: bytes) -> dict[str, object]:
    """The value of what stands around the objects."""
    try:
        value = strict(text)[1]
    except NotStrict as bad:
        raise Refused(bad.code, where="bundle") from None
    return value if isinstance(value, dict) else {}


def _single(text: bytes, take_old: bool) -> Iterator[Entry | Fault]:
    """The object of a file that has no array of objects."""
    try:
        raw, value = strict(text)
    except NotStrict as bad:
        raise Refused(bad.code, where="object") from None
    if isinstance(value, dict) and value.get("type") == "bundle" and "objects" not in value:
        return
    found = _entry(raw, value, "object", _Dialect(False, take_old))
    if isinstance(found, Fault) and found.code in ("stix-object", "stix-type", "stix-id"):
        raise Refused("not-stix")
    yield found


def _entries(
    run: bytes | list[bytes] | None, first: int, dialect: _Dialect
) -> Generator[Entry | Fault, None, int]:
    """The objects of a run: all at once where it is clean, one by one where it is not. Returns where the next run
    begins. Texts are taken out of `run` as they are read, so that a long one is held by nobody but its reader.
    """
    if run is None:
        yield Fault(f"objects[{first}]", "object-size")
        return first + 1
    if isinstance(run, bytes):
        raws = _RAWS.decode(run)
        values = quick(run)
        if isinstance(values, list):
            for index, (raw, value) in enumerate(zip(raws, values, strict=True), first):
                yield _entry(bytes(raw), value, f"objects[{index}]", dialect)
            return first + len(raws)
        run = [bytes(raw) for raw in raws]
    end = first + len(run)
    run.reverse()
    while run:
        yield _strictly(run.pop(), f"objects[{end - len(run) - 1}]", dialect)
    return end


def _strictly(text: bytes, where: str, dialect: _Dialect) -> Entry | Fault:
    try:
        return _entry(*strict(text), where, dialect)
    except NotStrict as bad:
        return Fault(where, bad.code)


def _entry(raw: bytes, value: object, where: str, dialect: _Dialect) -> Entry | Fault:
    if len(raw) > MAX_OBJECT:
        return Fault(where, "object-size")
    if raw.count(b"{") + raw.count(b"[") > MAX_DEPTH and not shallow(value):
        return Fault(where, "json-depth")
    if not isinstance(value, dict):
        return Fault(where, "stix-object")
    code = _judge(value, dialect.old)
    if code == "stix-2.0" and dialect.take_old:
        return Entry(raw, value, where, old=True)
    return Fault(where, code) if code else Entry(raw, value, where)


def _judge(value: dict[str, object], old: bool) -> str:
    """What keeps `value` from being a STIX 2.1 object; "" for nothing."""
    kind = value.get("type")
    if not isinstance(kind, str) or kind == "bundle" or not ids.is_type(kind):
        return "stix-type"
    identifier = value.get("id")
    if not isinstance(identifier, str) or not ids.is_id(identifier, kind):
        return "stix-id"
    version = value.get("spec_version")
    if not (version is None or isinstance(version, str)):
        return "stix-version"
    for key in ("created", "modified"):
        if key in value and not timestamp.valid(value[key]):
            return "stix-timestamp"
    return "stix-2.0" if version == "2.0" or (version is None and (old or kind in SINCE_2_0)) else ""
