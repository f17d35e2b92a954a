"""Each filter alone, on both sides of its bound."""

from __future__ import annotations

import pytest

from app.holdings import browsing
from tests.holdings.test_revoking import bring
from tests.support.sites import (
    AMBER,
    RED,
    T0,
    copied,
    indicator,
    peer,
    relationship,
    take,
    thing,
)

MOMENTS = {1: "2026-02-01T00:00:00Z", 2: "2026-01-31T23:59:59.999999Z", 3: "2026-02-01T00:00:00.000001Z"}


def named(kind, number, external):
    references = [{"source_name": "mitre-attack", "external_id": external}]
    return thing(kind, number, external_references=references, modified=T0)


TECHNIQUES = [
    named("attack-pattern", 20, "T1059"),
    named("attack-pattern", 21, "T1059.001"),
    named("attack-pattern", 22, "T1059-draft"),
    named("attack-pattern", 23, "T10590"),
    named("malware", 24, "t1059.002"),
]
TOOLS = [thing("tool", number, modified=T0) for number in (25, 26, 27)]
MADE = [
    *(indicator(number, modified=moment) for number, moment in MOMENTS.items()),
    *(
        indicator(number, modified=T0, confidence=sure)
        for number, sure in ((10, 29), (11, 30), (12, 70), (13, 71))
    ),
    *TECHNIQUES,
    *TOOLS,
    relationship(28, TOOLS[0], TECHNIQUES[1]) | {"modified": T0},
    relationship(29, TECHNIQUES[0], TOOLS[1]) | {"modified": T0},
    thing("file", 30, hashes={"MD5": "abcd" * 8}),
    thing("file", 31, hashes={"SHA-256": "abcd" * 16}),
    thing("domain-name", 32, value="abcd.example"),
    indicator(40, RED, modified=T0, revoked=True),
    indicator(41, AMBER, modified=T0),
    indicator(42, None, modified=T0),
]


@pytest.fixture(scope="module")
def site(holdings_template, tmp_path_factory):
    with copied(holdings_template, tmp_path_factory.mktemp("filters")) as found:
        take(found.alpha, *MADE, name="made.json")
        bring(found.alpha, "beta", thing("note", 50), thing("note", 51))
        bring(found.alpha, "mallory", thing("note", 52))
        take(found.alpha, thing("note", 51), name="second.json")
        yield found.alpha


def numbers(site, text):
    return {int(id_.partition("--")[2][:8], 16) for id_ in browsing.ids(site, browsing.selection(text))}


MOVED = "type:indicator "


@pytest.mark.parametrize(
    "text, found",
    [
        (MOVED + "after:2026-02", {1, 3}),
        (MOVED + "after:2026-02-01", {1, 3}),
        (MOVED + "after:2026-02-01T00:00:00.000Z", {1, 3}),
        (MOVED + "after:2026-02-01T00:00:00.0000001Z", {3}),
        (MOVED + "after:2026-01-31 before:2026-02-01", {2}),
        (MOVED + "after:2026-01-31 before:2026-02-01T00:00:00.000001Z", {1, 2}),
        (MOVED + "after:2026-01-31T23:59:59.999999Z before:2026-02", {2}),
        (MOVED + "after:2027", set()),
        ("confidence:30..70", {11, 12}),
        ("confidence:30..30", {11}),
        ("confidence:71", {13}),
        ("technique:T1059", {20, 21, 24, 25}),
        ("technique:t1059.001", {21, 25}),
        ("technique:T1059.002 technique:T1059.001", {21, 24, 25}),
        ("hash:abcd", {30, 31}),
        ("hash:md5:abcd", {30}),
        ("hash:SHA256:ABCDABCD", {31}),
        ("hash:abcde", set()),
        ("marking:RED", {40}),
        ("marking:AMBER type:indicator", {41}),
        ("revoked:yes", {40}),
        ("revoked:no marking:RED", set()),
        ("conflict:yes", set()),
        ("source:second.json", {51}),
        ("counterpart:BETA", {50, 51}),
        ("counterpart:beta counterpart:mallory", {50, 51, 52}),
        ("source:beta type:note", {50, 51}),
        ("source:made.json type:note", set()),
        ("type:note type:file", {30, 31, 50, 51, 52}),
        (f"id:{MADE[0]['id']}", {1}),
    ],
)
def test_a_filter_gives_what_fits_and_nothing_else(site, text, found):
    assert numbers(site, text) == found


def test_a_counterpart_is_known_by_its_fingerprint_too(site):
    fingerprint = peer(site, "beta").fingerprint
    assert numbers(site, f"counterpart:{fingerprint}") == numbers(site, f"source:{fingerprint}") == {50, 51}


def test_what_nobody_marked_has_the_level_given_here(site):
    assert numbers(site, "marking:CLEAR type:indicator id:" + indicator(42)["id"]) == {42}
    assert numbers(site, "marking:none") == set()
