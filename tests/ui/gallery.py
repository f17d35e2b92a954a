"""Sample things for the eye and for tests: every shared widget with ordinary, long, hostile and missing content."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from app.jobs import Job
from app.messages import Refused, _
from ui import icons
from ui.jobs import Task
from ui.widgets.buttons import Button, Check, Choice, MenuButton, Segments
from ui.widgets.chips import ChipRow, ChipSpec
from ui.widgets.digits import DigitEntry, DigitReading
from ui.widgets.layout import Hairline, Pane, Scroll, column, line
from ui.widgets.notices import Empty, Notice, Refusal, ResultLine
from ui.widgets.page import Header, ListDetail, ListPane, SearchField, count_text
from ui.widgets.paging import Cell, Column, Row, fixed_rows
from ui.widgets.panel import DetailPanel, Section, entry, fact, identifier, object_title, tags
from ui.widgets.sheet import Sheet, Steps
from ui.widgets.table import ListTable
from ui.widgets.tags import HandlingTag, KeyHint, StatusTag, TlpTag
from ui.widgets.text import Text, heading, muted, title
from ui.widgets.verdicts import Group, VerdictGroup
from ui.window import Frame

COLUMNS = (
    Column("name", "Name", 0, "name", True),
    Column("type", "Type", 112),
    Column("marking", "Marking", 136, "tag"),
    Column("source", "Source", 150),
    Column("modified", "Changed", 84, "date", True),
)

SAMPLES = (
    ("intrusion-set", "Copper Lantern", "", "Intrusion set", "AMBER", False, "Northmark CSIRT"),
    ("malware", "TIDEHOOK", "newer", "Malware", "AMBER+STRICT", True, "Northmark CSIRT"),
    ("attack-pattern", "Spearphishing Attachment", "", "Technique", "CLEAR", False, "Import: ATT&CK"),
    ("indicator", "Beacon to update-relay.saltpan.example", "", "Indicator", "AMBER", True, "Own analysis"),
    (
        "vulnerability",
        "Pre-authentication bypass in the Orrin mail gateway and its relatives",
        "",
        "Vulnerability",
        "GREEN",
        False,
        "Import: CSAF",
    ),
    (
        "infrastructure",
        "Relay cluster 198.51.100.0/27",
        "conflict",
        "Infrastructure",
        "AMBER",
        False,
        "Veldonia",
    ),
    ("report", "صفحة دخول تنتحل portal.almaria.example", "", "Report", "GREEN", False, "Own analysis"),
    ("campaign", "Winter Ledger", "revoked", "Campaign", "RED", False, "Own analysis"),
    ("tool", "evil\u202egpj.exe", "", "Tool", "?", False, "Veldonia CERT"),
    ("unheard-of", '<img src="/dev/zero">', "hits", "x-thing", "CLEAR", False, "Veldonia CERT"),
)


def rows(count: int = 40) -> list[Row]:
    out = []
    for n in range(count):
        kind, name, status, words, level, handled, source = SAMPLES[n % len(SAMPLES)]
        name = _(name) if kind != "report" else name
        out.append(
            Row(
                (
                    Cell(name, icon=icons.object_icon(kind), status=status),
                    Cell(_(words)),
                    Cell("", level=level, handled=handled),
                    Cell(_(source)),
                    Cell(f"{22 - n % 20} {_('Nov')}"),
                ),
                data=n,
            )
        )
    return out


def columns() -> tuple[Column, ...]:
    return tuple(Column(c.key, _(c.title), c.width, c.kind, c.sortable) for c in COLUMNS)


def chip_specs() -> list[ChipSpec]:
    return [
        ChipSpec("", _("All"), 24_771),
        ChipSpec("indicator", _("Indicators"), 9_204, "crosshair"),
        ChipSpec("malware", _("Malware"), 812, "bug"),
        ChipSpec("attack-pattern", _("Techniques"), 1_163, "swords"),
        ChipSpec("vulnerability", _("Vulnerabilities"), 3_918, "shield-alert"),
        ChipSpec("campaign", _("Campaigns"), 0, "flag"),
        ChipSpec("report", _("Reports"), 112, "file-text"),
    ]


def holdings() -> QWidget:
    table = ListTable(fixed_rows(columns(), rows()), _("Holdings"))
    table.sorted_by("modified", descending=True)
    header = Header(
        _("Holdings"),
        SearchField(_("Search name, id, value"), lambda _words: None),
        Button(_("Import…"), icon="download"),
    )
    header.count.setText(_("24,771 objects"))
    chips = ChipRow(lambda _key: None)
    chips.set(chip_specs(), "")
    more = ChipRow(lambda _key: None, trailing=count_text(_("1,318 match")))
    more.set(
        [
            ChipSpec("conflict", _("Conflicts"), 7, "split", "conflict"),
            ChipSpec("revoked", _("Revoked"), 41, "ban", "danger"),
        ]
    )
    listing = ListPane(header, [chips, more], table, Empty("database", _("Nothing is held yet.")))
    table.select_row(1)
    return ListDetail(listing, detail())


def detail() -> DetailPanel:
    panel = DetailPanel()
    text = _(
        "Modular loader seen against water and energy operators since March. Arrives as a signed updater, keeps one "
        "scheduled task, and fetches its second stage over HTTPS from hosts named after mail products."
    )
    panel.show_items(
        [
            object_title("bug", _("Malware"), "TIDEHOOK"),
            4,
            identifier("malware--5d0b7c1e-1111-4222-8333-9a41c0e2f7d8"),
            6,
            tags("AMBER", "AMBER+STRICT"),
            6,
            muted(_("Raised here by R. Haddad. The stricter one counts.")),
            8,
            Text(text, wrap=True),
            10,
            fact(_("Kind"), _("Loader, backdoor")),
            4,
            fact(_("Also called"), "Hook.T, Undertow"),
            4,
            fact(_("Active"), _("4 Mar 2026 to 19 Nov 2026")),
            16,
            Section(
                _("Versions"),
                3,
                entry(
                    "circle-arrow-up", _("22 Nov 2026, 09:14"), _("Current. From package 12"), color="info"
                ),
                entry("circle-dot", _("2 Sep 2026, 16:40"), _("From package 9")),
                action=Button(_("Compare"), "quiet", icon="git-compare"),
            ),
            Section(
                _("Sources"),
                2,
                entry(
                    "package-open", _("Northmark CSIRT, packages 9 and 12"), _("Signature valid. Agreement 3")
                ),
                entry("download", "enterprise-attack.json", _("Imported 11 Apr 2026 by R. Haddad")),
            ),
        ]
    )
    panel.show_foot(
        [
            Button(_("Release…"), "primary", icon="send"),
            Button(_("Relations"), icon="spline"),
            None,
            muted(_("Raw JSON")),
            KeyHint("J"),
        ]
    )
    return panel


def groups() -> QWidget:
    cols = (
        Column("name", "", 0, "name"),
        Column("marking", "", 130, "tag"),
        Column("source", "", 240),
    )
    some = [Row((r.cells[0], r.cells[2], r.cells[3])) for r in rows(9)]
    body = column(
        VerdictGroup(
            Group(
                "ceiling",
                "held",
                9,
                _("held back: above the agreement’s ceiling"),
                _("Leave them out, or propose an agreement with a higher ceiling."),
                some,
                (_("Propose agreement…"), "handshake", lambda: None),
            ),
            cols,
        ),
        VerdictGroup(
            Group(
                "closure",
                "held",
                3,
                _("held back: they refer to objects held back above"),
                _("They leave by themselves once what they refer to may leave."),
                some[:3],
                open=False,
            ),
            cols,
        ),
        VerdictGroup(
            Group(
                "leaves",
                "leaves",
                212,
                _("leave under agreement 3"),
                _("Every marking at or below AMBER."),
                some,
            ),
            cols,
        ),
        None,
    )
    inside = Pane("surface", layout=body)
    return Scroll(inside)


def components() -> QWidget:
    refusal = Refusal()
    refusal.show_refusal(Refused("wrong-passphrase"))
    result = ResultLine()
    result.say(_("Sealed, written, read back and verified."), keep=True)
    check = Check(_("Only what they lack"), checked=True)
    chips = ChipRow(lambda _key: None)
    chips.set(chip_specs(), "malware")
    disabled = Button(_("Continue"), "primary")
    disabled.setEnabled(False)
    statuses = (
        "new",
        "newer",
        "same",
        "older",
        "conflict",
        "revoked",
        "hits",
        "held",
        "leaves",
        "already-has",
    )
    body = column(
        title(_("Every component")),
        12,
        heading(_("Buttons")),
        8,
        line(
            Button(_("Seal for Northmark CSIRT"), "primary", icon="lock", large=True),
            Button(_("Change selection"), icon="list-checks"),
            Button(_("Reject the package…"), "danger", icon="x"),
            Button(_("Show all"), "quiet"),
            Button(_("Settings"), "icon", icon="settings"),
            disabled,
            None,
        ),
        12,
        line(
            Choice([("a", _("AMBER")), ("b", _("GREEN"))], "a", lambda _v: None),
            MenuButton(_("Source")),
            Segments([("routine", _("Routine")), ("flash", _("Flash"))], "routine"),
            check,
            None,
        ),
        16,
        heading(_("Tags")),
        8,
        line(*(TlpTag(v) for v in ("CLEAR", "GREEN", "AMBER", "AMBER+STRICT", "RED", "?")), None),
        8,
        line(HandlingTag("AMBER"), HandlingTag("AMBER+STRICT", long=True), KeyHint("Ctrl+K"), None),
        8,
        line(*(StatusTag(s) for s in statuses), None, gap=16),
        12,
        chips,
        12,
        Notice(_("2 references point to objects never held here. The package still leaves."), "warning"),
        8,
        Notice(
            _("The code to check appears once all eight digits are in. Three misses end this check."), "info"
        ),
        8,
        Notice(_("Same time of change and other content. Both texts stay until one is chosen."), "conflict"),
        8,
        refusal,
        8,
        result,
        12,
        Hairline(),
        12,
        DigitReading("40719326"),
        None,
        margins=24,
    )
    return Scroll(Pane("surface", layout=body))


def verify_sheet(window: QWidget) -> Sheet:
    sheet = Sheet(
        window, _("Verify Oster Bay CSIRT"), _("Call a number you already trust. Not one from the card.")
    )
    steps = Steps([_("Read your digits"), _("Type theirs"), _("Check codes"), _("Confirm")])
    steps.set(1)
    entry_field = DigitEntry()
    entry_field.set_digits("85203")
    for item in (
        steps,
        20,
        line(
            Text(_("Your digits"), size="strong", weight="semibold", fixed=True),
            muted(_("Read them one by one.")),
        ),
        8,
        DigitReading("40719326"),
        24,
        line(
            Text(_("Their digits"), size="strong", weight="semibold", fixed=True),
            muted(_("Either numerals.")),
        ),
        8,
        entry_field,
        12,
        Notice(
            _("The code to check appears once all eight digits are in. Three misses end this check."), "info"
        ),
    ):
        if isinstance(item, int):
            sheet.body.addSpacing(item)
        elif isinstance(item, QWidget):
            sheet.body.addWidget(item)
        else:
            sheet.body.addLayout(item)
    sheet.foot_lead.addWidget(Button(_("Start again"), "quiet", icon="rotate-ccw"))
    sheet.foot_trail.addWidget(Button(_("Cancel")))
    go = Button(_("Continue"), "primary")
    go.setEnabled(False)
    sheet.foot_trail.addWidget(go)
    return sheet


def frame() -> Frame:
    made = Frame(lambda _key: None, lambda: None, lambda: None)
    made.rail.show_officer("R. Haddad", "CERT Almaria")
    made.rail.until_lock.setText(_("Locks in 9 min"))
    made.rail.place("inbox").set_badge(3)
    made.add("holdings", holdings())
    made.add("releases", groups())
    made.add("audit", components())
    task = Task(_("Import: attack-19.json"), Job(), made)
    made.rail.watch(task)
    task.progressed.emit(15_360, 24_771, "store")
    made.show_place("holdings")
    return made
