"""Figures of the package format, as whole processes beside age + minisign and gpg on the same file.

`python -m tests.crypto.bench` prints them; `run()` gives them to the bench runner. MITHAQ_BENCH_MIB sets the size of
the file (default 1024); tools that are not installed are left out. Opening is the whole receipt of a package into an
installation: read, verified, hashed, encrypted again into the attachment store, on the disk, committed. Only
the key derivation is left out, whose cost is chosen.
"""

from __future__ import annotations

import io
import os
import random
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.bench.figure import Figure, as_installed

MIB = 1 << 20
MANY = 10_000
PASSPHRASE = "correct horse battery staple"
ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Cost:
    """Seconds of one or more processes."""

    wall: float
    cpu: float

    def __add__(self, other: Cost) -> Cost:
        return Cost(self.wall + other.wall, self.cpu + other.cpu)


def measured(*command: str | Path, given: bytes | None = None) -> tuple[Cost, str]:
    """The cost of a process, and what it printed."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(command, input=given, capture_output=True, check=True, cwd=ROOT, env=as_installed())
    wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Cost(wall, cpu), done.stdout.decode("utf-8", "replace")


def ours(step: str, *paths: str | Path) -> tuple[Cost, float]:
    """One of our steps as a process: its cost, and its peak memory above the imports in MiB."""
    cost, text = measured(sys.executable, "-m", "tests.crypto.bench", step, *paths)
    return cost, float(text)


def best(costs: Sequence[Cost]) -> Cost:
    """The least of several rounds: the others measure the machine's other work."""
    return Cost(min(c.wall for c in costs), min(c.cpu for c in costs))


def run(rounds: int = 3) -> list[Figure]:
    """All figures."""
    size = int(os.environ.get("MITHAQ_BENCH_MIB", "1024")) * MIB
    with tempfile.TemporaryDirectory(prefix="mithaq-bench-") as name:
        folder = Path(name)
        noise, text = folder / "noise", folder / "text"
        with noise.open("wb") as file:
            for _ in range(size // MIB):
                file.write(os.urandom(MIB))
        _write_text(text, size)
        return [*_many(), *_text(text, folder, size), *_noise(noise, folder, rounds)]


def _noise(noise: Path, folder: Path, rounds: int) -> list[Figure]:
    package, receiver = _released(noise, folder / "sites")
    age = bool(shutil.which("age") and shutil.which("minisign"))
    gpg = bool(shutil.which("gpg"))
    seals, opens, beside_age, beside_gpg, memory = [], [], [], [], 0.0
    # One after the other in each round, so that the machine's other work falls on all alike.
    for _ in range(rounds):
        cost, peak = ours("seal", noise, folder / "sealed", "none")
        seals.append(cost)
        memory = max(memory, peak)
        (folder / "sealed").unlink()
        cost, peak = _opened(package, receiver, folder / "opened")
        opens.append(cost)
        memory = max(memory, peak)
        if age:
            beside_age.append(_age_minisign(noise, folder))
        if gpg:
            beside_gpg.append(_gpg(noise, folder))
    package.unlink()
    seal, open_ = best(seals), best(opens)
    figures = [
        Figure("seal, random bytes: wall", seal.wall, "s"),
        Figure("seal, random bytes: CPU", seal.cpu, "s"),
        Figure("open, random bytes: wall", open_.wall, "s"),
        Figure("open, random bytes: CPU", open_.cpu, "s"),
        Figure("peak memory above the imports", memory, "MiB", 64),
    ]
    if age:
        their_seal, their_open = (best(costs) for costs in zip(*beside_age, strict=True))
        figures += [
            Figure("seal / age + minisign: CPU", seal.cpu / their_seal.cpu, "x", 0.75),
            Figure("seal / age + minisign: wall", seal.wall / their_seal.wall, "x", 0.9),
            Figure("open / age + minisign: CPU", open_.cpu / their_open.cpu, "x", 0.6),
            Figure("open / age + minisign: wall", open_.wall / their_open.wall, "x", 0.9),
        ]
    if gpg:
        their_seal, their_open, to_disk = (best(costs) for costs in zip(*beside_gpg, strict=True))
        figures += [
            Figure("gpg / seal: wall", their_seal.wall / seal.wall, "x", 2.5, "higher"),
            Figure("gpg / open: wall", their_open.wall / open_.wall, "x", 2.5, "higher"),
            Figure("gpg / open: wall, both to the disk", to_disk.wall / open_.wall, "x", None, "higher"),
        ]
    return figures


def _released(content: Path, folder: Path) -> tuple[Path, Path]:
    """A package in which a file is attached to an object, and the home of the installation it is for."""
    from app.holdings import attachments
    from app.jobs import quiet
    from tests.support.sites import indicator, make_template, release, take, unlocked

    make_template(folder, met=True)
    with unlocked(folder / "alpha") as alpha:
        take(alpha, indicator(1))
        attachments.attach(alpha, content, indicator(1)["id"], "", None, quiet())
        package = release(alpha, "beta").package.path
        attachments.remove(alpha, indicator(1)["id"], content.name)
    shutil.rmtree(folder / "alpha")
    return package, folder / "beta"


def _opened(package: Path, receiver: Path, home: Path) -> tuple[Cost, float]:
    """The cost of receiving a package into a fresh copy of its receiver."""
    shutil.copytree(receiver, home)
    os.sync()
    try:
        return ours("open", package, home)
    finally:
        shutil.rmtree(home)


def _text(text: Path, folder: Path, size: int) -> list[Figure]:
    sealed = folder / "sealed-text"
    seal, _ = ours("seal", text, sealed, "zstd")
    ratio = size / sealed.stat().st_size
    sealed.unlink()
    package, receiver = _released(text, folder / "sites-text")
    open_, _ = _opened(package, receiver, folder / "opened-text")
    package.unlink()
    return [
        Figure("seal, STIX text compressed: wall", seal.wall, "s"),
        Figure("open, STIX text compressed: wall", open_.wall, "s"),
        Figure("STIX text: raw / sealed size", ratio, "x"),
    ]


def _many() -> list[Figure]:
    from crypto.package import PartSource, open_package, seal
    from tests.crypto.samples import DRAFT, RECIPIENT, SEED, SIGNER

    body = os.urandom(1024)
    start = time.perf_counter()
    for _ in range(MANY):
        target = io.BytesIO()
        seal(target, RECIPIENT, SIGNER, DRAFT, [PartSource("note", "none", lambda: io.BytesIO(body))])
    seals, raw = MANY / (time.perf_counter() - start), target.getvalue()
    start = time.perf_counter()
    for _ in range(MANY):
        opened = open_package(io.BytesIO(raw), [("ours", SEED)])
        opened.verify(SIGNER.public)
        for _, file in opened.parts():
            file.read()
    opens = MANY / (time.perf_counter() - start)
    return [
        Figure("seal 10,000 packages of 1 KB", seals, "/s", 300, "higher"),
        Figure("open 10,000 packages of 1 KB", opens, "/s", 500, "higher"),
    ]


def _age_minisign(noise: Path, folder: Path) -> tuple[Cost, Cost]:
    keys, secret, public = folder / "age-keys", folder / "minisign.key", folder / "minisign.pub"
    if not keys.exists():
        measured("age-keygen", "-o", keys)
        measured("minisign", "-G", "-W", "-p", public, "-s", secret)
    recipient = measured("age-keygen", "-y", keys)[1].strip()
    sealed, opened = folder / "noise.age", folder / "noise.out"
    encrypt, _ = measured("age", "-r", recipient, "-o", sealed, noise)
    sign, _ = measured("minisign", "-S", "-W", "-s", secret, "-m", sealed)
    verify, _ = measured("minisign", "-V", "-q", "-p", public, "-m", sealed)
    decrypt, _ = measured("age", "-d", "-i", keys, "-o", opened, sealed)
    opened.unlink()
    sealed.unlink()
    return encrypt + sign, verify + decrypt


def _gpg(noise: Path, folder: Path) -> tuple[Cost, Cost, Cost]:
    """Sealing, opening, and opening with the file brought to the disk, as ours is before anybody is told."""
    home = folder / "gnupg"
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(mode=0o700)
    base = (
        "gpg",
        "--homedir",
        home,
        "--batch",
        "--yes",
        "--quiet",
        "--pinentry-mode",
        "loopback",
        "--passphrase",
        "",
    )
    measured(*base, "--quick-gen-key", "bench", "ed25519", "sign", "never")
    listed = measured(*base, "--with-colons", "--list-keys")[1]
    fingerprint = next(line.split(":")[9] for line in listed.splitlines() if line.startswith("fpr"))
    measured(*base, "--quick-add-key", fingerprint, "cv25519", "encr", "never")
    sealed, opened = folder / "noise.gpg", folder / "noise.out"
    options = ("--trust-model", "always", "--compress-algo", "none", "-r", "bench", "-o", sealed)
    encrypt, _ = measured(*base, *options, "--sign", "--encrypt", noise)
    decrypt, _ = measured(*base, "-o", opened, "--decrypt", sealed)
    to_disk, _ = measured("sync", opened)
    subprocess.run(["gpgconf", "--homedir", home, "--kill", "all"], check=False, capture_output=True)
    opened.unlink()
    sealed.unlink()
    return encrypt, decrypt, decrypt + to_disk


def _write_text(path: Path, size: int) -> None:
    """STIX objects of our own, one after the other."""
    rng = random.Random(1)
    with path.open("wb") as file:
        file.write(b'{"type":"bundle","id":"bundle--00000000-0000-4000-8000-000000000000","objects":[')
        while file.tell() < size:
            lines = []
            for _ in range(2000):
                number = rng.getrandbits(96)
                lines.append(
                    f'{{"type":"indicator","spec_version":"2.1","id":"indicator--{number:032x}",'
                    f'"created":"2026-11-{number % 28 + 1:02d}T12:00:00.000Z","pattern_type":"stix",'
                    f'"pattern":"[ipv4-addr:value = \'{number >> 8 & 255}.{number >> 16 & 255}.{number & 255}.1\']",'
                    f'"valid_from":"2026-11-01T00:00:00Z","name":"Beacon of sample {number % 1000}"}}'
                )
            file.write(",".join(lines).encode() + b",")
        file.truncate(size)


# Our own steps, each in a process of its own


def _peak() -> float:
    """This program's peak memory in MiB; getrusage would count what the process was before exec."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def _step_seal(source: str, target: str, codec: str) -> None:
    from crypto.package import PartSource, seal
    from tests.crypto.samples import DRAFT, RECIPIENT, SIGNER

    SIGNER.sign(b"", b"")
    before = _peak()
    part = PartSource("attachment", codec, lambda: Path(source).open("rb", buffering=0))  # noqa: SIM115
    with open(target, "wb") as file:
        seal(file, RECIPIENT, SIGNER, DRAFT, [part])
    print(_peak() - before)


def _step_open(source: str, home: str) -> None:
    from app import vault
    from app.exchange import receiving
    from app.jobs import quiet

    with vault.unlocked(Path(home), PASSPHRASE) as site:
        before = _peak()
        assert not receiving.receive(site, Path(source), quiet()).failed
    print(_peak() - before)


if __name__ == "__main__":
    if sys.argv[1:2] == ["seal"]:
        _step_seal(*sys.argv[2:])
    elif sys.argv[1:2] == ["open"]:
        _step_open(*sys.argv[2:])
    else:
        for one in run():
            print(f"{one.name:<40} {one.value:>10.2f} {one.unit:<4} asked {one.asked}  {one.met}")
