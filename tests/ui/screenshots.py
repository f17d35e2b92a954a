"""Every screen as a picture: `python -m tests.ui.screenshots OUTDIR [MODE-LANGUAGE...]`, in English, Arabic and French,
light, dark and high contrast, on sample intel made here. On a display where there is one, else offscreen."""

from __future__ import annotations

import copy
import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

if not os.environ.get("DISPLAY"):
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from app import messages, vault
from app.courier import folder as courier
from app.exchange import agreements, counterparts, drops, recalling, receiving, releases
from app.exchange.releases import Wish
from app.exchange.terms import Clauses
from app.formats import stix
from app.holdings import attachments, browsing, handling, importing
from app.intel.marking import Level
from app.jobs import Job
from app.messages import Refused
from app.vault.checking import Problem
from tests.ui import gallery, stage
from tests.ui.driving import settle, wait
from ui import numbers, safe_text, theme
from ui.screens.agreements import ProposeSheet, SignSheet
from ui.screens.dangling import DanglingSheet
from ui.screens.export import ExportSheet
from ui.screens.key_sheet import Tell
from ui.screens.recalls import Answer
from ui.screens.recovery_kit import WordsSheet
from ui.screens.told import Told
from ui.screens.verify import VerifySheet
from ui.session import Session
from ui.tokens import RESOURCES
from ui.widgets.layout import Scroll
from ui.widgets.sheet import Question

SAMPLE = RESOURCES / "samples" / "copper-lantern.json"
TLP = {
    "GREEN": "marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb",
    "AMBER": "marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421",
    "AMBER+STRICT": "marking-definition--939a9414-2ddd-4d32-a0cd-375ea402b003",
    "RED": "marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1",
    "CLEAR": "marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487",
}

# Type, name, level ("" none), month and day. Names are invented.
OBJECTS = (
    ("malware", "TIDEHOOK", "AMBER", "11-22"),
    ("intrusion-set", "Copper Lantern (second set)", "AMBER", "11-22"),
    ("attack-pattern", "Spearphishing Attachment", "CLEAR", "11-21"),
    ("indicator", "Beacon to update-relay.saltpan.example", "", "11-21"),
    ("indicator", "TIDEHOOK loader, first stage (SHA-256)", "", "11-21"),
    ("vulnerability", "Pre-authentication bypass in the Orrin mail gateway, all versions", "GREEN", "11-20"),
    ("infrastructure", "Relay cluster 198.51.100.0/27", "AMBER", "11-20"),
    ("attack-pattern", "Exfiltration Over Web Service", "CLEAR", "11-19"),
    ("malware", "GLASSWREN", "GREEN", "11-19"),
    ("report", "Copper Lantern: activity against water utilities, third quarter", "", "11-18"),
    ("indicator", "صفحة دخول تنتحل portal.almaria.example", "", "11-18"),
    ("course-of-action", "Block macro execution from the Internet zone", "CLEAR", "11-18"),
    ("campaign", "Winter Ledger", "RED", "11-17"),
    ("attack-pattern", "Valid Accounts: Domain Accounts", "CLEAR", "11-17"),
    ("indicator", "evil\u202egpj.exe, a name that turns itself round", "GREEN", "11-16"),
    ("tool", "Ropewalk remote shell", "GREEN", "11-16"),
    ("vulnerability", "Privilege escalation in Tessera endpoint agent", "AMBER", "11-15"),
    ("intrusion-set", "Quiet Heron", "AMBER", "11-15"),
    ("indicator", "Mutex Global\\heron-7f", "AMBER", "11-14"),
    ("malware", '<img src="/dev/zero"> SALTPAN', "AMBER", "11-13"),
    ("attack-pattern", "Impair Defenses: Disable or Modify Tools", "CLEAR", "11-13"),
    ("attack-pattern", "Command and Scripting Interpreter: PowerShell", "CLEAR", "11-12"),
    ("indicator", "Scheduled task named “OrrinSync”", "GREEN", "11-12"),
    ("campaign", "Salt Harvest", "AMBER+STRICT", "11-11"),
)
TEXT = (
    "Modular loader seen against water and energy operators since March. Arrives as a signed updater, keeps one "
    "scheduled task, and fetches its second stage over HTTPS from hosts named after mail products."
)


def sample(number: int, kind: str, name: str, level: str, day: str) -> dict[str, Any]:
    """One invented object."""
    when = f"2026-{day}T09:14:00.000Z"
    made: dict[str, Any] = {
        "type": kind,
        "spec_version": "2.1",
        "id": f"{kind}--5d0b7c1e-0000-4000-8000-{number:012d}",
        "created": "2026-03-04T08:00:00.000Z",
        "modified": when,
        "name": name,
        "description": TEXT,
    }
    if level:
        made["object_marking_refs"] = [TLP[level]]
    if kind == "indicator":
        made |= {
            "pattern": "[ipv4-addr:value ISSUBSET '198.51.100.0/27']",
            "pattern_type": "stix",
            "valid_from": when,
            "confidence": 60,
        }
    if kind == "malware":
        made |= {
            "is_family": True,
            "malware_types": ["backdoor", "dropper"],
            "aliases": ["Hook.T", "Undertow"],
        }
        made |= {"first_seen": "2026-03-04T00:00:00Z", "last_seen": "2026-11-19T00:00:00Z"}
    if kind == "infrastructure":
        made |= {"infrastructure_types": ["command-and-control"], "confidence": 60}
    if kind == "report":
        made |= {"published": when, "object_refs": ["malware--5d0b7c1e-0000-4000-8000-000000000000"]}
    return made


def theirs(objects: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What the other side sends back: the same, newer, older, in conflict, revoked, and new."""
    out = []
    for number, one in enumerate(copy.deepcopy(objects[:16])):
        one["object_marking_refs"] = [TLP["CLEAR"]]
        if number in (6, 8):  # same time, other content
            one["name"] = one["name"].replace("27", "26").replace("GLASSWREN", "GLASSWREN loader")
            one["description"] = TEXT.replace("one scheduled task", "two scheduled tasks").replace(
                "March", "April"
            )
            one["confidence"] = 85
        elif number == 12:
            one["modified"] = "2026-11-23T07:00:00.000Z"
            one["revoked"] = True
        elif number % 4 == 0:
            one["modified"] = "2026-11-23T06:30:00.000Z"
            one["description"] = TEXT.replace("water and energy", "water, energy and rail")
        elif number % 4 == 1 or objects[number].get("object_marking_refs") != [TLP["CLEAR"]]:
            one["modified"] = "2026-05-01T06:30:00.000Z"
        out.append(one)
    for number in range(100, 121):
        kind, name = (
            ("indicator", f"Host relay-{number}.saltpan.example")
            if number % 3
            else ("malware", f"PAN-{number}")
        )
        out.append(sample(number, kind, name, "CLEAR", "11-22"))
    return out


def again() -> list[tuple[str, list[dict[str, Any]]]]:
    """Files of which an import has something to tell: what went out as CLEAR is RED now, and addresses are known."""
    stricter = [sample(n, *OBJECTS[n][:2], "RED", "11-24") for n in (2, 7, 11)]
    hosts = ("relay-7.saltpan.example", "mail-update.orrin.example", "198.51.100.17")
    kinds = ("domain-name", "domain-name", "ipv4-addr")
    alike = [
        [
            sample(number + n, "indicator", f"Beacon to {host}", "GREEN", "11-23")
            | {"pattern": f"[{kind}:value = '{host}']"}
            for n, (kind, host) in enumerate(zip(kinds, hosts, strict=True))
        ]
        for number in (200, 300)
    ]
    return [("own-blocklist.json", alike[0]), ("week-48.json", [*stricter, *alike[1]])]


class Stage:
    """Two installations, one of them in a window."""

    def __init__(self, application: QApplication, root: Path) -> None:
        self.application = application
        self.root = root
        self.told: Told | None = None
        objects = [sample(n, *row) for n, row in enumerate(OBJECTS)]
        self.a, self.b = stage.pair(root)
        stick = root / "LANTERN-02"
        stick.mkdir()
        self.stick = stick
        with vault.unlocked(self.b.home, stage.PASSPHRASE) as there:
            path = stage.bundle(root / "theirs.json", theirs(objects))
            with stix.opened(path) as entries:
                importing.import_entries(there, entries, path.name, Level.CLEAR, Job())
            wish = Wish(
                None,
                note="Water sector, week 47. Two of ours differ from yours; tell us which you keep.",
                priority="flash",
            )
            package = releases.release(there, "CERT Almaria", wish, stick, Job()).package.path
        with vault.unlocked(self.a.home, stage.PASSPHRASE) as here:
            for name, chosen, level in (
                ("own-analysis.json", objects, None),
                ("enterprise-attack.json", objects[2:3], None),
            ):
                path = stage.bundle(root / name, chosen)
                with stix.opened(path) as entries:
                    importing.import_entries(here, entries, name, level, Job())
            if SAMPLE.is_file():
                with stix.opened(SAMPLE) as entries:
                    importing.import_entries(here, entries, SAMPLE.name, None, Job())
            handling.set_level(here, objects[0]["id"], Level.AMBER_STRICT)
            for name, size, harmless in (
                ("loader, first stage.bin", 184_320, None),
                ("تقرير التحليل.pdf", 2_411_724, False),
            ):
                path = root / "attached"
                path.write_bytes(bytes(size))
                attachments.attach(here, path, objects[0]["id"], name, harmless, Job())
            changed = copy.deepcopy(objects[17])
            changed["description"] = "Other words at the same time."
            path = stage.bundle(root / "second-desk.json", [changed])
            with stix.opened(path) as entries:
                importing.import_entries(here, entries, path.name, None, Job())
            releases.release(here, "Northmark CSIRT", Wish(None, reference="2026/114"), stick, Job())
            receiving.receive(here, package, Job())
            terms = Clauses(
                ceiling=Level.AMBER, start="2026-01-01", until="2035-12-31", open_until="2035-12-31"
            )
            proposal = agreements.propose(here, "Northmark CSIRT", terms, (), stick, Job()).package.path
        with vault.unlocked(self.b.home, stage.PASSPHRASE) as there:
            receiving.receive(there, proposal, Job())
            back = recalling.recall(
                there, "CERT Almaria", [objects[4]["id"]], None, "It names a source of ours.", stick, Job()
            ).package.path
            signed = agreements.sign(there, 1, stick, Job()).package.path
        with vault.unlocked(self.a.home, stage.PASSPHRASE) as here:
            receiving.receive(here, back, Job())
            receiving.receive(here, signed, Job())
            extra = stage.create(root / "oster", "Oster Bay National CSIRT", "NL", "J. de Wit")
            with vault.unlocked(extra.home, stage.PASSPHRASE) as third:
                card = counterparts.own_card(third)
                courier.write_pieces(root / "oster.card", [card])
            counterparts.add(here, card, "Oster Bay CSIRT")

    def window(self, home: Path) -> Session:
        session = Session(self.application, home)
        session.show()
        session.window.resize(1440, 900)
        session.window.activateWindow()
        return session

    def unlocked(self) -> Session:
        session = self.window(self.a.home)
        opened = vault.unlock(self.a.home, stage.PASSPHRASE)
        session.enter(opened)
        wait(lambda: session.desk, "every place")
        settle(session)
        wait(lambda: session.window.frame and session.window.frame.rail.officer.shown, "the frame")
        settle(session)
        QTest.qWait(60)
        settle(session)
        return session


def close(session: Session) -> None:
    import threading

    session.window.close()
    for thread in threading.enumerate():
        if thread.name == "stopping":
            thread.join()
    session.window.deleteLater()
    QApplication.processEvents()


def shots(stand: Stage, save: Callable[[Session, str], None]) -> None:
    """Walk through every screen."""
    empty = stand.root / "nothing"
    session = stand.window(empty)
    save(session, "first-run")
    session.show_restore(Path("mithaq-2026-11-20.backup"))
    save(session, "restore")
    close(session)
    session = stand.window(stand.a.home)
    save(session, "unlock")
    door = session._unlock
    door.key.switch.click()
    save(session, "unlock-recovery")
    door.key.switch.click()
    door.refuse(Refused("rolled-back", here=1204, anchored=1398))
    save(session, "unlock-older")
    door.accept()
    save(session, "unlock-accept")
    close(session)

    session = stand.unlocked()
    frame = session.window.frame
    assert frame is not None
    holdings: Any = frame.place("holdings")
    session.go("holdings")
    at = next(
        n
        for n in range(40)
        if holdings.model.row_at(n) and holdings.model.row_at(n).cells[0].text == "TIDEHOOK"
    )
    holdings.table.select_row(at)
    holdings.table.setFocus()
    settle(session)
    save(session, "holdings")
    holdings.panel.show_linked()
    settle(session)
    QTest.qWait(60)
    settle(session)
    save(session, "linked")
    _close_sheets(session)
    attached = holdings.panel.attached
    holdings.panel.scroller.ensureWidgetVisible(attached.refusal.parentWidget())
    save(session, "attached")
    shown = holdings.panel.shown.shown.row
    attached.ask_name(shown.id, shown.name, Path("/media/stick/ملاحظات الميدان.txt"))
    save(session, "attach")
    _close_sheets(session)
    files_ = holdings.panel.shown.attachments
    attached.ask_save(next(one for one in files_ if one.sample))
    save(session, "save-sample")
    _close_sheets(session)
    attached.ask_remove(files_[0])
    save(session, "remove-attachment")
    _close_sheets(session)
    attached._refuse(files_[0].id, Refused("attachment-named", called=shown.name, name=files_[0].name))
    holdings.panel.scroller.ensureWidgetVisible(attached.refusal)
    save(session, "attached-refused")
    attached.clear_refusal()
    holdings.filters.choose_flag("conflict")
    settle(session)
    holdings.table.select_row(0)
    settle(session)
    save(session, "holdings-conflict")
    holdings.clear_filters()
    holdings.search.setText("nothing of the kind")
    QTest.qWait(200)
    settle(session)
    save(session, "holdings-no-match")
    holdings.search.setText("elay")
    QTest.qWait(200)
    settle(session)
    wait(holdings.middle.isVisible, "the offer")
    save(session, "holdings-middle")
    holdings.clear_filters()
    settle(session)
    holdings.panel.toggle_raw()
    settle(session)
    save(session, "holdings-raw")
    acts(session, holdings, save)
    session.window.open_palette()
    save(session, "palette")
    session.window._palette.close_palette()  # type: ignore[union-attr]

    session.go("releases")
    settle(session)
    save(session, "releases")
    session.desk.release_wanted.emit(None)  # type: ignore[union-attr]
    place: Any = frame.place("releases")
    wait(lambda: place.draft and place.draft._judged, "verdicts")
    place.draft.set_target(stand.stick)
    place.draft.note.setPlainText("Water sector, week 47")
    settle(session)
    save(session, "new-release")
    place.draft.preview(None)
    settle(session)
    save(session, "preview")
    _close_sheets(session)
    place.leave()

    session.go("counterparts")
    settle(session)
    save(session, "counterparts")
    people: Any = frame.place("counterparts")
    one = next(o for o in people.list.ones if not o.verified)
    people.list.open(one.fingerprint)
    settle(session)
    save(session, "counterparts-unverified")
    people.list.open(next(o for o in people.list.ones if o.verified).fingerprint)
    settle(session)
    ProposeSheet(session.desk, people._shown.one).open()  # type: ignore[arg-type]
    save(session, "propose")
    _close_sheets(session)
    SignSheet(session.window, people._shown.agreements[0], lambda: None).open()  # type: ignore[union-attr]
    save(session, "sign")
    _close_sheets(session)
    people.list.open(one.fingerprint)
    settle(session)
    people.verify()
    settle(session)
    sheet = session.window.findChildren(VerifySheet)[-1]
    wait(lambda: sheet._ceremony, "digits")
    sheet._show(1)
    sheet.theirs.set_digits("85203")
    sheet.theirs.setFocus()
    save(session, "verify")
    sheet.theirs.set_digits("85203171")
    sheet._continue()
    sheet.code.set_digits("00000000")
    sheet._continue()
    save(session, "verify-miss")
    _close_sheets(session)
    people.revoke()
    save(session, "question")
    _close_sheets(session)

    session.go("inbox")
    settle(session)
    save(session, "inbox")
    box: Any = frame.place("inbox")
    box.packages.recalls.ask(1)
    wait(lambda: session.window.findChildren(Answer), "the recall")
    save(session, "recall")
    _close_sheets(session)
    box.review(box.packages.model.ids[0])
    wait(lambda: box.under_review._review and box.under_review._beside, "the comparison")
    settle(session)
    save(session, "review")
    box.leave()

    session.go("audit")
    settle(session)
    audit: Any = frame.place("audit")
    audit.table.select_row(0)
    settle(session)
    save(session, "audit")
    session.go("settings")
    settle(session)
    save(session, "settings")
    settings: Any = frame.place("settings")
    shared = [drops.Listed(name, "Northmark CSIRT", f"/media/shared/{name}") for name in ("harbour", "مرفأ")]
    settings.drops.show_drops(tuple(shared), ())
    settings.drops.refusal.show_code("drop-missing", drops.facts(shared[1], ""))
    settle(session)
    settings.findChild(Scroll).ensureWidgetVisible(settings.drops, 0, 400)
    save(session, "settings-drops")
    settings.drops.refusal.clear()
    settings.backup.ask_move()
    save(session, "move")
    _close_sheets(session)
    settings.ways.ask_passphrase()
    save(session, "add-passphrase")
    _close_sheets(session)
    settings.ways.ask_remove(settings._shown.slots[0])
    save(session, "remove-slot")
    _close_sheets(session)
    settings.ways.ask_fresh()
    save(session, "fresh-key")
    _close_sheets(session)
    kit = WordsSheet(
        session.desk,
        Tell(print, print),
        tuple(["lizol", "darun", "durum", "gatag", "hakot", "zupit", "tilub"] * 2),
    )  # type: ignore[arg-type]
    kit.open()
    save(session, "recovery-kit")
    kit._next()
    save(session, "recovery-kit-try")
    _close_sheets(session)
    settings.store._checked([Problem("counters-wrong", "store"), Problem("attachment-stray", "stray.bin")])
    settings.backup.show_retired("2026-11-20T08:00:00.000Z")
    save(session, "settings-problems")
    settings.store.show_all()
    save(session, "problems")
    _close_sheets(session)
    session.go("holdings")
    for name, objects in again():
        holdings.import_file(stage.bundle(stand.root / name, objects))
        wait(lambda name=name: name in holdings.result.words, "the import")
    settle(session)
    # Only the first time has it anything to tell.
    stand.told = stand.told or holdings.telling.told
    holdings.telling.tell(stand.told)
    save(session, "holdings-told")
    holdings.telling.show_all()
    save(session, "told")
    _close_sheets(session)
    close(session)

    session = stand.window(empty)
    session.window.cover(gallery.frame())
    session.window.findChildren(gallery.Frame)[-1].show_place("audit")
    save(session, "components")
    session.window.findChildren(gallery.Frame)[-1].rail.fold(True)
    session.window.resize(1280, 720)
    session.window.findChildren(gallery.Frame)[-1].show_place("holdings")
    save(session, "smallest")
    close(session)


def acts(session: Session, holdings: Any, save: Callable[[Session, str], None]) -> None:
    """What can be done with what is listed or selected."""
    holdings.search.setText("lantern")
    QTest.qWait(200)
    holdings.order.choose(browsing.RANK, True)
    settle(session)
    save(session, "holdings-ranked")
    holdings.clear_filters()
    holdings.order.choose("modified", True)
    holdings.filters.choose_type("relationship")
    settle(session)
    save(session, "holdings-relationships")
    holdings.clear_filters()
    folder = session.desk.installation.home.parent  # type: ignore[union-attr]
    lost = [sample(n, "indicator", f"Beacon {n}", "GREEN", "11-10") for n in (400, 401)]
    for number, one in enumerate(lost):
        one["created_by_ref"] = "identity--5d0b7c1e-0000-4000-8000-000000000999"
        one["object_marking_refs"].append(f"marking-definition--5d0b7c1e-0000-4000-8000-00000000000{number}")
    holdings.import_file(stage.bundle(folder / "partner-feed.json", lost))
    settle(session)
    holdings.telling.clear()
    holdings.filters.choose_flag("dangling")
    settle(session)
    save(session, "holdings-dangling")
    holdings.dangling.ask()
    wait(lambda: session.window.findChildren(DanglingSheet), "what is missing")
    save(session, "dangling")
    _close_sheets(session)
    holdings.clear_filters()
    settle(session)
    holdings.table.select_row(0)
    for _row in range(5):
        QTest.keyClick(holdings.table, Qt.Key.Key_Down, Qt.KeyboardModifier.ShiftModifier)
    settle(session)
    save(session, "holdings-selected")
    holdings.export_listed()
    wait(lambda: session.window.findChildren(ExportSheet), "the sheet")
    save(session, "export")
    _close_sheets(session)
    holdings.purge_selected()
    wait(lambda: session.window.findChildren(Question), "the question")
    save(session, "purge")
    _close_sheets(session)


def _close_sheets(session: Session) -> None:
    from ui.widgets.sheet import Sheet

    for sheet in session.window.findChildren(Sheet):
        sheet.close_sheet()
    QApplication.processEvents()


def speak(language: str) -> None:
    """Speak a language, English too, from the next screen on."""
    messages.use_language(language)
    numbers.use_arabic_digits(language == "ar")
    theme.theme().set_arabic(language == "ar")


def main(arguments: list[str]) -> int:
    out = Path(arguments[0])
    wanted = set(arguments[1:])
    out.mkdir(parents=True, exist_ok=True)
    application = QApplication(["mithaq"])
    theme.install(application)
    safe_text.install_rule(application)
    root = Path(tempfile.mkdtemp(prefix="mithaq-pictures-"))
    try:
        stand = Stage(application, root)
        for mode, language in (
            ("light", "en"),
            ("dark", "en"),
            ("light", "ar"),
            ("dark", "ar"),
            ("light", "fr"),
            ("dark", "fr"),
            ("high_contrast", "en"),
        ):
            if wanted and f"{mode}-{language}" not in wanted:
                continue
            speak(language)
            theme.theme().set_mode(mode)  # type: ignore[arg-type]
            with vault.unlocked(stand.a.home, stage.PASSPHRASE) as here:
                from app import officers

                officers.change_setting(here, "theme", mode)

            def save(session: Session, name: str, mode: str = mode, language: str = language) -> None:
                for _round in range(4):
                    QApplication.processEvents()
                session.window.grab().save(str(out / f"{name}-{mode.replace('_', '-')}-{language}.png"))

            shots(stand, save)
    finally:
        speak("en")
        shutil.rmtree(root, ignore_errors=True)
    print(f"{len(list(out.glob('*.png')))} pictures in {out}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
