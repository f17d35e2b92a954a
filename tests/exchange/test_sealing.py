"""Sealing: a package is committed whole or never happened, and none touches another's."""

from __future__ import annotations

import hashlib
import os
import shutil
import threading

import pytest

from app import audit
from app.courier import folder
from app.exchange import channel as machine
from app.exchange import counterparts, outbox, releases, sealing, statements
from app.jobs import Cancelled, quiet
from app.messages import Refused
from app.store import counterparts as store_counterparts
from app.store import packages
from crypto import kem, keys_part
from crypto.keys_part import KeysPart
from crypto.package import Ack, read_header_hash, verify_manifest
from tests.support.sites import (
    Impatient,
    beside,
    channel,
    indicator,
    part,
    peer,
    problems,
    receive,
    release,
    sealed_last,
    send,
    set_channel,
    state,
    take,
    unlocked,
)


def refused(code, act, *arguments, **more):
    with pytest.raises(Refused) as caught:
        act(*arguments, **more)
    assert caught.value.code == code
    return caught.value


def files(site):
    return {path.name for path in site.outbox.iterdir()}


@pytest.fixture
def ready(met):
    """alpha holds something to release to beta."""
    take(met.alpha, indicator(1), indicator(2))
    return met


# The outbox -----------------------------------------------------------------------------------------------------


def test_a_counterpart_cannot_name_a_file_in_our_outbox(ready):
    alpha, mallory = ready.alpha, ready.mallory
    first = release(alpha, "beta")
    assert first.package.protection == "onetime"
    kid = bytes.fromhex(sealed_last(alpha, "beta").medium.removesuffix(".age"))
    # mallory saw the name on the medium, and publishes a key under the same id.
    keys = KeysPart(1000, None, ((1000, kid, kem.public(kem.new_seed())),))
    mine = send(alpha, "mallory")
    assert mine.exists()
    ours = channel(alpha, "mallory").sending
    ack = _ack(ours)
    receive(alpha, mallory.package(alpha, part("keys", keys_part.encode(keys)), ack=ack))
    second = release(alpha, "mallory")
    assert second.package.protection == "onetime"
    assert sealed_last(alpha, "mallory").medium == sealed_last(alpha, "beta").medium
    assert packages.outbox_files(alpha.database.read()) <= files(alpha)
    assert problems(alpha) == []
    # On one medium the second finds the name taken, and takes nothing away.
    stick = ready.folder / "stick"
    stick.mkdir()
    outbox.carry(alpha, "beta", first.package.seq, stick, quiet())
    refused("target-exists", outbox.carry, alpha, "mallory", second.package.seq, stick, quiet())
    assert [path.name for path in stick.iterdir()] == [sealed_last(alpha, "beta").medium]


def _ack(sending):
    return Ack(bytes.fromhex(sending.epoch), sending.next - 1, bytes.fromhex(sending.head), (), (), 0)


class Interrupting:
    """A connection on which a signal arrives right behind a statement."""

    def __init__(self, connection, after):
        self._connection, self._after = connection, after

    def __getattr__(self, name):
        return getattr(self._connection, name)

    def execute(self, sql, *values):
        result = self._connection.execute(sql, *values)
        if sql.startswith(self._after):
            raise KeyboardInterrupt
        return result


@pytest.mark.parametrize("target", [False, True])
def test_an_interrupt_behind_the_commit_takes_no_file_away(ready, target):
    database = ready.alpha.database
    writer, database._writer = database._writer, Interrupting(database._writer, "COMMIT")
    path = beside(ready.alpha)
    with pytest.raises(KeyboardInterrupt):
        releases.release(ready.alpha, "beta", releases.Wish(None), path if target else None, quiet())
    database._writer = writer
    assert problems(ready.alpha) == []
    record = sealed_last(ready.alpha, "beta")
    assert not path.exists()
    assert [p.name for p in ready.folder.iterdir() if p.name.startswith(folder.TEMPORARY)] == []
    # It was sealed, and can be carried now.
    outbox.carry(ready.alpha, "beta", record.seq, path, quiet())
    assert receive(ready.beta, path).objects == 2


@pytest.mark.parametrize(
    "before", ["INSERT INTO outbox", "INSERT INTO header", "INSERT INTO ledger", "BEGIN"]
)
def test_an_interrupt_before_the_commit_leaves_nothing(ready, before):
    before_state, before_files = state(ready.alpha), files(ready.alpha)
    database = ready.alpha.database
    writer, database._writer = database._writer, Interrupting(database._writer, before)
    if before == "INSERT INTO ledger":
        database._writer.executemany = lambda *a: (_ for _ in ()).throw(KeyboardInterrupt)
    with pytest.raises(KeyboardInterrupt):
        releases.release(ready.alpha, "beta", releases.Wish(None), beside(ready.alpha), quiet())
    database._writer = writer
    assert state(ready.alpha) == before_state
    assert files(ready.alpha) == before_files
    assert [p.name for p in ready.folder.iterdir() if p.name.startswith(folder.TEMPORARY)] == []
    seq = channel(ready.alpha, "beta").sending.next
    assert release(ready.alpha, "beta").package.seq == seq


def test_a_seal_that_is_cancelled_leaves_nothing(ready):
    before_state, before_files = state(ready.alpha), files(ready.alpha)
    with pytest.raises(Cancelled):
        releases.release(ready.alpha, "beta", releases.Wish(None), beside(ready.alpha), Impatient("seal"))
    assert state(ready.alpha) == before_state
    assert files(ready.alpha) == before_files


@pytest.mark.parametrize("stop", [Cancelled, KeyboardInterrupt])
@pytest.mark.parametrize("stage", ["store", "verify"])
def test_a_carrying_that_is_cancelled_says_that_the_package_waits(ready, stage, stop):
    path = beside(ready.alpha)
    error = refused(
        "carry-failed",
        releases.release,
        ready.alpha,
        "beta",
        releases.Wish(None),
        path,
        Impatient(stage, stop),
    )
    assert error.facts["cause"] == "cancelled"
    assert not path.exists()
    assert problems(ready.alpha) == []
    record = sealed_last(ready.alpha, "beta")
    assert channel(ready.alpha, "beta").sending.packages[record.seq].state == "sealed"
    outbox.carry(ready.alpha, "beta", record.seq, path, quiet())
    assert receive(ready.beta, path).objects == 2


def test_what_cannot_be_recorded_as_carried_does_not_leave(ready, monkeypatch):
    path = beside(ready.alpha)

    def full(*_):
        raise Refused("disk-full")

    with monkeypatch.context() as patched:
        patched.setattr(sealing, "hand_over", full)
        error = refused(
            "carry-failed", releases.release, ready.alpha, "beta", releases.Wish(None), path, quiet()
        )
        assert error.facts["cause"] == "disk-full"
        assert not path.exists()
        record = sealed_last(ready.alpha, "beta")
        refused("disk-full", outbox.carry, ready.alpha, "beta", record.seq, path, quiet())
        assert not path.exists()
    outbox.carry(ready.alpha, "beta", record.seq, path, quiet())
    assert receive(ready.beta, path).objects == 2


def test_a_target_that_cannot_take_it_changes_nothing(ready):
    taken = ready.folder / "taken"
    taken.write_bytes(b"mine")
    before_state, before_files = state(ready.alpha), files(ready.alpha)
    for target, code in (
        (taken, "target-exists"),
        (ready.folder / "no" / "such", "target-missing"),
        (taken / "x", "target-missing"),
        (ready.folder / ("n" * 300), "target-missing"),
    ):
        refused(code, release, ready.alpha, "beta", target=target)
    assert state(ready.alpha) == before_state
    assert files(ready.alpha) == before_files
    assert taken.read_bytes() == b"mine"


def test_what_a_crash_left_in_the_outbox_is_swept_and_what_is_sealed_stays(ready):
    sealed = releases.release(ready.alpha, "beta", releases.Wish(None), None, quiet()).package.path
    (ready.alpha.outbox / "half.age").write_bytes(b"x")
    (ready.alpha.outbox / "folder").mkdir()
    ready.close_alpha()
    with unlocked(ready.folder / "alpha"):
        pass
    assert files(ready.alpha) >= {sealed.name, "folder"}
    assert "half.age" not in files(ready.alpha)


def test_a_package_that_is_acked_is_closed_and_cannot_be_carried(ready):
    package = release(ready.alpha, "beta").package
    receive(ready.beta, ready.folder / package.path.name)
    receive(ready.alpha, send(ready.beta, "alpha"))
    assert outbox.listed(ready.alpha, "beta")[0].state == "acked"
    refused("package-closed", outbox.carry, ready.alpha, "beta", package.seq, beside(ready.alpha), quiet())
    refused("package-unknown", outbox.carry, ready.alpha, "beta", 99, beside(ready.alpha), quiet())


def test_carrying_again_gives_the_same_bytes(ready):
    package = release(ready.alpha, "beta").package
    again = outbox.carry(ready.alpha, "beta", package.seq, beside(ready.alpha), quiet())
    assert again.read_bytes() == package.path.read_bytes()
    assert receive(ready.beta, again).status == "new"
    assert receive(ready.beta, package.path).status == "duplicate"


# What may have changed meanwhile --------------------------------------------------------------------------------


def test_a_counterpart_revoked_while_its_package_was_sealed_gets_nothing(ready):
    alpha = ready.alpha

    class Revoking(Impatient):
        def step(self, done, total, stage):
            if stage == "seal" and not peer(alpha, "beta").revoked:
                counterparts.revoke(alpha, "beta")

    before = files(alpha)
    seq = channel(alpha, "beta").sending.next
    with pytest.raises(Refused) as caught:
        releases.release(alpha, "beta", releases.Wish(None), beside(alpha), Revoking(""))
    assert caught.value.code == "counterpart-revoked"
    assert channel(alpha, "beta").sending.next == seq
    assert files(alpha) == before


def test_two_seals_at_once_do_not_share_a_number(ready):
    done, lock = [], threading.Lock()

    def work():
        try:
            result = release(ready.alpha, "beta").package.seq
        except Refused as error:
            result = error.code
        with lock:
            done.append(result)

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    numbers = [one for one in done if isinstance(one, int)]
    assert numbers
    assert len(set(numbers)) == len(numbers)
    assert {one for one in done if isinstance(one, str)} <= {"store-busy"}
    assert problems(ready.alpha) == []


# Limits -----------------------------------------------------------------------------------------------------------


def test_statements_without_number_do_not_stop_our_seals(ready, monkeypatch):
    monkeypatch.setattr(sealing, "STATEMENTS_LIMIT", 3)
    alpha = ready.alpha
    cid = peer(alpha, "beta").cid
    made = [statements.make(alpha, "request", number=number) for number in range(7)]
    with alpha.database.write() as tx:
        for statement in made:
            statements.keep_own(tx, alpha, cid, statement)
    held = "SELECT id FROM statement WHERE kind = 'request' ORDER BY rowid"
    for count in (3, 6, 7):
        receive(ready.beta, send(alpha, "beta"))
        found = ready.beta.database.read().execute(held).fetchall()
        # The oldest first; each package brings what the one before left over.
        assert [bytes(row[0]) for row in found] == [statement.id for statement in made[:count]]
        receive(alpha, send(ready.beta, "alpha"))


def test_statements_of_any_size_do_not_stop_our_seals(ready, monkeypatch):
    alpha = ready.alpha
    cid = peer(alpha, "beta").cid
    made = [statements.make(alpha, "request", number=number) for number in range(5)]
    monkeypatch.setattr(sealing, "STATEMENTS_BYTES", 2 * len(made[0].raw))
    with alpha.database.write() as tx:
        for statement in made:
            statements.keep_own(tx, alpha, cid, statement)
    held = "SELECT count(*) FROM statement WHERE kind = 'request'"
    for count in (2, 4, 5):
        receive(ready.beta, send(alpha, "beta"))
        assert ready.beta.database.read().execute(held).fetchone() == (count,)
        receive(alpha, send(ready.beta, "alpha"))
    # One that is larger than that goes alone.
    monkeypatch.setattr(sealing, "STATEMENTS_BYTES", 1)
    with alpha.database.write() as tx:
        for number in (5, 6):
            statements.keep_own(tx, alpha, cid, statements.make(alpha, "request", number=number))
    receive(ready.beta, send(alpha, "beta"))
    assert ready.beta.database.read().execute(held).fetchone() == (6,)


def test_void_ranges_without_number_do_not_stop_our_seals(ready):
    old = {n: machine.Outgoing(f"{n:064x}", "void" if n % 2 else "acked") for n in range(1, 601)}
    set_channel(ready.alpha, "beta", sending={"packages": old, "next": 601, "upto": 0, "head": f"{600:064x}"})
    assert release(ready.alpha, "beta").package.seq == 601


@pytest.mark.parametrize("count, full", [(machine.UNACKED_LIMIT - 1, False), (machine.UNACKED_LIMIT, True)])
def test_too_many_unacked_packages_stop_sealing(ready, count, full):
    old = {n: machine.Outgoing(f"{n:064x}", "handed") for n in range(1, count + 1)}
    head = f"{count:064x}"
    set_channel(ready.alpha, "beta", sending={"packages": old, "next": count + 1, "upto": 0, "head": head})
    if full:
        refused("channel-full", release, ready.alpha, "beta")
    else:
        assert release(ready.alpha, "beta").package.seq == count + 1


def test_a_note_has_a_limit(ready):
    most = releases.NOTE_LIMIT
    refused("note-too-long", release, ready.alpha, "beta", note="x" * (most + 1))
    # Four bytes a letter still fit what the other side takes.
    path = release(ready.alpha, "beta", note="\U00010348" * most).package.path
    assert receive(ready.beta, path).failed == ()


def test_a_poisoned_key_that_was_kept_all_the_same_is_a_refusal(ready):
    one = peer(ready.alpha, "beta")
    with ready.alpha.database.write() as tx:
        tx.execute("UPDATE their_key SET public = ? WHERE cid = ?", (b"\xff" * 1216, one.cid))
    before = files(ready.alpha)
    error = refused("seal-failed", release, ready.alpha, "beta")
    assert error.facts["detail"] == "kem-key"
    assert files(ready.alpha) == before


def test_an_outbox_that_cannot_be_written_is_a_refusal(ready):
    moved = ready.alpha.outbox.with_name("gone")
    os.rename(ready.alpha.outbox, moved)
    before = state(ready.alpha)
    refused("outbox-failed", release, ready.alpha, "beta")
    assert state(ready.alpha) == before


def test_what_the_manifest_commits_to_is_the_log_as_it_stood(ready):
    alpha = ready.alpha
    released = release(alpha, "beta")
    record = sealed_last(alpha, "beta")
    [entry] = audit.entries(alpha.database.read(), record.logged + 1, 1)
    assert (entry.act, entry.detail["release"]) == ("release", released.release)
    checkpoint = audit.checkpoint(alpha.database.read(), record.logged)
    manifest = verify_manifest(record.manifest, record.signature, alpha.identity.signing.public)
    assert manifest.log == hashlib.sha256(record.salt + checkpoint).digest()
    with (alpha.outbox / record.file).open("rb") as file:
        assert manifest.header == read_header_hash(file)


def test_every_manifest_and_signature_is_kept(ready):
    path = release(ready.alpha, "beta").package.path
    got = receive(ready.beta, path)
    theirs = packages.received_at(ready.beta.database.read(), got.number)
    ours = sealed_last(ready.alpha, "beta")
    assert (theirs.manifest, theirs.signature) == (ours.manifest, ours.signature)
    verify_manifest(theirs.manifest, theirs.signature, ready.alpha.identity.signing.public)


def test_a_store_opened_again_goes_on_where_it_stood(met_template, tmp_path):
    shutil.copytree(met_template, tmp_path, dirs_exist_ok=True)
    numbers = []
    for _ in range(3):
        with unlocked(tmp_path / "alpha") as alpha:
            send(alpha, "beta")
            numbers.append(channel(alpha, "beta").sending.next - 1)
            known = store_counterparts.everyone(alpha.database.read())
            assert {one.alias for one in known} == {"beta", "mallory"}
    assert numbers == [numbers[0], numbers[0] + 1, numbers[0] + 2]


def test_what_cannot_be_said_of_a_release_is_refused_before_the_gate_is_asked(ready):
    for code, said in (
        ("reference-unusable", {"reference": "2026/17\nsecond line"}),
        ("reference-unusable", {"reference": "x" * 201}),
        ("purpose-unusable", {"purpose": "Any"}),
        ("note-too-long", {"note": "x" * 10_001}),
        ("enquiry-unknown", {"answers": (1,)}),
    ):
        wish = releases.Wish(None, **said)
        refused(code, releases.require_usable, ready.alpha, "beta", wish)
        refused(code, releases.release, ready.alpha, "beta", wish, None, quiet())
