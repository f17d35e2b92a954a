"""The outside of objects: names, references, text."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.intel import timestamp
from app.intel.envelope import MAX_NAME, MAX_TEXT, envelope, mentions, name
from app.intel.marking import EXTENSION, IDS, Level
from app.intel.reading import Entry, read_bundle


def sid(kind: str, number: int = 1) -> str:
    return f"{kind}--00000000-0000-4000-8000-{number:012}"


@pytest.mark.parametrize("file", ["ics-attack-18.1", "mobile-attack-17.1", "capec-2.1"])
def test_the_corpus(corpus: Path, file: str) -> None:
    raw = (corpus / "stix" / f"{file}.json").read_bytes()
    entries = [entry for entry in read_bundle(raw) if isinstance(entry, Entry)]
    held = {str(entry.value["id"]): entry.value for entry in entries}
    for entry in entries:
        outside = envelope(entry.value, held.get)
        assert outside.marking is None
        assert outside.name
        assert set(outside.refs) <= set(held)
        assert mentions(entry.value) >= set(outside.refs)
        assert outside.modified == entry.value.get("modified", "")
        assert bool(outside.moment) == bool(outside.modified)
        assert str(entry.value.get("name", "")) in outside.text
        assert str(entry.value.get("description", "")) in outside.text
        for reference in entry.value.get("external_references", []):  # type: ignore[attr-defined]
            assert reference.get("external_id", "") in outside.text
    assert envelope(entries[0].value).marking in (None, Level.UNREADABLE)


def test_the_common_properties() -> None:
    outside = envelope(
        {
            "type": "indicator",
            "id": sid("indicator"),
            "created": "2026-01-01T00:00:00Z",
            "modified": "2026-01-02T00:00:00.120Z",
            "created_by_ref": sid("identity"),
            "revoked": True,
            "name": "n",
            "object_marking_refs": [IDS[Level.RED], sid("marking-definition")],
        }
    )
    assert (outside.id, outside.type) == (sid("indicator"), "indicator")
    assert (outside.created, outside.modified) == ("2026-01-01T00:00:00Z", "2026-01-02T00:00:00.120Z")
    assert outside.moment == timestamp.moment("2026-01-02T00:00:00.12Z")
    assert outside.revoked
    assert outside.creator == sid("identity")
    assert outside.marking is Level.UNREADABLE
    assert outside.definitions == (sid("marking-definition"),)


def test_what_is_absent_or_of_the_wrong_kind() -> None:
    outside = envelope(
        {"type": "x", "id": "x", "created": 5, "modified": [], "revoked": "true", "name": {"a": 1}}
    )
    assert (outside.created, outside.modified, outside.moment, outside.creator) == ("", "", "", "")
    assert not outside.revoked
    assert (outside.name, outside.text, outside.refs, outside.marking) == ("", "", (), None)


def test_references_at_any_depth() -> None:
    value = {
        "type": "report",
        "id": sid("report"),
        "created_by_ref": sid("identity", 2),
        "object_refs": [sid("malware", 3), sid("report"), "no id", 7, sid("malware", 3)],
        "object_marking_refs": [sid("marking-definition", 4)],
        "granular_markings": [{"marking_ref": sid("marking-definition", 5), "selectors": ["name"]}],
        "extensions": {
            sid("extension-definition", 6): {
                "x_ref": sid("tool", 7),
                "deep": [[{"y_refs": [sid("tool", 8)]}]],
            },
            EXTENSION: {"tlp_2_0": "clear"},
            "http-request-ext": {},
        },
        "external_references": [{"source_name": sid("tool", 9)}],
        "description": sid("tool", 10),
        "x_refs": sid("tool", 11),
        "y_ref": [sid("tool", 12)],
        "z_ref": sid("tool", 13) + "\n",
    }
    assert set(envelope(value).refs) == {
        sid("identity", 2),
        sid("malware", 3),
        sid("marking-definition", 4),
        sid("marking-definition", 5),
        sid("extension-definition", 6),
        sid("tool", 7),
        sid("tool", 8),
    }
    assert len(envelope(value).refs) == 7
    assert mentions(value) >= {sid("tool", n) for n in range(7, 14)} | {sid("malware", 3), EXTENSION}
    assert sid("report") not in mentions(value)


def test_relationship_and_sighting_references() -> None:
    relationship = {"type": "relationship", "source_ref": sid("malware"), "target_ref": sid("tool")}
    assert envelope(relationship).refs == (sid("malware"), sid("tool"))
    sighting = {
        "type": "sighting",
        "sighting_of_ref": sid("indicator"),
        "observed_data_refs": [sid("observed-data")],
        "where_sighted_refs": [sid("identity")],
    }
    assert envelope(sighting).refs == (sid("indicator"), sid("observed-data"), sid("identity"))


def test_an_id_in_capitals_or_glued_to_a_word_is_mentioned():
    shown = sid("indicator", 7)
    assert shown in mentions({"description": f"see {shown.upper()}"})
    assert shown in mentions({"description": f"(not-{shown})"})


def test_ids_hidden_in_text_are_mentioned() -> None:
    one, two = sid("indicator"), sid("x-thing", 2)
    value = {
        "id": sid("note"),
        f"k {one}": f"see:{two}.",
        "x": ["-" * 3 + sid("tool", 3), "--" + sid("tool", 4)[4:]],
    }
    assert mentions(value) == {one, two, two.removeprefix("x-"), sid("tool", 3)}


def test_mentions_are_found_in_time() -> None:
    start = time.process_time()
    mentions({"x": "a" * 4_000_000, "y": "a-" * 1_000_000, "z": "--" * 1_000_000})
    assert time.process_time() - start < 5


@pytest.mark.parametrize(
    "value, expected",
    [
        ({"type": "malware", "name": "Flame"}, "Flame"),
        ({"type": "indicator", "pattern": "[a:b = 'c']"}, "[a:b = 'c']"),
        ({"type": "relationship", "relationship_type": "uses", "name": "no"}, "uses"),
        ({"type": "sighting", "sighting_of_ref": sid("indicator")}, sid("indicator")),
        ({"type": "note", "content": "text"}, "text"),
        ({"type": "note", "abstract": "short", "content": "text"}, "short"),
        ({"type": "opinion", "opinion": "agree"}, "agree"),
        ({"type": "marking-definition", "definition": {"statement": "(c)"}}, "(c)"),
        ({"type": "marking-definition", "definition": {"tlp": "red"}}, "red"),
        ({"type": "marking-definition", "name": "TLP:RED", "definition": {"tlp": "red"}}, "TLP:RED"),
        ({"type": "ipv4-addr", "value": "198.51.100.1"}, "198.51.100.1"),
        ({"type": "autonomous-system", "number": 174}, "AS174"),
        ({"type": "autonomous-system", "number": 174, "name": "COGENT"}, "COGENT"),
        ({"type": "directory", "path": "C:\\Windows"}, "C:\\Windows"),
        ({"type": "file", "hashes": {"MD5": "aa", "SHA-256": "bb"}}, "bb"),
        ({"type": "file", "hashes": {"SSDEEP": "3:x"}}, "3:x"),
        ({"type": "file", "name": "a.exe", "hashes": {"MD5": "aa"}}, "a.exe"),
        ({"type": "artifact", "hashes": {"MD5": "aa"}}, "aa"),
        ({"type": "process", "pid": 0}, "0"),
        ({"type": "process", "command_line": "cmd", "pid": 4}, "cmd"),
        ({"type": "network-traffic", "protocols": ["ipv4", "tcp"], "dst_port": 443}, "ipv4 tcp * > 443"),
        ({"type": "network-traffic", "protocols": ["icmp"]}, "icmp"),
        ({"type": "user-account", "user_id": "0", "display_name": "root"}, "root"),
        ({"type": "windows-registry-key", "key": "HKLM"}, "HKLM"),
        ({"type": "x509-certificate", "serial_number": "36:f7"}, "36:f7"),
        ({"type": "email-message", "subject": "Hello"}, "Hello"),
        ({"type": "mutex", "name": "m"}, "m"),
        ({"type": "x-unheard-of", "value": "v"}, "v"),
        ({"type": "x-unheard-of"}, ""),
        ({"type": "malware", "name": "\u202eevil<img src=x>"}, "\u202eevil<img src=x>"),
        ({"type": "malware", "name": "  ", "description": "d"}, "d"),
        ({"type": "process", "pid": True}, ""),
    ],
)
def test_names(value: dict[str, Any], expected: str) -> None:
    assert name(value) == expected
    assert envelope(value).name == expected


def test_limits_of_name_and_text() -> None:
    assert name({"name": "x" * MAX_NAME}) == "x" * MAX_NAME
    assert name({"name": "x" * (MAX_NAME + 1)}) == "x" * MAX_NAME
    assert len(envelope({"description": "x" * MAX_TEXT}).text) == MAX_TEXT
    assert len(envelope({"description": "x" * (MAX_TEXT + 1)}).text) == MAX_TEXT


def test_text_has_what_people_search() -> None:
    text = envelope(
        {
            "type": "attack-pattern",
            "name": "Name",
            "description": "Description",
            "aliases": ["Alias", 5],
            "labels": ["Label"],
            "pattern": "[Pattern]",
            "external_references": [
                {"source_name": "mitre-attack", "external_id": "T1059.001", "url": "no"},
                "x",
            ],
            "hashes": {"MD5": "d41d", "x": 5},
            "payload_bin": "AAAA",
        }
    ).text
    for word in ("Name", "Description", "Alias", "Label", "[Pattern]", "mitre-attack", "T1059.001", "d41d"):
        assert word in text.split("\n")
    assert "AAAA" not in text
    assert "AS174" in envelope({"type": "autonomous-system", "number": 174}).text


@pytest.mark.parametrize(
    "value, words",
    [
        ({"type": "malware", "malware_types": ["ransomware", 7]}, ["ransomware"]),
        ({"type": "threat-actor", "threat_actor_types": ["crime-syndicate"]}, ["crime-syndicate"]),
        ({"type": "infrastructure", "infrastructure_types": ["botnet"]}, ["botnet"]),
        ({"type": "tool", "tool_types": ["remote-access"]}, ["remote-access"]),
        ({"type": "report", "report_types": ["campaign"]}, ["campaign"]),
        ({"type": "x-own", "title": "What the list calls it"}, ["What the list calls it"]),
        ({"type": "opinion", "opinion": "strongly-agree"}, ["strongly-agree"]),
        (
            {"type": "location", "country": "JO", "administrative_area": "Zarqa", "city": "Amman"},
            ["JO", "Zarqa", "Amman"],
        ),
        ({"type": "identity", "contact_information": "soc@cert.example"}, ["soc@cert.example"]),
        ({"type": "malware-analysis", "product": "cuckoo", "result_name": "Emotet"}, ["cuckoo", "Emotet"]),
        (
            {"type": "language-content", "contents": {"ar": {"name": "برمجية", "x": 7}, "fr": 7, "de": {}}},
            ["برمجية"],
        ),
        ({"type": "language-content", "contents": ["x"]}, [""]),
    ],
)
def test_kinds_places_and_translations_are_text(value: dict[str, Any], words: list[str]) -> None:
    assert envelope(value).text.split("\n") == words


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.just(sid("tool")),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
KEYS = (
    "type",
    "id",
    "name",
    "hashes",
    "labels",
    "aliases",
    "external_references",
    "extensions",
    "definition",
)
KEYS += (
    "object_marking_refs",
    "granular_markings",
    "x_ref",
    "x_refs",
    "modified",
    "number",
    "protocols",
    "pid",
)
TYPES = ("file", "network-traffic", "marking-definition", "autonomous-system", "process", "x")


@given(st.dictionaries(st.sampled_from(KEYS), JSON), st.sampled_from(TYPES))
def test_no_value_makes_it_fall_over(value: dict[str, Any], kind: str) -> None:
    value = {**value, "type": kind}
    outside = envelope(json.loads(json.dumps(value)))
    assert all(isinstance(text, str) for text in (outside.name, outside.text, *outside.refs))
