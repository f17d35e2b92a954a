"""Attachments leave with their object only, wait encrypted in the inbox, enter with accept and are gone with reject."""

from __future__ import annotations

import hashlib
import json
import os
import secrets

import pytest

from app.exchange import deciding, files, inbox, outbox, releases
from app.exchange.releases import Wish
from app.holdings import attachments, handling
from app.intel.marking import Level
from app.jobs import quiet
from app.messages import Refused
from app.store import attachments as store
from tests.support.sites import (
    RED,
    agreed,
    beside,
    bundle,
    indicator,
    part,
    problems,
    receive,
    release,
    take,
    thing,
)

ONE, TWO = indicator(1), indicator(2)


def put(site, to, raw=None, name="notes.txt", sample=None):
    path = site.home.parent / f"source-{secrets.token_hex(4)}"
    path.write_bytes(os.urandom(100) if raw is None else raw)
    return attachments.attach(site, path, to["id"], name, sample, quiet())


def held(site, to) -> dict[str, bytes]:
    found = attachments.listed(site, to["id"])
    return {one.name: b"".join(attachments._pieces(site, one, quiet())) for one in found}


def kept(site) -> int:
    return len(list(site.attachments.iterdir()))


def leaving(site, to, *ids, **wish) -> set[str]:
    decision = releases.check(site, to, Wish(ids or None, **wish), quiet())
    return {one.name for one in decision.attachments}


def refused(code, work, *arguments):
    with pytest.raises(Refused) as caught:
        work(*arguments)
    assert caught.value.code == code


# Leaving ----------------------------------------------------------------------------------------------------


def test_an_attachment_travels_with_its_object(met):
    take(met.alpha, ONE, TWO)
    raw = os.urandom(3 << 20)
    put(met.alpha, ONE, raw, "big.bin")
    put(met.alpha, ONE, b"text " * 1000, "text.txt")
    put(met.alpha, TWO, b"", "empty")
    assert leaving(met.alpha, "beta") == {"big.bin", "text.txt", "empty"}
    got = receive(met.beta, release(met.alpha, "beta").package.path)
    assert got.failed == ()
    assert got.parts.count("attachment") == 3
    # They wait, encrypted, and are not held.
    waiting = inbox.review(met.beta, got.number, quiet()).attachments
    assert [one.name for one in waiting] == ["big.bin", "text.txt", "empty"]
    assert kept(met.beta) == 3
    assert not any(raw[:64] in path.read_bytes() for path in met.beta.home.rglob("*") if path.is_file())
    refused("object-unknown", attachments.listed, met.beta, ONE["id"])
    assert problems(met.beta) == []
    deciding.accept(met.beta, got.number, None, quiet())
    assert held(met.beta, ONE) == {"big.bin": raw, "text.txt": b"text " * 1000}
    assert held(met.beta, TWO) == {"empty": b""}
    assert problems(met.beta) == []


def test_it_leaves_with_its_own_object_only(met):
    take(met.alpha, ONE, indicator(2, RED), TWO | {"id": indicator(3)["id"]})
    put(met.alpha, ONE, name="one")
    put(met.alpha, indicator(2), name="two")
    assert leaving(met.alpha, "beta", ONE["id"]) == {"one"}
    assert leaving(met.alpha, "beta", indicator(3)["id"]) == set()
    # The second is RED: it is held back, and what belongs to it.
    assert leaving(met.alpha, "beta") == {"one"}


def test_what_was_shown_is_what_leaves(met):
    take(met.alpha, ONE)
    put(met.alpha, ONE, name="first")
    wish = Wish(None)
    shown = releases.check(met.alpha, "beta", wish, quiet())
    put(met.alpha, ONE, name="second")
    refused("decision-changed", releases.release, met.alpha, "beta", wish, beside(met.alpha), quiet(), shown)


def test_new_gives_what_they_do_not_have(met):
    take(met.alpha, ONE)
    put(met.alpha, ONE, name="first")
    release(met.alpha, "beta")
    assert leaving(met.alpha, "beta", new_only=True) == set()
    put(met.alpha, ONE, name="second")
    assert leaving(met.alpha, "beta", new_only=True) == {"second"}
    assert leaving(met.alpha, "beta") == {"first", "second"}


def test_several_versions_carry_it_once(met):
    take(met.alpha, ONE)
    take(met.alpha, ONE | {"modified": "2026-02-01T00:00:00.000Z", "name": "later"})
    put(met.alpha, ONE, name="once")
    path = release(met.alpha, "beta", every_version=True).package.path
    got = receive(met.beta, path)
    assert (got.objects, got.parts.count("attachment")) == (2, 1)


def test_what_came_from_others_stays_without_their_leave(world):
    alpha, beta, mallory = world.alpha, world.beta, world.mallory
    raw = b"from mallory"
    receive_and_accept(
        alpha, with_files(mallory, alpha, [indicator(1, RED)], [line(indicator(1), raw)], [raw])
    )
    agreed(alpha, beta, ceiling=Level.RED)
    # An object of ours, to which they send an attachment, is no way round.
    take(alpha, indicator(2, RED))
    receive_and_accept(
        alpha, with_files(mallory, alpha, [indicator(2, RED)], [line(indicator(2), raw)], [raw])
    )
    put(alpha, indicator(2), name="ours")
    decision = releases.check(alpha, "beta", Wish(None), quiet())
    assert [one.name for one in decision.attachments if one.giver] == []
    assert {item.id: item.code for item in decision.items}[indicator(1)["id"]].startswith("onward")


def test_it_does_not_go_back_to_whom_it_came_from(met):
    take(met.alpha, ONE)
    put(met.alpha, ONE, name="theirs")
    accept(met.beta, release(met.alpha, "beta").package.path)
    put(met.beta, ONE, name="ours")
    assert leaving(met.beta, "alpha") == {"ours"}


def test_too_many_are_refused(met, monkeypatch):
    monkeypatch.setattr(files, "LIMIT", 1)
    take(met.alpha, ONE)
    put(met.alpha, ONE, name="one")
    release(met.alpha, "beta")
    put(met.alpha, ONE, name="two")
    refused("attachments-too-many", release, met.alpha, "beta")


def test_a_damaged_or_missing_file_seals_nothing(met):
    take(met.alpha, ONE)
    one = put(met.alpha, ONE, os.urandom(200_000))
    path = met.alpha.attachments / one.file
    before = {path.name for path in met.alpha.outbox.iterdir()}
    good = path.read_bytes()
    path.write_bytes(good[:-1] + bytes([good[-1] ^ 1]))
    refused("attachment-altered", release, met.alpha, "beta")
    path.unlink()
    refused("attachment-missing", release, met.alpha, "beta")
    path.write_bytes(good)
    assert {path.name for path in met.alpha.outbox.iterdir()} == before
    assert receive(met.beta, release(met.alpha, "beta").package.path).status == "new"


def test_resent_is_exactly_what_was_sent(met):
    take(met.alpha, ONE)
    put(met.alpha, ONE, b"first", "first")
    lost = release(met.alpha, "beta").package
    put(met.alpha, ONE, b"second", "second")
    again = outbox.resend(met.alpha, "beta", lost.seq, beside(met.alpha), quiet())
    accept(met.beta, again.package.path)
    assert held(met.beta, ONE) == {"first": b"first"}


def test_a_package_with_a_destroyed_attachment_is_not_carried_again(met):
    take(met.alpha, ONE)
    put(met.alpha, ONE, name="gone")
    sealed = release(met.alpha, "beta").package
    attachments.remove(met.alpha, ONE["id"], "gone")
    refused("no-longer-leaves", outbox.carry, met.alpha, "beta", sealed.seq, beside(met.alpha), quiet())


# Coming -----------------------------------------------------------------------------------------------------


def accept(site, path):
    number = receive(site, path).number
    return deciding.accept(site, number, None, quiet())


receive_and_accept = accept


def line(to, raw, name="notes.txt", sample=False, **more):
    return {
        "id": to["id"],
        "name": name,
        "size": len(raw),
        "sha256": hashlib.sha256(raw).hexdigest(),
        "sample": sample,
    } | more


def with_files(rogue, to, objects, lines, raws, first=True, release=None):
    text = b"".join(json.dumps(one).encode() + b"\n" for one in lines)
    parts = [part("files", text), *(part("attachment", raw) for raw in raws)]
    return rogue.package(
        to,
        part("intel", bundle(*objects)),
        *(parts if first else parts[::-1]),
        release=release or secrets.token_bytes(16),
    )


def test_reject_destroys_what_waits(met):
    take(met.alpha, ONE, TWO)
    put(met.alpha, ONE, name="one")
    put(met.alpha, TWO, name="two")
    number = receive(met.beta, release(met.alpha, "beta").package.path).number
    deciding.accept(met.beta, number, [ONE["id"]], quiet())
    assert kept(met.beta) == 2
    deciding.reject(met.beta, number, "no use")
    assert kept(met.beta) == 1
    assert set(held(met.beta, ONE)) == {"one"}
    assert store.waiting(met.beta.database.read(), number) == []
    assert problems(met.beta) == []


def test_an_undone_acceptance_puts_it_back_into_the_inbox(met):
    take(met.alpha, ONE)
    put(met.alpha, ONE, b"raw", name="one")
    number = receive(met.beta, release(met.alpha, "beta").package.path).number
    deciding.accept(met.beta, number, None, quiet())
    deciding.undo(met.beta, number, None, quiet())
    assert [one.name for one in inbox.review(met.beta, number, quiet()).attachments] == ["one"]
    assert problems(met.beta) == []
    deciding.accept(met.beta, number, None, quiet())
    assert held(met.beta, ONE) == {"one": b"raw"}


def test_the_same_content_is_kept_once_and_a_taken_name_gets_a_number(met):
    take(met.alpha, ONE)
    take(met.beta, ONE)
    put(met.alpha, ONE, b"theirs", "notes.txt")
    put(met.alpha, ONE, b"both", "both.txt")
    put(met.beta, ONE, b"ours", "notes.txt")
    put(met.beta, ONE, b"both", "mine.txt")
    accept(met.beta, release(met.alpha, "beta").package.path)
    assert held(met.beta, ONE) == {"notes.txt": b"ours", "notes (2).txt": b"theirs", "mine.txt": b"both"}
    assert kept(met.beta) == 3


def test_a_sender_cannot_say_that_a_sample_is_none(world):
    malware, raw = thing("malware", 1, is_family=False), b"MZ program"
    path = with_files(
        world.mallory, world.alpha, [malware, ONE, TWO],
        [line(malware, b"x"), line(ONE, raw), line(TWO, b"said", sample=True)], [b"x", raw, b"said"],
    )  # fmt: skip
    accept(world.alpha, path)
    for one in (malware, ONE, TWO):
        assert [found.sample for found in attachments.listed(world.alpha, one["id"])] == [True]


def test_hostile_names_become_labels(world):
    names = ["../../../etc/passwd", "/etc/x", "a\0b", "\u202efdp.exe", "CON", "x" * 4096, "", ".", "a/b\\c:d"]
    raws = [name.encode() + bytes([i]) for i, name in enumerate(names)]
    lines = [line(ONE, raw, name) for name, raw in zip(names, raws, strict=True)]
    accept(world.alpha, with_files(world.mallory, world.alpha, [ONE], lines, raws))
    found = held(world.alpha, ONE)
    assert sorted(found.values()) == sorted(raws)
    assert not any(set(name) & set("/\\\0:\u202e") for name in found)
    assert all(
        path.parent == world.alpha.attachments for path in world.alpha.home.rglob("*") if len(path.name) == 32
    )


@pytest.mark.parametrize(
    "lines,code",
    [
        ([], "attachment-unnamed"),
        ([line(ONE, b"other")], "attachment-unnamed"),
        ([line(ONE, b"raw", size=4)], "attachment-unnamed"),
        ([line(indicator(9), b"raw")], "attachment-unowned"),
        ([line(ONE, b"raw", extra=1)], "part-unreadable"),
        ([line(ONE, b"raw", sample="yes")], "part-unreadable"),
    ],
)
def test_what_is_not_told_of_well_is_passed_by(world, lines, code):
    got = receive(world.alpha, with_files(world.mallory, world.alpha, [ONE], lines, [b"raw"]))
    assert code in {found for _, found in got.failed}
    assert (got.status, got.objects) == ("new", 1)
    assert kept(world.alpha) == 0
    assert problems(world.alpha) == []


def test_files_after_the_attachments_come_too_late(world):
    path = with_files(world.mallory, world.alpha, [ONE], [line(ONE, b"raw")], [b"raw"], first=False)
    assert ("attachment", "attachment-unnamed") in receive(world.alpha, path).failed
    assert kept(world.alpha) == 0


def test_a_damaged_package_leaves_no_file_behind(met):
    take(met.alpha, ONE)
    put(met.alpha, ONE, os.urandom(3 << 20))
    path = release(met.alpha, "beta").package.path
    raw = bytearray(path.read_bytes())
    raw[-100_000] ^= 1
    path.write_bytes(raw)
    refused("package-damaged", receive, met.beta, path)
    assert kept(met.beta) == 0
    raw[-100_000] ^= 1
    path.write_bytes(raw)
    assert receive(met.beta, path).failed == ()


def test_what_is_not_shown_is_not_kept(world):
    """A release that entered the inbox before, in another package: its attachments are read over."""
    same = secrets.token_bytes(16)
    for status in ("new", "closed"):
        got = receive(
            world.alpha,
            with_files(world.mallory, world.alpha, [ONE], [line(ONE, b"raw")], [b"raw"], release=same),
        )
        assert got.status == status
        assert kept(world.alpha) == 1


def test_a_raised_level_holds_it_back_too(met):
    take(met.alpha, thing("note", 5, None, content="x", object_refs=[ONE["id"]]), ONE, handling=Level.CLEAR)
    note = thing("note", 5, None)
    put(met.alpha, note, name="minutes")
    assert leaving(met.alpha, "beta") == {"minutes"}
    handling.set_level(met.alpha, note["id"], Level.RED)
    assert leaving(met.alpha, "beta") == set()
