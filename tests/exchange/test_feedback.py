"""Sightings, opinions and notes on what a counterpart gave, and requests for information."""

from __future__ import annotations

import itertools
import json

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from app.exchange import asking, deciding, enquiries, inbox, outbox, releases
from app.holdings import browsing, feedback, handling
from app.holdings.feedback import Said
from app.intel.marking import IDS, Level
from app.jobs import quiet
from app.messages import Refused
from app.store import people
from crypto import document
from tests.support.sites import (
    AMBER,
    T0,
    beside,
    indicator,
    part,
    problems,
    receive,
    release,
    state,
    take,
    thing,
    verdicts,
)


def say(site, about, kind, **more):
    return feedback.say(site, about["id"], Said(kind, **more), quiet())


def refused(code, act, *arguments, site, **more):
    before = state(site)
    with pytest.raises(Refused) as caught:
        act(*arguments, **more)
    assert caught.value.code == code
    assert state(site) == before
    return caught.value.facts


@pytest.fixture
def given_(met):
    """beta holds an indicator of alpha's."""
    met.value = indicator(1, name="brass")
    take(met.alpha, met.value)
    deciding.accept(
        met.beta, receive(met.beta, release(met.alpha, "beta").package.path).number, None, quiet()
    )
    return met


# Feedback ----------------------------------------------------------------------------------------------------


def test_feedback_goes_back_and_stands_beside_the_original(given_):
    met = given_
    made = [
        say(met.beta, met.value, "sighting", count=3, first=T0, words="at the gate"),
        say(met.beta, met.value, "opinion", opinion="agree", words="we saw it too"),
        say(met.beta, met.value, "note", words="see our case"),
    ]
    assert verdicts(met.beta, "alpha", *made) == dict.fromkeys(
        [*made, people.own_identity(met.beta.database.read())], "leaves"
    )
    decision = releases.check(met.beta, "alpha", releases.Wish(tuple(made)), quiet())
    assert decision.warnings == ()
    got = receive(met.alpha, release(met.beta, "alpha", *made).package.path)
    review = inbox.review(met.alpha, got.number, quiet())
    assert {o.id: o.remarks for o in review.objects if o.id in made} == dict.fromkeys(made, ("feedback",))
    deciding.accept(met.alpha, got.number, None, quiet())
    said = feedback.of(met.alpha, met.value["id"])
    assert [(one.id, one.type, one.source) for one in said] == [
        (made[0], "sighting", "beta"),
        (made[1], "opinion", "beta"),
        (made[2], "note", "beta"),
    ]
    assert [one.words for one in said] == ["3: at the gate", "agree: we saw it too", "see our case"]
    # The original is what it was.
    (version,) = browsing.show(met.alpha, met.value["id"]).versions
    assert [origin.kind for origin in version.sources] == ["import"]
    assert problems(met.alpha) == problems(met.beta) == []


def test_a_file_with_the_name_of_a_counterpart_does_not_speak_for_it(given_):
    met = given_
    said = indicator(9) | {
        "type": "note",
        "id": "note--00000009-0000-4000-8000-000000000000",
        "content": "they say it is harmless",
        "object_refs": [met.value["id"]],
    }
    take(met.alpha, said, name=met.beta.identity.fingerprint)
    (one,) = feedback.of(met.alpha, met.value["id"])
    assert (one.kind, one.source) == ("import", met.beta.identity.fingerprint)


def test_what_is_said_is_as_strict_as_what_it_is_about(world):
    value = indicator(1, AMBER)
    take(world.alpha, value)
    first = browsing.show(world.alpha, say(world.alpha, value, "note", words="x")).value
    assert first["object_marking_refs"] == [IDS[Level.AMBER]]
    second = browsing.show(world.alpha, say(world.alpha, value, "note", words="y", level=Level.RED)).value
    assert second["object_marking_refs"] == [IDS[Level.RED]]
    # One identity writes all of it, and can be shown to anybody.
    assert first["created_by_ref"] == second["created_by_ref"]
    identity = browsing.show(world.alpha, first["created_by_ref"]).value
    assert (identity["name"], identity["object_marking_refs"]) == ("alpha", [IDS[Level.CLEAR]])
    assert list(first) == list(json.loads(browsing.show(world.alpha, first["id"]).raw))


def test_their_own_id_is_no_secret_to_them(given_):
    """beta treats it more strictly since; alpha may hear what beta says of it, a third may not."""
    met = given_
    handling.set_level(met.beta, met.value["id"], Level.RED)
    note = say(met.beta, met.value, "note", words="x", level=Level.CLEAR)
    assert verdicts(met.beta, "alpha", note)[note] == "leaves"
    third = take_and_say(met)
    assert verdicts(met.alpha, "mallory", third)[third] == "withheld-reference"


def take_and_say(met):
    secret = indicator(5, AMBER)
    take(met.alpha, secret)
    return say(met.alpha, secret, "note", words="x", level=Level.CLEAR)


@pytest.mark.parametrize(
    "said",
    [
        Said("opinion", opinion="maybe"),
        Said("sighting", count=-1),
        Said("sighting", first="yesterday"),
        Said("sighting", first="2026-02-01T00:00:00Z", last="2026-01-01T00:00:00Z"),
        Said("note", words="x" * 100_001),
    ],
)
def test_what_the_standard_does_not_allow_is_refused(world, said):
    take(world.alpha, indicator(1))
    refused(
        "feedback-unusable", feedback.say, world.alpha, indicator(1)["id"], said, quiet(), site=world.alpha
    )


def test_nothing_is_said_of_what_is_not_held(world):
    refused(
        "object-unknown",
        feedback.say,
        world.alpha,
        indicator(1)["id"],
        Said("note", "x"),
        quiet(),
        site=world.alpha,
    )


# Requests for information ------------------------------------------------------------------------------------


def ask(site, to, text="Who runs the relay?", about=()):
    return enquiries.ask(site, to, text, about, beside(site), quiet())


def test_a_request_is_answered_by_a_release_that_names_it(given_):
    met = given_
    sent = ask(met.beta, "alpha", about=[met.value["id"]])
    assert (sent.listed.state, sent.listed.about) == ("open", (met.value["id"],))
    receive(met.alpha, sent.package.path)
    (theirs,) = enquiries.listed(met.alpha)
    assert (theirs.ours, theirs.state, theirs.text) == (False, "open", "Who runs the relay?")
    take(met.alpha, indicator(7))
    answer = release(met.alpha, "beta", indicator(7)["id"], answers=(theirs.number,))
    assert enquiries.listed(met.alpha)[0].answers == (answer.package.seq,)
    # Sent again it is the same answer.
    again = outbox.resend(met.alpha, "beta", answer.package.seq, beside(met.alpha), quiet())
    got = receive(met.beta, again.package.path)
    (ours,) = enquiries.listed(met.beta)
    assert (ours.state, ours.answers) == ("answered", (got.number,))
    assert inbox.review(met.beta, got.number, quiet()).answers == (ours.number,)
    # It stays open to more, until whoever asked closes it.
    closed = enquiries.close(met.beta, ours.number, "", beside(met.beta), quiet())
    receive(met.alpha, closed.package.path)
    assert [one.state for one in (*enquiries.listed(met.alpha), *enquiries.listed(met.beta))] == [
        "closed"
    ] * 2
    refused("enquiry-closed", enquiries.close, met.beta, 1, "", None, quiet(), site=met.beta)
    refused("enquiry-closed", enquiries.close, met.alpha, 1, "x", None, quiet(), site=met.alpha)


def test_an_answer_that_is_void_or_never_came_answers_nothing(given_):
    met = given_
    receive(met.alpha, ask(met.beta, "alpha").package.path)
    take(met.alpha, indicator(7))
    answer = release(met.alpha, "beta", indicator(7)["id"], answers=(1,))
    assert [one.state for one in enquiries.listed(met.alpha)] == ["answered"]
    outbox.void(met.alpha, "beta", answer.package.seq)
    assert [(one.state, one.answers) for one in enquiries.listed(met.alpha)] == [("open", ())]
    # A courier took it, so that they may have it: its statement goes on riding. It did not come.
    take(met.alpha, indicator(8))
    receive(met.beta, release(met.alpha, "beta", indicator(8)["id"]).package.path)
    assert [(one.state, one.answers) for one in enquiries.listed(met.beta)] == [("open", ())]


def test_a_request_can_be_declined(met):
    receive(met.alpha, ask(met.beta, "alpha").package.path)
    refused("reason-missing", enquiries.close, met.alpha, 1, " ", None, quiet(), site=met.alpha)
    receive(
        met.beta, enquiries.close(met.alpha, 1, "We do not know.", beside(met.alpha), quiet()).package.path
    )
    (ours,) = enquiries.listed(met.beta)
    assert (ours.state, ours.reason) == ("declined", "We do not know.")


def test_only_a_request_of_theirs_is_answered(met):
    take(met.alpha, indicator(1))
    ask(met.alpha, "beta")
    wish = releases.Wish(None, answers=(1,))
    refused("enquiry-own", releases.release, met.alpha, "beta", wish, None, quiet(), site=met.alpha)
    wish = releases.Wish(None, answers=(2,))
    refused("enquiry-unknown", releases.release, met.alpha, "beta", wish, None, quiet(), site=met.alpha)
    refused("text-missing", ask, met.alpha, "beta", " ", site=met.alpha)
    refused("enquiry-too-large", ask, met.alpha, "beta", "x" * 10_001, site=met.alpha)
    refused("object-unknown", ask, met.alpha, "beta", "x", ["x"], site=met.alpha)


def test_neither_a_request_nor_a_note_names_what_is_held_back(given_):
    """Its id would tell that it is here; of an observable, even what it is."""
    met = given_
    secret, given_back, open_ = indicator(5, AMBER), met.value, indicator(6)
    take(met.beta, secret, open_, thing("ipv4-addr", 9, AMBER, name=None, value="198.51.100.9"))
    address = thing("ipv4-addr", 9, AMBER, name=None, value="198.51.100.9")["id"]
    for id_ in (secret["id"], address):
        for text, about in (("x", [id_]), (f"what is {id_.upper()}?", [])):
            refused("names-withheld", ask, met.beta, "alpha", text, about, site=met.beta)
        wish = releases.Wish((open_["id"],), note=f"compare {id_}")
        refused("names-withheld", releases.release, met.beta, "alpha", wish, None, quiet(), site=met.beta)
    # Nor does a reason.
    take(met.alpha, indicator(8))
    number = receive(met.beta, release(met.alpha, "beta", indicator(8)["id"]).package.path).number
    receive(met.beta, ask(met.alpha, "beta").package.path)
    refused("names-withheld", deciding.reject, met.beta, number, f"as {address}", site=met.beta)
    refused("names-withheld", enquiries.close, met.beta, 1, f"as {address}", None, quiet(), site=met.beta)
    keep = ("alpha", [given_back["id"]], "", f"as {address}", None, quiet())
    refused("names-withheld", asking.request_retention, met.beta, *keep, site=met.beta)
    never_held = indicator(77)["id"]
    ask(met.beta, "alpha", f"and {never_held}?", [given_back["id"], open_["id"], never_held])
    # What they were given while it might leave is no news to them.
    release(met.beta, "alpha", open_["id"])
    handling.set_level(met.beta, open_["id"], Level.RED)
    ask(met.beta, "alpha", "x", [open_["id"]])


def test_what_cannot_be_read_does_nothing(world):
    sound = {"of": "information", "text": "x", "about": []}
    bad = [
        {"text": " "},
        {"about": ["x"]},
        {"more": 1},
        {"about": [indicator(1)["id"]] * 2},
        {"text": "x" * 10_001},
    ]
    parts = [world.mallory.statement("request", **(sound | change)) for change in bad]
    got = receive(world.alpha, world.mallory.package(world.alpha, *parts))
    assert got.failed == (("request", "enquiry-unreadable"),) * len(bad)
    assert enquiries.listed(world.alpha) == []


def test_requests_for_consent_are_another_matter(given_):
    """The two kinds of requests do not see each other."""
    from app.exchange import asking

    receive(given_.alpha, ask(given_.beta, "alpha").package.path)
    assert asking.listed(given_.alpha) == asking.listed(given_.beta) == []


def test_the_state_does_not_depend_on_the_order(world):
    """A request of theirs, their closing of it, and another: in every order on one store each."""
    outcomes = set()
    for turn, order in enumerate(itertools.permutations(range(3))):
        mallory = world.mallory
        body = {"by": mallory.fingerprint, "at": T0, "of": "information", "text": f"{turn}", "about": []}
        first = mallory.signed("request", rfc8785.dumps(body))
        second = mallory.statement("request", **(body | {"text": f"{turn} too"}))
        gone = mallory.statement(
            "withdrawal", of="information", subject=document.parse(first).id.hex(), reason=""
        )
        parts = [part("statement", first), second, gone]
        for index in order:
            receive(world.alpha, mallory.package(world.alpha, parts[index]))
        found = {one.text.removeprefix(f"{turn}"): one.state for one in enquiries.listed(world.alpha)[:2]}
        outcomes.add(tuple(sorted(found.items())))
    assert outcomes == {(("", "closed"), (" too", "open"))}


SETS = st.lists(
    st.tuples(st.sampled_from(["ask", "end", "answer"]), st.integers(0, 2), st.booleans()), max_size=7
)


@given(SETS, st.randoms())
def test_the_state_is_a_function_of_the_set(said, random):
    statements = []
    for what, number, ours in said:
        subject = bytes([number]) * 32
        if what == "ask":
            body = {"by": "x", "at": T0, "of": "information", "text": "x", "about": []}
            statements.append((subject, "request", number == 1, rfc8785.dumps(body)))
        elif what == "end":
            body = {"by": "x", "at": T0, "of": "information", "subject": subject.hex(), "reason": ""}
            statements.append((b"w", "withdrawal", ours, rfc8785.dumps(body)))
        else:
            body = {"release": "00" * 16, "answers": [subject.hex(), "x", 1]}
            statements.append((b"r", "release", ours, rfc8785.dumps(body)))
    shuffled = statements * 2
    random.shuffle(shuffled)
    one, two = enquiries.gathered(statements), enquiries.gathered(shuffled)
    assert {id_: enquiries.state(one, id_) for id_ in one.enquiries} == {
        id_: enquiries.state(two, id_) for id_ in two.enquiries
    }
