"""Cards pinned here and their names: an alias is told apart from every other and from every fingerprint."""

from __future__ import annotations

import pytest

from app.exchange import counterparts
from app.messages import Refused
from crypto.identity import Identity, read_card
from tests.support.sites import T0, connect, peer, state


def refused(code, act, *arguments):
    with pytest.raises(Refused) as caught:
        act(*arguments)
    assert caught.value.code == code


def card(name="gamma"):
    return Identity.generate().card(name, "TN", T0)


@pytest.mark.parametrize("alias", ["beta", "BETA", "Beta"])
def test_an_alias_is_not_given_twice_in_any_case(world, alias):
    refused("alias-taken", counterparts.add, world.alpha, card(), alias)
    refused("alias-taken", counterparts.rename, world.alpha, "mallory", alias)


@pytest.mark.parametrize("length", [8, 12, 64])
@pytest.mark.parametrize("fold", [str.lower, str.upper])
def test_an_alias_is_not_the_beginning_of_a_fingerprint(world, length, fold):
    name = fold(peer(world.alpha, "beta").fingerprint[:length])
    refused("alias-taken", counterparts.add, world.alpha, card(), name)
    refused("alias-taken", counterparts.rename, world.alpha, "mallory", name)


@pytest.mark.parametrize("length", [1, 4, 7])
def test_a_short_word_that_begins_a_fingerprint_is_an_alias_like_any_other(world, length):
    word = peer(world.alpha, "beta").fingerprint[:length]
    assert counterparts.rename(world.alpha, "mallory", word).alias == word
    assert peer(world.alpha, word).alias == word


def test_a_fingerprint_names_a_counterpart_from_its_eighth_digit(world):
    digits = peer(world.alpha, "beta").fingerprint
    for name in (
        digits,
        digits[:8],
        digits[:8].upper(),
        " ".join(digits[i : i + 4] for i in range(0, 64, 4)),
    ):
        assert peer(world.alpha, name).alias == "beta"
    for name in (digits[:7], digits[0] + " " * 7, "        ", "", digits[:8] + "g"):
        refused("counterpart-unknown", counterparts.find, world.alpha.database.read(), name)


def test_a_name_that_fits_two_is_refused(world, monkeypatch):
    monkeypatch.setattr(counterparts, "SHORT_FINGERPRINT", 0)
    refused("counterpart-ambiguous", counterparts.find, world.alpha.database.read(), "")


@pytest.mark.parametrize("name", ["", " ", "\u202ebeta", "a\nb", "a\0b", "x" * 1000, "\ufeff"])
def test_names_that_deceive_are_not_taken(world, name):
    if name.strip():
        refused("name-unusable", counterparts.add, world.alpha, card(), name)
    refused("name-unusable", counterparts.rename, world.alpha, "beta", name)


def test_a_card_is_pinned_once_and_never_ones_own(world):
    before = state(world.alpha)
    refused("card-known", counterparts.add, world.alpha, counterparts.own_card(world.beta))
    refused("card-own", counterparts.add, world.alpha, counterparts.own_card(world.alpha))
    refused("not-a-card", counterparts.add, world.alpha, counterparts.own_card(world.beta)[:-1])
    refused("not-a-card", counterparts.add, world.alpha, bytes(counterparts.CARD_LIMIT + 1))
    assert state(world.alpha) == before


def test_a_second_card_under_a_known_name_is_a_new_counterpart_unverified(world):
    refused("alias-taken", counterparts.add, world.alpha, card("beta"))
    added = counterparts.add(world.alpha, card("beta"), "another beta")
    assert not added.verified
    assert added.name == "beta"
    assert peer(world.alpha, "beta").verified


def test_a_pinned_card_begins_unverified_and_revoked_is_for_good(world):
    added = counterparts.add(world.alpha, card())
    assert (added.verified, added.revoked) == (False, False)
    counterparts.revoke(world.alpha, "gamma")
    refused("counterpart-revoked", counterparts.verify, world.alpha, "gamma")
    refused("card-known", connect, world.alpha, world.beta)


def test_an_alias_that_looks_like_anothers_digits_means_neither(world):
    """It was given before the other card came."""
    other = card()
    digits = read_card(other).fingerprint
    counterparts.rename(world.alpha, "beta", digits[:8])
    counterparts.add(world.alpha, other)
    refused("counterpart-ambiguous", peer, world.alpha, digits[:8])
    assert peer(world.alpha, digits[:12]).alias == "gamma"
