"""Vectors of documents, cards, the keys part and slot files."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator
from typing import Any

from crypto import document, identity, kem, keys_part, recovery, slots
from crypto.composite import SigningKey
from crypto.identity import Identity
from tests.vectors.forge import SEED, SIGNER, SIGNER_SEED, compact
from tests.vectors.format import Vector

OTHER = SigningKey.from_seed(bytes(64))
ME = Identity(SIGNER, SEED)
CREATED = "2026-11-23T12:00:00.000Z"


def framed(kind: bytes, body: bytes, signature: bytes, /, **lengths: int) -> bytes:
    """A document put together by hand."""
    size = lengths.get("body", len(body))
    return b"".join(
        (
            document.MAGIC,
            bytes([lengths.get("kind", len(kind))]),
            kind,
            size.to_bytes(4, "big"),
            body,
            signature,
        )
    )


def documents() -> Iterator[Vector]:
    def vector(name: str, expect: str, comment: str, body: bytes) -> Vector:
        fields = {
            "expect": [expect],
            "kind": ["document"],
            "comment": [comment],
            "signer": [SIGNER_SEED.hex()],
        }
        if expect == "success":
            fields["result"] = [document.parse(body).id.hex()]
        return Vector(f"document_{name}", fields, body)

    def signature(kind: str, body: bytes, key: SigningKey = SIGNER) -> bytes:
        return key.sign(body, f"mithaq/{kind}/v1".encode())

    def signed(name: str, comment: str, kind: str, body: bytes) -> Vector:
        return vector(name, "success", comment, document.sign(kind, body, SIGNER))

    def format_(name: str, comment: str, body: bytes) -> Vector:
        return vector(name, "document-format", comment, body)

    def forged(name: str, comment: str, body: bytes) -> Vector:
        return vector(name, "signature", comment, body)

    body = b'{"by":"amal"}'
    right = signature("receipt", body)
    raw = framed(b"receipt", body, right)
    yield signed("good", "a receipt", "receipt", body)
    yield signed("empty", "a body of no bytes", "receipt", b"")
    yield signed("not_json", "a body is any bytes", "note", bytes(range(256)))
    yield signed("kind_longest", "a kind of 32 letters", "k" * 32, body)
    yield signed("kind_shortest", "a kind of one letter", "k", body)
    yield format_("kind_too_long", "a kind of 33 letters", framed(b"k" * 33, body, signature("k" * 33, body)))
    yield format_("kind_empty", "no kind", framed(b"", body, signature("", body)))
    yield format_(
        "kind_capital", "a capital in the kind", framed(b"Receipt", body, signature("Receipt", body))
    )
    yield format_(
        "kind_digit", "a kind that starts with a digit", framed(b"1st", body, signature("1st", body))
    )
    yield format_(
        "kind_newline", "a kind with a newline", framed(b"receipt\n", body, signature("receipt\n", body))
    )
    manifest = SIGNER.sign(body, b"mithaq/package/v1")
    yield format_(
        "kind_package", "the context of manifests is not for documents", framed(b"package", body, manifest)
    )
    yield format_(
        "kind_utf8", "a kind that is not ASCII", framed("reçu".encode(), body, signature("recu", body))
    )
    yield format_(
        "kind_length",
        "the kind's length reaches beyond the end",
        framed(b"receipt", body, right, kind=255)[:200],
    )
    yield format_("magic", "another magic", raw.replace(b"-1\n", b"-2\n", 1))
    yield format_("magic_only", "a magic and nothing else", document.MAGIC)
    yield format_("nothing", "an empty file", b"")
    yield format_(
        "body_length_less",
        "the body's length is one less",
        framed(b"receipt", body, right, body=len(body) - 1),
    )
    yield format_(
        "body_length_more",
        "the body's length is one more",
        framed(b"receipt", body, right, body=len(body) + 1),
    )
    yield format_("body_length_huge", "a body of 4 GiB", framed(b"receipt", body, right, body=2**32 - 1))
    yield format_("cut", "the last byte is missing", raw[:-1])
    yield format_("tail", "a byte after the signature", raw + b"\0")
    yield format_("no_signature", "no signature", framed(b"receipt", body, b""))
    yield forged(
        "signer", "signed by somebody else", framed(b"receipt", body, signature("receipt", body, OTHER))
    )
    yield forged(
        "kind_changed", "a recall dressed as a receipt", framed(b"receipt", body, signature("recall", body))
    )
    yield forged(
        "body_changed", "the body was edited", framed(b"receipt", body.replace(b"amal", b"omar"), right)
    )
    yield forged(
        "mldsa", "the ML-DSA half is wrong", framed(b"receipt", body, bytes([right[0] ^ 1]) + right[1:])
    )
    yield forged(
        "ed25519", "the Ed25519 half is wrong", framed(b"receipt", body, right[:-1] + bytes([right[-1] ^ 1]))
    )
    half = signature("receipt", body, OTHER)
    yield forged(
        "halves", "the halves are of two signers", framed(b"receipt", body, right[:3309] + half[3309:])
    )
    yield forged("context", "signed without a context", framed(b"receipt", body, SIGNER.sign(body, b"")))


def cards() -> Iterator[Vector]:
    fields = json.loads(document.parse(ME.card("CERT Amal", "JO", CREATED)).body)

    def vector(name: str, expect: str, comment: str, body: bytes) -> Vector:
        head = {"expect": [expect], "kind": ["card"], "comment": [comment]}
        if expect == "success":
            head["result"] = [identity.read_card(body).fingerprint]
        return Vector(f"card_{name}", head, body)

    def signed(body: bytes, kind: str = "card", key: SigningKey = SIGNER) -> bytes:
        return document.sign(kind, body, key)

    def named(name: str, comment: str, text: str) -> Vector:
        return vector(name, "success", comment, ME.card(text, "JO", CREATED))

    def bad(name: str, comment: str, /, **changes: Any) -> Vector:
        return vector(name, "card-format", comment, signed(compact({**fields, **changes})))

    raw = signed(compact(fields))
    yield named("good", "a card", "CERT Amal")
    yield named("arabic", "a name in Arabic", "فريق الاستجابة")
    yield named("joiner", "a name that needs a joiner", "تیم\u200cها")
    yield named("longest", "a name of 200 characters", "é" * 200)
    yield bad("name_empty", "no name", name="")
    yield bad("name_too_long", "a name of 201 characters", name="é" * 201)
    yield bad("name_bidi", "a name that reorders its line", name="a\u202eb")
    yield bad("name_isolate", "a bidi isolate in a name", name="a\u2066b")
    yield bad("name_newline", "a name of two lines", name="a\nb")
    yield bad("name_control", "a NUL in a name", name="a\0b")
    yield bad("name_blank", "a blank at the end of a name", name="a ")
    yield bad("name_nfd", "a name that is not NFC", name="e\u0301")
    yield bad("name_private", "a private use character", name="a\ue000")
    yield bad("name_number", "a name that is a number", name=5)
    yield bad("country_lower", "a country in small letters", country="jo")
    yield bad("country_three", "a country of three letters", country="JOR")
    yield bad("country_cyrillic", "letters that only look right", country="ЈО")
    yield bad("created_date", "created is a date only", created="2026-11-23")
    yield bad("created_offset", "created is not in UTC", created="2026-11-23T12:00:00+03:00")
    yield bad("signing_short", "a signing key cut short", signing=fields["signing"][:-4])
    yield bad("signing_newline", "a newline in base64", signing=fields["signing"] + "\n")
    yield bad("kem_short", "a KEM key cut short", kem=fields["kem"][:-4])
    yield bad(
        "kem_low_order",
        "an X25519 key of low order",
        kem=base64.b64encode(ME.kem_public[:1184] + bytes(32)).decode(),
    )
    yield bad(
        "kem_coefficients",
        "an ML-KEM key with coefficients that are too large",
        kem=base64.b64encode(b"\xff" * 1184 + ME.kem_public[1184:]).decode(),
    )
    yield bad("unknown", "an unknown field", colour="green")
    for name in fields:
        body = compact({k: v for k, v in fields.items() if k != name})
        yield vector(f"no_{name}", "card-format", f"{name} is missing", signed(body))
    yield vector(
        "twice", "card-format", "a field twice", signed(compact(fields).replace(b"{", b'{"name":"x",', 1))
    )
    yield vector("kind", "card-format", "signed as a roster", signed(compact(fields), "roster"))
    yield vector("list", "card-format", "a body that is a list", signed(b"[]"))
    yield vector("tail", "card-format", "a byte after it", raw + b"\n")
    yield vector("cut", "card-format", "the last byte is missing", raw[:-1])
    room = identity.CARD_LIMIT - len(raw)
    yield vector("largest", "success", "exactly 16 KiB", signed(compact(fields) + b" " * room))
    yield vector("too_large", "card-format", "16 KiB and a byte", signed(compact(fields) + b" " * (room + 1)))
    yield vector("signer", "card-signature", "signed by another key", signed(compact(fields), key=OTHER))
    swapped = compact({**fields, "kem": base64.b64encode(kem.public(bytes(32))).decode()})
    forged = raw.replace(compact(fields), swapped)
    yield vector("kem_swapped", "card-signature", "the KEM key was replaced on the way", forged)
    yield vector(
        "name_changed", "card-signature", "the name was edited", raw.replace(b"CERT Amal", b"CERT Omar")
    )
    yield vector(
        "relabelled",
        "card-signature",
        "a roster dressed as a card",
        signed(compact(fields), "roster").replace(b"\x06roster", b"\x04card"),
    )


def keys() -> Iterator[Vector]:
    def vector(name: str, expect: str, comment: str, body: bytes) -> Vector:
        fields = {"expect": [expect], "kind": ["keys"], "comment": [comment]}
        if expect == "success":
            fields["result"] = [hashlib.sha256(body).hexdigest()]
        return Vector(f"keys_{name}", fields, body)

    def bad(name: str, comment: str, body: bytes) -> Vector:
        return vector(name, "keys-format", comment, body)

    def number(value: int) -> bytes:
        return value.to_bytes(8, "big")

    key = kem.public(SEED)

    def entry(value: int, kid: int) -> bytes:
        return number(value) + bytes([kid]) * 16 + key

    def part(floor: int, reusable: bytes, *entries: bytes, count: int | None = None) -> bytes:
        how_many = len(entries) if count is None else count
        return keys_part.MAGIC + number(floor) + reusable + how_many.to_bytes(2, "big") + b"".join(entries)

    one, two = entry(4, 1), entry(6, 2)
    yield vector(
        "good", "success", "a reusable key and two one-time keys", part(4, b"\1" + number(1) + key, one, two)
    )
    yield vector("none", "success", "no keys", part(1, b"\0"))
    yield vector("largest", "success", "number 2^53 - 1", part(1, b"\0", entry(2**53 - 1, 1)))
    yield bad("too_large", "number 2^53", part(1, b"\0", entry(2**53, 1)))
    yield bad("zero", "number 0", part(1, b"\0", entry(0, 1)))
    yield bad("floor_zero", "a floor of 0", part(0, b"\0"))
    yield bad("below_floor", "a number below the floor", part(5, b"\0", one))
    yield bad("descending", "numbers descend", part(4, b"\0", two, one))
    yield bad("same_number", "a number twice", part(4, b"\0", one, entry(4, 2)))
    yield bad("same_id", "an id twice", part(4, b"\0", one, entry(6, 1)))
    yield bad("flag", "a flag that is neither 0 nor 1", part(1, b"\2"))
    yield bad("reusable_zero", "a reusable key of number 0", part(1, b"\1" + number(0) + key))
    yield bad("count_less", "the count is one less", part(4, b"\0", one, two, count=1))
    yield bad("count_more", "the count is one more", part(4, b"\0", one, two, count=3))
    yield bad("count_limit", "257 keys announced", part(4, b"\0", one, two, count=257))
    yield bad("cut", "the last byte is missing", part(4, b"\0", one)[:-1])
    yield bad("tail", "a byte after it", part(4, b"\0", one) + b"\0")
    yield bad("magic", "another magic", part(1, b"\0").replace(b"-1\n", b"-2\n"))
    yield bad("nothing", "nothing", b"")


def slot_files() -> Iterator[Vector]:
    cost = slots.Cost(passes=1, memory=8)
    key, device = bytes(range(32)), bytes(range(50, 82))
    one = slots.create(key, "correct horse", cost, "Amal")
    two = slots.add(one, key, "battery staple", cost=cost, label="Basma")
    with_device = slots.add(one, key, "at my desk", device_secret=device, cost=cost)
    kit, words = slots.add_recovery(one, key, "safe")
    only_device = slots.only(with_device, key, slots.marks(with_device) - slots.marks(one))

    def vector(name: str, expect: str, comment: str, body: bytes, **opens: str) -> Vector:
        fields = {"expect": [expect], "kind": ["slots"], "comment": [comment]}
        fields.update({what: [value] for what, value in (opens or {"passphrase": "correct horse"}).items()})
        if expect == "success":
            fields["result"] = [key.hex()]
        return Vector(f"slots_{name}", fields, body)

    def edited(raw: bytes, **changes: Any) -> bytes:
        file = json.loads(raw)
        file["slots"][0].update(changes)
        return compact(file)

    def bad(name: str, comment: str, body: bytes) -> Vector:
        return vector(name, "slots-format", comment, body)

    def field(name: str, comment: str, /, **changes: Any) -> Vector:
        return bad(name, comment, edited(one, **changes))

    yield vector("good", "success", "a passphrase", one)
    yield vector("second", "success", "the second slot", two, passphrase="battery staple")
    yield vector(
        "device",
        "success",
        "a passphrase and a device",
        with_device,
        passphrase="at my desk",
        device=device.hex(),
    )
    yield vector(
        "device_unneeded",
        "success",
        "a device beside a slot that needs none",
        with_device,
        passphrase="correct horse",
        device=device.hex(),
    )
    yield vector("recovery", "success", "the words of a recovery kit", kit, words=" ".join(words))
    yield vector(
        "recovery_capitals", "success", "in capitals, with hyphens", kit, words="-".join(words).upper()
    )
    nfkc = slots.create(key, "cafe\u0301 لا", cost)
    yield vector(
        "nfkc", "success", "a passphrase in another Unicode form", nfkc, passphrase="caf\u00e9 \ufefb"
    )
    yield vector(
        "white_space",
        "success",
        "the MAC is over the fields, not their spelling",
        json.dumps(json.loads(one), indent=1).encode(),
    )
    yield vector("wrong", "wrong-passphrase", "another passphrase", one, passphrase="Correct horse")
    yield vector(
        "device_wrong",
        "wrong-passphrase",
        "another device",
        with_device,
        passphrase="at my desk",
        device=bytes(32).hex(),
    )
    yield vector("device_missing", "slot-needs-device", "no device", only_device, passphrase="at my desk")
    yield vector(
        "recovery_other",
        "wrong-passphrase",
        "the words of another kit",
        kit,
        words=" ".join(recovery.write(bytes(24))),
    )
    yield vector(
        "recovery_checksum",
        "recovery-format",
        "two words changed places",
        kit,
        words=" ".join((words[1], words[0], *words[2:])),
    )
    yield vector("recovery_count", "recovery-format", "a word is missing", kit, words=" ".join(words[1:]))
    yield vector(
        "relabelled", "slots-changed", "a label of another slot was edited", two.replace(b"Basma", b"Mallo")
    )
    yield vector(
        "removed",
        "slots-changed",
        "a slot was taken out",
        compact({**json.loads(two), "slots": json.loads(two)["slots"][:1]}),
    )
    yield vector(
        "next_changed", "slots-changed", "the next number was edited", two.replace(b'"next":3', b'"next":4')
    )
    yield vector(
        "mac", "slots-changed", "the MAC was changed", compact({**json.loads(one), "mac": "00" * 32})
    )
    yield vector(
        "own_label", "wrong-passphrase", "the slot's own label was edited", edited(one, label="Amat")
    )
    yield vector("own_salt", "wrong-passphrase", "the salt was changed", edited(one, salt="00" * 16))
    yield vector("own_cost", "wrong-passphrase", "the cost was lowered", edited(two, passes=2))
    yield vector("own_key", "wrong-passphrase", "the wrapped key was changed", edited(one, wrapped="00" * 48))
    yield field("passes_zero", "no passes", passes=0)
    yield field("passes_limit", "17 passes", passes=17)
    yield field("memory_least", "memory of 7 KiB", memory=7)
    yield field("memory_limit", "memory of 1 GiB and 1 KiB", memory=2**20 + 1)
    yield field("work_limit", "five passes over 1 GiB", memory=2**20, passes=5)
    yield field("id_zero", "a slot numbered 0", id=0)
    yield field("id_next", "a slot numbered like the next", id=2)
    yield field("kind", "an unknown kind", kind="fingerprint")
    yield field("recovery_cost", "a recovery slot with a cost", kind="recovery")
    yield field("salt_short", "a salt of 15 bytes", salt="00" * 15)
    yield field("salt_capitals", "a salt in capitals", salt="AB" * 16)
    yield field("wrapped_short", "a wrapped key of 47 bytes", wrapped="00" * 47)
    yield field("label_bidi", "a label that reorders its line", label="a\u202eb")
    yield field("label_long", "a label of 201 characters", label="x" * 201)
    yield field("slot_unknown", "an unknown field in a slot", colour=1)
    file = json.loads(two)
    yield bad("ids_descending", "slots not in order", compact({**file, "slots": file["slots"][::-1]}))
    yield bad("ids_twice", "a number twice", compact({**file, "slots": [file["slots"][0]] * 2}))
    yield bad("no_slots", "no slots", compact({**file, "slots": []}))
    many = [{**file["slots"][0], "id": i + 1} for i in range(17)]
    yield bad("slots_limit", "17 slots", compact({**file, "slots": many, "next": 18}))
    yield bad("format", "another format", one.replace(b"mithaq-slots-1", b"mithaq-slots-2"))
    yield bad("unknown", "an unknown field", compact({**file, "colour": 1}))
    yield bad("twice", "a field twice", one.replace(b'"next":2', b'"next":2,"next":2'))
    yield bad("fraction", "a number with a fraction", one.replace(b'"passes":1', b'"passes":1.0'))
    yield bad("nothing", "an empty file", b"")
    yield bad("too_large", "16 KiB and a byte", one + b" " * (slots.FILE_LIMIT + 1 - len(one)))


def every() -> Iterator[Vector]:
    """All vectors of documents, cards, keys and slot files."""
    for group in (documents, cards, keys, slot_files):
        yield from group()
