"""What is printed on paper: the slip of a package, an inspector's report.

In the language in use; what came from outside is made plain.
"""

from __future__ import annotations

import base64
import html
from collections.abc import Sequence

from app.audit.checking import Break
from app.audit.report import Report
from app.direction import isolate, isolate_ltr, shown
from app.exchange.slips import Slip
from app.messages import _, listed, pgettext, plain, remedy, right_to_left, sentence
from app.words import ACTS, word

GROUP = 8
LINE = 4
_STYLE = (
    "@page { size: A4; margin: 20mm } body { font: 11pt sans-serif } h1 { font-size: 15pt } th, td { padding: 2mm 3mm;"
    " vertical-align: top; text-align: start } .code { font-family: monospace } .sign td { border-bottom: 1px solid;"
    " height: 14mm }"
)


def slip(found: Slip) -> list[str]:
    """The lines of the slip that goes with a package. Each value keeps its own direction, numbers and hashes theirs."""
    width = max(len(label) for label, *_rest in _facts(found))
    lines = [_("Slip for a sealed package"), ""]
    for label, values, code in _facts(found):
        for index, value in enumerate(values):
            head = f"{label}:" if index == 0 else ""
            lines.append(f"{head:{width + 2}}{isolate_ltr(value) if code else isolate(value)}")
    lines += ["", _("Compare the SHA-256 of the file before it is opened.")]
    for who in _signers():
        lines += ["", f"{who}", "", *(f"{what}: {'_' * 40}" for what in _signing())]
    return [shown(line) for line in lines]


def slip_page(found: Slip) -> str:
    """The slip as a page to be printed: HTML without anything from elsewhere."""
    runs = "rtl" if right_to_left() else "ltr"
    rows = "".join(
        f"<tr><th>{html.escape(label)}</th><td>{'<br>'.join(_cell(value, code) for value in values)}</td></tr>"
        for label, values, code in _facts(found)
    )
    signing = "".join(f"<th>{html.escape(what)}</th>" for what in _signing())
    signers = "".join(
        f"<tr><th>{html.escape(who)}</th>{'<td>&nbsp;</td>' * len(_signing())}</tr>" for who in _signers()
    )
    return shown(
        f'<!DOCTYPE html><html dir="{runs}"><head><meta charset="utf-8"><title>{html.escape(_("Slip"))}</title>'
        f"<style>{_STYLE}</style></head><body><h1>{html.escape(_('Slip for a sealed package'))}</h1>"
        f"<table>{rows}</table><p>{html.escape(_('Compare the SHA-256 of the file before it is opened.'))}</p>"
        f'<table class="sign" width="100%"><tr><th></th>{signing}</tr>{signers}</table></body></html>\n'
    )


def _facts(found: Slip) -> list[tuple[str, list[str], bool]]:
    """(label, lines, whether they are codes to be read from left to right)."""
    priority = _("Flash") if found.priority == "flash" else _("Routine")
    return [
        (pgettext("recipient", "To"), [plain(found.to)], False),
        (_("Fingerprint"), _grouped(found.to_fingerprint), True),
        (pgettext("sender", "From"), [plain(found.sender)], False),
        (_("Fingerprint"), _grouped(found.sender_fingerprint), True),
        (_("Package"), [str(found.seq)], True),
        (_("Reference"), [plain(found.reference) or "-"], False),
        (_("Priority"), [priority], False),
        (pgettext("time", "Sealed"), [found.sealed], True),
        (_("File"), [found.file], True),
        (_("Size"), [str(found.size)], True),
        ("SHA-256", _grouped(found.sha256), True),
    ]


def _grouped(digits: str) -> list[str]:
    """A hash as people compare it: groups of eight, four to a line."""
    groups = [digits[i : i + GROUP] for i in range(0, len(digits), GROUP)]
    return [" ".join(groups[i : i + LINE]) for i in range(0, len(groups), LINE)]


def _cell(value: str, code: bool) -> str:
    text = html.escape(value)
    return f'<span class="code" dir="ltr">{text}</span>' if code else f"<bdi>{text}</bdi>"


def _signers() -> tuple[str, ...]:
    return (
        pgettext("signature", "Handed over"),
        pgettext("signature", "Carried by"),
        pgettext("signature", "Received"),
    )


def _signing() -> tuple[str, ...]:
    return _("Name"), _("Date and time"), _("Signature")


def report(found: Report, problems: Sequence[Break]) -> list[str]:
    """The lines of an inspector's report (app.audit.report), to be `shown` (app.direction)."""
    period = f"{found.since or '…'} – {found.until or '…'}"
    lines = [
        _("Report on the log"),
        "",
        _("Period: {period}").format(period=period),
        _("Entries in the log: {n}").format(n=found.head.number),
        _("Root: {root}").format(root=base64.b64encode(found.head.hash).decode()),
    ]
    if problems:
        lines += [
            " ".join((sentence(b.code, {"where": b.where}), remedy(b.code, {"where": b.where})))
            for b in problems
        ]
    else:
        lines.append(_("The log is whole."))
    lines += ["", _("Officers"), ""]
    for officer, acts in sorted(found.officers.items()):
        lines.append(f"  {plain(officer)}")
        lines += [f"    {count:6}  {plain(word(ACTS, act))}" for act, count in sorted(acts.items())]
    lines += ["", _("Counterparts"), ""]
    for one in found.exchanges:
        lines += [
            f"  {plain(one.alias)}  {plain(one.fingerprint)}",
            "    " + _("packages sealed: {n}, of them void: {void}").format(n=one.sealed, void=one.void),
            "    " + _("releases: {n}, objects: {objects}").format(n=one.released, objects=one.objects),
            "    " + _("packages received: {n}").format(n=one.received),
            "    "
            + _("receipts: {n}, accepted: {accepted}, refused: {refused}").format(
                n=one.receipts, accepted=one.accepted, refused=one.refused
            ),
            "    "
            + _("agreements: {numbers}").format(numbers=listed(map(str, sorted(one.agreements))) or "-"),
        ]
    lines += ["", _("Acts"), ""]
    for entry in found.entries:
        facts = ", ".join(f"{plain(name)}={plain(value)}" for name, value in entry.detail.items())
        lines.append(
            f"  {entry.number:6}  {plain(entry.at)}  {plain(entry.officer)}  {plain(word(ACTS, entry.act))}  {facts}"
        )
    return [line.rstrip() for line in lines]
