"""STIX 2.0 comes out as STIX 2.1, whole or not at all."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import stix2
from hypothesis import given
from hypothesis import strategies as st

from app.formats import stix
from app.formats.stix20 import MAX_CHAIN, converted
from app.intel import ids
from app.intel.envelope import envelope
from app.intel.marking import IDS, Level
from app.intel.observables import observables
from app.intel.prepared import Prepared
from app.intel.reading import Entry, Fault, read_chunks

UUID = "00000000-0000-4000-8000-000000000001"
TIMES = {"created": "2018-01-01T00:00:00.000Z", "modified": "2018-01-02T00:00:00.000Z"}
SEEN = {
    "first_observed": "2018-01-01T00:00:00Z",
    "last_observed": "2018-01-01T00:00:00Z",
    "number_observed": 1,
}


def read(*objects: dict[str, Any]) -> list[Entry | Fault]:
    raw = json.dumps({"type": "bundle", "id": f"bundle--{UUID}", "spec_version": "2.0", "objects": objects})
    return list(converted(read_chunks([raw.encode()], take_old=True)))


def values(*objects: dict[str, Any]) -> list[dict[str, Any]]:
    found = read(*objects)
    assert all(isinstance(entry, Entry) and entry.old for entry in found), found
    return [entry.value for entry in found if isinstance(entry, Entry)]


def thing(kind: str, **more: object) -> dict[str, Any]:
    return {"type": kind, "id": f"{kind}--{UUID}", **TIMES, **more}


def observed(objects: object, **more: object) -> dict[str, Any]:
    return thing("observed-data", **SEEN, objects=objects, **more)


@pytest.mark.parametrize("name", ["test_event1", "test_events_collection"])
def test_what_misp_writes_in_both_versions_is_the_same(corpus: Path, name: str) -> None:
    with stix.opened(corpus / "misp" / f"{name}_stix20.json") as entries:
        ours = [json.loads(entry.raw) for entry in entries if isinstance(entry, Prepared) and entry.old]
    old = json.loads((corpus / "misp" / f"{name}_stix20.json").read_bytes())["objects"]
    theirs = json.loads((corpus / "misp" / f"{name}_stix21.json").read_bytes())["objects"]
    by_id = {value["id"]: value for value in ours}
    assert by_id.keys() >= {value["id"] for value in old}
    shared = [value for value in theirs if value["id"] in by_id]
    assert len(shared) >= 4
    for value in shared:
        # Theirs made up ids for observables; and a pattern that nobody rewrote is still one of 2.0.
        apart = {"pattern_version", "object_refs"}
        assert {k: v for k, v in value.items() if k not in apart} == {
            k: v for k, v in by_id[value["id"]].items() if k not in apart
        }
    kinds = {value["type"] for value in theirs} & ids.CONTRIBUTING.keys()
    contents = [
        {one for value in side if value["type"] in kinds for one in observables(value)}
        for side in (ours, theirs)
    ]
    assert contents[0] == contents[1] != set()


def test_the_result_is_stix_2_1_to_stix2() -> None:
    objects = {
        "0": {"type": "file", "name": "a", "hashes": {"ssdeep": "3:a:b"}, "created": "2018-01-01T00:00:00Z"},
        "1": {"type": "directory", "path": "/a", "contains_refs": ["0"]},
        "2": {"type": "ipv4-addr", "value": "198.51.100.1"},
        "3": {"type": "network-traffic", "src_ref": "2", "protocols": ["tcp"], "dst_port": 80},
        "4": {"type": "process", "name": "x", "created": "2018-01-01T00:00:00Z", "binary_ref": "0"},
        "5": {"type": "email-addr", "value": "a@b.example"},
        "6": {
            "type": "email-message",
            "is_multipart": False,
            "from_ref": "5",
            "additional_header_fields": {"X": "1"},
        },
        "7": {"type": "user-account", "user_id": "1", "password_last_changed": "2018-01-01T00:00:00Z"},
    }
    made = values(
        observed(objects),
        thing("malware", name="m", labels=["trojan", "Worm", "apt"]),
        thing(
            "indicator",
            labels=["malicious-activity"],
            pattern="[url:value = 'a']",
            valid_from=SEEN["first_observed"],
        ),
        thing("identity", name="i", identity_class="individual", labels=["ceo"]),
        thing(
            "report",
            name="r",
            labels=["campaign"],
            published=SEEN["first_observed"],
            object_refs=[f"malware--{UUID}"],
        ),
        thing("threat-actor", name="t", labels=["spy"]),
        thing("tool", name="t", labels=["remote-access"]),
    )
    for value in made:
        stix2.parse(json.dumps(value), version="2.1", allow_custom=True)
    by_type = {value["type"]: value for value in made}
    assert (
        by_type["malware"] | {"malware_types": ["trojan", "worm"], "labels": ["apt"], "is_family": True}
        == by_type["malware"]
    )
    assert by_type["indicator"]["indicator_types"] == ["malicious-activity"]
    assert by_type["indicator"]["pattern"] == "[url:value = 'a']"
    assert by_type["identity"]["roles"] == ["ceo"]
    assert by_type["report"]["report_types"] == ["campaign"]
    assert by_type["file"]["hashes"] == {"SSDEEP": "3:a:b"}
    assert by_type["file"]["ctime"] == "2018-01-01T00:00:00Z"
    assert by_type["directory"]["contains_refs"] == [by_type["file"]["id"]]
    assert by_type["process"]["image_ref"] == by_type["file"]["id"]
    assert by_type["process"]["x_name"] == "x"
    assert by_type["email-message"]["additional_header_fields"] == {"X": ["1"]}
    assert by_type["observed-data"]["object_refs"] == [value["id"] for value in made[:8]]
    assert "objects" not in by_type["observed-data"]
    for value in made[:8]:
        if value["type"] != "process":
            assert value["id"] == ids.sco_id(value)


def test_twice_read_is_the_same_text() -> None:
    entry = observed({"0": {"type": "process", "pid": 4}, "1": {"type": "x-own", "value": 1.0}})
    assert read(entry) == read(entry)


def test_what_was_inside_is_marked_as_strictly_as_before() -> None:
    red, amber = IDS[Level.RED], IDS[Level.AMBER]
    made = values(
        observed(
            {"0": {"type": "url", "value": "a"}, "1": {"type": "url", "value": "b"}},
            object_marking_refs=[amber],
            granular_markings=[
                {"marking_ref": red, "selectors": ["objects.0.value"]},
                {"marking_ref": red, "selectors": ["number_observed"]},
            ],
        )
    )
    assert [envelope(value).marking for value in made] == [Level.RED] * 3
    assert made[-1]["granular_markings"] == [{"marking_ref": red, "selectors": ["number_observed"]}]


CHAIN = {
    str(n): {"type": "network-traffic", "protocols": ["x"], "src_ref": str(n + 1)}
    for n in range(MAX_CHAIN + 1)
}


@pytest.mark.parametrize(
    "value, code, place",
    [
        (observed([]), "stix-2.0-shape", ".objects"),
        (observed({}), "stix-2.0-shape", ".objects"),
        (observed({"0": 1}), "stix-2.0-shape", ".objects.0"),
        (observed({"0": {"type": "A B"}}), "stix-2.0-shape", ".objects.0"),
        (observed({"0": {"type": "malware", "name": "x"}}), "stix-2.0-shape", ".objects.0"),
        (observed({"0": {"type": "marking-definition"}}), "stix-2.0-shape", ".objects.0"),
        (observed({"0": {"type": "url", "value": "a", "id": "b"}}), "stix-2.0-shape", ".objects.0"),
        (observed({"0": {"type": "x-own", "modified": "now"}}), "stix-2.0-shape", ".objects.0"),
        (
            observed({"0": {"type": "file", "name": "a", "created": "b", "ctime": "c"}}),
            "stix-2.0-shape",
            ".created",
        ),
        (
            observed({"0": {"type": "domain-name", "value": "a", "resolves_to_refs": ["1"]}}),
            "stix-2.0-reference",
            ".objects.0",
        ),
        (
            observed({"0": {"type": "file", "name": "a", "parent_directory_ref": 7}}),
            "stix-2.0-reference",
            ".objects.0",
        ),
        (observed({"0": {"type": "network-traffic", "src_ref": "0"}}), "stix-2.0-reference", ".objects.0"),
        (
            observed(CHAIN | {str(MAX_CHAIN + 1): {"type": "url", "value": "a"}}),
            "stix-2.0-reference",
            f".objects.{MAX_CHAIN + 1}",
        ),
        (
            observed({"0": {"type": "url", "value": "a"}}, granular_markings=[1]),
            "stix-2.0-shape",
            ".granular_markings",
        ),
        (
            observed({"0": {"type": "url", "value": "a"}}, object_marking_refs="x"),
            "stix-2.0-shape",
            ".object_marking_refs",
        ),
        (thing("malware", name="a", labels="b"), "stix-2.0-shape", ".labels"),
    ],
)
def test_what_cannot_be_converted_is_refused_with_its_place(
    value: dict[str, Any], code: str, place: str
) -> None:
    good = thing("tool", name="a")
    found = read(value, good)
    assert found[0] == Fault(f"objects[0]{place}", code)
    assert isinstance(found[1], Entry)
    assert len(found) == 2


def test_a_circle_that_no_id_follows_from_is_fine() -> None:
    made = values(
        observed(
            {
                "0": {"type": "file", "name": "a", "parent_directory_ref": "1"},
                "1": {"type": "directory", "path": "/b", "contains_refs": ["0"]},
            }
        )
    )
    assert made[0]["parent_directory_ref"] == made[1]["id"]
    assert made[1]["contains_refs"] == [made[0]["id"]]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=4) | st.sampled_from(["0", "1", "url"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["type", "value", "src_ref", "contains_refs", "hashes", "extensions", "created", "0"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(
    JSON,
    st.sampled_from(["objects", "labels", "granular_markings", "object_marking_refs", "external_references"]),
)
def test_no_shape_makes_it_fall_over(item: object, key: str) -> None:
    for kind in ("observed-data", "malware"):
        for entry in read(thing(kind, **{key: item})):
            if isinstance(entry, Entry):
                envelope(entry.value)
                assert json.loads(entry.raw) == entry.value
            else:
                assert entry.code.startswith("stix-2.0-")
