"""What is printed on paper: an inspector's report. In the language in use; what came from outside is made plain."""

from __future__ import annotations

import base64
from collections.abc import Sequence

from app.audit.checking import Break
from app.audit.report import Report
from app.messages import _, plain, remedy, sentence


def report(found: Report, problems: Sequence[Break]) -> list[str]:
    """The lines of an inspector's report (app.audit.report)."""
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
        lines += [f"    {count:6}  {plain(act)}" for act, count in sorted(acts.items())]
    lines += ["", _("Counterparts"), ""]
    for one in found.exchanges:
        lines += [
            f"  {plain(one.alias)}  {plain(one.fingerprint)}",
            "    " + _("packages sealed: {n}").format(n=one.sealed),
            "    " + _("releases: {n}, objects: {objects}").format(n=one.released, objects=one.objects),
            "    " + _("packages received: {n}").format(n=one.received),
            "    "
            + _("receipts: {n}, accepted: {accepted}, refused: {refused}").format(
                n=one.receipts, accepted=one.accepted, refused=one.refused
            ),
            "    "
            + _("agreements: {numbers}").format(numbers=", ".join(map(str, sorted(one.agreements))) or "-"),
        ]
    lines += ["", _("Acts"), ""]
    for entry in found.entries:
        facts = ", ".join(f"{plain(name)}={plain(value)}" for name, value in entry.detail.items())
        lines.append(
            f"  {entry.number:6}  {plain(entry.at)}  {plain(entry.officer)}  {plain(entry.act)}  {facts}"
        )
    return [line.rstrip() for line in lines]
