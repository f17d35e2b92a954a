"""Observables: the same thing is the same text, wherever it is said."""

from __future__ import annotations

import ipaddress
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app.intel.observables import (
    _IPV4,
    MAX_OBSERVABLES,
    MAX_VALUE,
    Observable,
    guess,
    hash_kind,
    normal,
    observables,
)
from app.intel.reading import Entry, read_bundle


def pairs(value: dict[str, Any]) -> list[tuple[str, str]]:
    return [(one.kind, one.value) for one in observables(value)]


@pytest.mark.parametrize(
    "value, expected",
    [
        ({"type": "ipv4-addr", "value": "198.51.100.1"}, [("ipv4-addr", "198.51.100.1")]),
        ({"type": "ipv4-addr", "value": "198.51.100.1/32"}, [("ipv4-addr", "198.51.100.1")]),
        ({"type": "ipv4-addr", "value": "198.51.100.7/24"}, [("ipv4-addr", "198.51.100.0/24")]),
        ({"type": "ipv6-addr", "value": "2001:0DB8::0001"}, [("ipv6-addr", "2001:db8::1")]),
        ({"type": "domain-name", "value": "Evil.Example."}, [("domain-name", "evil.example")]),
        ({"type": "url", "value": "HTTP://Evil.Example/A"}, [("url", "http://evil.example/A")]),
        ({"type": "url", "value": "http://evil.example/"}, [("url", "http://evil.example")]),
        ({"type": "email-addr", "value": "User@Evil.Example"}, [("email-addr", "user@evil.example")]),
        ({"type": "mac-addr", "value": "00-11-22-AA-BB-CC"}, [("mac-addr", "00:11:22:aa:bb:cc")]),
        ({"type": "autonomous-system", "number": 174}, [("autonomous-system", "174")]),
        (
            {"type": "file", "name": "A.EXE", "size": 7, "hashes": {"SHA-256": "AB", "MD5": "CD", "x": 5}},
            [("file", "a.exe"), ("sha-256", "ab"), ("md5", "cd")],
        ),
        ({"type": "artifact", "url": "http://x.example", "hashes": {"SHA256": "AB"}},
         [("url", "http://x.example"), ("sha-256", "ab")]),
        ({"type": "mutex", "name": "Global\\X"}, [("mutex", "Global\\X")]),
        ({"type": "malware", "name": "Flame", "hashes": {"MD5": "aa"}}, []),
        ({"type": "ipv4-addr", "value": 5}, []),
        ({"type": "url", "value": None}, []),
        ({"type": "url", "value": " "}, []),
        ({"type": 5, "value": "x"}, []),
        ({"type": "x-new", "value": "x"}, []),
        (
            {"type": "observed-data", "objects": {"0": {"type": "url", "value": "http://a"}, "1": "x", "2": {}}},
            [("url", "http://a")],
        ),
        ({"type": "observed-data", "object_refs": []}, []),
    ],
)  # fmt: skip
def test_of_objects(value: dict[str, Any], expected: list[tuple[str, str]]) -> None:
    assert pairs(value) == expected


@pytest.mark.parametrize(
    "pattern, expected",
    [
        ("[file:hashes.'SHA-256' = 'AB' OR file:hashes.MD5 = 'cd']", [("sha-256", "ab"), ("md5", "cd")]),
        ("[domain-name:value = 'evil.example']", [("domain-name", "evil.example")]),
        ("[network-traffic:dst_ref.value = '198.51.100.1']", [("ipv4-addr", "198.51.100.1")]),
        ("[network-traffic:dst_ref.value = 'evil.example']", [("domain-name", "evil.example")]),
        ("[network-traffic:src_ref.value ISSUBSET '2001:db8::/32']", [("ipv6-addr", "2001:db8::/32")]),
        ("[domain-name:resolves_to_refs[*].value = '198.51.100.1']", [("ipv4-addr", "198.51.100.1")]),
        ("[email-message:from_ref.value = 'a@b.example']", [("email-addr", "a@b.example")]),
        ("[url:value IN ('http://a/x', 'http://b')]", [("url", "http://a/x"), ("url", "http://b")]),
        ("[url:value != 'http://a']", []),
        ("[url:value NOT = 'http://a']", []),
        ("[url:value LIKE 'http://%']", []),
        ("[x-y:z = 'http://a']", []),
        ("[process:pid = 5]", []),
    ],
)
def test_of_patterns(pattern: str, expected: list[tuple[str, str]]) -> None:
    assert pairs({"type": "indicator", "pattern": pattern}) == expected
    assert pairs({"type": "indicator", "pattern": pattern, "pattern_type": "yara"}) == []


def test_an_indicator_and_an_observable_meet() -> None:
    sco = {"type": "ipv6-addr", "value": "2001:DB8:0:0::1"}
    indicator = {"type": "indicator", "pattern": "[ipv6-addr:value = '2001:db8::1']"}
    assert observables(sco) == observables(indicator)


def test_limits() -> None:
    value = "a" * (MAX_VALUE - 8)
    assert pairs({"type": "url", "value": f"http://{value}x"})
    assert not pairs({"type": "url", "value": f"http://{value}xy"})
    many = {f"x{n}": "aa" for n in range(MAX_OBSERVABLES + 5)}
    assert len(pairs({"type": "file", "hashes": many})) == MAX_OBSERVABLES


@pytest.mark.parametrize("name", ["MD5", "md5"])
def test_hash_names(name: str) -> None:
    assert hash_kind(name) == "md5"
    assert {hash_kind(text) for text in ("SHA-256", "sha256", "SHA_256")} == {"sha-256"}
    assert hash_kind("SHA3-256") == "sha3-256"
    assert hash_kind("x" * 32) == "x" * 32
    assert hash_kind("x" * 33) == hash_kind("") == hash_kind("a b") == hash_kind("é") == ""


@pytest.mark.parametrize(
    "query, expected",
    [
        ("hxxp://Evil[.]example/A", [("url", "http://evil.example/A")]),
        (" evil[.]example ", [("domain-name", "evil.example"), ("file", "evil.example")]),
        ("198[.]51[.]100[.]1", [("ipv4-addr", "198.51.100.1")]),
        ("10.0.0.0/8", [("ipv4-addr", "10.0.0.0/8")]),
        ("2001:DB8::1", [("ipv6-addr", "2001:db8::1")]),
        ("user(at)evil[.]example", [("email-addr", "user@evil.example")]),
        ("D41D8CD98F00B204E9800998ECF8427E", [("md5", "d41d8cd98f00b204e9800998ecf8427e")]),
        ("a" * 40, [("sha-1", "a" * 40)]),
        ("a" * 64, [("sha-256", "a" * 64)]),
        ("AS174", [("autonomous-system", "174")]),
        ("00:11:22:33:44:55", [("mac-addr", "00:11:22:33:44:55")]),
        ("word", []),
        ("two words", []),
        ("", []),
        ("CVE-2024-3094", []),
        ("999.1.1.1", []),
    ],
)
def test_guess(query: str, expected: list[tuple[str, str]]) -> None:
    assert [(one.kind, one.value) for one in guess(query)] == expected


KINDS = (
    "ipv4-addr",
    "url",
    "domain-name",
    "email-addr",
    "mac-addr",
    "autonomous-system",
    "file",
    "mutex",
    "sha-1",
)


@given(st.sampled_from(KINDS), st.text() | st.text(st.sampled_from("aA0.:/@ -sS1\t")))
def test_normal_is_idempotent(kind: str, text: str) -> None:
    assert normal(kind, normal(kind, text)) == normal(kind, text)


@given(st.text(st.sampled_from("aA0.:/@-1"), min_size=1))
def test_what_is_held_is_found_by_its_own_spelling(text: str) -> None:
    held = {one for one in observables({"type": "url", "value": "http://x" + text}) if one.kind == "url"}
    assert held
    assert {one for one in guess("http://x" + text) if one.kind == "url"} == held


def test_the_corpus(corpus: Path) -> None:
    raw = (corpus / "misp" / "test_events_collection_stix21.json").read_bytes()
    values = [entry.value for entry in read_bundle(raw) if isinstance(entry, Entry)]
    found = {one for value in values for one in observables(value)}
    assert Observable("domain-name", "circl.lu") in found
    assert Observable("ipv4-addr", "149.13.33.14") in found
    of_indicators = {one for value in values if value["type"] == "indicator" for one in observables(value)}
    assert of_indicators & {
        one for value in values if value["type"] != "indicator" for one in observables(value)
    }
    assert json.dumps(sorted((one.kind, one.value) for one in found))


OCTETS = st.sampled_from(
    ["0", "7", "10", "99", "199", "249", "255", "256", "300", "01", "00", "1e", " 1", "", "٣", "1111"]
)


@given(
    st.one_of(
        st.text("0123456789abcdefABCDEF::::.%", max_size=45),
        st.ip_addresses(v=6).map(lambda one: one.exploded.upper()),
        st.ip_addresses(v=6).map(str),
        st.lists(st.sampled_from(["0", "0000", "", "", "1", "a9", "00a", "FFFF", "12345"]), max_size=9).map(
            ":".join
        ),
    )
)
@example("::ffff:1.2.3.4")
@example("::0102:0304")
@example("fe80::1%eth0")
def test_an_ipv6_address_is_written_as_ipaddress_writes_it(text: str) -> None:
    try:
        expected = str(ipaddress.ip_address(text))
    except ValueError:
        expected = text.lower()
    assert normal("ipv6-addr", text) == expected


@given(st.lists(OCTETS, min_size=3, max_size=5).map(".".join))
def test_an_address_is_what_ipaddress_takes_for_one(text: str) -> None:
    try:
        expected = str(ipaddress.IPv4Address(text))
    except ValueError:
        expected = ""
    assert (text if _IPV4.fullmatch(text) else "") == expected
