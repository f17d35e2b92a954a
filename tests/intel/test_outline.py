"""The outline says what the envelope says, only faster."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.intel import marking
from app.intel.envelope import envelope, mentions
from app.intel.marking import IDS, Level
from app.intel.outline import outline
from app.intel.reading import Entry, read_bundle

STATEMENT = "marking-definition--00000000-0000-4000-8000-00000000000a"
DEFINED = {STATEMENT: {"id": STATEMENT, "type": "marking-definition", "definition_type": "statement"}}


def same(raw: bytes) -> None:
    value = msgspec.json.decode(raw, type=dict[str, object])
    found = outline(raw, DEFINED.get)
    assert found.marking is marking.effective(value, DEFINED.get)
    assert set(found.refs) == set(envelope(value).refs)
    assert len(set(found.refs)) == len(found.refs)
    assert found.names == mentions(value)


@pytest.mark.parametrize("file", ["ics-attack-18.1", "capec-2.1"])
def test_of_real_objects(corpus: Path, file: str) -> None:
    raw = (corpus / "stix" / f"{file}.json").read_bytes()
    for entry in read_bundle(raw):
        assert isinstance(entry, Entry)
        same(entry.raw)


things = st.sampled_from(
    [
        *(
            f"{kind}--00000000-0000-4000-8000-{n:012}"
            for kind in ("tool", "x-tool", "identity")
            for n in range(3)
        ),
        *IDS.values(),
        STATEMENT,
        "tool--no-uuid",
        'quoted"_ref":"tool--00000000-0000-4000-8000-000000000000"',
        "]",
        "[{}]",
        "line\nidentity--00000000-0000-4000-8000-000000000002",
        "tab\tslash\\/identity--00000000-0000-4000-8000-000000000001 \u0001",
        "\u202eidentity--00000000-0000-4000-8000-000000000001",
        "",
    ]
)
keys = st.sampled_from(
    [
        "a_ref",
        "a_refs",
        "_ref",
        "_refs",
        "object_marking_refs",
        "granular_markings",
        "extensions",
        "id",
        "x",
        "_ref\n",
    ]
)
values = st.recursive(
    things | st.none() | st.integers(0, 9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys | things, inner, max_size=3),
    max_leaves=12,
)


@given(st.dictionaries(keys, values, max_size=5), st.booleans())
def test_of_any_object(value: dict[str, object], escaped: bool) -> None:
    same(json.dumps(value, separators=(",", ":"), ensure_ascii=escaped).encode())


def test_an_id_at_the_beginning_of_a_line_is_named() -> None:
    hidden = "tool--00000000-0000-4000-8000-000000000007"
    raw = msgspec.json.encode({"type": "note", "content": f"see\n{hidden}"})
    assert outline(raw, DEFINED.get).names == {hidden}
    assert outline(raw.replace(b"tool--", rb"tool\u002d-"), DEFINED.get).names == {hidden}


def test_the_strictest_of_several_markings_counts() -> None:
    marks = [IDS[Level.GREEN], IDS[Level.RED]]
    raw = msgspec.json.encode({"id": "x", "object_marking_refs": marks})
    assert outline(raw, DEFINED.get).marking is Level.RED


def test_the_markings_of_what_was_observed_count() -> None:
    inside = {"0": {"type": "file", "name": "x", "object_marking_refs": [IDS[Level.RED]]}}
    value = {"type": "observed-data", "id": f"observed-data--{'0' * 8}-0000-4000-8000-{'0' * 12}"}
    value |= {"object_marking_refs": [IDS[Level.CLEAR]], "objects": inside}
    raw = json.dumps(value, separators=(",", ":")).encode()
    assert outline(raw, lambda _: None).marking is Level.RED
