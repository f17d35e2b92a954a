"""Vectors of packages: the age file, what is inside, the parts and the padding."""

from __future__ import annotations

import hashlib
import io
import zlib
from collections.abc import Iterator
from typing import Any

import zstandard

from crypto import age, age_header, kem, layout
from crypto.age_header import Stanza
from crypto.composite import SigningKey
from tests.vectors.forge import (
    FILE_KEY,
    NONCE,
    SEED,
    SIGNER,
    SIGNER_SEED,
    Piece,
    Recipe,
    compact,
    sealed,
    squeezed,
)
from tests.vectors.format import Vector

OTHER = SigningKey.from_seed(bytes(64))
OTHER_SEED = bytes(32)
TEXT = b"".join(b'{"type":"indicator","id":"indicator--%08d"}' % i for i in range(2000))


def vector(name: str, expect: str, comment: str, recipe: Recipe, seed: bytes = SEED) -> Vector:
    header, inside = recipe.build()
    fields = {
        "expect": [expect],
        "kind": ["package"],
        "comment": [comment],
        "seed": [seed.hex()],
        "signer": [SIGNER_SEED.hex()],
        "payload": ["plain"],
        "file key": [FILE_KEY.hex()],
        "nonce": [NONCE.hex()],
        "compressed": ["zlib"],
    }
    if expect == "success":
        fields["part"] = [f"{p.type} {hashlib.sha256(p.raw).hexdigest()}" for p in recipe.pieces]
    return Vector(name, fields, header + zlib.compress(inside, 9))


def whole(name: str, expect: str, comment: str, body: bytes) -> Vector:
    fields = {"expect": [expect], "kind": ["package"], "comment": [comment], "seed": [SEED.hex()]}
    return Vector(name, {**fields, "signer": [SIGNER_SEED.hex()]}, body)


def good() -> Iterator[Vector]:
    def ok(name: str, comment: str, *pieces: Piece, **recipe: Any) -> Vector:
        return vector(name, "success", comment, Recipe(list(pieces), **recipe))

    note = Piece("note", b"salam")
    yield ok("package_no_parts", "a package may be empty")
    yield ok("package_note", "one part, stored as it is", note)
    yield ok("package_zstd", "one part, compressed", Piece("intel", TEXT, "zstd"))
    yield ok("package_all_types", "every part type there is", *(Piece(t, t.encode()) for t in TYPES))
    yield ok(
        "package_unknown_type",
        "a type of a later format is a part like any other",
        Piece("hologram-2", b"?"),
        note,
    )
    yield ok("package_empty_part", "a part of no bytes", Piece("note", b""), note)
    yield ok("package_empty_part_zstd", "a compressed part of no bytes", Piece("note", b"", "zstd"), note)
    yield ok("package_first", "the first of an epoch has no prev", note, fields={"seq": 1, "prev": None})
    yield ok(
        "package_bare",
        "ack, release and log may be null",
        note,
        fields={"ack": None, "release": None, "log": None},
    )
    yield ok("package_flash", "priority flash", note, fields={"priority": "flash"})
    yield ok(
        "package_white_space",
        "white space in the manifest is signed like the rest",
        note,
        text=lambda text: text.replace(b",", b" ,\n"),
    )
    yield ok(
        "package_escapes",
        "escapes in the manifest are JSON like any other",
        note,
        text=lambda text: text.replace(b'"routine"', b'"\\u0072outine"'),
    )
    yield ok(
        "package_field_order",
        "fields may stand in any order",
        note,
        text=lambda text: (
            b'{"log"' + text[text.index(b'"log"') + 5 : -1] + b"," + text[1 : text.index(b',"log"')] + b"}"
        ),
    )
    yield ok(
        "package_two_chunks", "the payload takes two chunks", Piece("attachment", bytes(range(256)) * 300)
    )
    space = layout.PADDING_FLOOR - len(
        Recipe([Piece("attachment", b"x" * 9999)], padding=lambda _: b"").build()[1]
    )
    yield ok(
        "package_no_padding",
        "exactly as long as the floor: no padding",
        Piece("attachment", b"x" * (9999 + space - 1)),
    )
    space = 65536 - len(Recipe([Piece("attachment", b"x" * 10000)], padding=lambda _: b"").build()[1])
    yield ok("package_full_last_chunk", "exactly one full chunk", Piece("attachment", b"x" * (10000 + space)))
    yield ok(
        "package_zstd_checksum",
        "a frame may carry a checksum",
        Piece("intel", TEXT, "zstd", stored=squeezed(TEXT, write_checksum=True)),
    )
    yield ok(
        "package_zstd_no_size",
        "a frame need not state its size",
        Piece("intel", TEXT, "zstd", stored=squeezed(TEXT, write_content_size=False)),
    )
    yield ok(
        "package_zstd_level",
        "any level will do",
        Piece("intel", TEXT, "zstd", stored=zstandard.ZstdCompressor(level=19).compress(TEXT)),
    )


TYPES = ("intel", "handling", "attachment", "note", "statement", "keys")


def headers() -> Iterator[Vector]:
    def bad(name: str, expect: str, comment: str, seed: bytes = SEED, **recipe: Any) -> Vector:
        return vector(f"header_{name}", expect, comment, Recipe(**recipe), seed)

    def stanza(change: Any) -> Any:
        return lambda stanzas: [change(*stanzas)]

    x25519 = age.X25519Recipient(bytes([9]) + bytes(31)).wrap(FILE_KEY)
    yield bad("version", "age-header", "age v2", header=lambda h: h.replace(b"/v1", b"/v2"))
    yield bad("crlf", "age-header", "lines end with CRLF", header=lambda h: h.replace(b"\n-> ", b"\r\n-> "))
    yield bad(
        "extra_argument",
        "age-header",
        "one argument too many",
        stanzas=stanza(lambda s: Stanza((*s.arguments, "x"), s.body)),
    )
    yield bad(
        "no_argument",
        "age-header",
        "no encapsulation",
        stanzas=stanza(lambda s: Stanza(s.arguments[:1], s.body)),
    )
    yield bad(
        "short_enc",
        "age-header",
        "encapsulation of 1,119 bytes",
        stanzas=stanza(
            lambda s: Stanza(
                (s.arguments[0], age_header.encode((age_header.decode(s.arguments[1]) or b"")[:-1])), s.body
            )
        ),
    )
    yield bad(
        "padded_enc",
        "age-header",
        "base64 with padding",
        stanzas=stanza(lambda s: Stanza((s.arguments[0], s.arguments[1] + "="), s.body)),
    )
    yield bad(
        "long_body",
        "age-header",
        "a file key of 17 bytes",
        stanzas=stanza(lambda s: Stanza(s.arguments, s.body + b"\0")),
    )
    yield bad(
        "low_order",
        "age-header",
        "an X25519 share of low order",
        stanzas=stanza(
            lambda s: Stanza(
                (
                    s.arguments[0],
                    age_header.encode((age_header.decode(s.arguments[1]) or b"")[:1088] + bytes(32)),
                ),
                s.body,
            )
        ),
    )
    yield bad("two_stanzas", "package-header", "the same recipient twice", stanzas=lambda s: s * 2)
    yield bad(
        "second_recipient",
        "package-header",
        "somebody else can open it too",
        stanzas=lambda s: [*s, age.HybridRecipient(kem.public(OTHER_SEED)).wrap(FILE_KEY)],
    )
    yield bad("x25519", "package-header", "a recipient that is not post-quantum", stanzas=lambda s: [x25519])
    yield bad(
        "x25519_beside",
        "package-header",
        "a weaker recipient beside the right one",
        stanzas=lambda s: [*s, x25519],
    )
    yield bad(
        "grease",
        "package-header",
        "an unknown stanza beside the right one",
        stanzas=lambda s: [*s, Stanza(("grease",), b"")],
    )
    yield bad(
        "scrypt",
        "package-header",
        "a passphrase",
        stanzas=lambda s: [age.ScryptRecipient("p", 1).wrap(FILE_KEY)],
    )
    yield bad(
        "upper_case",
        "package-header",
        "the type in capitals",
        stanzas=stanza(lambda s: Stanza((s.arguments[0].upper(), s.arguments[1]), s.body)),
    )
    yield bad("no_match", "not-for-us", "sealed to another key", recipient=kem.public(OTHER_SEED))
    yield bad(
        "bad_tag",
        "not-for-us",
        "the wrapped file key was changed",
        stanzas=stanza(lambda s: Stanza(s.arguments, s.body[:-1] + bytes([s.body[-1] ^ 1]))),
    )
    yield bad(
        "mac",
        "age-hmac",
        "the MAC was changed",
        header=lambda h: h[:-10] + (b"A" if h[-10:-9] != b"A" else b"B") + h[-9:],
    )
    good = Recipe().file()
    yield whole("header_empty", "age-header", "an empty file", b"")
    yield whole(
        "header_only", "age-header", "nothing after the header", good[: -len(sealed(Recipe().build()[1]))]
    )
    target = io.BytesIO()
    age.encrypt(
        io.BytesIO(Recipe().build()[1]), target, [age.HybridRecipient(kem.public(SEED))], armored=True
    )
    yield whole("header_armored", "age-header", "packages are never armored", target.getvalue()[:3000])


def payloads() -> Iterator[Vector]:
    header, inside = Recipe(padding=lambda _: b"").build()
    payload = sealed(inside)
    yield whole("payload_cut", "age-payload", "the last byte is missing", header + payload[:-1])
    yield whole("payload_long", "age-payload", "one byte too many", header + payload + b"\0")
    yield whole(
        "payload_tag",
        "age-payload",
        "the last bit of the tag is flipped",
        header + payload[:-1] + bytes([payload[-1] ^ 1]),
    )
    yield whole("payload_nonce", "age-payload", "the nonce was changed", header + bytes(16) + payload[16:])
    yield whole("payload_no_chunk", "age-payload", "a nonce and nothing else", header + payload[:16])
    yield whole("payload_no_nonce", "age-header", "half a nonce", header + payload[:8])


def formats() -> Iterator[Vector]:
    def bad(name: str, expect: str, comment: str, **recipe: Any) -> Vector:
        return vector(f"format_{name}", expect, comment, Recipe(**recipe))

    yield bad("magic", "package-format", "another magic", magic=b"MITHAQ2\n")
    yield bad("magic_crlf", "package-format", "the magic with CRLF", magic=b"MITHAQ1\r\n")
    yield bad("empty", "package-format", "an age file of nothing", inside=lambda _: b"")
    yield bad("short", "package-format", "the payload ends within the length", inside=lambda i: i[:11])
    yield bad("length_huge", "package-format", "a manifest of 4 GiB", manifest_length=2**32 - 1)
    yield bad(
        "length_limit", "package-format", "a manifest one byte over the limit", manifest_length=2**20 + 1
    )
    yield bad("length_beyond", "package-format", "a manifest longer than the payload", manifest_length=2**20)
    yield bad("length_zero", "package-manifest", "no manifest", manifest_length=0)
    yield bad(
        "length_short",
        "package-manifest",
        "the manifest's length is one too few",
        manifest_length=_manifest_size() - 1,
    )
    yield bad(
        "signature_cut",
        "package-format",
        "the payload ends within the signature",
        inside=lambda i: i[: 12 + _manifest_size() + 3372],
    )
    yield bad(
        "another_header",
        "package-header",
        "a manifest signed for another header",
        fields={"header": "00" * 32},
    )
    yield bad("signer", "package-signature", "signed by somebody else", signer=OTHER)
    yield bad(
        "edited",
        "package-signature",
        "the manifest was edited after signing",
        signed_text=lambda t: t.replace(b'"seq":7', b'"seq":8'),
    )
    yield bad("context", "package-signature", "signed as another kind of document", context=b"mithaq/card/v1")
    yield bad("no_context", "package-signature", "signed without a context", context=b"")
    yield bad(
        "mldsa",
        "package-signature",
        "the ML-DSA half is wrong",
        signature=lambda s: bytes([s[0] ^ 1]) + s[1:],
    )
    yield bad(
        "ed25519",
        "package-signature",
        "the Ed25519 half is wrong",
        signature=lambda s: s[:-1] + bytes([s[-1] ^ 1]),
    )
    yield bad(
        "half",
        "package-signature",
        "the halves are of two signers",
        signature=lambda s: s[:3309] + OTHER.sign(b"x", b"")[3309:],
    )
    yield bad(
        "signature_zero", "package-signature", "a signature of zeros", signature=lambda s: bytes(len(s))
    )
    yield bad(
        "signature_of_another",
        "package-signature",
        "the signature of another manifest",
        signature=lambda s: SIGNER.sign(compact({}), b"mithaq/package/v1"),
    )


def _manifest_size() -> int:
    inside = Recipe().build()[1]
    return int.from_bytes(inside[8:12], "big")


def _frame(raw: bytes, **changes: int) -> bytes:
    """A frame of one raw block, its header made by hand."""
    flags = changes.get("flags", 0b0010_0000 | 0b0100_0000)
    head = bytes.fromhex("28b52ffd") + bytes([flags]) + (len(raw) - 256).to_bytes(2, "little")
    return head + (len(raw) << 3 | 1).to_bytes(3, "little") + raw


def parts() -> Iterator[Vector]:
    def bad(name: str, comment: str, *pieces: Piece, expect: str = "package-part", **recipe: Any) -> Vector:
        return vector(f"part_{name}", expect, comment, Recipe([*pieces, Piece("note", b"last")], **recipe))

    body = b"x" * 300
    frame = squeezed(TEXT)
    yield bad("hash", "the hash is of other bytes", Piece("note", body, sha256="00" * 32))
    yield bad("size_less", "the size is one less", Piece("note", body, size=299))
    yield bad("size_more", "the size is one more", Piece("note", body, size=301))
    yield bad("stored_less", "the stored length is one less", Piece("note", body, length=299))
    yield bad("stored_more", "the stored length is one more", Piece("note", body, length=301))
    yield bad("stored_huge", "a stored length of 2^64 - 1", Piece("note", body, length=2**64 - 1))
    yield bad(
        "stored_beyond",
        "longer than the payload",
        Piece("intel", b"y" * 10**6, stored=b"y" * 100, length=10**6),
    )
    yield vector(
        "part_missing",
        "package-padding",
        "one part more than the manifest says",
        Recipe([Piece("note", body)], fields={"parts": []}),
    )
    yield bad("zstd_cut", "the frame is cut", Piece("intel", TEXT, "zstd", stored=frame[:-1]))
    yield bad(
        "zstd_cut_length",
        "the stored length cuts the frame",
        Piece("intel", TEXT, "zstd", length=len(frame) - 4),
    )
    yield bad("zstd_tail", "a byte after the frame", Piece("intel", TEXT, "zstd", stored=frame + b"\0"))
    yield bad("zstd_two_frames", "two frames", Piece("intel", TEXT * 2, "zstd", stored=frame * 2))
    yield bad(
        "zstd_empty_frame_after",
        "an empty frame after it",
        Piece("intel", TEXT, "zstd", stored=frame + squeezed(b"")),
    )
    yield bad(
        "zstd_skippable",
        "a skippable frame before it",
        Piece("intel", TEXT, "zstd", stored=bytes.fromhex("502a4d18 00000000") + frame),
    )
    yield bad("zstd_not", "not a frame at all", Piece("intel", body, "zstd", stored=body))
    yield bad(
        "zstd_nothing", "no stored bytes for a part that has some", Piece("intel", body, "zstd", stored=b"")
    )
    yield bad(
        "zstd_nothing_for_nothing",
        "no stored bytes for an empty part",
        Piece("intel", b"", "zstd", stored=b""),
    )
    yield bad(
        "zstd_more", "more comes out than the size says", Piece("intel", TEXT, "zstd", size=len(TEXT) - 1)
    )
    yield bad(
        "zstd_less", "less comes out than the size says", Piece("intel", TEXT, "zstd", size=len(TEXT) + 1)
    )
    yield bad("zstd_bomb", "expands over a thousand times", Piece("intel", bytes(10**8), "zstd"))
    yield bad(
        "zstd_bomb_hidden",
        "a bomb that says it is small",
        Piece("intel", b"x" * 1000, "zstd", stored=squeezed(bytes(10**8))),
    )
    yield bad(
        "zstd_dictionary",
        "a frame that asks for a dictionary",
        Piece("intel", body, "zstd", stored=_frame(body, flags=0b0110_0001)),
    )
    yield bad(
        "zstd_reserved",
        "the reserved bit is set",
        Piece("intel", body, "zstd", stored=_frame(body, flags=0b0110_1000)),
    )
    yield bad(
        "zstd_unused",
        "the unused bit is set",
        Piece("intel", body, "zstd", stored=_frame(body, flags=0b0111_0000)),
    )
    yield bad(
        "zstd_window",
        "a window over 8 MiB",
        Piece(
            "intel",
            body,
            "zstd",
            stored=bytes.fromhex("28b52ffd 00 70") + (len(body) << 3 | 1).to_bytes(3, "little") + body,
        ),
    )
    yield bad(
        "zstd_block",
        "a block type that does not exist",
        Piece(
            "intel",
            body,
            "zstd",
            stored=_frame(body)[:7] + (len(body) << 3 | 0b111).to_bytes(3, "little") + body,
        ),
    )
    yield bad(
        "zstd_checksum",
        "the frame's checksum is wrong",
        Piece("intel", TEXT, "zstd", stored=squeezed(TEXT, write_checksum=True)[:-1] + b"\0"),
    )
    yield bad("codec", "stored as it is, but said to be compressed", Piece("note", body, "zstd", stored=body))
    yield bad(
        "swapped",
        "two parts have changed places",
        Piece("note", b"one", sha256=hashlib.sha256(b"two").hexdigest()),
        Piece("note", b"two", sha256=hashlib.sha256(b"one").hexdigest()),
    )


def paddings() -> Iterator[Vector]:
    def bad(name: str, comment: str, padding: Any) -> Vector:
        return vector(f"padding_{name}", "package-padding", comment, Recipe(padding=padding))

    yield bad("none", "no padding", lambda p: b"")
    yield bad("short", "one byte too few", lambda p: p[:-1])
    yield bad("long", "one byte too many", lambda p: p + b"\0")
    yield bad("double", "padded to the next step", lambda p: p + bytes(2048))
    yield bad("first", "the first byte is not zero", lambda p: b"\1" + p[1:])
    yield bad("last", "the last byte is not zero", lambda p: p[:-1] + b"\x80")
    yield bad("text", "something hidden in it", lambda p: b"hidden" + p[6:])


def every() -> Iterator[Vector]:
    """All vectors of packages."""
    for group in (good, headers, payloads, formats, parts, paddings):
        yield from group()
