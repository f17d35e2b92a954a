"""Indexes and counters follow from what is held: at every moment they are what they would be if made anew."""

from __future__ import annotations

import shutil
import threading
import tracemalloc
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app import vault
from app.holdings import handling, importing
from app.intel import ids, indexing, reading, timestamp
from app.intel.marking import Level
from app.jobs import Cancelled, Job, quiet
from app.store import contents as store_contents
from app.store import database, full_text, index, objects
from app.store import words as vocabularies
from app.store.database import Database
from tests.store.test_database import decrypted
from tests.support.sites import (
    AMBER,
    RED,
    T0,
    T1,
    T2,
    bundle,
    copied,
    indicator,
    problems,
    state,
    take,
    thing,
)

TABLES = ("observable", "domain", "external", "edge", "marked", "facet")
CANARY = "zqxjkvwb"


@pytest.fixture(scope="module")
def site(store_template, tmp_path_factory):
    with copied(store_template, tmp_path_factory.mktemp("index")) as found:
        yield found.alpha


def statement(number):
    return thing(
        "marking-definition",
        900 + number,
        definition_type="statement",
        definition={"statement": f"Copyright {number}"},
        modified=None,
    )


def relation(number, source, target, **more):
    return thing(
        "relationship", number, relationship_type="indicates", source_ref=source, target_ref=target, **more
    )


def address(number, value):
    return thing("domain-name", number, value=value, created=None, modified=None, name=None)


def contents():
    numbers, moments = st.integers(1, 3), st.sampled_from([T0, T1, T2])
    words = st.sampled_from(["evil.example", "a.evil.example", "الشبكة", "CVE-2024-3094"])
    marks = st.sampled_from([None, AMBER, RED, statement(1)["id"]])
    indicators = st.builds(
        lambda number, moment, word, mark: indicator(
            number,
            mark,
            modified=moment,
            name=word,
            pattern=f"[domain-name:value = '{word}' OR url:value = 'http://{word}/x']",
            external_references=[{"source_name": "cve", "external_id": word}],
            confidence=number,
        ),
        numbers,
        moments,
        words,
        marks,
    )
    relations = st.builds(
        lambda number, moment, a, b: relation(
            500 + number, indicator(a)["id"], indicator(b)["id"], modified=moment
        ),
        numbers,
        moments,
        numbers,
        numbers,
    )
    addresses = st.builds(address, numbers, words)
    return st.one_of(indicators, relations, addresses, st.just(statement(1)))


def kept(connection):
    """Every index, the text ones as what they find."""
    found = {name: sorted(map(tuple, connection.execute(f"SELECT * FROM {name}"))) for name in TABLES}
    found["object"] = connection.execute("SELECT oid, confidence FROM object ORDER BY oid").fetchall()
    for name, words in (("object_text", ("evil", "شبكه", "cve")), ("observable_text", ("vil.ex", "p://a"))):
        for word in words:
            rows = connection.execute(
                f"SELECT rowid FROM {name} WHERE {name} MATCH ? ORDER BY rowid", (f'"{word}"',)
            )
            found[name, word] = rows.fetchall()
        connection.execute(f"INSERT INTO {name} ({name}) VALUES ('integrity-check')")
    return found


def emptied(site):
    with site.database.write() as tx:
        for row in tx.execute("SELECT oid FROM object").fetchall():
            objects.forget(tx, row[0])
        tx.execute("DELETE FROM origin")
        for name in (*TABLES, "object", "version", "source"):
            assert tx.execute(f"SELECT count(*) FROM {name}").fetchone() == (0,), name
    return site


MANY_BUNDLES = st.lists(st.lists(contents(), min_size=1, max_size=6), min_size=1, max_size=4)


@settings(max_examples=25)
@given(MANY_BUNDLES, st.randoms())
def test_indexes_are_what_they_would_be_if_made_anew(site, bundles, chance):
    follow(site, bundles, chance)


@settings(max_examples=10)
@given(MANY_BUNDLES, st.randoms())
def test_so_they_are_where_too_many_words_go_to_take_them_out_one_by_one(site, bundles, chance):
    with pytest.MonkeyPatch.context() as patch:
        too_many(patch)
        # Room is made in the middle of an act, again and again.
        patch.setattr(importing, "STEP", 1)
        patch.setattr(importing, "FIRST_STEP", 1)
        patch.setattr(full_text, "_MUCH", 0)
        follow(site, bundles, chance)


@settings(max_examples=10)
@given(MANY_BUNDLES, st.randoms(), st.sampled_from([-1, 280]))
def test_so_they_are_where_texts_are_too_long_to_be_read_ahead(site, bundles, chance, long):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(store_contents, "LONG", long)
        follow(site, bundles, chance)


def too_many(patch):
    """Whatever words go are too many; returns a list that has an entry for each time the indexes are emptied."""
    patch.setattr(full_text, "FEW_WORDS", 0)
    patch.setattr(full_text, "OUT", 1 << 40)
    times, empty = [], full_text.empty
    patch.setattr(full_text, "empty", lambda tx: (times.append(True), empty(tx)))
    return times


def follow(site, bundles, chance):
    """Import, remove and resolve by chance: check finds nothing, and to make the indexes anew changes nothing."""
    emptied(site)
    for one in bundles:
        take(site, *one)
    with site.database.write() as tx:
        found = tx.execute("SELECT type, uid, oid, moment, variants FROM object ORDER BY oid").fetchall()
        rows = [(objects.stix_id(*row[:2]), *row[2:]) for row in found]
        beside = {id_: objects.versions_at(tx, oid, moment) for id_, oid, moment, many in rows if many > 1}
        # Of a definition that goes, whoever takes it away reads again what it marked.
        others = [row for row in rows if not row[0].startswith("marking-definition")]
        if len(others) > 1:
            objects.forget(tx, chance.choice(others)[1])
            rows = [(objects.stix_id(*r),) for r in tx.execute("SELECT type, uid FROM object")]
    for id_, *_ in rows:
        if id_ in beside:
            handling.resolve(site, id_, chance.choice(beside[id_]).sha256.hex())
        if chance.random() < 0.3:
            handling.set_level(site, id_, chance.choice([Level.CLEAR, Level.RED]))
    assert problems(site) == []
    with site.database.write() as tx:
        before = kept(tx)
        index.remake(tx)
        assert kept(tx) == before


def test_the_same_file_again_changes_nothing(world):
    one = [indicator(1), indicator(1, name="other"), relation(2, indicator(1)["id"], indicator(9)["id"])]
    take(world.alpha, *one)
    before = [(name, rows) for name, rows in state(world.alpha) if not name.startswith("audit")]
    assert take(world.alpha, *one).same == 3
    assert [(name, rows) for name, rows in state(world.alpha) if not name.startswith("audit")] == before


def schema(site):
    return site.database.read().execute("SELECT name, sql FROM sqlite_master ORDER BY name").fetchall()


@pytest.mark.parametrize("stop", [None, "store", "index"])
def test_indexes_laid_aside_come_back_whatever_happens(world, monkeypatch, stop):
    site = world.alpha
    monkeypatch.setattr(importing, "MANY", 700)
    take(site, indicator(1), relation(2, indicator(1)["id"], indicator(3)["id"]))
    before, tables = state(site), schema(site)

    class Stopping(Job):
        steps = 0

        def step(self, done, total, stage):
            self.steps += stage == stop
            if self.steps > 3:
                raise Cancelled

    text = bundle(*map(indicator, range(3, 3003)))
    act = partial(importing.import_entries, site, reading.read_bundle(text), "much", Level.RED, Stopping())
    if stop:
        with pytest.raises(Cancelled):
            act()
        assert state(site) == before
    else:
        assert act().new == 3000
    assert sorted(schema(site)) == sorted(tables)
    assert problems(site) == []


class Told(Job):
    """Told how far indexing is, and cancelled at a number of objects put back."""

    def __init__(self, stop=None):
        super().__init__()
        self.stop, self.told = stop, []

    def step(self, done, total, stage):
        if stage == "index":
            self.told.append((done, total))
            if done == self.stop:
                raise Cancelled


@pytest.mark.parametrize("stop", [None, 0, 4])
def test_words_put_back_are_told_and_can_be_stopped(world, monkeypatch, stop):
    site = world.alpha
    monkeypatch.setattr(full_text, "BATCH", 4)
    take(site, *(indicator(n, name=f"before{n}") for n in range(10)))
    before, found = state(site), site.database.read().execute("SELECT * FROM object_text_data").fetchall()
    times = too_many(monkeypatch)
    newer = bundle(indicator(3, modified=T1, name="after"), indicator(77, name="new"))
    job = Told(stop)
    act = partial(importing.import_entries, site, reading.read_bundle(newer), "newer", Level.RED, job)
    if stop is None:
        assert act().newer == 1
        assert [one for one in job.told if one[1] == 10] == [(0, 10), (3, 10), (4, 10), (7, 10), (8, 10)]
    else:
        with pytest.raises(Cancelled):
            act()
        assert state(site) == before
        assert site.database.read().execute("SELECT * FROM object_text_data").fetchall() == found
    assert times == [True]
    monkeypatch.undo()
    assert problems(site) == []


def test_the_words_of_a_few_go_one_by_one_and_those_of_many_at_once(world, monkeypatch):
    site, times = world.alpha, []
    empty = full_text.empty
    monkeypatch.setattr(full_text, "empty", lambda tx: (times.append(True), empty(tx)))
    monkeypatch.setattr(full_text, "FEW_WORDS", 500)

    def long(number, size, moment=T0):
        return indicator(number, modified=moment, description=" ".join(f"w{number}x{n}" for n in range(size)))

    take(site, *(long(n, 300) for n in range(60)))
    take(site, long(1, 300, T1))
    # As many words, and few different ones.
    take(site, *(indicator(100 + n, description="over and over " * 300) for n in range(10)))
    take(site, *(indicator(100 + n, modified=T1) for n in range(10)))
    assert not times
    take(site, *(long(n, 300, T2) for n in range(0, 60, 5)))
    assert times == [True]
    with site.database.write() as tx:
        texts = full_text.Texts()
        for oid in range(20, 61):
            objects.forget(tx, oid, texts)
            if oid % 7 == 0:
                texts.make_room(tx, lambda done, total: None)
        texts.write(tx)
    assert times == [True, True]
    assert problems(site) == []


def test_a_statement_under_way_stops_too(world):
    job = Job()
    threading.Timer(0.2, job.cancel).start()
    endless = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT count(*) FROM n"
    before = state(world.alpha)

    def work():
        with world.alpha.database.large(job) as tx:
            tx.execute("DELETE FROM officer")
            tx.execute(endless).fetchone()

    with pytest.raises(Cancelled):
        work()
    assert state(world.alpha) == before


def test_what_is_forgotten_leaves_no_byte(world):
    site = world.alpha
    take(site, *(address(n, f"host{n}.example") for n in range(2, 60)))
    pattern = f"[url:value = 'http://{CANARY}.example/{CANARY}' OR file:name = '{CANARY}.exe']"
    take(
        site,
        indicator(
            1,
            name=CANARY,
            pattern=pattern,
            external_references=[{"source_name": CANARY, "external_id": CANARY}],
        ),
    )
    with site.database.write() as tx:
        oid = objects.find(tx, objects.id_hash(objects.hash_key(tx), indicator(1)["id"])).oid
        objects.forget(tx, oid)
    key = site.database.key
    blocks = b"".join(
        row[0] for row in site.database.read().execute("SELECT block FROM observable_text_data")
    )
    world.close_alpha()
    pages = decrypted(site.home / "store.db", key).lower()
    assert b"host5" in pages
    assert b"ost" in blocks
    assert not any(CANARY[part : part + 3].encode() in blocks for part in range(len(CANARY) - 2))
    # Three letters stand in any page of hashes by chance.
    assert not any(CANARY[part : part + 5].encode() in pages for part in range(len(CANARY) - 4))


def test_a_store_of_yesterday_is_indexed_when_it_opens(world, tmp_path):
    take(
        world.alpha,
        indicator(1, statement(1)["id"]),
        statement(1),
        relation(2, indicator(1)["id"], indicator(3)["id"]),
        address(1, "evil.example"),
        indicator(4, modified="2026-12-31T23:59:59Z"),
        indicator(5, modified="9999-12-31T00:00:00.120000Z"),
        indicator(6) | {"id": "indicator--ABCDEF00-0000-4000-8000-000000000006"},
    )
    with world.alpha.database.write() as tx:
        before, held = kept(tx), lasting(tx)
        rows = as_it_was(tx)
    path = tmp_path / "old.db"
    path.touch()
    key = bytes(32)
    steps = database._steps()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(database, "_steps", lambda: steps[:6])
        old = Database(path, key, new=True)
        with old.write() as tx:
            for name, values in rows.items():
                for value in values:
                    tx.execute(f"INSERT INTO {name} VALUES ({', '.join('?' * len(value))})", value)
            tx.execute("DELETE FROM meta WHERE key = ?", (index.VERSION_KEY,))
        old.close()
    shutil.copy(path, tmp_path / "copy.db")
    new = Database(path, key)
    index.bring_up_to_date(new)
    with new.write() as tx:
        assert kept(tx) == before
        assert lasting(tx) == held
        assert index.sound(tx)
    new.close()


def as_it_was(tx):
    """The rows of a store, in the shape that it had once."""

    def times(moment, fraction):
        modified = timestamp.written(moment, fraction)
        return modified, (modified[:-1].rstrip("0").rstrip(".") if fraction else modified[:-1])

    found = {name: tx.execute(f"SELECT * FROM {name}").fetchall() for name in ("meta", "origin")}
    found["object"] = [
        (
            oid,
            idh,
            objects.stix_id(type_, uid),
            type_,
            name,
            *times(moment, fraction)[:1],
            *times(moment, fraction),
            *rest,
        )
        for oid, idh, type_, uid, name, moment, fraction, *rest in tx.execute(
            "SELECT oid, idh, type, uid, name, moment, fraction, marking, handling, revoked, variants, current"
            " FROM object"
        )
    ]
    found["version"] = [
        (vid, oid, *reversed(times(moment, fraction)), *rest)
        for vid, oid, moment, fraction, *rest in tx.execute(
            "SELECT vid, oid, moment, fraction, sha256, marking, dropped FROM version"
        )
    ]
    found["source"] = tx.execute(
        "SELECT vid, origin FROM version UNION ALL SELECT vid, origin FROM source"
    ).fetchall()
    found["body"] = [(vid, raw) for vid, _, raw in objects.contents(tx)]
    return found


LASTING = {
    "object": "oid, idh, uid, typeof(uid), type, name, moment, fraction, marking, handling, revoked, current",
    "version": "vid, oid, moment, fraction, sha256, marking, dropped, origin, creator",
    "source": "*",
}


def lasting(connection):
    """What is kept of objects and versions beside the indexes."""
    rows = {
        name: sorted(connection.execute(f"SELECT {columns} FROM {name}")) for name, columns in LASTING.items()
    }
    return rows, list(objects.contents(connection))


@pytest.mark.parametrize("table", ["object_text", "observable_text"])
def test_words_that_are_missing_or_left_over_are_found(world, table):
    domain = {"type": "domain-name", "spec_version": "2.1", "value": "evil.example"}
    take(world.alpha, indicator(1, name="quixotry"), indicator(2), domain | {"id": ids.sco_id(domain)})
    assert problems(world.alpha) == []
    columns, words = ("text, tags", ("lantern", "")) if table == "object_text" else ("text", ("lantern",))
    with world.alpha.database.write() as tx:
        marks = ", ".join("?" * len(words))
        tx.execute(f"INSERT INTO {table} (rowid, {columns}) VALUES (99, {marks})", words)
    assert [(p.code, p.where) for p in vault.check(world.alpha, quiet())] == [("index-wrong", table)]
    vault.mend(world.alpha, quiet())
    assert problems(world.alpha) == []
    with world.alpha.database.write() as tx:
        tx.execute(f"INSERT INTO {table} ({table}) VALUES ('delete-all')")
    assert [(p.code, p.where) for p in vault.check(world.alpha, quiet())] == [("index-wrong", table)]


def long_words(number):
    return f"word{number} " * (1 << 17)


def test_words_that_wait_are_bounded_by_their_length_too():
    """Forty objects with a million characters of text each, far fewer than are packed together of plain ones."""
    texts = full_text.Texts()
    tracemalloc.start()
    try:
        for oid in range(40):
            texts.add([(oid, long_words(oid), "tags", "")])
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert held < 16 << 20
    assert not texts.full
    # What is held of changes is not packed.
    for oid in range(40):
        one = indexing.Indexed(long_words(oid), "tags", "", (), (), ())
        texts.take_out(oid, one)
        texts.put_in(oid, one)
    assert texts.full


def test_indexes_are_made_anew_a_few_long_texts_at_a_time(world, monkeypatch):
    monkeypatch.setattr(full_text, "LOOSE", 1 << 20)
    take(world.alpha, *(indicator(n, description=long_words(n)) for n in range(24)))
    gathered = []
    write = full_text.Texts.write
    monkeypatch.setattr(
        full_text.Texts,
        "write",
        lambda self, *more: (gathered.append(len(self._changes)), write(self, *more)),
    )
    with world.alpha.database.write() as tx:
        index.remake(tx)
    assert sum(gathered) == 24
    assert max(gathered) <= 2
    monkeypatch.undo()
    assert problems(world.alpha) == []


def test_long_texts_are_indexed_and_checked_a_few_at_a_time(site, monkeypatch):
    monkeypatch.setattr(full_text, "LOOSE", 1000)
    monkeypatch.setattr(vocabularies, "BATCH_TEXT", 1000)
    long = [
        indicator(n, name=f"long{n}", description="quixotry " * (n % 3 * 100 + 1)) for n in range(700, 712)
    ]
    take(site, *long)
    (found,) = (
        site.database.read()
        .execute("SELECT count(*) FROM object_text WHERE object_text MATCH 'quixotry'")
        .fetchone()
    )
    assert found == 12
    assert problems(site) == []


def test_the_first_words_that_go_are_in_the_sum_of_how_things_stand(world):
    """From then on a setting of the index is another one, and it is written when the transaction ends."""
    alpha = world.alpha
    take(alpha, indicator(1), indicator(2))
    with alpha.database.write() as tx:
        (content,) = index.in_force(tx, 1)
        words = content.indexed.text, content.indexed.tags
        full_text._rewrite(tx, "object_text", "rowid, text, tags", [(1, words, words)])
        (version,) = tx.execute("SELECT v FROM object_text_config WHERE k = 'version'").fetchone()
    assert alpha.database.read().execute(
        "SELECT v FROM object_text_config WHERE k = 'version'"
    ).fetchone() != (version,)
    assert problems(alpha) == []


def test_what_an_act_put_in_itself_counts_before_its_words_are_taken_out(world, monkeypatch):
    """Of a store that was empty, the act's own words are all there are: a few of them go one by one."""
    emptied = []
    monkeypatch.setattr(full_text, "empty", lambda tx, real=full_text.empty: emptied.append(True) or real(tx))
    monkeypatch.setattr(full_text, "FEW_WORDS", 0)
    # Words are put in while the act goes on.
    monkeypatch.setattr(full_text, "_CHUNK", 1)
    monkeypatch.setattr(full_text, "_MUCH", 0)
    old = [indicator(number, name=f"name {number} " * 20) for number in range(1, 1_500)]
    newer = [indicator(number, name="changed", modified=T2) for number in range(1, 4)]
    assert take(world.alpha, *old, *newer).newer == 3
    assert not emptied
    assert problems(world.alpha) == []
