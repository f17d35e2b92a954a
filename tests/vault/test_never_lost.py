"""Never lost, never leaked: migrations that die, disks that fill, two at once, and what lies in files afterwards."""

from __future__ import annotations

import hashlib
import json
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
from app.store import counterparts, database, objects, people
from app.store.driver import dbapi2
from crypto import slots
from tests.support import strikes
from tests.support.sites import (
    CHEAP,
    PASSPHRASE,
    Impatient,
    indicator,
    problems,
    release,
    state,
    take,
    unlocked,
)

ROOT = Path(__file__).resolve().parents[2]
CLI = Path(sys.executable).with_name("mithaq-cli")
CANARY = "quixotrylantern"


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


def migrating(home, key):
    """A process that opens a store with two steps more than there are."""
    script = textwrap.dedent(SCRIPT).format(
        root=str(ROOT), steps=STEPS, key=key.hex(), path=str(home / "store.db")
    )
    return [sys.executable, "-c", script]


@pytest.fixture
def before(world):
    """alpha's folder before a migration, with 50 objects, and the key of its store."""
    if why := strikes.missing():
        pytest.skip(why)
    take(world.alpha, *(indicator(n) for n in range(50)))
    world.close_alpha()
    return world.alpha.home, world.alpha.database.key


def calls_of(before, tmp_path):
    home, key = before
    counted = shutil.copytree(home, tmp_path / "counted")
    return strikes.calls(migrating(counted, key), tmp_path, tmp_path / "log")


def strike(before, tmp_path, monkeypatch, call, fault):
    home, key = before
    copy = shutil.copytree(home, tmp_path / "struck")
    done, _ = strikes.strike(migrating(copy, key), tmp_path, tmp_path / "log", call, fault)
    where = (str(call), fault, done.returncode, done.stdout)
    told(done, fault, where)
    with monkeypatch.context() as patched:
        steps = database._steps()
        more = [lambda text=text: text for text in STEPS]
        patched.setattr(database, "_steps", lambda: [*steps, *more])
        with unlocked(copy) as site:
            rows = site.database.read().execute(
                "SELECT x FROM first_more UNION ALL SELECT x FROM second_more"
            )
            assert [row[0] for row in rows] == [1, 2], where
            assert browsing.page(site, browsing.selection()).total == 50
            assert problems(site) == [], where
            assert not (copy / "store.db.copying").exists()
    kept = list(copy.glob("store.db.before-*"))
    assert len(kept) == 1, (where, kept)
    os.replace(kept[0], copy / "store.db")
    with unlocked(copy) as site:
        assert browsing.page(site, browsing.selection()).total == 50, "the copy opens with the program before"
        assert problems(site) == [], where
    shutil.rmtree(copy)


def told(done, fault, where):
    """It was killed, or did what was asked, or said why not."""
    if "KILL" in fault:
        assert done.returncode in (-9, 137), where
    else:
        assert done.returncode in (0, 1), where


def test_a_migration_happens_step_by_step_or_not_at_all(before, tmp_path, monkeypatch):
    made = calls_of(before, tmp_path)
    for at in (0.5, 0.9):
        strike(before, tmp_path, monkeypatch, made[int(at * len(made))], "signal=KILL")


@pytest.mark.torture
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("fault", ["signal=KILL", "error=EIO", "error=ENOSPC"])
def test_a_migration_struck_at_every_call(before, tmp_path, monkeypatch, fault):
    for call in calls_of(before, tmp_path):
        strike(before, tmp_path, monkeypatch, call, fault)


# A real store of schema 23 ---------------------------------------------------------------------------------------

SCHEMA_23 = Path(__file__).with_name("schema23")
"""Every row of a store that the program of schema 23 made, and its slots: an identity and seven objects of it, imported
in four files. Of one there is a newer version, of one another content, one came twice and was revoked then.
"""


def plain(path, key, act):
    """What `act` returns of a store, opened without anything of ours."""
    connection = dbapi2.connect(str(path), isolation_level=None)
    connection.execute(f"PRAGMA key = \"x'{key.hex()}'\"")
    try:
        return act(connection)
    finally:
        connection.close()


@pytest.fixture(scope="session")
def old(tmp_path_factory):
    """An installation of schema 23, and the key of its store."""
    home = tmp_path_factory.mktemp("schema23") / "alpha"
    for folder_ in (home, home / "outbox", home / "attachments"):
        folder_.mkdir(mode=0o700)
    (home / "lock").touch()
    shutil.copy(SCHEMA_23 / "slots", home / "slots")
    key = slots.open((home / "slots").read_bytes(), PASSPHRASE)

    def build(connection):
        for step in database._steps()[:23]:
            connection.executescript(step())
        connection.executescript((SCHEMA_23 / "rows.sql").read_text())
        connection.execute("PRAGMA user_version = 23")

    plain(home / "store.db", key, build)
    return home, key


def listing(home):
    (home / "pass").write_text(PASSPHRASE + "\n")
    return [CLI, "--home", home, "--passphrase-file", home / "pass", "--json", "list"]


PARTS = ("audit", "audit_node", "clock", "meta", "seal")
"""Tables that each unlocking goes on with."""


def held(site):
    """Everything in the store but its log."""
    return [(name, rows) for name, rows in state(site) if name not in PARTS]


@pytest.fixture(scope="session")
def present(old, tmp_path_factory):
    """What is in the store of schema 23 once it is brought up to date, as `held` gives it."""
    home = shutil.copytree(old[0], tmp_path_factory.mktemp("present") / "alpha")
    with unlocked(home) as site:
        return held(site)


def test_a_store_of_schema_23_opens_with_all_that_it_held(old, tmp_path):
    home, key = old
    rows = plain(
        home / "store.db", key, lambda store: store.execute("SELECT vid, sha256 FROM version").fetchall()
    )
    assert len(rows) == 11
    home = shutil.copytree(home, tmp_path / "alpha")
    with unlocked(home) as site:
        assert site.database.read().execute("PRAGMA user_version").fetchone()[0] == len(database._steps())
        assert problems(site) == []
        assert not site.database.aged
        for vid, sha256 in rows:
            assert hashlib.sha256(browsing.version_raw(site, vid)).digest() == sha256
        first, second, third, last = (browsing.show(site, indicator(n)["id"]) for n in (1, 2, 3, 4))
        assert [one.value["name"] for one in (first, last)] == ["old 1, newer", "unmarked"]
        assert [
            (one.row.modified[:10], [origin.number for origin in one.sources]) for one in second.versions
        ] == [
            ("2026-03-01", [4]),
            ("2026-01-01", [1, 2]),
        ]
        assert second.row.revoked
        assert len(third.versions) == 2
        assert [row.id for row in browsing.page(site, browsing.selection(conflicts=True)).rows] == [
            third.row.id
        ]
        reader = site.database.read()
        whose = objects.id_hash(objects.hash_key(reader), "identity--00000001-0000-4000-8000-000000000000")
        assert reader.execute("SELECT count(*) FROM version WHERE creator = ?", (whose,)).fetchone()[0] == 7
        for text, numbers in (("newer", {1}), ("نطاق", {3}), ("CVE-2024-3094", {3}), ("old", {1, 2, 3})):
            found = {row.id for row in browsing.page(site, browsing.selection(text)).rows}
            assert found == {indicator(n)["id"] for n in numbers}, text
        assert browsing.page(site, browsing.selection("host.exam")).total == 1
    assert [path.name for path in home.glob("store.db.*")] == ["store.db.before-23"]
    assert plain(home / "store.db.before-23", key, version) == 23


def struck_from_23(old, present, tmp_path, call, fault):
    """Let the real command open it, and die or fail there; then open it again."""
    home = shutil.copytree(old[0], tmp_path / "struck" / "alpha")
    done, _ = strikes.strike(listing(home), home.parent, tmp_path / "log", call, fault)
    where = (str(call), fault, done.returncode, done.stderr)
    if "KILL" in fault:
        assert done.returncode in (-9, 137), where
    else:
        said = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
        lost = [line for line in said if line.startswith("error: output-lost: ")]
        assert (done.returncode, len(said)) == ((3, 1) if lost else (1, 1) if said else (0, 0)), where
        assert done.returncode or len(json.loads(done.stdout)["objects"]) == len(dict(present)["object"]), (
            where
        )
    reached = plain(home / "store.db", old[1], version)
    assert 23 <= reached <= len(database._steps()), where
    copies = list(home.glob("store.db.before-23")) + list(home.glob("store.db.migrating-23"))
    assert reached == 23 or len(copies) == 1, where
    with unlocked(home) as site:
        assert held(site) == present, where
        assert problems(site) == [], where
    assert sorted(path.name for path in home.glob("store.db.*")) == ["store.db.before-23"], where
    # The copy is the store as it was, for the program that made it.
    assert plain(home / "store.db.before-23", old[1], everything) == plain(
        old[0] / "store.db", old[1], everything
    )
    shutil.rmtree(home.parent)


def version(store):
    return store.execute("PRAGMA user_version").fetchone()[0]


def everything(store):
    """Every row of every table of a store, whatever its schema, except what an unlocking goes on with."""
    names = store.execute(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND sql NOT LIKE 'CREATE VIRTUAL%'"
    )
    return {
        name: sorted(map(tuple, store.execute(f"SELECT * FROM {name}")), key=repr)
        for (name,) in names.fetchall()
    }


def calls_from_23(old, tmp_path):
    home = shutil.copytree(old[0], tmp_path / "counted" / "alpha")
    return strikes.calls(listing(home), home.parent, tmp_path / "log")


def test_a_store_of_schema_23_struck_on_its_way_is_whole(old, present, tmp_path):
    made = calls_from_23(old, tmp_path)
    for at, fault in ((0.3, "signal=KILL"), (0.6, "signal=KILL"), (0.6, "error=EIO"), (0.8, "error=ENOSPC")):
        struck_from_23(old, present, tmp_path, made[int(at * len(made))], fault)


@pytest.mark.torture
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("fault", ["signal=KILL", "error=EIO", "error=ENOSPC"])
def test_a_store_of_schema_23_struck_at_every_call(old, present, tmp_path, fault):
    for call in calls_from_23(old, tmp_path):
        struck_from_23(old, present, tmp_path, call, fault)


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
