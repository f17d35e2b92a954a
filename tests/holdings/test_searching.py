"""Every query gives what a plain reading of its words gives, in order and page by page, however it is found."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.holdings import browsing
from app.intel.envelope import envelope
from app.intel.fold import fold, index_text, terms
from app.intel.indexing import indexed
from app.intel.marking import Level
from app.intel.networks import networks
from app.intel.observables import guess, host, normal
from app.messages import Refused
from app.store import conditions, selecting
from app.store.conditions import Named, Selection
from tests.bench import synthetic
from tests.support.sites import AMBER, CLEAR, RED, T0, T1, T2, copied, indicator, take, thing

WORD = re.compile(r"[^\W_]+")
EXTRA = [
    indicator(901, RED, name="Beacon at evil.example", pattern="[domain-name:value = 'www.evil.example']"),
    indicator(902, AMBER, name="Red beacon", pattern="[url:value = 'http://evil.example/a']", revoked=True),
    indicator(903, None, name="other", pattern="[file:hashes.MD5 = 'abcdef0123456789abcdef0123456789']"),
    indicator(904, CLEAR, name="الحملة الكبيرة على مؤسسة أحمد", modified=T2),
    indicator(905, CLEAR, name="حملة أُخرى", modified=T1),
    indicator(
        906, CLEAR, name="notevil.example", pattern="[email-addr:value = 'a@evil.example']", modified=T0
    ),
    thing(
        "attack-pattern",
        907,
        external_references=[{"source_name": "mitre-attack", "external_id": "T1059.001"}],
    ),
    thing("vulnerability", 908, external_references=[{"source_name": "cve", "external_id": "CVE-2024-3094"}]),
    thing("malware", 909, aliases=["Émotet", "Heodo"], labels=["loader"], is_family=True),
    indicator(911, CLEAR, name="beside it", pattern="[domain-name:value = 'not-evil.example']"),
    thing("intrusion-set", 912, name="APT-28", aliases=["FIN 7"], description="not UNC_2452"),
    thing(
        "intrusion-set", 913, name="APT28", aliases=["FIN7", "UNC2452"], description="beside CVE 2024-3094"
    ),
    thing("campaign", 914, name="28 of an APT", description="http://apt-28.example/ at 192.0.2.28"),
    indicator(910, CLEAR, name="one way", modified=T2),
    indicator(910, CLEAR, name="another way", modified=T2),
]


@pytest.fixture(scope="module")
def site(holdings_template, tmp_path_factory):
    """A store with imports of three files, and every object in it as (value, files)."""
    with copied(holdings_template, tmp_path_factory.mktemp("searching")) as found:
        values = list(synthetic.values(420))
        take(found.alpha, *values[:300], name="one.json")
        take(found.alpha, *values[200:], name="two.json")
        take(found.alpha, *EXTRA, name="extra file.json")
        yield found.alpha


class Naive:
    """All that is held, read without any index."""

    def __init__(self, site):
        self.site = site
        self.rows = []
        self.made = {}
        for oid in selecting.oids(site.database.read(), Selection()):
            shown = browsing.show_oid(site, oid)
            force = [
                json.loads(browsing.version_raw(site, v.row.vid))
                for v in shown.versions
                if v.row.moment == shown.row.moment and not v.row.dropped
            ]
            force.reverse()
            current = next(v for v in shown.versions if v.row.vid == shown.row.current)
            self.rows.append((shown.row, force, {o.name for o in current.sources}))

    def level(self, row):
        return max(-1 if row.marking is None else row.marking, -1 if row.handling is None else row.handling)

    def words(self, force):
        return self.once(
            "words", force, lambda: WORD.findall("\n".join(index_text(envelope(v).text) for v in force))
        )

    def has(self, words, tokens, prefix):
        for start in range(len(words) - len(tokens) + 1):
            some = words[start : start + len(tokens)]
            if some == tokens or (prefix and some[:-1] == tokens[:-1] and some[-1].startswith(tokens[-1])):
                return True
        return False

    def observables(self, force):
        return self.once(
            "found", force, lambda: {o for v in force for o in indexed(v, envelope(v)).observables}
        )

    def once(self, what, force, make):
        if (what, id(force)) not in self.made:
            self.made[what, id(force)] = make()
        return self.made[what, id(force)]

    def says(self, force, text, prefix):
        tokens = WORD.findall(text)
        ways = [tokens]
        if re.fullmatch(r"[^\W_]+([-_][^\W_]+){1,3}", text):
            ways.append(
                re.sub(r"(?<![^ ])([a-z]{1,24}) ([0-9]{1,6})(?![^ ])", r"\1\2", " ".join(tokens)).split()
            )
            ways.append(
                re.sub(r"(?<![^ ])([a-z]{1,24})([0-9]{1,6})(?![^ ])", r"\1 \2", " ".join(tokens)).split()
            )
        return any(self.has(self.words(force), way, prefix) for way in ways)

    def word(self, force, term, last):
        """A plain word: in the text, or in an observable if it looks like a part of one."""
        if self.says(force, term, last):
            return True
        if len(term) < 3 or not re.search(r"[./:@\\]|[0-9a-f]{6}|[0-9]-|-[0-9]|_", term):
            return False
        found = self.observables(force)
        return (
            any(one.value.startswith(term) for one in found)
            or any(term in fold(one.value) for one in found if one.kind in ("url", "domain-name", "file"))
            or bool(set(guess(term) + host(term)) & found)
            or any(set(networks(one)) & found for one in guess(term) + host(term))
        )

    def plain(self, text):
        found = terms(text)

        def fits(force, at, most):
            if at == most:
                return True
            last = at == most - 1
            if self.word(force, found[at], last) and fits(force, at + 1, most):
                return True
            if last or not (re.fullmatch("[a-z]+", found[at]) and re.fullmatch("[0-9]{1,6}", found[at + 1])):
                return False
            return self.says(force, found[at] + found[at + 1], at + 2 == most) and fits(force, at + 2, most)

        return lambda row, force, files: fits(force, 0, len(found))

    def technique(self, technique):
        def names(value):
            given = value.get("external_references", ())
            return any(re.fullmatch(f"{technique}(\\..*)?", one.get("external_id", "")) for one in given)

        patterns = {
            row.id for row, force, _ in self.rows if row.type == "attack-pattern" and any(map(names, force))
        }
        related = {
            value["source_ref"]
            for row, force, _ in self.rows
            if row.type == "relationship"
            for value in force
            if value["target_ref"] in patterns
        }
        return lambda row, force, files: any(map(names, force)) or row.id in related


def domains(found):
    hosts = set()
    for one in found:
        if one.kind == "domain-name":
            hosts.add(one.value)
        elif one.kind == "url":
            hosts.add(
                one.value.partition("://")[2]
                .split("/")[0]
                .split("?")[0]
                .split("#")[0]
                .rpartition("@")[2]
                .split(":")[0]
            )
        elif one.kind == "email-addr":
            hosts.add(one.value.rpartition("@")[2])
    return hosts


@pytest.fixture(scope="module")
def naive(site):
    return Naive(site)


TYPES = ["indicator", "malware", "url", "ipv4-addr", "relationship", "attack-pattern", "tool"]
LEVELS = ["CLEAR", "GREEN", "AMBER", "AMBER+STRICT", "RED", "none"]
WORDS = [
    *(
        "beacon",
        "red",
        "evil.exam",
        "evil.example",
        "vil.exam",
        "hxxp://evil[.]example",
        "https://www.evil.example:8443/x",
        "the",
        "campaign of",
    ),
    *("emotet", "heodo", "loader", "T1059", "t1059.001", "CVE-2024-3094", "حملة", "الحملة", "احمد", "أَحْمَد"),
    *("APT-28", "apt28", "apt 28", "apt 2", "fin-7 apt28", "UNC 2452 beside", "cve2024-3094", "unc-24"),
    *("abcdef0123", "way", "ransomware bank", "énergie", "energie", "zzz", "198", "2001:"),
]
DATES = ["2018", "2020-06", "2025-01-01", "2026-01-01T00:00:00Z", "2025-12-31T23:59:59.5Z"]


@st.composite
def queries(draw):
    """(text, predicates): a query and what each of its parts means."""
    parts = []
    if draw(st.booleans()):
        text = draw(st.sampled_from(WORDS))
        parts.append((text, lambda n, t=text: n.plain(t)))
    for name in draw(st.lists(st.sampled_from(FILTERS), max_size=3, unique=True)):
        parts.append(draw(MEANT[name]()))
    return " ".join(text for text, _ in parts), [made for _, made in parts]


def made(text, predicate):
    return text, lambda _naive: predicate


def some(values, text, predicate):
    return st.lists(st.sampled_from(values), min_size=1, max_size=2, unique=True).map(
        lambda chosen: (" ".join(text(one) for one in chosen), lambda n: predicate(n, chosen))
    )


def beginning(date):
    return date.removesuffix("Z")


MEANT = {
    "type": lambda: some(TYPES, lambda t: f"type:{t}", lambda n, c: lambda r, f, s: r.type in c),
    "marking": lambda: some(
        LEVELS,
        lambda t: f"marking:{t}",
        lambda n, c: (
            lambda r, f, s: (
                n.level(r) in [-1 if one == "none" else int(Level[one.replace("+", "_")]) for one in c]
            )
        ),
    ),
    "source": lambda: some(
        ["one.json", "two.json", "extra file.json", "BETA"],
        lambda t: f'source:"{t}"',
        lambda n, c: lambda r, f, s: bool(s & set(c)),
    ),
    "counterpart": lambda: st.just(made("counterpart:beta", lambda r, f, s: False)),
    "after": lambda: st.sampled_from(DATES).map(
        lambda d: made(f"after:{d}", lambda r, f, s: r.modified.removesuffix("Z") >= beginning(d))
    ),
    "before": lambda: st.sampled_from(DATES).map(
        lambda d: made(f"before:{d}", lambda r, f, s: "" < r.modified.removesuffix("Z") < beginning(d))
    ),
    "confidence": lambda: st.sampled_from([(50, 100), (10, 30), (95, 95)]).map(
        lambda c: made(
            f"confidence:{c[0]}..{c[1]}",
            lambda r, f, s: (
                c[0] <= next(v for v in f if envelope(v).name == r.name).get("confidence", -1) <= c[1]
            ),
        )
    ),
    "revoked": lambda: st.booleans().map(
        lambda b: made(f"revoked:{'yes' if b else 'no'}", lambda r, f, s: r.revoked is b)
    ),
    "conflict": lambda: st.booleans().map(
        lambda b: made(f"conflict:{'yes' if b else 'no'}", lambda r, f, s: (r.variants > 1) is b)
    ),
    "technique": lambda: st.sampled_from(["T1059", "T1059.001", "T1000", "T1001"]).map(
        lambda t: (f"technique:{t}", lambda n: n.technique(t))
    ),
    "value": lambda: st.sampled_from(["www.evil[.]example", "http://EVIL.example/a", "nothing"]).map(
        lambda v: (
            f"value:{v}",
            lambda n: (
                lambda r, f, s: any(
                    one.value in (normal("url", v.replace("[.]", ".")), v.replace("[.]", ".").lower())
                    for one in n.observables(f)
                )
            ),
        )
    ),
    "part": lambda: st.sampled_from(["vil.exam", "com/", ".example"]).map(
        lambda p: (
            f"part:{p}",
            lambda n: (
                lambda r, f, s: any(
                    one.value.startswith(p)
                    or (p in fold(one.value) and one.kind in ("url", "domain-name", "file"))
                    for one in n.observables(f)
                )
            ),
        )
    ),
    "domain": lambda: st.sampled_from(["evil.example", "example", "com", "net"]).map(
        lambda d: (
            f"domain:{d}",
            lambda n: lambda r, f, s: any(h == d or h.endswith(f".{d}") for h in domains(n.observables(f))),
        )
    ),
    "hash": lambda: st.sampled_from(["abcdef", "0123"]).map(
        lambda h: (
            f"hash:{h}",
            lambda n: (
                lambda r, f, s: any(
                    one.value.startswith(h) and one.kind in ("md5", "sha-1", "sha-256")
                    for one in n.observables(f)
                )
            ),
        )
    ),
}
FILTERS = sorted(MEANT)


def nocase(text):
    return "".join(chr(ord(c) + 32) if "A" <= c <= "Z" else c for c in text)


KEYS = {
    "modified": lambda n, r: (r.moment, r.oid),
    "name": lambda n, r: (nocase(r.name).encode(), r.oid),
    "type": lambda n, r: (r.type, r.moment, r.oid),
    "marking": lambda n, r: (n.level(r), r.moment, r.oid),
}


def pages(site, chosen, order, descending, size):
    found, cursor = [], ""
    while True:
        page = browsing.page(site, chosen, size, cursor, order, descending)
        found += [row.oid for row in page.rows]
        if page.next is None:
            return found, page.total
        assert len(page.rows) == size
        cursor = page.next


@pytest.mark.parametrize("few, looks", [(1000, 48), (2, 48), (2, 2)], ids=["few", "walking", "all at once"])
def test_a_query_gives_what_its_words_mean(site, naive, monkeypatch, few, looks):
    monkeypatch.setattr(selecting, "FEW", few)
    monkeypatch.setattr(conditions, "MANY", few)
    monkeypatch.setattr(selecting, "LOOKS", looks)

    @settings(max_examples=25)
    @given(queries(), st.sampled_from(sorted(KEYS)), st.booleans(), st.sampled_from([3, 50, 1000]))
    def law(query, order, descending, size):
        text, parts = query
        meant = [make(naive) for make in parts]
        expected = [row for row, force, files in naive.rows if all(one(row, force, files) for one in meant)]
        expected.sort(key=lambda row: KEYS[order](naive, row), reverse=descending)
        chosen = browsing.selection(text)
        found, total = pages(site, chosen, order, descending, size)
        assert found == [row.oid for row in expected], text
        assert total == len(expected)
        assert browsing.oids(site, chosen, order, descending) == found
        if order == "modified" and descending:
            assert browsing.ids(site, chosen) == tuple(row.id for row in expected)
        by_type = {}
        for row in expected:
            by_type[row.type] = by_type.get(row.type, 0) + 1
        assert dict(browsing.counts_by_type(site, chosen)) == by_type

    law()


@pytest.mark.parametrize("between", [1, 50], ids=["sorted", "come across"])
def test_what_fits_a_common_word_is_found_a_period_at_a_time(site, monkeypatch, between):
    monkeypatch.setattr(selecting, "FEW", 40)
    monkeypatch.setattr(selecting, "BETWEEN", between)
    reader, many = site.database.read(), 0
    for word in ("campaign ", "th", "ransomware ", "a"):
        for rest in (
            "",
            "type:indicator",
            "marking:AMBER",
            "after:2021 before:2025",
            "revoked:no",
            "confidence:50",
        ):
            chosen = browsing.selection(f"{rest} {word}")
            for descending in (True, False):
                wanted = selecting.oids(reader, chosen, selecting.Order("modified", descending))
                found, key = [], None
                while len(found) < min(len(wanted), 9):
                    rows = selecting.page(reader, chosen, selecting.Order("modified", descending), 3, key)
                    found += [row.oid for row in rows]
                    key = rows[-1].moment, rows[-1].oid
                assert found == wanted[: len(found)], (word, rest)
                many += len(wanted) > 40
    assert many > 10


@pytest.mark.parametrize(
    "query, order, index",
    [
        ("type:indicator marking:RED confidence:50", "modified", "object_by_type"),
        ("marking:RED after:2020", "type", "object_by_type"),
        ("marking:RED confidence:50 revoked:no", "modified", "object_by_level"),
        ("confidence:50 marking:RED marking:CLEAR", "marking", "object_by_level"),
        ("confidence:50 revoked:no", "modified", "object_by_moment"),
        ("revoked:yes type:indicator", "modified", "object_revoked"),
        ("conflict:yes type:indicator after:2020", "modified", "object_in_conflict"),
    ],
)
def test_what_does_not_fit_is_passed_by_in_the_index(site, query, order, index):
    reader, chosen = site.database.read(), browsing.selection(query)
    walks = selecting._walks(reader, chosen, selecting.Order(order))
    assert {name for name, _ in walks} == {index}
    (name, narrowed), *_ = walks
    where, values = conditions.where(narrowed, ())
    steps = reader.execute(
        f"EXPLAIN SELECT oid FROM object INDEXED BY {name} WHERE {where}"
        f" ORDER BY {selecting._sort(selecting.Order(order))}",
        values,
    ).fetchall()
    (root,) = reader.execute("SELECT rootpage FROM sqlite_master WHERE name = 'object'").fetchone()
    table = [step[2] for step in steps if step[1] == "OpenRead" and step[3] == root]
    assert not [step for step in steps if step[1] == "Column" and step[2] in table]
    assert not [step for step in steps if step[1].startswith("Sort")]


def test_ranked_pages_hold_the_same_objects_the_best_first(site):
    for text in ("beacon", "the campaign", "ransomware type:indicator", "energy marking:RED"):
        chosen = browsing.selection(text)
        found, total = pages(site, chosen, browsing.RANK, False, 3)
        assert sorted(found) == sorted(browsing.oids(site, chosen))
        assert len(found) == total > 0
    first = browsing.page(site, browsing.selection("beacon"), order=browsing.RANK).rows[0]
    assert "beacon" in first.name.lower()
    with pytest.raises(Refused, match="order-words"):
        browsing.page(site, browsing.selection("type:indicator"), order=browsing.RANK)


def test_a_long_table_has_behind_what_is_ranked_all_that_is_not(site, monkeypatch):
    for text in ("beacon", "the campaign", "ransomware type:indicator"):
        chosen = browsing.selection(text)
        newest, ranked = browsing.oids(site, chosen), pages(site, chosen, browsing.RANK, False, 50)[0]
        assert browsing.oids(site, chosen, browsing.RANK) == ranked
        with monkeypatch.context() as few:
            few.setattr(selecting, "RANKED", 5)
            found = browsing.oids(site, chosen, browsing.RANK)
        first = set(found[:5]) if len(newest) > 5 else set(newest)
        assert sorted(found) == sorted(newest)
        assert [oid for oid in found if oid not in first] == [oid for oid in newest if oid not in first]
    with pytest.raises(Refused, match="order-words"):
        browsing.oids(site, browsing.selection("type:indicator"), browsing.RANK)


def test_a_source_that_nothing_came_from_is_told_with_its_place(site):
    for query, at in (("x source:nobody", 3), ('counterpart:"one.json"', 1)):
        with pytest.raises(Refused) as caught:
            browsing.page(site, browsing.selection(query))
        assert (caught.value.code, caught.value.facts["at"]) == ("source-unknown", at)


def test_the_sources_are_counted(site):
    found = {(kind, name): count for kind, name, count in browsing.sources(site)}
    assert found["import", "extra file.json"] == browsing.count(
        site, browsing.selection('source:"extra file.json"')
    )
    assert len(found) == 3


def test_what_is_said_beside_a_query_narrows_it(site):
    both = browsing.selection("type:malware type:url", types=("url", "tool"))
    assert browsing.ids(site, both) == browsing.ids(site, browsing.selection("type:url"))
    for nothing in (
        browsing.selection("type:malware", types=("url",)),
        browsing.selection("marking:RED", level=Level.CLEAR),
        browsing.selection("conflict:no", conflicts=True),
        browsing.selection("revoked:no", revoked=True),
        browsing.selection("source:one.json", source="extra file.json"),
    ):
        assert browsing.ids(site, nothing) == ()
        assert browsing.page(site, nothing).total == 0


def test_words_never_meet_what_stands_beside_the_text(site):
    assert browsing.ids(site, browsing.selection("tindicator")) == ()
    assert browsing.ids(site, browsing.selection("y2025")) == ()


def test_the_first_of_a_source_are_found_without_the_rest(site):
    # Whether few fit is asked with a limit; a query that sorts or gathers first would read all that a source brought.
    reader = site.database.read()
    (source,) = conditions.sets(reader, Selection(sources=(Named("one.json"),)))
    plan = reader.execute(
        f"EXPLAIN QUERY PLAN SELECT oid FROM ({source.query}) LIMIT 3", source.values
    ).fetchall()
    assert not [row[3] for row in plan if "TEMP B-TREE" in row[3]]


@pytest.fixture
def seen(site):
    """The statements that the tests' thread reads with, as they are run."""
    reader, found = site.database.read(), []
    reader.set_trace_callback(found.append)
    yield found
    reader.set_trace_callback(None)


def plans(site, seen):
    """How each of these statements that goes over objects is carried out, step by step."""
    statements = [sql for sql in seen if " FROM object WHERE" in sql]
    seen.clear()
    return [
        [row[3] for row in site.database.read().execute(f"EXPLAIN QUERY PLAN {sql}")] for sql in statements
    ]


def test_all_of_a_large_source_is_read_in_one_pass(site, seen, monkeypatch):
    # Asked of one object after another, in the order of the list, each lies on another page: 20 s of a million.
    chosen = browsing.selection(source="one.json")
    expected = browsing.oids(site, chosen), browsing.counts_by_type(site, chosen)
    monkeypatch.setattr(conditions, "MANY", 2)
    seen.clear()
    assert (browsing.oids(site, chosen), browsing.counts_by_type(site, chosen)) == expected
    found = plans(site, seen)
    assert len(found) == 2
    for plan, index in zip(found, ("object_by_moment", "object_by_type"), strict=True):
        assert plan[0] == f"SCAN object USING COVERING INDEX {index}"
        assert not [step for step in plan if "CORRELATED" in step or "ORDER BY" in step]


def test_what_one_file_brought_is_counted_already(site, seen):
    for name in ("one.json", "extra file.json"):
        chosen = browsing.selection(source=name)
        assert browsing.count(site, chosen) == len(browsing.oids(site, chosen)) > 0
        seen.clear()
        browsing.count(site, chosen)
        assert not plans(site, seen)
