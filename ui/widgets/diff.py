"""Changed properties side by side: the differing words in 600, underlined, on a tint. Three signs, colour being one."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QPointF, QSize, Qt
from PySide6.QtGui import QFont, QPainter, QPaintEvent, QTextCharFormat, QTextLayout, QTextOption
from PySide6.QtWidgets import QSizePolicy, QWidget

from ui import drawing
from ui.safe_text import spoken, visible
from ui.theme import theme
from ui.tokens import TOKENS

PAD_X, PAD_Y = 12, 6

Pieces = Sequence[tuple[str, bool]]


class DiffText(QWidget):
    """One side of a change."""

    def __init__(self, pieces: Pieces, *, tone: str = "conflict", mono: bool = False) -> None:
        super().__init__()
        self._tone = tone
        self._mono = mono
        self._text = ""
        self._marked: list[tuple[int, int]] = []
        for text, differs in pieces:
            shown = visible(text, lines=True)
            # Offsets count UTF-16 units, as Qt does.
            if differs and shown.strip():
                self._marked.append((_units(self._text), _units(shown)))
            self._text += shown
        self.setAccessibleName(spoken(self._text))
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Minimum)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)

    @property
    def words(self) -> str:
        return self._text

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, width: int) -> int:
        return self._layout(width)[1]

    def sizeHint(self) -> QSize:
        return QSize(200, self.heightForWidth(200))

    def minimumSizeHint(self) -> QSize:
        return QSize(80, 20 + 2 * PAD_Y)

    def _layout(self, width: int) -> tuple[QTextLayout, int]:
        look = theme()
        layout = QTextLayout(
            self._text.replace("\n", "\u2028"), look.font("label" if self._mono else "body", mono=self._mono)
        )
        option = QTextOption()
        option.setWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        if self._mono:
            option.setTextDirection(Qt.LayoutDirection.LeftToRight)
            option.setAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignAbsolute)
        else:
            edge = Qt.AlignmentFlag.AlignRight if drawing.is_rtl() else Qt.AlignmentFlag.AlignLeft
            option.setAlignment(edge | Qt.AlignmentFlag.AlignAbsolute)
            option.setTextDirection(drawing.runs(self._text))
        layout.setTextOption(option)
        formats = []
        for start, length in self._marked:
            changed = QTextCharFormat()
            changed.setFontWeight(QFont.Weight.DemiBold)
            changed.setFontUnderline(True)
            ground = look.color(self._tone)
            ground.setAlphaF(0.22)
            changed.setBackground(ground)
            piece = QTextLayout.FormatRange()
            piece.start, piece.length, piece.format = start, length, changed
            formats.append(piece)
        layout.setFormats(formats)
        height = round(look.font().pixelSize() * TOKENS.paragraph)
        y = 0.0
        layout.beginLayout()
        while True:
            row = layout.createLine()
            if not row.isValid():
                break
            row.setLineWidth(max(1, width - 2 * PAD_X))
            row.setPosition(QPointF(0, y + (height - row.height()) / 2))
            y += height
        layout.endLayout()
        return layout, int(max(y, height)) + 2 * PAD_Y

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        look = theme()
        edge = look.color(self._tone) if look.scheme == "high_contrast" else None
        drawing.box(
            painter,
            self.rect(),
            ground=look.color(f"{self._tone}_soft"),
            edge=edge,
            radius=TOKENS.radius["tag"],
        )
        layout, _height = self._layout(self.width())
        painter.setPen(look.color("text"))
        layout.draw(painter, QPointF(PAD_X, PAD_Y))
        painter.end()


def _units(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2
