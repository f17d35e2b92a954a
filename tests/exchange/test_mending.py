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
from app.exchange import epochs, releases
from app.exchange.releases import Wish
from app.holdings import handling
from app.intel.marking import Level
from app.jobs import quiet
from app.messages import Refused
from tests.support.sites import PASSPHRASE, accept_all, indicator, receive, take


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
    met.alpha.database.close()
    copy = shutil.copytree(met.alpha.home, tmp_path / "copy")
    opened = vault.unlock(copy, PASSPHRASE)
    assert any(opened.installation.identity.kem_seed)
    opened.lock()
    with pytest.raises(ValueError, match="closed"):
        opened.installation.identity.kem_seed  # noqa: B018
    assert resource.getrlimit(resource.RLIMIT_CORE) == (0, 0)
    if sys.platform == "linux":
        assert ctypes.CDLL(None).prctl(3, 0, 0, 0, 0) == 0, "PR_GET_DUMPABLE"
