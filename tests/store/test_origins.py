"""Which content came by which act: held against a plain dictionary, whatever comes, goes and is forgotten."""

from __future__ import annotations

import hashlib
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.holdings import importing
from app.holdings.importing import Incoming
from app.intel.marking import Level
from app.intel.prepared import prepare_text
from app.jobs import quiet
from app.store import index, objects, origins
from tests.holdings.test_laws import emptied
from tests.support.sites import T0, T1, copied, indicator

AT = "2026-06-01T12:00:00.000Z"
TEXTS = [
    json.dumps(indicator(number, modified=modified, name=name), separators=(",", ":")).encode()
    for number, modified, name in ((1, T0, "a"), (1, T1, "a"), (1, T1, "b"), (2, T0, "a"), (3, T0, "a"))
]
NAMES = [("import", "one", None), ("import", "two", None), ("package", "one", 1), ("package", "one", 2)]
places = st.sampled_from([0, 0, 1, 2, 2, 3, 4])
some_texts = st.sets(places, min_size=1).map(sorted)
coming = st.tuples(st.just("come"), st.sampled_from(NAMES), some_texts)
dropping = st.tuples(st.just("drop"), places, st.sets(st.integers(0, 5), min_size=1, max_size=3))
steps = st.one_of(
    *[coming] * 4,
    *[dropping] * 3,
    st.tuples(st.just("again"), some_texts),
    st.tuples(st.just("forget"), st.integers(1, 3)),
)


@pytest.fixture(scope="module")
def site(store_template, tmp_path_factory):
    with copied(store_template, tmp_path_factory.mktemp("origins")) as found:
        yield found.alpha


class Model:
    """`came` is {SHA-256: the acts by which that content came, first first}, `acts` {number: (kind, name, package)}."""

    def __init__(self):
        self.acts, self.came = {}, {}

    def come(self, sha256, act):
        """Once for each file, and for each package."""
        before = self.came.setdefault(sha256, [])
        if self.acts[act] not in [self.acts[one] for one in before]:
            before.append(act)

    def drop(self, sha256, acts):
        left = [one for one in self.came[sha256] if one not in acts]
        self.came[sha256] = left if left[:1] == self.came[sha256][:1] else sorted(left)


def vids(tx):
    return {bytes(sha256): vid for vid, sha256 in tx.execute("SELECT vid, sha256 FROM version")}


def come(tx, model, act, texts):
    incoming = [prepare_text(TEXTS[number], str(number)) for number in texts]
    importing.take(tx, map(Incoming, incoming), act, Level.CLEAR, quiet(), 0)
    for one in incoming:
        model.come(hashlib.sha256(one.raw).digest(), act)


def holds(tx, model):
    held = vids(tx)
    assert held.keys() == model.came.keys()
    for sha256, vid in held.items():
        came = model.came[sha256]
        assert [one.number for one in origins.of(tx, vid)] == sorted(came)
        assert origins.first(tx, vid) == came[0]
    acts = list(model.acts)
    for some in (acts[:1], acts[1:3], acts[::2], acts):
        theirs = {sha256 for sha256, came in model.came.items() if set(came) & set(some)}
        brought = list(origins.brought_by(tx, some))
        assert len(brought) == len(theirs)
        assert {row.sha256 for _, _, row in brought} == theirs
        assert {row.vid for _, _, row in brought} == {held[one] for one in theirs}
        alone = {held[sha256] for sha256, came in model.came.items() if set(came) <= set(some)}
        assert origins.only_by(tx, held.values(), some, quiet()) == alone
    assert {n: (one.kind, one.name, one.package) for n, one in origins.every(tx).items()} == model.acts
    for kind, name, package in NAMES:
        same = {number for number, act in model.acts.items() if act[:2] == (kind, name)}
        assert set(origins.named(tx, kind, name)) == same
        if package is not None:
            one = {number for number in same if model.acts[number][2] == package}
            assert set(origins.named(tx, kind, name, package)) == one
    assert index.sound(tx)


@settings(max_examples=40)
@given(st.lists(steps, min_size=4, max_size=14))
def test_what_came_by_what_is_what_a_dictionary_says(site, given_):
    emptied(site)
    model = Model()
    with site.database.write() as tx:
        for what, *facts in given_:
            if what == "come":
                act = origins.add(tx, *facts[0][:2], facts[0][2], "R", AT)
                model.acts[act] = facts[0]
                come(tx, model, act, facts[1])
            elif what == "again" and model.acts:
                come(tx, model, max(model.acts), facts[0])
            elif what == "drop":
                sha256 = hashlib.sha256(TEXTS[facts[0]]).digest()
                acts = {number for place, number in enumerate(model.acts) if place in facts[1]}
                if set(model.came.get(sha256, ())) - acts:
                    origins.drop(tx, vids(tx)[sha256], acts)
                    model.drop(sha256, acts)
            elif what == "forget":
                row = objects.find(tx, objects.id_hash(objects.hash_key(tx), indicator(facts[0])["id"]))
                if row is not None:
                    for version in objects.versions_of(tx, row.oid):
                        del model.came[version.sha256]
                    objects.forget(tx, row.oid)
            holds(tx, model)
        for act in list(model.acts)[:1]:
            origins.forget_unused(tx, act)
            if not any(act in came for came in model.came.values()):
                del model.acts[act]
        holds(tx, model)
        origins.forget_empty(tx)
        used = {act for came in model.came.values() for act in came}
        model.acts = {number: act for number, act in model.acts.items() if number in used}
        holds(tx, model)


def test_without_the_first_act_the_next_one_counts(site):
    emptied(site)
    with site.database.write() as tx:
        model, acts = Model(), [origins.add(tx, *facts[:2], facts[2], "R", AT) for facts in NAMES[:3]]
        model.acts = dict(zip(acts, NAMES, strict=False))
        for act in acts:
            come(tx, model, act, [0])
        ((sha256, vid),) = vids(tx).items()
        for number, act in enumerate(acts[:2]):
            origins.drop(tx, vid, [act])
            model.drop(sha256, [act])
            assert origins.first(tx, vid) == acts[number + 1]
            holds(tx, model)
