"""What an object is called where it stands in a list."""

from __future__ import annotations

from app.exchange import inbox
from app.holdings import browsing, graph, titles
from app.jobs import quiet
from app.messages import use_language
from tests.support.sites import indicator, receive, relationship, release, take, thing

GONE = "malware--00000000-0000-4000-8000-0000000000aa"


def listed(site, query=""):
    page = browsing.page(site, browsing.selection(query), order="name", descending=False)
    called = titles.of_held(site, page.rows)
    return [called[row.oid].words for row in page.rows]


def lines(site):
    oids = browsing.oids(site, browsing.selection(), "name", False)
    return [line.title.words for line in browsing.lines(site, oids)]


def test_a_relationship_is_called_by_what_it_leads_from_and_to(world):
    one, other = indicator(1, name="One"), thing("malware", 2, name="Other")
    take(world.alpha, one, other, relationship(3, one, other), relationship(4, one, {"id": GONE}))
    rel = relationship(3, one, other)["relationship_type"]
    wanted = ["One", "Other", f"{rel}: One → Other", f"{rel}: One → {GONE}"]
    assert sorted(listed(world.alpha)) == sorted(lines(world.alpha)) == sorted(wanted)
    shown = browsing.show(world.alpha, relationship(3, one, other)["id"])
    assert shown.title == titles.Title(rel, ("One", "Other"))
    assert titles.of_ids(world.alpha, [one["id"], GONE]) == {one["id"]: titles.Title("One")}


def test_what_has_no_name_is_called_by_what_it_is_about(world):
    one = indicator(1, name="One")
    named, unnamed = (
        thing("sighting", 2, sighting_of_ref=one["id"]),
        thing("sighting", 3, sighting_of_ref=GONE),
    )
    said = thing("sighting", 4, sighting_of_ref=one["id"], description="Twice in March")
    take(world.alpha, one, *({**each, "name": None} for each in (named, unnamed, said)))
    assert sorted(listed(world.alpha, "type:sighting")) == sorted(["One", GONE, "Twice in March"])


def test_neighbours_have_titles(world):
    one, other = indicator(1, name="One"), thing("malware", 2, name="Other")
    link = relationship(3, one, other)
    take(world.alpha, one, other, link, thing("report", 4, name="All", object_refs=[link["id"], GONE]))
    found = graph.neighbours(world.alpha, thing("report", 4)["id"])
    called = titles.of_held(world.alpha, [found.row, *(one.row for one in found.found)])
    assert called[found.row.oid].words == "All"
    rel = link["relationship_type"]
    assert {one.far: one.row and called[one.row.oid].words for one in found.found} == {
        link["id"]: f"{rel}: One → Other",
        GONE: None,
    }


def test_what_came_together_is_called_together(world):
    one, other = indicator(1, name="One"), thing("malware", 2, name="Other")
    link = relationship(3, one, other)
    take(world.alpha, one, other, link)
    got = receive(world.beta, release(world.alpha, "beta").package.path)
    review = inbox.review(world.beta, got.number, quiet())
    assert {each.id: each.title.words for each in review.objects} == {
        one["id"]: "One",
        other["id"]: "Other",
        link["id"]: f"{link['relationship_type']}: One → Other",
    }


def test_foreign_names_keep_their_direction(world):
    one, other = indicator(1, name="خطر"), thing("malware", 2, name="Other \u202e")
    link = relationship(3, one, other)
    take(world.alpha, one, other, link)
    title = titles.of_ids(world.alpha, [link["id"]])[link["id"]].words
    assert "\u202e" in title  # marked by whoever shows it, as in any name
    assert title.index("خطر") < title.index("→") < title.index("Other")
    use_language("ar")
    try:
        title = titles.of_ids(world.alpha, [link["id"]])[link["id"]].words
        assert title.index("خطر") < title.index("←") < title.index("Other")
    finally:
        use_language("en")
