"""Damage of every kind to a golden package: nothing is accepted, only declared errors are raised.

A sample runs in `make test`; every bit, every length and every shift in `make torture`.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterable

import pytest

from crypto import age, age_stream, kem
from crypto.errors import CryptoError
from crypto.package import open_package
from tests.vectors.forge import RECIPIENT, SEED, SIGNER, Piece, Recipe, sealed

TEXT = b"".join(b'{"id":"indicator--%08d"}' % i for i in range(4000))
RECIPE = Recipe(
    [Piece("note", b"salam"), Piece("intel", TEXT, "zstd"), Piece("attachment", b"\xa5" * 54_000)]
)
HEADER, INSIDE = RECIPE.build()
GOLDEN = HEADER + sealed(INSIDE)
BODIES = [piece.raw for piece in RECIPE.pieces]
SEALED_CHUNK = age_stream.SEALED_CHUNK

HEADER_CODES = {"age-header", "package-header", "not-for-us", "age-hmac"}
PAYLOAD_CODES = {"age-payload"}


def verdict(raw: bytes) -> tuple[str, list[bytes]]:
    """The code, and what was given out of the parts before it."""
    given: list[bytes] = []
    try:
        opened = open_package(io.BytesIO(raw), [("ours", SEED)])
        opened.verify(SIGNER.public)
        for _, file in opened.parts():
            piece = b""
            given.append(piece)
            while piece := file.read(1000):
                given[-1] += piece
    except CryptoError as error:
        return error.code, given
    return "accepted", given


def check(raw: bytes, codes: set[str]) -> None:
    """Refused with a declared code, and nothing given out that was not sealed."""
    code, given = verdict(raw)
    assert code in codes
    assert all(body.startswith(part) for body, part in zip(BODIES, given, strict=False))


def flips(positions: Iterable[int]) -> None:
    for position in positions:
        damaged = bytearray(GOLDEN)
        damaged[position // 8] ^= 1 << position % 8
        check(bytes(damaged), HEADER_CODES if position // 8 < len(HEADER) else PAYLOAD_CODES)


def test_the_golden_package_is_sound() -> None:
    assert 60 * 1024 < len(GOLDEN) <= 64 * 1024
    assert verdict(GOLDEN) == ("accepted", BODIES)


def test_flipped_bits_sampled() -> None:
    flips(range(0, len(HEADER) * 8, 29))
    flips(range(len(HEADER) * 8, len(GOLDEN) * 8, 1009))


@pytest.mark.torture
def test_every_flipped_bit() -> None:
    flips(range(len(GOLDEN) * 8))


def test_truncations_sampled() -> None:
    for size in [*range(0, len(HEADER), 17), *range(len(HEADER), len(GOLDEN), 211), len(GOLDEN) - 1]:
        check(GOLDEN[:size], {"age-header"} if size < len(HEADER) + 16 else PAYLOAD_CODES)


@pytest.mark.torture
def test_every_truncation() -> None:
    for size in range(len(GOLDEN)):
        check(GOLDEN[:size], {"age-header"} if size < len(HEADER) + 16 else PAYLOAD_CODES)


@pytest.mark.parametrize("fill", [b"\0", b"\xff", b"\n"])
def test_appends(fill: bytes) -> None:
    for size in range(1, 65):
        check(GOLDEN + fill * size, PAYLOAD_CODES)
    check(GOLDEN + GOLDEN, PAYLOAD_CODES)
    check(GOLDEN + GOLDEN[-SEALED_CHUNK:], PAYLOAD_CODES)


def test_prepends() -> None:
    for junk in (b"\0", b"\n", b" ", b"\xef\xbb\xbf", GOLDEN[:1], GOLDEN):
        check(junk + GOLDEN, HEADER_CODES | PAYLOAD_CODES)


LONG = Recipe([Piece("attachment", bytes(range(256)) * 1200)])
LONG_HEADER, LONG_INSIDE = LONG.build()
LONG_SEALED = sealed(LONG_INSIDE)
CHUNKS = [LONG_SEALED[16:][i : i + SEALED_CHUNK] for i in range(0, len(LONG_SEALED) - 16, SEALED_CHUNK)]


def chunked(order: Iterable[int], chunks: list[bytes] = CHUNKS) -> bytes:
    return LONG_HEADER + LONG_SEALED[:16] + b"".join(chunks[i] for i in order)


def test_chunks_swapped_repeated_dropped() -> None:
    count = len(CHUNKS)
    whole = list(range(count))
    assert verdict(chunked(whole))[0] == "accepted"
    orders = [whole[:i] + whole[i + 1 :] for i in range(count)]
    orders += [whole[: i + 1] + whole[i:] for i in range(count)]
    orders += [
        [*whole[:i], whole[j], *whole[i + 1 : j], whole[i], *whole[j + 1 :]] for j in whole for i in range(j)
    ]
    orders += [whole[::-1], whole * 2]
    for order in orders:
        assert verdict(chunked(order))[0] == "age-payload"


def test_chunks_of_a_sibling() -> None:
    """The same parts, sealed again to the same key: not one chunk may change places with its twin."""
    from tests.crypto.samples import sealed as seal_again
    from tests.crypto.samples import source

    raw, _ = seal_again([source("attachment", LONG.pieces[0].raw)])
    start = len(raw) - sum(map(len, CHUNKS))
    twins = [raw[start:][i : i + SEALED_CHUNK] for i in range(0, len(raw) - start, SEALED_CHUNK)]
    for i in range(len(CHUNKS)):
        mixed = [twins[i] if i == j else chunk for j, chunk in enumerate(CHUNKS)]
        assert verdict(chunked(range(len(CHUNKS)), mixed))[0] == "age-payload"


# By one who holds the file key: the counterpart the package was for


def test_rewrapped_to_a_third_party() -> None:
    """Our signed inside under a fresh header for somebody else: they open it, and see that it was not for them."""
    third = bytes(range(32))
    target = io.BytesIO()
    age.encrypt(io.BytesIO(INSIDE), target, [age.HybridRecipient(kem.public(third))])
    opened = open_package(io.BytesIO(target.getvalue()), [("third", third)])
    with pytest.raises(CryptoError) as caught:
        opened.verify(SIGNER.public)
    assert caught.value.code == "package-header"
    with pytest.raises(CryptoError):
        next(opened.parts())


def test_rewrapped_to_the_same_key() -> None:
    target = io.BytesIO()
    age.encrypt(io.BytesIO(INSIDE), target, [age.HybridRecipient(RECIPIENT)])
    assert verdict(target.getvalue()) == ("package-header", [])


def test_the_manifest_of_one_over_the_body_of_another() -> None:
    other = Recipe([Piece("note", b"SALAM"), *RECIPE.pieces[1:]])
    _, inside = other.build()
    head = 12 + int.from_bytes(INSIDE[8:12], "big") + 3373
    other_head = 12 + int.from_bytes(inside[8:12], "big") + 3373
    mixed = HEADER + sealed(INSIDE[:head] + inside[other_head:])
    code, given = verdict(mixed)
    assert code == "package-part"
    assert given == [b""]


def test_every_byte_of_the_inside_counts() -> None:
    """Whoever holds the file key changes one byte of the plaintext and seals it again: signature, hash or padding."""
    codes = set()
    head = 12 + int.from_bytes(INSIDE[8:12], "big") + 3373
    for position in [
        *range(0, head, 41),
        *range(head, head + 40),
        *range(head, len(INSIDE), 241),
        len(INSIDE) - 1,
    ]:
        damaged = bytearray(INSIDE)
        damaged[position] ^= 0x40
        code, _ = verdict(HEADER + sealed(bytes(damaged)))
        assert code in {
            "package-format",
            "package-manifest",
            "package-signature",
            "package-header",
            "package-part",
            "package-padding",
        }
        codes.add(code)
    assert {"package-signature", "package-part", "package-padding"} <= codes


@pytest.mark.torture
def test_every_bit_of_the_inside_counts() -> None:
    """But for a few that a decoder never looks at: what comes out is what was signed. Sampled in long plain runs."""
    frame = INSIDE.index(b"\x28\xb5\x2f\xfd")
    plain, idle = INSIDE.index(b"\xa5" * 100) * 8, 0
    for position in [*range(plain), *range(plain, len(INSIDE) * 8, 13)]:
        damaged = bytearray(INSIDE)
        damaged[position // 8] ^= 1 << position % 8
        code, given = verdict(HEADER + sealed(bytes(damaged)))
        if code == "accepted":
            assert given == BODIES
            assert frame < position // 8 < frame + int.from_bytes(INSIDE[frame - 8 : frame], "big")
            idle += 1
        else:
            assert code.startswith("package-")
    assert idle < 64


def test_the_inside_cut_at_any_length() -> None:
    for size in [*range(0, 6000, 13), *range(6000, len(INSIDE), 499), len(INSIDE) - 1]:
        code, _ = verdict(HEADER + sealed(INSIDE[:size]))
        assert code.startswith("package-")


def test_a_part_never_ends_cleanly_unless_it_was_what_was_signed() -> None:
    """A reader that believes the end of a part's file believes the truth: a wrong hash shows before the end does."""
    recipe = Recipe([Piece("note", b"x" * 5000, sha256=hashlib.sha256(b"y").hexdigest())])
    opened = open_package(io.BytesIO(recipe.file()), [("ours", SEED)])
    opened.verify(SIGNER.public)
    _, file = next(opened.parts())
    assert file.read(5000) == b"x" * 5000
    for _ in range(2):
        with pytest.raises(CryptoError) as caught:
            file.read(1)
        assert caught.value.code == "package-part"
