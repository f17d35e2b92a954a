"""The log as a tree: what it says, and that every way of tampering with it is found and named."""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
import shutil
from functools import partial

import pytest

from app import audit, vault
from app.audit import checking
from app.audit.checking import Witness
from app.store import log, packages
from crypto import manifest as manifests
from crypto import merkle
from tests.support.sites import PASSPHRASE, peer, sealed_last, unlocked


class _Undo(Exception):
    pass


@contextlib.contextmanager
def tampering(site):
    """A transaction that is taken back."""
    with contextlib.suppress(_Undo), site.database.write() as tx:
        yield tx
        raise _Undo


def found(connection, *given):
    return [(b.code, b.first, b.last) for b in checking.verify(connection, given)]


def texts(connection):
    return [text for _, text in log.oldest_first(connection)]


def rewrite(tx, entries):
    """Everything that hangs on the entries made anew, as whoever has the store's key can."""
    tx.execute("DELETE FROM audit")
    tx.execute("DELETE FROM audit_node")
    for size, text in enumerate(entries):
        nodes = merkle.appended(size, merkle.leaf(text.encode()), partial(log.node, tx))
        log.add(tx, size + 1, text, nodes)


def renumbered(entries):
    return [re.sub(r'^{"n":\d+', f'{{"n":{n}', text) for n, text in enumerate(entries, 1)]


def test_the_head_is_that_of_rfc_6962_over_the_exact_texts(busy):
    reader = busy.alpha.database.read()
    leaves = [merkle.leaf(text.encode()) for text in texts(reader)]
    node = merkle.of(merkle.levels(leaves))
    assert audit.head(reader) == audit.Head(len(leaves), merkle.root(len(leaves), node))
    for size in range(len(leaves) + 1):
        assert audit.head(reader, size).hash == merkle.root(size, node)
    assert found(reader) == []


def test_a_manifest_commits_to_a_log_that_tells_of_its_release(busy):
    reader = busy.alpha.database.read()
    sent = packages.sealed(reader, peer(busy.alpha, "beta").cid)
    assert any(one.release is not None for one in sent)
    for one in sent:
        text = audit.checkpoint(reader, one.logged)
        assert manifests.parse(one.manifest).log == hashlib.sha256(one.salt + text).digest()
        if one.release is not None:
            [entry] = audit.entries(reader, one.logged + 1, 1)
            assert (entry.act, entry.detail["release"]) == ("release", one.release.hex())


def test_an_entry_altered_alone_is_named(busy):
    alpha = busy.alpha
    for number in range(1, audit.head(alpha.database.read()).number + 1):
        with tampering(alpha) as tx:
            tx.execute(
                "UPDATE audit SET entry = replace(entry, 'Haddad', 'Hadad') WHERE number = ?", (number,)
            )
            assert found(tx) == [("audit-altered", number, number)]
        with tampering(alpha) as tx:
            tx.execute("UPDATE audit SET entry = 'nothing' WHERE number = ?", (number,))
            assert ("audit-altered", number, number) in found(tx)


def test_an_entry_dropped_alone_is_named(busy):
    alpha = busy.alpha
    size = audit.head(alpha.database.read()).number
    for number in range(1, size + 1):
        with tampering(alpha) as tx:
            tx.execute("DELETE FROM audit WHERE number = ?", (number,))
            code = "audit-truncated" if number == size else "audit-missing"
            assert (code, number, number) in found(tx)


def test_the_end_cut_off_is_named(busy):
    alpha = busy.alpha
    size = audit.head(alpha.database.read()).number
    for kept in range(size):
        with tampering(alpha) as tx:
            tx.execute("DELETE FROM audit WHERE number > ?", (kept,))
            assert ("audit-truncated", kept + 1, size) in found(tx)


def test_two_entries_exchanged_are_named(busy):
    alpha = busy.alpha
    entries = texts(alpha.database.read())
    for first in range(1, len(entries)):
        with tampering(alpha) as tx:
            for number, text in ((first, entries[first]), (first + 1, entries[first - 1])):
                tx.execute("UPDATE audit SET entry = ? WHERE number = ?", (text, number))
            assert [f for f in found(tx) if f[1]] == [
                ("audit-reordered", first, first),
                ("audit-reordered", first + 1, first + 1),
            ]


def test_every_node_altered_is_named(busy):
    alpha = busy.alpha
    for level, position, _ in list(log.nodes(alpha.database.read())):
        first, last = (position << level) + 1, (position + 1) << level
        for sql in (
            "UPDATE audit_node SET hash = zeroblob(32) WHERE level = ? AND position = ?",
            "DELETE FROM audit_node WHERE level = ? AND position = ?",
        ):
            with tampering(alpha) as tx:
                tx.execute(sql, (level, position))
                code = "audit-node" if level else "audit-altered"
                assert (code, first, last) in found(tx)


def test_a_log_rewritten_with_all_its_hashes_is_found_between_two_packages(busy):
    """Packages hold commitments to earlier states; the newest entries need a checkpoint kept elsewhere."""
    alpha = busy.alpha
    reader = alpha.database.read()
    entries, head = texts(reader), audit.head(reader)
    sizes = sorted(one.logged for one in packages.sealed(reader))
    kept = Witness("checkpoint", head.number, lambda root: root == head.hash, given=True)
    for number in range(1, len(entries) + 1):
        changed = list(entries)
        value = json.loads(changed[number - 1])
        changed[number - 1] = json.dumps(value | {"officer": "somebody else"})
        first = max((size for size in sizes if size < number), default=0) + 1
        last = min((size for size in sizes if size >= number), default=None)
        with tampering(alpha) as tx:
            rewrite(tx, changed)
            seen = found(tx)
            assert seen == ([] if last is None else [("audit-forked", first, last)])
            assert [code for code, _, end in found(tx, kept) if end == head.number] == ["audit-forked"]


def test_an_entry_left_out_of_a_rewritten_log_is_found(busy):
    alpha = busy.alpha
    entries = texts(alpha.database.read())
    newest = max(one.logged for one in packages.sealed(alpha.database.read()))
    for number in range(1, newest + 1):
        left = [*entries[: number - 1], *entries[number:]]
        with tampering(alpha) as tx:
            rewrite(tx, left)
            assert ("audit-reordered", number, number) in found(tx)
        with tampering(alpha) as tx:
            rewrite(tx, renumbered(left))
            codes = {code for code, first, last in found(tx) if first <= number <= last}
            assert "audit-forked" in codes, (number, found(tx), [one.logged for one in packages.sealed(tx)])


def test_a_log_cut_off_with_all_its_hashes_is_found_by_what_was_sealed(busy):
    alpha = busy.alpha
    entries = texts(alpha.database.read())
    newest = max(one.logged for one in packages.sealed(alpha.database.read()))
    for kept in range(newest):
        with tampering(alpha) as tx:
            rewrite(tx, entries[:kept])
            assert ("audit-truncated", kept + 1, newest) in found(tx)


def test_a_package_and_its_entry_vouch_for_each_other(busy):
    alpha = busy.alpha
    name = f"package {sealed_last(alpha, 'beta').seq} to {peer(alpha, 'beta').fingerprint}"
    manifest = sealed_last(alpha, "beta").manifest_hash
    reader = alpha.database.read()
    [number] = [n for n, text in log.oldest_first(reader) if manifest.hex() in text]
    with tampering(alpha) as tx:
        tx.execute("DELETE FROM outbox WHERE manifest_hash = ?", (manifest,))
        assert found(tx) == [("audit-unwitnessed", number, number)]
    with tampering(alpha) as tx:
        tx.execute("DELETE FROM audit WHERE number = ?", (number,))
        broken = [b for b in checking.verify(tx) if b.code == "audit-unlogged"]
        assert [b.against for b in broken] == [name]
    for change in ("logged = 0", "logged = logged - 1", "salt = zeroblob(32)", "manifest = zeroblob(9)"):
        with tampering(alpha) as tx:
            tx.execute(f"UPDATE outbox SET {change} WHERE manifest_hash = ?", (manifest,))
            assert [b.against for b in checking.verify(tx)] == [name]


def test_a_log_that_was_tampered_with_still_takes_entries(busy):
    alpha = busy.alpha
    for sql in (
        "DELETE FROM audit WHERE number > 3",
        "DELETE FROM audit_node WHERE position > 2",
        "DELETE FROM audit_node WHERE level > 0",
        "DELETE FROM audit",
        "DELETE FROM audit_node",
        "UPDATE audit SET entry = 'nothing'",
    ):
        with tampering(alpha) as tx:
            before = found(tx)
            tx.execute(sql)
            for _ in range(9):
                audit.append(tx, alpha, "test")
            assert found(tx) != before
            assert len({n for n, _ in log.oldest_first(tx)}) >= 9


# From the chain of before ------------------------------------------------------------------------------------


@contextlib.contextmanager
def silent(home):
    """An installation that does not log that it is locked again."""
    opened = vault.unlock(home, PASSPHRASE)
    opened._logged = False
    try:
        yield opened.installation
    finally:
        opened.lock()


def chained(home):
    """Turn an installation's log back into the chain that stores had before, and give its entries."""
    with silent(home) as site, site.database.write() as tx:
        entries, previous = texts(tx), bytes(32)
        tx.execute("DELETE FROM audit")
        tx.execute("DELETE FROM audit_node")
        tx.execute("UPDATE outbox SET logged = 0")
        for number, text in enumerate(entries, 1):
            previous = hashlib.sha256(audit.CHAIN_DOMAIN + previous + text.encode()).digest()
            tx.execute("INSERT INTO audit_chain VALUES (?, ?, ?)", (number, text, previous))
    return entries, previous


def test_a_log_from_before_is_taken_over_text_for_text(template, tmp_path):
    home = shutil.copytree(template / "alpha", tmp_path / "alpha")
    entries, last = chained(home)
    for _ in range(2):
        with unlocked(home) as site:
            reader = site.database.read()
            assert texts(reader)[: len(entries)] == entries
            [taken] = audit.entries(reader, len(entries) + 2, 1)
            assert (taken.act, taken.detail) == (
                "log.converted",
                {"entries": len(entries), "chain": last.hex(), "broken": []},
            )
            assert found(reader) == []
            assert log.chain(reader) == []


def test_what_was_broken_before_is_recorded(template, tmp_path):
    home = shutil.copytree(template / "alpha", tmp_path / "alpha")
    with silent(home) as site, site.database.write() as tx:
        for number, text in enumerate(texts(tx), 1):
            tx.execute("INSERT INTO audit_chain VALUES (?, ?, zeroblob(32))", (number, text))
        tx.execute("DELETE FROM audit")
        tx.execute("DELETE FROM audit_node")
    with unlocked(home) as site:
        [entry] = [e for e in audit.entries(site.database.read()) if e.act == "log.converted"]
        assert entry.detail["broken"]


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"n":1}', '{"n":1,"act":2,"detail":3}', "[" * 5000, "\ud800"]
)
def test_a_text_that_no_act_wrote_is_an_altered_entry(busy, text):
    with tampering(busy.alpha) as tx:
        raw = text.encode(errors="surrogatepass")
        tx.execute("UPDATE audit SET entry = CAST(? AS TEXT) WHERE number = 2", (raw,))
        if text != "\ud800":
            assert ("audit-altered", 2, 2) in found(tx)
