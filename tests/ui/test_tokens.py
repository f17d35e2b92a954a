"""The look is read whole: colours, contrast, fonts, icons, and what changes at run time."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QColor, QFontInfo, QIcon, QImage, QPainter
from PySide6.QtWidgets import QApplication

from app.messages import LANGUAGES
from app.words import ACTS
from ui import drawing, icons
from ui.theme import MODES, theme
from ui.tokens import SCHEMES, TOKENS, colour

GROUNDS = ("surface", "raised", "canvas", "selection")
TEXTS = ("text", "muted", "accent", "danger", "warning", "success", "info", "conflict")


@pytest.mark.parametrize(
    "text,rgba",
    [("#1A2127", (26, 33, 39, 255)), ("#1A21278C", (26, 33, 39, 140)), ("#000000CC", (0, 0, 0, 204))],
)
def test_eight_digits_end_with_alpha(text: str, rgba: tuple[int, int, int, int]) -> None:
    assert colour(text).getRgb() == rgba


@pytest.mark.parametrize("text", ["", "red", "#123", "#12345", "123456", "#1234567", "#123456789"])
def test_what_is_no_colour(text: str) -> None:
    with pytest.raises(ValueError, match=r"colour|invalid literal"):
        colour(text)


def luminance(color: QColor) -> float:
    def part(value: float) -> float:
        return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4

    return 0.2126 * part(color.redF()) + 0.7152 * part(color.greenF()) + 0.0722 * part(color.blueF())


def contrast(a: QColor, b: QColor) -> float:
    light, dark = sorted((luminance(a), luminance(b)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("name", TEXTS)
def test_every_text_can_be_read_on_every_ground(scheme: str, name: str) -> None:
    colors = TOKENS.colors[scheme]  # type: ignore[index]
    grounds = [*GROUNDS, *([f"{name}_soft"] if f"{name}_soft" in colors else [])]
    assert min(contrast(colors[name], colors[ground]) for ground in grounds) >= 4.5


def test_fonts_are_the_bundled_ones(qapp: QApplication) -> None:
    assert QFontInfo(theme().font()).family() == "Noto Sans"
    assert QFontInfo(theme().font(mono=True)).family() == "Noto Sans Mono"
    assert [QFontInfo(theme().font("body", w)).weight() for w in ("regular", "medium", "semibold")] == [
        400,
        500,
        600,
    ]


def test_arabic_adds_one_px_to_all_but_mono_and_code(qapp: QApplication) -> None:
    theme().set_arabic(True)
    assert theme().font().pixelSize() == TOKENS.size["body"] + 1
    assert theme().font(mono=True).pixelSize() == TOKENS.size["body"]
    assert theme().font("code").pixelSize() == TOKENS.size["code"]
    assert QApplication.layoutDirection() == Qt.LayoutDirection.RightToLeft
    theme().set_arabic(False)
    assert QApplication.layoutDirection() == Qt.LayoutDirection.LeftToRight


@pytest.mark.parametrize("mode", MODES)
def test_schemes_change_at_run_time(qapp: QApplication, mode: str) -> None:
    theme().set_mode(mode)  # type: ignore[arg-type]
    scheme = theme().scheme
    assert qapp.palette().window().color() == TOKENS.colors[scheme]["canvas"]
    assert mode in (scheme, "system")


def test_every_icon_named_anywhere_is_there() -> None:
    root = Path(icons.__file__).parent
    named = set(re.findall(r'icon="([a-z0-9-]+)"', "\n".join(p.read_text() for p in root.rglob("*.py"))))
    named |= (
        set(icons.OBJECT_ICONS.values())
        | icons.MIRRORED
        | {s.icon for s in TOKENS.statuses.values()}
        | {"box"}
    )
    missing = {name for name in named if not (icons.FOLDER / f"{name}.svg").is_file()}
    assert not missing
    assert "ISC" in (icons.FOLDER / "LICENSE").read_text()
    assert len(list((icons.FOLDER.parent / "fonts").glob("OFL-*.txt"))) == 3


def picture(name: str, direction: Qt.LayoutDirection) -> QImage:
    image = QImage(48, 48, QImage.Format.Format_ARGB32)
    image.fill(Qt.GlobalColor.white)
    painter = QPainter(image)
    icons.draw(painter, name, image.rect(), QColor("black"), direction)
    painter.end()
    return image


@pytest.mark.parametrize(
    "name,mirrors", [("send", True), ("chevron-right", True), ("search", False), ("check", False)]
)
def test_icons_mirror_where_they_point(qapp: QApplication, name: str, mirrors: bool) -> None:
    there = picture(name, Qt.LayoutDirection.LeftToRight)
    back = picture(name, Qt.LayoutDirection.RightToLeft)
    assert (there != back) == mirrors


def test_icons_are_sharp_at_any_scale(qapp: QApplication) -> None:
    pixmap = icons.icon("bug").pixmap(QSize(16, 16), 2.0, QIcon.Mode.Normal)
    assert pixmap.size() == QSize(32, 32)


@pytest.mark.parametrize("level", [*drawing.LEVELS, "?", ""])
def test_tags_say_the_whole_word(qapp: QApplication, level: str) -> None:
    word = drawing.tlp_word(level)
    assert word == (f"TLP:{level}" if level in drawing.LEVELS else "Unreadable")


def test_statuses_have_a_word_in_the_catalogues() -> None:
    assert set(drawing.STATUS_WORDS) == set(TOKENS.statuses)
    assert set(LANGUAGES) == {"en", "ar", "fr"}


def test_every_act_of_the_log_has_words() -> None:
    root = Path(icons.__file__).parent.parent / "app"
    source = "\n".join(path.read_text() for path in root.rglob("*.py"))
    calls = re.findall(r"audit\.append\(\s*\w+,\s*\w+,\s*\"([a-z.]+)\"", source)
    assert len(calls) > 15
    assert {act for act in calls if act not in ACTS} == set()
