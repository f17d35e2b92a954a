"""How the application looks now: palette first, one style sheet second, the bundled fonts; changes at run time.

One `Theme` hangs on the application; widgets ask `theme()` while they paint, so a change of scheme is a repaint.
The style sheet has no `font-size` (it would override `setFont`) and styles only what is styled whole.
"""

from __future__ import annotations

from typing import Literal

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QColor, QFont, QFontDatabase, QFontMetrics, QPalette
from PySide6.QtWidgets import QApplication, QStyleFactory

from ui.tokens import RESOURCES, SCHEMES, TOKENS, Scheme

Mode = Literal["system", "light", "dark", "high_contrast"]
MODES: tuple[Mode, ...] = ("system", "light", "dark", "high_contrast")
Density = Literal["normal", "compact"]

_FONT_FILES = (
    "NotoSans_400Regular",
    "NotoSans_500Medium",
    "NotoSans_600SemiBold",
    "NotoSansArabic_400Regular",
    "NotoSansArabic_500Medium",
    "NotoSansArabic_600SemiBold",
    "NotoSansMono_400Regular",
    "NotoSansMono_500Medium",
)


class Theme(QObject):
    """The scheme, the fonts and the density in use. `changed` is sent after each change, when all is applied."""

    changed = Signal()

    def __init__(self, application: QApplication) -> None:
        super().__init__(application)
        self._application = application
        self._mode: Mode = "system"
        self._scheme: Scheme = "light"
        self._arabic = False
        self._density: Density = "normal"
        self._fonts: dict[tuple[str, str, bool], QFont] = {}
        self._metrics: dict[tuple[str, str, bool], QFontMetrics] = {}
        for name in _FONT_FILES:
            QFontDatabase.addApplicationFont(str(RESOURCES / "fonts" / f"{name}.ttf"))
        fusion = QStyleFactory.create("Fusion")
        if fusion is not None:
            application.setStyle(fusion)
        application.styleHints().colorSchemeChanged.connect(self._follow)
        self.apply()

    @property
    def mode(self) -> Mode:
        """What the officer chose; "system" follows the desktop."""
        return self._mode

    @property
    def scheme(self) -> Scheme:
        """Which colours are shown."""
        return self._scheme

    @property
    def arabic(self) -> bool:
        """Whether the interface speaks Arabic: one px more on every size but mono and code."""
        return self._arabic

    @property
    def row_height(self) -> int:
        """Height of a table row at the density in use, px."""
        return TOKENS.row[self._density]

    @property
    def density(self) -> Density:
        return self._density

    def set_mode(self, mode: Mode) -> None:
        """Show another scheme; dear, as every widget is styled anew, so only if there is one to show."""
        self._mode = mode
        if self._wanted() != self._scheme:
            self.apply()

    def set_arabic(self, arabic: bool) -> None:
        """Switch the font sizes and the direction of the whole application."""
        self._arabic = arabic
        self._application.setLayoutDirection(
            Qt.LayoutDirection.RightToLeft if arabic else Qt.LayoutDirection.LeftToRight
        )
        self.apply()

    def set_density(self, density: Density) -> None:
        if density != self._density:
            self._density = density
            self.changed.emit()

    def color(self, name: str) -> QColor:
        """The colour of token `name` in the scheme in use."""
        return QColor(TOKENS.colors[self._scheme][name])  # a copy: whoever mixes it must not mix the token

    def font(self, size: str = "body", weight: str = "regular", *, mono: bool = False) -> QFont:
        """The font of a token size ("small" to "code") and weight ("regular", "medium", "semibold")."""
        key = (size, weight, mono)
        known = self._fonts.get(key)
        if known is None:
            known = QFont()
            known.setFamilies(list(TOKENS.font_mono + TOKENS.font_ui if mono else TOKENS.font_ui))
            more = 0 if mono or size == "code" or not self._arabic else TOKENS.arabic_add
            known.setPixelSize(TOKENS.size[size] + more)
            known.setWeight(QFont.Weight(TOKENS.weight[weight]))
            known.setFeature(QFont.Tag("tnum"), 1)
            self._fonts[key] = known
        return known

    def metrics(self, size: str = "body", weight: str = "regular", *, mono: bool = False) -> QFontMetrics:
        """The metrics of `font(...)`. For widths: heights come from tokens."""
        key = (size, weight, mono)
        known = self._metrics.get(key)
        if known is None:
            known = self._metrics[key] = QFontMetrics(self.font(size, weight, mono=mono))
        return known

    def apply(self) -> None:
        """Bring the application to the scheme, fonts and density in use."""
        self._scheme = self._wanted()
        self._fonts.clear()
        self._metrics.clear()
        self._application.setPalette(self._palette())
        self._application.setFont(self.font())
        self._application.setStyleSheet(_style_sheet(self))
        self.changed.emit()

    def _wanted(self) -> Scheme:
        if self._mode != "system":
            return self._mode
        hints = self._application.styleHints()
        accessibility = getattr(hints, "accessibility", None)
        if accessibility is not None:
            contrast = accessibility().contrastPreference()
            if contrast == Qt.ContrastPreference.HighContrast:
                return "high_contrast"
        return "dark" if hints.colorScheme() == Qt.ColorScheme.Dark else "light"

    def _follow(self) -> None:
        if self._mode == "system" and self._wanted() != self._scheme:
            self.apply()

    def _palette(self) -> QPalette:
        palette = QPalette()
        role = QPalette.ColorRole
        for which, name in {
            role.Window: "canvas",
            role.WindowText: "text",
            role.Base: "raised",
            role.AlternateBase: "surface",
            role.Text: "text",
            role.Button: "raised",
            role.ButtonText: "text",
            role.BrightText: "danger",
            role.PlaceholderText: "muted",
            role.Highlight: "selection",
            role.HighlightedText: "selection_text",
            role.Accent: "accent",
            role.Link: "accent",
            role.LinkVisited: "accent",
            role.ToolTipBase: "text",
            role.ToolTipText: "surface",
            role.Light: "raised",
            role.Midlight: "border",
            role.Mid: "border",
            role.Dark: "border_strong",
            role.Shadow: "border_strong",
        }.items():
            palette.setColor(which, self.color(name))
        for which in (role.WindowText, role.Text, role.ButtonText):
            palette.setColor(QPalette.ColorGroup.Disabled, which, self.color("disabled"))
        return palette


def _style_sheet(look: Theme) -> str:
    c = {name: look.color(name).name() for name in TOKENS.colors["light"]}
    row, radius, layout = TOKENS.row, TOKENS.radius, TOKENS.layout
    ring = focus_width(look.scheme)
    return f"""
QToolTip {{ background: {c["text"]}; color: {c["surface"]}; border: none; padding: 4px 8px; }}
QMenuBar {{ background: {c["rail"]}; color: {c["text"]}; border-bottom: 1px solid {c["border"]};
  spacing: 0; padding-left: 8px; padding-right: 8px;
  min-height: {layout["menubar"] - 1}px; max-height: {layout["menubar"] - 1}px; }}
QMenuBar::item {{ background: transparent; padding: 0 12px; border-radius: {radius["tag"]}px; }}
QMenuBar::item:selected, QMenuBar::item:pressed {{ background: {c["hover"]}; color: {c["text"]}; }}
QMenu {{ background: {c["raised"]}; color: {c["text"]}; border: 1px solid {c["border_strong"]}; padding: 4px; }}
QMenu::item {{ padding: 0 16px 0 12px; height: {row["compact"]}px; border-radius: {radius["tag"]}px; }}
QMenu::item:selected {{ background: {c["selection"]}; color: {c["selection_text"]}; }}
QMenu::item:disabled {{ color: {c["disabled"]}; background: transparent; }}
QMenu::icon {{ padding-left: 8px; padding-right: 8px; }}
QMenu::separator {{ height: 1px; background: {c["border"]}; margin: 4px 8px; }}
QLineEdit, QPlainTextEdit {{ background: {c["raised"]}; color: {c["text"]}; border: 1px solid {c["border_strong"]};
  border-radius: {radius["control"]}px; placeholder-text-color: {c["muted"]};
  selection-background-color: {c["selection"]}; selection-color: {c["selection_text"]}; }}
QLineEdit {{ padding: 0 8px; min-height: {row["field"] - 2}px; max-height: {row["field"] - 2}px; }}
QPlainTextEdit {{ padding: 4px; }}
QLineEdit:hover, QPlainTextEdit:hover {{ border-color: {c["text"]}; }}
QLineEdit:focus, QPlainTextEdit:focus {{ border: {ring}px solid {c["focus"]}; }}
QLineEdit:focus {{ padding: 0 {9 - ring}px; min-height: {row["field"] - 2 * ring}px;
  max-height: {row["field"] - 2 * ring}px; }}
QPlainTextEdit:focus {{ padding: {5 - ring}px; }}
QLineEdit:disabled, QPlainTextEdit:disabled {{ background: {c["sunken"]}; color: {c["disabled"]};
  border-color: {c["border"]}; }}
QLineEdit[fault="true"] {{ border: 1px solid {c["danger"]}; }}
QLineEdit#bare, QLineEdit#bare:focus {{ border: none; background: transparent; padding: 0; }}
QLineEdit#digits, QLineEdit#digits:focus {{ border: none; background: transparent; padding: 0;
  min-height: 76px; max-height: 76px; }}
QScrollArea, QTableView {{ border: none; background: transparent; }}
QScrollBar {{ background: transparent; border: none; margin: 0; }}
QScrollBar:vertical {{ width: 10px; }}
QScrollBar:horizontal {{ height: 10px; }}
QScrollBar::handle {{ background: {c["border_strong"]}; border-radius: 3px; margin: 2px; }}
QScrollBar::handle:vertical {{ min-height: 32px; }}
QScrollBar::handle:horizontal {{ min-width: 32px; }}
QScrollBar::handle:hover {{ background: {c["muted"]}; }}
QScrollBar::add-line, QScrollBar::sub-line {{ width: 0; height: 0; }}
QScrollBar::add-page, QScrollBar::sub-page {{ background: transparent; }}
QSplitter::handle {{ background: {c["border"]}; }}
QSplitter::handle:hover {{ background: {c["border_strong"]}; }}
"""


def focus_width(scheme: Scheme) -> int:
    """Width of the focus ring, px: thicker in high contrast."""
    return 3 if scheme == "high_contrast" else TOKENS.line["focus"]


_theme: Theme | None = None


def install(application: QApplication) -> Theme:
    """Give the application its theme; once."""
    global _theme
    _theme = Theme(application)
    return _theme


def theme() -> Theme:
    """The theme of the running application."""
    assert _theme is not None, "install() comes first"
    return _theme


__all__ = ["MODES", "SCHEMES", "Density", "Mode", "Theme", "focus_width", "install", "theme"]
