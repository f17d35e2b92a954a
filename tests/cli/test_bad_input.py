"""What must be refused: each with its code, exit 1, one line, nothing changed."""

from __future__ import annotations

import fcntl
import os
import random
import subprocess

import pytest

from tests.cli.conftest import CLI, Site, bundle, connect, indicator


def test_wrong_passphrase(site, tmp_path):
    thief = Site(tmp_path, "alpha", passphrase="wrong horse battery staple")
    assert thief.refused("list") == "wrong-passphrase"


def test_no_installation_and_a_second_one_in_the_same_place(site, tmp_path):
    assert Site(tmp_path, "nowhere").refused("list") == "no-installation"
    assert site.refused("init", "--name", "again", "--country", "JO") == "installation-exists"
    assert site.run("list")["total"] == 0


def test_a_passphrase_that_is_too_short_makes_nothing(tmp_path):
    site = Site(tmp_path, "short", passphrase="tooshort")
    assert site.refused("init", "--name", "x", "--country", "JO") == "passphrase-short"
    assert not site.home.exists()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["short.pass"]


def test_a_second_process_is_told(site):
    with (site.home / "lock").open("rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert site.refused("list") == "in-use"
    assert site.run("list")["total"] == 0


@pytest.mark.parametrize("content", [b"", b"hello", b"MITHAQ-DOCUMENT-1\n\x04card", b"\x00" * 70_000])
def test_a_card_that_is_not_one(pair, tmp_path, content):
    site, _ = pair
    path = tmp_path / "card"
    path.write_bytes(content)
    assert site.refused("counterpart", "add", path) == "not-a-card"
    assert [c["alias"] for c in site.run("counterpart", "list")["counterparts"]] == ["beta"]


def test_own_card_and_one_pinned_before(pair, tmp_path):
    a, _ = pair
    assert a.refused("counterpart", "add", tmp_path / "alpha.card") == "card-own"
    assert a.refused("counterpart", "add", tmp_path / "beta.card") == "card-known"
    assert a.refused("card", "export", tmp_path / "alpha.card") == "target-exists"


def test_an_unverified_counterpart_gets_nothing_and_is_not_believed(pair, stranger, tmp_path):
    a, _ = pair
    a.run("counterpart", "add", tmp_path / "gamma.card")
    a.run("import", bundle(tmp_path / "b.json", indicator(1)))
    assert a.refused("release", "--to", "gamma", "--all", "--out", tmp_path / "p") == "counterpart-unverified"
    assert not (tmp_path / "p").exists()
    stranger.run("counterpart", "add", tmp_path / "alpha.card")
    stranger.run("counterpart", "verify", "alpha", "--confirmed")
    stranger.run("import", tmp_path / "b.json")
    stranger.run("release", "--to", "alpha", "--all", "--out", tmp_path / "q")
    assert a.refused("receive", tmp_path / "q") == "counterpart-unverified"
    assert a.refused("counterpart", "verify", "gamma") == "verify-unconfirmed"
    assert a.run("inbox", "list")["packages"] == []


def test_a_name_that_means_two_is_a_usage_error(pair, tmp_path):
    a, _ = pair
    a.run("counterpart", "alias", "beta", "Beta")
    assert a.run("counterpart", "list")["counterparts"][0]["alias"] == "Beta"
    assert a.refused("release", "--to", "nobody", "--all", "--dry-run") == "counterpart-unknown"
    assert a.refused("counterpart", "alias", "Beta", "\u202enab") == "name-unusable"
    a.run("release", "--to", "beta", ok=(2,))


@pytest.fixture
def sealed(pair, tmp_path):
    a, b = pair
    a.run(
        "import", bundle(tmp_path / "b.json", *(indicator(n, description="x" * 2000) for n in range(1, 40)))
    )
    a.run("release", "--to", "beta", "--all", "--out", tmp_path / "good")
    return a, b, tmp_path / "good"


def test_a_truncated_or_edited_package_changes_nothing(sealed, tmp_path):
    _, b, good = sealed
    raw = good.read_bytes()
    rng = random.Random(7)
    cases = [raw[:-1], raw + b"\0", b"", raw[: len(raw) // 2], raw + raw]
    for _ in range(6):
        flipped = bytearray(raw)
        flipped[rng.randrange(len(raw))] ^= 1 << rng.randrange(8)
        cases.append(bytes(flipped))
    before = b.run("audit", "list")["entries"]
    for number, case in enumerate(cases):
        path = tmp_path / f"bad{number}"
        path.write_bytes(case)
        assert b.refused("receive", path) in ("package-damaged", "not-for-us", "package-forged")
    after = [e["act"] for e in b.run("audit", "list")["entries"][: -len(before) or None]]
    assert set(after) == {"unlocked", "locked"}
    assert b.run("inbox", "list")["packages"] == []
    assert b.run("receive", good)["status"] == "new"


def test_for_somebody_else_and_reflected(sealed, stranger):
    a, _, good = sealed
    assert stranger.refused("receive", good) == "not-for-us"
    assert a.refused("receive", good) == "reflected"


@pytest.mark.parametrize(
    "text, code",
    [
        ("", "not-stix"),
        ("hello", "not-stix"),
        ("[1, 2]", "not-stix"),
        ('{"type":"bundle","id":"bundle--1","objects":[]}', "not-stix"),
        ('{"type":"bundle","id":"bundle--1","objects":[{"type":"indicator"', "json-truncated"),
        ('{"Event":{"info":"a MISP event"}}', "not-stix"),
    ],
)
def test_what_is_not_stix_imports_nothing(site, tmp_path, text, code):
    path = tmp_path / "x.json"
    path.write_text(text)
    assert site.refused("import", path) == code
    assert site.run("list")["total"] == 0


def test_one_good_object_before_a_broken_end_is_not_imported(site, tmp_path):
    path = bundle(tmp_path / "b.json", indicator(1), indicator(2))
    path.write_bytes(path.read_bytes()[:-3])
    site.refused("import", path)
    assert site.run("list")["total"] == 0


def test_a_read_only_target_changes_nothing(pair, tmp_path):
    a, _ = pair
    a.run("import", bundle(tmp_path / "b.json", indicator(1)))
    assert (
        a.refused("release", "--to", "beta", "--all", "--out", tmp_path / "no" / "such" / "p")
        == "target-missing"
    )
    if os.geteuid() == 0 and os.path.isdir("/proc/self"):
        # Root writes anywhere but here.
        assert a.refused("release", "--to", "beta", "--all", "--out", "/proc/p") in (
            "target-missing",
            "target-read-only",
        )
    assert a.run("outbox")["packages"] == []
    assert list((a.home / "outbox").iterdir()) == []
    assert a.run("release", "--to", "beta", "--all", "--out", tmp_path / "p")["seq"] == 1


def test_a_full_target_changes_nothing(pair, tmp_path):
    a, _ = pair
    full = tmp_path / "full"
    full.mkdir()
    if subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=16k", "tmpfs", full], capture_output=True
    ).returncode:
        pytest.skip("mounting a small tmpfs needs root")
    try:
        a.run("import", bundle(tmp_path / "b.json", indicator(1)))
        assert a.refused("release", "--to", "beta", "--all", "--out", full) == "target-full"
        assert list(full.iterdir()) == []
        assert a.run("outbox")["packages"] == []
        assert a.refused("export", "--out", full / "no" / "x") == "target-missing"
        big = bundle(tmp_path / "big.json", *(indicator(n, description="y" * 500) for n in range(2, 60)))
        a.run("import", big)
        assert a.refused("export", "--out", full / "x.json") == "target-full"
        assert list(full.iterdir()) == []
    finally:
        subprocess.run(["umount", full], check=True)


def test_nothing_of_the_intel_lies_in_the_clear(pair, tmp_path):
    a, b = pair
    canary = "CANARY-7f3a-lantern"
    source = bundle(tmp_path / "b.json", indicator(1, name=canary))
    a.run("import", source)
    source.unlink()
    a.run("search", "canary")
    package = tmp_path / "p"
    a.run("release", "--to", "beta", "--all", "--note", canary, "--out", package)
    b.run("receive", package)
    b.run("accept", 1)
    paths = list(tmp_path.rglob("*"))
    assert {a.home / "store.db", b.home / "store.db", package} <= set(paths)
    for path in paths:
        if path.is_file() and path.suffix != ".pass":
            raw = path.read_bytes()
            assert canary.encode() not in raw, path
            assert b"correct horse" not in raw, path
        if path.is_relative_to(a.home):
            assert path.stat().st_mode & 0o077 == 0, path


def test_revoked_means_nothing_more(pair, tmp_path):
    a, b = pair
    a.run("import", bundle(tmp_path / "b.json", indicator(1)))
    a.run("release", "--to", "beta", "--all", "--out", tmp_path / "p")
    b.run("counterpart", "revoke", "alpha")
    assert b.refused("receive", tmp_path / "p") == "counterpart-revoked"
    assert b.refused("receipt", "--to", "alpha", "--out", tmp_path / "q") in (
        "nothing-received",
        "counterpart-revoked",
    )


def test_three_installations_do_not_mix(pair, stranger, tmp_path):
    a, b = pair
    c = stranger
    connect(a, c)
    a.run("import", bundle(tmp_path / "b.json", indicator(1)))
    a.run("release", "--to", "gamma", "--all", "--out", tmp_path / "c1")
    a.run("release", "--to", "beta", "--all", "--out", tmp_path / "b1")
    assert c.run("receive", tmp_path / "c1")["seq"] == 1
    assert b.run("receive", tmp_path / "b1")["seq"] == 1
    assert b.refused("receive", tmp_path / "c1") == "not-for-us"


def test_what_could_not_be_written_is_not_logged_as_given_out(site, tmp_path):
    taken = tmp_path / "taken"
    taken.write_bytes(b"mine")
    for args in (("audit", "export", taken), ("audit", "report", "--out", taken), ("export", "--out", taken)):
        assert site.refused(*args) == "target-exists"
    acts = {entry["act"] for entry in site.run("audit", "list")["entries"]}
    assert not acts & {"log.exported", "log.reported", "export"}


def test_a_checkpoint_alone_is_not_said_to_be_a_whole_log(site, tmp_path):
    site.run("audit", "checkpoint", tmp_path / "mark")
    command = [CLI, "audit", "verify", tmp_path / "mark", "--card", tmp_path / "alpha.card"]
    done = subprocess.run([*map(str, command)], capture_output=True, text=True)
    assert (done.returncode, "whole" in done.stdout) == (0, False), done.stdout
