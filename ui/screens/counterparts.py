"""Counterparts: the cards pinned here, their aliases and fingerprints, and the way to verify them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QRect, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QLineEdit, QSizePolicy, QWidget

from app import messages
from app.courier import folder
from app.exchange import agreements, counterparts, outbox
from app.exchange.agreements import Agreement
from app.exchange.counterparts import Listed
from app.exchange.ranges import spoken
from app.jobs import Job
from app.messages import N_, Refused, _
from app.store.installation import Installation
from ui import drawing, files, icons, numbers
from ui.actions import Entry
from ui.desk import COUNTERPARTS, Desk
from ui.safe_text import isolate, visible
from ui.screens.agreements import Agreements
from ui.screens.entry import form_row
from ui.screens.verify import VerifySheet
from ui.theme import theme
from ui.tokens import TOKENS
from ui.widgets.buttons import Button, CopyButton
from ui.widgets.layout import FOCUS_FIRST, Hairline, Item, Pane, Scroll, column, line
from ui.widgets.notices import Empty, Notice, Refusal, ResultLine
from ui.widgets.page import Header, ListDetail
from ui.widgets.panel import DetailPanel, Foot, Section, entry, fact
from ui.widgets.sheet import Question, Sheet
from ui.widgets.text import Text, muted, title
from ui.words import STATES, state_word

LIST = 424


def groups(fingerprint: str) -> str:
    """A fingerprint in groups of four."""
    return " ".join(fingerprint[i : i + 4] for i in range(0, len(fingerprint), 4))


@dataclass(frozen=True)
class Shown:
    """A counterpart with what was sealed for it."""

    one: Listed
    packages: tuple[outbox.Listed, ...]
    agreements: tuple[Agreement, ...]


class CounterpartList(QWidget):
    """Counterparts as rows of two lines."""

    opened = Signal(object)  # fingerprint

    def __init__(self) -> None:
        super().__init__()
        self.ones: list[Listed] = []
        self.current = ""
        self._hover = -1
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setProperty(FOCUS_FIRST, True)
        self.setAccessibleName(_("Counterparts"))
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def show_ones(self, ones: list[Listed]) -> None:
        self.ones = ones
        self.setFixedHeight(max(1, len(ones)) * TOKENS.row["two_line"])
        if ones and self.current not in {o.fingerprint for o in ones}:
            self.open(ones[0].fingerprint)
        self.update()

    def open(self, fingerprint: str) -> None:
        """Make this one current."""
        self.current = fingerprint
        one = next((o for o in self.ones if o.fingerprint == fingerprint), None)
        if one is not None:
            self.setAccessibleDescription(visible(one.alias))
        self.opened.emit(fingerprint)
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(LIST, max(1, len(self.ones)) * TOKENS.row["two_line"])

    def mousePressEvent(self, event: QMouseEvent) -> None:
        row = int(event.position().y()) // TOKENS.row["two_line"]
        if 0 <= row < len(self.ones):
            self.open(self.ones[row].fingerprint)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._hover = int(event.position().y()) // TOKENS.row["two_line"]
        self.update()

    def leaveEvent(self, event: object) -> None:
        self._hover = -1
        self.update()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        step = {Qt.Key.Key_Down: 1, Qt.Key.Key_Up: -1}.get(Qt.Key(event.key()), 0)
        at = next((i for i, o in enumerate(self.ones) if o.fingerprint == self.current), 0)
        if step and self.ones:
            self.open(self.ones[max(0, min(len(self.ones) - 1, at + step))].fingerprint)
        else:
            super().keyPressEvent(event)

    def focusInEvent(self, event: object) -> None:
        self.update()

    def focusOutEvent(self, event: object) -> None:
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        look = theme()
        height = TOKENS.row["two_line"]
        for number, one in enumerate(self.ones):
            whole = QRect(0, number * height, self.width(), height)
            on = one.fingerprint == self.current
            if on or number == self._hover:
                painter.fillRect(whole, look.color("selection" if on else "hover"))
            if on:
                painter.fillRect(
                    drawing.mirrored(QRect(0, whole.top(), 3, height), self.rect()), look.color("accent")
                )
            drawing.hairline(painter, 0, self.width(), whole.bottom(), strength=0.6)
            icon, color, words = state_of(one)
            width = look.metrics("label", "medium").horizontalAdvance(words) + 24
            first = QRect(whole.left() + 16, whole.top() + 8, whole.width() - width - 40, 20)
            first = drawing.mirrored(first, self.rect())
            drawing.text(
                painter,
                first,
                visible(one.alias),
                weight="semibold",
                color="selection_text" if on else "text",
            )
            second = QRect(whole.left() + 16, whole.top() + 28, whole.width() - 32, 18)
            said = _("Card added {day}").format(day=numbers.day(one.added))
            drawing.text(painter, drawing.mirrored(second, self.rect()), said, size="label", color="muted")
            at = QRect(whole.right() - width - 12, whole.top() + 8, width, 20)
            at = drawing.mirrored(at, self.rect())
            square = drawing.mirrored(QRect(at.left(), at.top() + 3, 14, 14), at)
            icons.draw(painter, icon, square, look.color(color))
            rest = drawing.mirrored(at.adjusted(20, 0, 0, 0), at)
            drawing.text(painter, rest, words, size="label", weight="medium", color=color)
            if on and self.hasFocus():
                drawing.ring(painter, whole, TOKENS.radius["tag"])
        painter.end()


def state_of(one: Listed) -> tuple[str, str, str]:
    """Icon, colour and word of how far a counterpart is trusted."""
    if one.revoked:
        return "ban", "danger", _("Revoked")
    if one.disputed:
        return "shield-question-mark", "danger", _("Two successors")
    if one.carried:
        return "badge-check", "warning", _("Verified, keys changed")
    if one.verified:
        return "badge-check", "success", _("Verified")
    return "shield-question-mark", "warning", _("Not verified")


class Counterparts(Pane):
    """The list of counterparts and one of them beside it."""

    def __init__(self, desk: Desk) -> None:
        super().__init__("surface")
        self._desk = desk
        self._shown: Shown | None = None
        self._drawn = ""
        add = Button(_("Add card…"), icon="user-plus", run=self.ask_card)
        self.header = Header(_("Counterparts"), add)
        self.list = CounterpartList()
        self.list.opened.connect(self._open)
        self.refusal = Refusal()
        self.result = ResultLine()
        desk.acting.connect(self.result.clear)
        desk.acting.connect(self.refusal.clear)
        self.empty = Empty(
            "users",
            _("No counterpart yet. Add the card they sent you, or drop it here."),
            Button(_("Add card…"), icon="user-plus", run=self.ask_card),
        )
        self._list_area = Scroll(self.list)
        own = Foot(Button(_("Export our card…"), icon="upload", run=self.export_card), self.result, margin=16)
        refusal = Pane(layout=column(self.refusal, margins=(16, 0, 16, 8)))
        rows = column(self.header, refusal, Hairline(), self._list_area, self.empty, own)
        for part in (self._list_area, self.empty):
            rows.setStretchFactor(part, 1)  # a refusal takes the height of its words, and no more
        side = Pane("surface", layout=rows)
        self.panel = DetailPanel()
        self.split = ListDetail(side, self.panel, fixed_list=LIST, list_min=LIST)
        self.setLayout(column(self.split))
        desk.changed.connect(self._changed)
        self.reload()

    def register(self) -> None:
        add = self._desk.actions.add
        add(
            Entry("add-card", "exchange", N_("Add a counterpart's card…"), "Ctrl+Shift+A", "user-plus", 3),
            self.ask_card,
        )
        add(Entry("export-card", "exchange", N_("Export our card…"), "", "upload", 3), self.export_card)
        add(Entry("verify", "exchange", N_("Verify the counterpart…"), "", "badge-check", 3), self.verify)
        add(Entry("alias", "exchange", N_("Rename the counterpart…"), "", "tag", 3), self.rename)

    def reload(self) -> None:
        """Fetch the counterparts anew."""
        self._desk.read(lambda installation, _job: counterparts.listed(installation), self._show_list)

    def _show_list(self, ones: list[Listed]) -> None:
        self.header.count.setText(numbers.number(len(ones)) if ones else "")
        self.empty.setVisible(not ones)
        self._list_area.setVisible(bool(ones))
        before = self.list.current
        self.list.show_ones(ones)
        if ones and self.list.current == before:
            self._open(before)
        if not ones:
            self._shown = None
            self._show_panel()
        self.split.want_detail(bool(ones))

    def _open(self, fingerprint: object) -> None:
        name = str(fingerprint)

        def work(installation: Installation, _job: Job) -> Shown:
            one = next(o for o in counterparts.listed(installation) if o.fingerprint == name)
            held = tuple(a for a in agreements.listed(installation) if a.counterpart in (one.alias, name))
            return Shown(one, tuple(outbox.listed(installation, name)[:10]), held)

        def done(shown: Shown) -> None:
            if self.list.current == name:
                self._shown = shown
                self._show_panel()

        self._desk.read(work, done)

    def _show_panel(self) -> None:
        if self._shown is None:
            self.panel.show_items([Empty("users", _("Choose a counterpart to see its card here."))])
            self.panel.show_foot([])
            self._drawn = ""
            return
        one = self._shown.one
        icon, _color, _words = state_of(one)
        items: list[Item] = [
            title(one.alias),
            6,
            muted(
                _("Name on the card: {name}, {country}").format(name=isolate(one.name), country=one.country)
            ),
            12,
        ]
        if one.revoked:
            items += [Notice(_("Revoked. Nothing is exchanged with it any more."), "danger", icon=icon), 12]
        elif not one.verified:
            verify = Button(_("Verify…"), "secondary", icon="badge-check", run=self.verify)
            said = _("Not verified. Nothing can be sealed for it or opened from it.")
            items += [Notice(said, "warning", icon=icon, action=verify), 12]
        elif one.disputed or one.carried:
            verify = Button(_("Verify…"), "secondary", icon="badge-check", run=self.verify)
            if one.disputed:
                said = messages.sentence("identity-forked", {"name": one.alias})
            else:
                said = messages.sentence("identity-rotated", {})
            items += [Notice(said, "danger" if one.disputed else "warning", icon=icon, action=verify), 12]
        else:
            items += [Notice(_("Verified: the card is theirs."), "success", icon=icon), 12]
        if one.lacks:
            said = messages.sentence("packages-lacking", {"name": one.alias, "numbers": spoken(one.lacks)})
            items += [Notice(said, "warning", icon=icon), 12]
        fingerprint = QWidget()
        text = Text(groups(one.fingerprint), size="label", mono=True, wrap=True)
        row = line(text, CopyButton(lambda: one.fingerprint), gap=8)
        row.setStretch(0, 1)
        fingerprint.setLayout(row)
        items += [
            fact(_("Added"), numbers.moment(one.added)),
            12,
            *(
                []
                if one.revoked or not one.verified
                else [Agreements(self._desk, one, self._shown.agreements)]
            ),
            Section(_("Fingerprint"), None, fingerprint),
            *(
                Section(_("Before"), None, *(muted(groups(old)) for old in one.former))
                for _once in one.former[:1]
            ),
            Section(
                _("Packages for it"),
                len(self._shown.packages),
                *(_package(p) for p in self._shown.packages),
                *([] if self._shown.packages else [muted(_("None yet."))]),
            ),
        ]
        self.panel.show_items(items, anew=one.fingerprint == self._drawn)
        self._drawn = one.fingerprint
        foot: list[Item] = []
        if not one.revoked:
            foot.append(Button(_("Revoke…"), "danger", icon="ban", run=self.revoke))
        foot += [None, Button(_("Rename…"), icon="tag", run=self.rename)]
        if one.verified and not one.revoked:
            foot.append(
                Button(_("Release…"), "primary", icon="send", run=lambda: self._desk.go.emit("holdings"))
            )
        elif not one.revoked:
            foot.append(Button(_("Verify…"), "primary", icon="badge-check", run=self.verify))
        self.panel.show_foot(foot)

    # --- acting -------------------------------------------------------------------------------------------------------

    def ask_card(self) -> None:
        """Ask for a card to add."""
        self._desk.go.emit("counterparts")
        files.ask(self.window(), _("Add a counterpart's card"), self.add_card)

    def add_card(self, path: Path) -> None:
        """Pin the card in a file, unverified."""
        self.refusal.clear()

        def work(installation: Installation, _job: Job) -> Listed:
            try:
                with path.open("rb") as file:
                    raw = file.read(counterparts.CARD_LIMIT + 1)
            except OSError as error:
                raise Refused("file-unreadable", path=path, why=error.strerror) from error
            return counterparts.add(installation, raw)

        def done(one: Listed) -> None:
            self.result.say(_("Card of {name} added.").format(name=isolate(one.alias)))
            self.list.open(one.fingerprint)

        self._desk.write(work, done, self.refusal.show_refusal, changes=(COUNTERPARTS,))

    def export_card(self) -> None:
        """Write our own card to a file for a counterpart."""
        self._desk.go.emit("counterparts")
        files.ask_new(self.window(), _("Export our card"), "mithaq.card", self.export_to)

    def export_to(self, path: Path) -> None:
        self.refusal.clear()

        def work(installation: Installation, _job: Job) -> int:
            return folder.write_pieces(path, [counterparts.own_card(installation)])

        def done(_size: int) -> None:
            self.result.say(_("Our card was written to {name}.").format(name=isolate(path.name)))

        self._desk.read(work, done, self.refusal.show_refusal)

    def _act(self, work: Callable[[Installation, Job], Listed], said: str) -> None:
        self.refusal.clear()
        self._desk.write(
            work, lambda _one: self.result.say(said), self.refusal.show_refusal, changes=(COUNTERPARTS,)
        )

    def verify(self) -> None:
        """Open the ceremony for the current counterpart."""
        if self._shown is None or self._shown.one.revoked:
            return
        sheet = VerifySheet(self._desk, self._shown.one)
        sheet.verified.connect(lambda: self.result.say(_("Verified.")))
        sheet.open()

    def rename(self) -> None:
        """Ask for another alias."""
        if self._shown is None:
            return
        one = self._shown.one
        sheet = Sheet(self._desk.window, _("Rename {name}").format(name=isolate(one.alias)), width=520)
        field = QLineEdit(one.alias)
        field.setMaxLength(200)
        field.setAccessibleName(_("Alias"))
        field.selectAll()
        sheet.body.addWidget(
            form_row(_("Alias"), field, _("Your own name for it. Only this installation sees it."))
        )

        def go() -> None:
            alias = field.text()
            sheet.close_sheet()
            self._act(lambda i, _job: counterparts.rename(i, one.fingerprint, alias), _("Renamed."))

        field.returnPressed.connect(go)
        sheet.foot_trail.addWidget(Button(_("Cancel"), run=sheet.close_sheet))
        sheet.foot_trail.addWidget(Button(_("Rename"), "primary", run=go))
        sheet.open()

    def revoke(self) -> None:
        """Ask before revoking."""
        if self._shown is None:
            return
        one = self._shown.one
        Question(
            self._desk.window,
            _("Revoke {name}?").format(name=isolate(one.alias)),
            _("Nothing will be sealed for it or opened from it any more. This cannot be undone."),
            _("Revoke the counterpart"),
            lambda: self._act(lambda i, _job: counterparts.revoke(i, one.fingerprint), _("Revoked.")),
            typed=_("revoke"),
        ).open()

    def _changed(self, what: frozenset[str]) -> None:
        if COUNTERPARTS in what or "releases" in what:
            self.reload()

    def forget(self) -> None:
        self.list.show_ones([])
        self._shown = None
        self._show_panel()


def _package(package: outbox.Listed) -> QWidget:
    icon, color, _words = STATES.get(package.state, ("package", "muted", ""))
    first = _("Package {seq}").format(seq=numbers.number(package.seq))
    second = f"{state_word(package.state)} · {numbers.moment(package.sealed)} · {numbers.size(package.size)}"
    return entry(icon, first, second, color=color)
