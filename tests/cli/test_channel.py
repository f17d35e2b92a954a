"""Resend, void, a lost package, a restored installation, a fork: what the officer sees and decides."""

from __future__ import annotations

import shutil

import pytest

from tests.cli.conftest import bundle, indicator


@pytest.fixture
def talked(pair, tmp_path):
    """A pair that has exchanged one package each way, so that one-time keys are at hand."""
    a, b = pair
    a.run("import", bundle(tmp_path / "b.json", *(indicator(n) for n in range(1, 4))))
    a.run("release", "--to", "beta", "--all", "--out", tmp_path / "first")
    b.run("receive", tmp_path / "first")
    b.run("accept", 1)
    b.run("receipt", "--to", "alpha", "--out", tmp_path / "answer")
    a.run("receive", tmp_path / "answer")
    return a, b


def test_a_lost_package_is_resent_under_the_same_release_and_the_gap_closes(talked, tmp_path):
    a, b = talked
    a.run("import", bundle(tmp_path / "2.json", indicator(4)))
    a.run("release", "--to", "beta", "--all", "--new", "--note", "the fourth", "--out", tmp_path / "lost")
    again = a.run("resend", 2, "--to", "beta", "--out", tmp_path / "again")
    assert (again["seq"], again["replaces"], again["leaves"]) == (3, 2, 1)
    got = b.run("receive", tmp_path / "again")
    assert (got["status"], got["missing"]) == ("new", [])
    assert b.run("inbox", "list")["packages"][0]["note"] == "the fourth"
    assert b.refused("receive", tmp_path / "lost") == "not-for-us", (
        "its one-time key went when it became void"
    )
    assert len(b.run("inbox", "list")["packages"]) == 2, "one release enters the inbox once"
    states = {(e["seq"], e["state"]) for e in a.run("ledger", "--id", indicator(4)["id"])["entries"]}
    assert states == {(2, "void"), (3, "carried")}
    assert a.refused("resend", 2, "--to", "beta", "--out", tmp_path / "x") == "package-closed"


def test_the_resend_first_and_the_void_original_late_or_the_other_way_round(talked, tmp_path):
    a, b = talked
    a.run("import", bundle(tmp_path / "2.json", indicator(4)))
    a.run("release", "--to", "beta", "--all", "--new", "--out", tmp_path / "lost")
    a.run("resend", 2, "--to", "beta", "--out", tmp_path / "again")
    assert b.run("receive", tmp_path / "lost")["objects"] == 1
    twice = b.run("receive", tmp_path / "again", ok=(3,))
    assert twice["objects"] == 0
    assert [f["code"] for f in twice["failed"]] == ["release-twice"]
    assert b.run("channel", "show", "alpha")["missing"] == []


def test_void_while_the_stick_is_in_hand(talked, tmp_path):
    a, b = talked
    a.run("release", "--to", "beta", "--all", "--out", tmp_path / "wrong")
    assert a.run("void", 2, "--to", "beta")["state"] == "void"
    assert a.refused("carry", 2, "--to", "beta", "--out", tmp_path / "x") == "package-closed"
    a.run("release", "--to", "beta", "--all", "--out", tmp_path / "right")
    got = b.run("receive", tmp_path / "right")
    assert (got["status"], got["missing"]) == ("new", [])
    assert b.refused("receive", tmp_path / "wrong") == "not-for-us"
    assert a.refused("void", 1, "--to", "beta") == "package-closed", "it was acknowledged"


def test_what_may_not_leave_any_more_becomes_void_instead_of_being_carried(talked, tmp_path):
    a, _ = talked
    a.run("release", "--to", "beta", "--all", "--out", tmp_path / "p")
    told = a.run("handling", indicator(2)["id"], "RED", ok=(3,))
    assert [(one["to"], one["seq"]) for one in told["given"]] == [("beta", 1), ("beta", 2)]
    assert a.refused("carry", 2, "--to", "beta", "--out", tmp_path / "q") == "no-longer-leaves"
    assert not (tmp_path / "q").exists()
    assert a.run("outbox")["packages"][0]["state"] == "void"


def test_a_restored_copy_that_seals_again_is_found_out_and_mended_by_both_officers(talked, tmp_path):
    a, b = talked
    copy = tmp_path / "copy"
    shutil.copytree(a.home, copy)
    a.run("release", "--to", "beta", "--all", "--out", tmp_path / "2")
    b.run("receive", tmp_path / "2")
    shutil.rmtree(a.home)
    shutil.copytree(copy, a.home)

    a.run("release", "--to", "beta", "--all", "--note", "from the copy", "--out", tmp_path / "2b")
    assert b.refused("receive", tmp_path / "2b") == "not-for-us", (
        "the one-time key was used by the true package 2"
    )
    b.run("accept", 2)
    b.run("receipt", "--to", "alpha", "--out", tmp_path / "told")
    told = [f["code"] for f in a.run("receive", tmp_path / "told", ok=(3,))["failed"]]
    assert sorted(told) == ["channel-claimed", "receipt-unknown"], "the copy never sealed what they answer"
    assert a.refused("release", "--to", "beta", "--all", "--dry-run") == "channel-claimed"

    assert a.run("channel", "restart", "beta", "--reason", "restored", ok=(3,))["mending"]
    again = a.run("release", "--to", "beta", "--all", "--out", tmp_path / "3")
    assert (again["seq"], again["protection"]) == (1, "card")
    assert b.refused("receive", tmp_path / "3") == "epoch-pending"
    assert b.run("channel", "show", "alpha", ok=(3,))["pending"] == "restored"
    b.run("release", "--to", "alpha", "--all", "--out", tmp_path / "b2")
    number = a.run("receive", tmp_path / "b2", ok=(0, 3))["number"]
    assert a.refused("accept", number) == "channel-mending"
    b.run("channel", "confirm", "alpha", ok=(0, 3))
    assert b.run("receive", tmp_path / "3")["status"] == "new"
    b.run("accept", 3)
    b.run("receipt", "--to", "alpha", "--out", tmp_path / "4")
    a.run("receive", tmp_path / "4", ok=(0, 3))
    assert not a.run("channel", "show", "beta", ok=(0, 3))["mending"]
    a.run("accept", number)
    assert b.refused("receive", tmp_path / "2b") in ("epoch-closed", "not-for-us")
    for site in talked:
        assert site.run("check")["ok"]


def test_nothing_to_confirm(pair):
    a, _ = pair
    assert a.refused("channel", "confirm", "beta") == "nothing-to-confirm"


def test_the_officer_asks_for_what_is_missing(talked, tmp_path):
    a, b = talked
    a.run("release", "--to", "beta", "--all", "--out", tmp_path / "2")
    a.run("release", "--to", "beta", "--all", "--out", tmp_path / "3")
    assert b.run("receive", tmp_path / "3", ok=(3,))["status"] == "gap"
    assert b.run("channel", "ask", "alpha", ok=(3,))["missing"] == [[2, 2]]
    b.run("receipt", "--to", "alpha", "--out", tmp_path / "r")
    assert a.run("receive", tmp_path / "r", ok=(3,))["lacking"] == [[2, 2]]
    a.run("carry", 2, "--to", "beta", "--out", tmp_path / "2again")
    assert b.run("receive", tmp_path / "2again")["status"] == "new"
    assert b.run("channel", "show", "alpha")["missing"] == []
