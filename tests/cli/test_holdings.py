"""Import, list, search, show, conflicts, handling, export through the command line."""

from __future__ import annotations

import json
import re
import subprocess

from tests.cli.conftest import CLEAR, CLI, RED, bundle, indicator

COUNTED = ("read", "new", "newer", "older", "same", "conflicts")


def test_import_counts_and_a_second_import_changes_nothing(site, tmp_path):
    first = bundle(tmp_path / "1.json", indicator(1), indicator(2))
    told = site.run("import", first)
    assert (told["disregarded"], told["given_lower"], told["hits_total"], told["hits"]) == (0, [], 0, [])
    assert {key: told[key] for key in [*COUNTED, "converted", "refused"]} == {
        "read": 2, "new": 2, "newer": 0, "older": 0, "same": 0, "conflicts": 0, "converted": 0, "refused": []
    }  # fmt: skip
    before = site.export()
    assert site.run("import", first)["same"] == 2
    assert site.export() == before
    second = bundle(
        tmp_path / "2.json",
        indicator(1, modified="2026-02-01T00:00:00.000Z"),
        indicator(2, modified="2025-12-31T23:59:59.9999Z"),
        {**indicator(1), "confidence": 50},
        {"type": "indicator"},
        "text",
    )
    got = site.run("import", second, ok=(3,))
    assert (got["newer"], got["older"], got["conflicts"]) == (1, 1, 1)
    assert [r["where"] for r in got["refused"]] == ["objects[3]", "objects[4]"]


def test_the_same_value_written_otherwise_is_no_conflict(site, tmp_path):
    value = indicator(1, confidence=50)
    site.run("import", bundle(tmp_path / "1.json", value))
    other = tmp_path / "2.json"
    text = json.dumps(
        {"type": "bundle", "id": "bundle--1", "objects": [dict(reversed(value.items()))]}, indent=4
    )
    other.write_text(text.replace('"confidence": 50', '"confidence": 5.0e1'))
    assert site.run("import", other)["same"] == 1


def test_a_conflict_is_kept_listed_and_resolved_by_the_officer(site, tmp_path):
    site.run("import", bundle(tmp_path / "1.json", indicator(1), indicator(2)))
    site.run("import", bundle(tmp_path / "2.json", indicator(1, confidence=10)), ok=(3,))
    assert [o["id"] for o in site.run("list", "--conflicts")["objects"]] == [indicator(1)["id"]]
    shown = site.run("show", indicator(1)["id"], "--versions", ok=(3,))
    assert len(shown["versions"]) == 2
    keep = next(v["sha256"] for v in shown["versions"] if v["object"].get("confidence") == 10)
    assert site.refused("resolve", indicator(1)["id"], "--keep", "ff" * 32) == "content-unknown"
    assert site.run("resolve", indicator(1)["id"], "--keep", keep[:12])["set_aside"] == 1
    assert site.run("list", "--conflicts")["total"] == 0
    assert site.run("show", indicator(1)["id"])["object"]["confidence"] == 10
    assert len(site.export()) == 3, "what was set aside stays held"


def test_list_pages_by_cursor_and_meets_every_object_once(site, tmp_path):
    site.run("import", bundle(tmp_path / "b.json", *(indicator(n) for n in range(1, 24))))
    seen, after = [], ""
    while True:
        page = site.run("list", "--limit", "10", *(["--after", after] if after else []))
        assert page["total"] == 23
        seen += [o["id"] for o in page["objects"]]
        after = page["next"]
        if not after:
            break
    assert len(seen) == len(set(seen)) == 23
    assert site.refused("list", "--after", "nonsense!") == "cursor-unknown"


def test_search_finds_names_patterns_and_external_ids_in_both_scripts(site, tmp_path):
    refs = [{"source_name": "cve", "external_id": "CVE-2024-3094"}]
    objects = [
        indicator(1, name="Copper Lantern loader", description="fetches a second stage"),
        indicator(2, name="أحمدُ والفـانوس الكبير", external_references=refs),
        indicator(3, name='quote " OR * NEAR(x)'),
    ]
    site.run("import", bundle(tmp_path / "b.json", *objects))

    def found(text):
        return {o["id"][11:19] for o in site.run("search", text)["objects"]}

    assert found("lantern") == found("LANT") == found("second stage") == {"00000001"}
    assert found("احمد") == found("أَحْمَد") == found("كبير") == found("الكبير") == {"00000002"}
    assert found("CVE-2024-3094") == {"00000002"}
    assert found("198.51.100.3") == {"00000003"}
    assert found("OR nothing") == found("NEAR(lantern loader)") == set()
    assert site.refused("search", "text:lantern") == "query-filter"
    assert site.refused("search", 'x " OR nothing') == "query-quote"
    assert found("!!!") == set()


def test_a_search_that_finds_no_word_says_how_to_find_the_middle_of_one(site, tmp_path):
    held = indicator(1, pattern="[domain-name:value = 'mimikatz.example']")
    site.run("import", bundle(tmp_path / "b.json", held))
    command = [CLI, "--home", site.home, "--passphrase-file", site.passphrase, "search"]
    for text, told in (("imikat", "search part:imikat\n"), ("imikatt", "0 of 0\n"), ("mimi", "1 of 1\n")):
        done = subprocess.run([*command, text], env=site.env(), capture_output=True, text=True, check=True)
        assert done.stdout.endswith(told)
    assert site.run("search", "part:imikat")["total"] == 1


def test_an_unmarked_object_carries_the_handling_given_and_keeps_the_stricter(site, tmp_path):
    unmarked = bundle(tmp_path / "b.json", indicator(1, marking=None), indicator(2, marking=RED))
    site.run("import", unmarked)
    one, two = indicator(1)["id"], indicator(2)["id"]
    assert (site.run("show", one)["marking"], site.run("show", one)["handling"]) == (None, "AMBER")
    assert (site.run("show", two)["marking"], site.run("show", two)["handling"]) == ("RED", None)
    site.run("import", unmarked, "--handling", "CLEAR")
    assert site.run("show", one)["handling"] == "AMBER", "an import never lowers"
    site.run("import", unmarked, "--handling", "RED")
    assert site.run("show", one)["handling"] == "RED"
    assert site.run("handling", one, "GREEN")["lowered"]
    assert site.run("audit", "list", "--limit", "3")["entries"][2]["act"] == "handling.lowered"


def test_a_redefined_tlp_marking_is_refused_and_its_objects_keep_the_true_level(site, tmp_path):
    forged = {
        "type": "marking-definition",
        "spec_version": "2.1",
        "id": RED,
        "created": "2026-01-01T00:00:00.000Z",
        "definition_type": "statement",
        "definition": {"statement": "free for all"},
    }
    got = site.run("import", bundle(tmp_path / "b.json", forged, indicator(1, marking=RED)), ok=(3,))
    assert [r["code"] for r in got["refused"]] == ["marking-redefined"]
    assert site.run("show", indicator(1)["id"])["marking"] == "RED"


def test_a_marking_whose_definition_comes_later_is_read_then(site, tmp_path):
    own = "marking-definition--11111111-1111-4111-8111-111111111111"
    definition = {
        "type": "marking-definition",
        "spec_version": "2.1",
        "id": own,
        "created": "2026-01-01T00:00:00.000Z",
        "definition_type": "statement",
        "definition": {"statement": "as agreed"},
    }
    site.run("import", bundle(tmp_path / "1.json", indicator(1, marking=own)))
    assert site.run("show", indicator(1)["id"])["marking"] == "UNREADABLE"
    site.run("import", bundle(tmp_path / "2.json", definition))
    shown = site.run("show", indicator(1)["id"])
    assert (shown["marking"], shown["handling"]) == (None, "AMBER")


def test_numbers_escapes_and_key_order_survive(site, tmp_path):
    text = (
        '{"type":"bundle","id":"bundle--x","objects":[{"type":"indicator","id":"indicator--00000001-0000-4000-8000-000000000000",'
        '"spec_version":"2.1","revoked":false,"created":"2026-01-01T00:00:00.000Z","modified":"2026-01-01T00:00:00.000Z",'
        '"name":"caf\\u00e9 \\/ 🏮","x_number":1.0,"x_big":1e3,"pattern":"[a:b = 1]","pattern_type":"stix",'
        '"valid_from":"2026-01-01T00:00:00Z"}]}'
    )
    path = tmp_path / "b.json"
    path.write_text(text, encoding="utf8")
    site.run("import", path)
    out = tmp_path / "out.json"
    site.run("export", "--out", out)
    assert text[text.index('{"type":"indicator"') : -2] in out.read_text(encoding="utf8")


def test_stix_2_0_is_converted_and_counted(site, tmp_path):
    times = {"created": "2018-01-01T00:00:00.000Z", "modified": "2018-01-01T00:00:00.000Z"}
    uuid = "00000000-0000-4000-8000-000000000001"
    seen = {"first_observed": times["created"], "last_observed": times["created"], "number_observed": 1}
    address = {"type": "ipv4-addr", "value": "198.51.100.7"}
    objects = [
        {"type": "observed-data", "id": f"observed-data--{uuid}", **times, **seen, "objects": {"0": address}},
        {"type": "observed-data", "id": f"observed-data--{uuid}", **times, **seen, "objects": {"0": {}}},
    ]
    path = tmp_path / "old.json"
    path.write_text(json.dumps({"type": "bundle", "spec_version": "2.0", "objects": objects}))
    done = site.run("import", path, ok=(3,))
    assert done["refused"] == [{"where": "objects[1].objects.0", "code": "stix-2.0-shape"}]
    assert (done["read"], done["new"], done["converted"]) == (3, 2, 2)
    shown = site.run("show", f"observed-data--{uuid}")["object"]
    assert site.run("show", shown["object_refs"][0])["object"]["value"] == "198.51.100.7"
    assert site.run("import", path, ok=(3,))["same"] == 2


def test_hits_revocations_and_who_was_given_what_are_told(pair, tmp_path):
    alpha, beta = pair
    theirs = indicator(1, pattern="[domain-name:value = 'evil.example']")
    beta.run("import", bundle(tmp_path / "b.json", theirs, indicator(2, marking=None)), "--handling", "CLEAR")
    out = tmp_path / "first.age"
    beta.run("release", "--to", alpha.name, "--all", "--out", out, ok=(0, 3))
    number = alpha.run("receive", out)["number"]
    alpha.run("accept", number)
    again = indicator(3, pattern="[domain-name:value = 'EVIL.example']")
    gone = indicator(1) | {"modified": "2026-09-01T00:00:00Z", "revoked": True}
    told = alpha.run("import", bundle(tmp_path / "a.json", again, gone), ok=(3,))
    assert (told["hits_total"], told["disregarded"]) == (1, 1)
    assert told["hits"][0]["held"][0]["source"] == {"kind": "package", "name": beta.name}
    shown = alpha.run("show", theirs["id"])
    assert (shown["creator"]["side"], shown["object"].get("revoked")) == (beta.name, None)
    assert [v["disregarded"] for v in shown["versions"]] == [True, False]
    by = {"officer": "R. Haddad"}
    from_beta = {"kind": "package", "name": beta.fingerprint, "package": number} | by
    from_file = {"kind": "import", "name": "a.json", "package": None} | by
    sources = {one["at"]: {key: one[key] for key in from_file} for one in shown["sources"]}
    assert [sources[at] for at in sorted(sources)] == [from_beta, from_file]
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", at) for at in sources)
    assert len({tuple(v["sources"]) for v in shown["versions"]}) == 2
    raised = beta.run("handling", indicator(2)["id"], "AMBER", ok=(3,))
    assert [(one["to"], one["seq"]) for one in raised["given"]] == [(alpha.name, 1)]
    assert beta.run("handling", indicator(2)["id"], "CLEAR")["given"] == []


def test_the_inbox_shows_hits_and_revocations_that_do_not_count(pair, tmp_path):
    alpha, beta = pair
    ours = indicator(1, pattern="[domain-name:value = 'evil.example']")
    alpha.run("import", bundle(tmp_path / "a.json", ours))
    gone = ours | {"modified": "2026-09-01T00:00:00Z", "revoked": True}
    beta.run("import", bundle(tmp_path / "b.json", gone, indicator(5, pattern=ours["pattern"])))
    out = tmp_path / "first.age"
    beta.run("release", "--to", alpha.name, "--all", "--out", out, ok=(0, 3))
    review = alpha.run("inbox", "show", alpha.run("receive", out)["number"])
    by_id = {one["id"]: one for one in review["objects"]}
    assert "disregarded" in by_id[ours["id"]]["remarks"]
    (hit,) = by_id[indicator(5)["id"]]["hits"]
    assert (hit["value"], [one["id"] for one in hit["held"]]) == ("evil.example", [ours["id"]])


def test_an_export_with_its_closure_holds_what_is_needed(site, tmp_path):
    needed = indicator(2)
    note = {
        "type": "note",
        "spec_version": "2.1",
        "id": "note--00000009-0000-4000-8000-000000000000",
        "created": "2026-01-01T00:00:00.000Z",
        "modified": "2026-01-01T00:00:00.000Z",
        "content": "tidewater",
        "object_refs": [needed["id"]],
        "object_marking_refs": [CLEAR],
    }
    site.run("import", bundle(tmp_path / "b.json", indicator(1), needed, note))
    assert [one["id"] for one in site.export("--query", "tidewater")] == [note["id"]]
    assert {one["id"] for one in site.export("--query", "tidewater", "--closure")} == {
        note["id"],
        needed["id"],
    }


def test_many_are_treated_at_a_level_at_least(site, tmp_path):
    site.run("import", bundle(tmp_path / "in.json", *map(indicator, (1, 2, 3))), "--handling", "GREEN")
    ids = tmp_path / "ids"
    ids.write_text("\n".join(indicator(n)["id"] for n in (1, 2)))
    assert site.run("handling", "--ids", ids, "AMBER") == {
        "after": "AMBER",
        "objects": 2,
        "raised": 2,
        "given": [],
    }
    assert site.run("handling", "clear", "--ids", ids) == {
        "after": "CLEAR",
        "objects": 2,
        "raised": 0,
        "given": [],
    }
    assert site.run("show", indicator(1)["id"])["handling"] == "AMBER"
    ids.write_text(indicator(9)["id"])
    assert site.refused("handling", "--ids", ids, "RED") == "object-unknown"
    for wrong in (["AMBER"], [indicator(1)["id"], "AMBER", "--ids", ids], ["PURPLE", "--ids", ids]):
        site.run("handling", *wrong, ok=(2,))
