"""age beyond the kit: round trips of every kind, keys as text, armor, limits on each side."""

from __future__ import annotations

import io
import os
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto import age, age_header, age_keys, age_stream, armor, bech32
from crypto.age_header import Stanza
from crypto.errors import CryptoError
from crypto.source import Source
from tests.crypto.samples import OneWay

CHUNK = age_stream.CHUNK
X25519 = age.X25519Identity(bytes(range(32)))
HYBRID = age.HybridIdentity(bytes(range(32)))


def code(call: Callable[[], object]) -> str:
    with pytest.raises(CryptoError) as caught:
        call()
    return caught.value.code


def encrypted(body: bytes, *recipients: age.Recipient, armored: bool = False) -> bytes:
    target = io.BytesIO()
    age.encrypt(io.BytesIO(body), target, recipients, armored=armored)
    return target.getvalue()


def decrypted(raw: bytes, *identities: age.Identity) -> bytes:
    target = io.BytesIO()
    age.decrypt(io.BytesIO(raw), target, identities)
    return target.getvalue()


# Round trips


@pytest.mark.parametrize("armored", [False, True])
@pytest.mark.parametrize("identity", [X25519, HYBRID])
def test_round_trip(identity: age.X25519Identity | age.HybridIdentity, armored: bool) -> None:
    raw = encrypted(b"salam", identity.recipient, armored=armored)
    assert raw.startswith(armor.BEGIN if armored else b"age-encryption.org/v1\n")
    assert decrypted(raw, identity) == b"salam"
    assert (
        code(lambda: decrypted(raw, age.X25519Identity.generate(), age.HybridIdentity.generate()))
        == "age-no-match"
    )


@pytest.mark.parametrize(
    "size", [0, 1, 47, 48, 49, CHUNK - 1, CHUNK, CHUNK + 1, 16 * CHUNK, 16 * CHUNK + 1, 40 * CHUNK]
)
def test_sizes(size: int) -> None:
    body = os.urandom(size)
    raw = encrypted(body, HYBRID.recipient)
    assert decrypted(raw, HYBRID) == body
    assert decrypted(encrypted(body, HYBRID.recipient, armored=True), HYBRID) == body
    chunks = max(-(-size // CHUNK), 1)
    assert len(raw) == len(encrypted(b"", HYBRID.recipient)) + size + (chunks - 1) * 16


def test_sources_and_targets_that_only_stream() -> None:
    body = os.urandom(200_000)
    target = io.BytesIO()
    age.encrypt(OneWay(body, 999), target, [X25519.recipient])
    back = io.BytesIO()
    age.decrypt(OneWay(target.getvalue(), 999), back, [X25519])
    assert back.getvalue() == body


def test_several_recipients() -> None:
    others = [age.X25519Identity.generate() for _ in range(3)]
    raw = encrypted(b"x", *(one.recipient for one in [*others, X25519]))
    assert [decrypted(raw, one) for one in [*others, X25519]] == [b"x"] * 4


def test_passphrase() -> None:
    raw = encrypted(b"x", age.ScryptRecipient("correct horse", work=4))
    assert decrypted(raw, age.ScryptIdentity("correct horse")) == b"x"
    assert code(lambda: decrypted(raw, age.ScryptIdentity("wrong"))) == "age-no-match"
    assert code(lambda: decrypted(raw, X25519)) == "age-no-match"


def test_recipients_that_do_not_go_together() -> None:
    weak = age.ScryptRecipient("p", work=1)
    for mix in ([], [X25519.recipient, HYBRID.recipient], [weak, X25519.recipient], [weak, weak]):
        assert code(lambda mix=mix: encrypted(b"", *mix)) == "age-recipients"


def test_work_is_capped_before_it_is_done() -> None:
    raw = encrypted(b"x", age.ScryptRecipient("p", work=6))
    assert decrypted(raw, age.ScryptIdentity("p", most_work=6)) == b"x"
    assert code(lambda: decrypted(raw, age.ScryptIdentity("p", most_work=5))) == "age-header"
    for work in (0, age_keys.WORK_LIMIT + 1):
        assert code(lambda work=work: encrypted(b"x", age.ScryptRecipient("p", work=work))) == "age-key"
    over = raw.replace(b" 6\n", b" %d\n" % (age_keys.WORK_LIMIT + 1), 1)
    assert code(lambda: decrypted(over, age.ScryptIdentity("p"))) == "age-header"


def test_too_little_memory_is_an_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    def none(*_: object, **__: object) -> bytes:
        raise MemoryError

    raw = encrypted(b"x", age.ScryptRecipient("p", work=2))
    monkeypatch.setattr("hashlib.scrypt", none)
    assert code(lambda: decrypted(raw, age.ScryptIdentity("p"))) == "kdf-memory"


def test_a_low_order_recipient_is_refused() -> None:
    assert code(lambda: encrypted(b"", age.X25519Recipient(bytes(32)))) == "age-key"
    assert (
        code(lambda: encrypted(b"", age.HybridRecipient(HYBRID.recipient.public[:1184] + bytes(32))))
        == "age-key"
    )


# Limits of the header


def header(*stanzas: Stanza) -> bytes:
    return age_header.write(stanzas, bytes(16))


def read(raw: bytes) -> age_header.Header:
    return age_header.read(Source(io.BytesIO(raw)))


def test_stanza_limit() -> None:
    many = [Stanza(("x",), b"")] * age_header.STANZA_LIMIT
    assert len(read(header(*many)).stanzas) == age_header.STANZA_LIMIT
    assert code(lambda: read(header(*many, many[0]))) == "age-header"
    too_many = [X25519.recipient] * (age_header.STANZA_LIMIT + 1)
    assert code(lambda: encrypted(b"", *too_many)) == "age-recipients"


def test_a_header_without_a_stanza() -> None:
    assert code(lambda: read(header())) == "age-header"


def test_line_limit() -> None:
    room = age_header.LINE_LIMIT - len("-> \n")
    assert read(header(Stanza(("x" * room,), b"")))
    assert code(lambda: read(header(Stanza(("x" * (room + 1),), b"")))) == "age-header"


def test_header_limit() -> None:
    lines = age_header.HEADER_LIMIT // 65
    fits = header(Stanza(("x",), bytes(48 * (lines - 2))))
    assert len(fits) <= age_header.HEADER_LIMIT
    assert read(fits)
    over = header(Stanza(("x",), bytes(48 * (lines + 1))))
    assert len(over) > age_header.HEADER_LIMIT
    assert code(lambda: read(over)) == "age-header"


def test_a_header_is_what_was_written_and_its_mac_binds_it() -> None:
    stanzas = (Stanza(("a", "b", "~!"), bytes(100)), Stanza(("x",), b""), Stanza(("y",), bytes(48)))
    found = read(header(*stanzas) + b"payload")
    assert found.stanzas == stanzas
    assert found.raw == header(*stanzas)
    found.check_mac(bytes(16))
    assert code(lambda: found.check_mac(bytes(15) + b"\1")) == "age-hmac"


# Keys as text


def test_published_keys() -> None:
    """The examples of C2SP age.md."""
    identity = age.parse_identity(
        "AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX"
    )
    assert str(identity.recipient) == "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj"
    hybrid = age.parse_identity(
        "AGE-SECRET-KEY-PQ-1XX76JRALNLXDMEW0CRK45QMCCH4X06SE84UN3VPM33W6HWDX0H3SK3ZQFR"
    )
    text = str(hybrid.recipient)
    assert text.startswith(
        "age1pq1x34nzsvr0rxjsgdn8zgyhfe8j7ceq5r9rdelkjuh3y235jzxshfg87pzf5zrqtzdxz95paef6caq5aapdmwjj"
    )
    assert text.endswith("zfnegrm9efhxpfqdkmhh6gjtqmwze9pyyzk3tlhl53k2ykx3qheyty7saeq0d3fzv49zc0k")
    assert len(text) == 1959


@pytest.mark.parametrize(
    "identity", [X25519, HYBRID, age.X25519Identity.generate(), age.HybridIdentity.generate()]
)
def test_text_is_read_back(identity: age.X25519Identity | age.HybridIdentity) -> None:
    assert age.parse_identity(str(identity)) == identity
    assert age.parse_recipient(str(identity.recipient)) == identity.recipient
    raw = age.identity_file(identity, "2026-11-23T12:00:00Z")
    assert age.parse_identity_file(raw) == (identity,)
    assert str(identity.recipient).encode() in raw
    assert str(identity) not in repr(identity)


def test_identity_files() -> None:
    text = f"# a comment\r\n\r\n{X25519}\r\n  \n\t{HYBRID} \n#{X25519}\n"
    assert age.parse_identity_file(text.encode()) == (X25519, HYBRID)
    recipients = f"# mine\n{X25519.recipient}\n{HYBRID.recipient}\n"
    assert age.parse_recipient_file(recipients.encode()) == (X25519.recipient, HYBRID.recipient)
    for bad in (
        b"",
        b"# only\n",
        b"nonsense\n",
        text.encode() + b"x",
        b"\xff",
        str(X25519.recipient).encode(),
    ):
        assert code(lambda bad=bad: age.parse_identity_file(bad)) == "age-key"
    for bad in (b"", str(X25519).encode()):
        assert code(lambda bad=bad: age.parse_recipient_file(bad)) == "age-key"
    room = age_keys.IDENTITY_FILE_LIMIT - len(text)
    assert age.parse_identity_file(text.encode() + b"#" * room)
    assert code(lambda: age.parse_identity_file(text.encode() + b"#" * (room + 1))) == "age-key"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "age1",
        str(X25519.recipient).upper(),
        str(X25519.recipient)[:-1],
        str(X25519.recipient)[:-1] + "?",
        str(X25519.recipient) + " ",
        "A" + str(X25519.recipient)[1:],
        bech32.encode("age", bytes(31)),
        bech32.encode("age", bytes(1216)),
        bech32.encode("age1pq", bytes(32)),
        bech32.encode("age1tag", bytes(33)),
        bech32.encode("bge", bytes(32)),
        str(X25519),
        "age1é" + str(X25519.recipient)[5:],
    ],
)
def test_what_is_no_recipient(text: str) -> None:
    assert code(lambda: age.parse_recipient(text)) == "age-key"


@pytest.mark.parametrize(
    "text",
    [
        "",
        str(X25519).lower(),
        str(X25519)[:-1],
        bech32.encode("age-secret-key-", bytes(31)).upper(),
        bech32.encode("age-secret-key-pq-", bytes(33)).upper(),
        bech32.encode("age-secret-key-xx-", bytes(32)).upper(),
        str(X25519.recipient),
    ],
)
def test_what_is_no_identity(text: str) -> None:
    assert code(lambda: age.parse_identity(text)) == "age-key"


# Bech32


@given(st.from_regex(r"[a-z0-9-]{1,20}", fullmatch=True), st.binary(max_size=100))
def test_bech32_is_read_back(prefix: str, data: bytes) -> None:
    text = bech32.encode(prefix, data)
    assert bech32.decode(text) == (prefix, data)
    assert bech32.decode(text.upper()) == (prefix, data)


def test_bech32_published() -> None:
    """Valid and invalid strings of BIP 173 that hold whole bytes."""
    assert bech32.decode("A12UEL5L") == ("a", b"")
    assert bech32.decode("abcdef1qpzry9x8gf2tvdw0s3jn54khce6mua7lmqqqxw")[0] == "abcdef"
    for bad in (
        "\x201nwldj5",
        "\x7f1axkwrx",
        "pzry9x0s0muk",
        "1pzry9x0s0muk",
        "x1b4n0q5v",
        "li1dgmt3",
        "A1G7SGD8",
        "10a06t8",
    ):
        with pytest.raises(ValueError):  # noqa: PT011 (any reason will do)
            bech32.decode(bad)


def test_bech32_padding() -> None:
    """Whole bytes only, and zeros after them."""
    assert bech32.decode("a1qqqd87cq") == ("a", b"\0")
    for bad in ("a1qpamnt9j", "a1q3g6mn3"):
        with pytest.raises(ValueError):  # noqa: PT011 (any reason will do)
            bech32.decode(bad)


def test_every_single_wrong_letter_is_noticed() -> None:
    text = str(X25519.recipient)
    for place in range(len(text)):
        for letter in "qpzry9x8gf2tvdw0s3jn54khce6mua7l1b":
            if letter != text[place]:
                wrong = text[:place] + letter + text[place + 1 :]
                with pytest.raises(CryptoError):
                    age.parse_recipient(wrong)


# Armor


def test_armor_is_recognised_and_may_have_white_space_around_it() -> None:
    raw = encrypted(b"salam", X25519.recipient, armored=True)
    assert decrypted(b" \t\r\n\n" + raw + b"\n \r\n", X25519) == b"salam"
    assert decrypted(raw.replace(b"\n", b"\r\n"), X25519) == b"salam"
    assert decrypted(raw[:-1], X25519) == b"salam"
    room = armor.WHITE_SPACE_LIMIT
    with pytest.raises(CryptoError) as caught:
        age.decrypt(io.BytesIO(b"\n" * (room + 1) + raw), io.BytesIO(), [X25519], armored=True)
    assert caught.value.code == "age-armor"
    assert decrypted(b"\n" * room + raw + b"\n" * room, X25519) == b"salam"
    for over in (b"\n" * (room + 1) + raw, raw + b"\n" * (room + 1)):
        assert code(lambda over=over: decrypted(over, X25519)) in ("age-armor", "age-header")


def test_every_flipped_bit_of_an_armored_file_is_refused() -> None:
    raw = encrypted(b"salam", X25519.recipient, armored=True)
    for position in range((len(raw) - 1) * 8):
        damaged = bytearray(raw)
        damaged[position // 8] ^= 1 << position % 8
        with pytest.raises(CryptoError):
            decrypted(bytes(damaged), X25519)


@given(st.binary(max_size=400), st.integers(1, 100))
def test_armor_of_any_bytes(body: bytes, step: int) -> None:
    target = io.BytesIO()
    writer = armor.ArmorWriter(target)
    for at in range(0, len(body), step):
        writer.write(body[at : at + step])
    writer.close()
    inside = armor.reader(Source(io.BytesIO(target.getvalue())))
    assert b"".join(iter(lambda: inside.read(step), b"")) == body


# Payload


def test_swapped_and_repeated_chunks_and_a_siblings_chunk() -> None:
    body = os.urandom(3 * CHUNK + 100)
    one, two = encrypted(body, X25519.recipient), encrypted(body, X25519.recipient)
    start = len(one) - (3 * (CHUNK + 16) + 116)
    sealed = [one[start + i * (CHUNK + 16) :][: CHUNK + 16] for i in range(4)]
    sibling = two[start : start + CHUNK + 16]
    head = one[:start]
    for order in (
        [1, 0, 2, 3],
        [0, 0, 1, 2, 3],
        [0, 2, 3],
        [0, 1, 2],
        [0, 1, 3, 2],
        [3, 0, 1, 2],
        [0, 1, 2, 3, 3],
    ):
        damaged = head + b"".join(sealed[i] for i in order)
        assert code(lambda damaged=damaged: decrypted(damaged, X25519)) == "age-payload"
    assert code(lambda: decrypted(head + sibling + b"".join(sealed[1:]), X25519)) == "age-payload"
    assert decrypted(head + b"".join(sealed), X25519) == body


def test_more_after_a_last_chunk_that_ends_a_batch() -> None:
    body = os.urandom(age_stream.BATCH * CHUNK)
    raw = encrypted(body, X25519.recipient)
    target = io.BytesIO()
    assert code(lambda: age.decrypt(io.BytesIO(raw + b"x"), target, [X25519])) == "age-payload"
    assert target.getvalue() == body


def test_nothing_of_a_bad_chunk_is_released() -> None:
    body = os.urandom(20 * CHUNK)
    raw = bytearray(encrypted(body, X25519.recipient))
    start = len(raw) - 20 * (CHUNK + 16)
    for bad in (0, 1, 15, 16, 19):
        damaged = bytearray(raw)
        damaged[start + bad * (CHUNK + 16) + 5] ^= 1
        target = io.BytesIO()
        assert code(lambda d=damaged, t=target: age.decrypt(io.BytesIO(d), t, [X25519])) == "age-payload"
        assert target.getvalue() == body[: bad * CHUNK]
