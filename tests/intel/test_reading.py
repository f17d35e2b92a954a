"""Bundles taken apart: the corpus whole, the hostile ones named."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.intel import reading, splitting
from app.intel.reading import Entry, Fault, read_bundle, read_chunks
from app.messages import Refused

UUID = "00000000-0000-4000-8000-000000000001"
ID = f"indicator--{UUID}"
TIME = "2026-01-01T00:00:00.000Z"


def thing(**more: object) -> dict[str, object]:
    return {"type": "indicator", "spec_version": "2.1", "id": ID, "created": TIME, "modified": TIME, **more}


def bundle(*objects: object, **more: object) -> bytes:
    return json.dumps({"type": "bundle", "id": f"bundle--{UUID}", "objects": objects, **more}).encode()


def spliced(text: bytes) -> bytes:
    """A bundle whose second object is `text`."""
    return bundle(thing(), "HERE", thing()).replace(b'"HERE"', text)


def verdicts(raw: bytes) -> list[str]:
    return [found.code if isinstance(found, Fault) else "" for found in read_bundle(raw)]


@pytest.mark.parametrize(
    "name, count",
    [
        ("ics-attack-18.1", 1826),
        ("ics-attack-17.1", 1651),
        ("mobile-attack-17.1", 2148),
        ("capec-2.1", 2683),
    ],
)
def test_the_corpus_reads_whole(corpus: Path, name: str, count: int) -> None:
    raw = (corpus / "stix" / f"{name}.json").read_bytes()
    found = list(read_bundle(raw))
    assert [entry for entry in found if not isinstance(entry, Entry)] == []
    entries = [entry for entry in found if isinstance(entry, Entry)]
    assert len(entries) == count
    assert [entry.where for entry in entries] == [f"objects[{n}]" for n in range(count)]
    source = json.loads(raw)["objects"]
    assert [entry.value for entry in entries] == source
    assert [json.loads(entry.raw) for entry in entries] == source
    assert all(list(json.loads(e.raw)) == list(s) for e, s in zip(entries, source, strict=True))


@pytest.mark.parametrize("name", ["test_event1_stix21", "test_events_collection_stix21"])
def test_what_misp_writes_reads_whole(corpus: Path, name: str) -> None:
    raw = (corpus / "misp" / f"{name}.json").read_bytes()
    assert [entry.value for entry in read_bundle(raw) if isinstance(entry, Entry)] == json.loads(raw)[
        "objects"
    ]


@pytest.mark.parametrize("name", ["test_event1_stix20", "test_events_collection_stix20"])
def test_stix_2_0_is_told(corpus: Path, name: str) -> None:
    codes = set(verdicts((corpus / "misp" / f"{name}.json").read_bytes()))
    assert "stix-2.0" in codes


@pytest.mark.parametrize("path", ["misp/test_event1_stix21.json", "csaf/bsi-2022-0001.json"])
def test_other_formats_of_the_corpus_are_not_taken_for_stix(corpus: Path, path: str) -> None:
    raw = (corpus / path).read_bytes()
    wrapped = json.dumps({"Event": json.loads(raw)}).encode()
    with pytest.raises(Refused) as caught:
        list(read_bundle(wrapped))
    assert caught.value.code == "not-stix"


def test_the_text_is_kept_but_for_white_space() -> None:
    text = (
        b'{"id" : "%s", "type":"indicator",\r\n\t"revoked": false, "x": [1.0, 1E+2, -0.0],'
        b' "y": "\\u00e9\\/ \xc3\xa9",'
        b' "spec_version": "2.1", "modified": "2026-01-01T00:00:00.000Z", "created": "2026-01-01T00:00:00Z" }'
    ) % ID.encode()
    (entry,) = read_bundle(b' {"objects" : [ ' + text + b' ] , "id":"x", "type" :"bundle"} \n')
    assert isinstance(entry, Entry)
    assert (
        entry.raw
        == (
            b'{"id":"%s","type":"indicator","revoked":false,"x":[1.0,1E+2,-0.0],"y":"\\u00e9\\/ \xc3\xa9",'
            b'"spec_version":"2.1","modified":"2026-01-01T00:00:00.000Z","created":"2026-01-01T00:00:00Z"}'
        )
        % ID.encode()
    )


def test_a_single_object_is_a_bundle_of_one() -> None:
    (entry,) = read_bundle(json.dumps(thing(), indent=2).encode())
    assert isinstance(entry, Entry)
    assert (entry.where, entry.value) == ("object", thing())
    assert list(read_bundle(json.dumps(thing(modified="now")).encode())) == [
        Fault("object", "stix-timestamp")
    ]


def test_a_byte_order_mark_is_tolerated() -> None:
    assert verdicts(b"\xef\xbb\xbf" + bundle(thing())) == [""]


@pytest.mark.parametrize(
    "keys", [["type", "id", "objects"], ["objects", "id", "type"], ["id", "objects", "type"]]
)
def test_the_order_of_a_bundle_s_own_keys_is_free(keys: list[str]) -> None:
    whole = json.loads(bundle(thing(), thing()))
    assert verdicts(json.dumps({key: whole[key] for key in keys}).encode()) == ["", ""]


@pytest.mark.parametrize(
    "text, code",
    [
        (b'{"a":1,"a":2}', "json-duplicate-key"),
        (b'{"type":"indicator","a":{"b":1,"b":1}}', "json-duplicate-key"),
        (b'{"a":NaN}', "json-number"),
        (b'{"a":-Infinity}', "json-number"),
        (b'{"a":1e999}', "json-number"),
        (b'{"a":9007199254740993}', "json-number"),
        (b'{"a":"\\ud800"}', "json-surrogate"),
        (b'{"a":"\xed\xa0\x80"}', "json-encoding"),
        (b'{"a":"\xff"}', "json-encoding"),
        (b'{"a":01}', "json-syntax"),
        (b"{} {}", "json-syntax"),
        (b"", "json-syntax"),
        (b'{"a":' + b"[" * 5000 + b"]" * 5000 + b"}", "json-depth"),
        (b'{"a":' + b"[" * 100 + b"]" * 100 + b"}", "json-depth"),
        (b"17", "stix-object"),
        (b"[]", "stix-object"),
        (b"null", "stix-object"),
        (b"{}", "stix-type"),
        (b'{"type":7}', "stix-type"),
        (b'{"type":"Indicator"}', "stix-type"),
        (b'{"type":"a--b"}', "stix-type"),
        (b'{"type":"bundle","id":"bundle--%s","objects":[]}' % UUID.encode(), "stix-type"),
        (b'{"type":"indicator"}', "stix-id"),
        (b'{"type":"indicator","id":["%s"]}' % ID.encode(), "stix-id"),
        (b'{"type":"malware","id":"%s"}' % ID.encode(), "stix-id"),
        (b'{"type":"indicator","id":"%s0"}' % ID.encode(), "stix-id"),
        (b'{"type":"indicator","id":"%s\\n"}' % ID.encode(), "stix-id"),
        (b'{"type":"indicator","id":"indicator--1234"}', "stix-id"),
        (b'{"type":"indicator","id":"%s"}' % ID.encode(), "stix-2.0"),
        (b'{"type":"indicator","id":"%s","spec_version":"2.0"}' % ID.encode(), "stix-2.0"),
        (b'{"type":"indicator","id":"%s","spec_version":2.1}' % ID.encode(), "stix-version"),
        (json.dumps(thing(modified="2026-02-30T00:00:00Z")).encode(), "stix-timestamp"),
        (json.dumps(thing(created="2026-01-01T00:00:60Z")).encode(), "stix-timestamp"),
        (json.dumps(thing(modified=None)).encode(), "stix-timestamp"),
    ],
)
def test_one_bad_object_is_named_and_the_rest_read(text: bytes, code: str) -> None:
    found = list(read_bundle(spliced(text)))
    assert [found[0], found[2]] == [
        Entry(json.dumps(thing(), separators=(",", ":")).encode(), thing(), f"objects[{n}]") for n in (0, 2)
    ]
    assert found[1] == Fault("objects[1]", code)


@pytest.mark.parametrize(
    "value",
    [
        {"type": "x-new-thing", "id": f"x-new-thing--{UUID}", "anything": {"at": ["all"]}},
        {"type": "ipv4-addr", "id": f"ipv4-addr--{UUID}", "value": "not an address"},
        {"type": "marking-definition", "id": f"marking-definition--{UUID}", "created": TIME},
        thing(extensions={"extension-definition--x": 1}, custom=None, spec_version="2.2"),
    ],
)
def test_what_is_unknown_is_kept(value: dict[str, object]) -> None:
    (entry,) = read_bundle(bundle(value))
    assert isinstance(entry, Entry)
    assert entry.value == value


@pytest.mark.parametrize(
    "raw, code",
    [
        (b"", "not-stix"),
        (b"  \n", "not-stix"),
        (b"[]", "not-stix"),
        (b"null", "not-stix"),
        (b"a,b,c\n1,2,3\n", "not-stix"),
        (b"\x89PNG\r\n\x1a\n", "not-stix"),
        (b"{}", "not-stix"),
        (b'{"Event": {"info": "x"}}', "not-stix"),
        (b'{"type":"Feature","id":"x"}', "not-stix"),
        (b'{"type":"report","id":"report--x","objects":[]}', "not-stix"),
        (b'{"objects":[]}', "not-stix"),
        (b'{"more":false,"objects":[]}', "not-stix"),
        (b'{"objects":[],"type":"report"}', "not-stix"),
        (b'{"type":"bundle","objects":{"0":{}}}', "not-stix"),
        (b'{"type":"bundle","objects":7}', "not-stix"),
        (bundle(thing()).decode().encode("utf-16"), "json-encoding"),
        (bundle(thing()).decode().encode("utf-16-le"), "json-encoding"),
        (bundle(thing()).decode().encode("utf-16-be"), "json-encoding"),
        (bundle(thing()).decode().encode("utf-32"), "json-encoding"),
        (bundle(thing()).decode().encode("utf-32-be"), "json-encoding"),
        (bundle(thing())[:-1], "json-truncated"),
        (bundle(thing())[:-2], "json-truncated"),
        (bundle(thing())[:-20], "json-truncated"),
        (bundle(thing())[:30], "json-truncated"),
        (bundle(thing()) + b"x", "json-syntax"),
        (bundle(thing()) + bundle(thing()), "json-syntax"),
        (bundle(thing()).replace(b'{"type": "b', b'{"type": "b", "type": "b'), "json-duplicate-key"),
        (bundle(thing())[:-1] + b',"objects":[]}', "json-duplicate-key"),
        (bundle(thing())[:-1] + b',"\\u006fbjects":[]}', "json-duplicate-key"),
        (bundle(thing(), x=7).replace(b"7", b"NaN"), "json-number"),
        (bundle(thing(), x="7").replace(b'"7"', b'"\xff"'), "json-encoding"),
        (bundle(thing()).replace(b"]}", b"}}"), "json-syntax"),
        (bundle(thing()).replace(b'"bundle",', b'"bundle",,'), "json-syntax"),
        (b'{"type":"bundle","x":' + b"[" * 100_000 + b',"objects":[]}', "json-truncated"),
        (b"[" * 1_000_000, "not-stix"),
        (b'{"type":"bundle","objects":[' + b"[" * 1_000_000, "json-truncated"),
        (b'{"type":"bundle","objects":["' + b"a" * 3_000_000, "json-truncated"),
    ],
)  # fmt: skip
def test_a_file_that_is_no_use_is_refused(raw: bytes, code: str) -> None:
    with pytest.raises(Refused) as caught:
        list(read_bundle(raw))
    assert caught.value.code == code


def test_an_empty_bundle_holds_nothing() -> None:
    assert verdicts(b'{"type":"bundle","id":"bundle--x"}') == []
    assert verdicts(b'{"type":"bundle","id":"bundle--x","objects":[ ]}') == []


def test_a_key_named_objects_elsewhere_is_not_the_list() -> None:
    inner = {"objects": [1, 2], "x": {"objects": []}}
    raw = json.dumps({"x": inner, "y": "objects", "z": ["objects"], **json.loads(bundle(thing()))}).encode()
    assert verdicts(raw) == [""]


def test_the_list_may_be_named_with_escapes() -> None:
    assert verdicts(bundle(thing()).replace(b'"objects"', b'"\\u006fbjects"')) == [""]


def test_a_bundle_that_says_2_0_is_taken_at_its_word() -> None:
    custom = {"type": "x-thing", "id": f"x-thing--{UUID}"}
    raw = b'{"spec_version":"2.0",' + bundle(custom)[1:]
    assert verdicts(raw) == ["stix-2.0"]
    assert verdicts(bundle(custom)) == [""]


# --- windows ----------------------------------------------------------------------------------------------


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Windows of 64 bytes: every boundary falls everywhere."""
    monkeypatch.setattr(splitting, "WINDOW", 64)


def chunked(raw: bytes, size: int) -> Iterator[bytes]:
    return (raw[at : at + size] for at in range(0, len(raw), size))


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("size", [1, 7, 64, 100_000])
@pytest.mark.parametrize("indent", [None, 0, 4])
def test_windows_change_nothing(size: int, indent: int | None) -> None:
    nasty = '},{"type": ]}],[{"\\"\\\\'
    objects = [
        thing(n=n, name=nasty * (n % 4), x=[{"a": {}}, {"type": "x"}, []] * (n % 3)) for n in range(60)
    ]
    raw = json.dumps({"type": "bundle", "objects": objects, "x": [{"objects": []}]}, indent=indent).encode()
    found = list(read_chunks(chunked(raw, size)))
    assert [entry.value for entry in found if isinstance(entry, Entry)] == objects
    compact = [json.dumps(value, separators=(",", ":")).encode() for value in objects]
    assert [entry.raw for entry in found if isinstance(entry, Entry)] == compact


@pytest.mark.usefixtures("small")
@given(st.data())
def test_any_objects_come_through_any_window(data: st.DataObject) -> None:
    texts = st.text('{}[],":\\ ab', max_size=30)
    values = st.recursive(
        texts | st.integers(0, 9), lambda x: st.lists(x, max_size=3) | st.dictionaries(texts, x)
    )
    objects = data.draw(st.lists(values, max_size=8))
    indent = data.draw(st.sampled_from([None, 1]))
    raw = json.dumps({"type": "bundle", "objects": objects}, indent=indent).encode()
    size = data.draw(st.integers(1, 200))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reading, "_judge", lambda value, old: "")
        patch.setattr(reading, "_entry", lambda raw, value, where, old: Entry(raw, value, where))
        found = list(read_chunks(chunked(raw, size)))
    assert [entry.value for entry in found if isinstance(entry, Entry)] == objects


@pytest.mark.usefixtures("small")
def test_bad_objects_are_counted_across_windows() -> None:
    objects = [thing(n=n) for n in range(40)]
    raw = bundle(*objects).replace(b'"n": 17', b'"n": NaN').replace(b'"n": 31', b'"n": 1, "n": 1')
    found = list(read_chunks(chunked(raw, 50)))
    faults = [entry for entry in found if isinstance(entry, Fault)]
    assert faults == [Fault("objects[17]", "json-number"), Fault("objects[31]", "json-duplicate-key")]
    assert [entry.where for entry in found] == [f"objects[{n}]" for n in range(40)]


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("cut", range(1, 400, 7))
def test_a_file_cut_anywhere_is_refused(cut: int) -> None:
    raw = bundle(thing(), thing(), {"type": "x", "id": "x", "x": "]}"})
    with pytest.raises(Refused) as caught:
        list(read_bundle(raw[: -min(cut, len(raw) - 1)]))
    assert caught.value.code in ("json-truncated", "json-syntax")


@pytest.mark.usefixtures("small")
@given(st.binary(max_size=200) | st.text('{}[]",:\\obects 1', max_size=200).map(str.encode))
def test_no_text_makes_it_fall_over(raw: bytes) -> None:
    for text in (raw, bundle()[:-2] + raw, bundle(thing())[:-2] + b"," + raw):
        try:
            found = list(read_bundle(text))
        except Refused:
            continue
        assert all(isinstance(entry, Entry | Fault) for entry in found)


def test_text_made_to_mislead_the_splitting_costs_no_more_than_its_size(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    calls = []
    real = splitting.msgspec.json.format
    monkeypatch.setattr(
        splitting.msgspec.json, "format", lambda *a, **k: calls.append(len(a[0])) or real(*a, **k)
    )
    decoy = json.dumps(thing())[:60] + ","
    objects = [thing(name=("}, " + decoy) * 3000) for _ in range(20)]
    raw = bundle(*objects)
    assert verdicts(raw) == [""] * 20
    assert sum(calls) < 8 * len(raw)


@pytest.mark.parametrize("indent", [None, 4])
@pytest.mark.parametrize("inner", [{"type": "no object"}, {"id": "x"}], ids=["like the outer", "unlike"])
def test_the_first_object_comes_before_much_is_looked_at(indent: int | None, inner: object) -> None:
    """However large it is, and whatever in it looks like the end of an object."""
    first = thing(name="first") | {"x_all": [inner] * 2_000}
    raw = json.dumps(
        {"type": "bundle", "objects": [first, *(thing(name="x" * 2_000) for _ in range(2_000))]},
        indent=indent,
    ).encode()
    taken = []

    def chunks() -> Iterator[bytes]:
        for at in range(0, len(raw), 1 << 14):
            taken.append(at)
            yield raw[at : at + (1 << 14)]

    entries = read_chunks(chunks())
    one = next(entries)
    assert isinstance(one, Entry)
    assert one.value == first
    assert taken[-1] <= splitting.WINDOW // 2 < len(raw) // 3
    assert all(isinstance(entry, Entry) for entry in entries)


def test_memory_stays_bounded() -> None:
    one = json.dumps(thing(name="x" * 2000)).encode() + b","
    count = 40_000

    def chunks() -> Iterator[bytes]:
        yield b'{"type":"bundle","objects":['
        for _ in range(count - 1):
            yield one
        yield one[:-1] + b"]}"

    import tracemalloc

    tracemalloc.start()
    try:
        total = sum(1 for _ in read_chunks(chunks()))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert total == count
    assert peak < 16 * splitting.WINDOW


# --- limits -----------------------------------------------------------------------------------------------


def test_object_size_on_each_side(monkeypatch: pytest.MonkeyPatch) -> None:
    small, large = thing(name=""), thing(name="")
    limit = len(json.dumps(small, separators=(",", ":"))) + 10
    monkeypatch.setattr(reading, "MAX_OBJECT", limit)
    small["name"], large["name"] = "x" * 10, "x" * 11
    assert verdicts(bundle(small, large, small)) == ["", "object-size", ""]


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    """Objects of at most 4 KiB, windows of 512 bytes."""
    monkeypatch.setattr(reading, "MAX_OBJECT", 4096)
    monkeypatch.setattr(splitting, "MAX_OBJECT", 4096)
    monkeypatch.setattr(splitting, "WINDOW", 512)


@pytest.mark.usefixtures("tiny")
@pytest.mark.parametrize(
    "large",
    [
        {"name": "x" * 100_000},
        {"name": '"\\]}[{,' * 20_000},
        {"name": [[], {}, ["\\", '"']] * 20_000},
        {"a" * 60_000: [1, 2], "b": "\\" * 60_001},
    ],
)
def test_an_object_too_large_to_hold_is_passed_over(large: dict[str, object]) -> None:
    raw = bundle(thing(), thing(**large), thing(), thing(**large))
    found = list(read_chunks(chunked(raw, 509)))
    assert [entry.code if isinstance(entry, Fault) else "" for entry in found] == ["", "object-size"] * 2
    assert [entry.where for entry in found] == [f"objects[{n}]" for n in range(4)]


@pytest.mark.usefixtures("tiny")
@pytest.mark.parametrize("size", [1, 100, 511, 5_000, 20_000])
def test_an_object_longer_than_a_window_is_read_as_any(size: int) -> None:
    """Its white space counts for little; what is too long without it, or too long and no JSON, is passed over."""
    long = {"name": 'é"\\]}[{,' * 150}
    spread = json.dumps(thing(**long)).encode().replace(b", ", b"," + b" " * 2000)
    texts = [json.dumps(thing(**long), ensure_ascii=False).encode(), spread]
    texts += [b"{" + b"x" * length + b"}" for length in (2000, 9000)]
    raw = bundle(thing(), *"0123", thing())
    for number, text in enumerate(texts):
        raw = raw.replace(b'"%d"' % number, text)
    codes = [one.code if isinstance(one, Fault) else "" for one in read_chunks(chunked(raw, size))]
    assert codes == ["", "", "", "json-syntax", "object-size", ""]


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("first", [7, 40, 100, 1 << 15])
@pytest.mark.parametrize("gap", ["", " " * 50, " " * 90])
def test_a_comma_with_nothing_beside_it_is_a_fault_wherever_windows_end(
    monkeypatch: pytest.MonkeyPatch, first: int, gap: str
) -> None:
    monkeypatch.setattr(splitting, "_FIRST", first)
    one = json.dumps(thing())
    for objects, codes in (
        (f"{gap},{one}", ["json-syntax", ""]),
        (f"{one}{gap},,{gap}{one}", ["", "json-syntax", ""]),
        (f"{one},{gap}", ["", "json-syntax"]),
    ):
        raw = f'{{"type":"bundle","objects":[{objects}]}}'.encode()
        found = list(read_chunks(chunked(raw, 9)))
        assert [one.code if isinstance(one, Fault) else "" for one in found] == codes


@pytest.mark.usefixtures("tiny")
@pytest.mark.parametrize("tail", [b'"', b"\\", b'"}', b'"}}', b'"}]'])
def test_an_object_without_end_is_refused(tail: bytes) -> None:
    raw = bundle(thing())[:-2] + b',{"x":"' + b"x" * 100_000 + tail
    with pytest.raises(Refused) as caught:
        list(read_chunks(chunked(raw, 512)))
    assert caught.value.code in ("json-truncated", "json-syntax")


@pytest.mark.usefixtures("tiny")
def test_a_head_without_end_is_refused() -> None:
    with pytest.raises(Refused) as caught:
        list(read_chunks(chunked(b'{"x":"' + b"x" * 100_000 + b'","objects":[]}', 512)))
    assert caught.value.code == "object-size"


def test_file_size_on_each_side(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = bundle(thing(), thing())
    monkeypatch.setattr(splitting, "MAX_BYTES", len(raw))
    assert verdicts(raw) == ["", ""]
    with pytest.raises(Refused) as caught:
        list(read_bundle(raw + b" "))
    assert caught.value.code == "file-size"


def test_what_follows_the_objects_has_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = bundle(thing())
    monkeypatch.setattr(reading, "MAX_TAIL", 100)
    assert verdicts(raw + b" " * 99) == [""]
    with pytest.raises(Refused):
        list(read_bundle(raw + b" " * 100))


def test_entries_are_given_out_as_they_come() -> None:
    def chunks() -> Iterator[bytes]:
        one: Any = json.dumps(thing(name="x" * 1000)).encode()
        yield b'{"type":"bundle","objects":['
        for _ in range(5000):
            yield one + b","
        raise AssertionError("read to the end before the first entry")

    assert isinstance(next(read_chunks(chunks())), Entry)
