"""What each reader must hold for any bytes: only declared errors, and what was read can be written again.

A target is a function of bytes; whatever it raises is a finding.
"""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import Callable, Iterator

import msgspec
import orjson

from app.exchange import files
from app.formats import stix20
from app.holdings import filenames
from app.intel import reading
from app.intel.prepared import prepare
from app.intel.strict import strict
from app.messages import MESSAGES, Refused
from crypto import (
    age,
    age_header,
    armor,
    document,
    identity,
    keys_part,
    manifest,
    recovery,
    rotation,
    slots,
    zstd_frame,
)
from crypto.errors import CryptoError
from crypto.identity import Identity
from crypto.package import open_package, read_header_hash
from crypto.source import Source
from tests.bench import synthetic
from tests.vectors.forge import SEED, SIGNER, sealed
from tests.vectors.format import FOLDER, body_of, load


@contextlib.contextmanager
def only(*codes: str) -> Iterator[None]:
    """These errors are answers; everything else is a finding."""
    try:
        yield
    except CryptoError as error:
        if error.code not in codes:
            raise


def header(data: bytes) -> None:
    """The header of an age file."""
    with only("age-header"):
        found = age_header.read(Source(io.BytesIO(data)))
        if not data.startswith(found.raw):
            raise AssertionError("raw is not what was read")
        start = age_header.write(found.stanzas, bytes(16))
        if start[: start.rindex(b"---")] != found.raw[: found.raw.rindex(b"---")]:
            raise AssertionError("a header that is not canonical")
    with only("age-header", "package-header"):
        read_header_hash(io.BytesIO(data))
    with only("age-header", "age-hmac", "age-no-match", "age-payload", "age-armor"):
        age.decrypt(io.BytesIO(data), io.BytesIO(), [age.HybridIdentity(SEED), age.X25519Identity(SEED)])


def armor_(data: bytes) -> None:
    """Armor: one inside has one text."""
    with only("age-armor"):
        reader = armor.reader(Source(io.BytesIO(data)))
        inside = b"".join(iter(lambda: reader.read(100), b""))
        target = io.BytesIO()
        writer = armor.ArmorWriter(target)
        writer.write(inside)
        writer.close()
        text = data.strip(b" \t\r\n").replace(b"\r\n", b"\n") + b"\n"
        if target.getvalue() != text:
            raise AssertionError("armor that is not canonical")


def document_(data: bytes) -> None:
    """A signed document."""
    with only("document-format", "signature"):
        parsed = document.parse(data)
        if parsed.raw != data or len(parsed.body) > document.BODY_LIMIT:
            raise AssertionError("not what was read")
        parsed.verify(SIGNER.public)


def card(data: bytes) -> None:
    """A card; then the same bytes as the body of one that is properly signed."""
    with only("card-format", "card-signature"):
        identity.read_card(data)
    if len(data) <= identity.CARD_LIMIT:
        with only("card-format", "card-signature"):
            read = identity.read_card(document.sign("card", data, SIGNER))
            if read.signing != SIGNER.public:
                raise AssertionError("a card by another key")


def rotation_(data: bytes) -> None:
    """A rotation; then the same bytes as the body of one that the old key properly signed."""
    codes = ("rotation-format", "signature", "card-format", "card-signature", "rotation-successor")
    old = Identity(SIGNER, SEED)
    for raw in (data, document.sign("rotation", data, SIGNER) if len(data) < 1 << 20 else b""):
        claimed = rotation.claimed_by(raw)
        with only(*codes):
            read = rotation.read(raw, SIGNER.public, old.fingerprint)
            if read.by != claimed or read.card.fingerprint == old.fingerprint:
                raise AssertionError("another's, or its own successor")


def manifest_(data: bytes) -> None:
    """A manifest: what was read is written so that the same is read."""
    with only("package-manifest"):
        read = manifest.parse(data)
        if manifest.parse(manifest.encode(read)) != read:
            raise AssertionError("read differently the second time")


def slots_(data: bytes) -> None:
    """A slot file. Only cheap ones are opened: the cost itself is bounded, and tested elsewhere."""
    with only("slots-format"):
        found = slots.listed(data)
        if all(slot.cost is None or slot.cost.memory * slot.cost.passes <= 1024 for slot in found):
            with only("wrong-passphrase", "slots-changed", "slot-needs-device"):
                slots.open(data, "correct horse")
    with only("recovery-format"):
        recovery.read(data.decode("utf-8", "replace"))


def keys(data: bytes) -> None:
    """The keys part."""
    with only("keys-format"):
        if keys_part.encode(keys_part.decode(data)) != data:
            raise AssertionError("two forms of one part")


def files_(data: bytes) -> None:
    """The files part of a package: what the attachments in it are, and the labels that their names become."""
    with contextlib.suppress(ValueError):
        for line in files.read(data):
            name = filenames.safe(line.name)
            if filenames.safe(name) != name or not 0 < len(name.encode()) <= filenames.NAME_BYTES:
                raise AssertionError("not a label")
            if set(name) & set("/\\\0") or name in (".", ".."):
                raise AssertionError("a path")


def frame(data: bytes) -> None:
    """A zstd frame: what the outline calls whole, and no more, is what the library decodes."""
    import zstandard

    outline = zstd_frame.Outline()
    with only("package-part"):
        outline.feed(data)
    with contextlib.suppress(zstandard.ZstdError):
        decoder = zstandard.ZstdDecompressor(max_window_size=zstd_frame.WINDOW_LIMIT).stream_reader(
            io.BytesIO(data)
        )
        for _ in range(64):
            if not decoder.read(65536):
                break


def inside(data: bytes) -> None:
    """The plaintext of a package, as if its signature had verified: so the signer is the hostile one."""
    stanza = age.HybridRecipient(_PUBLIC).wrap(_FILE_KEY)
    raw = age_header.write([stanza], _FILE_KEY) + sealed(data)
    with only("package-format", "package-manifest"):
        opened = open_package(io.BytesIO(raw), [("ours", SEED)])
        with only("package-signature", "package-header"):
            opened.verify(SIGNER.public)
        opened._verified = True
        with only("package-part", "package-padding"):
            for part, file in opened.parts():
                size = 0
                while piece := file.read(65536):
                    size += len(piece)
                if size != part.size:
                    raise AssertionError("a part of another size than its own")


def _card_bodies() -> list[bytes]:
    found = []
    for raw in seeds(("card",)):
        with contextlib.suppress(CryptoError):
            found.append(document.parse(raw).body)
    return found


def _rotation_bodies() -> list[bytes]:
    found = []
    for raw in seeds(("rotation",)):
        with contextlib.suppress(CryptoError):
            found.append(document.parse(raw).body)
    return found


def seeds(kinds: tuple[str, ...]) -> list[bytes]:
    """Bodies of the vectors of some kinds, to start from."""
    return [body_of(v) for v in map(load, sorted(FOLDER.iterdir())) if v.one("kind") in kinds]


def _manifests() -> list[bytes]:
    return [body[3373:] for body in seeds(("manifest",))]


def _insides() -> list[bytes]:
    import zlib

    vectors = [v for v in map(load, sorted(FOLDER.iterdir())) if "payload" in v.fields]
    return [zlib.decompress(v.body[v.body.index(b"\n", v.body.index(b"\n--- ") + 1) + 1 :]) for v in vectors]


def _file_lines() -> list[bytes]:
    names = ("notes.txt", "../x", "a\0b", "\u202etxt.exe", "CON", "x" * 300, "تقرير.pdf", "")
    lines = [
        files.Line("report--00000001-0000-4000-8000-000000000000", n, 5, "ab" * 32, False) for n in names
    ]
    return [b"".join(msgspec.json.encode(line) + b"\n" for line in lines[: i + 1]) for i in range(len(lines))]


def _frames() -> list[bytes]:
    import zstandard

    return [
        zstandard.ZstdCompressor(level=1).compress(raw) for raw in (b"", b"x" * 1000, *seeds(("card",))[:5])
    ]


def _armored() -> list[bytes]:
    found = []
    for raw in seeds(("card", "slots")):
        target = io.BytesIO()
        writer = armor.ArmorWriter(target)
        writer.write(raw[:200])
        writer.close()
        found.append(target.getvalue())
    return found


def bundle_(data: bytes) -> None:
    """A STIX bundle, 2.1 or 2.0, as the reading process takes it apart."""
    try:
        found = list(stix20.converted(reading.read_chunks([data], take_old=True)))
    except Refused as refused:
        if refused.code not in MESSAGES:
            raise AssertionError(refused.code) from refused
        return
    for one in found:
        if isinstance(one, reading.Fault):
            if one.code not in MESSAGES:
                raise AssertionError(one.code)
            continue
        if strict(one.raw) != (one.raw, one.value) or json.loads(one.raw) != one.value:
            raise AssertionError("a text that is not what was read")
        ready = prepare(one)
        if (ready.raw, ready.id, ready.type) != (one.raw, one.value["id"], one.value["type"]):
            raise AssertionError("another object")


def _bundles() -> list[bytes]:
    few = list(synthetic.values(400))[::9]
    whole = [
        orjson.dumps({"type": "bundle", "id": "bundle--1", "objects": few[n : n + 4]})
        for n in range(0, 40, 4)
    ]
    old = {
        "type": "observed-data",
        "id": "observed-data--00000001-0000-4000-8000-000000000000",
        "first_observed": "2026-01-01T00:00:00Z",
        "last_observed": "2026-01-01T00:00:00Z",
        "number_observed": 1,
        "objects": {"0": {"type": "file", "name": "x"}, "1": {"type": "url", "value": "http://a.example"}},
    }
    numbers = b'{"type":"x-a","id":"x-a--00000001-0000-4000-8000-000000000000","n":[1.5,-0,9007199254740993.0,1e300]}'
    return [*whole, orjson.dumps({"type": "bundle", "spec_version": "2.0", "objects": [old]}), numbers]


_FILE_KEY = bytes(range(200, 216))
_PUBLIC = age.HybridIdentity(SEED).recipient.public

TARGETS: dict[str, tuple[Callable[[bytes], None], Callable[[], list[bytes]]]] = {
    "header": (header, lambda: seeds(("package",))),
    "armor": (armor_, _armored),
    "document": (document_, lambda: seeds(("document",))),
    "card": (card, lambda: seeds(("card",)) + _card_bodies()),
    "rotation": (rotation_, lambda: seeds(("rotation",)) + _rotation_bodies()),
    "manifest": (manifest_, _manifests),
    "slots": (slots_, lambda: seeds(("slots",))),
    "keys": (keys, lambda: seeds(("keys",))),
    "frame": (frame, _frames),
    "inside": (inside, _insides),
    "files": (files_, _file_lines),
    "bundle": (bundle_, _bundles),
}
"""Name: (the target, what to start from)."""

JSON_TARGETS = ("files", "bundle", "manifest", "slots", "card", "rotation")
"""Those that read JSON, and are worth mutating as such."""
