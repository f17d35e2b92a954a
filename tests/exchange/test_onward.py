"""Originator control: what came from one counterpart goes to another only as they let it; requests and consents."""

from __future__ import annotations

import json
import secrets
from dataclasses import replace

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from app import vault
from app.exchange import (
    agreements,
    asking,
    consents,
    counterparts,
    gate,
    provenance,
    receipts,
    releases,
    terms,
)
from app.exchange.consents import Consent, Content, Request, Withdrawal
from app.exchange.gate import Candidate, Custody, Terms
from app.holdings import handling
from app.intel.marking import Level
from app.jobs import quiet
from app.messages import MESSAGES, Refused
from app.store import objects
from app.store import statements as store_statements
from crypto import document
from crypto.identity import Identity, read_card
from tests.support.sites import (
    AMBER,
    CHEAP,
    CLEAR,
    LASTING,
    PASSPHRASE,
    RED,
    T0,
    T1,
    accept_all,
    acts,
    agreed,
    beside,
    connect,
    indicator,
    level_line,
    part,
    peer,
    pin,
    problems,
    receive,
    relationship,
    release,
    send,
    sha256_of,
    state,
    take,
    thing,
    unlocked,
    verdicts,
)

GREEN = "marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb"
LAST = "2026-12-31"


def refused(act, *args, **kwargs):
    """The code of the refusal; it has a sentence, and changes nothing."""
    before = state(args[0])
    with pytest.raises(Refused) as error:
        act(*args, **kwargs)
    assert error.value.code in MESSAGES
    assert state(args[0]) == before
    return error.value.code


def ask(site, to, third, *ids, until="", reason="They are hit too"):
    return asking.request_onward(site, to, ids, third, reason, until, beside(site), quiet())


def grant(site, number, ids=None, until=LAST):
    return asking.consent(site, number, ids, until, beside(site), quiet())


def withdraw(site, number, reason=""):
    return asking.withdraw(site, number, reason, beside(site), quiet())


def found(site):
    return {(one.number, one.kind): one.state for one in asking.listed(site)}


def given_by_alpha(trio, *objects, onward="consent", **clauses):
    """beta holds what alpha gave under an agreement, and has an agreement with gamma."""
    agreed(trio.alpha, trio.beta, onward=onward, ceiling=Level.RED, **clauses)
    agreed(trio.beta, trio.gamma, ceiling=Level.RED)
    take(trio.alpha, *objects)
    accept_all(trio.beta, release(trio.alpha, "beta", *(one["id"] for one in objects)).package.path)


def code(site, to, value):
    return verdicts(site, to, value["id"])[value["id"]]


# What leaves, by whose it is --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "onward, expected",
    [
        ("never", ("leaves", "onward-never", "onward-never", "onward-red")),
        ("consent", ("leaves", "onward-consent", "onward-consent", "onward-red")),
        ("within-tlp", ("leaves", "leaves", "onward-consent", "onward-red")),
    ],
)
def test_the_agreement_with_whoever_gave_it_says_whether_it_goes_on(trio, onward, expected):
    values = [indicator(n, mark) for n, mark in enumerate((CLEAR, GREEN, AMBER, RED))]
    given_by_alpha(trio, *values, onward=onward)
    ids = [value["id"] for value in values]
    assert verdicts(trio.beta, "gamma", *ids) == dict(zip(ids, expected, strict=True))
    assert set(verdicts(trio.beta, "alpha", *ids).values()) == {"leaves"}, "it may go back to whoever gave it"
    assert refused(release, trio.beta, "gamma", ids[3]) == "nothing-leaves"
    assert problems(trio.beta) == []


def test_with_no_agreement_in_force_any_more_nothing_above_clear_goes_on(trio):
    value, public = indicator(1, GREEN), indicator(2)
    given_by_alpha(trio, value, public, onward="within-tlp")
    assert code(trio.beta, "gamma", value) == "leaves"
    agreements.end(trio.beta, 1, beside(trio.beta), quiet())
    assert code(trio.beta, "gamma", value) == "onward-lapsed"
    assert code(trio.beta, "gamma", public) == "leaves"


def test_a_looser_agreement_later_does_not_loosen_what_came_under_a_stricter_one(trio):
    value, later = indicator(1, GREEN), indicator(2, GREEN)
    given_by_alpha(trio, value, onward="never")
    loose = replace_agreement(trio, onward="within-tlp")
    assert agreements.show(trio.beta, loose).state == "in-force"
    take(trio.alpha, later)
    accept_all(trio.beta, release(trio.alpha, "beta", later["id"]).package.path)
    assert code(trio.beta, "gamma", value) == "onward-never"
    assert code(trio.beta, "gamma", later) == "leaves"


def replace_agreement(trio, **clauses):
    """A newer agreement between alpha and beta in place of the first; its number at beta."""
    plain = replace(agreements.show(trio.alpha, 1).clauses, **clauses)
    done = agreements.propose(trio.alpha, "beta", plain, (1,), beside(trio.alpha), quiet())
    receive(trio.beta, done.package.path)
    number = next(a.number for a in agreements.listed(trio.beta) if a.id == done.agreement.id)
    receive(trio.alpha, agreements.sign(trio.beta, number, beside(trio.beta), quiet()).package.path)
    return number


def test_what_was_held_before_stays_ours_and_a_later_import_does_not_free(trio):
    ours, theirs = indicator(1, AMBER), indicator(2, AMBER)
    take(trio.beta, ours)
    given_by_alpha(trio, ours, theirs, onward="never")
    take(trio.beta, theirs)
    assert code(trio.beta, "gamma", ours) == "leaves"
    assert code(trio.beta, "gamma", theirs) == "onward-never"


def test_a_newer_content_of_their_object_is_theirs_whoever_brings_it(trio):
    value = indicator(1, AMBER)
    newer = value | {"modified": T1, "name": "edited here"}
    given_by_alpha(trio, value, onward="never")
    take(trio.beta, newer)
    assert code(trio.beta, "gamma", newer) == "onward-never"


def test_a_newer_content_of_theirs_of_our_object_is_theirs(trio):
    value = indicator(1, AMBER)
    newer = value | {"modified": T1, "name": "what alpha knows"}
    take(trio.beta, value)
    given_by_alpha(trio, newer, onward="never")
    assert code(trio.beta, "gamma", newer) == "onward-never"


def test_an_independent_source_that_the_officer_declares_frees_what_is_held_now(trio):
    value = indicator(1, AMBER)
    given_by_alpha(trio, value, onward="never")
    assert refused(provenance.declare, trio.beta, [value["id"]], " ") == "reason-missing"
    assert refused(provenance.declare, trio.beta, ["indicator--x"], "our sensor") == "object-unknown"
    assert provenance.declare(trio.beta, [value["id"]], "our own sensor") == 1
    assert acts(trio.beta)[-1] == "source.declared"
    assert code(trio.beta, "gamma", value) == "leaves"
    newer = value | {"modified": T1, "name": "more from alpha"}
    take(trio.alpha, newer)
    accept_all(trio.beta, release(trio.alpha, "beta", newer["id"]).package.path)
    assert code(trio.beta, "gamma", newer) == "onward-never"


def test_a_level_lowered_here_does_not_make_theirs_free(trio):
    value = indicator(1, None)
    agreed(trio.alpha, trio.beta, onward="never")
    agreed(trio.beta, trio.gamma)
    take(trio.alpha, value, handling=Level.AMBER)
    accept_all(trio.beta, release(trio.alpha, "beta", value["id"]).package.path)
    handling.set_level(trio.beta, value["id"], Level.CLEAR)
    assert code(trio.beta, "gamma", value) == "onward-never"
    take(trio.gamma, indicator(7, CLEAR))


def test_what_names_their_object_stays_with_it(trio):
    value, own = indicator(1, AMBER), indicator(2)
    link = relationship(3, own, value)
    given_by_alpha(trio, value, onward="never")
    take(trio.beta, own, link)
    assert verdicts(trio.beta, "gamma", own["id"], link["id"]) == {
        own["id"]: "leaves",
        link["id"]: "withheld-reference",
    }


def test_what_came_from_a_counterpart_who_was_revoked_goes_to_nobody(trio):
    value = indicator(1, GREEN)
    given_by_alpha(trio, value, onward="within-tlp")
    counterparts.revoke(trio.beta, "alpha")
    assert code(trio.beta, "gamma", value) == "onward-lapsed"


def test_down_a_chain_each_answers_for_what_they_gave(trio):
    value = indicator(1, GREEN)
    given_by_alpha(trio, value, onward="within-tlp")
    # beta lets gamma have it; gamma knows it from beta, and asks beta.
    accept_all(trio.gamma, release(trio.beta, "gamma", value["id"]).package.path)
    agreed(trio.alpha, trio.gamma, ceiling=Level.RED)
    assert code(trio.gamma, "alpha", value) == "onward-never"


@pytest.fixture
def four(trio):
    """delta beside alpha, beta and gamma; beta and gamma each know it, and gamma and it have an agreement."""
    vault.create(trio.folder / "delta", "delta", "JO", "R. Haddad", PASSPHRASE, CHEAP, clock=trio.clock)
    with unlocked(trio.folder / "delta", trio.clock) as trio.delta:
        for site in (trio.beta, trio.gamma):
            connect(site, trio.delta)
            receive(trio.delta, send(site, "delta"))
            receive(site, send(trio.delta, site.home.name))
        agreed(trio.beta, trio.gamma, ceiling=Level.RED, onward="within-tlp")
        agreed(trio.gamma, trio.delta, ceiling=Level.RED, onward="within-tlp")
        yield trio


def leave(asker, giver, third, value, until=LAST):
    """What `asker` asks `giver`, who consents; what came back is here."""
    receive(giver, ask(asker, giver.home.name, third, value["id"]).package.path)
    number = max(one.number for one in asking.listed(giver) if one.kind == "request" and not one.ours)
    receive(asker, grant(giver, number, until=until).package.path)


def test_over_two_hops_the_originators_word_counts_and_the_ledger_says_who_has_what(four):
    value, free = indicator(1, GREEN), indicator(2, GREEN)
    agreed(four.alpha, four.beta, ceiling=Level.RED, onward="consent")
    take(four.alpha, value)
    take(four.beta, free)
    accept_all(four.beta, release(four.alpha, "beta", value["id"]).package.path)
    leave(four.beta, four.alpha, "gamma", value)
    accept_all(four.gamma, release(four.beta, "gamma").package.path)
    # What is beta's own goes on as beta and gamma agreed; of alpha's, alpha said for whom.
    assert code(four.gamma, "delta", free) == "leaves"
    assert code(four.gamma, "delta", value) == "onward-consent"
    # gamma asks beta, who was not let so far.
    receive(four.beta, ask(four.gamma, "beta", "delta", value["id"]).package.path)
    number = next(o.number for o in asking.listed(four.beta) if o.counterpart == "gamma")
    assert refused(grant, four.beta, number) == "not-ours-to-give"
    leave(four.beta, four.alpha, "delta", value)
    receive(four.gamma, grant(four.beta, number).package.path)
    assert code(four.gamma, "delta", value) == "leaves"
    # Who has which version, since when, and from whom.
    receive(four.beta, receipts.send(four.gamma, "beta", beside(four.gamma), quiet()).path)
    (entry,) = receipts.ledger(four.beta, id_=value["id"])
    assert (entry.to, entry.state, entry.sha256) == ("gamma", "accepted", sha256_of(value))
    assert [one.sender for one in receipts.given(four.beta, value["id"])] == ["alpha"]
    accept_all(four.delta, release(four.gamma, "delta", value["id"]).package.path)
    # And so on: delta would have to ask gamma.
    pin(four.delta, Identity.generate().card("epsilon", "XX", T0))
    agreed_row = provenance.Provenance(
        four.delta.database.read(), four.delta, peer(four.delta, "epsilon"), Level.AMBER
    )
    (version,) = held_versions(four.delta, value)
    custody = agreed_row.custody(version.oid, version.vid, version.sha256, Level.GREEN)
    assert (custody.whose, custody.onward, custody.consented) == (
        four.gamma.identity.fingerprint,
        "consent",
        False,
    )


def held_versions(site, value):
    reader = site.database.read()
    oid = objects.oid_of(reader, objects.id_hash(objects.hash_key(reader), value["id"]))
    return objects.versions_of(reader, oid)


@pytest.mark.parametrize(
    "words, expected",
    [
        ((None,), "leaves"),
        (("within-tlp",), "leaves"),
        (("consent", "within-tlp"), "onward-consent"),
        (("within-tlp", "never"), "onward-never"),
    ],
)
def test_of_several_words_from_behind_the_strictest_counts(rogue_to_beta, words, expected):
    world, value = rogue_to_beta
    lines = [level_line(value, "GREEN", onward=word) for word in words]
    path = world.mallory.intel(world.alpha, value, handling=lines)
    accept_all(world.alpha, path)
    assert code(world.alpha, "beta", value) == expected


def test_a_word_that_is_none_makes_all_red(rogue_to_beta):
    world, value = rogue_to_beta
    got = receive(
        world.alpha,
        world.mallory.intel(world.alpha, value, handling=[level_line(value, "GREEN", onward="always")]),
    )
    assert ("handling", "part-unreadable") in got.failed


@pytest.fixture
def rogue_to_beta(met):
    """mallory lets alpha pass on within TLP, and alpha may give beta what is GREEN."""
    agreed(met.alpha, met.beta, ceiling=Level.GREEN)
    raw = met.mallory.signed(
        "agreement",
        rfc8785.dumps(
            {"by": met.mallory.fingerprint, "at": "2026-06-01T00:00:00.000Z"}
            | terms.facts(
                (met.mallory.fingerprint, met.alpha.identity.fingerprint),
                replace(LASTING, onward="within-tlp"),
            )
        ),
    )
    receive(met.alpha, met.mallory.package(met.alpha, part("statement", raw)))
    number = next(o.number for o in agreements.listed(met.alpha) if o.counterpart == "mallory")
    agreements.sign(met.alpha, number, beside(met.alpha), quiet())
    return met, indicator(1, GREEN)


# Requests and consents --------------------------------------------------------------------------------------


def test_what_we_call_somebody_is_not_told_to_others(trio):
    counterparts.rename(trio.beta, "gamma", "the leaky ones")
    value = indicator(1, AMBER)
    agreed(trio.alpha, trio.beta, onward="consent", ceiling=Level.RED)
    take(trio.alpha, value)
    accept_all(trio.beta, release(trio.alpha, "beta", value["id"]).package.path)
    receive(trio.alpha, ask(trio.beta, "alpha", "the leaky ones", value["id"]).package.path)
    reader = trio.alpha.database.read()
    [raw] = store_statements.theirs(reader, peer(trio.alpha, "beta").cid, "request")
    said = json.loads(document.parse(raw).body)
    card = counterparts.find(trio.beta.database.read(), "the leaky ones").card
    assert said["name"] == read_card(card).name
    assert b"leaky" not in raw


def test_a_signed_consent_to_a_signed_request_lets_exactly_that_go_on_until_its_day(trio):
    value, beside_it = indicator(1, AMBER), indicator(2, AMBER)
    given_by_alpha(trio, value, beside_it)
    asked = ask(trio.beta, "alpha", "gamma", value["id"])
    assert (asked.listed.state, asked.listed.third) == ("open", "gamma")
    assert receive(trio.alpha, asked.package.path).failed == ()
    assert found(trio.alpha) == {(1, "request"): "open"}
    given_ = grant(trio.alpha, 1, until="2026-06-02")
    assert code(trio.beta, "gamma", value) == "onward-consent"
    assert receive(trio.beta, given_.package.path).failed == ()
    assert found(trio.beta) == {(1, "request"): "answered", (2, "consent"): "in-force"}
    assert code(trio.beta, "gamma", value) == "leaves"
    assert code(trio.beta, "gamma", beside_it) == "onward-consent"
    trio.clock.pass_days(1)
    assert code(trio.beta, "gamma", value) == "leaves"
    trio.clock.pass_days(1)
    assert code(trio.beta, "gamma", value) == "onward-consent"
    assert found(trio.beta)[2, "consent"] == "expired"
    assert [act for act in acts(trio.beta) if act.startswith("consent.")] == [
        "consent.requested",
        "consent.received",
    ]


def test_a_consent_that_ran_out_does_not_come_back_with_a_clock_that_went_back(trio):
    value = indicator(1, AMBER)
    given_by_alpha(trio, value)
    receive(trio.alpha, ask(trio.beta, "alpha", "gamma", value["id"]).package.path)
    receive(trio.beta, grant(trio.alpha, 1, until="2026-06-02").package.path)
    trio.clock.pass_days(3)
    take(trio.beta, indicator(9))
    trio.clock.pass_days(-3)
    assert code(trio.beta, "gamma", value) == "onward-consent"


def test_a_withdrawn_consent_ends_and_its_replay_changes_nothing(trio):
    value = indicator(1, AMBER)
    given_by_alpha(trio, value)
    receive(trio.alpha, ask(trio.beta, "alpha", "gamma", value["id"]).package.path)
    first = grant(trio.alpha, 1)
    ended = withdraw(trio.alpha, first.listed.number)
    assert ended.listed.state == "withdrawn"
    # The withdrawal comes first, the consent it is about after it, and once more in a package of its own.
    receive(trio.beta, ended.package.path)
    receive(trio.beta, first.package.path)
    assert receive(trio.beta, first.package.path).status == "duplicate"
    assert found(trio.beta)[2, "consent"] == "withdrawn"
    assert code(trio.beta, "gamma", value) == "onward-consent"
    assert refused(withdraw, trio.alpha, first.listed.number) == "request-closed"


def test_a_request_is_declined_with_a_reason_or_taken_back(trio):
    value = indicator(1, AMBER)
    given_by_alpha(trio, value)
    receive(trio.alpha, ask(trio.beta, "alpha", "gamma", value["id"]).package.path)
    assert refused(withdraw, trio.alpha, 1) == "reason-missing"
    receive(trio.beta, withdraw(trio.alpha, 1, "not yet").package.path)
    assert found(trio.alpha) == {(1, "request"): "declined"} == found(trio.beta)
    assert refused(grant, trio.alpha, 1) == "request-closed"
    receive(trio.alpha, ask(trio.beta, "alpha", "gamma", value["id"], reason="again").package.path)
    receive(trio.beta, grant(trio.alpha, 2).package.path)
    assert code(trio.beta, "gamma", value) == "leaves"
    withdraw(trio.beta, 2)
    assert code(trio.beta, "gamma", value) == "onward-consent"


def test_requests_and_consents_that_cannot_be(trio):
    value, own = indicator(1, AMBER), indicator(2, AMBER)
    given_by_alpha(trio, value)
    take(trio.beta, own)
    assert refused(ask, trio.beta, "alpha", "gamma", own["id"]) == "nothing-to-ask"
    assert refused(ask, trio.beta, "gamma", "alpha", value["id"]) == "nothing-to-ask"
    assert refused(ask, trio.beta, "alpha", "gamma", value["id"], reason=" ") == "reason-missing"
    receive(trio.alpha, ask(trio.beta, "alpha", "gamma", value["id"]).package.path)
    assert refused(grant, trio.beta, 1) == "request-own"
    assert refused(grant, trio.alpha, 7) == "request-unknown"
    assert refused(grant, trio.alpha, 1, [own["id"]]) == "object-unknown"
    assert refused(grant, trio.alpha, 1, until="2026-05-31") == "consent-period"
    receive(trio.beta, grant(trio.alpha, 1).package.path)
    assert refused(grant, trio.beta, 2) == "request-unknown"
    assert refused(withdraw, trio.beta, 2) == "not-ours-to-withdraw"
    assert refused(withdraw, trio.beta, 9) == "request-unknown"


def test_a_consent_is_not_sealed_over_what_changed_meanwhile(trio, monkeypatch):
    """Whether it is theirs to give was asked before the seal."""
    value = indicator(1, AMBER)
    given_by_alpha(trio, value)
    receive(trio.alpha, ask(trio.beta, "alpha", "gamma", value["id"]).package.path)
    make = asking.statements.make

    def meanwhile(site, kind, **facts):
        if kind == "consent":
            monkeypatch.setattr(asking.statements, "make", make)
            agreements.end(site, 1, beside(site), quiet())
        return make(site, kind, **facts)

    monkeypatch.setattr(asking.statements, "make", meanwhile)
    with pytest.raises(Refused) as caught:
        grant(trio.alpha, 1)
    assert caught.value.code == "store-busy"
    assert found(trio.alpha)[1, "request"] == "open"


def test_nobody_consents_to_what_was_not_given_or_is_not_theirs(trio):
    """gamma has from beta what is alpha's, and wants to pass it on; beta has no leave for that."""
    value = indicator(1, GREEN)
    given_by_alpha(trio, value)
    receive(trio.alpha, ask(trio.beta, "alpha", "gamma", value["id"]).package.path)
    receive(trio.beta, grant(trio.alpha, 1).package.path)
    agreements.end(trio.beta, 2, beside(trio.beta), quiet())
    agreed(trio.beta, trio.gamma, onward="consent", ceiling=Level.RED)
    accept_all(trio.gamma, release(trio.beta, "gamma", value["id"]).package.path)
    with copied_trio_stranger(trio) as delta:
        asked = ask(trio.gamma, "beta", delta, value["id"])
    receive(trio.beta, asked.package.path)
    number = next(one.number for one in asking.listed(trio.beta) if one.counterpart == "gamma")
    assert refused(grant, trio.beta, number) == "not-ours-to-give"


def copied_trio_stranger(trio):
    """A fourth identity that gamma pinned, in a context that yields its alias."""
    import contextlib

    from crypto.identity import Identity

    @contextlib.contextmanager
    def made():
        identity = Identity.generate()
        pin(trio.gamma, identity.card("delta", "XX", T0))
        yield "delta"

    return made()


# What a counterpart who keeps no rule says -------------------------------------------------------------------


def rogue_statement(world, kind, **facts):
    return world.mallory.statement(kind, **facts)


@pytest.fixture
def rogue(world):
    """alpha holds an object of mallory's, asked mallory to let beta have it; (world, value, request id)."""
    agreed(world.alpha, world.beta)
    agreed_with_mallory(world)
    value = indicator(1, AMBER)
    accept_all(world.alpha, world.mallory.intel(world.alpha, value))
    asked = ask(world.alpha, "mallory", "beta", value["id"])
    request = next(one for one in asking.listed(world.alpha) if one.kind == "request")
    assert asked.listed == request
    return world, value, statement_id(asked.package, world)


def agreed_with_mallory(world):
    from app.exchange import terms
    from tests.support.sites import LASTING

    parties = (world.alpha.identity.fingerprint, world.mallory.fingerprint)
    body = {"by": world.mallory.fingerprint, "at": T0} | terms.facts(
        parties, replace(LASTING, onward="consent")
    )
    raw = world.mallory.signed("agreement", rfc8785.dumps(body))
    receive(world.alpha, world.mallory.package(world.alpha, part("statement", raw)))
    number = next(a.number for a in agreements.listed(world.alpha) if a.counterpart == "mallory")
    agreements.sign(world.alpha, number, beside(world.alpha), quiet())


def statement_id(_package, world):
    from app.store import custody
    from tests.support.sites import peer

    reader = world.alpha.database.read()
    return custody.statements(reader, peer(world.alpha, "mallory").cid, ("request",))[0].id.hex()


def consent_facts(world, value, request, **changes):
    from tests.support.sites import sha256_of

    return {
        "of": "onward",
        "request": request,
        "for": world.beta.identity.fingerprint,
        "objects": [{"id": value["id"], "sha256": sha256_of(value)}],
        "until": LAST,
    } | changes


def arrives(world, *parts):
    return receive(world.alpha, world.mallory.package(world.alpha, *parts)).failed


def test_a_good_consent_of_theirs_counts(rogue):
    world, value, request = rogue
    assert code(world.alpha, "beta", value) == "onward-consent"
    assert arrives(world, world.mallory.statement("consent", **consent_facts(world, value, request))) == ()
    assert code(world.alpha, "beta", value) == "leaves"


def test_a_consent_for_something_else_does_nothing_and_is_named(rogue):
    world, value, request = rogue
    more = [*consent_facts(world, value, "")["objects"], {"id": value["id"], "sha256": "ab" * 32}]
    changes = [
        {"objects": [{"id": "indicator--other", "sha256": "ab" * 32}]},
        {"objects": more},
        {"for": "cd" * 32},
        {"of": "retention", "for": ""},
    ]
    before = verdicts(world.alpha, "beta")
    said = [
        world.mallory.statement("consent", **consent_facts(world, value, request, **change))
        for change in changes
    ]
    assert arrives(world, *said) == (("consent", "consent-other"),) * len(changes)
    assert verdicts(world.alpha, "beta") == before
    assert [state_ for (_, kind), state_ in found(world.alpha).items() if kind == "consent"] == ["void"] * 4
    assert problems(world.alpha) == []


def test_a_consent_that_says_nothing_is_named_and_changes_nothing(rogue):
    world, value, request = rogue
    one = {"id": "x", "sha256": "ab" * 32}
    changes = [
        {"until": "2026-02-30"},
        {"until": None},
        {"objects": []},
        {"objects": [one | {"sha256": "AB" * 32}]},
        {"objects": [one | {"id": "x" * 1001}]},
        {"objects": [one] * 2},
        {"objects": [one | {"more": 1}]},
        {"for": "beta"},
        {"request": "z" * 64},
        {"more": True},
    ]
    bodies = [{"of": "onward"}, *(consent_facts(world, value, request) | change for change in changes)]
    failed = arrives(world, *(world.mallory.statement("consent", **body) for body in bodies))
    assert failed == (("consent", "consent-unreadable"),) * len(bodies)
    assert code(world.alpha, "beta", value) == "onward-consent"
    assert [state_ for (_, kind), state_ in found(world.alpha).items() if kind == "consent"] == []


def test_a_consent_to_a_request_that_is_not_here_waits_and_does_nothing(rogue):
    world, value, _request = rogue
    facts = consent_facts(world, value, "ab" * 32)
    assert arrives(world, world.mallory.statement("consent", **facts)) == ()
    assert "waiting" in found(world.alpha).values()
    assert code(world.alpha, "beta", value) == "onward-consent"


def test_they_do_not_consent_to_their_own_request_in_our_name(rogue):
    world, value, _request = rogue
    own = {
        "of": "onward",
        "for": world.beta.identity.fingerprint,
        "name": "beta",
        "objects": consent_facts(world, value, "")["objects"],
        "until": None,
        "reason": "\u202egnihton",
    }
    statement = world.mallory.statement("request", **own)
    id_ = document.parse(statement.open().read()).id.hex()
    assert arrives(world, statement) == ()
    failed = arrives(world, world.mallory.statement("consent", **consent_facts(world, value, id_)))
    assert failed == (("consent", "consent-other"),)
    assert code(world.alpha, "beta", value) == "onward-consent"
    number = next(o.number for o in asking.listed(world.alpha) if not o.ours and o.kind == "request")
    assert refused(grant, world.alpha, number) == "never-given"


def test_a_withdrawal_of_what_is_unknown_is_kept_and_holds_when_it_comes(rogue):
    world, value, request = rogue
    statement = world.mallory.statement("consent", **consent_facts(world, value, request))
    id_ = document.parse(statement.open().read()).id.hex()
    gone = world.mallory.statement("withdrawal", of="consent", subject=id_, reason="")
    assert arrives(world, gone) == ()
    assert arrives(world, statement) == ()
    assert code(world.alpha, "beta", value) == "onward-consent"


def test_a_level_line_of_theirs_counts_when_it_is_stricter_than_the_marking(world):
    """Marked GREEN, given as AMBER: within TLP it does not go on."""
    agreed(world.alpha, world.beta)
    value = indicator(1, GREEN)
    path = world.mallory.intel(
        world.alpha, value, handling=[level_line(value, "AMBER")], release=secrets.token_bytes(16)
    )
    accept_all(world.alpha, path)
    assert code(world.alpha, "beta", value) == "onward-lapsed"


def test_a_consent_taken_back_between_the_look_and_the_seal_lets_nothing_leave(trio, monkeypatch):
    value = indicator(1, AMBER)
    given_by_alpha(trio, value)
    receive(trio.alpha, ask(trio.beta, "alpha", "gamma", value["id"]).package.path)
    receive(trio.beta, grant(trio.alpha, 1).package.path)
    ended = withdraw(trio.alpha, 2)
    sealed = releases.sealing.seal

    def late(*args, **kwargs):
        monkeypatch.setattr(releases.sealing, "seal", sealed)
        receive(trio.beta, ended.package.path)
        return sealed(*args, **kwargs)

    monkeypatch.setattr(releases.sealing, "seal", late)
    with pytest.raises(Refused) as error:
        release(trio.beta, "gamma", value["id"])
    assert error.value.code == "store-busy"


# A function of the set --------------------------------------------------------------------------------------

A, B, C = "a" * 64, "b" * 64, "c" * 64
SOME = (Content("x", "1" * 64), Content("y", "2" * 64))
ids = st.sampled_from([bytes([n]) * 32 for n in range(4)])
who, days = st.sampled_from([A, B]), st.sampled_from(["2026-06-01", "2026-06-05"])
some = st.sampled_from([SOME, SOME[:1], SOME[1:]])
requests = st.builds(
    Request, who, st.just(T0), st.just("onward"), st.just(C), st.just(""), some, days, st.just("")
)
given_out = st.builds(Consent, who, st.just(T0), st.just("onward"), ids, st.sampled_from([B, C]), some, days)
taken = st.builds(Withdrawal, who, st.just(T0), st.sampled_from(["request", "consent"]), ids, st.just(""))
sets = st.lists(st.tuples(ids, requests | given_out | taken), max_size=8, unique_by=lambda pair: pair[0])


@given(sets, st.randoms(), days)
def test_the_order_of_arrival_does_not_matter_and_nothing_counts_that_was_not_asked(said, random, today):
    known = consents.gathered(said)
    shuffled = list(said)
    random.shuffle(shuffled)
    again = consents.gathered(shuffled)
    for id_ in (*known.requests, *known.consents):
        assert consents.state(known, id_, today) == consents.state(again, id_, today)
    for consent in consents.in_force(known, today).values():
        asked = known.requests[consent.request]
        assert asked.by != consent.by
        assert asked.third == consent.third
        assert set(consent.contents) <= set(asked.contents)
        assert consent.until >= today


@given(sets, ids, days)
def test_a_withdrawal_brings_nothing_into_force(said, id_, today):
    before = consents.in_force(consents.gathered(said), today)
    more = [*said, (b"w" * 32, Withdrawal(B, T0, "consent", id_, ""))]
    assert consents.in_force(consents.gathered(more), today).keys() <= before.keys() - {id_}


levels = st.sampled_from([level for level in Level if level is not Level.UNREADABLE])
custodies = st.builds(
    Custody,
    st.sampled_from([A, B]),
    levels,
    st.sampled_from(["", "never", "consent", "within-tlp"]),
    st.booleans(),
)


@given(custodies, levels)
def test_nothing_goes_on_above_clear_without_leave(custody, level):
    one = Candidate(1, "x", level, (), custody=custody)
    code_ = gate.onward(one, Terms(Level.RED, True, to=B))
    strict = max(level, custody.given)
    if not code_ and custody.whose != B and strict is not Level.CLEAR:
        assert custody.onward in ("consent", "within-tlp")
        assert strict < Level.RED
        assert custody.consented or (custody.onward == "within-tlp" and strict is Level.GREEN)


# What they say of sectors -----------------------------------------------------------------------------------


def test_what_a_counterpart_says_of_sectors_narrows_and_gives_nothing(trio):
    """alpha and beta agree on water; beta sends claims about objects of alpha's."""
    silent, known = thing("malware", 1), thing("malware", 2)
    water, theirs = thing("identity", 3, sectors=["water"]), thing("identity", 4, sectors=["water"])
    energy = thing("identity", 5, sectors=["energy"])

    def targets(number, source, target):
        return relationship(number, source, target) | {"relationship_type": "targets"}

    take(trio.alpha, silent, known, water, targets(6, known, water))
    take(trio.beta, theirs, energy)
    claims = [targets(7, silent, theirs), targets(8, silent, water), targets(9, thing("tool", 10), theirs)]
    take(trio.beta, *claims, thing("tool", 10))
    accept_all(trio.alpha, release(trio.beta, "alpha").package.path)
    agreed(trio.alpha, trio.gamma, sectors=("water",))
    found_ = verdicts(trio.alpha, "gamma")
    assert found_[silent["id"]] == "sector", "a claim of somebody else gave it its first sector"
    assert found_[known["id"]] == "leaves"
    assert found_[thing("tool", 10)["id"]] == "leaves", "of their own they say what it is about"
    # A claim that it is about something else too holds it back.
    more = targets(11, known, energy)
    take(trio.beta, more)
    accept_all(trio.alpha, release(trio.beta, "alpha", more["id"]).package.path)
    assert verdicts(trio.alpha, "gamma")[known["id"]] == "sector"
