"""The one label: plain, safe, sized from tokens; one line that elides, or a paragraph that wraps."""

from __future__ import annotations

import re

from PySide6.QtCore import QEvent, QPointF, QRect, QSize, Qt
from PySide6.QtGui import QHelpEvent, QPainter, QPaintEvent, QTextLayout, QTextOption
from PySide6.QtWidgets import QLabel, QSizePolicy, QToolTip

from ui import drawing
from ui.safe_text import spoken, visible
from ui.theme import theme
from ui.tokens import TOKENS

_ID = re.compile("[a-z0-9-]{1,60}--[0-9a-f]{8}-[0-9a-f…-]{1,27}")
WIDTHS_KEPT = 4  # a layout asks for the height at several widths


class Text(QLabel):
    """Foreign or own text. Given a wrong string it shows that string and does nothing else."""

    def __init__(
        self,
        content: str = "",
        *,
        size: str = "body",
        weight: str = "regular",
        color: str = "text",
        mono: bool = False,
        wrap: bool = False,
        elide: drawing.Elide = "end",
        align: drawing.Align = "leading",
        fixed: bool = False,
        limit: int = 0,
    ) -> None:
        """`fixed`: one line that is never cut, for short words of our own. `limit`: most characters shown."""
        super().__init__()
        self.setTextFormat(Qt.TextFormat.PlainText)
        self._size = size
        self._weight = weight
        self._color = color
        self._mono = mono
        self._wrap = wrap
        self._elide: drawing.Elide = "none" if fixed else elide
        self._align: drawing.Align = align
        self._shown = ""
        self._laid: dict[int, tuple[list[QTextLayout], int]] = {}
        self._laid_for = ""
        self._limit = limit
        if wrap:
            policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
            policy.setHeightForWidth(True)
        else:
            across = QSizePolicy.Policy.Fixed if fixed else QSizePolicy.Policy.Preferred
            policy = QSizePolicy(across, QSizePolicy.Policy.Fixed)
        self.setSizePolicy(policy)
        self.setText(content)

    def setText(self, content: str) -> None:
        self._shown = visible(content, lines=self._wrap, limit=self._limit)
        self._laid.clear()
        super().setText(spoken(self._shown).replace("&", "&&"))
        self.setAccessibleName(spoken(self._shown))
        self.updateGeometry()
        self.update()

    def set_color(self, color: str) -> None:
        """Change the colour token."""
        self._color = color
        self.update()

    def set_weight(self, weight: str) -> None:
        self._weight = weight
        self._laid.clear()
        self.updateGeometry()
        self.update()

    @property
    def shown(self) -> str:
        """What is drawn, marks included."""
        return self._shown

    # --- geometry -----------------------------------------------------------------------------------------------------

    def _line_height(self) -> int:
        pixels = theme().font(self._size, self._weight, mono=self._mono).pixelSize()
        return round(pixels * (TOKENS.paragraph if self._wrap else 1.45))

    def sizeHint(self) -> QSize:
        metrics = theme().metrics(self._size, self._weight, mono=self._mono)
        if self._wrap:
            width = min(
                max((metrics.horizontalAdvance(p) for p in self._shown[:2000].split("\n")), default=0), 360
            )
            return QSize(width, self.heightForWidth(max(width, 1)))
        return QSize(metrics.horizontalAdvance(self._shown) + 1, self._line_height())

    def minimumSizeHint(self) -> QSize:
        if self._wrap:
            return QSize(40, self._line_height())
        hint = self.sizeHint()
        return hint if self._elide == "none" else QSize(min(hint.width(), 24), hint.height())

    def hasHeightForWidth(self) -> bool:
        return self._wrap

    def heightForWidth(self, width: int) -> int:
        return self._lay_out(width)[1] if self._wrap else self._line_height()

    def _lay_out(self, width: int) -> tuple[list[QTextLayout], int]:
        look = theme()
        key = f"{look.arabic}{look.scheme}"
        if self._laid_for != key or len(self._laid) > WIDTHS_KEPT:
            self._laid.clear()
            self._laid_for = key
        known = self._laid.get(width)
        if known is not None:
            return known
        font = look.font(self._size, self._weight, mono=self._mono)
        height = self._line_height()
        option = QTextOption()
        option.setWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        edge = Qt.AlignmentFlag.AlignRight if drawing.is_rtl() else Qt.AlignmentFlag.AlignLeft
        if self._align == "center":
            edge = Qt.AlignmentFlag.AlignHCenter
        if self._mono:
            option.setTextDirection(Qt.LayoutDirection.LeftToRight)
            # A code of one line stands beside its label, as other values do; lines of code begin at the left.
            if (
                "\n" in self._shown
                or theme().metrics(self._size, self._weight, mono=True).horizontalAdvance(self._shown) > width
            ):
                edge = Qt.AlignmentFlag.AlignLeft
        option.setAlignment(edge | Qt.AlignmentFlag.AlignAbsolute)
        layouts: list[QTextLayout] = []
        y = 0.0
        for paragraph in self._shown.split("\n"):
            content = paragraph.replace("⁅", "\u2009").replace("⁆", "\u2009")
            # A line ends between ids, not in one: drawn with hyphens that do not part, letter by letter as it is kept.
            content = _ID.sub(lambda found: found[0].replace("-", "\u2011"), content)
            if not self._mono:
                option.setTextDirection(drawing.runs(content))
            layout = QTextLayout(content, font)
            layout.setTextOption(option)
            layout.setCacheEnabled(True)
            layout.beginLayout()
            while True:
                row = layout.createLine()
                if not row.isValid():
                    break
                row.setLineWidth(max(width, 1))
                row.setPosition(QPointF(0, y + (height - row.height()) / 2))
                y += height
            layout.endLayout()
            layouts.append(layout)
            if y > 16_000_000:
                break
        total = max(int(y), height)
        self._laid[width] = (layouts, total)
        return layouts, total

    # --- painting -----------------------------------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        color = self._color if self.isEnabled() else "disabled"
        if self._wrap:
            painter.setPen(theme().color(color))
            layouts, _height = self._lay_out(self.width())
            for paragraph, layout in zip(self._shown.split("\n"), layouts, strict=False):
                bounds = layout.boundingRect()
                if bounds.bottom() < event.rect().top() or bounds.top() > event.rect().bottom():
                    continue
                layout.draw(painter, QPointF(0, 0))
                if "⁅" in paragraph:
                    drawing.outline_marks(painter, layout, paragraph, QPointF(0, 0), self._line_height())
        else:
            drawing.text(
                painter,
                self.rect(),
                self._shown,
                size=self._size,
                weight=self._weight,
                color=color,
                mono=self._mono,
                align=self._align,
                elide=self._elide,
            )
        painter.end()

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent) and not self.toolTip():
            if self.is_cut():
                QToolTip.showText(event.globalPos(), spoken(self._shown), self, QRect())
            return True
        return bool(super().event(event))

    def is_cut(self) -> bool:
        """Whether the line does not fit and is elided."""
        if self._wrap:
            return False
        metrics = theme().metrics(self._size, self._weight, mono=self._mono)
        return metrics.horizontalAdvance(self._shown) > self.width()


def heading(content: str) -> Text:
    """The 12 px semibold heading of a section."""
    return Text(content, size="label", weight="semibold", fixed=True)


def title(content: str, *, elide: drawing.Elide = "end") -> Text:
    """The title of a page or an object."""
    return Text(content, size="title", weight="semibold", elide=elide)


def muted(content: str = "", *, size: str = "label", wrap: bool = False) -> Text:
    return Text(content, size=size, color="muted", wrap=wrap)
