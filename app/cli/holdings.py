"""Commands about what is held: import, show, resolve, handling, purge, export."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from app.cli.base import (
    Session,
    counted,
    embargo_lines,
    given_document,
    given_lines,
    ids_from,
    level_option,
    plain_json,
    table,
    why,
)
from app.cli.hits import HITS_SHOWN, hit_document, hit_lines
from app.courier import folder
from app.exchange import embargo
from app.formats import stix
from app.holdings import attachments, browsing, exporting, feedback, handling, importing, revoking
from app.holdings import purge as purging
from app.intel import marking
from app.intel.marking import Level
from app.messages import Refused, Sentence, _, ngettext, plain
from app.words import ORIGINS, type_name, word

_LEVELS = click.Choice(["CLEAR", "GREEN", "AMBER", "AMBER+STRICT", "RED"], case_sensitive=False)


@click.command("import")
@click.argument("files", type=click.Path(path_type=Path), nargs=-1, required=True)
@click.option("--format", "format_", type=click.Choice(["auto", "stix"]), default="auto", show_default=True)
@level_option(
    "--handling", default=None, help="How to treat objects without a TLP marking (default: the setting)."
)
@click.pass_obj
def import_(session: Session, files: tuple[Path, ...], format_: str, handling: str | None) -> int:
    """Import STIX bundles into the holdings."""
    level = None if handling is None else marking.parse(handling)
    total = importing.Counts()
    stix.ready()
    with session.unlocked() as installation:
        for path in files:
            try:
                job = session.job()
                with stix.opened(path, job) as entries:
                    done = importing.import_entries(
                        installation, entries, path.name, level, job, stix.size(path)
                    )
            except Refused as error:
                # One file is an answer of its own; of several, those that went in stay in, and this one is named.
                if len(files) == 1:
                    raise
                total.refused.append((path.name, error.code))
                continue
            prefix = f"{path.name}: " if len(files) > 1 else ""
            total.add(done, prefix)
    if len(files) > 1 and not total.read:
        raise Refused("nothing-imported", where=total.refused[0][0], cause=total.refused[0][1])
    document = {
        "read": total.read,
        "new": total.new,
        "newer": total.newer,
        "older": total.older,
        "same": total.same,
        "conflicts": total.conflicts,
        "converted": total.converted,
        "disregarded": total.disregarded,
        "given_lower": [given_document(one) for one in total.given],
        "hits_total": total.hits,
        "hits": [{"id": id_} | hit_document(hit) for id_, hit in total.first_hits],
        "refused": [{"where": where, "code": code} for where, code in total.refused],
    }
    lines = [*table((name, value) for name, value in document.items() if name in _COUNTED)]
    lines += given_lines(total.given)
    if total.disregarded:
        lines.append(counted(total.disregarded, "remark-disregarded"))
    if total.hits:
        lines.append(_("{n} observables are held already:").format(n=total.hits))
        lines += hit_lines(hit for _id, hit in total.first_hits[:HITS_SHOWN])
    lines += [counted(plain(where), code) for where, code in total.refused]
    attention = bool(total.refused or total.conflicts or total.disregarded or total.given)
    return session.show(document, lines, attention=attention)


_COUNTED = ("read", "new", "newer", "older", "same", "conflicts", "converted")


@click.command()
@click.argument("id_", metavar="ID")
@click.option("--versions", is_flag=True, help="Every content held, with its text.")
@click.pass_obj
def show(session: Session, id_: str, versions: bool) -> int:
    """One object: its level, where it came from, its versions, its text."""
    import msgspec

    with session.unlocked() as installation:
        found, bound = browsing.show(installation, id_), embargo.of(installation, id_)
        said = feedback.of(installation, id_)
        acts = {act.number: act for version in found.versions for act in version.sources}.values()
        called = browsing.source_names(installation, acts)
        texts = (
            {v.row.vid: browsing.version_raw(installation, v.row.vid) for v in found.versions}
            if versions
            else {}
        )
    document: dict[str, Any] = {
        "id": found.row.id,
        "type": found.row.type,
        "name": found.row.name,
        "modified": found.row.modified or None,
        "marking": _label(found.marking),
        "handling": _label(found.handling),
        "embargo": {
            "held": bound.held or None,
            "travels": bound.travels or None,
            "theirs": bound.theirs or None,
        },
        "exercise": bound.exercise,
        "conflict": found.row.in_conflict,
        "contradicting": [row.id for row in found.contradicting],
        "feedback": [
            {"id": f.id, "type": f.type, "words": f.words, "kind": f.kind, "source": f.source} for f in said
        ],
        "creator": {
            "id": found.creator.identity or None,
            "side": found.creator_name or None,
            "pinned": found.creator.pinned,
        },
        "sources": [
            {"kind": o.kind, "name": o.name, "package": o.package, "officer": o.officer, "at": o.at}
            for o in acts
        ],
        "versions": [
            {
                "modified": v.row.modified or None,
                "sha256": v.row.sha256.hex(),
                "current": v.row.moment == found.row.moment and not v.row.dropped,
                "disregarded": v.row.disregarded,
                "converted": v.converted,
                "marking": _label(None if v.row.marking is None else Level(v.row.marking)),
                "sources": [o.number for o in v.sources],
            }
            | ({"object": msgspec.Raw(texts[v.row.vid])} if versions else {})
            for v in found.versions
        ],
        "object": msgspec.Raw(found.raw),
    }
    kind = type_name(found.row.type)
    lines = [Sentence("{name}  ({kind})").format(name=plain(found.row.name), kind=kind), found.row.id]
    lines += table([(_("marking"), document["marking"] or "-"), (_("handling"), document["handling"] or "-")])
    lines += embargo_lines(bound)
    lines += table(
        (word(ORIGINS, act.kind), name, act.officer, act.at) for act, name in zip(acts, called, strict=True)
    )
    lines += table((type_name(f.type), f.words[:60], word(ORIGINS, f.kind), f.source, f.id) for f in said)
    lines += table(
        (v["modified"] or "-", v["sha256"], "*" if v["current"] else "") for v in document["versions"]
    )
    lines += [
        counted(v["modified"] or "-", "remark-disregarded") for v in document["versions"] if v["disregarded"]
    ]
    lines += plain_json(found.raw)
    return session.show(document, lines, attention=document["conflict"])


@click.command()
@click.argument("id_", metavar="ID")
@click.option(
    "--keep",
    required=True,
    metavar="SHA256",
    help="The content to keep, as `show` lists it; a beginning will do.",
)
@click.pass_obj
def resolve(session: Session, id_: str, keep: str) -> int:
    """End a conflict: keep one content, set the others aside. All stay held."""
    with session.unlocked() as installation:
        aside = handling.resolve(installation, id_, keep)
    return session.show({"id": id_, "set_aside": aside}, [_("Conflict resolved.")])


@click.command()
@click.argument("identity", metavar="ID")
@click.option("--counterpart", "name", metavar="NAME", help="Its objects are this counterpart's.")
@click.option("--ours", is_flag=True, help="Its objects are ours.")
@click.option("--forget", is_flag=True, help="Let it follow again from where the identity came from first.")
@click.pass_obj
def creator(session: Session, identity: str, name: str | None, ours: bool, forget: bool) -> int:
    """Say whose the objects of an identity are: only they can revoke them."""
    if (name is not None) + ours + forget != 1:
        raise click.UsageError(_("Give one of --counterpart, --ours and --forget."))
    from app.exchange import counterparts

    with session.unlocked() as installation:
        cid = None
        if name is not None:
            cid = counterparts.find(installation.database.read(), name).cid
        looked_at = revoking.pin(installation, identity, revoking.OURS if ours else cid)
    lines = [_("Kept. {n} revoked objects were looked at again.").format(n=looked_at)]
    return session.show({"id": identity, "objects": looked_at}, lines)


@click.command("handling")
@click.argument("first", metavar="[ID]")
@click.argument("second", metavar="LEVEL", required=False)
@click.option(
    "--ids",
    type=click.Path(path_type=Path),
    help="Instead of ID: a file with one STIX id a line, or a JSON list of them. Each is treated at LEVEL at least.",
)
@click.pass_obj
def handling_(session: Session, first: str, second: str | None, ids: Path | None) -> int:
    """Set the TLP level at which an object is treated here."""
    if (second is None) is (ids is None):
        raise click.UsageError(_("Give an ID and a LEVEL, or a LEVEL and --ids."))
    level = _level(_LEVELS.convert(first if second is None else second, None, None))
    if ids is not None:
        return _raise_listed(session, ids_from(ids), level)
    with session.unlocked() as installation:
        changed = handling.set_level(installation, first, level)
    document = {
        "id": first,
        "before": _label(changed.before),
        "after": changed.after.label,
        "lowered": changed.lowered,
        "given": [given_document(one) for one in changed.given],
    }
    lines = [_("Handled as {level}.").format(level=changed.after.label), *given_lines(changed.given)]
    return session.show(document, lines, attention=bool(changed.given))


def _raise_listed(session: Session, ids: Sequence[str], level: Level) -> int:
    with session.unlocked() as installation:
        raised = handling.raise_listed(installation, ids, level, session.job())
    document = {
        "after": level.label,
        "objects": len(set(ids)),
        "raised": raised.objects,
        "given": [given_document(one) for one in raised.given],
    }
    words = _("Treated more strictly than before: {n} of {total}.")
    lines = [words.format(n=raised.objects, total=len(set(ids))), *given_lines(raised.given)]
    return session.show(document, lines, attention=bool(raised.given))


@click.command()
@click.option(
    "--ids",
    type=click.Path(path_type=Path),
    required=True,
    help="A file with one STIX id a line, or a JSON list of them.",
)
@click.pass_obj
def purge(session: Session, ids: Path) -> int:
    """Remove objects for good: every version, in the holdings and in decided packages of the inbox."""
    wanted = ids_from(ids)
    with session.unlocked() as installation:
        done = purging.purge_listed(installation, wanted, session.job())
    document = {
        "purged": done.objects,
        "versions": done.versions,
        "copies": done.copies,
        "referring": list(done.referring),
        "waiting": list(done.waiting),
        "sealed": [{"to": to, "seq": seq} for to, seq in done.sealed],
        "sanitised": [given_document(one) for one in done.sanitised],
    }
    lines = [_("{n} objects removed for good.").format(n=done.objects)]
    lines += [why("purge-referring", id=id_) for id_ in done.referring]
    lines += [why("purge-waiting", number=number) for number in done.waiting]
    lines += [why("purge-sealed", to=to, seq=seq) for to, seq in done.sealed]
    lines += [why("purge-sanitised", id=one.id, to=one.to, seq=one.seq) for one in done.sanitised]
    return session.show(document, lines, attention=len(lines) > 1)


@click.command()
@click.option("--out", type=click.Path(path_type=Path), required=True, help="The file to write.")
@click.option("--query", default="", help="Only what `search` would find.")
@click.option("--closure", is_flag=True, help="Also all that is held of what those objects need.")
@click.pass_obj
def export(session: Session, out: Path, query: str, closure: bool) -> int:
    """Write what is held, every version, as one STIX bundle in the clear."""
    with session.unlocked() as installation:
        chosen = browsing.selection(query)
        count = exporting.count(installation, chosen, closure)
        with folder.new_file(out) as file:
            exporting.log(installation, count)
            file.writelines(exporting.bundle(installation, chosen, session.job(), closure))
        left = attachments.count(installation, chosen)
    lines = [_("{n} objects written.").format(n=count)]
    if left:
        text = ngettext(
            "{n} attachment is not in it; `attachment save` writes it.",
            "{n} attachments are not in it; `attachment save` writes each.",
            left,
        )
        lines.append(text.format(n=left))
    return session.show({"objects": count, "file": str(out), "attachments": left}, lines)


def _label(level: Level | None) -> str | None:
    return None if level is None else level.label


def _level(word: str) -> Level:
    level = marking.parse(word)
    assert level is not None
    return level


COMMANDS: dict[str, click.Command] = {
    "import": import_,
    "show": show,
    "resolve": resolve,
    "creator": creator,
    "handling": handling_,
    "purge": purge,
    "export": export,
}
