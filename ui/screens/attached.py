"""The files attached to an object, in its panel: seen, attached, saved out, destroyed.

A name from outside is shown and suggested, never followed: whoever saves one out names the file. A malware sample
leaves as a zip with a password only, and that is said before the file is chosen. Of the object only its id is known.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from PySide6.QtWidgets import QLineEdit, QWidget
from shiboken6 import isValid

from app.courier import folder
from app.holdings import attachments, samples
from app.holdings.filenames import safe
from app.jobs import Job
from app.messages import Refused, _, ngettext
from app.store.attachments import Attachment
from app.store.installation import Installation
from ui import files, numbers
from ui.desk import AUDIT, HOLDINGS, Desk
from ui.safe_text import isolate, isolate_file, isolate_ltr
from ui.screens.entry import form_row
from ui.widgets.buttons import Button, Choice, CopyButton
from ui.widgets.layout import column, line
from ui.widgets.notices import Icon, Refusal
from ui.widgets.panel import Section
from ui.widgets.sheet import Question, Sheet
from ui.widgets.text import Text, muted

STEP = 50
"""Files that are shown at once; a click shows as many more."""
NAME_LETTERS = 200
KINDS: dict[str, bool | None] = {"told": None, "sample": True, "harmless": False}


class Attached:
    """One for a panel; `section` is made anew whenever an object is shown, what was refused stays with its object."""

    def __init__(self, desk: Desk, say: Callable[[str], object]) -> None:
        self._desk, self._say = desk, say
        self._id = self._name = ""
        self._refused: Refused | None = None
        self.refusal = Refusal()

    # --- what is shown ------------------------------------------------------------------------------------------------

    def section(self, id_: str, name: str, found: tuple[Attachment, ...], senders: dict[str, str]) -> Section:
        """The files of the object `id_`, which is called `name`. `senders`: fingerprint to alias."""
        if id_ != self._id:
            self._id, self._name, self._refused = id_, name, None
        self.refusal = Refusal()
        if self._refused is not None:
            self.refusal.show_refusal(self._refused)
        add = Button(_("Attach a file…"), "quiet", icon="paperclip", run=self.ask_file)
        made = Section(_("Attachments"), len(found) or None, self.refusal, action=add)
        if not found:
            made.content.addWidget(muted(_("No file is attached."), size="label"))
        self._show_some(made, found, senders, 0)
        return made

    def _show_some(
        self, made: Section, found: tuple[Attachment, ...], senders: dict[str, str], start: int
    ) -> None:
        for one in found[start : start + STEP]:
            made.content.addWidget(self._row(one, senders))
        left = len(found) - start - STEP
        if left <= 0:
            return
        following = min(left, STEP)
        words = ngettext("Show {number} more file", "Show {number} more files", following)
        more = Button(words.format(number=numbers.number(following)), "quiet", icon="chevron-down")

        def go() -> None:
            more.hide()
            more.deleteLater()
            self._show_some(made, found, senders, start + STEP)

        more.clicked.connect(lambda *_args: go())
        made.content.addWidget(more)

    def _row(self, one: Attachment, senders: dict[str, str]) -> QWidget:
        name, when = isolate_file(one.name), numbers.moment(one.at)
        if one.giver:
            source = _("From {name}, {when}").format(
                name=isolate(senders.get(one.giver, one.giver[:16])), when=when
            )
        else:
            source = _("Attached {when} by {officer}").format(when=when, officer=isolate(one.officer))
        facts = numbers.size(one.size)
        if one.sample:
            facts = _("{size} · malware sample, saved as a zip").format(size=facts)
        save = Button(_("Save {name}…").format(name=name), "icon", icon="download")
        save.clicked.connect(lambda *_args: self.ask_save(one))
        remove = Button(_("Remove {name}…").format(name=name), "icon", icon="trash-2")
        remove.clicked.connect(lambda *_args: self.ask_remove(one))
        texts = column(
            Text(isolate_file(one.name), size="label", weight="medium", elide="middle"),
            Text(facts, size="small", color="muted"),
            Text(source, size="small", color="muted"),
            gap=1,
        )
        icon = Icon("bug", "warning") if one.sample else Icon("file", "muted")
        layout = line(
            column(icon, None, margins=(0, 1, 0, 0)), texts, column(line(save, remove, gap=0), None), gap=10
        )
        layout.setStretch(1, 1)
        row = QWidget()
        row.setLayout(layout)
        return row

    def forget(self) -> None:
        """No object is shown."""
        self._id, self._name, self._refused = "", "", None

    # --- acting -------------------------------------------------------------------------------------------------------

    def ask_file(self) -> bool:
        """Ask for a file to attach to the object shown; returns whether there is one."""
        if self._id:
            files.ask(self._desk.window, _("Attach a file"), partial(self.ask_name, self._id, self._name))
        return bool(self._id)

    def ask_name(self, id_: str, object_name: str, path: Path) -> None:
        """Ask what the file is to be called with the object `id_`, and whether it is malware."""
        AttachSheet(self._desk.window, path, object_name, partial(self.attach, id_, path)).open()

    def attach(self, id_: str, path: Path, name: str, sample: bool | None) -> None:
        """Attach the file at `path` to the object `id_`."""

        def work(installation: Installation, job: Job) -> Attachment:
            return attachments.attach(installation, path, id_, name, sample, job)

        def done(one: Attachment) -> None:
            words = (
                _("{name} is attached: {size}, a malware sample.")
                if one.sample
                else _("{name} is attached: {size}.")
            )
            self._say(words.format(name=isolate_file(one.name), size=numbers.size(one.size)))

        self._desk.write(
            work,
            done,
            partial(self._refuse, id_),
            changes=(HOLDINGS,),
            title=_("Attach: {name}").format(name=isolate_file(path.name)),
            cancelled=lambda: self._say(_("Attaching cancelled. Nothing was changed.")),
        )

    def ask_save(self, one: Attachment) -> None:
        """Ask where an attachment is to be written; of a malware sample, say first as what, and with which password."""
        if one.sample:
            SampleSheet(self._desk.window, one.name, lambda: self._ask_target(one, ".zip")).open()
        else:
            self._ask_target(one, "")

    def _ask_target(self, one: Attachment, suffix: str) -> None:
        name = safe(one.name) + suffix
        files.ask_new(self._desk.window, _("Save the attachment"), name, partial(self.save, one))

    def save(self, one: Attachment, path: Path) -> None:
        """Write an attachment to a new file; a malware sample as a zip with a password."""

        def work(installation: Installation, job: Job) -> attachments.Saving:
            saving = attachments.save(installation, one.id, one.name, job)
            folder.write_pieces(path, saving.pieces)
            return saving

        def done(saving: attachments.Saving) -> None:
            words = _("The attachment was written to {name}.")
            if saving.zipped:
                words = _("The sample was written to {name}, a zip with the password {password}.")
            self._say(words.format(name=isolate_file(path.name), password=isolate(samples.PASSWORD)))

        def logged(told: Callable[[], object]) -> None:
            # The log has it before the first byte is written, whatever came of it.
            self._desk.changed.emit(frozenset((AUDIT,)))
            told()

        self._desk.write(
            work,
            done,
            lambda refused: logged(partial(self._refuse, one.id, refused)),
            changes=(),
            title=_("Save the attachment"),
            cancelled=lambda: logged(partial(self._say, _("Saving cancelled. Nothing was written."))),
        )

    def ask_remove(self, one: Attachment) -> None:
        """Ask before an attachment is destroyed."""
        Question(
            self._desk.window,
            _("Remove {name}?").format(name=isolate_file(one.name)),
            _(
                "The file is gone for good: its key is deleted. Backups made before have it still, and what went to"
                " counterparts stays with them."
            ),
            _("Remove the file"),
            partial(self.remove, one),
        ).open()

    def remove(self, one: Attachment) -> None:
        """Destroy an attachment."""
        said = _("{name} is destroyed.").format(name=isolate_file(one.name))
        self._desk.write(
            lambda installation, _job: attachments.remove(installation, one.id, one.name),
            lambda _none: self._say(said),
            partial(self._refuse, one.id),
            changes=(HOLDINGS,),
        )

    def clear_refusal(self) -> None:
        """What comes next is not what was refused."""
        self._refused = None
        if isValid(self.refusal):
            self.refusal.clear()

    def _refuse(self, id_: str, refused: Refused) -> None:
        """Beside the files it is about; over the place if those are not shown any more."""
        if id_ == self._id and isValid(self.refusal) and self.refusal.parentWidget() is not None:
            self._refused = refused
            self.refusal.show_refusal(refused)
        else:
            self._desk.refused.emit(refused)


class AttachSheet(Sheet):
    """What a file is to be called with its object, and whether it is malware."""

    def __init__(
        self, window: QWidget, path: Path, object_name: str, attach: Callable[[str, bool | None], object]
    ) -> None:
        super().__init__(window, _("Attach a file"), isolate(object_name), width=560)
        self._attach = attach
        self.name = QLineEdit(safe(path.name))
        self.name.setMaxLength(NAME_LETTERS)
        self.name.setAccessibleName(_("Name"))
        self.name.returnPressed.connect(self._go)
        self.kind = Choice(
            [
                ("told", _("As its object and first bytes tell")),
                ("sample", _("A malware sample")),
                ("harmless", _("Harmless")),
            ],
            "told",
            lambda _kind: None,
        )
        kind = QWidget()
        kind.setLayout(line(self.kind, None))
        help_ = _(
            "A sample is saved out as a zip with a password only, so that nothing opens it by accident."
        )
        self.body.addWidget(
            form_row(_("File"), Text(isolate_ltr(str(path)), size="label", mono=True, wrap=True))
        )
        self.body.addSpacing(10)
        self.body.addWidget(form_row(_("Name"), self.name, _("What it is called with the object.")))
        self.body.addSpacing(10)
        self.body.addWidget(form_row(_("Taken as"), kind, help_))
        self.foot_trail.addWidget(Button(_("Cancel"), run=self.close_sheet))
        self.foot_trail.addWidget(Button(_("Attach the file"), "primary", run=self._go))

    def _go(self) -> None:
        name, sample = self.name.text(), KINDS[self.kind.value]
        self.close_sheet()
        self._attach(name, sample)


class SampleSheet(Sheet):
    """That a malware sample is written as a zip, and its password, before there is a file."""

    def __init__(self, window: QWidget, name: str, choose: Callable[[], object]) -> None:
        super().__init__(window, _("Save a malware sample"), isolate_file(name), width=520)
        words = _(
            "It is written as a zip that opens with a password, so that no double click, preview or scanner touches it."
            " In the zip it is called by its SHA-256."
        )
        password = QWidget()
        shown = Text(samples.PASSWORD, size="body", mono=True, fixed=True)
        password.setLayout(
            line(shown, CopyButton(lambda: samples.PASSWORD, _("Copy the password")), None, gap=6)
        )
        self.body.addWidget(Text(words, wrap=True))
        self.body.addSpacing(12)
        self.body.addWidget(form_row(_("Password"), password))
        self.body.addSpacing(4)
        self.body.addWidget(
            muted(_("Everybody in the field knows it: it keeps the sample shut, not secret."), wrap=True)
        )
        self._choose = choose
        self.foot_trail.addWidget(Button(_("Cancel"), run=self.close_sheet))
        self.choose_button = Button(_("Choose the file…"), "primary", run=self._go)
        self.foot_trail.addWidget(self.choose_button)

    def open(self) -> None:
        super().open()
        self.choose_button.setFocus()

    def _go(self) -> None:
        self.close_sheet()
        self._choose()
