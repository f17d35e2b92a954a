"""Never lost, never leaked: migrations that die, disks that fill, two at once, and what lies in files afterwards."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from app import vault
from app.courier import folder
from app.holdings import attachments, browsing, exporting, purge
from app.jobs import Cancelled, quiet
from app.messages import Refused
from app.store import counterparts, database, people
from tests.support.sites import (
    CHEAP,
    PASSPHRASE,
    Impatient,
    indicator,
    problems,
    release,
    take,
    unlocked,
)

ROOT = Path(__file__).resolve().parents[2]
CLI = Path(sys.executable).with_name("mithaq-cli")
CANARY = "quixotrylantern"
CALLS = "write,pwrite64,fsync,fdatasync,rename,renameat2,unlink,ftruncate,fallocate"


def refusal(act, *args, **more):
    with pytest.raises(Refused) as caught:
        act(*args, **more)
    return caught.value.code


# A migration that dies ----------------------------------------------------------------------------------------

STEPS = (
    "CREATE TABLE first_more (x INTEGER) STRICT; INSERT INTO first_more VALUES (1);",
    "CREATE TABLE second_more (x INTEGER) STRICT; INSERT INTO second_more SELECT x + 1 FROM first_more;",
)
SCRIPT = """
    import pathlib, sys
    sys.path.insert(0, {root!r})
    from app.store import database
    from app.messages import Refused
    steps = database._steps()
    database._steps = lambda: [*steps, *(lambda text=text: text for text in {steps!r})]
    key = bytes.fromhex({key!r})
    try:
        database.Database(pathlib.Path({path!r}), key).close()
    except Refused as error:
        print("refused", error.code)
"""


def migrate(home, key, *tracing):
    script = textwrap.dedent(SCRIPT).format(
        root=str(ROOT), steps=STEPS, key=key.hex(), path=str(home / "store.db")
    )
    command = [*tracing, sys.executable, "-c", script]
    return subprocess.run([*map(str, command)], capture_output=True, text=True)


def calls_of(home, key, trace):
    done = migrate(home, key, "strace", "-f", "-qq", "-o", trace, "-e", f"trace={CALLS}")
    assert done.returncode == 0, done.stderr
    seen: dict[str, int] = {}
    found = []
    for line in trace.read_text(errors="replace").splitlines():
        call = line.split(None, 1)[1].split("(")[0]
        if call in CALLS.split(","):
            seen[call] = seen.get(call, 0) + 1
            found.append((call, seen[call]))
    assert len(found) > 20
    return found


@pytest.fixture
def before(world):
    """alpha's folder before a migration, with 50 objects, and the key of its store."""
    if not shutil.which("strace") or subprocess.run(["strace", "-o", "/dev/null", "true"]).returncode:
        pytest.skip("strace may not trace here")
    take(world.alpha, *(indicator(n) for n in range(50)))
    world.close_alpha()
    return world.alpha.home, world.alpha.database.key


def strike(before, tmp_path, monkeypatch, call, number, fault):
    home, key = before
    copy = tmp_path / f"{call}-{number}-{fault.split('=')[1]}"
    shutil.copytree(home, copy)
    inject = f"inject={call}:{fault}:when={number}"
    done = migrate(copy, key, "strace", "-f", "-qq", "-o", "/dev/null", "-e", f"trace={call}", "-e", inject)
    assert "Traceback" not in done.stderr, (inject, done.stderr)
    with monkeypatch.context() as patched:
        steps = database._steps()
        more = [lambda text=text: text for text in STEPS]
        patched.setattr(database, "_steps", lambda: [*steps, *more])
        with unlocked(copy) as site:
            rows = site.database.read().execute(
                "SELECT x FROM first_more UNION ALL SELECT x FROM second_more"
            )
            assert [row[0] for row in rows] == [1, 2], inject
            assert browsing.page(site, browsing.selection()).total == 50
            assert problems(site) == [], inject
            assert not (copy / "store.db.copying").exists()
    kept = list(copy.glob("store.db.before-*"))
    assert len(kept) == 1, (inject, kept)
    os.replace(kept[0], copy / "store.db")
    with unlocked(copy) as site:
        assert browsing.page(site, browsing.selection()).total == 50, "the copy opens with the program before"
        assert problems(site) == [], inject
    shutil.rmtree(copy)


def test_a_migration_happens_step_by_step_or_not_at_all(before, tmp_path, monkeypatch):
    made = calls_of(shutil.copytree(before[0], tmp_path / "counted"), before[1], tmp_path / "trace")
    for at in (0.5, 0.9):
        strike(before, tmp_path, monkeypatch, *made[int(at * len(made))], "signal=KILL")


@pytest.mark.torture
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("fault", ["signal=KILL", "error=EIO", "error=ENOSPC"])
def test_a_migration_struck_at_every_call(before, tmp_path, monkeypatch, fault):
    made = calls_of(shutil.copytree(before[0], tmp_path / "counted"), before[1], tmp_path / "trace")
    for call, number in made:
        strike(before, tmp_path, monkeypatch, call, number, fault)


# A disk that fills ---------------------------------------------------------------------------------------------


@pytest.fixture
def small(tmp_path):
    """A disk of 2 MB."""
    place = tmp_path / "small"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(place)]
    if subprocess.run(command, capture_output=True).returncode:
        pytest.skip("mounting a small tmpfs needs root")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def test_a_disk_that_fills_loses_nothing(world, small, tmp_path):
    """Import until it is full, then everything else that writes: each says so, and what was held stays."""
    world.close_alpha()
    home = shutil.copytree(world.alpha.home, small / "alpha")
    with unlocked(home) as site:
        kept, code = 0, ""
        while not code and kept < 4_000:
            texts = (os.urandom(1_000).hex() for _ in range(40))
            try:
                take(site, *(indicator(kept + n, description=text) for n, text in enumerate(texts)))
                kept += 40
            except Refused as error:
                code = error.code
        assert code == "disk-full"
        assert kept
        assert browsing.page(site, browsing.selection()).total == kept
        for act in (
            lambda: vault.back_up(site, small / "b", quiet()),
            lambda: vault.compact(site, quiet()),
            lambda: vault.rekey(site, PASSPHRASE, quiet()),
            lambda: vault.add_slot(site, "another " + PASSPHRASE, "x", device=False, cost=CHEAP),
            lambda: release(site, "beta", target=small / "p.age"),
        ):
            assert refusal(act) in (
                "disk-full",
                "compact-room",
                "home-unusable",
                "outbox-failed",
                "target-full",
            )
        assert sorted(os.listdir(small)) == ["alpha"]
        assert not list(home.glob("backup-*"))
        assert not (home / "store.db.copying").exists()
    with unlocked_when_room(home) as site:
        assert browsing.page(site, browsing.selection()).total == kept
        assert problems(site) == []


def test_attachments_that_fill_a_disk_leave_nothing_half_written(world, small, tmp_path):
    take(world.alpha, indicator(1))
    world.close_alpha()
    home = shutil.copytree(world.alpha.home, small / "alpha")
    owner = indicator(1)["id"]
    with unlocked(home) as site:
        kept, codes = [], set()

        def attach(size):
            path = tmp_path / f"note {len(kept)} {size}"
            path.write_bytes(os.urandom(size))
            try:
                kept.append(attachments.attach(site, path, owner, "", None, quiet()))
            except Refused as error:
                codes.add(error.code)
            # What does not fit leaves nothing.
            assert {one.name for one in site.attachments.iterdir()} == {one.file for one in kept}

        while not codes and len(kept) < 30:
            attach(200_000)
        assert len(kept) > 2
        for size in (150_000, 60_000, 20_000, 1_000_000):
            attach(size)
        assert codes
        assert codes <= {"attachment-failed", "disk-full"}
        for one in kept:
            with attachments.opened(site, one) as file:
                assert hashlib.file_digest(file, "sha256").digest() == one.sha256
    with unlocked_when_room(home) as site:
        assert {one.name for one in attachments.listed(site, owner)} == {one.name for one in kept}
        assert problems(site) == []
        attachments.remove(site, owner, kept[0].name)
        attachments.attach(site, next(tmp_path.glob("note * 1000000")), owner, "", None, quiet())
        assert problems(site) == []


def unlocked_when_room(home):
    """Elsewhere there is room again."""
    return unlocked(shutil.copytree(home, home.parents[1] / "roomy"))


# Two at once ---------------------------------------------------------------------------------------------------

RACE = """
    import pathlib, sys, time
    sys.path.insert(0, {root!r})
    from app import vault
    from app.messages import Refused
    home, go = pathlib.Path({home!r}), pathlib.Path({go!r})
    for number in range({rounds}):
        print("ready", flush=True)
        sys.stdin.readline()
        try:
            opened = vault.unlock(home, {passphrase!r})
        except Refused as error:
            print(error.code, flush=True)
        else:
            print("works", flush=True)
            sys.stdin.readline()
            opened.lock()
            continue
        sys.stdin.readline()
"""


def race(home, tmp_path, rounds):
    """Two processes unlock at one instant, `rounds` times; what each said, in pairs."""
    script = textwrap.dedent(RACE).format(
        root=str(ROOT), home=str(home), go=str(tmp_path / "go"), rounds=rounds, passphrase=PASSPHRASE
    )
    both = [
        subprocess.Popen(
            [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(2)
    ]
    said = []
    for _ in range(rounds):
        for one in both:
            assert one.stdout.readline() == "ready\n"
        for one in both:
            one.stdin.write("go\n")
            one.stdin.flush()
        said.append(sorted(one.stdout.readline().strip() for one in both))
        for one in both:
            one.stdin.write("done\n")
            one.stdin.flush()
    for one in both:
        one.communicate()
        assert one.returncode == 0
    return said


def test_of_two_at_the_same_instant_one_works_and_the_other_is_told(world, tmp_path):
    world.close_alpha()
    assert race(world.alpha.home, tmp_path, 3) == [["in-use", "works"]] * 3


@pytest.mark.torture
@pytest.mark.timeout(600)
def test_of_two_at_the_same_instant_a_hundred_times(world, tmp_path):
    world.close_alpha()
    assert race(world.alpha.home, tmp_path, 100) == [["in-use", "works"]] * 100
    with unlocked(world.alpha.home) as site:
        assert problems(site) == []


# What lies in files --------------------------------------------------------------------------------------------


def found_in(places, secrets):
    """(file, secret) of every secret that lies in the clear, or as hexadecimal, in a file under these places."""
    for place in places:
        for path in place.rglob("*"):
            if path.is_file():
                raw = path.read_bytes()
                for name, secret in secrets.items():
                    if secret in raw or secret.hex().encode() in raw.lower():
                        yield str(path), name


def test_no_secret_and_no_intel_lies_in_any_file(met, tmp_path, monkeypatch):
    """After unlock, import, search, a backup, an export that was stopped, a purge, and lock."""
    met.close_alpha()
    work, temporary = tmp_path / "work", tmp_path / "temporary"
    work.mkdir()
    temporary.mkdir()
    monkeypatch.chdir(work)
    for name in ("TMPDIR", "TEMP", "TMP", "SQLITE_TMPDIR"):
        monkeypatch.setenv(name, str(temporary))
    monkeypatch.setattr("tempfile.tempdir", None)
    home = met.alpha.home
    with unlocked(home, met.clock) as site:
        secrets = {
            "passphrase": PASSPHRASE.encode(),
            "intel": CANARY.encode(),
            "store key": site.database.key,
            "identity": people.identity(site.database.read())[0],
        }
        for number, key in enumerate(counterparts.own_keys(site.database.read())):
            secrets[f"private half {number}"] = key.seed
        assert len(secrets) > 16
        places = (home, work, temporary)
        take(site, *(indicator(n, name=f"{CANARY} {n}", description=CANARY * 50) for n in range(300)))
        assert browsing.page(site, browsing.selection(CANARY)).total == 300
        assert list(found_in(places, secrets)) == []
        release(site, "beta", indicator(1)["id"], note=CANARY)
        vault.back_up(site, work / "all.backup", quiet())
        pieces = exporting.bundle(site, browsing.selection(), Impatient("export"))
        with pytest.raises(Cancelled):
            folder.write_pieces(work / "out.json", pieces)
        purge.purge_listed(site, [indicator(2)["id"]], quiet())
        assert list(found_in(places, secrets)) == []
    assert sorted(os.listdir(work)) == ["all.backup"]
    assert list(found_in(places, secrets)) == []
