"""Keyrings for the tests: a real Secret Service on a bus of its own, and one in memory that fails on demand."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import keyring.backend
import pytest
from jeepney import DBusAddress, new_method_call
from jeepney.io.blocking import open_dbus_connection

# A bus that starts nothing by itself: a question that comes before the daemon is there would start a second one,
# which is locked and waits for somebody to unlock it.
_BUS = """<busconfig><type>session</type><listen>unix:path={path}</listen><auth>EXTERNAL</auth>
<policy context="default"><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/>
<allow own="*"/></policy>
</busconfig>"""
_BUS_ITSELF = DBusAddress("/org/freedesktop/DBus", "org.freedesktop.DBus", "org.freedesktop.DBus")
READY_SECONDS = 20.0


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
    config = folder / "bus.conf"
    config.write_text(_BUS.format(path=runtime / "bus"))
    bus = subprocess.Popen(
        ["dbus-daemon", f"--config-file={config}", "--nofork", "--print-address=1"],
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
            _await_owner(env["DBUS_SESSION_BUS_ADDRESS"])
            yield env
        finally:
            daemon.kill()
            daemon.wait()
            daemon.stdout.close()
    finally:
        bus.kill()
        bus.wait()
        bus.stdout.close()


def _await_owner(address: str) -> None:
    """Wait until somebody answers for the Secret Service on a bus."""
    asked = new_method_call(_BUS_ITSELF, "NameHasOwner", "s", ("org.freedesktop.secrets",))
    end = time.monotonic() + READY_SECONDS
    with open_dbus_connection(address) as connection:
        while not connection.send_and_get_reply(asked).body[0]:
            assert time.monotonic() < end, "no Secret Service came"
            time.sleep(0.02)


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
