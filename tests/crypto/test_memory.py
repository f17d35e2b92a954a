"""Locked buffers: they hold, they are locked where the system lets them, and they are zero at the end."""

from __future__ import annotations

import ctypes
import gc
import mmap
import sys
from pathlib import Path

import pytest

from crypto import memory
from crypto.composite import SigningKey
from crypto.memory import Locked

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


def locked_kib() -> int:
    return int(Path("/proc/self/status").read_text().split("VmLck:")[1].split()[0])


def test_it_holds_what_it_was_given() -> None:
    secret = Locked(b"secret")
    assert secret.reveal() == b"secret"
    assert "secret" not in repr(secret)
    assert Locked(b"").reveal() == b""
    assert Locked(bytes(10_000)).reveal() == bytes(10_000)


@LINUX
def test_it_is_locked_and_let_go() -> None:
    before = locked_kib()
    secret = Locked(b"secret")
    if not secret.locked:
        pytest.skip("no quota for locked memory here")
    assert locked_kib() > before
    del secret
    gc.collect()
    assert locked_kib() == before


def test_it_is_zeroed_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[bytes] = []

    def watch(name: str, pages: mmap.mmap) -> int:
        seen.append(pages[:6])
        return 0

    monkeypatch.setattr(memory, "_lock", lambda pages: True)
    monkeypatch.setattr(memory, "_call", watch)
    Locked(b"secret").wipe()
    assert seen == [bytes(6)]


def test_after_wiping_there_is_nothing() -> None:
    secret = Locked(b"secret")
    secret.wipe()
    secret.wipe()
    with pytest.raises(ValueError):  # noqa: PT011 (mmap's own words)
        secret.reveal()


def test_without_locking_it_works_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def none(name: object) -> object:
        raise OSError

    monkeypatch.setattr(ctypes, "CDLL", none)
    secret = Locked(b"secret")
    assert not secret.locked
    assert secret.reveal() == b"secret"
    secret.wipe()


def test_a_wiped_signing_key_signs_no_more() -> None:
    key = SigningKey.generate()
    public = key.public
    key.wipe()
    assert key.public == public
    with pytest.raises(ValueError):  # noqa: PT011 (mmap's own words)
        key.sign(b"m", b"")
