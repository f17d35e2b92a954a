"""One MD5, two SHA-256: a conflict and never a merge, whether STIX gives both files one id or each its own."""

from __future__ import annotations

import hashlib
import json
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app import vault
from app.holdings import browsing, handling
from app.holdings.correlation import Correlation
from app.intel import ids
from app.jobs import quiet
from app.messages import Refused
from app.store import hashed, index, objects
from tests.holdings.test_laws import emptied
from tests.support.sites import T1, acts, copied, indicator, problems, sha256_of, take, thing


@pytest.fixture(scope="module")
def site(holdings_template, tmp_path_factory):
    with copied(holdings_template, tmp_path_factory.mktemp("hashes")) as found:
        yield found.alpha


def digest(algorithm, *words):
    return hashlib.new(algorithm, repr(words).encode()).hexdigest()


def file(md5=None, sha256=None, sha1=None, name=None, **more):
    """A file object with the id that the specification gives it; the hashes are told by short words."""
    hashes = {
        algorithm: digest(function, word)
        for algorithm, function, word in (
            ("MD5", "md5", md5),
            ("SHA-1", "sha1", sha1),
            ("SHA-256", "sha256", sha256),
        )
        if word is not None
    }
    value = {"type": "file", "spec_version": "2.1", "hashes": hashes} | ({"name": name} if name else {})
    return {"id": ids.sco_id(value)} | value | more


def conflicts(site):
    page = browsing.page(site, browsing.selection(conflicts=True), 1000)
    assert page.total == len(page.rows)
    assert all(row.in_conflict for row in page.rows)
    return {row.id for row in page.rows}


def test_the_specification_gives_both_one_id_and_both_are_kept(site):
    emptied(site)
    one, other = file("m", "a"), file("m", "b")
    assert one["id"] == other["id"]
    assert take(site, one).new == 1
    counts = take(site, other)
    assert (counts.new, counts.conflicts, counts.same) == (0, 1, 0)
    assert conflicts(site) == {one["id"]}
    shown = browsing.show(site, one["id"])
    assert {v.row.sha256.hex() for v in shown.versions} == {sha256_of(one), sha256_of(other)}
    assert handling.resolve(site, one["id"], sha256_of(other)) == 1
    assert conflicts(site) == set()
    assert browsing.show(site, one["id"]).value == other
    assert problems(site) == []


@pytest.mark.parametrize("together", [True, False])
@pytest.mark.parametrize("weak", ["md5", "sha1"])
def test_under_ids_of_their_own_they_are_a_conflict_too(site, together, weak):
    emptied(site)
    one, other = (file(**{weak: "m"}, sha256=word, name=f"{word}.exe") for word in "ab")
    plain = file("m", name="c.exe")
    assert len({one["id"], other["id"], plain["id"]}) == 3
    if together:
        counts = take(site, plain, one, other)
        assert (counts.read, counts.new, counts.conflicts) == (3, 2, 1)
    else:
        assert take(site, plain, one).conflicts == 0
        counts = take(site, other)
        assert (counts.new, counts.conflicts) == (0, 1)
    assert conflicts(site) == {one["id"], other["id"]}
    shown = browsing.show(site, one["id"])
    assert [row.id for row in shown.contradicting] == [other["id"]]
    assert take(site, one, other).same == 2
    # Only a content of its own is kept; both stay, for they are two files.
    with pytest.raises(Refused, match="content-unknown"):
        handling.resolve(site, one["id"], sha256_of(other))
    assert handling.resolve(site, one["id"], sha256_of(one)) == 0
    assert acts(site)[-1] == "conflict.resolved"
    assert conflicts(site) == set()
    assert browsing.page(site, browsing.selection()).total == 3
    with pytest.raises(Refused, match="no-conflict"):
        handling.resolve(site, other["id"], sha256_of(other))
    # What the officer said was of these two; a third is a conflict again.
    third = file(**{weak: "m"}, sha256="c", name="d.exe")
    assert take(site, third).conflicts == 1
    assert conflicts(site) == {one["id"], other["id"], third["id"]}
    assert problems(site) == []


def test_what_is_not_about_one_file_contradicts_nothing(site):
    emptied(site)
    counts = take(
        site,
        file("m", "a", name="a"),
        file("m", "a", name="b"),
        file("m", name="c"),
        file("n", "a", name="d"),
        # One of the two is wrong, but a pattern looks for files and states nothing of them.
        indicator(
            1, pattern=f"[file:hashes.MD5 = '{digest('md5', 'm')}' OR file:hashes.'SHA-256' = '{'0' * 64}']"
        ),
        thing(
            "file", 9, name="e", modified=None, hashes={"MD5": "no hash", "SHA-256": digest("sha256", "b")}
        ),
        thing("file", 8, name="f", modified=None, hashes={"MD5": digest("md5", "m"), "SHA-256": "b" * 63}),
    )
    assert (counts.new, counts.conflicts) == (7, 0)
    assert conflicts(site) == set()


def test_a_conflict_goes_with_what_was_wrong(site):
    emptied(site)
    one = thing("file", 1, name="one", hashes=file("m", "a")["hashes"])
    two = thing("file", 2, name="two", hashes=file("m", "b", "s")["hashes"])
    three = thing("file", 3, name="three", hashes=file("n", "c", "s")["hashes"])
    take(site, one, two, three)
    assert conflicts(site) == {one["id"], two["id"], three["id"]}
    mended = one | {"modified": T1, "hashes": file("m", "b")["hashes"]}
    assert take(site, mended).newer == 1
    assert conflicts(site) == {two["id"], three["id"]}
    spoilt = mended | {"modified": "2026-04-01T00:00:00.000Z", "hashes": file("m", "x")["hashes"]}
    counts = take(site, spoilt)
    assert (counts.newer, counts.conflicts) == (0, 1)
    assert conflicts(site) == {one["id"], two["id"], three["id"]}
    with site.database.write() as tx:
        objects.forget(tx, objects.find(tx, objects.id_hash(objects.hash_key(tx), two["id"])).oid)
    assert conflicts(site) == set()
    assert problems(site) == []


def test_a_hit_by_a_weak_hash_says_where_the_strong_one_differs(site):
    emptied(site)
    take(site, file("m", "a", name="a"), file("m", "b", name="b"), file("m", name="c"))
    found = Correlation(site.database.read())
    (hit,) = (h for h in found.hits(file("m", "a", name="z")) if h.observable.kind == "md5")
    assert (hit.count, hit.differing) == (3, 1)
    assert {one.name: one.differs for one in hit.holders} == {"a": False, "b": True, "c": False}
    (sure,) = (h for h in found.hits(file("m", "a", name="z")) if h.observable.kind == "sha-256")
    assert (sure.count, sure.differing) == (1, 0)
    pattern = (
        f"[file:hashes.MD5 = '{digest('md5', 'm')}' AND file:hashes.'SHA-256' = '{digest('sha256', 'b')}']"
    )
    hits = found.hits(indicator(1, pattern=pattern))
    assert [(h.observable.kind, h.count, h.differing) for h in hits] == [("md5", 3, 1), ("sha-256", 1, 0)]
    counts = take(site, file("m", "q", name="q"))
    assert [(hit.count, hit.differing) for _, hit in counts.first_hits] == [(3, 2)]


files = st.builds(
    lambda number, md5, sha256, sha1, modified: thing(
        "file", number, modified=modified, hashes=file(md5, sha256, sha1)["hashes"]
    ),
    st.integers(1, 5),
    st.sampled_from("mn"),
    st.sampled_from(["a", "b", "c", None]),
    st.sampled_from(["s", None]),
    st.sampled_from(["2026-01-01T00:00:00.000Z", T1]),
)


@settings(max_examples=25)
@given(st.lists(st.lists(files, min_size=1, max_size=6), min_size=1, max_size=3), st.randoms())
def test_conflicts_are_what_the_contents_in_force_say_in_any_order(site, batches, chance):
    emptied(site)
    for batch in batches:
        counts = take(site, *batch)
        sorts = (counts.new, counts.newer, counts.older, counts.same, counts.conflicts, len(counts.refused))
        assert counts.read == sum(sorts)
    reader = site.database.read()
    said, several = {}, set()
    for row in browsing.page(site, browsing.selection(), 1000).rows:
        in_force = [
            v for v in objects.versions_of(reader, row.oid) if v.moment == row.moment and not v.dropped
        ]
        if len(in_force) > 1:
            several.add(row.id)
        for version in in_force:
            hashes = json.loads(objects.raw(reader, version.vid))["hashes"]
            if "SHA-256" in hashes:
                for weak in ("MD5", "SHA-1"):
                    if weak in hashes:
                        said.setdefault(hashes[weak], set()).add((hashes["SHA-256"], row.id))
    wrong = {id_ for pairs in said.values() if len({s for s, _ in pairs}) > 1 for _, id_ in pairs}
    assert conflicts(site) == several | wrong
    assert vault.check(site, quiet()) == []
    with site.database.write() as tx:
        index.remake(tx)
    assert conflicts(site) == several | wrong
    for id_ in chance.sample(sorted(wrong | several), len(wrong | several)):
        while browsing.show(site, id_).row.in_conflict:
            handling.resolve(site, id_, hashlib.sha256(browsing.show(site, id_).raw).hexdigest())
    assert conflicts(site) == set()
    assert vault.check(site, quiet()) == []


def test_a_flag_that_says_too_much_or_too_little_is_found(site):
    emptied(site)
    one, other = (file("m", word, name=word) for word in "ab")
    take(site, one, other)
    with site.database.write() as tx:
        tx.execute("DELETE FROM hashed WHERE oid = (SELECT max(oid) FROM object)")
    assert [found.where for found in vault.check(site, quiet())] == ["hashed", "disputed"]
    vault.mend(site, quiet())
    assert problems(site) == []
    with site.database.write() as tx:
        tx.execute("UPDATE object SET disputed = 0")
    assert [(found.code, found.where) for found in vault.check(site, quiet())] == [
        ("index-wrong", "disputed"),
        ("counters-wrong", "store"),
    ]
    vault.mend(site, quiet())
    assert conflicts(site) == {one["id"], other["id"]}


def test_very_many_files_of_one_md5_take_time_in_proportion(site, monkeypatch):
    """A feed that gives every file the MD5 of nothing: each is looked at once, not each beside all."""
    emptied(site)
    asked = []
    real = hashed._flag

    def counting(tx, weak):
        asked.append(weak)
        return real(tx, weak)

    monkeypatch.setattr(hashed, "_flag", counting)
    many = [thing("file", n, modified=None, hashes=file("m", str(n))["hashes"]) for n in range(1500)]
    random.Random(1).shuffle(many)
    assert take(site, *many).conflicts == 1499
    assert len(asked) == 1
