"""Key slots: every way in works, no other does, and an edited file is noticed."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto import recovery, slots
from crypto.errors import CryptoError
from crypto.slots import Cost

CHEAP = Cost(passes=1, memory=8)
KEY = bytes(range(32))
DEVICE = bytes(range(50, 82))
RAW = slots.create(KEY, "correct horse", CHEAP, "Amal")


def code(call: Callable[[], object]) -> str:
    with pytest.raises(CryptoError) as caught:
        call()
    return caught.value.code


def edited(raw: bytes, **changes: Any) -> bytes:
    """The file with fields of its first slot changed."""
    file = json.loads(raw)
    file["slots"][0].update(changes)
    return json.dumps(file).encode()


def test_a_passphrase_opens_its_slot() -> None:
    assert slots.open(RAW, "correct horse") == KEY
    assert code(lambda: slots.open(RAW, "Correct horse")) == "wrong-passphrase"
    assert code(lambda: slots.open(RAW, "")) == "wrong-passphrase"
    assert slots.listed(RAW) == (slots.Slot(1, "passphrase", "Amal", CHEAP),)


def test_a_passphrase_is_the_same_in_every_unicode_form() -> None:
    raw = slots.create(KEY, "cafe\u0301 ﻼ", CHEAP)
    assert slots.open(raw, "caf\u00e9 لا") == KEY


def test_two_files_of_the_same_share_nothing() -> None:
    again = json.loads(slots.create(KEY, "correct horse", CHEAP, "Amal"))["slots"][0]
    first = json.loads(RAW)["slots"][0]
    assert again["salt"] != first["salt"]
    assert again["wrapped"] != first["wrapped"]


def test_more_slots() -> None:
    raw = slots.add(RAW, KEY, "battery staple", cost=CHEAP, label="Basma")
    raw = slots.add(raw, KEY, "with device", device_secret=DEVICE, cost=CHEAP)
    for passphrase in ("correct horse", "battery staple"):
        assert slots.open(raw, passphrase) == KEY
        assert slots.open(raw, passphrase, DEVICE) == KEY
    assert slots.open(raw, "with device", DEVICE) == KEY
    assert code(lambda: slots.open(raw, "with device")) == "wrong-passphrase"
    assert code(lambda: slots.open(raw, "with device", bytes(32))) == "wrong-passphrase"
    assert [slot.kind for slot in slots.listed(raw)] == ["passphrase", "passphrase", "passphrase+device"]
    # What needs a keyring may be lost with its machine: it does not stay alone.
    one = slots.remove(raw, KEY, 1)
    assert code(lambda: slots.remove(one, KEY, 2)) == "slot-last-free"
    assert code(lambda: slots.rekey(raw, KEY, bytes(32), "with device", DEVICE)) == "slot-last-free"
    with_kit, _words = slots.add_recovery(one, KEY)
    assert [s.kind for s in slots.listed(slots.remove(with_kit, KEY, 2))] == ["passphrase+device", "recovery"]
    only = slots.only(raw, KEY, slots.marks(raw) - slots.marks(slots.remove(raw, KEY, 3)))
    assert code(lambda: slots.open(only, "with device")) == "slot-needs-device"
    assert slots.open(only, "with device", DEVICE) == KEY


def test_keeping_some_alone() -> None:
    raw = slots.add(RAW, KEY, "battery staple", cost=CHEAP)
    newer = slots.remove(slots.add(raw, KEY, "third one", cost=CHEAP), KEY, 1)
    rest = slots.only(raw, KEY, slots.marks(newer))
    assert slots.open(rest, "battery staple") == KEY
    assert code(lambda: slots.open(rest, "correct horse")) == "wrong-passphrase"
    assert len(slots.marks(raw) | slots.marks(newer)) == 3
    assert code(lambda: slots.only(raw, KEY, ())) == "slot-unknown"
    assert code(lambda: slots.only(raw, bytes(32), slots.marks(raw))) == "slots-changed"


def test_removing() -> None:
    raw = slots.add(RAW, KEY, "battery staple", cost=CHEAP)
    rest = slots.remove(raw, KEY, 1)
    assert code(lambda: slots.open(rest, "correct horse")) == "wrong-passphrase"
    assert slots.open(rest, "battery staple") == KEY
    assert code(lambda: slots.remove(rest, KEY, 1)) == "slot-unknown"
    assert code(lambda: slots.remove(rest, KEY, 2)) == "slot-last"
    kit, _ = slots.add_recovery(rest, KEY)
    assert code(lambda: slots.remove(kit, KEY, 2)) == "slot-last"


def test_a_number_is_never_used_again() -> None:
    raw = slots.add(RAW, KEY, "second", cost=CHEAP)
    raw = slots.add(slots.remove(raw, KEY, 2), KEY, "third", cost=CHEAP)
    assert [slot.id for slot in slots.listed(raw)] == [1, 3]


def test_recovery_words() -> None:
    raw, words = slots.add_recovery(RAW, KEY, "safe")
    assert len(words) == recovery.WORDS
    assert slots.open_recovery(raw, " ".join(words)) == KEY
    assert slots.open_recovery(raw, "\n".join(words).upper()) == KEY
    assert code(lambda: slots.open_recovery(RAW, " ".join(words))) == "wrong-passphrase"
    assert code(lambda: slots.open_recovery(raw, " ".join(words[1:]))) == "recovery-format"
    other = recovery.write(bytes(24))
    assert code(lambda: slots.open_recovery(raw, " ".join(other))) == "wrong-passphrase"
    assert slots.open(raw, "correct horse") == KEY


def test_rekey() -> None:
    new = bytes(32)
    raw = slots.add(RAW, KEY, "battery staple", cost=CHEAP, label="Basma")
    fresh = slots.rekey(raw, KEY, new, "battery staple")
    assert slots.open(fresh, "battery staple") == new
    assert slots.listed(fresh) == (slots.Slot(2, "passphrase", "Basma", CHEAP),)
    assert code(lambda: slots.open(fresh, "correct horse")) == "wrong-passphrase"
    assert code(lambda: slots.rekey(raw, KEY, new, "neither")) == "wrong-passphrase"


def test_changes_need_the_key_of_this_file() -> None:
    other = bytes(32)
    calls: list[Callable[[], object]] = [
        lambda: slots.add(RAW, other, "x", cost=CHEAP),
        lambda: slots.add_recovery(RAW, other),
        lambda: slots.remove(RAW, other, 1),
        lambda: slots.rekey(RAW, other, KEY, "correct horse"),
    ]
    assert {code(call) for call in calls} == {"slots-changed"}


def test_an_edited_file_is_noticed() -> None:
    two = slots.add(RAW, KEY, "battery staple", cost=CHEAP, label="Basma")
    file = json.loads(two)
    file["slots"].pop()
    assert code(lambda: slots.open(json.dumps(file).encode(), "correct horse")) == "slots-changed"
    relabelled = two.replace(b"Basma", b"Mallo")
    assert code(lambda: slots.open(relabelled, "correct horse")) == "slots-changed"
    assert code(lambda: slots.open(relabelled, "battery staple")) == "wrong-passphrase"
    later = two.replace(b'"next":3', b'"next":4')
    assert code(lambda: slots.open(later, "correct horse")) == "slots-changed"
    foreign = json.loads(slots.create(bytes(32), "mallory", CHEAP))["slots"][0]
    file = json.loads(RAW)
    file["slots"].append({**foreign, "id": 2})
    file["next"] = 3
    for passphrase in ("correct horse", "mallory"):
        planted = json.dumps(file).encode()
        assert code(lambda planted=planted, p=passphrase: slots.open(planted, p)) in (
            "slots-changed",
            "wrong-passphrase",
        )


def test_every_field_of_a_slot_is_bound() -> None:
    for change in ({"id": 1, "label": "Amam"}, {"salt": "00" * 16}, {"memory": 9}, {"passes": 2}):
        assert (
            code(lambda change=change: slots.open(edited(RAW, **change), "correct horse"))
            == "wrong-passphrase"
        )
    flipped = json.loads(RAW)["slots"][0]["wrapped"]
    flipped = f"{int(flipped[0], 16) ^ 1:x}" + flipped[1:]
    assert code(lambda: slots.open(edited(RAW, wrapped=flipped), "correct horse")) == "wrong-passphrase"


def test_every_flipped_bit_and_truncation_is_refused() -> None:
    declared = {"slots-format", "slots-changed", "wrong-passphrase", "slot-needs-device"}
    for position in range((len(RAW) - 1) * 8):
        damaged = bytearray(RAW)
        damaged[position // 8] ^= 1 << position % 8
        assert code(lambda damaged=damaged: slots.open(bytes(damaged), "correct horse")) in declared
    for size in range(len(RAW) - 1):
        assert code(lambda size=size: slots.open(RAW[:size], "correct horse")) == "slots-format"


LIMITS: list[tuple[dict[str, Any], bool]] = [
    ({"passes": slots.PASSES_LIMIT, "memory": 8}, True),
    ({"passes": slots.PASSES_LIMIT + 1, "memory": 8}, False),
    ({"passes": 0}, False),
    ({"memory": slots.MEMORY_LEAST}, True),
    ({"memory": slots.MEMORY_LEAST - 1}, False),
    ({"memory": slots.MEMORY_LIMIT, "passes": 4}, True),
    ({"memory": slots.MEMORY_LIMIT + 1, "passes": 1}, False),
    ({"memory": slots.MEMORY_LIMIT, "passes": 5}, False),
    ({"label": "x" * 200}, True),
    ({"label": "x" * 201}, False),
    ({"label": "a\u202eb"}, False),
    ({"label": "a\nb"}, False),
    ({"id": 0}, False),
    ({"id": 2}, False),
    ({"id": True}, False),
    ({"kind": "none"}, False),
    ({"kind": "recovery"}, False),
    ({"kind": "recovery", "passes": 0, "memory": 0}, True),
    ({"salt": "00" * 15}, False),
    ({"salt": "00" * 17}, False),
    ({"salt": "0A" * 16}, False),
    ({"wrapped": "00" * 47}, False),
    ({"wrapped": "00" * 49}, False),
    ({"memory": 8.0}, False),
    ({"memory": "8"}, False),
    ({"memory": None}, False),
    ({"extra": 1}, False),
]


@pytest.mark.parametrize("changes, good", LIMITS)
def test_limits_are_checked_before_any_work(changes: dict[str, Any], good: bool) -> None:
    raw = edited(RAW, **changes)
    if good:
        assert slots.listed(raw)
    else:
        assert code(lambda: slots.listed(raw)) == "slots-format"
        assert code(lambda: slots.open(raw, "correct horse")) == "slots-format"


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{}",
        b"null",
        RAW.replace(b"mithaq-slots-1", b"mithaq-slots-2"),
        RAW.replace(b'"next":2', b'"next":1'),
        RAW.replace(b'"next":2', b'"next":2,"next":2'),
        RAW.replace(b'"mac"', b'"mak"'),
        b"[" * 5000,
        b'\xef\xbb\xbf{"format":1}',
    ],
)
def test_what_is_no_slot_file(raw: bytes) -> None:
    assert code(lambda: slots.listed(raw)) == "slots-format"


def test_file_and_slot_limits() -> None:
    assert slots.listed(RAW + b" " * (slots.FILE_LIMIT - len(RAW)))
    assert code(lambda: slots.listed(RAW + b" " * (slots.FILE_LIMIT + 1 - len(RAW)))) == "slots-format"
    raw = RAW
    for number in range(slots.SLOTS_LIMIT - 1):
        raw = slots.add(raw, KEY, f"passphrase {number}", cost=CHEAP)
    assert slots.open(raw, f"passphrase {slots.SLOTS_LIMIT - 2}") == KEY
    assert code(lambda: slots.add(raw, KEY, "one more", cost=CHEAP)) == "slots-full"
    file = json.loads(raw)
    file["slots"].append({**file["slots"][-1], "id": 17})
    file["next"] = 18
    assert code(lambda: slots.listed(json.dumps(file).encode())) == "slots-format"


def test_passphrase_limit() -> None:
    longest = "p" * slots.PASSPHRASE_LIMIT
    assert slots.open(slots.create(KEY, longest, CHEAP), longest) == KEY
    assert code(lambda: slots.create(KEY, longest + "p", CHEAP)) == "wrong-passphrase"


def test_too_little_memory_is_an_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    from nacl.pwhash import argon2id

    def none(*_: object, **__: object) -> bytes:
        raise MemoryError

    monkeypatch.setattr(argon2id, "kdf", none)
    assert code(lambda: slots.open(RAW, "correct horse")) == "kdf-memory"


def test_lengths_of_keys() -> None:
    with pytest.raises(ValueError, match="32"):
        slots.create(KEY[:-1], "x", CHEAP)
    with pytest.raises(ValueError, match="32"):
        slots.open(RAW, "x", b"short")


def test_bad_cost_or_label_is_not_written() -> None:
    assert code(lambda: slots.create(KEY, "x", Cost(17, 8))) == "slots-format"
    assert code(lambda: slots.create(KEY, "x", CHEAP, "a\nb")) == "slots-format"


# Words


@given(st.binary(min_size=24, max_size=24))
def test_words_are_read_back(secret: bytes) -> None:
    words = recovery.write(secret)
    assert all(len(word) == 5 for word in words)
    assert recovery.read(" ".join(words)) == secret
    assert recovery.read("-".join(words).upper()) == secret


def test_text_limit() -> None:
    text = " ".join(recovery.write(bytes(24)))
    assert recovery.read(text.ljust(recovery.TEXT_LIMIT)) == bytes(24)
    assert code(lambda: recovery.read(text.ljust(recovery.TEXT_LIMIT + 1))) == "recovery-format"


def test_a_secret_is_24_bytes() -> None:
    with pytest.raises(ValueError, match="24"):
        recovery.write(bytes(23))


def test_every_wrong_word_and_every_swap_is_noticed() -> None:
    words = list(recovery.write(bytes(range(24))))
    for i in range(len(words)):
        for j in range(i):
            swapped = words.copy()
            swapped[i], swapped[j] = swapped[j], swapped[i]
            assert code(lambda swapped=swapped: recovery.read(" ".join(swapped))) == "recovery-format"
        for place in range(5):
            for letter in "bdfghjklmnprstvzaioueqwxyc":
                if letter != words[i][place]:
                    wrong = words.copy()
                    wrong[i] = words[i][:place] + letter + words[i][place + 1 :]
                    assert code(lambda wrong=wrong: recovery.read(" ".join(wrong))) == "recovery-format"


@pytest.mark.parametrize(
    "text", ["", "babab", "x" * 2000, " ".join(["babab"] * 15), " ".join(["babab"] * 14), "é" * 70]
)
def test_what_is_no_recovery_kit(text: str) -> None:
    assert code(lambda: recovery.read(text)) == "recovery-format"
