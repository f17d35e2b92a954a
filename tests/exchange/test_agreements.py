"""Agreements: what each side's statements make of them, what the gate makes of those, and what nobody can fake."""

from __future__ import annotations

import contextlib
from dataclasses import replace

import pytest
import rfc8785
from hypothesis import given, settings
from hypothesis import strategies as st

from app import cli
from app.exchange import (
    agreement_file,
    agreements,
    counterparts,
    outbox,
    releases,
    sealing,
    sectors,
    statements,
    terms,
    wording,
)
from app.exchange.agreements import Known, standing
from app.exchange.terms import Clauses
from app.holdings import importing
from app.intel import reading
from app.intel.marking import Level
from app.jobs import Job, quiet
from app.messages import MESSAGES, Refused
from app.store import agreements as store
from crypto import document
from tests.support.sites import (
    AMBER,
    acts,
    agreed,
    beside,
    bundle,
    copied,
    definition,
    indicator,
    part,
    peer,
    problems,
    receive,
    relationship,
    release,
    sealed_last,
    send,
    state,
    take,
    thing,
    verdicts,
)

PLAIN = Clauses(Level.AMBER, "2026-06-01", "2027-05-31", "2026-07-01")
"""The clock of the tests stands at noon of 2026-06-01."""


def refused(act, *args, **kwargs):
    """The code of the refusal; it has a sentence, and changes nothing when a site is the first argument."""
    before = state(args[0])
    with pytest.raises(Refused) as error:
        act(*args, **kwargs)
    assert error.value.code in MESSAGES
    assert state(args[0]) == before
    return error.value.code


def propose(site, to, supersedes=(), **clauses):
    return agreements.propose(site, to, replace(PLAIN, **clauses), supersedes, beside(site), quiet())


def sign(site, number):
    return agreements.sign(site, number, beside(site), quiet())


def end(site, number):
    return agreements.end(site, number, beside(site), quiet())


def agree(a, b, supersedes=(), **clauses):
    """An agreement between alpha and beta, proposed by `a`; its id."""
    names = {a.identity.fingerprint: "beta" if a.home.name == "alpha" else "alpha"}
    done = propose(a, names[a.identity.fingerprint], supersedes, **clauses)
    receive(b, done.package.path)
    number = next(one.number for one in agreements.listed(b) if one.id == done.agreement.id)
    receive(a, sign(b, number).package.path)
    return done.agreement.id


def states(site):
    return {one.id: one.state for one in agreements.listed(site)}


def number_of(site, id_):
    return next(one.number for one in agreements.listed(site) if one.id == id_)


def code_of(site, to, value, **wish):
    wish = releases.Wish((value["id"],), **wish)
    decision = releases.check(site, to, wish, quiet())
    return next(item.code for item in decision.items if item.id == value["id"])


def test_the_same_terms_are_not_proposed_twice_in_one_tick(world):
    propose(world.alpha, "beta")
    before = state(world.alpha)
    with pytest.raises(Refused, match="store-busy"):
        propose(world.alpha, "beta")
    assert state(world.alpha) == before
    world.clock.pass_days(1 / 86_400)
    propose(world.alpha, "beta")
    assert len(agreements.listed(world.alpha)) == 2
    assert problems(world.alpha) == []


# The life of one --------------------------------------------------------------------------------------------


def test_it_is_in_force_at_the_signer_on_signing_and_at_the_proposer_on_receipt(world):
    alpha, beta = world.alpha, world.beta
    mine, theirs = indicator(1, AMBER), indicator(2, AMBER)
    take(alpha, mine)
    take(beta, theirs)
    done = propose(alpha, "beta")
    assert (done.agreement.state, done.package.protection) == ("proposed", "card")
    receive(beta, done.package.path)
    assert states(beta) == states(alpha) == {done.agreement.id: "proposed"}
    assert code_of(alpha, "beta", mine) == code_of(beta, "alpha", theirs) == "no-agreement"
    signed = sign(beta, 1)
    assert (states(alpha)[done.agreement.id], states(beta)[done.agreement.id]) == ("proposed", "in-force")
    # In force; but alpha has not acknowledged beta's epoch, so beta seals to alpha's card still.
    assert code_of(beta, "alpha", theirs) == "card-key"
    assert receive(alpha, signed.package.path).failed == ()
    assert states(alpha) == {done.agreement.id: "in-force"}
    assert code_of(alpha, "beta", mine) == "leaves"
    receive(beta, send(alpha, "beta"))
    assert code_of(beta, "alpha", theirs) == "leaves"
    assert [act for act in acts(beta) if act.startswith("agreement")] == [
        "agreement.received",
        "agreement.signed",
    ]
    assert problems(alpha) == problems(beta) == []


def test_it_binds_one_channel_and_no_other(world):
    agree(world.alpha, world.beta)
    take(world.alpha, indicator(1, AMBER))
    assert verdicts(world.alpha, "mallory") == {indicator(1)["id"]: "no-agreement"}


def test_above_clear_leaves_from_the_first_to_the_last_day(world):
    alpha = world.alpha
    take(alpha, indicator(1, AMBER), indicator(2))
    agree(alpha, world.beta, start="2026-06-03", until="2026-06-04", open_until="2026-06-02")
    found = []
    for _ in range(5):
        found.append(verdicts(alpha, "beta"))
        world.clock.pass_days(1)
    assert [one[indicator(1)["id"]] for one in found] == ["period", "period", "leaves", "leaves", "period"]
    assert {one[indicator(2)["id"]] for one in found} == {"leaves"}
    assert set(states(alpha).values()) == {"expired"}


def test_the_last_moment_of_the_last_day_counts(world):
    take(world.alpha, indicator(1, AMBER))
    agree(world.alpha, world.beta, until="2026-06-02", open_until="2026-06-02")
    world.clock.time = world.clock.time.replace(day=2, hour=23, minute=59, second=59, microsecond=999_999)
    assert code_of(world.alpha, "beta", indicator(1)) == "leaves"
    world.clock.time = world.clock.time.replace(day=3, hour=0, minute=0, second=0, microsecond=0)
    assert code_of(world.alpha, "beta", indicator(1)) == "period"


def test_of_several_in_force_the_strictest_of_each_clause_counts(world):
    alpha, beta = world.alpha, world.beta
    flaw = thing("vulnerability", 3, AMBER)
    take(alpha, indicator(1, AMBER), indicator(2), flaw)
    agree(alpha, beta)
    second = agree(beta, alpha, ceiling=Level.GREEN, kinds=("threats",))
    assert verdicts(alpha, "beta") == {
        indicator(1)["id"]: "ceiling",
        indicator(2)["id"]: "leaves",
        flaw["id"]: "kind",
    }
    end(alpha, number_of(alpha, second))
    assert set(verdicts(alpha, "beta").values()) == {"leaves"}


@pytest.mark.parametrize("by", ["alpha", "beta"])
def test_either_side_ends_it(world, by):
    alpha, beta = world.alpha, world.beta
    take(alpha, indicator(1, AMBER))
    id_ = agree(alpha, beta)
    one, other = (alpha, beta) if by == "alpha" else (beta, alpha)
    done = end(one, 1)
    assert (states(one)[id_], states(other)[id_]) == ("ended", "in-force")
    receive(other, done.package.path)
    assert states(one) == states(other) == {id_: "ended"}
    assert code_of(alpha, "beta", indicator(1)) == "no-agreement"
    assert refused(agreements.end, alpha, 1, None, quiet()) == "agreement-ended"


def test_a_proposal_that_was_withdrawn_or_declined_is_not_signed(world):
    alpha, beta = world.alpha, world.beta
    done = propose(alpha, "beta")
    receive(beta, done.package.path)
    receive(alpha, end(beta, 1).package.path)
    assert states(alpha) == states(beta) == {done.agreement.id: "ended"}
    assert refused(agreements.sign, beta, 1, None, quiet()) == "agreement-ended"


def test_a_newer_one_replaces_from_its_first_day_and_for_good(world):
    alpha, beta = world.alpha, world.beta
    old = agree(alpha, beta)
    new = agree(alpha, beta, [1], ceiling=Level.GREEN, start="2026-06-02")
    assert states(alpha) == states(beta) == {old: "in-force", new: "upcoming"}
    world.clock.pass_days(1)
    assert states(alpha) == states(beta) == {old: "superseded", new: "in-force"}
    assert agreements.show(beta, number_of(beta, new)).supersedes == (number_of(beta, old),)
    receive(beta, end(alpha, number_of(alpha, new)).package.path)
    assert states(alpha) == states(beta) == {old: "superseded", new: "ended"}
    assert refused(agreements.sign, beta, number_of(beta, old), None, quiet()) == "agreement-superseded"


def test_a_newer_one_that_nobody_signed_replaces_nothing(world):
    old = agree(world.alpha, world.beta)
    propose(world.alpha, "beta", [1])
    assert states(world.alpha)[old] == "in-force"


def test_proposals_that_cross_are_two(world):
    alpha, beta = world.alpha, world.beta
    mine, theirs = propose(alpha, "beta"), propose(beta, "alpha")
    receive(beta, mine.package.path)
    receive(alpha, theirs.package.path)
    assert mine.agreement.id != theirs.agreement.id
    assert refused(agreements.sign, alpha, 1, None, quiet()) == "agreement-own"
    one, other = sign(alpha, 2), sign(beta, 2)
    receive(beta, one.package.path)
    receive(alpha, other.package.path)
    assert states(alpha) == states(beta) == {mine.agreement.id: "in-force", theirs.agreement.id: "in-force"}


def test_what_was_not_signed_in_time_is_closed(world):
    alpha, beta = world.alpha, world.beta
    done = propose(alpha, "beta", open_until="2026-06-02")
    receive(beta, done.package.path)
    world.clock.pass_days(1)
    assert states(beta)[done.agreement.id] == "proposed"
    world.clock.pass_days(1)
    assert states(alpha) == states(beta) == {done.agreement.id: "closed"}
    assert refused(agreements.sign, beta, 1, None, quiet()) == "agreement-closed"


def test_the_last_day_for_signing_is_one(world):
    done = propose(world.alpha, "beta", open_until="2026-06-02")
    receive(world.beta, done.package.path)
    world.clock.time = world.clock.time.replace(day=2, hour=23, minute=59)
    receive(world.alpha, sign(world.beta, 1).package.path)
    assert states(world.alpha) == states(world.beta) == {done.agreement.id: "in-force"}


class Midnight(Job):
    """A job during which a day passes."""

    def __init__(self, clock):
        super().__init__()
        self.clock = clock

    def step(self, done, total, stage):
        self.clock.time = self.clock.time.replace(day=3)


def test_what_closes_while_the_signature_is_sealed_is_not_signed(world):
    done = propose(world.alpha, "beta", open_until="2026-06-02")
    receive(world.beta, done.package.path)
    job = Midnight(world.clock)
    assert refused(agreements.sign, world.beta, 1, None, job) == "agreement-closed"
    assert states(world.beta) == {done.agreement.id: "closed"}
    assert problems(world.beta) == []


def test_a_signature_that_was_made_too_late_is_refused_by_the_proposer(world):
    alpha, beta = world.alpha, world.beta
    take(alpha, indicator(1, AMBER))
    done = propose(alpha, "beta", open_until="2026-06-02")
    receive(beta, done.package.path)
    late = countersignature(beta, done.agreement.id, at="2026-06-03T00:00:00.000Z")
    got = receive(alpha, sealed(beta, "alpha", late))
    assert got.failed == (("countersignature", "agreement-closed"),)
    assert states(alpha) == {done.agreement.id: "closed"}
    assert code_of(alpha, "beta", indicator(1)) == "no-agreement"
    assert refused(agreement_file.export, alpha, 1) == "agreement-unsigned"


def test_a_signature_in_time_counts_however_late_it_comes(world):
    alpha, beta = world.alpha, world.beta
    done = propose(alpha, "beta", open_until="2026-06-02")
    receive(beta, done.package.path)
    signed = sign(beta, 1)
    world.clock.pass_days(60)
    assert states(alpha) == {done.agreement.id: "closed"}
    receive(alpha, signed.package.path)
    assert states(alpha) == {done.agreement.id: "in-force"}


def test_a_package_that_is_lost_takes_nothing_with_it(world):
    alpha, beta = world.alpha, world.beta
    propose(alpha, "beta")
    receive(beta, send(alpha, "beta"))
    sign(beta, 1)
    receive(alpha, send(beta, "alpha"))
    assert list(states(alpha).values()) == ["in-force"]


@pytest.mark.parametrize(
    "changes",
    [
        {"until": "2026-05-31", "start": "2026-05-01", "open_until": "2026-05-31"},
        {"start": "2027-06-01"},
        {"open_until": "2026-05-31"},
        {"open_until": "2027-06-01"},
    ],
)
def test_a_period_that_makes_no_sense_is_not_proposed(world, changes):
    propose_ = agreements.propose
    clauses = replace(PLAIN, **changes)
    assert refused(propose_, world.alpha, "beta", clauses, (), None, quiet()) == "agreement-period"


def test_what_cannot_be_proposed_signed_or_shown(world):
    alpha = world.alpha
    bad = replace(PLAIN, sectors=("Not A Word",))
    assert refused(agreements.propose, alpha, "beta", bad, (), None, quiet()) == "agreement-clause"
    assert refused(agreements.propose, alpha, "beta", PLAIN, (7,), None, quiet()) == "agreement-unknown"
    propose(alpha, "mallory")
    assert refused(agreements.propose, alpha, "beta", PLAIN, (1,), None, quiet()) == "agreement-unknown"
    for act in (agreements.sign, agreements.end):
        assert refused(act, alpha, 7, None, quiet()) == "agreement-unknown"
    assert refused(agreements.show, alpha, 7) == "agreement-unknown"
    assert refused(agreement_file.export, alpha, 7) == "agreement-unknown"
    assert refused(agreement_file.export, alpha, 1) == "agreement-unsigned"
    agree(alpha, world.beta)
    assert refused(agreements.sign, world.beta, 1, None, quiet()) == "agreement-signed"


def test_differences_are_told_clause_by_clause(world):
    propose(world.alpha, "beta")
    propose(world.alpha, "beta", ceiling=Level.RED, retention=30)
    assert agreements.differences(world.alpha, 1, 2) == {"ceiling": ("AMBER", "RED"), "retention": (None, 30)}


# A release under it -----------------------------------------------------------------------------------------


def test_what_is_not_in_force_any_more_at_the_seal_lets_nothing_leave(world):
    alpha = world.alpha
    take(alpha, indicator(1, AMBER))
    agree(alpha, world.beta)
    wish = releases.Wish(None)
    decision = releases.check(alpha, "beta", wish, quiet())
    end(alpha, 1)
    args = (peer(alpha, "beta"), wish, decision, b"r" * 16, None, None, quiet())
    assert refused(releases.send, alpha, *args) == "store-busy"
    assert problems(alpha) == []


def test_a_purpose_is_stated_kept_and_sent_again_with_it(world):
    alpha, beta = world.alpha, world.beta
    take(alpha, indicator(1, AMBER))
    id_ = agree(alpha, beta, purposes=("detection", "research"))
    for purpose, code in (("", "purpose"), ("fun", "purpose"), ("research", "leaves")):
        assert code_of(alpha, "beta", indicator(1), purpose=purpose) == code
    with pytest.raises(Refused, match="purpose-unusable"):
        release(alpha, "beta", purpose="All the world")
    first = release(alpha, "beta", purpose="research")
    record = sealed_last(alpha, "beta")
    said = store.release_terms(alpha.database.read(), record.cid, record.epoch, record.seq)
    assert said == store.ReleaseTerms("research", False, (number_of(alpha, id_),))
    again = outbox.resend(alpha, "beta", first.package.seq, beside(alpha), quiet())
    assert receive(beta, again.package.path).objects == 1


def test_exercises_only(world):
    take(world.alpha, indicator(1))
    agree(world.alpha, world.beta, exercise=True)
    assert code_of(world.alpha, "beta", indicator(1)) == "exercise"
    assert code_of(world.alpha, "beta", indicator(1), exercise=True) == "leaves"


def test_kinds_and_what_has_none(world):
    alpha = world.alpha
    author, nobody = thing("identity", 1), thing("identity", 2)
    mark = definition(3, "green")
    bad = thing("malware", 4, mark["id"], created_by_ref=author["id"])
    flaw = thing("vulnerability", 5, created_by_ref=nobody["id"])
    cure = thing("course-of-action", 6)
    uses = relationship(7, bad, flaw)
    knows = relationship(8, bad, indicator(9))
    stray = relationship(10, indicator(11), thing("vulnerability", 12))
    people = relationship(13, author, nobody)
    take(alpha, author, nobody, mark, bad, flaw, cure, uses, knows, indicator(9), stray, people)
    agree(alpha, world.beta, kinds=("threats",))
    found = verdicts(alpha, "beta")
    leaving = {id_ for id_, code in found.items() if code == "leaves"}
    assert leaving == {one["id"] for one in (author, mark, bad, knows, indicator(9))}
    assert {found[one["id"]] for one in (nobody, flaw, cure, uses, stray, people)} == {"kind"}


def test_what_names_an_object_of_another_kind_is_held_back_though_that_is_not_selected(world):
    flaw = thing("vulnerability", 1)
    take(world.alpha, flaw, indicator(2, description=f"see {flaw['id']}"))
    agree(world.alpha, world.beta, kinds=("threats",))
    assert verdicts(world.alpha, "beta", indicator(2)["id"]) == {indicator(2)["id"]: "withheld-reference"}


def test_sectors_from_identities_targets_and_labels(world):
    alpha = world.alpha
    water = thing("identity", 1, sectors=["water"])
    both = thing("identity", 2, sectors=["water", "energy"])
    author = thing("identity", 3, sectors=["water"])
    bad, worse, known = thing("malware", 4), thing("malware", 5), thing("malware", 6)
    hits = relationship(7, bad, water) | {"relationship_type": "targets"}
    hits_more = relationship(8, worse, both) | {"relationship_type": "targets"}
    near = relationship(9, known, water)
    report = thing("report", 10, published=T, report_types=["x"], object_refs=[water["id"]])
    mine = indicator(11, created_by_ref=author["id"])
    take(alpha, water, both, author, bad, worse, known, hits, hits_more, near, report, mine)
    agree(alpha, world.beta, sectors=("water",))
    found = verdicts(alpha, "beta")
    assert {id_ for id_, code in found.items() if code == "leaves"} == {
        one["id"] for one in (water, bad, hits, report)
    }
    assert {found[one["id"]] for one in (worse, known, hits_more, mine, both, author)} == {"sector"}
    assert found[near["id"]] == "withheld-reference"
    sectors.label(alpha, mine["id"], ["water"])
    sectors.label(alpha, bad["id"], ["energy"])
    found = verdicts(alpha, "beta")
    assert (found[mine["id"]], found[author["id"]], found[bad["id"]]) == ("leaves", "leaves", "sector")
    assert sectors.label(alpha, bad["id"], []) == {"energy"}
    assert verdicts(alpha, "beta")[bad["id"]] == "leaves"


T = "2026-01-01T00:00:00.000Z"


def test_no_spelling_hides_a_sector(world):
    water, energy = thing("identity", 1, sectors=["water"]), thing("identity", 2, sectors=["energy"])
    report = thing("report", 3, published=T, report_types=["x"], object_refs=[water["id"], energy["id"]])
    odd = thing("report", 7, published=T, report_types=["x"], object_refs=[energy["id"]], created_by_ref="x")
    bad = thing("malware", 4)
    hits = [
        relationship(n, bad, one) | {"relationship_type": "targets"} for n, one in ((5, water), (6, energy))
    ]
    before, _, after = bundle(water, energy, report, odd, bad, *hits).rpartition(b'"targets"')
    text = (before + b'"target\\u0073"' + after).replace(b'"identity--00000002', b'"\\u0069dentity--00000002')
    importing.import_entries(world.alpha, reading.read_bundle(text), "file", Level.CLEAR, quiet())
    agree(world.alpha, world.beta, sectors=("water",))
    found = verdicts(world.alpha, "beta")
    assert (found[report["id"]], found[bad["id"]]) == ("sector", "sector")
    agree(world.alpha, world.beta, [1], sectors=("energy",))
    assert code_of(world.alpha, "beta", odd) == "leaves"


def test_relationships_that_name_each_other_have_no_sector(world):
    one = relationship(1, thing("relationship", 2), indicator(3))
    two = relationship(2, thing("relationship", 1), indicator(3))
    take(world.alpha, one, two)
    agree(world.alpha, world.beta, sectors=("water",))
    assert set(verdicts(world.alpha, "beta").values()) == {"sector"}


def test_labels_that_are_refused(world):
    take(world.alpha, indicator(1))
    assert refused(sectors.label, world.alpha, indicator(1)["id"], ["Two Words"]) == "sector-unusable"
    assert refused(sectors.label, world.alpha, indicator(2)["id"], ["water"]) == "object-unknown"


# What somebody else makes up ---------------------------------------------------------------------------------


def sealed(site, to, *made):
    """A package with these statements, whatever they say."""
    content = sealing.Content(statements=made)
    return sealing.seal(
        site, peer(site, to), content, beside(site), lambda tx, epoch, seq: None, quiet()
    ).path


def countersignature(site, id_, body=None, **facts):
    """A countersignature by a site over the agreement `id_` as it is held there, or over another text."""
    row = next(row for row in store.of(site.database.read()) if row.id.hex() == id_)
    raw = document.sign("agreement", body or document.parse(row.raw).body, site.identity.signing)
    signature = document.parse(raw).signature.hex()
    return statements.make(site, "countersignature", **{"agreement": id_, "signature": signature} | facts)


def test_a_countersignature_over_another_text_does_not_count(world):
    alpha, beta = world.alpha, world.beta
    done = propose(alpha, "beta")
    receive(beta, done.package.path)
    other = countersignature(beta, done.agreement.id, body=b"{}")
    truncated = countersignature(beta, done.agreement.id, signature="00")
    got = receive(alpha, sealed(beta, "alpha", other, truncated))
    assert got.failed == (("countersignature", "countersignature-wrong"),) * 2
    assert states(alpha) == {done.agreement.id: "proposed"}


def rogue_package(world, *pieces):
    return receive(world.alpha, world.mallory.package(world.alpha, *pieces))


def rogue_proposal(world, **changes):
    parties = sorted((world.mallory.fingerprint, world.alpha.identity.fingerprint))
    facts = {"by": world.mallory.fingerprint, "at": T} | terms.facts(parties, PLAIN) | changes
    return world.mallory.signed("agreement", rfc8785.dumps(facts))


def rogue_signature(world, raw):
    body = document.parse(raw).body
    signature = document.parse(world.mallory.signed("agreement", body)).signature.hex()
    return world.mallory.statement(
        "countersignature", agreement=document.parse(raw).id.hex(), signature=signature
    )


def test_nobody_signs_both_sides(world):
    take(world.alpha, indicator(1, AMBER))
    raw = rogue_proposal(world)
    got = rogue_package(world, part("statement", raw), rogue_signature(world, raw))
    assert got.failed == (("countersignature", "countersignature-wrong"),)
    assert list(states(world.alpha).values()) == ["proposed"]
    assert verdicts(world.alpha, "mallory") == {indicator(1)["id"]: "no-agreement"}


def test_an_agreement_between_others_says_nothing_here(world):
    beta, mallory = world.beta.identity.fingerprint, world.mallory.fingerprint
    got = rogue_package(world, part("statement", rogue_proposal(world, parties=sorted((beta, mallory)))))
    assert got.failed == (("agreement", "agreement-unreadable"),)
    assert states(world.alpha) == {}


def test_a_proposal_of_ours_sent_back_as_theirs_says_nothing(world):
    done = propose(world.alpha, "mallory")
    row = store.at(world.alpha.database.read(), done.agreement.number)
    body = document.parse(row.raw).body
    got = rogue_package(
        world, part("statement", row.raw), part("statement", world.mallory.signed("agreement", body))
    )
    assert got.failed == (("statement", "document-format"), ("statement", "document-format"))
    assert states(world.alpha) == {done.agreement.id: "proposed"}


@pytest.mark.parametrize(
    "body",
    [
        b'{"by":"%s"}',
        b'{"by":"%s","at":' + b"[" * 50_000 + b"]" * 50_000 + b"}",
        b'{"by":"%s","at":"9999-99-99T99:99:99.999Z"}',
    ],
    ids=["bare", "deep", "absurd"],
)
@pytest.mark.parametrize("kind", agreements.KINDS)
def test_hostile_bodies_are_named_and_change_no_agreement(world, kind, body):
    raw = world.mallory.signed(kind, body.replace(b"%s", world.mallory.fingerprint.encode()))
    failed = rogue_package(world, part("statement", raw)).failed
    if b"[" in body:
        assert failed == (("statement", "document-format"),)
    elif kind == "withdrawal":
        # Of what, it does not say: perhaps of something that others read.
        assert failed == ()
    else:
        assert failed == ((kind, "agreement-unreadable"),)
    assert states(world.alpha) == {}
    assert problems(world.alpha) == []


def test_what_waits_for_an_agreement_takes_effect_with_it(world):
    raw = rogue_proposal(world)
    id_ = document.parse(raw).id.hex()
    assert (
        rogue_package(world, world.mallory.statement("withdrawal", of="agreement", subject=id_)).failed == ()
    )
    assert states(world.alpha) == {}
    rogue_package(world, part("statement", raw))
    assert states(world.alpha) == {id_: "ended"}
    assert refused(agreements.sign, world.alpha, 1, None, quiet()) == "agreement-ended"


def test_what_is_replayed_after_its_withdrawal_stays_ended(world):
    """The proposal in a package of its own, and the signature in the form in which it came."""
    take(world.alpha, indicator(1, AMBER))
    proposal = rogue_proposal(world)
    id_ = document.parse(proposal).id.hex()
    rogue_package(world, part("statement", proposal))
    sign(world.alpha, 1)
    assert states(world.alpha) == {id_: "in-force"}
    assert (
        rogue_package(world, world.mallory.statement("withdrawal", of="agreement", subject=id_)).failed == ()
    )
    before = agreements.listed(world.alpha), code_of(world.alpha, "mallory", indicator(1))
    assert rogue_package(world, part("statement", proposal)).failed == ()
    assert (agreements.listed(world.alpha), code_of(world.alpha, "mallory", indicator(1))) == before
    assert states(world.alpha) == {id_: "ended"}
    assert before[1] == "no-agreement"
    assert refused(agreements.sign, world.alpha, 1, None, quiet()) == "agreement-ended"


def test_a_withdrawal_of_something_else_is_not_ours_to_read(world):
    assert rogue_package(world, world.mallory.statement("withdrawal", of="roster", subject="x")).failed == ()


def test_what_ran_out_does_not_come_back_with_a_clock_that_went_back(world):
    value = indicator(1, AMBER)
    take(world.alpha, value)
    agreed(world.alpha, world.beta, until="2026-06-02", open_until="2026-06-02")
    send(world.alpha, "beta")
    assert agreements.in_force(
        world.alpha.database.read(), world.alpha, peer(world.alpha, "beta").cid
    ).clauses
    world.clock.pass_days(3)
    take(world.alpha, indicator(9))
    world.clock.pass_days(-3)
    assert agreements.in_force(
        world.alpha.database.read(), world.alpha, peer(world.alpha, "beta").cid
    ) == agreements.InForce(lapsed=True)
    assert agreements.listed(world.alpha)[0].state == "expired"
    assert verdicts(world.alpha, "beta", value["id"]) == {value["id"]: "period"}


# A function of the set ---------------------------------------------------------------------------------------

PROPOSALS = ["mine", "theirs", "newer", "bad"]
ANSWERS = ["sign-mine", "sign-theirs", "sign-newer", "late", "wrong", "own", "end-theirs", "end-mine"]
NAMES = [*PROPOSALS, *ANSWERS, "end-unknown", "sign-unknown"]


@pytest.fixture(scope="module")
def scene(strangers_template, tmp_path_factory):
    """alpha, beta, and statements of either about agreements: (author's name, statement) by name, in a function,
    for they are too long to print.
    """
    with copied(strangers_template, tmp_path_factory.mktemp("scene")) as world:
        made = _made(world)
        yield lambda: (world, made)


def _made(world):
    alpha, beta = world.alpha, world.beta
    parties = (alpha.identity.fingerprint, beta.identity.fingerprint)

    def proposal(site, **clauses):
        return statements.make(site, "agreement", **terms.facts(parties, replace(PLAIN, **clauses)))

    def signs(site, subject, body=None, **facts):
        raw = document.sign("agreement", body or document.parse(subject.raw).body, site.identity.signing)
        facts = {"agreement": subject.id.hex(), "signature": document.parse(raw).signature.hex()} | facts
        return site.home.name, statements.make(site, "countersignature", **facts)

    def ends(site, id_):
        return site.home.name, statements.make(site, "withdrawal", of="agreement", subject=id_.hex())

    mine, theirs = proposal(alpha), proposal(beta, ceiling=Level.GREEN)
    newer = proposal(alpha, supersedes=(mine.id.hex(),), start="2026-06-02")
    return {
        "mine": ("alpha", mine),
        "theirs": ("beta", theirs),
        "newer": ("alpha", newer),
        "sign-mine": signs(beta, mine),
        "sign-theirs": signs(alpha, theirs),
        "sign-newer": signs(beta, newer),
        "late": signs(beta, mine, at="2026-07-02T00:00:00.000Z"),
        "wrong": signs(beta, newer, b"{}"),
        "own": signs(alpha, newer),
        "end-theirs": ends(alpha, theirs.id),
        "end-mine": ends(beta, mine.id),
        "end-unknown": ends(beta, b"u" * 32),
        "sign-unknown": signs(alpha, theirs, agreement="f" * 64),
        "bad": ("beta", statements.make(beta, "agreement", nothing=True)),
    }


class _Undo(Exception):
    pass


def outcome(site, other, made, names):
    """What a site makes of these statements in this order; the store is left as it was."""
    found = {}
    one = peer(site, other.home.name)
    try:
        with site.database.write() as tx:
            for name in names:
                author, statement = made[name]
                if author == site.home.name:
                    statements.keep_own(tx, site, one.cid, statement)
                    with contextlib.suppress(wording.Unreadable):
                        agreements._keep(tx, site, one, statement, ours=True)
                elif statements.keep_theirs(tx, site, one.cid, statement):
                    agreements.apply(tx, site, one, statement)
            for agreement in agreements._agreements(tx, site, one):
                found[agreement.id] = (agreement.state, agreement.signed, agreement.ended, agreement.clauses)
            force = agreements.in_force(tx, site, one.cid)
            raise _Undo
    except _Undo:
        return found, force.clauses, force.lapsed, {id_ for _, id_ in force.agreements}


@settings(max_examples=40)
@given(st.permutations(NAMES), st.integers(0, len(NAMES)), st.integers(0, 2))
def test_the_state_is_a_function_of_the_set_on_both_sides(scene, order, count, days):
    world, made = scene()
    order = order[:count]
    chosen = set(order)
    before = world.clock.time
    world.clock.pass_days(days)
    try:
        found = [
            outcome(site, other, made, names)
            for site, other in ((world.alpha, world.beta), (world.beta, world.alpha))
            for names in (order, sorted(chosen), order[::-1])
        ]
    finally:
        world.clock.time = before
    assert all(one == found[0] for one in found[1:])
    expected = set()
    replaced = days > 0 and {"newer", "sign-newer"} <= chosen
    if {"mine", "sign-mine"} <= chosen and "end-mine" not in chosen and not replaced:
        expected.add(made["mine"][1].id.hex())
    if {"theirs", "sign-theirs"} <= chosen and "end-theirs" not in chosen:
        expected.add(made["theirs"][1].id.hex())
    if replaced:
        expected.add(made["newer"][1].id.hex())
    assert found[0][3] == expected


ids = st.sampled_from([bytes([n]) * 32 for n in range(4)])
known = st.builds(
    Known,
    st.builds(
        lambda start, length, supersedes: replace(
            PLAIN,
            start=f"2026-06-{start:02}",
            until=f"2026-06-{start + length:02}",
            supersedes=tuple(sorted({id_.hex() for id_ in supersedes})),
        ),
        st.integers(1, 9),
        st.integers(0, 9),
        st.lists(ids, max_size=2),
    ),
    st.lists(st.sampled_from(["2026-06-01", "2026-07-01", "2026-07-02"]), max_size=2).map(tuple),
    st.booleans(),
)


@given(st.dictionaries(ids, known, max_size=4), st.integers(1, 20))
def test_only_what_both_signed_in_time_within_its_days_is_in_force(some, day):
    today = f"2026-06-{day:02}"
    found = standing(some, today)
    assert found.keys() == some.keys()
    for id_, state_ in found.items():
        one = some[id_]
        assert state_ in agreements.STATES
        if state_ == "in-force":
            assert not one.withdrawn
            assert min(one.signed) <= one.clauses.open_until
            assert one.clauses.start <= today <= one.clauses.until


@given(st.dictionaries(ids, known, max_size=4), ids, st.integers(1, 20))
def test_a_withdrawal_brings_nothing_into_force(some, id_, day):
    today = f"2026-06-{day:02}"
    if id_ not in some:
        return
    after = standing(some | {id_: replace(some[id_], withdrawn=True)}, today)
    before = standing(some, today)
    in_force = {one for one, state_ in after.items() if state_ == "in-force"}
    assert in_force <= {one for one, state_ in before.items() if state_ == "in-force"}


# The exported file -------------------------------------------------------------------------------------------


@pytest.fixture
def exported(world):
    id_ = agree(world.alpha, world.beta)
    cards = [counterparts.own_card(site) for site in (world.alpha, world.beta)]
    return id_, agreement_file.export(world.beta, 1), cards


def refused_file(raw, cards):
    with pytest.raises(Refused) as error:
        agreement_file.check(raw, cards)
    assert error.value.code in MESSAGES
    return error.value.code


def pieces(raw):
    return [one.raw for one in agreement_file._documents(raw)]


def test_anybody_checks_both_signatures_with_the_cards_in_any_order(world, exported):
    id_, raw, cards = exported
    for given_ in (cards, cards[::-1]):
        found = agreement_file.check(raw, given_)
        assert (found.id, found.proposer.name, found.signer.name) == (id_, "alpha", "beta")
        assert (found.clauses, found.ended) == (PLAIN, "")
    receive(world.beta, end(world.alpha, 1).package.path)
    assert agreement_file.check(agreement_file.export(world.beta, 1), cards).ended == world.alpha.now()


def test_a_file_that_was_changed_anywhere_fails(exported):
    _, raw, cards = exported
    for where in range(0, len(raw), len(raw) // 40):
        changed = bytearray(raw)
        changed[where] ^= 1
        assert refused_file(bytes(changed), cards).startswith("agreement-")


def test_files_that_prove_nothing(world, exported):
    _, raw, cards = exported
    first, second = pieces(raw)
    mallory = world.mallory.identity.card("mallory", "XX", T)
    assert refused_file(raw, [cards[0], mallory]) == "agreement-parties"
    assert refused_file(raw, [cards[0], cards[0]]) == "agreement-parties"
    assert refused_file(raw, [cards[0], b"no card"]) == "not-a-card"
    assert refused_file(agreement_file.encode([first]), cards) == "agreement-unsigned"
    assert refused_file(agreement_file.encode([second, first]), cards) == "agreement-file"
    assert refused_file(agreement_file.encode([]), cards) == "agreement-file"
    most = agreement_file.STATEMENT_LIMIT
    assert agreement_file.check(agreement_file.encode([first, *[second] * (most - 1)]), cards)
    assert refused_file(agreement_file.encode([first, *[second] * most]), cards) == "agreement-file"
    full = raw + b" " * (agreement_file.FILE_LIMIT - len(raw))
    assert agreement_file.check(full, cards)
    assert refused_file(full + b" ", cards) == "agreement-file"
    assert refused_file(b" " * (agreement_file.FILE_LIMIT + 1), cards) == "agreement-file"
    assert refused_file(b"[" * 100_000, cards) == "agreement-file"
    own = statements.make(
        world.alpha,
        "countersignature",
        agreement=document.parse(first).id.hex(),
        signature=document.parse(first).signature.hex(),
    )
    assert refused_file(agreement_file.encode([first, own.raw]), cards) == "agreement-forged"
    late = countersignature(world.beta, document.parse(first).id.hex(), at="2026-07-02T00:00:00.000Z")
    assert refused_file(agreement_file.encode([first, late.raw]), cards) == "agreement-closed"
    id_ = agree(world.alpha, world.beta, ceiling=Level.RED)
    other = pieces(agreement_file.export(world.alpha, number_of(world.alpha, id_)))
    assert refused_file(agreement_file.encode([other[0], second]), cards) == "agreement-file"


def test_the_command_that_checks_needs_no_installation(exported, tmp_path, capsys):
    _, raw, cards = exported
    file = tmp_path / "file"
    file.write_bytes(raw)
    options = []
    for number, card in enumerate(cards):
        (tmp_path / f"{number}.card").write_bytes(card)
        options += ["--card", str(tmp_path / f"{number}.card")]
    command = ["--home", str(tmp_path / "nowhere"), "agreement", "verify", str(file)]
    assert cli._run([*command, *options]) == 0
    assert "by beta, over the same text" in capsys.readouterr().out
    assert cli._run([*command, *options[:2]]) == 2
    file.write_bytes(raw[:-9])
    assert cli._run([*command, *options]) == 1
    assert "error: agreement-file: " in capsys.readouterr().err
    assert not (tmp_path / "nowhere").exists()


@pytest.mark.parametrize(
    "options", [["--until", "2027-02-30"], ["--until", "soon"], ["--kinds", "rumours"], ["--ceiling", "BLUE"]]
)
def test_words_that_are_none_are_wrong_usage(options, capsys):
    base = {"--to": "beta", "--ceiling": "AMBER", "--until": "2030-01-01"}
    given_ = base | dict(zip(options[::2], options[1::2], strict=True))
    words = [word for pair in given_.items() for word in pair]
    assert cli._run(["agreement", "propose", *words]) == 2
    assert capsys.readouterr().err
