"""The ceremony: its order is the security, three misses end it, and only it makes a card verified."""

from __future__ import annotations

import dataclasses

import pytest

from app.exchange import counterparts, verification
from app.exchange.verification import MISSES
from app.messages import Refused
from crypto import codes
from crypto.identity import Identity
from tests.support.sites import T0, acts, peer


@pytest.fixture
def strangers(world):
    """alpha and beta imported each other's cards again, unverified: the cards of two new identities."""
    for site in (world.alpha, world.beta):
        with site.database.write() as tx:
            tx.execute("UPDATE counterpart SET verified = NULL")
    return world


def refused(code, act, *arguments):
    with pytest.raises(Refused) as caught:
        act(*arguments)
    assert caught.value.code == code


def other(code):
    """Another code of eight digits."""
    return f"{(int(code) + 1) % 10**8:08d}"


def verified(site, name):
    return bool(peer(site, name).verified)


def test_two_officers_verify_each_other(strangers):
    a, b = verification.begin(strangers.alpha, "beta"), verification.begin(strangers.beta, "alpha")
    a, b = verification.hear(a, b.mine), verification.hear(b, a.mine)
    assert (a.half, a.awaited) == (b.awaited, b.half)
    a, b = verification.compare(a, b.half), verification.compare(b, a.half)
    assert verification.confirm(strangers.alpha, a).verified
    assert verification.confirm(strangers.beta, b).verified
    assert acts(strangers.alpha)[-1] == "counterpart.verified"


def test_our_half_does_not_exist_before_their_digits_are_in(strangers):
    begun = verification.begin(strangers.alpha, "beta")
    assert begun.half == begun.awaited == ""
    known = {value for value in dataclasses.asdict(begun).values() if isinstance(value, str)}
    heard = verification.hear(begun, "12345678")
    assert heard.half not in known
    refused("verify-order", verification.compare, begun, heard.awaited)
    refused("verify-order", verification.confirm, strangers.alpha, begun)


def test_digits_are_heard_once(strangers):
    heard = verification.hear(verification.begin(strangers.alpha, "beta"), "12345678")
    refused("verify-order", verification.hear, heard, "12345679")


def test_nothing_is_verified_before_the_other_half_was_right_here(strangers):
    heard = verification.hear(verification.begin(strangers.alpha, "beta"), "12345678")
    refused("verify-order", verification.confirm, strangers.alpha, heard)
    missed = verification.compare(heard, other(heard.awaited))
    refused("verify-order", verification.confirm, strangers.alpha, missed)
    assert not verified(strangers.alpha, "beta")
    passed = verification.compare(missed, heard.awaited)
    assert not verified(strangers.alpha, "beta")
    refused("verify-order", verification.compare, passed, heard.awaited)
    verification.confirm(strangers.alpha, passed)
    assert verified(strangers.alpha, "beta")


def test_three_misses_end_it_whatever_comes_then(strangers):
    state = verification.hear(verification.begin(strangers.alpha, "beta"), "12345678")
    for left in range(MISSES - 1, -1, -1):
        state = verification.compare(state, other(state.awaited))
        assert state.misses_left == left
    refused("verify-mismatch", verification.compare, state, state.awaited)
    refused("verify-mismatch", verification.compare, state, other(state.awaited))
    refused("verify-order", verification.confirm, strangers.alpha, state)
    assert not verified(strangers.alpha, "beta")


def test_what_is_no_code_is_no_miss(strangers):
    begun = verification.begin(strangers.alpha, "beta")
    refused("code-format", verification.hear, begun, "1234567")
    heard = verification.hear(begun, "1234 5678")
    refused("code-format", verification.compare, heard, "hello")
    assert verification.compare(heard, heard.awaited).passed


@pytest.mark.parametrize("digits", ["١٢٣٤ ٥٦٧٨", "۱۲۳۴-۵۶۷۸", "1234 5678"])
def test_digits_are_heard_in_every_numeral(strangers, digits):
    begun = verification.begin(strangers.alpha, "beta")
    assert verification.hear(begun, digits) == verification.hear(begun, "12345678")


def test_each_ceremony_has_digits_of_its_own(strangers):
    assert len({verification.begin(strangers.alpha, "beta").mine for _ in range(20)}) > 15


def test_a_card_cannot_be_sought_that_fits_a_code(strangers):
    """The digits are made after the card was pinned: whoever put another card there knows no code to search against."""
    seen = set()
    for _ in range(20):
        begun = verification.begin(strangers.alpha, "mallory")
        heard = verification.hear(begun, "00000000")
        seen.add((heard.half, heard.awaited))
    assert len(seen) == 20


def test_a_courier_who_swapped_a_card_fails_on_both_sides(strangers):
    """beta's officer holds alpha's true card, alpha's officer one of the courier's: the codes are of other pairs."""
    a, b = verification.begin(strangers.alpha, "mallory"), verification.begin(strangers.beta, "alpha")
    a, b = verification.hear(a, b.mine), verification.hear(b, a.mine)
    assert not verification.compare(a, b.half).passed
    assert not verification.compare(b, a.half).passed


def test_the_code_depends_on_all_four(strangers):
    begun = verification.begin(strangers.alpha, "beta")
    heard = verification.hear(begun, "12345678")
    fingerprint = Identity.generate().fingerprint
    for changed in (
        verification.hear(begun, "12345679"),
        verification.hear(dataclasses.replace(begun, mine=other(begun.mine)), "12345678"),
        verification.hear(dataclasses.replace(begun, own=fingerprint), "12345678"),
        verification.hear(dataclasses.replace(begun, their=fingerprint), "12345678"),
    ):
        assert {changed.half, changed.awaited}.isdisjoint({heard.half, heard.awaited})


def test_a_ceremony_belongs_to_the_fingerprint_it_began_with(strangers):
    """Renamed meanwhile, another card under its alias: the card of the beginning is verified."""
    alpha = strangers.alpha
    begun = verification.begin(alpha, "beta")
    counterparts.rename(alpha, "beta", "old beta")
    counterparts.add(alpha, Identity.generate().card("beta", "PT", T0))
    heard = verification.hear(begun, "12345678")
    verification.confirm(alpha, verification.compare(heard, heard.awaited))
    assert verified(alpha, "old beta")
    assert not verified(alpha, "beta")


def test_one_who_was_revoked_is_not_verified_again(strangers):
    begun = verification.begin(strangers.alpha, "beta")
    heard = verification.hear(begun, "12345678")
    passed = verification.compare(heard, heard.awaited)
    counterparts.revoke(strangers.alpha, "beta")
    refused("counterpart-revoked", verification.begin, strangers.alpha, "beta")
    refused("counterpart-revoked", verification.confirm, strangers.alpha, passed)


def test_what_is_read_out_is_grouped_in_both_numerals():
    assert verification.spoken("12345678") == ("1234 5678", "١٢٣٤ ٥٦٧٨")
    assert codes.fold(verification.spoken("12345678")[1]) == "12345678"
