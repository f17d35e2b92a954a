"""Keyrings for the tests: a real Secret Service on a bus of its own, and one in memory that fails on demand."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import keyring.backend
import pytest


@contextlib.contextmanager
def secret_service(folder: Path) -> Iterator[dict[str, str]]:
    """The environment of processes that reach a real Secret Service, unlocked and empty, which lives in `folder`."""
    tools = [shutil.which(name) for name in ("dbus-daemon", "gnome-keyring-daemon")]
    if not all(tools):
        if os.environ.get("CI") == "true":
            pytest.fail("CI needs a Secret Service")
        pytest.skip("no dbus-daemon or gnome-keyring-daemon here")
    runtime = folder / "runtime"
    runtime.mkdir(mode=0o700)
    env = {k: v for k, v in os.environ.items() if not k.startswith(("XDG_", "PYTHON_KEYRING", "DBUS_"))}
    env |= {"HOME": str(folder), "XDG_RUNTIME_DIR": str(runtime)}
    bus = subprocess.Popen(
        ["dbus-daemon", "--session", "--nofork", "--print-address=1"],
        stdout=subprocess.PIPE,
        text=True,
        env=env,
    )
    assert bus.stdout is not None
    try:
        env["DBUS_SESSION_BUS_ADDRESS"] = bus.stdout.readline().strip()
        daemon = subprocess.Popen(
            ["gnome-keyring-daemon", "--foreground", "--unlock", "--components=secrets"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=env,
        )
        assert daemon.stdin is not None
        assert daemon.stdout is not None
        try:
            daemon.stdin.write("secret\n")
            daemon.stdin.close()
            daemon.stdout.readline()
            yield env
        finally:
            daemon.kill()
            daemon.wait()
            daemon.stdout.close()
    finally:
        bus.kill()
        bus.wait()
        bus.stdout.close()


class Memory(keyring.backend.KeyringBackend):
    """A keyring in memory. While `refusing`, it keeps nothing; while `stuck` is set, it does not answer."""

    priority = 1

    def __init__(self) -> None:
        super().__init__()
        self.kept: dict[str, str] = {}
        self.refusing = False
        self.go = threading.Event()
        self.go.set()

    def get_password(self, service: str, username: str) -> str | None:
        self.go.wait()
        return self.kept.get(username)

    def set_password(self, service: str, username: str, password: str) -> None:
        self.go.wait()
        if self.refusing:
            raise RuntimeError("locked")
        self.kept[username] = password
