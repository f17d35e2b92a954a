"""Packages: what goes in comes out, for every size around a chunk, streaming, and tied to key, signer and header."""

from __future__ import annotations

import io
import os
import tracemalloc
from collections.abc import Callable
from typing import BinaryIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crypto import age_stream, kem, layout, package, sealing
from crypto.age import HybridIdentity, decrypt
from crypto.composite import SigningKey
from crypto.errors import CryptoError
from crypto.package import PartSource, open_package, read_header_hash, seal, verify_manifest
from tests.crypto.samples import DRAFT, RECIPIENT, SEED, SIGNER, OneWay, opened, read_all, sealed, source

CHUNK = 64 * 1024
TEXT = b"".join(b'{"id":"%s"}' % os.urandom(6).hex().encode() for _ in range(150_000))


def code(call: Callable[[], object]) -> str:
    with pytest.raises(CryptoError) as caught:
        call()
    return caught.value.code


def test_what_is_sealed_is_opened() -> None:
    raw, result = sealed([source("note", b"salam"), source("intel", TEXT, "zstd")])
    package_ = opened(raw)
    assert package_.key == "ours"
    package_.verify(SIGNER.public)
    assert [(p.type, f.read()) for p, f in package_.parts()] == [("note", b"salam"), ("intel", TEXT)]
    assert package_.manifest == result.manifest
    assert (package_.manifest_raw, package_.manifest_hash) == (result.manifest_raw, result.manifest_hash)
    assert package_.header_hash == result.header_hash == read_header_hash(io.BytesIO(raw))
    assert package_.signature == result.signature
    assert len(raw) == result.size
    assert verify_manifest(result.manifest_raw, result.signature, SIGNER.public) == result.manifest
    for name in DRAFT.__dataclass_fields__:
        assert getattr(package_.manifest, name) == getattr(DRAFT, name)


SIZES = [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 16 * CHUNK - 5000, 16 * CHUNK, 16 * CHUNK + 1, 3_000_000]


@pytest.mark.parametrize("size", SIZES)
def test_sizes_around_chunks_and_batches(size: int) -> None:
    noise = os.urandom(size)
    parts = [
        source("attachment", noise),
        source("intel", TEXT[:size], "zstd"),
        source("attachment", b""),
        source("intel", TEXT[:size], "zstd", one_way=True),
        source("attachment", noise, one_way=True),
        source("attachment", noise, "zstd"),
    ]
    raw, _ = sealed(parts)
    assert [body for _, body in read_all(raw)] == [noise, TEXT[:size], b"", TEXT[:size], noise, noise]


@settings(max_examples=25)
@given(
    st.lists(
        st.tuples(st.integers(0, 200_000), st.sampled_from(["none", "zstd"]), st.booleans(), st.booleans()),
        max_size=6,
    )
)
def test_any_parts(shapes: list[tuple[int, str, bool, bool]]) -> None:
    bodies = [os.urandom(size) if noise else TEXT[:size] for size, _, noise, _ in shapes]
    parts = [
        source("x", body, codec, one_way=one_way)
        for body, (_, codec, _, one_way) in zip(bodies, shapes, strict=True)
    ]
    raw, _ = sealed(parts)
    assert [body for _, body in read_all(raw)] == bodies


def test_a_package_in_the_middle_of_a_file() -> None:
    target = io.BytesIO(b"before")
    target.seek(6)
    result = seal(target, RECIPIENT, SIGNER, DRAFT, [source("intel", TEXT, "zstd")])
    raw = target.getvalue()
    assert raw.startswith(b"before")
    assert len(raw) == 6 + result.size
    assert read_all(raw[6:]) == [("intel", TEXT)]


def test_it_is_a_plain_age_file_with_the_documented_inside() -> None:
    raw, result = sealed([source("note", b"salam"), source("intel", TEXT, "zstd")])
    target = io.BytesIO()
    decrypt(io.BytesIO(raw), target, [HybridIdentity(SEED)])
    inside = target.getvalue()
    size = len(result.manifest_raw)
    assert inside[:12] == b"MITHAQ1\n" + size.to_bytes(4, "big")
    assert inside[12 : 12 + size] == result.manifest_raw
    assert inside[12 + size : 12 + size + 3373] == result.signature
    at = 12 + size + 3373
    assert inside[at : at + 13] == (5).to_bytes(8, "big") + b"salam"
    stored = int.from_bytes(inside[at + 13 : at + 21], "big")
    end = at + 21 + stored
    assert len(inside) == layout.padded(end)
    assert inside[end:] == bytes(len(inside) - end)


def test_only_what_pays_is_compressed() -> None:
    noise = os.urandom(300_000)
    _, result = sealed([source("a", noise, "zstd"), source("b", TEXT, "zstd"), source("c", TEXT)])
    assert [part.codec for part in result.manifest.parts] == ["none", "zstd", "none"]


def test_what_would_look_like_a_bomb_is_not_compressed() -> None:
    zeros = bytes(40_000_000)
    raw, result = sealed([source("intel", TEXT, "zstd"), source("attachment", zeros, "zstd")])
    assert [part.codec for part in result.manifest.parts] == ["zstd", "none"]
    assert read_all(raw) == [("intel", TEXT), ("attachment", zeros)]


def test_many_parts_and_a_manifest_of_several_chunks() -> None:
    parts = [source("note", b"%d" % i) for i in range(package.PARTS_LIMIT)]
    raw, result = sealed(parts)
    assert len(result.manifest_raw) > 4 * CHUNK
    assert [body for _, body in read_all(raw)] == [b"%d" % i for i in range(package.PARTS_LIMIT)]
    assert code(lambda: sealed([*parts, source("note", b"")])) == "package-manifest"


def test_nothing_repeats_between_two_seals_of_the_same() -> None:
    one, first = sealed([source("note", b"same")])
    two, second = sealed([source("note", b"same")])
    assert len(one) == len(two)
    assert one[-40_000:] != two[-40_000:]
    assert first.header_hash != second.header_hash


# Keys --------------------------------------------------------------------------------------------------------------


def test_keys_are_tried_in_turn_and_the_one_that_fits_is_named() -> None:
    raw, _ = sealed([source("note", b"x")])
    keys = [(1, kem.new_seed()), (2, SEED), (3, kem.new_seed())]
    assert open_package(io.BytesIO(raw), keys).key == 2
    assert code(lambda: open_package(io.BytesIO(raw), keys[:1] + keys[2:])) == "not-for-us"
    assert code(lambda: open_package(io.BytesIO(raw), [])) == "not-for-us"


def test_no_key_is_asked_for_before_the_header_is_sound() -> None:
    def keys() -> object:
        raise AssertionError("a key was asked for")
        yield

    raw, _ = sealed()
    read_header_hash(io.BytesIO(raw))
    for damaged in (b"", raw[:500], b"x" + raw, raw.replace(b"mlkem768x25519", b"mlkem768x25518", 1)):
        assert code(lambda damaged=damaged: open_package(io.BytesIO(damaged), keys())) in (
            "age-header",
            "package-header",
        )


def test_a_poisoned_recipient_is_refused() -> None:
    for key in (b"", RECIPIENT[:-1], RECIPIENT[:1184] + bytes(32)):
        assert code(lambda key=key: seal(io.BytesIO(), key, SIGNER, DRAFT, [])) == "kem-key"


# Verification ------------------------------------------------------------------------------------------------------


def test_parts_are_closed_until_verified() -> None:
    raw, _ = sealed([source("note", b"x")])
    package_ = opened(raw)
    assert code(lambda: list(package_.parts())) == "package-signature"
    assert code(lambda: package_.verify(SigningKey.generate().public)) == "package-signature"
    assert code(lambda: list(package_.parts())) == "package-signature"
    package_.verify(SIGNER.public)
    assert [part.type for part, _ in package_.parts()] == ["note"]
    assert code(lambda: list(package_.parts())) == "package-signature"


def test_the_first_parts_can_be_looked_at_before_and_come_again() -> None:
    """As claims: a sender who is not known here is known by a document among them."""
    papers = [b"one", b"", b"x" * 150_000]
    parts = [
        *(source("statement", raw) for raw in papers),
        source("note", TEXT, "zstd"),
        source("statement", b"last"),
    ]
    raw, _ = sealed(parts)
    for most, limit, expected in (
        (32, 1 << 20, 3),
        (2, 1 << 20, 2),
        (0, 1 << 20, 0),
        (32, 149_999, 2),
        (32, 2, 0),
    ):
        package_ = opened(raw)
        assert package_.leading("statement", most, limit) == tuple(papers[:expected])
        assert package_.leading("statement", most, limit) == tuple(papers[:expected])
        package_.verify(SIGNER.public)
        assert [file.read() for _, file in package_.parts()] == [*papers, TEXT, b"last"]
    assert opened(raw).leading("note", 32, 1 << 20) == ()


def test_nothing_is_unpacked_for_a_look_and_a_cut_is_noticed() -> None:
    raw, _ = sealed([source("statement", b"a" * 5000, "zstd"), source("statement", b"b")])
    assert opened(raw).leading("statement", 32, 1 << 20) == ()
    raw, _ = sealed([source("statement", os.urandom(200_000))])
    cut = opened(raw[:150_000])
    assert code(lambda: cut.leading("statement", 32, 1 << 20)) == "age-payload"


def test_a_kept_manifest_is_verified_again() -> None:
    _, result = sealed()
    assert verify_manifest(result.manifest_raw, result.signature, SIGNER.public) == result.manifest
    edited = result.manifest_raw.replace(b'"seq":7', b'"seq":8')
    assert code(lambda: verify_manifest(edited, result.signature, SIGNER.public)) == "package-signature"


# Reading -----------------------------------------------------------------------------------------------------------


def test_parts_left_unread_are_checked_and_skipped() -> None:
    parts = [source("future", TEXT, "zstd"), source("note", b"salam"), source("other", TEXT)]
    raw, _ = sealed(parts)
    package_ = opened(raw)
    package_.verify(SIGNER.public)
    seen = [(part.type, file.read(3) if part.type != "other" else b"") for part, file in package_.parts()]
    assert seen == [("future", TEXT[:3]), ("note", b"sal"), ("other", b"")]


@pytest.mark.parametrize("step", [1, 100, CHUNK, 1_000_000])
def test_reading_in_steps(step: int) -> None:
    body = TEXT[:200_000] if step < 1000 else TEXT
    raw, _ = sealed([source("a", body, "zstd"), source("b", body)])
    package_ = open_package(OneWay(raw, 1000), [("ours", SEED)])
    package_.verify(SIGNER.public)
    read = [b"".join(iter(lambda file=file: file.read(step), b"")) for _, file in package_.parts()]
    assert read == [body, body]


def test_sources_that_cannot_seek_are_kept_only_while_they_are_small() -> None:
    """Small ones are opened once; when the room is used up, they are opened twice instead of being kept."""
    opened_: list[int] = []

    def part(number: int) -> PartSource:
        def open_() -> BinaryIO:
            opened_.append(number)
            return OneWay(TEXT[:400_000])

        return PartSource("note", "none", open_)

    raw, _ = sealed([part(number) for number in range(5)])
    assert [body for _, body in read_all(raw)] == [TEXT[:400_000]] * 5
    assert sorted(opened_) == [0, 1, 2, 2, 3, 3, 4, 4]


def test_progress_counts_raw_bytes() -> None:
    seen: list[tuple[int, int]] = []
    parts = [source("a", TEXT, "zstd"), source("b", TEXT[:100])]
    seal(io.BytesIO(), RECIPIENT, SIGNER, DRAFT, parts, lambda done, total: seen.append((done, total)))
    assert seen[-1] == (len(TEXT) + 100, len(TEXT) + 100)
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)


def test_cancelling_from_the_progress_ends_the_seal_and_its_thread() -> None:
    import threading

    def stop(done: int, total: int) -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        seal(io.BytesIO(), RECIPIENT, SIGNER, DRAFT, [source("a", TEXT)], stop)
    assert not [thread for thread in threading.enumerate() if thread.name == "sha256"]


def test_several_at_once_do_not_mix() -> None:
    from concurrent.futures import ThreadPoolExecutor

    def one(number: int) -> bool:
        body = bytes([number]) * 2_500_000 + TEXT[:700_000]
        raw, _ = sealed([source("attachment", body), source("intel", body, "zstd")])
        return [found for _, found in read_all(raw)] == [body, body]

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(one, range(8)))


def test_a_reader_left_in_the_middle_ends_its_thread() -> None:
    import threading

    raw, _ = sealed([source("attachment", TEXT), source("note", b"x")])
    package_ = opened(raw)
    package_.verify(SIGNER.public)
    parts = package_.parts()
    _, file = next(parts)
    file.read(1_000_000)
    parts.close()
    assert not [thread for thread in threading.enumerate() if thread.name == "sha256"]


class Shifty:
    """A source that has another length the second time."""

    def __init__(self, first: bytes, then: bytes) -> None:
        self._bodies = [first, then]

    def __call__(self) -> BinaryIO:
        return io.BytesIO(self._bodies.pop(0))


@pytest.mark.parametrize("codec", ["none", "zstd"])
@pytest.mark.parametrize("sizes", [(5000, 4999), (5000, 5001), (0, 1), (1, 0), (2_000_000, 1_500_000)])
def test_a_source_that_changes_is_noticed(codec: str, sizes: tuple[int, int]) -> None:
    part = PartSource("intel", codec, Shifty(TEXT[: sizes[0]], TEXT[: sizes[1]]))
    assert code(lambda: sealed([part])) == "package-source"


def test_a_stated_size_is_used_and_checked() -> None:
    raw, _ = sealed([PartSource("note", "none", lambda: OneWay(b"salam"), 5)])
    assert read_all(raw) == [("note", b"salam")]
    for wrong in (4, 6):
        assert (
            code(
                lambda wrong=wrong: sealed([PartSource("note", "none", lambda: io.BytesIO(b"salam"), wrong)])
            )
            == "package-source"
        )


@pytest.mark.parametrize("codec", ["none", "zstd"])
def test_memory_is_bounded(codec: str) -> None:
    block = TEXT[:1_000_000]
    blocks = 64

    class Long(io.RawIOBase):
        def __init__(self) -> None:
            self._left, self._at = blocks * len(block), 0

        def readable(self) -> bool:
            return True

        def readinto(self, buffer: bytearray) -> int:
            step = min(len(buffer), len(block) - self._at, self._left)
            buffer[:step] = block[self._at : self._at + step]
            self._at = (self._at + step) % len(block)
            self._left -= step
            return step

    import tempfile

    with tempfile.TemporaryFile() as file:
        tracemalloc.start()
        try:
            part = PartSource("attachment", codec, Long)
            seal(file, RECIPIENT, SIGNER, DRAFT, [part])
            file.seek(0)
            package_ = open_package(file, [("ours", SEED)])
            package_.verify(SIGNER.public)
            size = 0
            for _, body in package_.parts():
                while piece := body.read(CHUNK):
                    size += len(piece)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert size == blocks * len(block)
    assert peak < 16 * 1024 * 1024


# Padding -----------------------------------------------------------------------------------------------------------


@given(st.integers(0, 2**45))
def test_padme(size: int) -> None:
    result = layout.padded(size)
    assert result >= max(size, layout.PADDING_FLOOR)
    assert result <= max(size * 1.12, layout.PADDING_FLOOR)
    assert layout.padded(result) == result


@pytest.mark.parametrize(
    "size, expected",
    [(0, 32768), (32767, 32768), (32768, 32768), (32769, 34816), (100_000, 100_352), (10**9, 1_006_632_960)],
)
def test_padme_values(size: int, expected: int) -> None:
    assert layout.padded(size) == expected


def test_small_packages_have_one_size() -> None:
    sizes = {len(sealed([source("note", bytes(n))])[0]) for n in (0, 1, 1000, 20_000)}
    # The manifest's own digits do not show either.
    assert len(sizes) == 1


def test_sealer_and_limits_agree() -> None:
    assert sealing.MEMORY_LIMIT == age_stream.BATCH * CHUNK
    assert package.PADDING_FLOOR == 32 * 1024
