"""The verification ceremony (docs: package and channel, section 5) as a guided sheet of four steps.

Both officers speak over a line they already trust. Each reads eight random digits, each types the other's; then each
reads half of a code that both cards and both sets of digits give, and types the other's half.
"""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget
from shiboken6 import isValid

from app.exchange import verification
from app.exchange.counterparts import Listed
from app.exchange.verification import Ceremony
from app.jobs import Job
from app.messages import Refused, _, ngettext
from app.store.installation import Installation
from ui import numbers
from ui.desk import COUNTERPARTS, Desk
from ui.safe_text import isolate
from ui.widgets.buttons import Button, Check
from ui.widgets.digits import DigitEntry, DigitReading
from ui.widgets.layout import Hairline, clear, column, line
from ui.widgets.notices import Icon, Notice, Refusal
from ui.widgets.sheet import Sheet, Steps
from ui.widgets.text import Text, muted

STATED = 3  # the last step: what the other officer says


def _part(name: str, help_text: str) -> QWidget:
    head = QWidget()
    head.setLayout(
        line(Text(name, size="strong", weight="semibold", fixed=True), muted(help_text), None, gap=10)
    )
    return head


class VerifySheet(Sheet):
    """Four steps: read your digits, type theirs, check codes, confirm."""

    verified = Signal()

    def __init__(self, desk: Desk, one: Listed) -> None:
        super().__init__(
            desk.window,
            _("Verify {name}").format(name=isolate(one.alias)),
            _("Call a number you already trust. Not one from the card."),
        )
        self._desk = desk
        self._one = one
        self._ceremony: Ceremony | None = None
        self._step = 0
        self.steps = Steps([_("Read your digits"), _("Type theirs"), _("Check codes"), _("Confirm")])
        self.body.addWidget(self.steps)
        self.body.addSpacing(20)
        self._content = column()
        self.body.addLayout(self._content)
        self.refusal = Refusal()
        self.body.addSpacing(12)
        self.body.addWidget(self.refusal)
        self.body.addSpacing(12)
        self.body.addWidget(Hairline())
        self.body.addSpacing(12)
        texts = column(
            muted(_("Fingerprint of their card"), size="small"),
            Text(_groups(one.fingerprint), size="label", mono=True, wrap=True),
            gap=2,
        )
        self.body.addLayout(line(column(Icon("fingerprint"), None), texts, gap=10))
        self.again = Button(_("Start again"), "quiet", icon="rotate-ccw", run=self.begin)
        self.foot_lead.addWidget(self.again)
        self.foot_trail.addWidget(Button(_("Cancel"), run=self.close_sheet))
        self.next = Button(_("Continue"), "primary", run=self._continue)
        self.foot_trail.addWidget(self.next)
        self.mine = DigitReading()
        self.theirs = DigitEntry(_("Their eight digits"))
        self.half = DigitReading()
        self.code = DigitEntry(_("The eight digits of the code that they read"))
        self.stated = Check(_("Their officer says that the check passed there too."))
        self.begin()

    def begin(self) -> None:
        """Fresh digits; whatever was typed before is void."""
        self.refusal.clear()
        self.next.setEnabled(False)
        fingerprint = self._one.fingerprint

        def work(installation: Installation, _job: Job) -> Ceremony:
            return verification.begin(installation, fingerprint)

        def done(ceremony: Ceremony) -> None:
            if isValid(self):
                self._ceremony = ceremony
                self._show(0)

        self._desk.read(work, done, self._refuse)

    def _refuse(self, refused: Refused) -> None:
        """In the sheet; over the place if it was closed."""
        if isValid(self):
            self.next.setEnabled(self._step == STATED)
            self.refusal.show_refusal(refused)
        else:
            self._desk.refused.emit(refused)

    def _show(self, step: int) -> None:
        self._step = step
        self.steps.set(step)
        ceremony = self._ceremony
        if ceremony is None:
            return
        clear(self._content)
        add = self._content.addWidget
        self.next.set_label(_("Continue"))
        self.next.setEnabled(step == 0)
        if step <= 1:
            self.mine = DigitReading(ceremony.mine)
            add(_part(_("Your digits"), _("Read them one by one, four and four.")))
            self._content.addSpacing(8)
            add(self.mine)
        if step == 1:
            self.theirs = DigitEntry(_("Their eight digits"))
            self.theirs.changed.connect(lambda digits: self.next.setEnabled(len(digits) == 8))
            self.theirs.returnPressed.connect(self._continue)
            self._content.addSpacing(20)
            add(_part(_("Their digits"), _("Type what their officer reads. Either numerals.")))
            self._content.addSpacing(8)
            add(self.theirs)
            self._content.addSpacing(12)
            add(
                Notice(
                    _("The code to check appears once all eight digits are in. Three misses end this check.")
                )
            )
            self.theirs.setFocus()
        if step == 2:
            self.half = DigitReading(ceremony.half)
            add(_part(_("Your half of the code"), _("Read it to their officer.")))
            self._content.addSpacing(8)
            add(self.half)
            self._content.addSpacing(20)
            self.code = DigitEntry(_("The eight digits of the code that they read"))
            self.code.changed.connect(lambda digits: self.next.setEnabled(len(digits) == 8))
            self.code.returnPressed.connect(self._continue)
            add(_part(_("Their half of the code"), _("Type what their officer reads.")))
            self._content.addSpacing(8)
            add(self.code)
            self.code.setFocus()
        if step == STATED:
            add(Notice(_("The code fits: their card came to you unchanged."), "success"))
            self._content.addSpacing(16)
            self.stated = Check(_("Their officer says that the check passed there too."))
            self.stated.toggled.connect(self.next.setEnabled)
            add(self.stated)
            self.next.set_label(_("Mark as verified"))
            self.stated.setFocus()
        self.refit()

    def _continue(self) -> None:
        ceremony = self._ceremony
        if ceremony is None or not self.next.isEnabled():
            return
        self.refusal.clear()
        if self._step == 0:
            self._show(1)
        elif self._step == 1:
            self._take(lambda: verification.hear(ceremony, self.theirs.digits))
        elif self._step == 2:
            self._take(lambda: verification.compare(ceremony, self.code.digits))
        else:
            self._confirm(ceremony)

    def _take(self, act: Callable[[], Ceremony]) -> None:
        # A few hashes: nothing that a worker would be needed for.
        try:
            self._ceremony = after = act()
        except Refused as refused:
            self._end(refused)
            return
        if self._step == 2 and not after.passed and not after.misses_left:
            self._end(Refused("verify-mismatch", name=self._one.alias))
            return
        if self._step == 2 and not after.passed:
            left = after.misses_left
            words = ngettext("{n} miss left.", "{n} misses left.", left).format(n=numbers.number(left))
            self.refusal.show_words(
                _("The code does not fit."),
                _("Have the digits read again, one by one.") + " " + words,
                "verify-mismatch",
            )
            self.code.set_digits("")
            self.code.setFocus()  # the button that had it cannot be pressed now
            self.refit()
            return
        self._show(self._step + 1)

    def _end(self, refused: Refused) -> None:
        """Nothing more can be typed; only fresh digits help."""
        self.refusal.show_refusal(refused, (_("Start again"), self.begin))
        self.code.setEnabled(False)
        self.next.setEnabled(False)
        self.refit()

    def _confirm(self, ceremony: Ceremony) -> None:
        def work(installation: Installation, _job: Job) -> Listed:
            return verification.confirm(installation, ceremony)

        def done(_one: Listed) -> None:
            if isValid(self):
                self.close_sheet()
                self.verified.emit()

        self.next.setEnabled(False)
        self._desk.write(work, done, self._refuse, changes=(COUNTERPARTS,))


def _groups(fingerprint: str) -> str:
    return " ".join(fingerprint[i : i + 4] for i in range(0, len(fingerprint), 4))
