"""scripts/system_libraries.sh: what it finds missing, and what it does about it as root or not."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "scripts" / "system_libraries.sh"

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="Debian's package tools")

INSTALLED = """\
installed libgl1, libgl1-alternative (= 1)
installed libglib2.0-0t64, libglib2.0-0 (= 2.80.0-6), libglib2.0-other
installed python3-other,
config-files strace,
"""


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """A folder for PATH in which the package tools are ours and write down how they were called."""
    tools = {
        "dpkg-query": f"cat <<'END'\n{INSTALLED}END",
        "apt-get": f'echo "$@" >> {tmp_path}/called; test ! -e {tmp_path}/offline',
        "id": f'test -e {tmp_path}/plain && echo 1000 || echo 0; test "$1" = -u',
    }
    for name, body in tools.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{body}\n")
        (tmp_path / name).chmod(0o755)
    return tmp_path


def ask(machine: Path, *names: str) -> subprocess.CompletedProcess[str]:
    path = f"{machine}:/usr/bin:/bin"
    return subprocess.run(
        [SCRIPT, *names], env={"PATH": path}, capture_output=True, text=True, check=False, timeout=20
    )


def calls(machine: Path) -> list[str]:
    called = machine / "called"
    return called.read_text().splitlines() if called.exists() else []


def test_all_there_is_silent(machine: Path) -> None:
    done = ask(machine, "libgl1", "libglib2.0-0", "libglib2.0-other")
    assert (done.returncode, done.stdout, done.stderr, calls(machine)) == (0, "", "", [])


def test_root_installs_what_is_missing_and_nothing_else(machine: Path) -> None:
    done = ask(machine, "libgl1", "strace", "xvfb")
    assert done.returncode == 0
    assert calls(machine) == ["update -q", "install -q -y --no-install-recommends strace xvfb"]


@pytest.mark.parametrize("name", ["libgl", "libglib2.0", "libglib2x0-0", "python3"])
def test_a_part_of_a_name_is_another_package(machine: Path, name: str) -> None:
    ask(machine, name)
    assert calls(machine)[-1].endswith(f" {name}")


def test_anybody_else_gets_the_line_to_type(machine: Path) -> None:
    (machine / "plain").touch()
    done = ask(machine, "libgl1", "strace", "xvfb")
    assert done.returncode == 1
    line = " -c 'apt-get update && apt-get install --no-install-recommends strace xvfb'\n"
    assert line in done.stderr
    assert calls(machine) == []


def test_a_failed_installation_stops(machine: Path) -> None:
    (machine / "offline").touch()
    done = ask(machine, "xvfb")
    assert done.returncode == 1
    assert "could not be installed" in done.stderr
