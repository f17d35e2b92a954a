"""Attachments: kept encrypted, destroyed with their key, never a path, and a sample only ever in a zip."""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
import zipfile
import zlib

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from app import vault
from app.holdings import attachments, purge
from app.holdings.filenames import safe
from app.jobs import Cancelled, Job, quiet
from app.messages import Refused
from app.store import attachments as store
from crypto.at_rest import sealed_size
from tests.support.sites import CHEAP, PASSPHRASE, acts, bundle, problems, state, take, thing, unlocked

MALWARE = thing("malware", 1, is_family=False)
REPORT = thing("report", 1, published="2026-01-01T00:00:00Z", object_refs=[MALWARE["id"]])
CANARY = b"a canary that must not be found in the clear " * 4


@pytest.fixture
def site(world):
    take(world.alpha, REPORT, MALWARE)
    return world.alpha


def put(site, content: bytes, to=REPORT, name="notes.txt", sample=None, job=None):
    path = site.home.parent / f"source-{secrets.token_hex(4)}"
    path.write_bytes(content)
    return attachments.attach(site, path, to["id"], name, sample, job or quiet())


def content(site, to=REPORT, name="notes.txt") -> bytes:
    return b"".join(attachments.save(site, to["id"], name, quiet()).pieces)


def kept(site) -> list:
    return sorted(site.attachments.iterdir())


def refused(code, work, *arguments):
    with pytest.raises(Refused) as caught:
        work(*arguments)
    assert caught.value.code == code
    return caught.value


# Keeping ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [0, 1, 65535, 65536, 65537, 1 << 20, (1 << 20) + 1, 3_000_001])
def test_what_was_attached_comes_out(site, size):
    raw = os.urandom(size)
    one = put(site, raw)
    assert (one.size, one.sha256) == (size, hashlib.sha256(raw).digest())
    assert content(site) == raw
    assert [path.stat().st_size for path in kept(site)] == [sealed_size(size)]
    assert problems(site) == []


def test_the_file_tells_nothing(site):
    one = put(site, CANARY, name="canary-name.txt")
    (path,) = kept(site)
    raw = path.read_bytes()
    assert CANARY[:20] not in raw
    assert "canary" not in path.name
    assert one.sha256.hex()[:8] not in path.name
    assert path.stat().st_mode & 0o777 == 0o600
    assert site.attachments.stat().st_mode & 0o777 == 0o700
    again = put(site, CANARY, MALWARE, sample=False)
    assert again.file != one.file
    assert again.key != one.key


def test_the_log_counts_and_names_nothing(site):
    one = put(site, CANARY, name="canary-name.txt")
    content(site, name=one.name)
    attachments.remove(site, REPORT["id"], one.name)
    assert acts(site)[-3:] == ["attachment.added", "attachment.saved", "attachment.removed"]
    rows = site.database.read().execute("SELECT entry FROM audit").fetchall()
    assert not any("canary" in row[0] or one.sha256.hex() in row[0] for row in rows)


def test_names_are_labels_and_never_paths(site):
    for name in ("../../../etc/cron.d/x", "/etc/passwd", "a\0b", "\u202etxt.exe", "n" * 4096, "CON"):
        one = put(site, os.urandom(8), name=name)
        assert content(site, name=one.name)
        assert one.name == safe(name) != name
        assert [kept.name for kept in attachments.listed(site, REPORT["id"])].count(one.name) == 1
    assert {path.parent for path in site.home.rglob("*") if path.is_file()} == {
        site.home,
        site.attachments,
        *({site.outbox} if any(site.outbox.iterdir()) else ()),
    }


def test_one_name_and_one_content_are_kept_once_for_an_object(site):
    put(site, b"one")
    before = state(site)
    refused("attachment-named", put, site, b"two")
    refused("attachment-held", put, site, b"one", REPORT, "other.txt")
    assert state(site) == before
    assert len(kept(site)) == 1


def test_what_is_refused_changes_nothing(site, monkeypatch):
    before = state(site)
    refused("object-unknown", put, site, b"x", thing("report", 9))
    refused("attachment-unknown", attachments.save, site, REPORT["id"], "nothing", quiet())
    refused("attachment-unknown", attachments.remove, site, REPORT["id"], "nothing")
    for path in (site.home.parent, site.home.parent / "absent", "/dev/null"):
        refused(
            "file-unreadable",
            attachments.attach,
            site,
            type(site.home)(path),
            REPORT["id"],
            "",
            None,
            quiet(),
        )
    monkeypatch.setattr(attachments, "OBJECT_LIMIT", 0)
    refused("attachments-too-many", put, site, b"x")
    assert state(site) == before
    assert kept(site) == []


def test_a_pipe_is_not_waited_for(site, tmp_path):
    os.mkfifo(tmp_path / "pipe")
    refused("file-unreadable", attachments.attach, site, tmp_path / "pipe", REPORT["id"], "", None, quiet())


def test_stopped_in_the_middle_nothing_is_kept(site):
    before = state(site)
    with pytest.raises(Cancelled):
        put(site, bytes(5 << 20), job=_Stopping(2))
    assert state(site) == before
    assert kept(site) == []


class _Stopping(Job):
    """Cancels itself after so many steps."""

    def __init__(self, steps: int) -> None:
        super().__init__()
        self._left = steps

    def step(self, done: int, total: int, stage: str) -> None:
        self._left -= 1
        if self._left < 0:
            self.cancel()
        super().step(done, total, stage)


# Destroying -------------------------------------------------------------------------------------------------


def test_removing_destroys_key_and_file(site):
    one = put(site, CANARY)
    raw = kept(site)[0].read_bytes()
    attachments.remove(site, REPORT["id"], one.name)
    assert kept(site) == []
    assert attachments.listed(site, REPORT["id"]) == []
    assert (site.home / "store.db-wal").stat().st_size == 0
    # Whoever keeps the file keeps noise: its key is in no table.
    (site.attachments / one.file).write_bytes(raw)
    assert not any(one.key in row for _, rows in state(site) for row in rows)
    assert problems(site) == ["attachment-stray"]


def test_a_purged_object_takes_its_attachments_along(site):
    put(site, CANARY)
    put(site, b"sample", MALWARE)
    purge.purge_listed(site, [REPORT["id"]], quiet())
    assert [one.id for one in store.everything(site.database.read())] == [MALWARE["id"]]
    assert len(kept(site)) == 1
    assert problems(site) == []


def test_what_a_crash_left_is_swept_at_the_next_unlock(holdings_template, tmp_path):
    home = tmp_path / "own"
    vault.create(home, "own", "JO", "R. Haddad", PASSPHRASE, cost=CHEAP)
    with unlocked(home) as site:
        take(site, REPORT)
        one = put(site, CANARY)
        (site.attachments / secrets.token_hex(16)).write_bytes(b"without a key")
        assert problems(site) == ["attachment-stray"]
    with unlocked(home) as site:
        assert [path.name for path in kept(site)] == [one.file]
        assert problems(site) == []
        assert content(site) == CANARY


# Damage -----------------------------------------------------------------------------------------------------


def damaged(site, change) -> None:
    """An attachment whose file was changed is never given out whole, and `check` says so."""
    (path,) = kept(site)
    good = path.read_bytes()
    path.write_bytes(change(good))
    assert problems(site) == ["attachment-altered"]
    refused("attachment-altered", content, site)
    path.write_bytes(good)


def test_any_damage_is_found(site):
    raw = os.urandom(3 * 65536 + 100)
    put(site, raw)
    size, step = sealed_size(len(raw)), 65536 + 16
    chunk = [slice(16 + i * step, 16 + (i + 1) * step) for i in range(4)]
    for at in (0, 15, 16, 80, step, size // 2, size - 1):
        damaged(site, lambda good, at=at: good[:at] + bytes([good[at] ^ 1]) + good[at + 1 :])
    for cut in (0, 1, 15, 16, 17, step, 16 + step, 16 + 3 * step, size - 1):
        damaged(site, lambda good, cut=cut: good[:cut])
    damaged(site, lambda good: good + b"\0")
    damaged(site, lambda good: good[:16] + good[chunk[1]] + good[chunk[0]] + good[chunk[2]] + good[chunk[3]])
    damaged(site, lambda good: good[:16] + good[chunk[0]] + good[chunk[0]] + good[chunk[2]] + good[chunk[3]])
    damaged(site, lambda good: good[:16] + good[chunk[0]] + good[chunk[1]] + good[chunk[3]])
    assert problems(site) == []
    assert content(site) == raw


def test_the_file_of_another_attachment_is_not_taken_for_this_one(site):
    one, other = put(site, b"first"), put(site, b"other", name="other.txt")
    (site.attachments / one.file).write_bytes((site.attachments / other.file).read_bytes())
    assert problems(site) == ["attachment-altered"]
    refused("attachment-altered", content, site)
    (site.attachments / one.file).unlink()
    assert problems(site) == ["attachment-missing"]
    refused("attachment-missing", content, site)


def test_a_row_that_names_another_content_is_found(site):
    put(site, b"content")
    with site.database.write() as tx:
        tx.execute("UPDATE attachment SET sha256 = ?", (bytes(32),))
    assert problems(site) == ["attachment-altered"]


@pytest.mark.parametrize("size", [0, 6, 8])
def test_a_row_that_says_another_size_gives_nothing_out_for_whole(site, size):
    put(site, b"content")
    with site.database.write() as tx:
        tx.execute("UPDATE attachment SET size = ?", (size,))
    assert "attachment-altered" in problems(site)
    refused("attachment-altered", content, site)


# Samples ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "to,head,said,sample",
    [
        (REPORT, b"plain text", None, False),
        (REPORT, b"MZ\x90\0", None, True),
        (REPORT, b"\x7fELF", None, True),
        (REPORT, b"#!/bin/sh", None, True),
        (REPORT, b"plain text", True, True),
        (MALWARE, b"plain text", None, True),
        (MALWARE, b"MZ", False, False),
    ],
)
def test_what_is_a_sample(site, to, head, said, sample):
    assert put(site, head, to, sample=said).sample is sample


@pytest.mark.parametrize("size", [0, 5, 200_000])
def test_a_sample_leaves_in_a_zip_that_others_open(site, tmp_path, size):
    raw = (b"MZ" + os.urandom(size))[:size] if size != 5 else b"abcde"
    put(site, raw, MALWARE, "../evil.exe")
    (one,) = attachments.listed(site, MALWARE["id"])
    saving = attachments.save(site, MALWARE["id"], one.name, quiet())
    assert saving.zipped
    path = tmp_path / "sample.zip"
    path.write_bytes(b"".join(saving.pieces))
    if size > 5:
        assert raw[:64] not in path.read_bytes()
    assert unzipped(path, b"infected") == {f"{one.sha256.hex()}.sample": raw}
    with pytest.raises(ValueError, match="password"):
        unzipped(path, b"wrong")


def unzipped(path, password: bytes) -> dict[str, bytes]:
    """A zip as WinZip's "AES Encryption Information" has it (AE-2), read without the library that wrote it."""
    found = {}
    with zipfile.ZipFile(path) as archive:
        for info in archive.infolist():
            assert info.flag_bits & 1
            assert info.compress_type == 99
            at = info.header_offset
            whole = path.read_bytes()
            at += 30 + sum(int.from_bytes(whole[at + i : at + i + 2], "little") for i in (26, 28))
            stored = whole[at : at + info.compress_size]
            salt, check, body, mac = stored[:16], stored[16:18], stored[18:-10], stored[-10:]
            keys = hashlib.pbkdf2_hmac("sha1", password, salt, 1000, 66)
            if keys[64:] != check:
                raise ValueError("password")
            assert hmac.digest(keys[32:64], body, "sha1")[:10] == mac
            blocks = b"".join(n.to_bytes(16, "little") for n in range(1, len(body) // 16 + 2))
            stream = Cipher(algorithms.AES(keys[:32]), modes.ECB()).encryptor().update(blocks)
            packed = bytes(a ^ b for a, b in zip(body, stream, strict=False))
            found[info.filename] = zlib.decompress(packed, -15)
            assert len(found[info.filename]) == info.file_size
    return found


def test_the_bundle_says_nothing_of_attachments(site):
    put(site, CANARY)
    assert attachments.count(site, attachments.Selection()) == 1
    assert b"attachment" not in bundle(REPORT)
