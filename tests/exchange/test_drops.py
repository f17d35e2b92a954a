"""Drops: one bad file, crash or folder stops nothing else, and nothing is passed over for good that is for us."""

from __future__ import annotations

import pytest

from app.exchange import counterparts, drops, releases, sealing
from app.jobs import quiet
from app.messages import Refused
from app.store import counterparts as store
from crypto.identity import Identity
from tests.support.sites import (
    T0,
    Rogue,
    acts,
    channel,
    indicator,
    part,
    pin,
    problems,
    receive,
    release,
    sealed_last,
    send,
    state,
    take,
)


@pytest.fixture
def shared(met):
    """A folder that alpha and beta use as a drop with each other; alpha holds something to give."""
    met.drop = met.folder / "drop"
    met.drop.mkdir()
    drops.add(met.alpha, "d", met.drop, "beta")
    drops.add(met.beta, "d", met.drop, "alpha")
    take(met.alpha, indicator(1))
    return met


def sync(site, *names):
    return drops.sync(site, names, quiet())


def wait(site, to):
    """A package that waits in the outbox for a courier."""
    return releases.release(site, to, releases.Wish(None), None, quiet()).package


def test_what_waits_is_published_and_the_other_side_takes_it(shared):
    package = wait(shared.alpha, "beta")
    assert sync(shared.alpha).published == (("d", package.seq),)
    assert [path.name for path in shared.drop.iterdir()] == [sealed_last(shared.alpha, "beta").medium]
    done = sync(shared.beta)
    assert [(name, got.status, got.objects) for name, got in done.received] == [("d", "new", 1)]
    for site in (shared.alpha, shared.beta):
        before = state(site)
        assert sync(site) == drops.Synced((), (), ())
        assert state(site) == before


def test_a_package_of_a_sender_who_is_verified_later_is_taken_then(shared):
    with shared.alpha.database.write() as tx:
        tx.execute("UPDATE counterpart SET verified = NULL WHERE alias = 'mallory'")
    path = shared.mallory.intel(shared.alpha, indicator(5))
    path.rename(shared.drop / path.name)
    assert sync(shared.alpha).refused == (("d", path.name, "counterpart-unverified"),)
    counterparts.verify(shared.alpha, "mallory")
    [(_, got)] = sync(shared.alpha).received
    assert (got.sender, got.objects) == ("mallory", 1)


def test_a_package_of_a_sender_who_is_pinned_later_is_taken_then(shared):
    newcomer = Rogue(Identity.generate(), shared.drop)
    newcomer.intel(shared.alpha, indicator(6), name="n.age")
    assert sync(shared.alpha).refused == (("d", "n.age", "sender-unknown"),)
    pin(shared.alpha, newcomer.identity.card("new", "PT", T0))
    [(_, got)] = sync(shared.alpha).received
    assert (got.sender, got.objects) == ("new", 1)


def test_a_package_that_is_for_another_is_tried_once(shared, monkeypatch):
    foreign = shared.mallory.intel(shared.beta, indicator(5))
    foreign.rename(shared.drop / foreign.name)
    assert sync(shared.alpha) == drops.Synced((), (), ())
    monkeypatch.setattr(drops.receiving, "receive", lambda *a: pytest.fail("tried every key again"))
    assert sync(shared.alpha) == drops.Synced((), (), ())


def test_content_swapped_under_a_name_that_was_passed_over_is_looked_at(shared):
    foreign = shared.mallory.intel(shared.beta, indicator(5))
    ours = shared.mallory.intel(shared.alpha, indicator(6), seq=1, prev=None)
    assert foreign.stat().st_size == ours.stat().st_size
    place = shared.drop / "same.age"
    place.write_bytes(foreign.read_bytes())
    assert sync(shared.alpha).received == ()
    place.write_bytes(ours.read_bytes())
    [(_, got)] = sync(shared.alpha).received
    assert got.objects == 1


def test_a_crash_between_publishing_and_recording_it_blocks_nothing(shared, monkeypatch):
    package = wait(shared.alpha, "beta")

    def crash(*arguments):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(sealing, "hand_over", crash)
        with pytest.raises(KeyboardInterrupt):
            sync(shared.alpha)
    assert len(list(shared.drop.iterdir())) == 1
    assert sync(shared.alpha) == drops.Synced((("d", package.seq),), (), ())
    assert channel(shared.alpha, "beta").sending.packages[package.seq].state == "handed"
    assert sync(shared.beta).received[0][1].objects == 1


def test_a_file_that_stands_in_the_way_hinders_only_its_own_package(shared):
    first = wait(shared.alpha, "beta")
    in_the_way = shared.drop / sealed_last(shared.alpha, "beta").medium
    in_the_way.write_bytes(b"not it")
    second = wait(shared.alpha, "beta")
    done = sync(shared.alpha)
    assert done.published == (("d", second.seq),)
    assert ("d", first.seq, "target-exists") in done.refused
    assert in_the_way.read_bytes() == b"not it"
    assert channel(shared.alpha, "beta").sending.packages[first.seq].state == "sealed"
    in_the_way.unlink()
    assert sync(shared.alpha).published == (("d", first.seq),)
    assert problems(shared.alpha) == []


@pytest.mark.parametrize("name", ["a", "z"])
def test_one_missing_drop_does_not_stop_the_others_nor_hide_what_was_done(shared, name):
    gone = shared.folder / "gone"
    gone.mkdir()
    drops.add(shared.alpha, name, gone, "mallory")
    gone.rmdir()
    send(shared.alpha, "mallory")
    package = wait(shared.alpha, "beta")
    shared.mallory.intel(shared.alpha, indicator(7)).rename(shared.drop / "m.age")
    done = sync(shared.alpha)
    assert done.published == (("d", package.seq),)
    assert [got.sender for _, got in done.received] == ["mallory"]
    assert (name, "", "drop-missing") in done.refused


def test_a_revoked_counterpart_does_not_stop_fetching(shared):
    counterparts.revoke(shared.alpha, "beta")
    shared.mallory.intel(shared.alpha, indicator(7)).rename(shared.drop / "m.age")
    done = sync(shared.alpha)
    assert done.refused == (("d", "", "counterpart-revoked"),)
    assert [got.sender for _, got in done.received] == ["mallory"]


def test_junk_in_a_drop_is_named_and_the_rest_goes_on(shared):
    (shared.drop / "0.age").write_bytes(b"junk")
    (shared.drop / "1.age").write_bytes(b"")
    (shared.drop / "folder").mkdir()
    (shared.drop / ".hidden").write_bytes(b"x")
    (shared.drop / "link").symlink_to("/dev/zero")
    cut = shared.mallory.intel(shared.alpha, indicator(7))
    (shared.drop / "2.age").write_bytes(cut.read_bytes()[:-1])
    cut.rename(shared.drop / "3.age")
    done = sync(shared.alpha)
    assert [file for _, file, _ in done.refused] == ["0.age", "1.age", "2.age"]
    assert [got.sender for _, got in done.received] == ["mallory"]
    assert sync(shared.alpha).received == ()


def test_our_own_package_in_the_drop_is_passed_in_silence(shared):
    release(shared.alpha, "beta", target=shared.drop)
    assert sync(shared.alpha) == drops.Synced((), (), ())


def test_a_lying_part_in_a_drop_does_not_stop_the_next(shared):
    bad = shared.mallory.package(shared.alpha, part("hologram", b""), epoch=b"o" * 16)
    bad.rename(shared.drop / "1.age")
    take(shared.beta, indicator(9))
    release(shared.beta, "alpha", target=shared.drop / "2.age")
    assert [got.sender for _, got in sync(shared.alpha).received] == ["mallory", "beta"]


def test_names_of_drops(shared):
    def refused(code, act, *arguments):
        with pytest.raises(Refused) as caught:
            act(*arguments)
        assert caught.value.code == code

    refused("drop-exists", drops.add, shared.alpha, "D", shared.drop, "mallory")
    refused("drop-missing", drops.add, shared.alpha, "e", shared.folder / "no", "beta")
    refused("name-unusable", drops.add, shared.alpha, "\u202e", shared.drop, "beta")
    refused("counterpart-unknown", drops.add, shared.alpha, "e", shared.drop, "nobody")
    refused("drop-unknown", sync, shared.alpha, "other")
    assert sync(shared.alpha, "D") == drops.Synced((), (), ())
    assert [one.name for one in drops.listed(shared.alpha)] == ["d"]
    assert store.drops(shared.alpha.database.read())[0][2] == str(shared.drop)


def test_what_is_received_twice_through_two_drops_is_taken_once(shared):
    second = shared.folder / "second"
    second.mkdir()
    drops.add(shared.beta, "e", second, "alpha")
    path = release(shared.alpha, "beta", target=shared.drop).package.path
    (second / "copy.age").write_bytes(path.read_bytes())
    assert len(sync(shared.beta).received) == 1
    assert receive(shared.beta, path).status == "duplicate"


def test_a_drop_that_is_removed_is_used_no_more_and_can_be_added_again(shared):
    wait(shared.alpha, "beta")
    assert drops.remove(shared.alpha, "D") == "d"
    with pytest.raises(Refused, match="drop-unknown"):
        drops.remove(shared.alpha, "d")
    assert drops.listed(shared.alpha) == []
    assert sync(shared.alpha) == drops.Synced((), (), ())
    assert list(shared.drop.iterdir()) == []
    assert acts(shared.alpha)[-1] == "drop.removed"
    assert problems(shared.alpha) == []
    drops.add(shared.alpha, "d", shared.drop, "beta")
    assert len(sync(shared.alpha).published) == 1


def test_what_was_passed_over_in_a_drop_is_forgotten_with_it(shared):
    foreign = shared.mallory.intel(shared.beta, indicator(7))
    foreign.rename(shared.drop / foreign.name)
    sync(shared.alpha)
    reader = shared.alpha.database.read()
    assert len(store.passed_over(reader, "d")) == 1
    drops.remove(shared.alpha, "d")
    assert store.passed_over(reader, "d") == set()


def test_a_drop_that_others_filled_still_takes_what_is_ours(shared, monkeypatch):
    monkeypatch.setattr(drops.drop, "FILE_LIMIT", 1)
    for name in ("1", "2", "3"):
        (shared.drop / name).write_bytes(b"junk")
    package = wait(shared.alpha, "beta")
    done = sync(shared.alpha)
    assert done.published == (("d", package.seq),)
    assert done.refused == (("d", "", "drop-crowded"),)


def test_a_file_that_is_called_like_a_number_is_no_package_of_ours(shared):
    (shared.drop / "7").write_bytes(b"junk")
    [(name, file, _)] = sync(shared.alpha).refused
    assert (name, file) == ("d", "7")
    (one,) = drops.listed(shared.alpha)
    assert drops.facts(one, file)["path"] == "7"
    assert drops.facts(one, 7)["path"] == drops.facts(one, "")["path"] == str(shared.drop)
