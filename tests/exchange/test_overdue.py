"""What is missing for two weeks is asked for without the officer (protocol.md 4, `want`)."""

from __future__ import annotations

from app.exchange.sealing import ASK_DAYS
from crypto import manifest
from tests.support.sites import beside, indicator, receive, release, sealed_last, send, take


def wanted(site, to):
    """The `want` of a package sealed now."""
    send(site, to)
    return manifest.parse(sealed_last(site, to).manifest).ack.want


def test_a_gap_is_asked_for_after_fourteen_days_and_not_before(met):
    take(met.alpha, indicator(1), indicator(2), indicator(3))
    first = release(met.alpha, "beta", indicator(1)["id"], target=beside(met.alpha)).package.seq
    late = release(met.alpha, "beta", indicator(2)["id"], target=beside(met.alpha)).package.path
    third = release(met.alpha, "beta", indicator(3)["id"], target=beside(met.alpha)).package.path
    receive(met.beta, third)
    assert wanted(met.beta, "alpha") == ()
    met.clock.pass_days(ASK_DAYS - 1)
    assert wanted(met.beta, "alpha") == ()
    met.clock.pass_days(2)
    assert wanted(met.beta, "alpha") == ((first, first + 1),)
    receive(met.beta, late)
    assert wanted(met.beta, "alpha") == ((first, first),)
