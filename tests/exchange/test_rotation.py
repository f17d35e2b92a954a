"""Identities that follow one another: what a rotation carries over, and everything that must not pass for one."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets

import pytest

from app import vault
from app.exchange import (
    agreement_file,
    agreements,
    counterparts,
    epochs,
    identities,
    outbox,
    receipts,
    receiving,
    sealing,
)
from app.intel.marking import Level
from app.jobs import quiet
from app.messages import Refused
from app.store import people
from crypto import document, rotation
from crypto.errors import CryptoError
from crypto.identity import Identity
from tests.exchange.test_agreements import agree, propose
from tests.support.sites import (
    CHEAP,
    PASSPHRASE,
    T0,
    accept_all,
    acts,
    beside,
    channel,
    indicator,
    part,
    pin,
    receive,
    release,
    send,
    state,
    take,
    unlocked,
)


def refusal(act, *args, **kwargs):
    with pytest.raises(Refused) as caught:
        act(*args, **kwargs)
    return caught.value.code


def listed(site, alias):
    return next(one for one in counterparts.listed(site) if one.alias == alias)


# The honest way ---------------------------------------------------------------------------------------------


def test_a_rotation_carries_the_verification_over_and_the_exchange_goes_on(met):
    old = met.alpha.identity.fingerprint
    new = identities.rotate(met.alpha)
    assert met.alpha.identity.fingerprint == new != old
    assert counterparts.own(met.alpha).fingerprint == new
    got = receive(met.beta, send(met.alpha, "beta"))
    assert (got.status, got.failed) == ("new", (("rotation", "identity-rotated"),))
    one = listed(met.beta, "alpha")
    assert (one.fingerprint, one.verified, one.former) == (new, True, (old,))
    assert one.carried
    assert epochs.status(met.beta, "alpha").pending == ""
    # The other way, under the new card, and then with one-time keys again.
    answer = send(met.beta, "alpha")
    assert receive(met.alpha, answer).status == "new"
    take(met.alpha, indicator(1))
    done = release(met.alpha, "beta").package
    assert done.protection == "onetime"
    assert accept_all(met.beta, done.path).accepted == 1
    # The officers may compare the new card whenever they like.
    assert counterparts.verify(met.beta, "alpha").carried == ""
    assert acts(met.beta).count("counterpart.verified") == 2


def test_the_old_signing_key_is_gone_at_once_and_the_old_kem_key_when_nothing_needs_it(met):
    first = met.alpha.identity
    identities.rotate(met.alpha)
    before, _now = people.identities(met.alpha.database.read())
    assert first.signing.seed not in before.secret
    assert first.kem_seed in before.secret
    assert identities.listed(met.alpha)[1].waiting == ("beta", "mallory")
    receive(met.beta, send(met.alpha, "beta"))
    receive(met.alpha, send(met.beta, "alpha"))
    assert identities.listed(met.alpha)[1].waiting == ("mallory",)
    assert len(met.alpha.identities.retired) == 1
    counterparts.revoke(met.alpha, "mallory")
    receive(met.alpha, send(met.beta, "alpha"))
    assert [one.state for one in identities.listed(met.alpha)] == ["in-use", "erased"]
    assert met.alpha.identities.retired == ()
    assert people.identities(met.alpha.database.read())[0].secret == b""


def test_a_rotation_that_could_not_be_wiped_from_the_disk_is_in_force(met, monkeypatch):
    """What the store says is done must not be signed with the key from before."""
    before = met.alpha.identity

    def fails():
        raise Refused("traces-left", why="disk I/O error")

    with monkeypatch.context() as patched:
        patched.setattr(met.alpha.database, "_wipe", fails)
        assert refusal(identities.rotate, met.alpha) == "traces-left"
    assert met.alpha.identity is not before
    receive(met.beta, send(met.alpha, "beta"))


def test_the_old_kem_key_stays_while_a_package_from_before_is_missing(world):
    counterparts.revoke(world.alpha, "mallory")
    receive(world.beta, send(world.alpha, "beta"))
    slow = send(world.beta, "alpha")
    identities.rotate(world.alpha)
    receive(world.beta, send(world.alpha, "beta"))
    assert receive(world.alpha, send(world.beta, "alpha")).status == "gap"
    assert identities.listed(world.alpha)[1].waiting == ("beta",)
    # Sealed to the old card, for the old name.
    assert receive(world.alpha, slow).status == "new"
    assert identities.listed(world.alpha)[1].state == "erased"


def test_the_old_kem_key_stays_while_a_package_of_an_epoch_before_is_missing(met):
    counterparts.revoke(met.alpha, "mallory")
    identities.rotate(met.alpha)
    identities.rotate(met.beta)
    told, slow = send(met.alpha, "beta"), send(met.beta, "alpha")  # slow: to alpha's old card
    receive(met.beta, told)
    identities.rotate(met.beta)
    receive(met.alpha, send(met.beta, "alpha"))
    assert identities.listed(met.alpha)[1].waiting == ("beta",)
    assert receive(met.alpha, slow).status == "new"
    receive(met.alpha, send(met.beta, "alpha"))
    assert identities.listed(met.alpha)[1].state == "erased"


def test_what_was_under_way_stays_readable_to_the_last_number(met):
    take(met.alpha, indicator(1), indicator(2))
    late = [release(met.alpha, "beta", indicator(n)["id"]).package for n in (1, 2)]
    identities.rotate(met.alpha)
    assert {p.state for p in outbox.listed(met.alpha, "beta") if p.seq in (late[0].seq, late[1].seq)} == {
        "handed"
    }
    receive(met.beta, send(met.alpha, "beta"))
    status = epochs.status(met.beta, "alpha")
    assert status.missing_before == ((late[0].seq, late[1].seq),)
    for package in reversed(late):
        assert accept_all(met.beta, package.path).accepted == 1
    assert epochs.status(met.beta, "alpha").missing_before == ()
    assert channel(met.beta, "alpha").receiving.older == ()
    # Their receipts turn the ledger of the ended epoch too.
    receive(met.alpha, receipts.send(met.beta, "alpha", beside(met.beta), quiet()).path)
    assert {entry.state for entry in receipts.ledger(met.alpha, "beta")} == {"accepted"}


def test_an_ack_that_crossed_the_rotation_counts(met):
    take(met.alpha, indicator(1))
    sent = release(met.alpha, "beta").package
    receive(met.beta, sent.path)
    crossing = send(met.beta, "alpha")
    identities.rotate(met.alpha)
    receive(met.alpha, crossing)
    assert next(e.acknowledged for e in receipts.ledger(met.alpha, "beta"))
    assert {p.seq: p.state for p in outbox.listed(met.alpha, "beta")}[sent.seq] == "closed"


def test_a_package_of_theirs_that_crossed_the_rotation_is_opened(world):
    receive(world.beta, send(world.alpha, "beta"))
    crossing = [send(world.beta, "alpha") for _ in range(2)]
    identities.rotate(world.alpha)
    assert [receive(world.alpha, path).status for path in crossing] == ["new", "new"]


def test_two_rotations_that_nobody_saw_are_followed_in_one_step(met):
    late = send(met.alpha, "beta")
    identities.rotate(met.alpha)
    middle = send(met.alpha, "beta")
    newest = identities.rotate(met.alpha)
    receive(met.beta, send(met.alpha, "beta"))
    one = listed(met.beta, "alpha")
    assert (one.fingerprint, len(one.former)) == (newest, 2)
    assert len(channel(met.beta, "alpha").receiving.older) == 2
    assert [receive(met.beta, path).status for path in (middle, late)] == ["new", "new"]
    assert channel(met.beta, "alpha").receiving.older == ()


def test_a_rotation_before_the_first_package_and_one_after_it(world):
    identities.rotate(world.alpha)
    first = send(world.alpha, "beta")
    newest = identities.rotate(world.alpha)
    assert receive(world.beta, send(world.alpha, "beta")).status == "new"
    assert receive(world.beta, first).status == "new"
    assert listed(world.beta, "alpha").fingerprint == newest
    receive(world.alpha, send(world.beta, "alpha"))
    assert receive(world.beta, send(world.alpha, "beta")).status == "new"


def test_both_sides_rotate_at_once(met):
    a, b = identities.rotate(met.alpha), identities.rotate(met.beta)
    from_alpha, from_beta = send(met.alpha, "beta"), send(met.beta, "alpha")
    assert receive(met.beta, from_alpha).status == receive(met.alpha, from_beta).status == "new"
    assert (listed(met.beta, "alpha").fingerprint, listed(met.alpha, "beta").fingerprint) == (a, b)
    receive(met.beta, send(met.alpha, "beta"))
    assert receive(met.alpha, send(met.beta, "alpha")).failed == ()


def test_the_rotation_rides_until_it_is_acked_and_no_longer(met):
    identities.rotate(met.alpha)
    lost, kept = send(met.alpha, "beta"), send(met.alpha, "beta")
    assert receive(met.beta, kept).status == "gap"
    assert receive(met.beta, lost).status == "new"
    receive(met.alpha, send(met.beta, "alpha"))
    assert "statement" not in receive(met.beta, send(met.alpha, "beta")).parts


def test_it_survives_locking_and_unlocking(met, tmp_path):
    new = identities.rotate(met.alpha)
    met.close_alpha()
    with unlocked(met.alpha.home, met.clock) as again:
        assert again.identity.fingerprint == new
        assert len(again.identities.retired) == 1
        assert receive(met.beta, send(again, "beta")).status == "new"


def test_agreements_go_on_under_the_successor(met):
    agreed = agree(met.alpha, met.beta)
    waiting = propose(
        met.alpha, "beta", ceiling=Level.GREEN
    ).agreement.id  # signed by the old key; it rides on
    identities.rotate(met.alpha)
    receive(met.beta, send(met.alpha, "beta"))
    for site in (met.alpha, met.beta):
        assert {one.id: one.state for one in agreements.listed(site)} == {
            agreed: "in-force",
            waiting: "proposed",
        }
    number = next(one.number for one in agreements.listed(met.beta) if one.id == waiting)
    receive(met.alpha, agreements.sign(met.beta, number, beside(met.beta), quiet()).package.path)
    after = agree(met.beta, met.alpha, ceiling=Level.GREEN)
    for site in (met.alpha, met.beta):
        found = {one.id: one.state for one in agreements.listed(site)}
        assert found == dict.fromkeys((agreed, waiting, after), "in-force")


def test_an_exported_agreement_is_checked_with_the_cards_of_today(met):
    before = [counterparts.own_card(site) for site in (met.alpha, met.beta)]
    agreed = agree(met.alpha, met.beta)
    for _ in range(2):
        identities.rotate(met.alpha)
        receive(met.beta, send(met.alpha, "beta"))
    identities.rotate(met.beta)
    receive(met.alpha, send(met.beta, "alpha"))
    today = [counterparts.own_card(site) for site in (met.alpha, met.beta)]
    for site in (met.alpha, met.beta):
        number = next(one.number for one in agreements.listed(site) if one.id == agreed)
        raw = agreement_file.export(site, number)
        checked = agreement_file.check(raw, today)
        assert {checked.proposer.raw, checked.signer.raw} == set(today)
        assert checked.proposer.fingerprint == met.alpha.identity.fingerprint
        # The cards of that time do too, in any mixture; a stranger's do not, nor two of one party.
        assert agreement_file.check(raw, before).id == agreed
        assert agreement_file.check(raw, [before[0], today[1]]).id == agreed
        assert refusal(agreement_file.check, raw, [before[0], today[0]]) == "agreement-parties"
        stranger = Identity.generate().card("x", "XX", T0)
        assert refusal(agreement_file.check, raw, [stranger, today[1]]) == "agreement-parties"
        # Without the rotations nothing leads from today's cards to those that signed.
        documents = [base64.b64decode(text) for text in json.loads(raw)["statements"]]
        bare = [one for one in documents if document.parse(one).kind not in ("card", "rotation")]
        assert refusal(agreement_file.check, agreement_file.encode(bare), today) == "agreement-parties"
        torn = [
            one[:-1] + bytes([one[-1] ^ 1]) if document.parse(one).kind == "rotation" else one
            for one in documents
        ]
        assert refusal(agreement_file.check, agreement_file.encode(torn), today) == "agreement-forged"


def test_a_late_answer_by_the_old_key_counts(met):
    done = propose(met.beta, "alpha")
    receive(met.alpha, done.package.path)
    number = next(one.number for one in agreements.listed(met.alpha) if one.id == done.agreement.id)
    agreements.sign(met.alpha, number, beside(met.alpha), quiet())  # lost; the statement rides on
    identities.rotate(met.alpha)
    receive(met.beta, send(met.alpha, "beta"))
    assert {one.id: one.state for one in agreements.listed(met.beta)} == {done.agreement.id: "in-force"}


# What must not pass for a rotation ---------------------------------------------------------------------------


class Thief:
    """Somebody who has mallory's signing key, or claims to."""

    def __init__(self, met):
        self.met, self.mallory = met, met.mallory
        self.new = Identity.generate()
        self.old_identity = met.mallory.identity

    def rotation(self, new=None, old=None, at=T0):
        new = new or self.new
        return rotation.sign(old or self.old_identity, new, new.card("m", "XX", T0), at)

    def start(self, epoch, after, new=None, reason="rotated", card=None):
        """The statement by the new identity that begins an epoch after a head (epoch, seq, hash) of the old one."""
        new = new or self.new
        self.mallory.identity = new
        facts = {"epoch": after[0].hex(), "seq": after[1], "hash": after[2].hex() if after[2] else ""}
        return self.mallory.statement(
            "epoch", new=epoch.hex(), reason=reason, after=facts, peer=None, card=card or new.fingerprint
        )

    def follow(self, *rotations, new=None, beyond=0, **more):
        """A package in a new epoch under the new identity, that brings these rotations."""
        mallory = self.mallory
        head = (mallory.epoch, mallory.seq + beyond, mallory.head)
        epoch = secrets.token_bytes(16)
        start = self.start(epoch, head, new)
        path = mallory.package(
            self.met.alpha,
            *(part("statement", raw) for raw in rotations),
            start,
            epoch=epoch,
            seq=1,
            prev=None,
            keep=False,
            **more,
        )
        self.epoch, self.first = epoch, path
        return path

    def as_old(self):
        self.mallory.identity = self.old_identity
        return self.mallory


@pytest.fixture
def thief(met):
    receive(met.alpha, met.mallory.intel(met.alpha, indicator(1)))
    return Thief(met)


def test_the_stage_is_right(met, thief):
    assert receive(met.alpha, thief.follow(thief.rotation())).status == "new"
    assert listed(met.alpha, "mallory").fingerprint == thief.new.fingerprint


def edited(raw, key, **changes):
    """The rotation with fields of its body replaced, signed again by the old key."""
    body = json.loads(document.parse(raw).body) | changes
    return document.sign("rotation", json.dumps(body, separators=(",", ":")).encode(), key)


def one_signature(thief):
    """Rotations that one of the two keys did not sign, or not for this."""
    other = Identity.generate()
    good = thief.rotation()
    both = bytes.fromhex(thief.old_identity.fingerprint) + bytes.fromhex(thief.new.fingerprint)
    key = thief.old_identity.signing
    yield (
        "signed by another in the old one's name",
        rotation.sign(
            _Named(other, thief.old_identity.fingerprint), thief.new, thief.new.card("m", "XX", T0), T0
        ),
    )
    yield "the successor signed nothing", edited(good, key, signature=base64.b64encode(bytes(3373)).decode())
    for name, signed in (
        ("another key signed for the successor", other.signing.sign(both, rotation.SUCCESSOR_CONTEXT)),
        ("signed as a statement", thief.new.signing.sign(both, b"mithaq/rotation/v1")),
        ("for another predecessor", thief.new.signing.sign(both[::-1], rotation.SUCCESSOR_CONTEXT)),
    ):
        yield name, edited(good, key, signature=base64.b64encode(signed).decode())
    yield (
        "a card of somebody else",
        edited(good, key, card=base64.b64encode(other.card("x", "XX", T0)).decode()),
    )


class _Named:
    """An identity that says it is another."""

    def __init__(self, identity, fingerprint):
        self.signing, self.fingerprint = identity.signing, fingerprint


def test_a_rotation_signed_by_one_key_alone_leads_nowhere(met, thief):
    for name, raw in one_signature(thief):
        with pytest.raises(CryptoError):
            rotation.read(raw, thief.old_identity.signing.public, thief.old_identity.fingerprint)
        before = state(met.alpha)
        assert refusal(receive, met.alpha, thief.follow(raw)) == "sender-unknown", name
        assert state(met.alpha) == before, name
        # In a package by the old identity it is a statement that says nothing.
        got = receive(met.alpha, thief.as_old().package(met.alpha, part("statement", raw)))
        assert got.failed in ((("rotation", "rotation-wrong"),), (("statement", "signature"),)), name
        assert listed(met.alpha, "mallory").fingerprint == thief.old_identity.fingerprint


def test_a_card_without_a_rotation_is_somebody_new_and_unverified(met, thief):
    one = counterparts.add(met.alpha, thief.new.card("mallory", "XX", T0), "again")
    assert (one.verified, one.former) == (False, ())
    assert refusal(receive, met.alpha, thief.follow()) == "counterpart-unverified"
    assert refusal(send, met.alpha, "again") == "counterpart-unverified"


def test_a_card_that_the_courier_brought_first_is_one_with_the_successor(met, thief):
    counterparts.add(met.alpha, thief.new.card("mallory", "XX", T0), "again")
    assert receive(met.alpha, thief.follow(thief.rotation())).status == "new"
    assert [one.alias for one in counterparts.listed(met.alpha)] == ["beta", "mallory"]
    assert refusal(counterparts.add, met.alpha, thief.old_identity.card("m", "XX", T0)) == "card-retired"


def test_a_successor_that_is_somebody_else_here_is_refused(met, thief):
    """Even if that one agrees: two counterparts do not become one."""
    carol = Identity.generate()
    pin(met.alpha, carol.card("carol", "XX", T0))
    send(met.alpha, "carol")
    # From carol it is a package of carol's, and the stranger's document in it says nothing.
    got = receive(met.alpha, thief.follow(thief.rotation(carol), new=carol))
    assert (got.sender, got.failed) == ("carol", (("statement", "document-format"),))
    got = receive(met.alpha, thief.as_old().package(met.alpha, part("statement", thief.rotation(carol))))
    assert got.failed == (("rotation", "successor-known"),)
    assert listed(met.alpha, "mallory").fingerprint == thief.old_identity.fingerprint


def test_a_successor_of_a_revoked_counterpart_is_revoked(met, thief):
    counterparts.revoke(met.alpha, "mallory")
    before = state(met.alpha)
    assert refusal(receive, met.alpha, thief.follow(thief.rotation())) == "counterpart-revoked"
    assert state(met.alpha) == before


def test_the_same_rotation_again_changes_nothing(met, thief):
    raw = thief.rotation()
    receive(met.alpha, thief.follow(raw))
    thief.mallory.epoch, thief.mallory.seq = thief.epoch, 1
    thief.mallory.head = None
    thief.mallory.identity = thief.new
    manifest = channel(met.alpha, "mallory").receiving.hashes[1]
    thief.mallory.head = bytes.fromhex(manifest)
    got = receive(met.alpha, thief.mallory.package(met.alpha, part("statement", raw)))
    assert (got.status, got.failed) == ("new", ())
    assert listed(met.alpha, "mallory").former == (thief.old_identity.fingerprint,)


def test_a_second_successor_of_one_key_stops_everything_until_the_card_is_compared_anew(met, thief):
    head = (thief.mallory.epoch, thief.mallory.seq, thief.mallory.head)
    receive(met.alpha, thief.follow(thief.rotation()))
    other = Thief(met)
    other.old_identity = thief.old_identity
    thief.mallory.epoch, thief.mallory.seq, thief.mallory.head = head
    second = other.follow(other.rotation())
    assert refusal(receive, met.alpha, second) == "identity-forked"
    assert listed(met.alpha, "mallory").disputed
    assert refusal(send, met.alpha, "mallory") == "identity-forked"
    kinds = [r[0] for r in met.alpha.database.read().execute("SELECT kind FROM statement WHERE ours = 0")]
    assert kinds.count("rotation") == 2, "both are kept: they are the proof"
    counterparts.verify(met.alpha, "mallory")
    assert not listed(met.alpha, "mallory").disputed
    send(met.alpha, "mallory")
    # It was judged: the same proof does not stop the channel twice.
    assert refusal(receive, met.alpha, second) == "sender-unknown"
    assert not listed(met.alpha, "mallory").disputed


def test_two_successors_in_one_package_are_a_fork_too(met, thief):
    raws = [thief.rotation(), thief.rotation(Identity.generate())]
    assert refusal(receive, met.alpha, thief.follow(*raws)) == "identity-forked"
    assert listed(met.alpha, "mallory").fingerprint == thief.old_identity.fingerprint


def test_rotations_in_a_circle_lead_nowhere(met, thief):
    back = rotation.sign(thief.new, thief.old_identity, thief.old_identity.card("m", "XX", T0), T0)
    receive(met.alpha, thief.follow(thief.rotation(), back))
    assert listed(met.alpha, "mallory").fingerprint == thief.new.fingerprint
    assert not listed(met.alpha, "mallory").disputed


def test_a_rotation_that_comes_before_the_new_epoch(met, thief):
    got = receive(met.alpha, thief.as_old().package(met.alpha, part("statement", thief.rotation())))
    assert got.failed == (("rotation", "identity-rotated"),)
    assert listed(met.alpha, "mallory").fingerprint == thief.new.fingerprint
    # The old epoch is still the old key's.
    assert receive(met.alpha, thief.as_old().package(met.alpha)).status == "new"
    thief.mallory.identity = thief.new
    assert refusal(receive, met.alpha, thief.mallory.package(met.alpha, keep=False)) == "package-forged"
    assert receive(met.alpha, thief.follow(thief.rotation())).status == "new"


def test_the_old_key_begins_nothing_and_says_nothing_new_any_more(met, thief):
    mallory = thief.mallory
    head = (mallory.epoch, mallory.seq, mallory.head)
    receive(met.alpha, thief.follow(thief.rotation()))
    mallory.epoch, mallory.seq, mallory.head = head
    beyond = thief.as_old().package(met.alpha, keep=False)
    assert refusal(receive, met.alpha, beyond) == "epoch-closed"
    epoch = secrets.token_bytes(16)
    old = thief.old_identity
    start = thief.start(epoch, (thief.epoch, 1, None), new=old, reason="forked", card=old.fingerprint)
    anew = thief.as_old().package(met.alpha, start, epoch=epoch, seq=1, prev=None, keep=False)
    assert refusal(receive, met.alpha, anew) == "epoch-closed"
    assert epochs.status(met.alpha, "mallory").pending == ""
    in_new = thief.as_old().package(met.alpha, epoch=thief.epoch, seq=2, prev=bytes(32), keep=False)
    assert refusal(receive, met.alpha, in_new) == "package-forged"


def test_a_package_beyond_the_end_that_was_signed_is_a_fork(met, thief):
    mallory = thief.mallory
    receive(met.alpha, thief.as_old().package(met.alpha))
    mallory.package(met.alpha)  # lost
    end = (mallory.epoch, mallory.seq, mallory.head)
    receive(met.alpha, thief.follow(thief.rotation()))
    mallory.epoch, mallory.seq, mallory.head = end
    assert refusal(receive, met.alpha, thief.as_old().package(met.alpha, keep=False)) == "fork"
    assert channel(met.alpha, "mallory").receiving.frozen


def test_an_end_before_what_is_here_is_a_fork(met, thief):
    receive(met.alpha, thief.as_old().package(met.alpha))
    assert refusal(receive, met.alpha, thief.follow(thief.rotation(), beyond=-1)) == "fork"
    assert channel(met.alpha, "mallory").receiving.frozen
    assert listed(met.alpha, "mallory").fingerprint == thief.old_identity.fingerprint


def test_an_end_far_away_costs_nothing(met, thief):
    assert receive(met.alpha, thief.follow(thief.rotation(), beyond=1 << 40)).status == "new"
    (first, last), *more = epochs.status(met.alpha, "mallory").missing_before
    assert (more, last - first < 5000) == ([], True)


def test_rotation_documents_are_read_only_at_the_head_and_in_bounds(met, thief):
    assert refusal(receive, met.alpha, thief.follow(*[b"x" * 10] * 40, thief.rotation())) == "sender-unknown"
    assert (
        refusal(receive, met.alpha, thief.follow(b"x" * (48 << 10 | 1), thief.rotation())) == "sender-unknown"
    )
    assert receive(met.alpha, thief.follow(*[b"x" * 10] * 30, thief.rotation())).status == "new"


# Crashes ----------------------------------------------------------------------------------------------------


def test_a_crash_in_the_middle_of_following_changes_nothing(met, thief, monkeypatch):
    path = thief.follow(thief.rotation())
    before = state(met.alpha)
    with monkeypatch.context() as patched:
        patched.setattr(receiving.contents, "read", lambda *a: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            receive(met.alpha, path)
    assert state(met.alpha) == before
    assert receive(met.alpha, path).status == "new"


def test_a_crash_in_the_middle_of_rotating_changes_nothing(met, monkeypatch):
    fingerprint, before = met.alpha.identity.fingerprint, state(met.alpha)
    with monkeypatch.context() as patched:
        patched.setattr(identities.audit, "append", lambda *a, **k: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            identities.rotate(met.alpha)
    assert (met.alpha.identity.fingerprint, state(met.alpha)) == (fingerprint, before)
    assert receive(met.beta, send(met.alpha, "beta")).status == "new"


def test_a_seal_that_a_rotation_overtakes_never_happened(met, monkeypatch):
    real = sealing.format_.seal

    def overtaken(*args, **kwargs):
        done = real(*args, **kwargs)
        identities.rotate(met.alpha)
        return done

    with monkeypatch.context() as patched:
        patched.setattr(sealing.format_, "seal", overtaken)
        assert refusal(send, met.alpha, "beta") == "store-busy"
    assert receive(met.beta, send(met.alpha, "beta")).status == "new"


# A lost identity --------------------------------------------------------------------------------------------


def test_a_lost_identity_is_replaced_by_a_new_ceremony(met):
    take(met.alpha, indicator(1))
    lost = release(met.alpha, "beta").package
    old = met.alpha.identity
    new = identities.replace_lost(met.alpha)
    assert refusal(send, met.alpha, "beta") == "counterpart-unverified"
    assert not listed(met.alpha, "beta").verified
    counterparts.verify(met.alpha, "beta")
    anew = send(met.alpha, "beta")
    assert refusal(receive, met.beta, anew) == "sender-unknown"
    stub = counterparts.add(met.beta, counterparts.own_card(met.alpha), replaces="alpha")
    assert (stub.verified, stub.replaces) == (False, "alpha")
    assert refusal(receive, met.beta, anew) == "counterpart-unverified"
    one = counterparts.verify(met.beta, stub.alias)
    assert (one.alias, one.fingerprint, one.former, one.carried) == ("alpha", new, (old.fingerprint,), "")
    # The old keys count for nothing now, not even what was under way.
    assert refusal(receive, met.beta, lost.path) in ("epoch-closed", "package-forged")
    answer = send(met.beta, "alpha")
    assert outbox.listed(met.beta, "alpha")[0].protection == "card"
    assert receive(met.alpha, answer).status == "new"
    assert receive(met.beta, anew).status == "new"
    receive(met.alpha, send(met.beta, "alpha"))
    assert outbox.resend(met.alpha, "beta", lost.seq, beside(met.alpha), quiet()).decision.leaving
    assert channel(met.beta, "alpha").receiving.frozen is False


def test_a_new_installation_takes_the_place_of_a_lost_one(met, tmp_path):
    receive(met.beta, send(met.alpha, "beta"))
    vault.create(tmp_path / "gamma", "alpha", "JO", "R. Haddad", PASSPHRASE, CHEAP, clock=met.clock)
    with unlocked(tmp_path / "gamma", met.clock) as gamma:
        pin(gamma, counterparts.own_card(met.beta))
        counterparts.revoke(met.beta, "alpha")
        counterparts.add(met.beta, counterparts.own_card(gamma), "fresh", replaces="alpha")
        counterparts.verify(met.beta, "fresh")
        assert receive(met.beta, send(gamma, "beta")).status == "new"
        answer = send(met.beta, "alpha")
        assert receive(gamma, answer).status == "gap"
        assert receive(met.beta, send(gamma, "beta")).status == "new"
        assert not listed(met.beta, "alpha").revoked


def test_a_thief_of_the_old_key_does_not_come_back_after_a_replacement(met, thief):
    counterparts.add(met.alpha, thief.new.card("mallory", "XX", T0), "new", replaces="mallory")
    counterparts.verify(met.alpha, "new")
    third = Identity.generate()
    assert refusal(receive, met.alpha, thief.follow(thief.rotation(third), new=third)) == "identity-forked"
    assert refusal(receive, met.alpha, thief.as_old().package(met.alpha, keep=False)) in (
        "identity-forked",
        "epoch-closed",
    )


def test_a_replaced_key_begins_no_direction(met, thief):
    counterparts.add(met.alpha, thief.new.card("mallory", "XX", T0), "new", replaces="mallory")
    counterparts.verify(met.alpha, "new")
    anew = {"epoch": secrets.token_bytes(16), "seq": 1, "prev": None}
    stolen = thief.as_old().package(met.alpha, keep=False, **anew)
    assert refusal(receive, met.alpha, stolen) == "package-forged"
    thief.mallory.identity = thief.new
    assert receive(met.alpha, thief.mallory.package(met.alpha, keep=False, **anew)).status == "new"


def test_a_frozen_channel_takes_nothing_of_the_epoch_before_either(met, thief):
    late = thief.mallory.intel(met.alpha, indicator(2))
    assert receive(met.alpha, thief.follow(thief.rotation())).status == "new"
    again = thief.mallory.package(met.alpha, epoch=thief.epoch, seq=1, prev=None, keep=False)
    assert refusal(receive, met.alpha, again) == "fork"
    assert refusal(receive, met.alpha, late) == "channel-frozen"


def test_the_hash_that_names_a_rotation_is_the_documents(thief):
    raw = thief.rotation()
    read = rotation.read(raw, thief.old_identity.signing.public, thief.old_identity.fingerprint)
    body = document.parse(raw).body
    assert read.id == hashlib.sha256(b"mithaq/document/v1\x08rotation" + body).digest()


def test_a_country_that_is_none_is_told_as_that(met):
    before = met.alpha.identity.fingerprint
    for act in (identities.rotate, identities.replace_lost):
        for code, name, country in (("country-unusable", "", "xxx"), ("name-unusable", "a\nb", "")):
            with pytest.raises(Refused) as caught:
                act(met.alpha, name, country)
            assert caught.value.code == code
    assert met.alpha.identity.fingerprint == before
