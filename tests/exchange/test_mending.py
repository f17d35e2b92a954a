"""A fork is not for good; what leaves is what was shown; a locked installation keeps no private key."""

from __future__ import annotations

import ctypes
import resource
import secrets
import shutil
import sys
from dataclasses import replace

import pytest

from app import vault
from app.exchange import epochs, outbox, releases, sealing
from app.exchange.releases import Wish
from app.holdings import handling
from app.intel.marking import Level
from app.jobs import quiet
from app.messages import Refused
from tests.support.sites import (
    PASSPHRASE,
    RED,
    T1,
    accept_all,
    beside,
    indicator,
    receive,
    release,
    send,
    take,
)


def refusal(act, *args, **kwargs):
    with pytest.raises(Refused) as caught:
        act(*args, **kwargs)
    return caught.value.code


def test_a_new_epoch_that_the_officer_confirms_ends_a_fork(world):
    alpha, mallory = world.alpha, world.mallory
    receive(alpha, mallory.intel(alpha, indicator(1)))
    forked = mallory.intel(alpha, indicator(2), seq=1, keep=False)
    assert refusal(receive, alpha, forked) == "fork"
    assert refusal(receive, alpha, mallory.intel(alpha, indicator(3))) == "channel-frozen"
    assert epochs.status(alpha, "mallory").state == "channel-frozen"

    old, mallory.epoch, mallory.seq, mallory.head = mallory.epoch, secrets.token_bytes(16), 0, None
    start = mallory.statement(
        "epoch",
        new=mallory.epoch.hex(),
        reason="forked",
        after={"epoch": old.hex(), "seq": 2, "hash": "aa" * 32},
        peer=None,
    )
    anew = mallory.package(alpha, start)
    assert refusal(receive, alpha, anew) == "epoch-pending"
    assert epochs.confirm(alpha, "mallory").state == ""
    assert receive(alpha, anew).status == "new"
    assert accept_all(alpha, mallory.intel(alpha, indicator(4))).accepted == 1
    assert refusal(receive, alpha, forked) in ("epoch-closed", "fork")


def test_nothing_leaves_that_was_not_shown(met):
    take(met.alpha, indicator(1), indicator(2, None), handling=Level.AMBER)
    wish = Wish(None)
    shown = releases.check(met.alpha, "beta", wish, quiet())
    assert len(shown.leaving) == 1
    handling.set_level(met.alpha, indicator(2)["id"], Level.CLEAR)
    assert refusal(releases.release, met.alpha, "beta", wish, None, quiet(), shown) == "decision-changed"
    shown = releases.check(met.alpha, "beta", wish, quiet())
    released = releases.release(met.alpha, "beta", wish, None, quiet(), shown)
    assert [i.sha256 for i in released.decision.leaving] == [i.sha256 for i in shown.leaving]
    assert (
        refusal(releases.release, met.alpha, "beta", wish, None, quiet(), replace(shown, items=()))
        == "decision-changed"
    )


def test_locking_wipes_the_private_keys_and_the_process_is_closed(met, tmp_path):
    met.close_alpha()
    copy = shutil.copytree(met.alpha.home, tmp_path / "copy")
    opened = vault.unlock(copy, PASSPHRASE)
    assert any(opened.installation.identity.kem_seed)
    opened.lock()
    with pytest.raises(ValueError, match="closed"):
        opened.installation.identity.kem_seed  # noqa: B018
    assert resource.getrlimit(resource.RLIMIT_CORE) == (0, 0)
    if sys.platform == "linux":
        assert ctypes.CDLL(None).prctl(3, 0, 0, 0, 0) == 0, "PR_GET_DUMPABLE"


def test_a_key_that_is_told_lives_as_long_as_it_may_be_used(met):
    lost = send(met.alpha, "beta")
    met.clock.pass_days(181)
    receive(met.beta, send(met.alpha, "beta"))
    assert receive(met.alpha, send(met.beta, "alpha")).status in ("new", "gap")
    assert lost.exists()


def test_what_an_ended_epoch_left_can_be_resent_and_counts_as_lacking(met):
    take(met.alpha, indicator(1))
    left = release(met.alpha, "beta", indicator(1)["id"], target=beside(met.alpha)).package
    epochs.restart(met.alpha, "beta", "forked")
    anew = send(met.alpha, "beta")
    assert refusal(receive, met.beta, anew) == "epoch-pending"
    epochs.confirm(met.beta, "alpha")
    receive(met.beta, anew)
    receive(met.alpha, send(met.beta, "alpha"))
    assert len(releases.check(met.alpha, "beta", Wish(None, new_only=True), quiet()).leaving) == 1
    again = outbox.resend(met.alpha, "beta", left.seq, beside(met.alpha), quiet())
    assert receive(met.beta, again.package.path).objects == 1
    assert refusal(receive, met.beta, left.path) in ("epoch-closed", "not-for-us")
    states = {one.seq: one.state for one in outbox.listed(met.alpha, "beta") if one.release}
    assert "left" not in states.values()


def test_an_epoch_that_was_skipped_does_not_come_back(met):
    epochs.restart(met.alpha, "beta", "forked")
    skipped = send(met.alpha, "beta")
    epochs.restart(met.alpha, "beta", "forked")
    live = send(met.alpha, "beta")
    assert refusal(receive, met.beta, live) == "epoch-pending"
    epochs.confirm(met.beta, "alpha")
    assert receive(met.beta, live).status == "new"
    assert refusal(receive, met.beta, skipped) == "epoch-closed"
    assert epochs.status(met.beta, "alpha").pending == ""


def test_the_start_of_an_epoch_is_told_however_many_statements_wait(met, monkeypatch):
    monkeypatch.setattr(sealing, "STATEMENTS_LIMIT", 3)
    take(met.alpha, *(indicator(n) for n in range(1, 6)))
    for number in range(1, 6):
        release(met.alpha, "beta", indicator(number)["id"])
    epochs.restart(met.alpha, "beta", "forked")
    assert refusal(receive, met.beta, send(met.alpha, "beta")) == "epoch-pending"


def test_a_content_set_aside_or_raised_since_is_not_sent_again(met):
    take(met.alpha, indicator(1), indicator(2))
    for number in (1, 2):
        release(met.alpha, "beta", indicator(number)["id"], target=beside(met.alpha))
    take(met.alpha, indicator(1, RED, modified=T1))
    seqs = [one.seq for one in outbox.listed(met.alpha, "beta")]
    assert refusal(outbox.resend, met.alpha, "beta", seqs[1], None, quiet()) == "no-longer-leaves"
    assert outbox.resend(met.alpha, "beta", seqs[0], None, quiet()).decision.leaving


def test_an_epoch_left_before_anything_was_sealed_in_it_stops_nothing(met):
    """Two restarts in a row: the second epoch follows on one that no package ever belonged to."""
    epochs.restart(met.alpha, "beta", "restored")
    epochs.restart(met.alpha, "beta", "restored")
    live = send(met.alpha, "beta")
    assert refusal(receive, met.beta, live) == "epoch-pending"
    epochs.confirm(met.beta, "alpha")
    assert receive(met.beta, live).status == "new"
