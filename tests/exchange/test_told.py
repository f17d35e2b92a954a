"""What receipts tell under an agreement, and what the ledger answers about one object."""

from __future__ import annotations

import msgspec
import pytest

from app.exchange import deciding, recalling, receipts, telephone
from app.holdings import purge
from app.intel.marking import Level
from app.jobs import quiet
from app.messages import Refused
from app.store import packages
from app.store import statements as store_statements
from crypto import codes, document
from tests.exchange.test_agreements import agree, number_of
from tests.support.sites import (
    AMBER,
    RED,
    T1,
    accept_all,
    acts,
    beside,
    indicator,
    peer,
    problems,
    receive,
    release,
    sealed_last,
    take,
)

COUNT = 4


def states(site, to="beta"):
    return [entry.state for entry in receipts.ledger(site, to)]


def answer(world):
    """beta's receipt reaches alpha; the statement as it was signed."""
    sealed = receipts.send(world.beta, "alpha", None, quiet())
    receive(world.alpha, sealed.path)
    reader = world.alpha.database.read()
    raw = [*store_statements.theirs(reader, peer(world.alpha, "beta").cid, "receipt")][-1]
    return msgspec.json.decode(document.parse(raw).body)


@pytest.fixture
def counted(met):
    agree(met.alpha, met.beta, receipts="counts")
    take(met.alpha, *(indicator(n, AMBER) for n in range(COUNT)))
    met.path = release(met.alpha, "beta").package.path
    return met


def test_a_receipt_tells_no_ids_where_the_agreement_says_counts(counted):
    number = receive(counted.beta, counted.path).number
    deciding.accept(counted.beta, number, (indicator(0)["id"],), quiet())
    said = answer(counted)
    assert (said["accepted"], said["refused"], said["counts"]) == ([], [], {"accepted": 1, "refused": 0})
    assert set(states(counted.alpha)) == {"received"}
    deciding.reject(counted.beta, number, "not now")
    assert answer(counted)["counts"]["accepted"] == 1
    cid, epoch = peer(counted.alpha, "beta").cid, sealed_last(counted.alpha, "beta").epoch
    [(_, told)] = [
        item for item in packages.told(counted.alpha.database.read(), cid).items() if item[0][0] == epoch
    ]
    assert told.accepted == 1
    assert told.refused >= COUNT - 1
    assert told.reason == "not now"
    assert problems(counted.alpha) == []


def test_counts_of_everything_name_everything(counted):
    accept_all(counted.beta, counted.path)
    answer(counted)
    assert set(states(counted.alpha)) == {"accepted"}


def test_ids_are_told_where_nothing_else_was_agreed(met):
    take(met.alpha, indicator(1), indicator(2))
    accept_all(met.beta, release(met.alpha, "beta").package.path)
    said = answer(met)
    assert "counts" not in said
    assert said["accepted"] == [[0, 1]]


@pytest.mark.parametrize(
    "facts",
    [
        {"counts": {"accepted": 4, "refused": 3}},
        {"counts": {"accepted": -1, "refused": 0}},
        {"counts": {"accepted": 1}},
        {"counts": {"accepted": 1, "refused": 0, "more": 1}},
        {"counts": [1, 0]},
        {"counts": {"accepted": 1, "refused": 0}, "accepted": [[0, 0]]},
    ],
)
def test_absurd_counts_do_nothing(world, facts):
    take(world.alpha, *map(indicator, range(6)))
    release(world.alpha, "mallory")
    package = sealed_last(world.alpha, "mallory").manifest_hash
    said = world.mallory.receipt(package, **{"revision": 2} | facts)
    receive(world.alpha, world.mallory.package(world.alpha, said))
    assert set(states(world.alpha, "mallory")) == {"carried"}
    assert "receipt.unreadable" in acts(world.alpha)


# The ledger ---------------------------------------------------------------------------------------------------


def test_the_ledger_says_who_has_which_version_since_when_and_under_what(met):
    number = number_of(met.alpha, agree(met.alpha, met.beta))
    take(met.alpha, indicator(1, AMBER))
    release(met.alpha, "beta", reference="2026/17")
    met.clock.pass_days(1)
    take(met.alpha, indicator(1, AMBER, modified=T1, name="newer"))
    release(met.alpha, "beta", reference="2026/18")
    newer, older = receipts.ledger(met.alpha, id_=indicator(1)["id"])
    assert (newer.modified, newer.reference, newer.agreements) == (T1, "2026/18", (number,))
    assert older.reference == "2026/17"
    assert older.since < newer.since
    assert newer.sha256 != older.sha256
    assert receipts.given(met.alpha, indicator(1)["id"]) == []


def test_the_ledger_says_what_they_gave_us_too(met):
    take(met.alpha, indicator(1), handling=Level.CLEAR)
    path = release(met.alpha, "beta").package.path
    got = receive(met.beta, path)
    [entry] = receipts.given(met.beta, indicator(1)["id"])
    assert (entry.sender, entry.number, entry.state) == ("alpha", got.number, "pending")
    deciding.accept(met.beta, got.number, None, quiet())
    assert receipts.given(met.beta, indicator(1)["id"])[0].state == "accepted"
    purge.purge_listed(met.beta, [indicator(1)["id"]], quiet())
    assert {one.state for one in receipts.given(met.beta, indicator(1)["id"])} <= {"removed"}


def test_what_was_asked_back_and_deleted_is_not_told_as_held(met):
    take(met.alpha, indicator(1), handling=Level.CLEAR)
    got = receive(met.beta, release(met.alpha, "beta").package.path)
    deciding.accept(met.beta, got.number, None, quiet())
    sent = recalling.recall(
        met.alpha, "beta", [indicator(1)["id"]], None, "wrong", beside(met.alpha), quiet()
    )
    receive(met.beta, sent.package.path)
    recalling.confirm(met.beta, 1, "", None, quiet())
    assert [one.state for one in receipts.given(met.beta, indicator(1)["id"])] == ["removed"]


# Over the telephone -------------------------------------------------------------------------------------------


def heard(site, *arguments):
    with pytest.raises(Refused) as caught:
        telephone.heard(site, *arguments)
    return caught.value.code


def test_a_code_is_read_out_and_derived_on_the_other_side(met):
    take(met.alpha, *map(indicator, range(COUNT)))
    released = release(met.alpha, "beta")
    seq = released.package.seq
    number = receive(met.beta, released.package.path).number
    before = states(met.alpha)
    western, eastern = telephone.mine(met.beta, number).code
    for code in (western, eastern):
        assert telephone.heard(met.alpha, "beta", seq, code).accepted == 0
    deciding.accept(met.beta, number, (indicator(0)["id"],), quiet())
    said = telephone.mine(met.beta, number)
    assert (said.seq, said.accepted, said.refused, said.pending) == (seq, 1, 0, COUNT - 1)
    assert heard(met.alpha, "beta", seq, said.code[0]) == "heard-wrong"
    found = telephone.heard(met.alpha, "beta", seq, said.code[0], 1, 0)
    assert (found.objects, found.accepted, found.refused) == (COUNT, 1, 0)
    assert heard(met.alpha, "beta", seq, western, 1, 0) == "heard-wrong"
    deciding.accept(met.beta, number, None, quiet())
    assert telephone.heard(met.alpha, "beta", seq, telephone.mine(met.beta, number).code[1]).accepted == COUNT
    assert states(met.alpha) == before, "the ledger waits for the receipt itself"
    assert acts(met.alpha).count("receipt.heard") == 4


def test_what_is_no_code_of_this_package_is_refused(met):
    take(met.alpha, *map(indicator, range(COUNT)))
    release(met.alpha, "beta")
    first = sealed_last(met.alpha, "beta")
    too_many = codes.receipt(first.manifest_hash, COUNT + 1, 0)
    assert heard(met.alpha, "beta", first.seq, too_many, COUNT + 1, 0) == "heard-wrong"
    assert heard(met.alpha, "beta", first.seq, "1234") == "code-format"
    assert heard(met.alpha, "beta", 99, "12345678") == "package-unknown"
    with pytest.raises(Refused):
        telephone.mine(met.beta, 99)


def test_an_import_that_raises_a_level_tells_to_whom_it_went_out_before(met):
    one, two, never = indicator(1, None), indicator(2), indicator(3, None)
    take(met.alpha, one, two, handling=Level.CLEAR)
    release(met.alpha, "beta")
    take(met.alpha, never, handling=Level.CLEAR)
    seq = sealed_last(met.alpha, "beta").seq
    assert take(met.alpha, one, two, never, handling=Level.CLEAR).given == []
    raised = take(
        met.alpha, one, never, two | {"modified": T1, "object_marking_refs": [RED]}, handling=Level.RED
    )
    assert {(told.id, told.to, told.seq) for told in raised.given} == {
        (one["id"], "beta", seq),
        (two["id"], "beta", seq),
    }
    assert take(met.alpha, one, never, handling=Level.RED).given == []


def test_an_acceptance_that_raises_a_level_tells_to_whom_it_went_out_before(met):
    value = indicator(1)
    take(met.alpha, value, indicator(2))
    release(met.alpha, "beta")
    stricter = value | {"modified": T1, "object_marking_refs": [RED]}
    decided = accept_all(met.alpha, met.mallory.intel(met.alpha, stricter, indicator(2), indicator(3, RED)))
    seq = sealed_last(met.alpha, "beta").seq
    assert [(told.id, told.to, told.seq) for told in decided.given] == [(value["id"], "beta", seq)]
