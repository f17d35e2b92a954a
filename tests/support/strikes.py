"""Real processes that are struck: killed as they enter their n-th call of a kind, or that call fails, once.

By strace (`inject=`, from its manual), which counts the calls of each thread by itself and does not say when none was
struck: here threads are told apart, and every strike is read back from the trace.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

CALLS = (
    "write,writev,pwrite64,pwritev,pwritev2,sendfile,copy_file_range,fallocate,ftruncate,truncate,fsync,fdatasync,"
    "sync_file_range,rename,renameat,renameat2,link,linkat,symlink,unlink,unlinkat,mkdir,mkdirat,rmdir"
)
"""Every call by which files, or their names, change or reach the disk."""
APART = 500
HOOK = f"""
import itertools, os, sys, threading

number = itertools.count()
which = os.environ.get("APART", "")

def apart(*_):
    sys.setprofile(None)
    mine = next(number)
    if which in ("all", str(mine)):
        file = os.open(os.devnull, os.O_WRONLY)
        if which == "all":
            os.write(file, b"thread %d" % mine)
        else:
            for _ in range({APART}):
                os.write(file, b"")
        os.close(file)

threading.setprofile(apart)
apart()
"""
"""What a command's interpreter runs first. strace counts the calls of each thread by itself, so the n-th write is that
of several: here one thread begins by writing nothing, so often that only it reaches the count at which it is struck.
"""


@dataclass(frozen=True)
class Call:
    """The `number`-th call of a kind that a thread makes: one of the command's, from 0, or that of the process that
    reads bundles (None).
    """

    name: str
    number: int
    thread: int | None

    def __str__(self) -> str:
        return f"{self.name}-{self.number}-{self.thread}"


def missing() -> str:
    """Why nothing can be struck here; "" if it can."""
    if not shutil.which("strace"):
        return "strace is not installed"
    probe = subprocess.run(["strace", "-qq", "-o", "/dev/null", "true"], capture_output=True)
    return "strace may not trace here" if probe.returncode else ""


def run(
    command: Sequence[object], folder: Path, tracing: Sequence[object] = (), apart: str = ""
) -> subprocess.CompletedProcess[str]:
    """Run a command of ours in `folder`. `apart`: the thread that counts from `APART`; "all": each says which it is."""
    with tempfile.TemporaryDirectory() as hook:
        (Path(hook) / "sitecustomize.py").write_text(HOOK)
        environment = {"PYTHONDONTWRITEBYTECODE": "1", "PYTHONPATH": hook, "APART": apart}
        return subprocess.run(
            [str(word) for word in (*tracing, *command)],
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            env=os.environ | environment,
            cwd=folder,
        )


def calls(command: Sequence[object], folder: Path, log: Path) -> list[Call]:
    """Every call that a command makes, in order. It succeeds."""
    done = run(command, folder, _traced(log, f"trace={CALLS}"), apart="all")
    assert done.returncode == 0, done.stderr
    names: dict[str, int] = {}
    count = Counter[tuple[str, str]]()
    found: list[Call] = []
    for thread, rest in _lines(log):
        name = rest.split("(")[0]
        if marked := re.match(r'write\(\d+, "thread (\d+)"', rest):
            names[thread] = int(marked[1])
        elif name in CALLS.split(","):
            count[thread, name] += 1
            found.append(Call(name, count[thread, name], names.get(thread)))
    assert len(found) > 20
    assert all(count[thread, "write"] < APART for thread in names)
    assert {one.thread for one in found if one.name != "write"} == {0}
    assert len({one for one in found if one.thread is None}) == sum(one.thread is None for one in found)
    return found


def strike(
    command: Sequence[object], folder: Path, log: Path, call: Call, fault: str
) -> tuple[subprocess.CompletedProcess[str], list[str]]:
    """Run a command of which one call dies (signal=KILL) or fails (error=EIO): what it said, and the struck calls as
    strace writes them, mostly one.
    """
    own = call.name == "write" and call.thread is not None
    when = call.number + (APART if own else 0)
    tracing = _traced(log, f"trace={call.name}", f"inject={call.name}:{fault}:when={when}")
    result = run(command, folder, tracing, apart=str(call.thread) if own else "")
    where = (str(call), fault, result.returncode, result.stderr)
    assert "Traceback" not in result.stderr, where
    hit = _struck(log, call.name, when, "KILL" in fault)
    # The reader's n-th write has the number of others' n-th, of whom some may be struck as well.
    assert len(hit) == 1 or (call.thread is None and hit), where
    log.unlink()
    return result, hit


def _traced(log: Path, *expressions: str) -> list[str]:
    """The words before a command that is to be traced."""
    # With the filter in the kernel what is not asked for is free; but a signal at what is asked for is lost there.
    filtered = () if "signal=" in expressions[-1] else ("--seccomp-bpf",)
    words = (word for one in expressions for word in ("-e", one))
    return ["strace", "-f", *filtered, "-qq", "-o", str(log), *words]


def _lines(log: Path) -> Iterator[tuple[str, str]]:
    """(thread, rest) of each line that strace wrote."""
    for line in log.read_text(errors="replace").splitlines():
        thread, rest = line.split(None, 1)
        yield thread, rest


def _struck(log: Path, name: str, number: int, killed: bool) -> list[str]:
    """The calls, as strace wrote them, at which it struck; empty if the command never came so far."""
    count, hit, ended = Counter[str](), list[tuple[str, str]](), set[str]()
    failed = Counter[str]()
    for thread, rest in _lines(log):
        if rest.startswith(f"{name}("):
            count[thread] += 1
            if count[thread] == number:
                hit.append((thread, rest))
        elif rest == "+++ killed by SIGKILL +++":
            ended.add(thread)
        failed[thread] += "(INJECTED)" in rest
    if killed:
        return [rest for thread, rest in hit if thread in ended]
    # Whoever was ended before such a call came back was not struck by it.
    struck = [(thread, rest) for thread, rest in hit if failed[thread] or thread not in ended]
    assert sum(failed.values()) == len(struck)
    return [rest for _, rest in struck]
