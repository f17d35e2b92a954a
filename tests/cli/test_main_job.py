"""The main job on real intel, as real processes: A imports, releases, B opens, reviews, accepts, answers."""

from __future__ import annotations

import json
import subprocess

import pytest

from tests.cli.conftest import CLI, Site, bundle, connect, indicator

FILES = ("ics-attack-18.1.json", "mobile-attack-17.1.json", "capec-2.1.json")


@pytest.mark.timeout(300)
def test_every_object_of_three_corpora_crosses_with_the_same_value(corpus, tmp_path):
    a, b = Site(tmp_path, "alpha").init(), Site(tmp_path, "beta").init("PT")
    connect(a, b)
    source = {}
    for name in FILES:
        objects = json.loads((corpus / "stix" / name).read_bytes())["objects"]
        got = a.run("import", corpus / "stix" / name, "--handling", "CLEAR", ok=(0, 3))
        assert got["read"] == len(objects)
        assert got["refused"] == []
        assert got["new"] + got["newer"] + got["older"] + got["same"] + got["conflicts"] == len(objects)
        for value in objects:
            contents = source.setdefault((value["id"], value.get("modified")), [])
            if value not in contents:
                contents.append(value)
    released = a.run("release", "--to", "beta", "--all", "--versions", "all", "--out", tmp_path / "p.age")
    total = sum(map(len, source.values()))
    assert (released["leaves"], released["held"], released["protection"]) == (total, [], "card")

    got = b.run("receive", tmp_path / "p.age")
    assert (got["from"], got["seq"], got["status"], got["objects"]) == ("alpha", 1, "new", total)
    assert b.export() == []
    review = b.run("inbox", "show", got["number"])
    assert sum(review["counts"].values()) == total
    assert review["counts"]["new"] == total
    assert b.run("accept", got["number"]) == {
        "accepted": total,
        "rejected": 0,
        "pending": 0,
        "given_lower": [],
    }

    arrived = {}
    for value in b.export():
        arrived.setdefault((value["id"], value.get("modified")), []).append(value)
    assert arrived.keys() == source.keys()
    for key, contents in source.items():
        assert sorted(map(canonical, contents)) == sorted(map(canonical, arrived[key]))

    b.run("receipt", "--to", "alpha", "--out", tmp_path / "r.age")
    assert a.run("receive", tmp_path / "r.age")["parts"][0] == "statement"
    entries = a.run("ledger")["entries"]
    assert len(entries) == total
    assert {(e["to"], e["seq"], e["state"], e["acknowledged"]) for e in entries} == {
        ("beta", 1, "accepted", True)
    }
    for site in (a, b):
        assert site.run("check")["ok"]
        assert site.run("audit", "verify")["ok"]


def canonical(value):
    return json.dumps(value, sort_keys=True)


def test_bytes_leave_as_dry_run_showed_and_the_second_package_has_a_one_time_key(pair, tmp_path):
    a, b = pair
    a.run("import", bundle(tmp_path / "b.json", *(indicator(n) for n in range(1, 6))))
    shown = a.run("release", "--to", "beta", "--all", "--dry-run")
    first = a.run("release", "--to", "beta", "--all", "--out", tmp_path / "1.age")
    assert shown["package"] is None
    assert first["leaves"] == shown["leaves"] == 5
    given = a.run("ledger", "--to", "beta")["entries"]
    assert shown["objects"] == [{name: e[name] for name in ("id", "modified", "sha256")} for e in given]
    b.run("receive", tmp_path / "1.age")
    b.run("accept", 1)
    assert b.run("receipt", "--to", "alpha", "--out", tmp_path / "2.age")["protection"] == "card"
    a.run("receive", tmp_path / "2.age")
    second = a.run("release", "--to", "beta", "--all", "--out", tmp_path / "3.age")
    assert (second["seq"], second["protection"]) == (2, "onetime")
    assert b.run("receive", tmp_path / "3.age")["protection"] == "onetime"
    assert b.run("receive", tmp_path / "3.age", ok=(3,))["status"] == "duplicate", "its one-time key is gone"
    assert b.run("inbox", "show", 2)["counts"]["same"] == 5


def test_release_new_sends_only_what_they_lack(pair, tmp_path):
    a, b = pair
    a.run("import", bundle(tmp_path / "1.json", indicator(1), indicator(2)))
    a.run("release", "--to", "beta", "--all", "--out", tmp_path / "1.age")
    a.run("import", bundle(tmp_path / "2.json", indicator(3)))
    got = a.run("release", "--to", "beta", "--all", "--new", "--out", tmp_path / "2.age")
    assert (got["leaves"], got["already_has"]) == (1, 2)
    assert a.refused("release", "--to", "beta", "--all", "--new", "--dry-run") == "nothing-leaves"
    b.run("receive", tmp_path / "1.age")
    b.run("accept", 1)
    assert b.refused("release", "--to", "alpha", "--all", "--new", "--dry-run") == "nothing-leaves"


def test_a_refusal_needs_a_reason_and_comes_back_in_the_receipt(pair, tmp_path):
    a, b = pair
    a.run("import", bundle(tmp_path / "b.json", *(indicator(n) for n in range(1, 5))))
    a.run(
        "release",
        "--to",
        "beta",
        "--all",
        "--note",
        "please look\nat these",
        "--priority",
        "flash",
        "--out",
        tmp_path / "p",
    )
    b.run("receive", tmp_path / "p")
    listed = b.run("inbox", "list")["packages"]
    assert [(p["state"], p["priority"], p["note"]) for p in listed] == [
        ("pending", "flash", "please look\nat these")
    ]
    some = tmp_path / "ids"
    some.write_text(indicator(2)["id"] + "\n")
    assert b.run("accept", 1, "--ids", some) == {
        "accepted": 1,
        "rejected": 0,
        "pending": 3,
        "given_lower": [],
    }
    b.run("receipt", "--to", "alpha", "--out", tmp_path / "r1")
    assert b.refused("reject", 1, "--reason", " ") == "reason-missing"
    assert b.run("reject", 1, "--reason", "not ours to act on") == {
        "accepted": 1,
        "rejected": 3,
        "pending": 0,
    }
    assert b.refused("accept", 1) == "nothing-pending"
    b.run("receipt", "--to", "alpha", "--out", tmp_path / "r2")
    # The later receipt arrives first: the earlier one must not undo it.
    assert a.run("receive", tmp_path / "r2", ok=(3,))["missing"] == [[1, 1]]
    a.run("receive", tmp_path / "r1")
    [sent] = [p for p in a.run("outbox")["packages"] if p["release"]]
    assert (sent["accepted"], sent["refused"], sent["reason"]) == (1, 3, "not ours to act on")
    states = {e["id"]: e["state"] for e in a.run("ledger", "--to", "beta")["entries"]}
    assert states == {indicator(n)["id"]: "accepted" if n == 2 else "refused" for n in range(1, 5)}
    assert len(b.export()) == 1


def test_a_drop_carries_both_ways_without_a_name_on_the_package(pair, tmp_path):
    a, b = pair
    shared = tmp_path / "shared"
    shared.mkdir()
    (shared / "unrelated.txt").write_text("not a package")
    for one, other in ((a, "beta"), (b, "alpha")):
        one.run("drop", "add", "mailbox", shared, "--with", other)
    a.run("import", bundle(tmp_path / "b.json", indicator(1)))
    a.run("release", "--to", "beta", "--all")
    assert a.run("outbox")["packages"][0]["state"] == "sealed"
    done = a.run("drop", "sync", ok=(3,))
    assert [p["seq"] for p in done["published"]] == [1]
    assert [r["code"] for r in done["refused"]] == ["package-damaged"], "what is no package is named once"
    assert a.run("outbox")["packages"][0]["state"] == "handed"
    assert a.run("drop", "sync", ok=(0, 3))["published"] == []
    got = b.run("drop", "sync", ok=(0, 3))["received"]
    assert [(r["from"], r["seq"]) for r in got] == [("alpha", 1)]
    b.run("accept", 1)
    b.run("receipt", "--to", "alpha")
    b.run("drop", "sync", ok=(0, 3))
    a.run("drop", "sync", ok=(0, 3))
    assert a.run("ledger")["entries"][0]["state"] == "accepted"
    assert b.run("drop", "sync", ok=(0, 3))["received"] == []
    assert not [p.name for p in shared.iterdir() if "alpha" in p.name or "beta" in p.name]


def test_which_tells_a_nameless_file(pair, tmp_path):
    a, b = pair
    a.run("import", bundle(tmp_path / "b.json", indicator(1)))
    package = tmp_path / "nameless"
    a.run("release", "--to", "beta", "--all", "--out", package)

    def told(site):
        found = site.run("which", package)
        return found["kind"], found["counterpart"], found["seq"]

    assert told(a) == ("ours", "beta", 1)
    kind, *_ = told(b)
    assert kind == "for-us"
    b.run("receive", package)
    assert told(b) == ("theirs", "alpha", 1)


def test_carry_copies_byte_for_byte(pair, tmp_path):
    a, _ = pair
    a.run("import", bundle(tmp_path / "b.json", indicator(1)))
    a.run("release", "--to", "beta", "--all", "--out", tmp_path / "1")
    a.run("carry", 1, "--to", "beta", "--out", tmp_path / "2")
    assert (tmp_path / "1").read_bytes() == (tmp_path / "2").read_bytes()
    assert (tmp_path / "1").stat().st_mtime == 946_684_800


def test_practice_runs_to_the_end(tmp_path):
    done = subprocess.run(
        [CLI, "practice", "--folder", tmp_path / "p"], capture_output=True, text=True, check=True
    )
    assert "accepted: " in done.stdout
    assert "Held back" in done.stdout
    assert (tmp_path / "p" / "stick").is_dir()


def test_what_an_officer_sees_on_the_way(pair, tmp_path):
    """What a dry run refuses and shows, what a package brought, a text before it is accepted, what a recall takes."""
    a, b = pair
    (tmp_path / "ids").write_text("\ufeff" + indicator(1)["id"] + "\r\n", encoding="utf8")
    a.run("import", bundle(tmp_path / "b.json", indicator(1), indicator(2)))
    release = ("release", "--to", "beta")
    a.run(*release, "--query", " ", "--dry-run", ok=(2,))
    assert a.refused(*release, "--all", "--reference", "x\ny", "--dry-run") == "reference-unusable"
    a.run("request", "--to", "beta", "--text", "Who?\nAnd since when?", "--out", tmp_path / "0")
    assert b.run("receive", tmp_path / "0")["statements"] == ["epoch", "request"]
    assert b.run("request", "show", 1)["text"] == "Who?\nAnd since when?"
    [gone] = a.run(*release, "--ids", tmp_path / "ids", "--out", tmp_path / "1")["objects"]
    assert gone["id"] == indicator(1)["id"]
    got = b.run("receive", tmp_path / "1")
    assert got["statements"] == ["release"]
    [content] = b.run("inbox", "show", got["number"], "--diff", gone["id"])["contents"]
    assert (content["held"], content["object"]) == (None, indicator(1))
    assert b.run("inbox", "show", got["number"])["objects"][0]["level"] == "CLEAR"
    b.run("accept", got["number"])
    (tmp_path / "ours.txt").write_text("what we found")
    b.run("attach", tmp_path / "ours.txt", "--to", gone["id"])
    a.run("recall", "--to", "beta", "--ids", tmp_path / "ids", "--reason", "wrong", "--out", tmp_path / "2")
    [number] = b.run("receive", tmp_path / "2", ok=(3,))["recalls"]
    assert b.run("recall", "show", number)["touches"][0]["attachments"] == ["ours.txt"]
