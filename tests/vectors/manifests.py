"""Vectors of manifests: properly signed, so that the defect is the manifest's own. Body: signature, then manifest."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterator
from typing import Any

from tests.vectors.forge import FIELDS, SIGNER, SIGNER_SEED, compact
from tests.vectors.format import Vector

GOOD: dict[str, Any] = {**FIELDS, "header": "0f" * 32}
PART = {"type": "note", "size": 5, "sha256": "05" * 32, "codec": "none"}
ACK: dict[str, Any] = FIELDS["ack"]


def vector(name: str, expect: str, comment: str, raw: bytes) -> Vector:
    fields = {"expect": [expect], "kind": ["manifest"], "comment": [comment], "signer": [SIGNER_SEED.hex()]}
    body = SIGNER.sign(raw, b"mithaq/package/v1") + raw
    if len(raw) > 4096:
        fields["compressed"], body = ["zlib"], zlib.compress(body, 9)
    if expect == "success":
        fields["result"] = [hashlib.sha256(raw).hexdigest()]
    return Vector(f"manifest_{name}", fields, body)


def good(name: str, comment: str, /, **changes: Any) -> Vector:
    return vector(name, "success", comment, compact({**GOOD, **changes}))


def bad(name: str, comment: str, raw: bytes = b"", /, **changes: Any) -> Vector:
    return vector(name, "package-manifest", comment, raw or compact({**GOOD, **changes}))


def ranges(count: int, start: int = 1) -> list[list[int]]:
    return [[start + 2 * i, start + 2 * i] for i in range(count)]


def texts() -> Iterator[Vector]:
    raw = compact(GOOD)
    yield good("good", "all fields as they must be")
    for name in GOOD:
        yield bad(f"no_{name}", f"{name} is missing", compact({k: v for k, v in GOOD.items() if k != name}))
    yield bad("unknown", "an unknown field", colour="green")
    yield bad("twice", "a field twice", raw.replace(b'{"from"', b'{"seq":7,"from"', 1))
    yield bad("twice_in_ack", "a field twice, further in", raw.replace(b'"upto":5', b'"upto":5,"upto":5'))
    yield bad("not_an_object", "an array", b"[" + raw + b"]")
    yield bad("not_json", "not JSON", b"salam")
    yield bad("nothing", "only a blank", b" ")
    yield bad("cut", "the last brace is missing", raw[:-1])
    yield bad("tail", "something after it", raw + b"x")
    yield bad("comma", "a comma before the brace", raw[:-1] + b",}")
    yield bad("bom", "a byte order mark", b"\xef\xbb\xbf" + raw)
    yield bad("utf16", "UTF-16", raw.decode().encode("utf-16-le"))
    yield bad("latin1", "a byte that is not UTF-8", raw.replace(b"routine", b"rout\xefne"))
    yield bad("surrogate", "a lone surrogate", raw.replace(b"routine", b"\\ud800"))
    yield bad("deep", "a hundred thousand brackets", b"[" * 100_000)
    yield bad("nan", "NaN", raw.replace(b'"seq":7', b'"seq":NaN'))
    yield bad("infinity", "Infinity", raw.replace(b'"seq":7', b'"seq":Infinity'))


def numbers() -> Iterator[Vector]:
    raw = compact(GOOD)
    for name, text in {
        "fraction": "7.0",
        "exponent": "7e0",
        "negative": "-7",
        "minus_zero": "-0",
        "leading_zero": "07",
        "text": '"7"',
        "true": "true",
        "null": "null",
        "zero": "0",
        "too_large": str(2**53),
        "very_long": "9" * 5000,
    }.items():
        yield bad(f"seq_{name}", f"seq is {text[:20]}", raw.replace(b'"seq":7', b'"seq":' + text.encode()))
    yield good("seq_largest", "seq is 2^53 - 1", seq=2**53 - 1)
    yield bad("reads_zero", "no format is 0", reads=0)
    yield good("reads_largest", "reads is 65535", reads=65535)
    yield bad("reads_too_large", "reads is 65536", reads=65536)


def hashes() -> Iterator[Vector]:
    yield bad("prev_null", "only the first has no prev", prev=None)
    yield bad("prev_first", "the first has no prev", seq=1)
    yield good("first", "the first", seq=1, prev=None)
    for name in ("from", "to", "prev", "header", "log"):
        yield bad(f"{name}_short", f"{name} of 31 bytes", **{name: "01" * 31})
        yield bad(f"{name}_capitals", f"{name} in capitals", **{name: "AB" * 32})
    yield bad("epoch_long", "an epoch of 17 bytes", epoch="01" * 17)
    yield bad("epoch_digits", "digits that are not ASCII", epoch="٠١" * 16)
    yield bad("release_short", "a release id of 15 bytes", release="01" * 15)
    yield bad("header_null", "header is null", header=None)


def texts_of_fields() -> Iterator[Vector]:
    for name, text in {
        "no_fraction": "2026-11-23T12:00:00Z",
        "offset": "2026-11-23T12:00:00.000+00:00",
        "blank": "2026-11-23 12:00:00.000Z",
        "month": "2026-13-23T12:00:00.000Z",
        "leap": "2026-02-29T12:00:00.000Z",
        "digits": "٢٠٢٦-11-23T12:00:00.000Z",
        "newline": "2026-11-23T12:00:00.000Z\n",
    }.items():
        yield bad(f"sealed_{name}", f"sealed is {text.strip()}", sealed=text)
    yield bad("priority", "an unknown priority", priority="urgent")
    yield bad("priority_null", "priority is null", priority=None)


def acks() -> Iterator[Vector]:
    def ack(**changes: Any) -> dict[str, Any]:
        return {**ACK, **changes}

    yield good("ack_null", "nothing was received yet", ack=None)
    yield good("ack_zero", "nothing is closed yet", ack=ack(upto=0, hash=None, have=[[2, 2]], want=[[1, 1]]))
    yield good("ack_hash_null", "the hash at upto is not known", ack=ack(hash=None))
    yield bad("ack_hash_zero", "a hash at 0", ack=ack(upto=0))
    yield bad("ack_list", "ack is a list", ack=[])
    yield bad("ack_unknown", "an unknown field in ack", ack=ack(colour=1))
    for name in ACK:
        yield bad(f"ack_no_{name}", f"ack without {name}", ack={k: v for k, v in ACK.items() if k != name})
    yield bad("have_closed", "have lies below upto", ack=ack(have=[[5, 5]]))
    yield bad("want_closed", "want lies below upto", ack=ack(want=[[4, 6]]))
    yield bad("holds_negative", "holds is negative", ack=ack(holds=-1))


def range_lists() -> Iterator[Vector]:
    yield good("void_empty", "no range", void=[])
    yield good("void_most", "256 ranges", void=ranges(256))
    yield bad("void_too_many", "257 ranges", void=ranges(257))
    yield bad("void_backwards", "a range that ends before it starts", void=[[3, 2]])
    yield bad("void_touching", "two ranges that are one", void=[[1, 2], [3, 4]])
    yield bad("void_overlapping", "two ranges overlap", void=[[1, 4], [3, 6]])
    yield bad("void_descending", "ranges in descending order", void=[[5, 6], [1, 2]])
    yield bad("void_zero", "no package is number 0", void=[[0, 1]])
    yield bad("void_single", "a number instead of a range", void=[3])
    yield bad("void_triple", "a range of three", void=[[1, 2, 3]])
    yield bad("void_text", "a range of texts", void=[["1", "2"]])
    yield bad("void_object", "void is an object", void={})


def parts() -> Iterator[Vector]:
    def part(**changes: Any) -> list[dict[str, Any]]:
        return [{**PART, **changes}]

    yield good("type_longest", "a type of 32 letters", parts=part(type="t" * 32))
    yield bad("type_too_long", "a type of 33 letters", parts=part(type="t" * 33))
    yield bad("type_capital", "a capital in a type", parts=part(type="Note"))
    yield bad("type_empty", "an empty type", parts=part(type=""))
    yield bad("type_digit", "a type that starts with a digit", parts=part(type="2note"))
    yield bad("type_newline", "a type with a newline", parts=part(type="note\n"))
    yield bad("codec", "an unknown codec", parts=part(codec="brotli"))
    yield good("size_largest", "a part of 1 TiB", parts=part(size=2**40))
    yield bad("size_too_large", "a part of 1 TiB and a byte", parts=part(size=2**40 + 1))
    yield bad("part_unknown", "an unknown field in a part", parts=part(name="x"))
    yield bad("part_list", "a part that is a list", parts=[[]])
    yield good("parts_most", "4,096 parts", parts=part() * 4096)
    yield bad("parts_too_many", "4,097 parts", parts=part() * 4097)
    raw = compact(GOOD)
    yield vector("longest", "success", "exactly 1 MiB", raw + b" " * (2**20 - len(raw)))
    yield vector("too_long", "package-manifest", "1 MiB and a byte", raw + b" " * (2**20 + 1 - len(raw)))


def every() -> Iterator[Vector]:
    """All vectors of manifests."""
    for group in (texts, numbers, hashes, texts_of_fields, acks, range_lists, parts):
        yield from group()
