"""New keys for an installation, as the officers of both sides see it."""

from __future__ import annotations

import pytest

from tests.cli.conftest import bundle, indicator


@pytest.fixture
def talked(pair, tmp_path):
    """A pair that has exchanged one package each way."""
    a, b = pair
    a.run("import", bundle(tmp_path / "b.json", *(indicator(n) for n in range(1, 3))))
    a.run("release", "--to", "beta", "--all", "--out", tmp_path / "first")
    b.run("receive", tmp_path / "first")
    b.run("accept", 1)
    b.run("receipt", "--to", "alpha", "--out", tmp_path / "answer")
    a.run("receive", tmp_path / "answer")
    return a, b


def test_keys_are_rotated_and_the_counterpart_follows_and_compares(talked, tmp_path):
    a, b = talked
    a.run("import", bundle(tmp_path / "2.json", indicator(5)))
    a.run("release", "--to", "beta", "--all", "--new", "--out", tmp_path / "slow")
    done = a.run("identity", "rotate")
    assert done["before"] == a.fingerprint != done["fingerprint"]
    assert [(i["state"], i["waiting"]) for i in a.run("identity", "list")["identities"]] == [
        ("in-use", []),
        ("retired", ["beta"]),
    ]
    a.run("import", bundle(tmp_path / "3.json", indicator(6)))
    a.run("release", "--to", "beta", "--all", "--new", "--out", tmp_path / "anew")
    got = b.run("receive", tmp_path / "anew", ok=(3,))
    assert [f["code"] for f in got["failed"]] == ["identity-rotated"]
    one = b.run("counterpart", "show", "alpha", ok=(3,))
    assert (one["fingerprint"], one["verified"], one["former"]) == (
        done["fingerprint"],
        True,
        [a.fingerprint],
    )
    assert b.run("channel", "show", "alpha", ok=(3,))["missing_before"] == [[2, 2]]
    assert b.run("receive", tmp_path / "slow")["objects"] == 1
    b.run("counterpart", "verify", done["fingerprint"], "--confirmed")
    assert b.run("counterpart", "show", "alpha")["carried"] == ""
    assert b.run("counterpart", "show", a.fingerprint)["alias"] == "alpha"
    b.run("receipt", "--to", "alpha", "--out", tmp_path / "told")
    a.run("receive", tmp_path / "told")
    assert [i["state"] for i in a.run("identity", "list")["identities"]] == ["in-use", "erased"]
    states = {e["state"] for e in a.run("ledger", "--to", "beta")["entries"]}
    assert states <= {"received", "accepted"}
    a.run("check")
    b.run("check")


def test_lost_keys_are_replaced_and_the_card_compared_anew(talked, tmp_path):
    a, b = talked
    assert a.refused("identity", "replace") == "replace-unconfirmed"
    done = a.run("identity", "replace", "--lost", ok=(3,))
    assert done["verify"] == ["beta"]
    assert a.refused("release", "--to", "beta", "--all", "--out", tmp_path / "x") == "counterpart-unverified"
    a.run("card", "export", tmp_path / "new.card")
    b.run("counterpart", "revoke", "alpha")
    stub = b.run("counterpart", "add", tmp_path / "new.card", "--replaces", "alpha")
    assert (stub["verified"], stub["replaces"]) == (False, "alpha")
    b.run("counterpart", "verify", stub["alias"], "--confirmed")
    a.run("counterpart", "verify", "beta", "--confirmed")
    [one] = b.run("counterpart", "list")["counterparts"]
    assert (one["alias"], one["fingerprint"], one["revoked"]) == ("alpha", done["fingerprint"], False)
    a.run("import", bundle(tmp_path / "4.json", indicator(7)))
    a.run("release", "--to", "beta", "--all", "--new", "--out", tmp_path / "anew")
    assert b.run("receive", tmp_path / "anew")["objects"] == 1
    b.run("receipt", "--to", "alpha", "--out", tmp_path / "told")
    assert a.run("receive", tmp_path / "told")["status"] == "new"
