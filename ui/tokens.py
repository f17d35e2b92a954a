"""The tokens of the look: every number and colour of the window, by name, read once from `resources/tokens.json`.

Refuses to know: Qt's style, fonts in use, which of the three colour schemes is shown (that is `ui.theme`).
Sizes are device-independent pixels at 100 %.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from PySide6.QtGui import QColor

RESOURCES = Path(__file__).resolve().parent.parent / "resources"

Scheme = Literal["light", "dark", "high_contrast"]
SCHEMES: tuple[Scheme, ...] = ("light", "dark", "high_contrast")


def colour(text: str) -> QColor:
    """The colour written `#RRGGBB` or `#RRGGBBAA`; Qt would take the eight digits for `#AARRGGBB`."""
    digits = text.removeprefix("#")
    if len(digits) not in (6, 8) or not text.startswith("#"):
        raise ValueError(f"not a colour: {text}")
    red, green, blue, alpha = (int(digits[i : i + 2] or "ff", 16) for i in (0, 2, 4, 6))
    return QColor(red, green, blue, alpha)


@dataclass(frozen=True)
class Status:
    """How one status looks: a lucide icon, a colour token, a soft ground token, and its English word."""

    icon: str
    color: str
    soft: str
    word: str


@dataclass(frozen=True)
class Tokens:
    """All tokens. Mappings are keyed by the names of the file."""

    colors: Mapping[Scheme, Mapping[str, QColor]]
    tlp_levels: Mapping[str, QColor]
    tlp_ground: QColor
    tlp_outline: Mapping[Scheme, QColor | None]
    statuses: Mapping[str, Status]
    space: tuple[int, ...]
    radius: Mapping[str, int]
    line: Mapping[str, int]
    font_ui: tuple[str, ...]
    font_mono: tuple[str, ...]
    size: Mapping[str, int]
    arabic_add: int
    weight: Mapping[str, int]
    paragraph: float
    layout: Mapping[str, int]
    minimum: tuple[int, int]
    sheet: tuple[int, int]
    row: Mapping[str, int]
    icon: Mapping[str, float]


def read(path: Path = RESOURCES / "tokens.json") -> Tokens:
    """Read the tokens; a name that is missing raises at once, not when a screen needs it."""
    data: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    layout = dict(data["layout"])
    minimum, sheet = layout.pop("min"), layout.pop("sheet")
    names = set(data["color"]["light"])
    for scheme in SCHEMES:
        if set(data["color"][scheme]) != names:
            raise ValueError(f"colours of {scheme} differ from those of light")
    tlp = data["tlp"]
    return Tokens(
        colors={s: {n: colour(c) for n, c in data["color"][s].items()} for s in SCHEMES},
        tlp_levels={n: colour(c) for n, c in tlp["level"].items()},
        tlp_ground=colour(tlp["ground"]),
        tlp_outline={
            "light": None,
            "dark": colour(tlp["outline_on_dark"]),
            "high_contrast": colour(tlp["outline_high_contrast"]),
        },
        statuses={n: Status(s["icon"], s["color"], s["soft"], s["en"]) for n, s in data["status"].items()},
        space=(0, *(int(data["space"][str(i)]) for i in range(1, 9))),
        radius=data["radius"],
        line=data["line"],
        font_ui=tuple(data["font"]["ui"]),
        font_mono=tuple(data["font"]["mono"]),
        size=data["font"]["size"],
        arabic_add=int(data["font"]["arabic_add"]),
        weight=data["font"]["weight"],
        paragraph=float(data["font"]["line_height"]["paragraph"]),
        layout=layout,
        minimum=(minimum[0], minimum[1]),
        sheet=(sheet[0], sheet[1]),
        row=data["row"],
        icon=data["icon"],
    )


TOKENS = read()
