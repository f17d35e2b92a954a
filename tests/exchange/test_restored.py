"""A store restored from a backup: no private half rides along, every channel begins anew, and that is said."""

from __future__ import annotations

import shutil
from dataclasses import replace
from types import SimpleNamespace

import pytest

from app import vault
from app.exchange import counterparts, deciding, epochs, outbox, receiving
from app.jobs import quiet
from app.messages import Refused
from app.store import counterparts as store
from app.store import people
from tests.support.sites import (
    PASSPHRASE,
    accept_all,
    acts,
    beside,
    channel,
    indicator,
    peer,
    receive,
    release,
    send,
    take,
)


@pytest.fixture
def restored(met, tmp_path):
    """alpha as a backup taken now brings it back, before anything was settled; beta as it is."""
    met.close_alpha()
    home = shutil.copytree(met.alpha.home, tmp_path / "copy")
    opened = vault.unlock(home, PASSPHRASE, clock=met.clock)
    with opened.installation.database.write() as tx:
        store.strip_for_backup(tx)
    yield SimpleNamespace(alpha=opened.installation, beta=met.beta, clock=met.clock)
    opened.lock()


def refusal(act, *args, **kwargs):
    with pytest.raises(Refused) as caught:
        act(*args, **kwargs)
    return caught.value.code


def test_a_backup_holds_no_private_half_but_knows_the_ids(restored):
    seeds = restored.alpha.database.read().execute("SELECT seed, kid FROM own_key").fetchall()
    assert len(seeds) >= 16
    assert all(bytes(seed) == b"" and len(kid) == 16 for seed, kid in seeds)
    assert store.own_keys(restored.alpha.database.read()) == []


def test_nothing_is_done_on_a_channel_before_all_begin_anew(restored):
    take(restored.alpha, indicator(1))
    assert refusal(send, restored.alpha, "beta") == "restore-unsettled"
    assert refusal(release, restored.alpha, "beta") == "restore-unsettled"
    before = channel_epochs(restored.alpha)
    assert set(epochs.settle_restore(restored.alpha)) == {"beta", "mallory"}
    after = channel_epochs(restored.alpha)
    assert not before & after
    assert epochs.settle_restore(restored.alpha) == ()
    assert channel_epochs(restored.alpha) == after
    assert acts(restored.alpha).count("epoch.restarted") == 2


def channel_epochs(site):
    rows = site.database.read().execute("SELECT state FROM channel").fetchall()
    return {row[0].split('"epoch":"')[1][:32] for row in rows}


def test_a_package_sealed_to_a_lost_key_is_said_to_be_ours(restored):
    take(restored.beta, indicator(1))
    path = beside(restored.beta).parent
    done = release(restored.beta, "alpha", target=path)
    assert done.package.protection == "onetime"
    epochs.settle_restore(restored.alpha)
    assert refusal(receive, restored.alpha, done.package.path) == "key-lost"
    renamed = done.package.path.rename(beside(restored.beta))
    assert refusal(receive, restored.alpha, renamed) == "not-for-us"
    assert refusal(receive, restored.alpha, renamed.rename(path / "0g.age")) == "not-for-us"


def test_the_exchange_is_mended_and_nothing_is_accepted_meanwhile(restored):
    alpha, beta = restored.alpha, restored.beta
    epochs.settle_restore(alpha)
    anew = send(alpha, "beta")
    assert refusal(receive, beta, anew) == "epoch-pending"
    take(beta, indicator(2))
    # Sealed before beta knows: to a key that is gone, so it must be released again.
    lost = release(beta, "alpha").package
    epochs.confirm(beta, "alpha")
    assert channel(beta, "alpha").sending.packages[lost.seq].state in ("sealed", "handed")
    assert receive(beta, anew).status == "new"
    again = receiving.receive(alpha, send(beta, "alpha"), quiet())
    assert again.status == "gap"
    assert not epochs.status(alpha, "beta").mending
    answer = send(alpha, "beta")
    assert receive(beta, answer).status == "new"
    assert accept_all(alpha, resent(beta, lost.seq)).accepted == 1


def resent(beta, seq):
    return outbox.resend(beta, "alpha", seq, beside(beta), quiet()).package.path


def test_what_came_before_their_ack_waits(restored):
    alpha, beta = restored.alpha, restored.beta
    epochs.settle_restore(alpha)
    card_only = replace(
        channel(beta, "alpha"), sending=replace(channel(beta, "alpha").sending, started=False)
    )
    with beta.database.write() as tx:
        counterparts.save_channel(tx, peer(beta, "alpha").cid, card_only)
    take(beta, indicator(3))
    got = receive(alpha, release(beta, "alpha").package.path)
    assert got.objects == 1
    assert refusal(deciding.accept, alpha, got.number, None, quiet()) == "channel-mending"


@pytest.mark.parametrize("private", [False, True])
def test_no_key_that_the_lost_time_used_up_is_used_again(met, tmp_path, private):
    """Of three packages that were sealed after the copy the last one came: its key is gone there. `private`: an older
    store was put back, private halves and all, and not a backup.
    """
    home = tmp_path / "again"
    with met.alpha.database.write() as tx:
        people.put_meta(tx, store.RESTORED, b"1")
    shutil.copytree(met.alpha.home, home)
    with met.alpha.database.write() as tx:
        store.settled(tx)
    take(met.alpha, indicator(1))
    paths = [release(met.alpha, "beta").package.path for _ in range(3)]
    before = send(met.beta, "alpha")
    receive(met.beta, paths[-1])
    met.close_alpha()
    with vault.unlocked(home, PASSPHRASE, clock=met.clock) as alpha:
        if not private:
            with alpha.database.write() as tx:
                store.strip_for_backup(tx)
        epochs.settle_restore(alpha)
        # Sealed before beta knew of it: what this tells of keys is used up in part.
        if private:
            assert receive(alpha, before).status == "new"
        else:
            assert refusal(receive, alpha, before) == "not-for-us"
        anew = send(alpha, "beta")
        assert refusal(receive, met.beta, anew) == "epoch-pending"
        epochs.confirm(met.beta, "alpha")
        receive(met.beta, anew)
        receive(alpha, send(met.beta, "alpha"))
        kinds = []
        for _ in range(6):
            path = send(alpha, "beta")
            kinds.append(outbox.listed(alpha, "beta")[0].protection)
            assert receive(met.beta, path).status == "new"
        assert kinds == ["onetime"] * 6
