"""Taking texts, properties and references out of an object."""

from __future__ import annotations

import json

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from app.intel import redaction
from app.intel.redaction import MARK, Names, Rules, new_id, sanitised
from app.messages import Refused

DAY = "2026-06-01T00:00:00.000Z"
NEEDED = frozenset(("type", "spec_version", "id", "created", "modified", "source_ref"))


def an_id(kind: str, number: int) -> str:
    return f"{kind}--{number:08x}-0000-4000-8000-000000000000"


ME, NEW, OTHER, GONE = an_id("malware", 1), an_id("malware", 2), an_id("tool", 3), an_id("tool", 4)
OTHER_NEW = an_id("tool", 5)
NAMES = Names({ME: NEW, OTHER: OTHER_NEW}, frozenset({GONE}))


NOTHING = Rules()


def made(rules=NOTHING, names=NAMES, needed=NEEDED, **more):
    value = {"type": "malware", "spec_version": "2.1", "id": ME, "created": "a", "modified": "b"} | more
    return json.loads(sanitised(value, rules, names, needed, DAY, DAY))


def code(**arguments):
    with pytest.raises(Refused) as caught:
        made(**arguments)
    return caught.value.code, caught.value.facts.get("what")


def test_ids_times_and_creator_are_new():
    creator = an_id("identity", 9)
    found = made(Rules(creator=creator), created_by_ref=an_id("identity", 8))
    assert found == {
        "type": "malware",
        "spec_version": "2.1",
        "id": NEW,
        "created": DAY,
        "modified": DAY,
        "created_by_ref": creator,
    }


def test_texts_go_in_any_case_and_the_longer_first():
    rules = Rules(redact=("Copper", "copper lantern"))
    found = made(
        rules, description="COPPER LANTERN and copper", labels=["copper", "tin"], x_a={"copper b": "c"}
    )
    assert found["description"] == f"{MARK} and {MARK}"
    assert found["labels"] == [MARK, "tin"]
    assert found["x_a"] == {f"{MARK} b": "c"}


def test_references_follow_or_go():
    found = made(
        object_refs=[OTHER, GONE, an_id("tool", 7)],
        x_ref=GONE,
        description=f"see {OTHER.upper()}, not {GONE}",
        extensions={an_id("extension-definition", 1): {"ref": "x", "a_ref": OTHER}},
    )
    assert found["object_refs"] == [OTHER_NEW, an_id("tool", 7)]
    assert "x_ref" not in found
    assert found["description"] == f"see {OTHER_NEW}, not {MARK}"
    assert found["extensions"] == {an_id("extension-definition", 1): {"ref": "x", "a_ref": OTHER_NEW}}


def test_what_cannot_be_missing_is_refused():
    assert code(source_ref=GONE) == ("sanitise-needed", "source_ref")
    assert code(rules=Rules(frozenset({"id"}))) == ("sanitise-needed", "id")
    assert made(Rules(frozenset({"x_case", "x_not_there"})), x_case=1) == made()


def test_what_cannot_be_taken_out_is_refused():
    assert (
        code(rules=Rules(redact=("bad.example",)), pattern="[url:value = 'BAD.example']")[0]
        == "sanitise-remains"
    )
    assert code(rules=Rules(redact=("2026",)))[0] == "sanitise-remains"
    assert code(rules=Rules(redact=("7",)), x_n=17)[0] == "sanitise-remains"
    assert code(rules=Rules(redact=("malware",)))[0] == "sanitise-remains"
    assert code(rules=Rules(redact=(MARK,)), x_text=MARK)[0] == "sanitise-remains"


def test_granular_markings_follow_what_is_left():
    granular = [
        {"selectors": ["description", "x_case"], "marking_ref": an_id("marking-definition", 1)},
        {"selectors": ["x_case.[0]"], "lang": "en"},
    ]
    found = made(Rules(frozenset({"x_case"})), granular_markings=granular, description="a", x_case=["b"])
    assert found["granular_markings"] == [granular[0] | {"selectors": ["description"]}]
    assert "granular_markings" not in made(
        Rules(frozenset({"x_case"})), granular_markings=granular[1:], x_case=[""]
    )


def test_ids_are_stable_and_tell_nothing():
    one = new_id(b"k" * 32, 1, ME)
    assert one == new_id(b"k" * 32, 1, ME)
    assert len({one, new_id(b"k" * 32, 2, ME), new_id(b"l" * 32, 1, ME), new_id(b"k" * 32, 1, OTHER)}) == 4
    assert one.startswith("malware--")
    assert one[23] == "4"
    assert one[28] in "89ab"


def strings(value):
    """Every key and text of a value."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield key
            yield from strings(item)
    elif isinstance(value, list):
        for item in value:
            yield from strings(item)
    elif isinstance(value, str):
        yield value


WORDS = st.text(st.sampled_from('abAB ß"\\é-'), min_size=1, max_size=5)
LEAF = (
    WORDS
    | st.sampled_from([OTHER, GONE, ME, f"x{GONE}y", OTHER.upper()])
    | st.integers(0, 99)
    | st.booleans()
)
TREE = st.recursive(
    LEAF, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3), max_leaves=8
)


@given(
    st.dictionaries(st.sampled_from(["description", "x_a", "a_ref", "b_refs", "labels"]), TREE),
    st.lists(WORDS.filter(str.strip), max_size=3),
    st.sets(st.sampled_from(["x_a", "labels"])),
)
def test_nothing_that_was_taken_out_is_left_anywhere(more, redact, drop):
    try:
        value = {"type": "malware", "id": ME, "created": "q", "modified": "q"} | more
        text = sanitised(value, Rules(frozenset(drop), tuple(redact)), NAMES, (), DAY, DAY).decode()
    except Refused as refused:
        assume(refused.code == "sanitise-remains")
        return
    found = json.loads(text)
    assert found["id"] == NEW
    assert not drop & found.keys()
    for gone in (ME, OTHER, GONE, *redact):
        assert gone.casefold() not in text.casefold()
        assert not any(gone.casefold() in string.casefold() for string in strings(found))
    assert redaction.MARK not in text or redact or GONE in json.dumps(more)
