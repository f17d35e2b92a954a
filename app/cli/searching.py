"""Commands that find what is held: list, search, neighbours, dangling."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import click

from app.cli.base import Session, table, titled
from app.holdings import browsing, graph, titles
from app.holdings.browsing import Page
from app.holdings.titles import Title
from app.intel.marking import Level
from app.messages import _, plain
from app.store.objects import ObjectRow
from app.words import type_name


def narrowing(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options of a list: each filter of the query language as one, the order, the page."""
    options = [
        click.option("--type", multiple=True, help="Only this STIX type (may be given more than once)."),
        click.option(
            "--marking",
            multiple=True,
            help="Only what is treated at this TLP level, or none (more than once).",
        ),
        click.option("--source", multiple=True, help="Only what came from this file or counterpart."),
        click.option("--counterpart", multiple=True, help="Only what came from this counterpart."),
        click.option(
            "--technique", multiple=True, help="Only what names this ATT&CK technique, or is related to it."
        ),
        click.option("--since", metavar="DATE", help="Only what changed on this date or later."),
        click.option("--before", metavar="DATE", help="Only what changed before this date."),
        click.option("--confidence", metavar="N|N..M", help="Only what its creator is so sure of."),
        click.option("--revoked", is_flag=True, help="Only revoked objects."),
        click.option(
            "--conflicts",
            is_flag=True,
            help="Only objects in conflict: several contents, or hashes that contradict.",
        ),
        click.option(
            "--order",
            type=click.Choice([*browsing.ORDERS, browsing.RANK]),
            default="modified",
            show_default=True,
            help="What to sort by; rank: what says most about the words first.",
        ),
        click.option("--ascending", is_flag=True, help="The oldest, the least or A first."),
        click.option(
            "--limit", type=click.IntRange(1, browsing.PAGE_LIMIT), default=browsing.PAGE, show_default=True
        ),
        click.option("--after", default="", help="The cursor `next` of the page before."),
    ]
    for option in reversed(options):
        command = option(command)
    return command


def query_of(text: str, flags: dict[str, Any]) -> str:
    """A query with the filters that options gave behind it."""
    given = [(name, value) for name, values in flags.items() for value in _values(values)]
    return " ".join([text, *(f"{_NAMES.get(name, name)}:{_quoted(value)}" for name, value in given)]).lstrip()


_NAMES = {"since": "after", "conflicts": "conflict"}


def _values(given: Any) -> tuple[str, ...]:
    if given is True:
        return ("yes",)
    if not given:
        return ()
    return (given,) if isinstance(given, str) else tuple(given)


def _quoted(value: str) -> str:
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


@click.command("list")
@narrowing
@click.pass_obj
def list_(session: Session, /, order: str, ascending: bool, limit: int, after: str, **flags: Any) -> int:
    """What is held, newest first."""
    return _page(session, query_of("", flags), order, ascending, limit, after)


@click.command()
@click.argument("text")
@narrowing
@click.pass_obj
def search(
    session: Session, /, text: str, order: str, ascending: bool, limit: int, after: str, **flags: Any
) -> int:
    """Objects that fit a query: plain words, and filters such as type:indicator.

    All words must occur, the last may be a beginning; words in quotation marks stand side by side. An address, a URL, a
    host, a network, a hash or a CVE is found as it is written, defanged too. The filters:

    \b
      type:indicator                     this STIX type
      marking:RED  tlp:red               treated at this level; none, unreadable
      source:"CERT B"                    from this counterpart or imported file
      counterpart:"CERT B"               from this counterpart
      after:2025-01-31  before:2025-02   changed on this date or later; before it
      confidence:70  confidence:30..50   at least so sure; between the two
      technique:T1059                    names this ATT&CK technique, or one under it
      revoked:yes  conflict:no           revoked or not; in conflict or not
      id:malware--...                    this object
      value:198[.]51.100.7               about exactly this observable
      part:vil.exam                      this in a URL, domain or file name (3 letters)
      network:192.0.2.0/24               about this network or what lies in it
      domain:evil.example                about this domain or one below it
      hash:abcd12  hash:md5:abcd12       about a hash that begins so
    """
    return _page(session, query_of(text, flags), order, ascending, limit, after)


def _page(session: Session, query: str, order: str, ascending: bool, limit: int, after: str) -> int:
    with session.unlocked() as installation:
        page = browsing.page(
            installation,
            browsing.selection(query),
            limit,
            after,
            order,
            order != browsing.RANK and not ascending,
        )
        called = titles.of_held(installation, page.rows)
        other = "" if page.total else browsing.in_the_middle(installation, query)
    lines = _page_lines(page, called)
    if other:
        lines.append(
            _("No word begins so. It is part of an address, a host or a file name: search {query}").format(
                query=other
            )
        )
    return session.show(page_document(page), lines)


def page_document(page: Page) -> dict[str, Any]:
    """A page of a list as its JSON document."""
    return {"total": page.total, "objects": [row_document(row) for row in page.rows], "next": page.next}


def row_document(row: ObjectRow) -> dict[str, Any]:
    """An object in a list."""
    return {
        "id": row.id,
        "type": row.type,
        "modified": row.modified or None,
        "name": row.name,
        "marking": None if row.marking is None else Level(row.marking).label,
        "handling": None if row.handling is None else Level(row.handling).label,
        "revoked": row.revoked,
        "conflict": row.in_conflict,
    }


def _page_lines(page: Page, called: Mapping[int, Title]) -> list[str]:
    lines = list(
        table(
            (row.modified, type_name(row.type), _level_word(row), titled(called[row.oid]), row.id)
            for row in page.rows
        )
    )
    lines.append(_("{shown} of {total}").format(shown=len(page.rows), total=page.total))
    if page.next:
        lines.append(f"--after {page.next}")
    return lines


def _level_word(row: ObjectRow) -> str:
    levels = [level for level in (row.marking, row.handling) if level is not None]
    return Level(max(levels)).label if levels else "-"


@click.command()
@click.argument("id_", metavar="ID")
@click.option("--hops", type=click.IntRange(1, 2), default=1, show_default=True, help="Steps to go.")
@click.option("--limit", type=click.IntRange(1, graph.LIMIT), default=graph.LIMIT, show_default=True)
@click.pass_obj
def neighbours(session: Session, id_: str, hops: int, limit: int) -> int:
    """What an object is linked with: by relationships, and by references in either."""
    with session.unlocked() as installation:
        found = graph.neighbours(installation, id_, hops, limit)
        called = titles.of_held(installation, [found.row, *(one.row for one in found.found)])
    document = {
        "id": found.row.id,
        "neighbours": [
            {
                "hops": one.hops,
                "from": one.near,
                "to": one.far,
                "rel": one.rel,
                "outward": one.outward,
                "relationship": one.by or None,
                "object": None if one.row is None else row_document(one.row),
            }
            for one in found.found
        ],
        "more": found.more,
    }
    lines = [plain(called[found.row.oid].words)]
    lines += table(
        (
            one.hops,
            (_("{rel} ->") if one.outward else _("<- {rel}")).format(rel=plain(one.rel)),
            type_name(one.row.type) if one.row else "-",
            titled(called[one.row.oid]) if one.row else _("not held"),
            one.far,
        )
        for one in found.found
    )
    if found.more:
        lines.append(_("There are more."))
    return session.show(document, lines)


@click.command()
@click.option("--limit", type=click.IntRange(1, graph.LIMIT), default=graph.LIMIT, show_default=True)
@click.option("--after", default="", help="The cursor `next` of the page before.")
@click.pass_obj
def dangling(session: Session, limit: int, after: str) -> int:
    """References of objects held to objects that are not."""
    with session.unlocked() as installation:
        found, following = graph.dangling(installation, limit, after)
    document = {
        "references": [{"id": one.id, "rel": one.rel, "target": one.target} for one in found],
        "next": following,
    }
    lines = [*table((one.id, one.rel, one.target) for one in found)] or [_("Nothing dangles.")]
    if following:
        lines.append(f"--after {following}")
    return session.show(document, lines)


COMMANDS: dict[str, click.Command] = {
    "list": list_,
    "search": search,
    "neighbours": neighbours,
    "dangling": dangling,
}
