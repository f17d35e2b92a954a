"""One object beside a list: readable properties, marking and handling, versions, sources; its exact text a key away."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import partial

from PySide6.QtWidgets import QWidget
from shiboken6 import isValid

from app.exchange import receipts
from app.holdings import handling
from app.holdings.browsing import Version
from app.holdings.graph import Neighbour
from app.holdings.titles import Title
from app.intel.marking import Level
from app.jobs import Job
from app.messages import Refused, _
from app.store.installation import Installation
from app.store.origins import Origin
from ui import icons, numbers, reading
from ui.desk import HOLDINGS, INBOX, Desk
from ui.jobs import Task
from ui.safe_text import isolate, short_id
from ui.screens.attached import Attached
from ui.screens.levels import open_levels
from ui.screens.linked import LinkedSheet, said
from ui.screens.named import heading
from ui.screens.told import Told
from ui.widgets.buttons import Button
from ui.widgets.layout import Item, line
from ui.widgets.notices import Empty, Notice, Refusal
from ui.widgets.panel import DetailPanel, Section, entry, fact, identifier, tags
from ui.widgets.tags import KeyHint
from ui.widgets.text import Text, muted
from ui.words import STATES, property_word, type_word

FACTS = 14
BACK_LETTERS = 40
RAW_LIMIT = 200_000


class ObjectPanel(DetailPanel):
    """The object of a row; empty until one is chosen."""

    def __init__(
        self,
        desk: Desk,
        say: Callable[[str], object],
        tell: Callable[[Told], object],
    ) -> None:
        super().__init__()
        self._tell = tell
        self._desk = desk
        self._oid: int | None = None
        self._whole: reading.Whole | None = None
        self._before: list[tuple[int, str]] = []
        self._raw = False
        self._drawn: tuple[int | None, bool] = None, False
        self._resolving: Task | None = None
        self.refusal = Refusal()
        self.attached = Attached(desk, say)
        desk.acting.connect(self._clear_refusal)
        self._show()

    @property
    def shown(self) -> reading.Whole | None:
        """What is shown."""
        return self._whole

    def show_object(self, oid: int | None) -> None:
        """Show the object of row `oid`."""
        self._before.clear()
        self._turn_to(oid)

    def follow(self, one: Neighbour) -> None:
        """Show an object that this one is linked with; there is a way back."""
        if self._whole is not None and one.row is not None:
            here = self._whole.shown
            self._before.append((here.row.oid, here.title.words))
            self._turn_to(one.row.oid)

    def show_linked(self) -> None:
        """Show all that this object is linked with."""
        if self._whole is not None:
            here = self._whole.shown
            LinkedSheet(self._desk, here.row.id, short_id(here.title.words), self.follow).open()

    def go_back(self) -> None:
        """Show the object from where one came."""
        if self._before:
            self._turn_to(self._before.pop()[0])

    def _turn_to(self, oid: int | None) -> None:
        if oid == self._oid and oid is not None:
            return
        self._oid = oid
        self._raw = False
        if oid is None:
            self._whole = None
            self._show()
        else:
            self.reload()

    def reload(self) -> None:
        """Fetch what is shown anew."""
        oid = self._oid
        if oid is None:
            return

        def done(whole: reading.Whole) -> None:
            if oid == self._oid:
                self._whole = whole
                self._show()

        def failed(_refused: Refused) -> None:
            if oid == self._oid:
                self.show_object(None)

        self._desk.read(lambda installation, _job: reading.whole(installation, oid), done, failed)

    def toggle_raw(self) -> None:
        """The exact text, or readable properties."""
        if self._whole is not None:
            self._raw = not self._raw
            self._show()

    # --- what is shown ------------------------------------------------------------------------------------------------

    def _show(self) -> None:
        whole = self._whole
        if whole is None:
            self.show_items([Empty("mouse-pointer-click", _("Choose an object to read it here."))])
            self.show_foot([])
            self._drawn = None, False
            self.attached.forget()
            return
        row = whole.shown.row
        items: list[Item] = []
        if self._before:
            words = _("Back to {name}").format(name=isolate(self._before[-1][1][:BACK_LETTERS]))
            items += [line(Button(words, "quiet", icon="arrow-left", run=self.go_back), None), 8]
        items += [
            heading(row.type, whole.shown.title),
            4,
            identifier(row.id),
        ]
        self.refusal = Refusal()
        items += self._raw_items(whole) if self._raw else self._readable(whole)
        drawn = row.oid, self._raw
        self.show_items(items, anew=drawn == self._drawn)
        self._drawn = drawn
        hint = muted(_("Readable") if self._raw else _("Raw JSON"))
        self.show_foot(
            [
                # What is read, which a link may have led to: the selection of the list is released over there.
                Button(
                    _("Release…"),
                    "primary",
                    icon="send",
                    run=lambda: self._desk.release_wanted.emit((row.id,)),
                ),
                Button(_("Handling"), icon="tag", trailing="chevron-down", run=self._open_levels),
                None,
                hint,
                KeyHint("J"),
            ]
        )

    def _raw_items(self, whole: reading.Whole) -> list[Item]:
        text = whole.shown.raw.decode("utf-8", "replace")
        shown = text[:RAW_LIMIT]
        if len(text) <= RAW_LIMIT:
            # Indented for reading; what is kept and sent is the exact text.
            shown = json.dumps(json.loads(text), indent=2, ensure_ascii=False)
        current = next(v.row for v in whole.shown.versions if v.row.vid == whole.shown.row.current)
        sha = Text(current.sha256.hex(), size="small", mono=True, color="muted", wrap=True)
        text_ = Text(shown, size="label", mono=True, wrap=True)
        return [self.refusal, 12, text_, 12, muted(_("SHA-256 of the exact text"), size="small"), 2, sha]

    def _readable(self, whole: reading.Whole) -> list[Item]:
        row = whole.shown.row
        marking, handling_ = reading.level_label(row.marking), reading.level_label(row.handling)
        items: list[Item] = []
        if marking or handling_:
            items += [6, tags(marking, handling_)]
            if marking and handling_:
                items += [6, muted(_("The stricter one counts."), size="label")]
        if row.variants > 1:
            words = _("Same time of change and other content. All stay until one is kept.")
            items += [12, Notice(words, "conflict"), 8, *self._conflict_items(whole)]
        elif row.disputed:
            words = _("Another object gives the file with this hash another SHA-256. Both stay.")
            others = (muted(isolate(one.id), size="label") for one in whole.shown.contradicting[:4])
            items += [12, Notice(words, "conflict"), 8, *others, 4, *self._conflict_items(whole)]
        items += self._bound_items(whole)
        if row.revoked:
            items += [12, Notice(_("Revoked by its creator."), "danger")]
        items.append(self.refusal)
        if whole.description:
            items += [12, Text(whole.description, wrap=True)]
        if whole.pattern:
            items += [12, Text(whole.pattern, size="label", mono=True, wrap=True)]
        if whole.facts:
            items.append(14)
            for name, value in whole.facts[:FACTS]:
                shown = numbers.moment(value) if name in reading.TIMES else value
                items += [fact(property_word(name), shown, mono=name in _MONO), 4]
            if len(whole.facts) > FACTS:
                more = len(whole.facts) - FACTS
                items += [muted(_("{n} more in the raw JSON").format(n=numbers.number(more)), size="label")]
        items.append(16)
        if whole.linked is not None and whole.linked.found:
            links = [self._link(one, whole.called) for one in whole.linked.found]
            if whole.linked.more:
                links.append(Button(_("Show all links…"), "quiet", icon="chevron-down", run=self.show_linked))
            items.append(Section(_("Linked"), None if whole.linked.more else len(links), *links))
        called = short_id(whole.shown.title.words)
        items.append(self.attached.section(row.id, called, whole.attachments, whole.senders))
        versions = whole.shown.versions
        items.append(Section(_("Versions"), len(versions), *(self._version(v, whole) for v in versions[:8])))
        sources = [s for v in versions for s in v.sources]
        items.append(Section(_("Sources"), len(sources), *(self._source(s, whole) for s in sources[:8])))
        if whole.feedback:
            said = (
                fact(type_word(one.type), f"{isolate(one.words)} ({isolate(one.source)})")
                for one in whole.feedback[:8]
            )
            items.append(Section(_("What is said of it"), len(whole.feedback), *said))
        if whole.holders:
            holders = (self._holder(one, row.modified) for one in whole.holders[:8])
            items.append(Section(_("Who has it"), len(whole.holders), *holders))
        return items

    def _bound_items(self, whole: reading.Whole) -> list[Item]:
        """Embargoes that are not over."""
        items: list[Item] = []
        today, bound = datetime.now(UTC).date().isoformat(), whole.bound
        if bound.held > today:
            words = _("Leaves for nobody before {day}.").format(day=numbers.day(bound.held))
            items += [12, Notice(words, "warning")]
        if bound.embargo > today:
            words = _("No onward use before {day}.").format(day=numbers.day(bound.embargo))
            items += [12, Notice(words, "warning")]
        if bound.exercise:
            items += [6, muted(_("A part of an exercise."), size="label")]
        return items

    def _link(self, one: Neighbour, called: Mapping[int, Title]) -> QWidget:
        """The object at the other end, and which of the two says what of the other."""
        link = said(one)
        if one.row is None:
            words = _("{link} · not held").format(link=link)
            return entry("circle-question-mark", short_id(one.far), words, color="warning")
        name = short_id(called[one.row.oid].words)
        show = Button(_("Show {name}").format(name=isolate(name)), "icon", icon="chevron-right")
        show.clicked.connect(lambda *_args: self.follow(one))
        words = f"{type_word(one.row.type)} · {link}"
        return entry(icons.object_icon(one.row.type), name, words, trailing=show)

    def _holder(self, one: receipts.Entry, current: str) -> QWidget:
        icon, color, words = STATES.get(one.state, ("package", "muted", one.state))
        which = _("This version") if one.modified == current else numbers.moment(one.modified)
        second = _("{version} · package {n} · {state}")
        said = second.format(version=which, n=numbers.number(one.seq), state=_(words))
        return entry(icon, one.to, said, color=color)

    def _version(self, version: Version, whole: reading.Whole) -> QWidget:
        current = version.row.vid == whole.shown.row.current
        first = (
            numbers.moment(version.row.modified) if version.row.modified else _("Without a time of change")
        )
        if version.row.dropped:
            second, icon, color = _("Set aside"), "minus", "muted"
        elif current:
            second, icon, color = _("Current"), "circle-arrow-up", "info"
        else:
            second, icon, color = _("Kept"), "circle-dot", "muted"
        return entry(icon, first, second, color=color)

    def _source(self, source: Origin, whole: reading.Whole) -> QWidget:
        when = numbers.moment(source.at)
        if source.kind == "package":
            name = whole.senders.get(source.name, source.name[:16])
            first = _("{name}, package").format(name=isolate(name))
            second = _("Accepted {when} by {officer}")
            icon = "package-open"
        elif source.kind == "declared":
            first, second, icon = source.name, _("Declared {when} by {officer}"), "badge-check"
        else:
            first, second, icon = source.name, _("Imported {when} by {officer}"), "download"
        return entry(icon, first, second.format(when=when, officer=isolate(source.officer)))

    # --- acting -------------------------------------------------------------------------------------------------------

    def _conflict_items(self, whole: reading.Whole) -> list[Item]:
        row = whole.shown.row
        items: list[Item] = []
        for version in whole.shown.versions:
            if version.row.moment == row.moment and not version.row.dropped:
                sha = version.row.sha256.hex()
                source = version.sources[-1] if version.sources else None
                said = whole.senders.get(source.name, source.name) if source is not None else ""
                keep = Button(_("Keep this"), run=partial(self._resolve, sha))
                words = Text(f"{sha[:8]} … {sha[-8:]}", size="label", mono=True)
                items += [line(words, muted(said, size="label"), None, keep, gap=8), 4]
        return items

    def _resolve(self, sha: str) -> None:
        whole = self._whole
        if whole is None or self._resolving in self._desk.jobs.running:
            return
        id_ = whole.shown.row.id

        def work(installation: Installation, _job: Job) -> int:
            return handling.resolve(installation, id_, sha)

        failed = partial(self._refuse, id_)
        self._resolving = self._desk.write(work, None, failed, changes=(HOLDINGS, INBOX))

    def _clear_refusal(self) -> None:
        self.attached.clear_refusal()
        if isValid(self.refusal):
            self.refusal.clear()

    def _refuse(self, id_: str, refused: Refused) -> None:
        """Beside the object it is about; over the place if that is not shown any more."""
        if self._whole is not None and self._whole.shown.row.id == id_:
            self.refusal.show_refusal(refused)
        else:
            self._desk.refused.emit(refused)

    def _open_levels(self) -> None:
        whole = self._whole
        if whole is None:
            return
        button = self.foot.findChildren(Button)[1]
        # What is shown may change under the menu.
        open_levels(self, button, _("Treat as {level}"), partial(self.set_handling, whole.shown.row.id))

    def set_handling(self, id_: str, level: Level) -> None:
        """Treat the object `id_` at `level` here."""

        def work(installation: Installation, _job: Job) -> handling.Changed:
            return handling.set_level(installation, id_, level)

        def done(changed: handling.Changed) -> None:
            self._tell(Told(given=changed.given))

        self._desk.write(work, done, partial(self._refuse, id_), changes=(HOLDINGS,))


_MONO = frozenset({"hashes", "value", "pattern_type"})
