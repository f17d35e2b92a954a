"""What a verified counterpart may send, and what of it is taken: order, loss, lies, size."""

from __future__ import annotations

import os
import secrets
import tracemalloc

import pytest

from app.exchange import channel as machine
from app.exchange import contents, counterparts, deciding, epochs, inbox, naming, receiving, verification
from app.exchange.contents import FAULT_LIMIT, PART_LIMITS
from app.holdings import browsing
from app.jobs import Cancelled, quiet
from app.messages import Refused
from app.store import counterparts as store
from app.store import packages
from crypto.identity import Identity
from crypto.package import Ack, verify_manifest
from tests.support.sites import (
    RED,
    T0,
    Impatient,
    Rogue,
    accept_all,
    acts,
    bundle,
    channel,
    indicator,
    new_path,
    part,
    peer,
    problems,
    receive,
    release,
    send,
    set_channel,
    state,
    take,
)

NOTE_LIMIT = PART_LIMITS["note"]


def refused(code, act, *arguments):
    with pytest.raises(Refused) as caught:
        act(*arguments)
    assert caught.value.code == code


def held(site):
    return set(browsing.ids(site, browsing.selection()))


def evidence(site):
    return site.database.read().execute("SELECT seq, manifest, signature FROM evidence").fetchall()


# Release ids and void numbers ---------------------------------------------------------------------------------


def resent(world):
    """The original of a release, the notice that voids it, and its resend, all from mallory."""
    rid = secrets.token_bytes(16)
    original = world.mallory.intel(world.alpha, indicator(1), release=rid)
    notice = world.mallory.package(world.alpha, void=((1, 1),))
    again = world.mallory.intel(world.alpha, indicator(1), release=rid, void=((1, 1),))
    return original, notice, again


@pytest.mark.parametrize("order", ["NOA", "NAO", "ANO", "AON"])
def test_a_release_is_shown_once_however_a_void_package_and_its_resend_arrive(world, order):
    original, notice, again = resent(world)
    files = {"O": original, "N": notice, "A": again}
    got = {name: receive(world.alpha, files[name]) for name in order}
    assert got["O"].status == "closed"
    assert got["A"].objects == 1
    assert got["O"].objects == got["N"].objects == 0
    assert [one.objects for one in inbox.listed(world.alpha)] == [1]
    assert channel(world.alpha, "mallory").receiving.upto == 3
    # The void package is remembered: it is never opened twice.
    assert receive(world.alpha, original).status == "duplicate"
    assert problems(world.alpha) == []


@pytest.mark.parametrize("order", ["ONA", "OAN"])
def test_void_after_received_changes_nothing(world, order):
    original, notice, again = resent(world)
    files = {"O": original, "N": notice, "A": again}
    got = {name: receive(world.alpha, files[name]) for name in order}
    assert got["O"].status == "new"
    assert got["O"].objects == 1
    assert ("release", "release-twice") in got["A"].failed
    assert [one.objects for one in inbox.listed(world.alpha)] == [1]
    assert channel(world.alpha, "mallory").receiving.upto == 3


def test_the_acks_of_a_package_whose_release_came_twice_still_count(world):
    rid = secrets.token_bytes(16)
    send(world.alpha, "mallory")
    mine = channel(world.alpha, "mallory").sending
    receive(world.alpha, world.mallory.intel(world.alpha, indicator(1), release=rid))
    ack = Ack(bytes.fromhex(mine.epoch), 1, bytes.fromhex(mine.head), (), (), 0)
    receive(world.alpha, world.mallory.intel(world.alpha, indicator(2), release=rid, ack=ack))
    assert channel(world.alpha, "mallory").sending.packages[1].state == "acked"
    assert held(world.alpha) == set()


def test_one_release_id_of_two_counterparts_is_no_trouble_of_either(world):
    rid = secrets.token_bytes(16)
    first = send(world.beta, "alpha", part("intel", bundle(indicator(1))), release=rid)
    assert receive(world.alpha, world.mallory.intel(world.alpha, indicator(2), release=rid)).objects == 1
    assert receive(world.alpha, first).objects == 1


def test_a_void_range_without_end_costs_nothing(world):
    receive(world.alpha, world.mallory.package(world.alpha))
    got = receive(world.alpha, world.mallory.package(world.alpha, void=((1, 2**53 - 1),)))
    assert got.status == "new"
    receiving = channel(world.alpha, "mallory").receiving
    assert receiving.upto == 2
    assert receiving.void == ()


def test_a_void_range_far_along_costs_nothing():
    far = machine.Receiving(epoch="aa", upto=10**12, hashes={10**12: "h"})
    tracemalloc.start()
    after, _ = machine.received(far, "aa", 10**12 + 2, "i", "j", ((1, 2**53 - 1),))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert after.upto == 10**12 + 2
    assert peak < 1 << 20


# Gaps ---------------------------------------------------------------------------------------------------------


def test_more_gaps_than_a_manifest_can_name_do_not_stop_our_seals(world):
    take(world.alpha, indicator(1))
    holes = {seq: f"{seq:064x}" for seq in range(2, 2 + 2 * 300, 2)}
    set_channel(world.alpha, "beta", receiving={"epoch": "ab" * 16, "hashes": holes})
    assert release(world.alpha, "beta").package.seq == 1


def test_a_gap_is_named_and_closes_when_the_missing_package_comes(world):
    paths = [world.mallory.intel(world.alpha, indicator(n)) for n in range(1, 5)]
    assert receive(world.alpha, paths[0]).status == "new"
    got = receive(world.alpha, paths[3])
    assert (got.status, got.missing) == ("gap", ((2, 3),))
    assert receive(world.alpha, paths[2]).missing == ((2, 2),)
    assert receive(world.alpha, paths[1]).status == "new"
    assert channel(world.alpha, "mallory").receiving.upto == 4


def test_too_far_ahead_is_refused_and_changes_nothing(world):
    receive(world.alpha, world.mallory.package(world.alpha))
    far = world.mallory.package(world.alpha, seq=1 + machine.WINDOW + 1, keep=False)
    near = world.mallory.package(world.alpha, seq=1 + machine.WINDOW, keep=False)
    before = state(world.alpha)
    refused("too-far", receive, world.alpha, far)
    assert state(world.alpha) == before
    assert receive(world.alpha, near).status == "gap"


# Who and what -------------------------------------------------------------------------------------------------


def test_the_same_package_twice_changes_nothing_the_second_time(world):
    path = world.mallory.intel(world.alpha, indicator(1))
    number = receive(world.alpha, path).number
    before = state(world.alpha)
    again = receive(world.alpha, path)
    assert (again.status, again.number) == ("duplicate", number)
    assert state(world.alpha) == before


def test_a_package_that_names_another_sender_is_forged(world):
    path = world.mallory.intel(world.alpha, indicator(1), sender=world.beta.identity.fingerprint)
    before = state(world.alpha)
    refused("package-forged", receive, world.alpha, path)
    assert state(world.alpha) == before


def test_a_package_sealed_to_us_but_meant_for_another_is_not_ours(world):
    before = state(world.alpha)
    path = world.mallory.intel(world.beta, indicator(1), key=world.alpha.identity.kem_public)
    refused("not-for-us", receive, world.alpha, path)
    assert state(world.alpha) == before


def test_a_key_published_to_one_counterpart_does_not_open_for_another(met):
    key = met.alpha.database.read().execute(
        "SELECT public FROM own_key WHERE kind = 'onetime' AND cid = ?", (peer(met.alpha, "beta").cid,)
    )
    path = met.mallory.intel(met.alpha, indicator(1), key=bytes(key.fetchone()[0]))
    before = state(met.alpha)
    refused("package-forged", receive, met.alpha, path)
    assert state(met.alpha) == before


def test_a_package_of_ours_comes_back(world):
    take(world.alpha, indicator(1))
    path = release(world.alpha, "beta").package.path
    before = state(world.alpha)
    refused("reflected", receive, world.alpha, path)
    assert state(world.alpha) == before


def test_only_files_are_opened(world, tmp_path):
    os.mkfifo(tmp_path / "fifo")
    refused("file-unreadable", receive, world.alpha, tmp_path / "fifo")
    refused("file-unreadable", receive, world.alpha, tmp_path)
    refused("file-unreadable", receive, world.alpha, tmp_path / "absent")


def test_a_cancelled_receive_changes_nothing(world):
    path = world.mallory.intel(world.alpha, indicator(1))
    before = state(world.alpha)
    with pytest.raises(Cancelled):
        receiving.receive(world.alpha, path, Impatient("open"))
    assert state(world.alpha) == before
    assert receive(world.alpha, path).status == "new"


# Forks --------------------------------------------------------------------------------------------------------


def test_a_fork_freezes_and_both_signed_manifests_are_kept(world):
    mallory = world.mallory
    pending = receive(world.alpha, mallory.intel(world.alpha, indicator(1))).number
    mallory.seq, mallory.head = 0, None
    second = mallory.intel(world.alpha, indicator(2))
    refused("fork", receive, world.alpha, second)
    first = packages.received_at(world.alpha.database.read(), pending)
    [(seq, manifest, signature)] = evidence(world.alpha)
    assert seq == first.seq == 1
    signing = mallory.identity.signing.public
    told = verify_manifest(bytes(manifest), bytes(signature), signing)
    kept = verify_manifest(first.manifest, first.signature, signing)
    assert told.seq == kept.seq
    assert told != kept
    assert "channel.forked" in acts(world.alpha)
    # Nothing moves on this channel any more, and nothing is lost of what waited.
    refused("channel-frozen", deciding.accept, world.alpha, pending, None, quiet())
    refused("channel-frozen", receive, world.alpha, second)
    refused("channel-frozen", send, world.alpha, "mallory")
    assert [one.objects for one in inbox.listed(world.alpha)] == [1]
    assert len(evidence(world.alpha)) == 1
    assert send(world.alpha, "beta").exists()


@pytest.mark.parametrize("prev", [bytes(32), b"x" * 32])
def test_a_package_that_names_another_one_before_it_is_a_fork(world, prev):
    receive(world.alpha, world.mallory.package(world.alpha))
    refused("fork", receive, world.alpha, world.mallory.package(world.alpha, prev=prev))


def test_a_late_package_that_its_successor_did_not_name_is_a_fork(world):
    receive(world.alpha, world.mallory.package(world.alpha))
    receive(world.alpha, world.mallory.package(world.alpha, seq=3, prev=b"y" * 32))
    refused("fork", receive, world.alpha, world.mallory.package(world.alpha, seq=2))


def test_nothing_is_accepted_from_a_revoked_counterpart(world):
    number = receive(world.alpha, world.mallory.intel(world.alpha, indicator(1))).number
    counterparts.revoke(world.alpha, "mallory")
    before = state(world.alpha)
    refused("counterpart-revoked", deciding.accept, world.alpha, number, None, quiet())
    assert state(world.alpha) == before


def test_another_epoch_is_not_taken(world):
    receive(world.alpha, world.mallory.package(world.alpha))
    before = state(world.alpha)
    refused("epoch-unknown", receive, world.alpha, world.mallory.package(world.alpha, epoch=b"e" * 16))
    assert state(world.alpha) == before


def test_an_epoch_that_cannot_be_read_is_not_taken(world):
    mallory = world.mallory
    receive(world.alpha, mallory.package(world.alpha))
    deep = b'{"a":' + b"[" * 100_000
    parts = [part("statement", mallory.signed("epoch", body)) for body in (b"", b'{"by":"\xff"}', deep)]
    parts.append(mallory.statement("epoch", new="ee" * 16, reason="whim"))
    parts.append(mallory.statement("epoch", new="ff" * 16, reason="forked"))
    before = state(world.alpha)
    path = mallory.package(world.alpha, *parts, seq=1, prev=None, epoch=b"\xee" * 16, keep=False)
    refused("epoch-unknown", receive, world.alpha, path)
    assert state(world.alpha) == before


def test_an_announced_epoch_waits_for_the_officer(world):
    mallory = world.mallory
    receive(world.alpha, mallory.package(world.alpha))
    after = {"epoch": mallory.epoch.hex(), "seq": 1, "hash": "aa" * 32}
    start = mallory.statement("epoch", new="ee" * 16, reason="forked", after=after, peer=None)
    path = mallory.package(world.alpha, start, seq=1, prev=None, epoch=b"\xee" * 16, keep=False)
    refused("epoch-pending", receive, world.alpha, path)
    receiving = channel(world.alpha, "mallory").receiving
    assert receiving.pending.new == "ee" * 16
    assert (receiving.epoch, receiving.upto) == (mallory.epoch.hex(), 1)
    # The old epoch goes on until the officer confirmed the new one.
    assert receive(world.alpha, mallory.package(world.alpha)).status == "new"


# Acks ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("lie", ["beyond", "have beyond", "hash"])
def test_a_false_ack_is_said_and_stops_sealing(world, lie):
    send(world.alpha, "mallory")
    mine = channel(world.alpha, "mallory").sending
    epoch, head = bytes.fromhex(mine.epoch), bytes.fromhex(mine.head)
    ack = {
        "beyond": Ack(epoch, 77, b"h" * 32, (), (), 0),
        "have beyond": Ack(epoch, 1, head, ((3, 9),), (), 0),
        "hash": Ack(epoch, 1, b"h" * 32, (), (), 0),
    }[lie]
    got = receive(world.alpha, world.mallory.package(world.alpha, ack=ack))
    assert ("ack", "channel-claimed") in got.failed
    # The signed claim is kept, and nothing was moved by it.
    assert packages.received_at(world.alpha.database.read(), got.number).manifest
    assert channel(world.alpha, "mallory").sending.packages[1].state == "handed"
    refused("channel-claimed", send, world.alpha, "mallory")


def test_an_ack_of_an_epoch_that_is_not_ours_says_nothing(world):
    send(world.alpha, "mallory")
    got = receive(
        world.alpha, world.mallory.package(world.alpha, ack=Ack(b"z" * 16, 1, b"h" * 32, (), (), 0))
    )
    assert not got.failed
    assert channel(world.alpha, "mallory").sending.packages[1].state == "handed"


# Parts --------------------------------------------------------------------------------------------------------


def test_a_statement_nested_without_end_is_named_and_the_package_taken(world):
    depth = 100_000
    deep = world.mallory.signed("receipt", b'{"a":' + b"[" * depth + b"]" * depth + b"}")
    got = receive(
        world.alpha,
        world.mallory.package(
            world.alpha,
            part("statement", deep),
            part("intel", bundle(indicator(1))),
            release=b"r" * 16,
        ),
    )
    assert got.status == "new"
    assert got.objects == 1
    assert got.failed == (("statement", "document-format"),)


def test_intel_and_handling_nested_without_end_are_named(world):
    depth = 100_000
    deep = b'{"type":"bundle","objects":[{"a":' + b"[" * depth + b"]" * depth + b"}]}"
    lines = b'{"id":' + b"[" * depth + b"]" * depth + b"}\n"
    got = receive(
        world.alpha,
        world.mallory.package(world.alpha, part("intel", deep), part("handling", lines), release=b"r" * 16),
    )
    assert got.status == "new"
    assert got.objects == 0
    assert {where for where, _ in got.failed} >= {"handling"}
    assert problems(world.alpha) == []


@pytest.mark.parametrize("kind", ["receipt", "release"])
@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"null", b'"x"', b"{", b'{"by":"\xff"}', b"{}", b'{"by":1}', b'{"by":"' + b"0" * 64 + b'"}'],
)
def test_a_statement_that_is_none_is_named(world, kind, body):
    raw = world.mallory.signed(kind, body)
    got = receive(world.alpha, world.mallory.package(world.alpha, part("statement", raw)))
    assert got.failed == (("statement", "document-format"),)


def test_a_statement_of_an_unknown_kind_or_by_another_is_named(world):
    mallory = world.mallory
    other = mallory.signed("oath", b'{"by":"%s"}' % mallory.fingerprint.encode())
    forged = bytearray(mallory.signed("receipt", b'{"by":"%s"}' % mallory.fingerprint.encode()))
    forged[-1] ^= 1
    got = receive(
        world.alpha,
        mallory.package(
            world.alpha, part("statement", other), part("statement", bytes(forged)), part("statement", b"")
        ),
    )
    assert [code for _, code in got.failed] == ["document-format", "signature", "document-format"]
    assert world.alpha.database.read().execute("SELECT count(*) FROM statement").fetchone() == (0,)


def test_a_part_of_unknown_type_fails_alone(world):
    got = receive(
        world.alpha,
        world.mallory.package(
            world.alpha, part("hologram", b"x"), part("intel", bundle(indicator(1))), release=b"r" * 16
        ),
    )
    assert got.failed == (("hologram", "newer-format"),)
    assert got.parts == ("hologram", "intel")
    assert got.objects == 1


@pytest.mark.parametrize("size, kept", [(NOTE_LIMIT, True), (NOTE_LIMIT + 1, False)])
def test_a_note_has_a_limit(world, size, kept):
    path = world.mallory.package(
        world.alpha,
        part("note", b"x" * size, "zstd"),
        part("intel", bundle(indicator(1))),
        release=b"r" * 16,
    )
    got = receive(world.alpha, path)
    assert got.failed == (() if kept else (("note", "part-too-large"),))
    assert [len(one.note) for one in inbox.listed(world.alpha)] == [size if kept else 0]


@pytest.mark.parametrize("kind", ["keys", "statement"])
def test_small_parts_have_a_limit(world, kind):
    path = world.mallory.package(world.alpha, part(kind, bytes(PART_LIMITS[kind] + 1), "zstd"))
    assert receive(world.alpha, path).failed == ((kind, "part-too-large"),)


@pytest.mark.parametrize("kind", ["note", "handling", "keys"])
def test_a_part_that_may_come_once_is_taken_once(world, kind):
    first = {"note": b"one", "handling": b"", "keys": b""}[kind]
    path = world.mallory.package(
        world.alpha,
        part(kind, first),
        part(kind, b"two"),
        part("intel", bundle(indicator(1))),
        release=b"r" * 16,
    )
    got = receive(world.alpha, path)
    assert (kind, "part-repeated") in got.failed
    if kind == "note":
        assert inbox.listed(world.alpha)[0].note == "one"


def test_a_note_that_is_not_text_is_named(world):
    got = receive(world.alpha, world.mallory.package(world.alpha, part("note", b"\xff\xfe")))
    assert got.failed == (("note", "part-unreadable"),)


def test_objects_that_cannot_be_read_are_counted_as_refused_where_they_stood(world):
    objects = (indicator(1), indicator(2, created="yesterday"), {"type": "indicator"}, indicator(3))
    got = receive(world.alpha, world.mallory.intel(world.alpha, *objects))
    assert got.objects == 2
    assert len(got.failed) == 2
    waiting = packages.waiting(world.alpha.database.read(), got.number)
    assert [w.decision for w in waiting] == ["pending", "refused", "refused", "pending"]
    review = inbox.review(world.alpha, got.number, quiet())
    assert [one.position for one in review.objects] == [0, 3]
    decided = deciding.accept(world.alpha, got.number, None, quiet())
    assert (decided.accepted, decided.rejected, decided.pending) == (2, 2, 0)


def test_faults_without_end_are_cut_off(world):
    bad = b'{"type":"bundle","objects":[' + b",".join([b"{}"] * (FAULT_LIMIT + 100)) + b"]}"
    got = receive(
        world.alpha, world.mallory.package(world.alpha, part("intel", bad, "zstd"), release=b"r" * 16)
    )
    assert got.failed[-1] == ("intel", "too-many-objects")
    assert len(got.failed) <= FAULT_LIMIT + 2
    assert problems(world.alpha) == []


@pytest.mark.parametrize("raw", [b"", b"hello", b"[]", b'{"type":"bundle","objects":[{"type":"indi'])
def test_intel_that_is_none_leaves_a_package_without_objects(world, raw):
    got = receive(world.alpha, world.mallory.package(world.alpha, part("intel", raw), release=b"r" * 16))
    assert got.status == "new"
    assert got.objects == 0
    assert got.failed
    refused("nothing-pending", deciding.accept, world.alpha, got.number, None, quiet())


@pytest.mark.parametrize("shown", [True, False])
def test_memory_does_not_grow_with_what_a_small_package_expands_to(world, shown):
    text = "d" * 1_000_000
    raw = bundle(*(indicator(n, description=secrets.token_hex(1500) + text) for n in range(60)))
    path = world.mallory.package(world.alpha, part("intel", raw, "zstd"), release=b"m" * 16)
    size = len(raw)
    del raw
    assert path.stat().st_size < size / 50
    if not shown:
        receive(world.alpha, world.mallory.package(world.alpha, void=((1, 1),)))
    tracemalloc.start()
    try:
        got = receive(world.alpha, path)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert got.objects == (60 if shown else 0)
    assert peak < size * 0.6, f"{peak >> 20} MiB for {size >> 20} MiB of intel"


# Deciding -----------------------------------------------------------------------------------------------------


def test_nothing_received_is_held_before_it_is_accepted_and_only_what_is(world):
    number = receive(world.alpha, world.mallory.intel(world.alpha, *map(indicator, range(1, 5)))).number
    assert held(world.alpha) == set()
    two = [indicator(n)["id"] for n in (1, 2)]
    decided = deciding.accept(world.alpha, number, two, quiet())
    assert (decided.accepted, decided.pending) == (2, 2)
    assert held(world.alpha) == set(two)
    refused("object-unknown", deciding.accept, world.alpha, number, [indicator(9)["id"]], quiet())
    refused("reason-missing", deciding.reject, world.alpha, number, "  ")
    assert deciding.reject(world.alpha, number, "not ours").rejected == 2
    refused("nothing-pending", deciding.accept, world.alpha, number, None, quiet())
    refused("nothing-pending", deciding.reject, world.alpha, number, "again")
    assert held(world.alpha) == set(two)


def test_an_accept_that_is_cancelled_changes_nothing(world):
    number = receive(world.alpha, world.mallory.intel(world.alpha, indicator(1))).number
    before = state(world.alpha)
    with pytest.raises(Cancelled):
        deciding.accept(world.alpha, number, None, Impatient("store"))
    assert state(world.alpha) == before


def test_unknown_numbers(world):
    refused("package-unknown", inbox.review, world.alpha, 7, quiet())
    refused("package-unknown", deciding.accept, world.alpha, 7, None, quiet())
    refused("package-unknown", deciding.reject, world.alpha, 7, "x")


def test_a_package_with_red_intel_is_received_and_goes_no_further(world):
    accept_all(world.alpha, world.mallory.intel(world.alpha, indicator(1, RED)))
    refused("nothing-leaves", release, world.alpha, "beta")


def test_what_a_file_is(world):
    alpha = world.alpha

    def told(path):
        found = naming.which(alpha, path)
        return found.kind, found.name, found.seq

    path = world.mallory.intel(alpha, indicator(1))
    assert told(path) == ("for-us", "mallory", 1)
    receive(alpha, path)
    assert told(path) == ("theirs", "mallory", 1)
    take(alpha, indicator(2))
    sealed = release(alpha, "beta", reference="2026/17", priority="flash").package
    ours = naming.which(alpha, sealed.path)
    assert (ours.kind, ours.name, ours.seq, ours.intact) == ("ours", "beta", 1, True)
    assert (ours.reference, ours.priority, ours.sha256) == ("2026/17", "flash", sealed.sha256.hex())
    bent = new_path(world.folder)
    whole = sealed.path.read_bytes()
    bent.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    assert naming.which(alpha, bent).intact is False
    assert naming.outside(sealed.path, alpha.outbox).kind == "ours"
    assert naming.outside(path, alpha.outbox).kind == "sealed"
    stranger = Rogue(Identity.generate(), world.folder).package(alpha)
    assert told(stranger) == ("for-us", "", 0)
    junk = new_path(world.folder)
    junk.write_bytes(b"junk")
    assert told(junk) == ("other", "", 0)
    refused("file-unreadable", naming.which, alpha, world.folder)
    refused("file-unreadable", naming.which, alpha, new_path(world.folder))


def test_what_is_for_somebody_else_is_only_sealed(met):
    take(met.alpha, indicator(2))
    path = release(met.alpha, "beta").package.path
    assert naming.which(met.beta, path).kind == "for-us"
    assert naming.outside(path, met.beta.outbox).kind == "sealed"
    other = met.mallory.package(met.beta)
    assert naming.which(met.alpha, other).kind == "sealed"


@pytest.mark.parametrize(
    "sealed, told",
    [
        ("2026-06-03T23:59:59.999Z", False),
        ("2026-06-04T00:00:00.000Z", True),
        ("2031-01-01T00:00:00.000Z", True),
        ("1999-01-01T00:00:00.000Z", False),
    ],
)
def test_a_clock_that_is_far_ahead_is_said(world, sealed, told):
    """Long ago is no fault: packages come years late."""
    got = receive(world.alpha, world.mallory.intel(world.alpha, indicator(1), sealed=sealed))
    assert got.failed == ((("sealed", "clock-ahead"),) if told else ())
    assert got.objects == 1


def test_a_card_swapped_by_the_courier_opens_nothing_and_gets_nothing(world, tmp_path):
    """The courier's card bears beta's name. It is another counterpart, and its digits do not fit."""
    courier = Rogue(Identity.generate(), tmp_path)
    pinned = counterparts.add(world.alpha, courier.identity.card("beta", "JO", T0), "beta too")
    assert pinned.fingerprint != peer(world.alpha, "beta").fingerprint
    take(world.alpha, indicator(1))
    refused("counterpart-unverified", release, world.alpha, "beta too")
    refused("counterpart-unverified", receive, world.alpha, courier.intel(world.alpha, indicator(2)))
    # The real beta reads digits made over its own card.
    ours = verification.begin(world.alpha, "beta too")
    theirs = verification.begin(world.beta, "alpha")
    theirs = verification.hear(theirs, ours.mine)
    ours = verification.hear(ours, theirs.mine)
    checked = verification.compare(ours, theirs.half)
    assert (checked.passed, checked.misses) == (False, 1)
    assert not next(c for c in store.everyone(world.alpha.database.read()) if c.alias == "beta too").verified


def test_all_statements_of_a_package_together_have_a_limit(met, monkeypatch):
    raws = [
        met.mallory.signed("request", b'{"by":"%s","n":%d}' % (met.mallory.fingerprint.encode(), n))
        for n in (1, 2, 3)
    ]
    limit = len(raws[0]) * 2
    monkeypatch.setattr(contents, "STATEMENTS_BYTES", limit)
    got = receive(met.alpha, met.mallory.package(met.alpha, *(part("statement", raw) for raw in raws)))
    assert [one for one in got.failed if one[1] == "part-too-large"] == [("statement", "part-too-large")]
    kept = met.alpha.database.read().execute(
        "SELECT raw FROM statement WHERE kind = 'request' ORDER BY rowid"
    )
    assert [bytes(row[0]) for row in kept] == raws[:2]


# What happens meanwhile ---------------------------------------------------------------------------------------------


def meanwhile(monkeypatch, act):
    """Let `act` happen between the judgement of the next package and what is stored of it."""
    real = receiving.machine.received

    def overtaken(*args):
        monkeypatch.undo()
        act()
        return real(*args)

    monkeypatch.setattr(receiving.machine, "received", overtaken)


def begins(mallory, alpha):
    start = mallory.statement("epoch", new="ff" * 16, reason="forked", after=_after(mallory), peer=None)
    return mallory.package(alpha, start, epoch=b"\xff" * 16, seq=1, prev=None, keep=False)


def _after(mallory):
    return {"epoch": mallory.epoch.hex(), "seq": mallory.seq, "hash": mallory.head.hex()}


@pytest.mark.parametrize(
    "second, code",
    [
        (lambda mallory, alpha: mallory.package(alpha, seq=1, keep=False), "fork"),
        (begins, "epoch-pending"),
    ],
)
def test_a_package_sealed_while_another_is_refused_keeps_its_number(met, monkeypatch, second, code):
    receive(met.alpha, met.mallory.package(met.alpha))
    path = second(met.mallory, met.alpha)
    number = channel(met.alpha, "mallory").sending.next
    meanwhile(monkeypatch, lambda: send(met.alpha, "mallory"))
    refused("store-busy", receive, met.alpha, path)
    assert channel(met.alpha, "mallory").sending.next == number + 1
    refused(code, receive, met.alpha, path)
    assert channel(met.alpha, "mallory").sending.next == number + 1


def test_a_duplicate_is_told_by_the_package_not_by_its_number(met):
    first = met.mallory.package(met.alpha)
    one = receive(met.alpha, first).number
    anew = begins(met.mallory, met.alpha)
    refused("epoch-pending", receive, met.alpha, anew)
    epochs.confirm(met.alpha, "mallory")
    two = receive(met.alpha, anew).number
    assert (receive(met.alpha, first).number, receive(met.alpha, anew).number) == (one, two)
