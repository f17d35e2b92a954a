"""Inputs that ask for too much: refused in little time and memory, before the work they ask for."""

from __future__ import annotations

import io
import json
import time
import tracemalloc
from collections.abc import Callable

import pytest
import zstandard

from crypto import age, identity, keys_part, layout, manifest, package, slots
from crypto.age_header import STANZA_LIMIT
from crypto.errors import CryptoError
from crypto.package import open_package, read_header_hash
from crypto.zstd_frame import BLOCK_LIMIT, WINDOW_LIMIT, Outline
from tests.crypto.samples import opened, sealed, source
from tests.fuzz.targets import TARGETS
from tests.vectors.forge import RECIPIENT, SEED, SIGNER, Piece, Recipe, squeezed

SECONDS = 2.0
BYTES = 64 * 1024 * 1024


def code(call: Callable[[], object]) -> str:
    """The code of the error, which came within 2 s of work and 64 MiB: far above need, far below what was asked for."""
    start = time.process_time()
    with pytest.raises(CryptoError) as caught:
        call()
    assert time.process_time() - start < SECONDS
    tracemalloc.start()
    try:
        with pytest.raises(CryptoError) as again:
            call()
        assert tracemalloc.get_traced_memory()[1] < BYTES
    finally:
        tracemalloc.stop()
    assert again.value.code == caught.value.code
    return caught.value.code


def read(raw: bytes) -> list[bytes]:
    package_ = open_package(io.BytesIO(raw), [("ours", SEED)])
    package_.verify(SIGNER.public)
    return [file.read() for _, file in package_.parts()]


def test_a_million_stanzas() -> None:
    raw = b"age-encryption.org/v1\n" + b"-> x\n\n" * 10**6
    assert code(lambda: read_header_hash(io.BytesIO(raw))) == "age-header"
    assert code(lambda: age.decrypt(io.BytesIO(raw), io.BytesIO(), [])) == "age-header"


def test_stanzas_for_every_key_we_have() -> None:
    """As many X-Wing stanzas as a file may have, none of them ours, against many identities: a package tries none."""
    stanza = age.HybridRecipient(RECIPIENT).wrap(bytes(16))
    text = f"-> {' '.join(stanza.arguments)}\n" + "A" * 43 + "\n"
    raw = b"age-encryption.org/v1\n" + text.encode() * STANZA_LIMIT + b"--- " + b"A" * 43 + b"\n" + bytes(100)
    keys = [(i, bytes([i]) * 32) for i in range(100)]
    assert code(lambda: open_package(io.BytesIO(raw), keys)) == "package-header"


@pytest.mark.parametrize("size", [10**6, 10**7])
def test_lines_without_an_end(size: int) -> None:
    for start in (
        b"",
        b"age-encryption.org/v1\n-> ",
        b"age-encryption.org/v1\n-> x\n",
        b"-----BEGIN AGE ENCRYPTED FILE-----\n",
    ):
        raw = start + b"A" * size
        assert code(lambda raw=raw: age.decrypt(io.BytesIO(raw), io.BytesIO(), [])) in (
            "age-header",
            "age-armor",
        )


def test_a_body_of_many_lines() -> None:
    raw = b"age-encryption.org/v1\n-> x\n" + (b"A" * 64 + b"\n") * 200_000
    assert code(lambda: read_header_hash(io.BytesIO(raw))) == "age-header"


def test_the_largest_work_factor_is_not_done() -> None:
    raw = (
        b"age-encryption.org/v1\n-> scrypt "
        + b"A" * 22
        + b" 21\n"
        + b"A" * 43
        + b"\n--- "
        + b"A" * 43
        + b"\n"
    )
    assert code(lambda: age.decrypt(io.BytesIO(raw), io.BytesIO(), [age.ScryptIdentity("p")])) == "age-header"


def test_the_largest_cost_of_a_slot_is_not_done() -> None:
    raw = slots.create(bytes(32), "correct horse", slots.Cost(1, 8))
    for change in ({"memory": 2**32 - 1}, {"passes": 2**32 - 1}, {"memory": slots.MEMORY_LIMIT, "passes": 5}):
        file = json.loads(raw)
        file["slots"][0].update(change)
        hostile = json.dumps(file).encode()
        assert code(lambda hostile=hostile: slots.open(hostile, "correct horse")) == "slots-format"


def test_a_manifest_of_four_gigabytes() -> None:
    assert code(lambda: read(Recipe(manifest_length=2**32 - 1).file())) == "package-format"
    assert code(lambda: read(Recipe(manifest_length=package.MANIFEST_LIMIT + 1).file())) == "package-format"


def test_the_largest_manifest_is_read() -> None:
    def filled(text: bytes) -> bytes:
        return text + b" " * (package.MANIFEST_LIMIT - len(text))

    assert read(Recipe(text=filled).file()) == [b"salam"]


HOSTILE_JSON = [
    b"[" * 10**6,
    b'{"a":' * 150_000,
    b'{"a":1,' * 100_000,
    b'"' + b"\\u0061" * 170_000,
    b"1" * 10**6,
    b"[" + b"1," * 500_000 + b"1]",
    b"{" + b",".join(b'"%d":1' % i for i in range(80_000)) + b"}",
    b"\xff" * 10**6,
    b" " * 10**6,
]


@pytest.mark.parametrize("raw", HOSTILE_JSON, ids=lambda raw: raw[:8].decode("latin1"))
def test_hostile_json(raw: bytes) -> None:
    assert code(lambda: manifest.parse(raw)) == "package-manifest"
    small = raw[: slots.FILE_LIMIT]
    assert code(lambda: slots.listed(small)) == "slots-format"


def test_keys_parts_that_announce_much() -> None:
    raw = keys_part.MAGIC + (1).to_bytes(8, "big") + b"\0\xff\xff"
    assert code(lambda: keys_part.decode(raw)) == "keys-format"
    assert code(lambda: keys_part.decode(raw + bytes(10**6))) == "keys-format"


def test_cards_of_a_megabyte() -> None:
    assert code(lambda: identity.read_card(bytes(10**6))) == "card-format"


PATTERNS = [
    b"\0",
    b"\xff",
    b"A",
    b"\n",
    b" ",
    b"[",
    b'{"a":',
    b"-> x\n\n",
    b"A" * 64 + b"\n",
    b"1,",
    b'\\"',
    b"\x28\xb5\x2f\xfd",
]


@pytest.mark.parametrize("name", TARGETS)
def test_any_megabyte_takes_two_seconds_at_most(name: str) -> None:
    """Every reader on a megabyte of one thing, alone and after a good beginning."""
    target, seeds = TARGETS[name]
    starts = [b"", *sorted({seed[:4000] for seed in seeds()[:2]})]
    for pattern in PATTERNS:
        for start in starts:
            raw = (start + pattern * (10**6 // len(pattern)))[: 10**6]
            began = time.process_time()
            target(raw)
            assert time.process_time() - began < SECONDS


# Compression


def test_bombs() -> None:
    bomb = squeezed(bytes(10**9))
    assert (
        code(lambda: read(Recipe([Piece("intel", b"x" * 10**6, "zstd", stored=bomb)]).file()))
        == "package-part"
    )
    honest = Piece("intel", b"", "zstd", stored=bomb, size=10**9)
    assert code(lambda: read(Recipe([honest]).file())) == "package-part"
    shrunk = squeezed(bytes(10**9), write_content_size=False)
    assert code(lambda: read(Recipe([Piece("intel", b"x", "zstd", stored=shrunk)]).file())) == "package-part"


def test_many_empty_blocks() -> None:
    """A megabyte of blocks that hold nothing."""
    frame = bytes.fromhex("28b52ffd 00 48") + bytes(3) * 300_000 + b"\1\0\0"
    assert code(lambda: read(Recipe([Piece("intel", b"x", "zstd", stored=frame)]).file())) == "package-part"


def test_much_after_a_frame() -> None:
    """The decoder stops at the end of the frame; what lies behind it is looked at all the same."""
    for tail in (1, 65536, 10**6):
        raw = Recipe([Piece("intel", b"x", "zstd", stored=squeezed(b"x") + bytes(tail))]).file()
        assert code(lambda raw=raw: read(raw)) == "package-part"
    cut = Recipe(
        [Piece("intel", b"x", "zstd", stored=squeezed(b"x"), length=10**6)], padding=lambda _: b""
    ).file()
    assert code(lambda: read(cut)) == "package-part"


def test_expansion_limit() -> None:
    slack, most = layout.EXPANSION_SLACK, layout.EXPANSION_LIMIT
    assert layout.may_expand(slack + most, 1)
    assert not layout.may_expand(slack + most + 1, 1)
    assert layout.may_expand(slack, 0)
    # Nine blocks that each repeat one byte: 42 bytes stored.
    head, full = bytes.fromhex("28b52ffd 00 48"), ((BLOCK_LIMIT << 3) | 0b010).to_bytes(3, "little") + b"x"

    def frame(last: int) -> Piece:
        stored = head + full * 8 + ((last << 3) | 0b011).to_bytes(3, "little") + b"x"
        return Piece("intel", b"x" * (8 * BLOCK_LIMIT + last), "zstd", stored=stored)

    room = slack + 42 * most - 8 * BLOCK_LIMIT
    assert read(Recipe([frame(room)]).file()) == [b"x" * (slack + 42 * most)]
    over = Recipe([frame(room + 1)]).file()
    assert code(lambda: read(over)) == "package-part"


def test_window_limit() -> None:
    def frame(window: int) -> bytes:
        params = zstandard.ZstdCompressionParameters(
            window_log=window, compression_level=1, write_content_size=False
        )
        stream = zstandard.ZstdCompressor(compression_params=params).compressobj()
        return stream.compress(b"x" * 1000) + stream.flush()

    assert WINDOW_LIMIT == 1 << 23
    assert read(Recipe([Piece("a", b"x" * 1000, "zstd", stored=frame(23))]).file()) == [b"x" * 1000]
    hostile = Recipe([Piece("a", b"x" * 1000, "zstd", stored=frame(24))]).file()
    assert code(lambda: read(hostile)) == "package-part"


def test_the_outline_agrees_with_the_library_on_every_frame() -> None:
    import random

    rng = random.Random(7)
    for _ in range(300):
        raw = bytes(rng.randrange(4) for _ in range(rng.randrange(2000))) * rng.randrange(1, 200)
        frame = zstandard.ZstdCompressor(
            level=rng.randrange(1, 10),
            write_checksum=rng.random() < 0.5,
            write_content_size=rng.random() < 0.5,
        ).compress(raw)
        outline = Outline()
        step = rng.randrange(1, 50_000)
        for at in range(0, len(frame), step):
            assert not outline.whole
            outline.feed(frame[at : at + step])
        assert outline.whole
        with pytest.raises(CryptoError):
            outline.feed(b"\0")


def test_block_limit() -> None:
    head = bytes.fromhex("28b52ffd 00 48")
    Outline().feed(head + (BLOCK_LIMIT << 3).to_bytes(3, "little"))
    with pytest.raises(CryptoError):
        Outline().feed(head + (BLOCK_LIMIT + 1 << 3).to_bytes(3, "little"))


# Counting


def test_parts_limit_on_reading() -> None:
    text, _ = sealed([source("note", b"")] * package.PARTS_LIMIT)
    assert len(opened(text).manifest.parts) == package.PARTS_LIMIT
    part = {"type": "a", "size": 0, "sha256": "00" * 32, "codec": "none"}
    hostile = Recipe([], fields={"parts": [part] * (package.PARTS_LIMIT + 1)}).file()
    assert code(lambda: opened(hostile)) == "package-manifest"


def test_a_part_that_says_a_terabyte() -> None:
    for codec in ("none", "zstd"):
        part = Piece("attachment", b"x", codec, size=package.PART_LIMIT, length=package.PART_LIMIT)
        assert code(lambda part=part: read(Recipe([part]).file())) == "package-part"
