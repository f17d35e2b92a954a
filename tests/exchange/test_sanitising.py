"""Sanitised forms on real stores: made for one counterpart, shown, released, renewed."""

from __future__ import annotations

import itertools
import json
import unicodedata

import pytest

from app.exchange import deciding, inbox, receipts, sanitising
from app.exchange.sanitising import Wanted
from app.holdings import browsing, purge
from app.intel.marking import Level
from app.jobs import quiet
from app.messages import Refused
from tests.support.sites import (
    CLEAR,
    RED,
    T1,
    T2,
    beside,
    definition,
    indicator,
    problems,
    receive,
    relationship,
    release,
    state,
    take,
    thing,
    verdicts,
)

TEAM = thing("identity", 9, name="Desk 7", identity_class="group")
OWN = {"created_by_ref": TEAM["id"]}
ALL = Wanted(("x_case",), ("harbour",), True, (TEAM["id"],))


def sanitise(site, to, *ids, wanted=ALL):
    return sanitising.sanitise(site, to, ids, wanted, False, quiet())


def refused(code, act, *arguments, site, **more):
    before = state(site)
    with pytest.raises(Refused) as caught:
        act(*arguments, **more)
    assert caught.value.code == code
    assert state(site) == before
    return caught.value.facts


@pytest.fixture
def ready(met):
    met.one = indicator(1, x_case="4711", description="Seen in the Harbour.", **OWN)
    met.two = thing("malware", 2, is_family=False, **OWN)
    met.secret = thing("campaign", 3, RED)
    met.tie = relationship(4, met.one, met.two) | OWN
    met.report = thing(
        "report", 5, published=T1, object_refs=[met.one["id"], met.secret["id"]], labels=["harbour"], **OWN
    )
    met.objects = [met.one, met.two, met.tie, met.report]
    take(met.alpha, TEAM, met.secret, *met.objects)
    met.ids = [value["id"] for value in met.objects]
    return met


def test_what_leaves_is_what_was_shown_and_tells_nothing(ready):
    shown = sanitising.shown(ready.alpha, "beta", ready.ids, ALL, quiet())
    before = state(ready.alpha)
    assert sanitising.shown(ready.alpha, "beta", ready.ids, ALL, quiet()) == shown
    assert state(ready.alpha) == before
    done = sanitise(ready.alpha, "beta", *ready.ids)
    assert [(m.id, m.raw) for m in done.made] == [(m.id, m.raw) for m in shown.made]
    assert ready.secret["id"] in done.removed
    new = {one.original: one.id for one in done.made}
    out = release(ready.alpha, "beta", *(one.id for one in done.made))
    got = receive(ready.beta, out.package.path)
    raws = {
        one.id: inbox.beside(ready.beta, got.number, one.position).raw
        for one in inbox.review(ready.beta, got.number, quiet()).objects
    }
    assert raws == {one.id: one.raw for one in done.made}
    text = b"".join(raws.values()).decode().casefold()
    for gone in ("harbour", "4711", "x_case", ready.secret["id"], TEAM["id"], "desk 7", *ready.ids):
        assert gone.casefold() not in text
    tie = json.loads(raws[new[ready.tie["id"]]])
    assert (tie["source_ref"], tie["target_ref"]) == (new[ready.one["id"]], new[ready.two["id"]])
    assert json.loads(raws[new[ready.report["id"]]])["object_refs"] == [new[ready.one["id"]]]
    assert problems(ready.alpha) == []


def test_two_counterparts_cannot_tie_their_forms_together(ready):
    for_beta, for_mallory = (sanitise(ready.alpha, name, *ready.ids).made for name in ("beta", "mallory"))
    ids_b, ids_m = ({one.id for one in made} for made in (for_beta, for_mallory))
    assert len(ids_b) == len(ids_m) == 5
    assert not ids_b & ids_m
    texts = b"".join(one.raw for one in for_mallory)
    assert not any(id_.encode() in texts for id_ in ids_b)
    # The pseudonym is one for each, whatever is sanitised.
    take(ready.alpha, indicator(8, **OWN))
    assert sanitise(ready.alpha, "beta", indicator(8)["id"]).made[0].id == for_beta[0].id
    # Each leaves for its own counterpart alone, and the originals for neither.
    for one, other in itertools.permutations([("beta", ids_b), ("mallory", ids_m)], 2):
        codes = verdicts(ready.alpha, one[0], *other[1], *ready.ids)
        assert {codes[id_] for id_ in other[1]} <= {"made-for-another", "withheld-reference"}
        assert {codes[id_] for id_ in ready.ids} <= {"sanitised", "withheld-reference"}
        assert set(verdicts(ready.alpha, one[0], *one[1]).values()) == {"leaves"}


def test_sanitised_again_it_is_the_same_or_a_later_version(ready):
    one = ready.one["id"]
    first = sanitise(ready.alpha, "beta", one).made[-1]
    again = sanitise(ready.alpha, "beta", one).made[-1]
    assert (again.raw, again.unchanged, first.unchanged) == (first.raw, True, False)
    take(ready.alpha, ready.one | {"modified": T2, "description": "More."})
    third = sanitise(ready.alpha, "beta", one).made[-1]
    a, b = json.loads(first.raw), json.loads(third.raw)
    assert (b["id"], b["created"]) == (a["id"], a["created"])
    assert b["modified"] > a["modified"]
    shown = browsing.show(ready.alpha, a["id"])
    assert shown.value["description"] == "More."
    assert len(shown.versions) == 2
    ready.clock.pass_days(1)
    take(ready.alpha, ready.one | {"modified": "2026-06-02T00:00:00.000Z", "description": "Yet more."})
    fourth = json.loads(sanitise(ready.alpha, "beta", one).made[-1].raw)
    assert fourth["modified"] == "2026-06-02T00:00:00.000Z"


def test_the_ledger_and_the_list_know_what_it_was(ready):
    done = sanitise(ready.alpha, "beta", ready.one["id"])
    new = done.made[-1].id
    (row,) = sanitising.listed(ready.alpha, "beta")
    assert (row.original, row.id, row.state) == (ready.one["id"], new, "")
    path = release(ready.alpha, "beta", *(one.id for one in done.made)).package.path
    deciding.accept(ready.beta, receive(ready.beta, path).number, None, quiet())
    receive(ready.alpha, receipts.send(ready.beta, "alpha", beside(ready.beta), quiet()).path)
    (row,) = sanitising.listed(ready.alpha, original=ready.one["id"])
    assert row.state == "accepted"
    assert [entry.id for entry in receipts.ledger(ready.alpha, id_=ready.one["id"])] == [new]


def test_the_whole_can_be_given_again(ready):
    one = ready.one["id"]
    facts = refused("sanitise-unknown", sanitising.give_whole, ready.alpha, "beta", [one], site=ready.alpha)
    assert facts["id"] == one
    sanitise(ready.alpha, "beta", one)
    assert sanitising.give_whole(ready.alpha, "beta", [one]) == 1
    assert verdicts(ready.alpha, "beta", one)[one] == "leaves"


def test_what_is_not_ours_is_refused(ready):
    theirs = indicator(20)
    path = ready.mallory.intel(ready.alpha, theirs)
    deciding.accept(ready.alpha, receive(ready.alpha, path).number, None, quiet())
    take(ready.alpha, theirs)  # a later import of one's own does not make it ours
    site = ready.alpha
    refused("sanitise-not-ours", sanitise, site, "beta", theirs["id"], site=site)
    plain = Wanted(("x_case",))
    facts = refused("sanitise-not-ours", sanitise, site, "beta", ready.one["id"], wanted=plain, site=site)
    assert facts["creator"] == TEAM["id"]
    domain = thing("domain-name", 21, name=None, created=None, modified=None, value="a.example")
    take(site, domain, indicator(22), indicator(22, name="other"))
    refused("sanitise-type", sanitise, site, "beta", domain["id"], site=site)
    refused("sanitise-conflict", sanitise, site, "beta", indicator(22)["id"], site=site)
    refused("object-unknown", sanitise, site, "beta", indicator(99)["id"], site=site)
    refused("sanitise-nothing", sanitise, site, "beta", ready.ids[0], wanted=Wanted(), site=site)
    refused("redaction-unusable", sanitise, site, "beta", ready.ids[0], wanted=Wanted((), (" ",)), site=site)
    refused("counterpart-unknown", sanitise, site, "nobody", ready.ids[0], site=site)
    made = sanitise(site, "beta", ready.one["id"]).made[-1].id
    refused("sanitise-type", sanitise, site, "mallory", made, site=site)


def test_a_relationship_to_what_is_withheld_is_refused_and_nothing_is_made(ready):
    tie = relationship(6, ready.one, ready.secret) | OWN
    take(ready.alpha, tie)
    facts = refused(
        "sanitise-needed", sanitise, ready.alpha, "beta", ready.one["id"], tie["id"], site=ready.alpha
    )
    assert facts["what"] == "target_ref"


def test_the_level_comes_along(ready):
    take(ready.alpha, indicator(30, None, x_case="1"), handling=Level.GREEN)
    made = sanitise(ready.alpha, "beta", indicator(30)["id"], wanted=Wanted(("x_case",))).made[-1]
    assert browsing.show(ready.alpha, made.id).handling == Level.GREEN


@pytest.mark.parametrize("level", ["red", "ultraviolet"])
def test_a_marking_that_does_not_leave_is_not_taken_off(ready, level):
    """Without it the form would be marked more weakly than what it was made from."""
    mark = definition(20, level)
    take(ready.alpha, mark, handling=Level.RED)
    refs = {"object_marking_refs": [CLEAR, mark["id"]]}
    granular = {"granular_markings": [{"marking_ref": mark["id"], "selectors": ["description"]}]}
    whole, some = indicator(21, **OWN | refs), indicator(22, description="Harbour.", **OWN | granular)
    take(ready.alpha, whole, some)
    for value in (whole, some):
        facts = refused("sanitise-needed", sanitise, ready.alpha, "beta", value["id"], site=ready.alpha)
        assert facts["id"] == value["id"]


@pytest.mark.parametrize(
    "said, stands",
    [
        ("Caf\u00e9", unicodedata.normalize("NFD", "Seen in the Caf\u00e9.")),
        ("Cafe\u0301", "Seen in the CAF\u00c9."),
        ("harbour", "Seen in the har\u200bbour."),
        ("harbour", "Seen in the \uff28arbour."),
    ],
)
def test_a_text_to_be_taken_out_is_found_however_it_is_written(ready, said, stands):
    value = indicator(23, description=stands, **OWN)
    take(ready.alpha, value)
    wanted = Wanted(redact=(said,), ours=(TEAM["id"],))
    refused("sanitise-remains", sanitise, ready.alpha, "beta", value["id"], wanted=wanted, site=ready.alpha)
    both = Wanted(redact=(said, stands.removeprefix("Seen in the ").rstrip(".")), ours=(TEAM["id"],))
    made = sanitise(ready.alpha, "beta", value["id"], wanted=both).made[-1]
    assert json.loads(made.raw)["description"].endswith("[\u2026].")


@pytest.mark.parametrize("ended", [False, True])
def test_a_purge_of_the_original_says_who_has_its_sanitised_form(ready, ended):
    """Also when the counterpart may have the whole one since, and when it changed after it was sanitised."""
    made = {one.original: one.id for one in sanitise(ready.alpha, "beta", *ready.ids).made}
    sanitise(ready.alpha, "mallory", *ready.ids)
    form = made[ready.one["id"]]
    seq = release(ready.alpha, "beta", form).package.seq
    if ended:
        sanitising.give_whole(ready.alpha, "beta", [ready.one["id"]])
    take(ready.alpha, ready.one | {"modified": T1})
    oid = browsing.show(ready.alpha, ready.one["id"]).row.oid
    seen = purge.foresee(ready.alpha, [oid], quiet())
    assert seen.given == ()
    assert [(one.id, one.to, one.seq, one.state) for one in seen.sanitised] == [
        (form, "beta", seq, "carried")
    ]
    done = purge.purge_foreseen(ready.alpha, seen, quiet())
    assert done.sanitised == seen.sanitised
    assert purge.purge_listed(ready.alpha, [ready.two["id"]], quiet()).sanitised == ()
