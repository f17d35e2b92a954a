"""Manifests and keys parts as values: what is written is read back, and what no reader would take is not written."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto import kem, keys_part, manifest
from crypto.errors import CryptoError
from crypto.keys_part import KeysPart
from crypto.manifest import Ack, Manifest, Part
from crypto.strict_json import INTEGER_LIMIT
from tests.crypto.samples import DRAFT, sealed

NUMBER = st.integers(1, INTEGER_LIMIT)
KEY = kem.public(bytes(32))


@st.composite
def ranges(draw: st.DrawFn, least: int = 1) -> manifest.Ranges:
    """Inclusive, ascending, not touching."""
    found, at = [], least
    for gap, length in draw(st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 10**6)), max_size=20)):
        found.append((at + gap, at + gap + length))
        at += gap + length + 2
    return tuple(found)


@st.composite
def acks(draw: st.DrawFn) -> Ack:
    upto = draw(st.integers(0, 10**9))
    known = draw(st.none() | st.binary(min_size=32, max_size=32)) if upto else None
    epoch = draw(st.binary(min_size=16, max_size=16))
    return Ack(epoch, upto, known, draw(ranges(upto + 1)), draw(ranges(upto + 1)), draw(st.integers(0, 1000)))


HASH = st.binary(min_size=32, max_size=32)
PARTS = st.builds(
    Part,
    type=st.from_regex(r"[a-z][a-z0-9-]{0,31}", fullmatch=True),
    size=st.integers(0, manifest.PART_LIMIT),
    sha256=HASH,
    codec=st.sampled_from(manifest.CODECS),
)


@st.composite
def manifests(draw: st.DrawFn) -> Manifest:
    seq = draw(NUMBER)
    return Manifest(
        sender=draw(HASH).hex(),
        to=draw(HASH).hex(),
        epoch=draw(st.binary(min_size=16, max_size=16)),
        seq=seq,
        prev=None if seq == 1 else draw(HASH),
        sealed="2026-11-23T12:00:00.000Z",
        reads=draw(st.integers(1, manifest.FORMAT_LIMIT)),
        ack=draw(st.none() | acks()),
        void=draw(ranges()),
        release=draw(st.none() | st.binary(min_size=16, max_size=16)),
        priority=draw(st.sampled_from(manifest.PRIORITIES)),
        log=draw(st.none() | HASH),
        header=draw(HASH),
        parts=tuple(draw(st.lists(PARTS, max_size=5))),
    )


@given(manifests())
def test_what_is_written_is_read(one: Manifest) -> None:
    raw = manifest.encode(one)
    assert manifest.parse(raw) == one
    assert manifest.encode(manifest.parse(raw)) == raw


@pytest.mark.parametrize(
    "changes",
    [
        {"seq": 0},
        {"seq": 1},
        {"prev": None},
        {"seq": INTEGER_LIMIT + 1},
        {"sender": "AB" * 32},
        {"to": ""},
        {"epoch": bytes(15)},
        {"sealed": "2026-11-23T12:00:00Z"},
        {"reads": 0},
        {"void": ((1, 2), (3, 4))},
        {"void": tuple((2 * i + 1, 2 * i + 1) for i in range(257))},
        {"release": bytes(17)},
        {"priority": "urgent"},
        {"log": b""},
        {"ack": replace(DRAFT.ack or Ack(b"", 0, None, (), (), 0), upto=0)},
        {"ack": replace(DRAFT.ack or Ack(b"", 0, None, (), (), 0), holds=-1)},
    ],
)
def test_a_draft_no_reader_would_take_is_not_sealed(changes: dict[str, Any]) -> None:
    with pytest.raises(CryptoError) as caught:
        sealed(**changes)
    assert caught.value.code == "package-manifest"


# The keys part


@given(
    st.integers(1, 10**6),
    st.none() | NUMBER,
    st.lists(st.integers(0, 10**6), max_size=20, unique=True),
)
def test_keys_are_read_back(floor: int, reusable: int | None, offsets: list[int]) -> None:
    onetime = tuple((floor + n, n.to_bytes(16, "big"), KEY) for n in sorted(offsets))
    part = KeysPart(floor, None if reusable is None else (reusable, KEY), onetime)
    assert keys_part.decode(keys_part.encode(part)) == part


def test_keys_limit() -> None:
    entries = tuple((n + 1, n.to_bytes(16, "big"), KEY) for n in range(keys_part.ONETIME_LIMIT + 1))
    assert keys_part.decode(keys_part.encode(KeysPart(1, None, entries[:-1]))).onetime == entries[:-1]
    with pytest.raises(CryptoError):
        keys_part.encode(KeysPart(1, None, entries))


KID = bytes(16)


@pytest.mark.parametrize(
    "part",
    [
        KeysPart(0, None, ()),
        KeysPart(INTEGER_LIMIT + 1, None, ()),
        KeysPart(1, (0, KEY), ()),
        KeysPart(1, (1, KEY[:-1]), ()),
        KeysPart(1, None, ((1, KID, KEY + b"x"),)),
        KeysPart(1, None, ((1, KID[:-1], KEY + b"x"),)),
        KeysPart(2, None, ((1, KID, KEY),)),
        KeysPart(1, None, ((2, KID, KEY), (1, bytes(15) + b"\1", KEY))),
        KeysPart(1, None, ((1, KID, KEY), (2, KID, KEY))),
    ],
)
def test_keys_no_reader_would_take_are_not_written(part: KeysPart) -> None:
    with pytest.raises(CryptoError) as caught:
        keys_part.encode(part)
    assert caught.value.code == "keys-format"
