"""Recalls on real stores: asked back, seen with what they touch, followed or refused, in whatever order things come."""

from __future__ import annotations

import itertools
import json
from dataclasses import replace

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from app.exchange import deciding, inbox, outbox, recalling, recalls, receipts, releases
from app.exchange.recalls import Confirmation, Content, Recall, Withdrawal
from app.exchange.wording import Unreadable
from app.holdings import attachments, browsing
from app.jobs import quiet
from app.messages import Refused
from app.store import recalls as store
from app.store import statements as store_statements
from crypto import document
from tests.support.sites import (
    T0,
    T1,
    acts,
    beside,
    indicator,
    part,
    problems,
    receive,
    relationship,
    release,
    sha256_of,
    state,
    take,
    verdicts,
)


def ask_back(site, to, *ids, versions=None, reason="wrong source"):
    return recalling.recall(site, to, ids, versions, reason, beside(site), quiet())


def refused(code, act, *arguments, site=None, **more):
    before = state(site) if site is not None else None
    with pytest.raises(Refused) as caught:
        act(*arguments, **more)
    assert caught.value.code == code
    if site is not None:
        assert state(site) == before
    return caught.value.facts


def ledger(site, to):
    return {(entry.id, entry.seq): entry.state for entry in receipts.ledger(site, to)}


def answer(met):
    """beta's receipt comes to alpha."""
    receive(met.alpha, receipts.send(met.beta, "alpha", beside(met.beta), quiet()).path)


@pytest.fixture
def shared(met):
    """alpha released indicators 1 and 2 and their tie to beta, who accepted all and said so."""
    one, two = indicator(1, name="brass one"), indicator(2)
    met.objects = [one, two, relationship(3, one, two)]
    take(met.alpha, *met.objects)
    met.number = receive(met.beta, release(met.alpha, "beta").package.path).number
    deciding.accept(met.beta, met.number, None, quiet())
    answer(met)
    return met


def test_a_recall_is_seen_followed_and_confirmed(shared):
    one, two, tie = (value["id"] for value in shared.objects)
    sent = ask_back(shared.alpha, "beta", one, tie)
    assert (sent.listed.state, sent.listed.objects, sent.void) == ("open", 2, ())
    assert {s for (id_, _), s in ledger(shared.alpha, "beta").items() if id_ in (one, tie)} == {"recalled"}
    got = receive(shared.beta, sent.package.path)
    assert got.recalls == (1,)
    assert got.failed == ()
    found, touched = recalling.show(shared.beta, 1, quiet())
    assert (found.counterpart, found.ours, found.state, found.reason) == (
        "alpha",
        False,
        "open",
        "wrong source",
    )
    assert [(t.id, t.state, t.packages, t.independent, t.referring, t.onward) for t in touched] == [
        (one, "held", (shared.number,), False, (tie,), ()),
        (tie, "held", (shared.number,), False, (), ()),
    ]
    # Until it is answered nothing of it leaves here.
    assert verdicts(shared.beta, "alpha", one) == {one: "recalled"}
    done = recalling.confirm(shared.beta, 1, "2026-12-31", beside(shared.beta), quiet())
    assert (done.listed.state, done.listed.backups) == ("confirmed", "2026-12-31")
    held = {row.id for row in browsing.page(shared.beta, browsing.selection()).rows}
    assert held == {two}
    assert browsing.page(shared.beta, browsing.selection("brass")).total == 0
    assert b"brass one" not in b"".join(map(repr_bytes, state(shared.beta)))
    assert problems(shared.beta) == []
    receive(shared.alpha, done.package.path)
    (ours,) = recalling.listed(shared.alpha)
    assert (ours.state, ours.backups, ours.kept, ours.never) == ("confirmed", "2026-12-31", 0, 0)
    # It stays recalled, also for a receipt that is still on the way, and is not released again by an oversight.
    answer(shared)
    assert ledger(shared.alpha, "beta")[one, sent.package.seq - 1] == "recalled"
    assert verdicts(shared.alpha, "beta", one) == {one: "recalled"}
    assert "recall.deleted" in acts(shared.beta)


def repr_bytes(table):
    return b"".join(
        cell if isinstance(cell, bytes) else str(cell).encode() for row in table[1] for cell in row
    )


def test_a_recall_can_be_refused_with_a_reason_and_followed_later(shared):
    one = shared.objects[0]["id"]
    receive(shared.beta, ask_back(shared.alpha, "beta", one).package.path)
    refused("reason-missing", recalling.refuse, shared.beta, 1, " ", None, quiet(), site=shared.beta)
    refused("reason-too-long", recalling.refuse, shared.beta, 1, "x" * 1001, None, quiet(), site=shared.beta)
    no = recalling.refuse(shared.beta, 1, "evidence", beside(shared.beta), quiet())
    assert browsing.show(shared.beta, one)
    receive(shared.alpha, no.package.path)
    (ours,) = recalling.listed(shared.alpha)
    assert (ours.state, ours.answer) == ("refused", "evidence")
    yes = recalling.confirm(shared.beta, 1, "", beside(shared.beta), quiet())
    receive(shared.alpha, yes.package.path)
    (ours,) = recalling.listed(shared.alpha)
    assert (ours.state, ours.answer, ours.backups) == ("confirmed", "", "")
    refused("recall-closed", recalling.confirm, shared.beta, 1, "", None, quiet(), site=shared.beta)
    refused("recall-closed", recalling.refuse, shared.beta, 1, "no", None, quiet(), site=shared.beta)


def test_what_an_own_import_brought_first_stays_and_the_answer_says_so(met):
    value, other = indicator(1), indicator(2)
    take(met.alpha, value, other)
    take(met.beta, value)
    number = receive(met.beta, release(met.alpha, "beta").package.path).number
    deciding.accept(met.beta, number, None, quiet())
    take(met.beta, other)  # what came from alpha first is alpha's, whatever is imported later
    receive(met.beta, ask_back(met.alpha, "beta", value["id"], other["id"]).package.path)
    _, touched = recalling.show(met.beta, 1, quiet())
    assert [one.independent for one in touched] == [True, False]
    done = recalling.confirm(met.beta, 1, "", beside(met.beta), quiet())
    assert (done.listed.kept, done.listed.never) == (1, 0)
    (version,) = browsing.show(met.beta, value["id"]).versions
    assert [origin.kind for origin in version.sources] == ["import"]
    refused("object-unknown", browsing.show, met.beta, other["id"])
    receive(met.alpha, done.package.path)
    assert recalling.listed(met.alpha)[0].kept == 1


def test_the_same_value_written_otherwise_goes_too(met):
    """beta holds alpha's content under the text that came first."""
    value = indicator(1)
    take(met.alpha, value)
    take(met.beta, dict(reversed(value.items())))
    number = receive(met.beta, release(met.alpha, "beta").package.path).number
    deciding.accept(met.beta, number, None, quiet())
    receive(met.beta, ask_back(met.alpha, "beta", value["id"]).package.path)
    _, (touched,) = recalling.show(met.beta, 1, quiet())
    assert (touched.state, touched.independent) == ("held", True)
    recalling.confirm(met.beta, 1, "", beside(met.beta), quiet())
    (version,) = browsing.show(met.beta, value["id"]).versions
    assert [origin.kind for origin in version.sources] == ["import"]


def test_what_pends_waits_for_the_officers_word(met):
    one, two = indicator(1), indicator(2)
    take(met.alpha, one, two)
    number = receive(met.beta, release(met.alpha, "beta").package.path).number
    answer(met)
    receive(met.beta, ask_back(met.alpha, "beta", one["id"]).package.path)
    _, (touched,) = recalling.show(met.beta, 1, quiet())
    assert (touched.state, touched.name) == ("pending", "indicator 1")
    review = inbox.review(met.beta, number, quiet())
    assert {o.id: o.remarks for o in review.objects} == {one["id"]: ("recalled",), two["id"]: ()}
    refused("recalled-pending", deciding.accept, met.beta, number, [one["id"]], quiet(), site=met.beta)
    done = deciding.accept(met.beta, number, None, quiet())
    assert (done.accepted, done.pending) == (1, 1)
    refused("recalled-pending", deciding.accept, met.beta, number, None, quiet(), site=met.beta)
    assert deciding.accept(met.beta, number, None, quiet(), recalled=True).pending == 0
    assert recalling.show(met.beta, 1, quiet())[1][0].state == "held"


def test_confirming_takes_what_pends_out_of_the_inbox(met):
    take(met.alpha, indicator(1, name="brass"), indicator(2))
    number = receive(met.beta, release(met.alpha, "beta").package.path).number
    answer(met)
    receive(met.beta, ask_back(met.alpha, "beta", indicator(1)["id"]).package.path)
    recalling.confirm(met.beta, 1, "", beside(met.beta), quiet())
    review = inbox.review(met.beta, number, quiet())
    assert [(o.decision, o.name) for o in review.objects] == [("refused", ""), ("pending", "indicator 2")]
    assert review.package.state == "pending"


def test_a_recall_voids_what_is_on_the_way(met):
    take(met.alpha, indicator(1), indicator(2))
    on_the_way = release(met.alpha, "beta", indicator(1)["id"])
    kept_here = releases.release(met.alpha, "beta", releases.Wish((indicator(1)["id"],)), None, quiet())
    other = release(met.alpha, "beta", indicator(2)["id"])
    sent = ask_back(met.alpha, "beta", indicator(1)["id"])
    assert sent.void == (on_the_way.package.seq, kept_here.package.seq)
    states = {p.seq: p.state for p in outbox.listed(met.alpha, "beta")}
    assert [states[p.package.seq] for p in (on_the_way, kept_here, other)] == ["void", "void", "handed"]
    # The recall comes first: its release is closed when it comes, and known for what it is.
    got = receive(met.beta, sent.package.path)
    assert got.failed == (("recall", "recall-tombstone"),)
    assert receive(met.beta, on_the_way.package.path).status == "closed"
    assert receive(met.beta, other.package.path).objects == 1
    _, (touched,) = recalling.show(met.beta, 1, quiet())
    assert touched.state == "never"
    done = recalling.confirm(met.beta, 1, "", beside(met.beta), quiet())
    assert (done.listed.state, done.listed.never) == ("confirmed", 1)


def test_a_package_that_came_before_the_void_is_recalled_all_the_same(met):
    take(met.alpha, indicator(1))
    on_the_way = release(met.alpha, "beta")
    number = receive(met.beta, on_the_way.package.path).number
    sent = ask_back(met.alpha, "beta", indicator(1)["id"])
    deciding.accept(met.beta, number, None, quiet())
    answer(met)
    assert ledger(met.alpha, "beta") == {(indicator(1)["id"], on_the_way.package.seq): "recalled"}
    receive(met.beta, sent.package.path)
    assert recalling.show(met.beta, 1, quiet())[1][0].state == "held"


def sealed_here(site, to, *ids):
    return releases.release(site, to, releases.Wish(ids), None, quiet()).package


def test_what_never_left_is_not_named(met):
    one, two = indicator(1), indicator(2)
    take(met.alpha, one, two)
    alone = sealed_here(met.alpha, "beta", two["id"])
    refused("recall-not-left", ask_back, met.alpha, "beta", two["id"], site=met.alpha)
    gone = release(met.alpha, "beta", one["id"]).package
    sent = ask_back(met.alpha, "beta", one["id"], two["id"])
    assert (sent.listed.objects, sent.void) == (1, (alone.seq, gone.seq))
    receive(met.beta, sent.package.path)
    told = b"".join(store_statements.theirs(met.beta.database.read(), 1, "release"))
    assert sha256_of(two).encode() not in told
    # Of the two releases only the one that left is told of.
    assert told.count(b'"release":"') == 1


def test_nothing_is_recalled_that_was_never_given(met):
    take(met.alpha, indicator(1))
    id_ = indicator(1)["id"]
    facts = refused("recall-never-given", ask_back, met.alpha, "beta", id_, site=met.alpha)
    assert facts == {"id": id_, "name": "beta"}
    refused("reason-missing", ask_back, met.alpha, "beta", id_, reason=" ", site=met.alpha)
    refused("recall-unknown", recalling.show, met.alpha, 1, quiet())
    assert recalling.holders(met.alpha, [id_], None) == []
    # Void on the officer's word: nothing was given.
    given_ = release(met.alpha, "beta")
    outbox.void(met.alpha, "beta", given_.package.seq)
    refused("recall-never-given", ask_back, met.alpha, "beta", id_, site=met.alpha)


def test_one_version_can_be_recalled_and_the_others_stay(met):
    old, new = indicator(1), indicator(1, modified=T1, name="new")
    take(met.alpha, old, new)
    number = receive(met.beta, release(met.alpha, "beta", every_version=True).package.path).number
    deciding.accept(met.beta, number, None, quiet())
    answer(met)
    sha256 = bytes.fromhex(sha256_of(new))
    refused(
        "recall-never-given", ask_back, met.alpha, "beta", old["id"], versions=[bytes(32)], site=met.alpha
    )
    sent = ask_back(met.alpha, "beta", old["id"], versions=[sha256])
    receive(met.beta, sent.package.path)
    recalling.confirm(met.beta, 1, "", beside(met.beta), quiet())
    shown = browsing.show(met.beta, old["id"])
    assert (shown.row.name, len(shown.versions)) == ("indicator 1", 1)
    # The rest can be recalled later; what was recalled is not named twice.
    again = ask_back(met.alpha, "beta", old["id"])
    assert again.listed.objects == 1
    refused("recall-standing", ask_back, met.alpha, "beta", old["id"], site=met.alpha)


def test_a_withdrawn_recall_gives_the_ledger_its_word_back(shared):
    one, seq = shared.objects[0]["id"], 3
    before = ledger(shared.alpha, "beta")
    seq = next(iter(before))[1]
    assert before[one, seq] == "accepted"
    sent = ask_back(shared.alpha, "beta", one)
    refused("recall-ours", recalling.confirm, shared.alpha, 1, "", None, quiet(), site=shared.alpha)
    receive(shared.beta, sent.package.path)
    refused("recall-theirs", recalling.withdraw, shared.beta, 1, "no", None, quiet(), site=shared.beta)
    taken = recalling.withdraw(shared.alpha, 1, "a mistake", beside(shared.alpha), quiet())
    assert ledger(shared.alpha, "beta") == before
    refused("recall-closed", recalling.withdraw, shared.alpha, 1, "again", None, quiet(), site=shared.alpha)
    receive(shared.beta, taken.package.path)
    assert recalling.listed(shared.beta)[0].state == "withdrawn"
    refused("recall-closed", recalling.confirm, shared.beta, 1, "", None, quiet(), site=shared.beta)
    assert verdicts(shared.beta, "alpha", one) == {one: "leaves"}
    assert verdicts(shared.alpha, "beta", one) == {one: "leaves"}


def test_what_was_given_while_a_recall_was_planned_is_not_left_out_of_it(shared, monkeypatch):
    one = shared.objects[0]["id"]
    make = recalling.statements.make

    def meanwhile(site, kind, **facts):
        if kind == "recall":
            monkeypatch.setattr(recalling.statements, "make", make)
            take(site, shared.objects[0] | {"modified": T1, "name": "a later one"})
            release(site, "beta", one)
        return make(site, kind, **facts)

    monkeypatch.setattr(recalling.statements, "make", meanwhile)
    with pytest.raises(Refused) as caught:
        ask_back(shared.alpha, "beta", one)
    assert caught.value.code == "store-busy"
    assert recalling.listed(shared.alpha) == []
    # Asked again, it names both.
    assert ask_back(shared.alpha, "beta", one).listed.objects == 2


def test_released_onward_the_officer_is_led_to_recall_it_there_too(shared):
    one = shared.objects[0]["id"]
    release(shared.alpha, "mallory", one)
    # alpha had it from nobody: what beta asks back is about what beta gave.
    value = indicator(7)
    take(shared.beta, value)
    path = release(shared.beta, "alpha", value["id"]).package.path
    deciding.accept(shared.alpha, receive(shared.alpha, path).number, None, quiet())
    onward = release(shared.alpha, "mallory", value["id"])
    receive(shared.beta, receipts.send(shared.alpha, "beta", beside(shared.alpha), quiet()).path)
    receive(shared.alpha, ask_back(shared.beta, "alpha", value["id"]).package.path)
    number = recalling.listed(shared.alpha)[0].number
    _, (touched,) = recalling.show(shared.alpha, number, quiet())
    assert touched.onward == ("mallory",)
    recalling.confirm(shared.alpha, number, "", beside(shared.alpha), quiet())
    # Also when it is deleted here.
    again = ask_back(shared.alpha, "mallory", value["id"])
    assert again.listed.objects == 1
    assert again.void == (onward.package.seq,)


# What a counterpart who keeps no rule sends ------------------------------------------------------------------


def named(*values):
    return [{"id": id_, "sha256": sha} for id_, sha in sorted((v["id"], sha256_of(v)) for v in values)]


def test_a_recall_of_what_somebody_else_gave_touches_nothing(shared):
    """beta, who holds it from alpha, is asked for it by mallory: to alpha mallory says so."""
    one = shared.objects[0]
    got = receive(
        shared.alpha,
        shared.mallory.package(
            shared.alpha, shared.mallory.statement("recall", objects=named(one), reason="x")
        ),
    )
    assert got.failed == (("recall", "recall-tombstone"),)
    _, (touched,) = recalling.show(shared.alpha, got.recalls[0], quiet())
    assert touched.state == "never"
    assert verdicts(shared.alpha, "beta", one["id"]) == {one["id"]: "leaves"}
    recalling.confirm(shared.alpha, got.recalls[0], "", beside(shared.alpha), quiet())
    assert browsing.show(shared.alpha, one["id"])


BAD = {
    "no objects": {"objects": []},
    "no reason": {"reason": ""},
    "a long reason": {"reason": "x" * 1001},
    "an unknown field": {"more": 1},
    "not an id": {"objects": [{"id": "x", "sha256": "0" * 64}]},
    "a short hash": {"objects": [{"id": indicator(1)["id"], "sha256": "00"}]},
    "capitals": {"objects": [{"id": indicator(1)["id"], "sha256": "A" * 64}]},
    "twice": {"objects": [{"id": indicator(1)["id"], "sha256": "0" * 64}] * 2},
    "out of order": {"objects": [{"id": indicator(n)["id"], "sha256": "0" * 64} for n in (2, 1)]},
    "a clock that is none": {"at": "yesterday"},
    "a number": {"objects": 1},
}


def test_a_recall_that_cannot_be_read_does_nothing(world):
    sound = {"objects": named(indicator(1)), "reason": "x"}
    parts = [world.mallory.statement("recall", **(sound | change)) for change in BAD.values()]
    got = receive(world.alpha, world.mallory.package(world.alpha, *parts))
    assert got.failed == (("recall", "recall-unreadable"),) * len(BAD)
    assert (got.recalls, recalling.listed(world.alpha)) == ((), [])


def test_a_body_that_is_not_canonical_does_nothing(world):
    body = json.dumps(
        {"by": world.mallory.fingerprint, "at": T0, "objects": named(indicator(1)), "reason": "x"}
    )
    with pytest.raises(Unreadable):
        recalls.read("recall", body.encode() + b" ")


def test_an_answer_to_nothing_is_said_and_does_nothing(world):
    said = {"recall": "00" * 32, "answer": "deleted", "kept": [], "never": [], "backups": None, "reason": ""}
    got = receive(
        world.alpha, world.mallory.package(world.alpha, world.mallory.statement("confirmation", **said))
    )
    assert got.failed == (("confirmation", "confirmation-unknown"),)


def test_an_answer_over_something_else_does_nothing(world):
    take(world.alpha, indicator(1))
    release(world.alpha, "mallory")
    sent = ask_back(world.alpha, "mallory", indicator(1)["id"])
    (row,) = store.everything(world.alpha.database.read())
    said = {
        "recall": row.id.hex(),
        "answer": "deleted",
        "kept": ["77" * 32],
        "never": [],
        "backups": None,
        "reason": "",
    }
    got = receive(
        world.alpha, world.mallory.package(world.alpha, world.mallory.statement("confirmation", **said))
    )
    assert got.failed == (("confirmation", "confirmation-other"),)
    assert recalling.listed(world.alpha)[0].state == "open"
    assert sent.listed.number == row.number


def test_a_recall_replayed_after_its_withdrawal_stays_withdrawn(world):
    mallory = world.mallory
    value = indicator(1)
    recall = mallory.signed(
        "recall",
        rfc8785.dumps({"by": mallory.fingerprint, "at": T0, "objects": named(value), "reason": "x"}),
    )
    subject = document.parse(recall).id.hex()
    gone = mallory.statement("withdrawal", of="recall", subject=subject, reason="x")
    number = receive(world.alpha, mallory.intel(world.alpha, value)).number
    receive(world.alpha, mallory.package(world.alpha, gone))  # before what it withdraws
    for _ in range(2):
        receive(world.alpha, mallory.package(world.alpha, part("statement", recall)))
    (found,) = recalling.listed(world.alpha)
    assert found.state == "withdrawn"
    assert deciding.accept(world.alpha, number, None, quiet()).accepted == 1


ORDERS = list(itertools.permutations(range(4)))


@pytest.mark.parametrize(
    "orders", [ORDERS[::5], pytest.param(ORDERS, marks=pytest.mark.torture)], ids=["some", "all"]
)
def test_whatever_the_order_the_store_says_the_same(world, orders):
    """A release, its recall, its withdrawal and another recall of theirs, in every order, on one store each."""
    mallory, outcomes = world.mallory, set()
    for turn, order in enumerate(orders):
        value, other = indicator(turn * 2 + 1), indicator(turn * 2 + 2)
        bodies = [
            {"by": mallory.fingerprint, "at": T0, "objects": named(value), "reason": f"{turn}"},
            {"by": mallory.fingerprint, "at": T0, "objects": named(other), "reason": f"{turn}"},
        ]
        first, second = (mallory.signed("recall", rfc8785.dumps(body)) for body in bodies)
        gone = mallory.statement(
            "withdrawal", of="recall", subject=document.parse(first).id.hex(), reason="x"
        )
        makers = [
            lambda v=value, o=other: mallory.intel(world.alpha, v, o),
            lambda s=first: mallory.package(world.alpha, part("statement", s)),
            lambda s=second: mallory.package(world.alpha, part("statement", s)),
            lambda s=gone: mallory.package(world.alpha, s),
        ]
        number = None
        for index in order:
            got = receive(world.alpha, makers[index]())
            number = got.number if index == 0 else number
        states = sorted(
            (one.reason, one.state) for one in recalling.listed(world.alpha) if one.reason == str(turn)
        )
        review = inbox.review(world.alpha, number, quiet())
        outcomes.add((tuple(s for _, s in states), tuple(o.remarks for o in review.objects)))
    assert outcomes == {(("open", "withdrawn"), ((), ("recalled",)))}


# The pure state ----------------------------------------------------------------------------------------------

A, B = "a" * 64, "b" * 64
RECALLS = {
    bytes([n]) * 32: Recall(by, T0, (Content(indicator(n)["id"], bytes([n]) * 32),), "x")
    for n, by in ((1, A), (2, B), (3, A))
}
ANSWERS = st.builds(
    Confirmation,
    by=st.sampled_from([A, B]),
    at=st.sampled_from([T0, T1]),
    recall=st.sampled_from([*RECALLS, b"\x09" * 32]),
    answer=st.sampled_from(recalls.ANSWERS),
    kept=st.sampled_from([frozenset(), frozenset({b"\x01" * 32})]),
    never=st.just(frozenset()),
    backups=st.just(""),
    reason=st.just("x"),
)
TAKEN = st.builds(
    Withdrawal,
    by=st.sampled_from([A, B]),
    at=st.just(T0),
    of=st.just("recall"),
    subject=st.sampled_from([*RECALLS, b"\x09" * 32]),
    reason=st.just("x"),
)


@given(st.lists(ANSWERS | TAKEN, max_size=6), st.permutations(list(RECALLS)), st.randoms())
def test_the_state_is_a_function_of_the_set(said, order, random):
    everything = [(id_, RECALLS[id_]) for id_ in order] + [(bytes(32), one) for one in said]
    shuffled = everything * 2
    random.shuffle(shuffled)
    for id_ in RECALLS:
        one, two = recalls.gathered(everything), recalls.gathered(shuffled)
        assert recalls.state(one, id_) == recalls.state(two, id_)
        assert recalls.standing(one, id_) == recalls.standing(two, id_)
        assert recalls.state(one, id_) in recalls.STATES


@given(st.lists(ANSWERS | TAKEN, max_size=5), ANSWERS | TAKEN)
def test_a_deletion_that_was_confirmed_stays_confirmed(said, more):
    known = [*RECALLS.items(), *((bytes(32), one) for one in said)]
    for id_ in RECALLS:
        before = recalls.state(recalls.gathered(known), id_)
        after = recalls.state(recalls.gathered([*known, (bytes(32), more)]), id_)
        assert before != "confirmed" or after == "confirmed"


def test_the_same_asked_back_again_within_one_tick_is_refused_and_later_is_another_recall(shared):
    one = shared.objects[0]["id"]
    first = ask_back(shared.alpha, "beta", one)
    recalling.withdraw(shared.alpha, first.listed.number, "right", beside(shared.alpha), quiet())
    refused("store-busy", ask_back, shared.alpha, "beta", one, site=shared.alpha)
    shared.clock.pass_days(1 / 86_400)
    assert ask_back(shared.alpha, "beta", one).listed.state == "open"


def test_nobody_answers_or_withdraws_for_the_other():
    id_ = b"\x01" * 32
    own = Confirmation(A, T0, id_, "deleted", frozenset(), frozenset(), "", "")
    other = Withdrawal(B, T0, "recall", id_, "x")
    known = recalls.gathered([(id_, RECALLS[id_]), (bytes(32), own), (bytes(32), other)])
    assert recalls.state(known, id_) == "open"
    right = recalls.gathered([(id_, RECALLS[id_]), (bytes(32), replace(own, by=B))])
    assert recalls.state(right, id_) == "confirmed"


def test_what_was_attached_goes_with_it(met):
    """Of what goes whole, of what pends, and of what stays here from another source."""
    values = [indicator(n) for n in (1, 2, 3)]
    take(met.alpha, *values)
    take(met.beta, values[1])
    for value in values:
        path = met.folder / f"{value['id']}.txt"
        path.write_bytes(value["id"].encode())
        attachments.attach(met.alpha, path, value["id"], "", None, quiet())
    number = receive(met.beta, release(met.alpha, "beta").package.path).number
    deciding.accept(met.beta, number, [values[0]["id"], values[1]["id"]], quiet())
    answer(met)
    assert len(list(met.beta.attachments.iterdir())) == 3
    receive(met.beta, ask_back(met.alpha, "beta", *(v["id"] for v in values)).package.path)
    recalling.confirm(met.beta, 1, "", beside(met.beta), quiet())
    assert list(met.beta.attachments.iterdir()) == []
    assert attachments.listed(met.beta, values[1]["id"]) == []
    assert problems(met.beta) == []
