"""Receipts: what a true one does to the ledger, and that an absurd one does nothing."""

from __future__ import annotations

import json

import pytest
import rfc8785

from app import vault
from app.exchange import deciding, epochs, outbox, recalling, receipts
from app.jobs import quiet
from app.messages import Refused
from app.store import packages
from crypto import document
from crypto.package import Ack
from tests.support.sites import (
    PASSPHRASE,
    T0,
    T1,
    acts,
    beside,
    bundle,
    channel,
    indicator,
    part,
    problems,
    receive,
    release,
    sealed_last,
    send,
    state,
    take,
)

COUNT = 6


def ledger(site, to="mallory"):
    return [entry.state for entry in receipts.ledger(site, to)]


@pytest.fixture
def given(world):
    """alpha gave mallory six objects; `package` is the manifest hash a receipt names."""
    take(world.alpha, *map(indicator, range(COUNT)))
    release(world.alpha, "mallory")
    world.package = sealed_last(world.alpha, "mallory").manifest_hash
    return world


def answered(world, **facts):
    got = receive(
        world.alpha, world.mallory.package(world.alpha, world.mallory.receipt(world.package, **facts))
    )
    assert got.status == "new"
    return ledger(world.alpha)


def acknowledged(world):
    """mallory has the package by its manifest too: a recall asks it back, and does not make it void."""
    mine = channel(world.alpha, "mallory").sending
    ack = Ack(bytes.fromhex(mine.epoch), 1, bytes.fromhex(mine.head), (), (), 0)
    receive(world.alpha, world.mallory.package(world.alpha, ack=ack))


def test_a_receipt_tells_what_was_opened_accepted_and_refused(given):
    assert ledger(given.alpha) == ["carried"] * COUNT
    assert answered(given) == ["received"] * COUNT
    assert answered(given, revision=5, accepted=[[0, 1], [4, 4]], refused=[[2, 2]]) == [
        "accepted",
        "accepted",
        "refused",
        "received",
        "accepted",
        "received",
    ]
    assert answered(given, revision=7, refused=[[0, COUNT - 1]]) == ["refused"] * COUNT
    assert all(entry.acknowledged for entry in receipts.ledger(given.alpha, "mallory"))


def test_an_older_revision_that_comes_late_changes_nothing(given):
    newest = answered(given, revision=3, accepted=[[0, 1]])
    assert answered(given, revision=2, refused=[[0, 5]], reason="late") == newest
    assert answered(given, revision=3, refused=[[0, 5]], reason="another of the same number") == newest


def test_two_receipts_under_one_revision_are_told_apart_and_the_first_counts(given):
    mallory = given.mallory
    first = answered(given, revision=3, accepted=[[0, 1]])
    before = ledger(given.alpha)

    def again(**facts):
        path = mallory.package(given.alpha, mallory.receipt(given.package, **facts))
        return receive(given.alpha, path).failed

    # The same said twice, signed anew, contradicts nothing.
    assert again(revision=3, accepted=[[0, 1]], opened=T0) == ()
    assert acts(given.alpha).count("receipt.contradicts") == 0
    for other in (
        {"refused": [[0, 5]]},
        {"accepted": [[0, 1]], "reason": "otherwise"},
        {"accepted": [[0, 1]], "opened": T1},
        {"counts": {"accepted": 2, "refused": 0}},
    ):
        assert again(revision=3, **other) == (("receipt", "receipt-contradicts"),)
        assert ledger(given.alpha) == first == before
    # Of an older revision too, though that counts no more.
    assert again(revision=2, accepted=[[5, 5]]) == ()
    assert again(revision=2, refused=[[5, 5]]) == (("receipt", "receipt-contradicts"),)
    assert acts(given.alpha).count("receipt.contradicts") == 5
    assert epochs.status(given.alpha, "mallory").contradicted == (1,)
    assert epochs.status(given.alpha, "beta").contradicted == ()
    assert outbox.listed(given.alpha, "mallory")[0].told == packages.Told(2, 0, "")
    # A newer one counts, and what was said twice stays told.
    assert answered(given, revision=4, refused=[[0, 5]]) == ["refused"] * COUNT
    assert epochs.status(given.alpha, "mallory").contradicted == (1,)
    assert problems(given.alpha) == []


def test_after_a_recall_is_taken_back_the_first_of_two_counts_still(given):
    one = indicator(0)["id"]
    answered(given, revision=2, accepted=[[0, 5]])
    answered(given, revision=2, refused=[[0, 5]])
    acknowledged(given)
    sent = recalling.recall(given.alpha, "mallory", [one], None, "wrong", beside(given.alpha), quiet())
    assert ledger(given.alpha)[0] == "recalled"
    recalling.withdraw(given.alpha, sent.listed.number, "right after all", beside(given.alpha), quiet())
    assert ledger(given.alpha) == ["accepted"] * COUNT


def test_who_was_restored_answers_under_numbers_of_its_own(met, tmp_path):
    take(met.alpha, *map(indicator, range(4)))
    number = receive(met.beta, release(met.alpha, "beta").package.path).number
    vault.back_up(met.beta, tmp_path / "backup", quiet())
    deciding.accept(met.beta, number, None, quiet())
    assert receipt_to(met) == ["accepted"] * 4
    vault.restore(tmp_path / "again", tmp_path / "backup", PASSPHRASE, quiet(), clock=met.clock)
    with vault.unlocked(tmp_path / "again", PASSPHRASE, clock=met.clock) as beta:
        epochs.settle_restore(beta)
        anew = send(beta, "alpha")
        with pytest.raises(Refused, match="epoch-pending"):
            receive(met.alpha, anew)
        epochs.confirm(met.alpha, "beta")
        receive(met.alpha, anew)
        receive(beta, send(met.alpha, "beta"))
        deciding.reject(beta, number, "Seen anew", None)
        got = receive(met.alpha, receipts.send(beta, "alpha", beside(beta), quiet()).path)
        assert got.failed == ()
    assert ledger(met.alpha, "beta") == ["refused"] * 4


ABSURD = {
    "revision zero": {"revision": 0},
    "revision below": {"revision": -1},
    "revision 2^53": {"revision": 2**53},
    "revision 2^70": {"revision": 2**70},
    "revision of infinity": {"revision": 1e300},
    "revision a fraction": {"revision": 1.5},
    "revision a text": {"revision": "2"},
    "revision true": {"revision": True},
    "revision none": {"revision": None},
    "revision a list": {"revision": [2]},
    "range backwards": {"revision": 2, "accepted": [[3, 1]]},
    "range beyond": {"revision": 2, "accepted": [[0, COUNT]]},
    "range far beyond": {"revision": 2, "accepted": [[0, 2**53 - 1]]},
    "range below": {"revision": 2, "accepted": [[-1, 1]]},
    "ranges overlap": {"revision": 2, "accepted": [[0, 2], [2, 3]]},
    "range twice": {"revision": 2, "refused": [[0, 1], [0, 1]]},
    "accepted and refused": {"revision": 2, "accepted": [[0, 3]], "refused": [[3, 4]]},
    "range of three": {"revision": 2, "accepted": [[0, 1, 2]]},
    "range of text": {"revision": 2, "accepted": [["0", "1"]]},
    "ranges not a list": {"revision": 2, "accepted": "all"},
    "package not hex": {"package": "zz" * 32},
    "package a number": {"package": 7},
    "unknown fact": {"revision": 2, "because": "x"},
}


@pytest.mark.parametrize("facts", ABSURD.values(), ids=ABSURD.keys())
def test_an_absurd_receipt_does_nothing_and_hinders_nothing(given, facts):
    assert answered(given, accepted=[[0, 0]], revision=2)[0] == "accepted"
    before = ledger(given.alpha)
    # As a counterpart's own JSON writer would put it: ours refuses some of these numbers.
    body = {"by": given.mallory.fingerprint, "at": T0, "package": given.package.hex(), "release": None}
    body |= {"revision": 3, "opened": T0, "accepted": [], "refused": [], "reason": ""} | facts
    raw = given.mallory.signed("receipt", json.dumps(body).encode())
    got = receive(given.alpha, given.mallory.package(given.alpha, part("statement", raw)))
    assert got.status == "new"
    assert ledger(given.alpha) == before
    assert "receipt.unreadable" in acts(given.alpha)
    assert answered(given, revision=3, accepted=[[0, 5]]) == ["accepted"] * COUNT
    assert problems(given.alpha) == []


def test_ranges_without_number_are_refused_before_they_cost_anything(given):
    facts = {"revision": 2, "accepted": [[0, COUNT - 1]] * 50_000, "refused": [[0, COUNT - 1]] * 50_000}
    assert answered(given, **facts) == ["carried"] * COUNT


def test_a_receipt_for_a_package_of_another_counterpart_does_nothing(given):
    release(given.alpha, "beta")
    other = sealed_last(given.alpha, "beta").manifest_hash
    got = receive(
        given.alpha,
        given.mallory.package(
            given.alpha, given.mallory.receipt(other, revision=2, accepted=[[0, COUNT - 1]])
        ),
    )
    assert got.status == "new"
    assert ledger(given.alpha, "beta") == ["carried"] * COUNT
    assert "receipt.unknown" in acts(given.alpha)


def test_a_receipt_for_a_package_that_was_never_sent_does_nothing(given):
    got = receive(
        given.alpha, given.mallory.package(given.alpha, given.mallory.receipt(b"\x77" * 32, revision=2))
    )
    assert (got.status, got.failed) == ("new", (("receipt", "receipt-unknown"),))
    assert ledger(given.alpha) == ["carried"] * COUNT
    assert "receipt.unknown" in acts(given.alpha)


def test_a_receipt_signed_by_another_counterpart_is_not_taken(given):
    body = {"by": given.mallory.fingerprint, "package": given.package.hex(), "revision": 2}
    forged = document.sign("receipt", rfc8785.dumps(body), given.beta.identity.signing)
    got = receive(given.alpha, given.mallory.package(given.alpha, part("statement", forged)))
    assert got.failed == (("statement", "signature"),)
    assert ledger(given.alpha) == ["carried"] * COUNT


def test_a_receipt_in_a_void_package_does_nothing(given):
    mallory = given.mallory
    original = mallory.package(given.alpha, mallory.receipt(given.package, revision=2, accepted=[[0, 5]]))
    receive(given.alpha, mallory.package(given.alpha, void=((1, 1),)))
    assert receive(given.alpha, original).status == "closed"
    assert ledger(given.alpha) == ["carried"] * COUNT


# Ours ---------------------------------------------------------------------------------------------------------


def receipt_to(world):
    """beta answers alpha; the ledger of alpha then."""
    receive(world.alpha, receipts.send(world.beta, "alpha", beside(world.beta), quiet()).path)
    return ledger(world.alpha, "beta")


def test_every_answer_reaches_the_giver(met):
    take(met.alpha, *map(indicator, range(4)))
    path = release(met.alpha, "beta").package.path
    number = receive(met.beta, path).number
    assert receipt_to(met) == ["received"] * 4
    deciding.accept(met.beta, number, [indicator(1)["id"]], quiet())
    assert receipt_to(met) == ["received", "accepted", "received", "received"]
    deciding.reject(met.beta, number, "not ours")
    assert receipt_to(met) == ["refused", "accepted", "refused", "refused"]


def test_objects_that_could_not_be_read_are_told_as_refused(met):
    good, bad = indicator(1), indicator(2, created="yesterday")
    take(met.alpha, good)
    release(met.alpha, "beta", target=beside(met.alpha))
    # As a client of another make would have sent it: alpha itself holds nothing it cannot read.
    path = send(met.alpha, "beta", part("intel", bundle(bad, good)), release=b"f" * 16)
    got = receive(met.beta, path)
    assert got.objects == 1
    deciding.accept(met.beta, got.number, None, quiet())
    [package] = [p for p in receipts.due(met.beta.database.read(), 1) if p.number == got.number]
    body = receipts._receipt(met.beta, met.beta.database.read(), package).body
    assert (body["accepted"], body["refused"]) == ([[1, 1]], [[0, 0]])


def test_a_receipt_is_made_again_with_each_decision_and_rides_until_it_is_acked(met):
    take(met.alpha, indicator(1), indicator(2, modified=T1))
    number = receive(met.beta, release(met.alpha, "beta").package.path).number
    deciding.accept(met.beta, number, None, quiet())
    receipts.send(met.beta, "alpha", beside(met.beta), quiet())  # lost on the way
    later = send(met.beta, "alpha")
    receive(met.alpha, later)
    assert ledger(met.alpha, "beta") == ["accepted"] * 2


def test_nothing_is_answered_to_whom_nothing_came_from(world):
    before = state(world.beta)
    with pytest.raises(Refused) as caught:
        receipts.send(world.beta, "alpha", beside(world.beta), quiet())
    assert caught.value.code == "nothing-received"
    assert state(world.beta) == before


@pytest.mark.parametrize("act", [outbox.void, outbox.resend])
def test_a_receipt_for_a_void_package_says_who_has_it(met, act):
    take(met.alpha, *map(indicator, range(2)))
    first = release(met.alpha, "beta").package
    more = (beside(met.alpha), quiet()) if act is outbox.resend else ()
    act(met.alpha, "beta", first.seq, *more)
    assert ledger_of(met.alpha, first.seq) == [("void", False)] * 2
    # It was not lost after all, and comes before the news that it is void.
    number = receive(met.beta, first.path).number
    assert receipt_to(met)
    assert ledger_of(met.alpha, first.seq) == [("received", True)] * 2
    deciding.accept(met.beta, number, None, quiet())
    assert receipt_to(met)
    assert ledger_of(met.alpha, first.seq) == [("accepted", True)] * 2
    assert problems(met.alpha) == []


def ledger_of(site, seq):
    return [(e.state, e.acknowledged) for e in receipts.ledger(site, "beta") if e.seq == seq]


def test_an_absurd_receipt_does_nothing_after_a_recall_was_taken_back_either(given):
    before = answered(given, revision=2, accepted=[[0, 1]], refused=[[2, 2]])
    assert answered(given, revision=9, accepted=[[0, 5]], refused=[[0, 5]]) == before
    acknowledged(given)
    ids = [indicator(number)["id"] for number in range(COUNT)]
    sent = recalling.recall(given.alpha, "mallory", ids, None, "wrong", beside(given.alpha), quiet())
    assert set(ledger(given.alpha)) == {"recalled"}
    recalling.withdraw(given.alpha, sent.listed.number, "right after all", beside(given.alpha), quiet())
    assert ledger(given.alpha) == before
