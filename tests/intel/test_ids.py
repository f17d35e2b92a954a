"""Identifiers of cyber-observable objects, held against those stix2 gives its own."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import stix2
from hypothesis import given
from hypothesis import strategies as st

from app.intel.ids import CONTRIBUTING, is_id, sco_id, type_of
from app.intel.reading import Entry, read_bundle

PLAIN = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), min_size=1)
HEX = st.text("0123456789abcdef", min_size=8, max_size=8)


def test_the_table_is_that_of_stix2() -> None:
    import stix2.v21.observables as known

    theirs = {
        kind._type: tuple(kind._id_contributing_properties)
        for kind in vars(known).values()
        if hasattr(kind, "_id_contributing_properties") and hasattr(kind, "_type")
    }
    assert dict(CONTRIBUTING) == theirs


def hashes(draw: st.DrawFn) -> dict[str, str]:
    sizes = {"MD5": 32, "SHA-1": 40, "SHA-256": 64, "SHA-512": 128, "SHA3-256": 64}
    chosen = draw(st.lists(st.sampled_from(sorted(sizes)), unique=True, min_size=1))
    return {name: (draw(HEX) * 16)[: sizes[name]] for name in chosen}


MADE: dict[str, Callable[[st.DrawFn], Any]] = {
    "artifact": lambda draw: stix2.Artifact(url="http://x.example", hashes=hashes(draw)),
    "autonomous-system": lambda draw: stix2.AutonomousSystem(number=draw(st.integers(0, 2**32))),
    "directory": lambda draw: stix2.Directory(path=draw(PLAIN)),
    "domain-name": lambda draw: stix2.DomainName(value=draw(PLAIN)),
    "email-addr": lambda draw: stix2.EmailAddress(value=draw(PLAIN), display_name="x"),
    "email-message": lambda draw: stix2.EmailMessage(
        is_multipart=False, subject=draw(PLAIN), body=draw(PLAIN)
    ),
    "file": lambda draw: stix2.File(
        name=draw(PLAIN),
        hashes=hashes(draw),
        extensions={"ntfs-ext": {"sid": draw(PLAIN), "alternate_data_streams": [{"name": "a", "size": 7}]}},
    ),
    "ipv4-addr": lambda draw: stix2.IPv4Address(value=str(draw(st.ip_addresses(v=4)))),
    "ipv6-addr": lambda draw: stix2.IPv6Address(value=str(draw(st.ip_addresses(v=6)))),
    "mac-addr": lambda draw: stix2.MACAddress(value="00:00:ab:cd:ef:01"),
    "mutex": lambda draw: stix2.Mutex(name=draw(PLAIN)),
    "network-traffic": lambda draw: stix2.NetworkTraffic(
        protocols=draw(st.lists(PLAIN, min_size=1)),
        src_ref="ipv4-addr--00000000-0000-4000-8000-000000000001",
        dst_port=draw(st.integers(0, 65535)),
        start=draw(st.sampled_from(["2026-01-01T00:00:00Z", "2026-01-01T00:00:00.123456Z"])),
    ),
    "software": lambda draw: stix2.Software(name=draw(PLAIN), vendor=draw(PLAIN), languages=["en"]),
    "url": lambda draw: stix2.URL(value=draw(PLAIN)),
    "user-account": lambda draw: stix2.UserAccount(user_id=draw(PLAIN), account_login=draw(PLAIN)),
    "windows-registry-key": lambda draw: stix2.WindowsRegistryKey(
        key=draw(PLAIN), values=[{"name": draw(PLAIN), "data": draw(PLAIN), "data_type": "REG_SZ"}]
    ),
    "x509-certificate": lambda draw: stix2.X509Certificate(serial_number=draw(PLAIN), hashes=hashes(draw)),
}


@pytest.mark.parametrize("kind", sorted(MADE))
def test_the_same_id_as_stix2(kind: str) -> None:
    @given(st.data())
    def law(data: st.DataObject) -> None:
        @st.composite
        def made(draw: st.DrawFn) -> Any:
            return MADE[kind](draw)

        value = json.loads(data.draw(made()).serialize())
        expected = value.pop("id")
        assert sco_id(value) == expected

    law()


def test_every_type_with_such_an_id_is_tried() -> None:
    assert set(MADE) == {kind for kind, properties in CONTRIBUTING.items() if properties}


def test_known_values() -> None:
    value = {"type": "ipv4-addr", "value": "198.51.100.3"}
    assert sco_id(value) == "ipv4-addr--28bb3599-77cd-5a82-a950-b5bc3caf07c4"


@pytest.mark.parametrize(
    "value",
    [
        {"type": "process", "pid": 1},
        {"type": "url"},
        {"type": "indicator", "value": "x"},
        {"type": "x-custom", "value": "x"},
        {"type": ["url"], "value": "x"},
        {"value": "x"},
        {"type": "artifact", "hashes": {}},
        {"type": "artifact", "hashes": "x"},
        {"type": "autonomous-system", "number": 2**64},
    ],
)
def test_none_where_the_specification_gives_none(value: dict[str, Any]) -> None:
    assert sco_id(value) is None


def test_one_md5_with_two_sha_256_is_one_id() -> None:
    """That is a conflict for whoever holds both, and never a merge."""
    a = {"type": "file", "hashes": {"MD5": "aa", "SHA-256": "11"}}
    b = {"type": "file", "hashes": {"SHA-256": "22", "MD5": "aa"}}
    assert sco_id(a) == sco_id(b)


def test_properties_that_do_not_contribute_do_not_count() -> None:
    value = {"type": "url", "value": "http://x.example/"}
    assert sco_id({**value, "defanged": True, "id": "url--x", "custom": 1.5}) == sco_id(value)


def test_observables_of_the_corpus(corpus: Path) -> None:
    raw = (corpus / "misp" / "test_events_collection_stix21.json").read_bytes()
    values = [entry.value for entry in read_bundle(raw) if isinstance(entry, Entry)]
    observables = [value for value in values if value["type"] in CONTRIBUTING]
    assert observables
    assert all(sco_id(value) for value in observables)


PARTS = st.sampled_from(
    [
        "indicator",
        "x-a",
        "--",
        "-",
        "0e2ae6a7-2d0f-5b1c-9b1c-3f1d7e0a9c11",
        "0E2AE6A7-2d0f-5b1c-9b1c-3f1d7e0a9c1",
        "1",
        "x",
    ]
)


@given(st.lists(PARTS, max_size=5).map("".join), st.sampled_from(["indicator", "x-a", "x"]))
def test_an_id_of_a_type_is_one_that_begins_with_it(text: str, kind: str) -> None:
    assert is_id(text, kind) == (type_of(text) == kind)
