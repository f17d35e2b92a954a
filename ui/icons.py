"""The icons: lucide SVG, drawn at the scale of the device in a colour token, mirrored where the look says so.

Never a pixmap that is scaled: `draw` paints the vector itself, `icon` gives Qt an engine that does the same.
"""

from __future__ import annotations

from functools import lru_cache

from PySide6.QtCore import QByteArray, QPoint, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QGuiApplication, QIcon, QIconEngine, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer

from ui.theme import theme
from ui.tokens import RESOURCES, TOKENS

FOLDER = RESOURCES / "icons"

# Shapes that point along the reading direction (look, section 6). Everything else keeps its shape.
MIRRORED = frozenset(
    {
        "arrow-left",
        "arrow-right",
        "arrow-up-right",
        "chevron-left",
        "chevron-right",
        "download",
        "list-checks",
        "package-open",
        "panel-left",
        "scroll-text",
        "send",
        "undo-2",
    }
)

OBJECT_ICONS = {
    "artifact": "file-archive",
    "attack-pattern": "swords",
    "autonomous-system": "waypoints",
    "campaign": "flag",
    "course-of-action": "shield-check",
    "directory": "folder",
    "domain-name": "globe",
    "email-addr": "mail",
    "email-message": "mail",
    "extension-definition": "puzzle",
    "file": "file",
    "grouping": "folder",
    "identity": "building-2",
    "indicator": "crosshair",
    "infrastructure": "network",
    "intrusion-set": "radar",
    "ipv4-addr": "server",
    "ipv6-addr": "server",
    "location": "map-pin",
    "mac-addr": "server",
    "malware": "bug",
    "malware-analysis": "flask-conical",
    "marking-definition": "tag",
    "mutex": "lock-keyhole",
    "network-traffic": "arrow-left-right",
    "note": "sticky-note",
    "observed-data": "eye",
    "opinion": "message-square",
    "process": "terminal",
    "relationship": "spline",
    "report": "file-text",
    "sighting": "binoculars",
    "software": "package",
    "threat-actor": "venetian-mask",
    "tool": "cpu",
    "url": "link",
    "user-account": "user",
    "vulnerability": "shield-alert",
    "windows-registry-key": "table-properties",
    "x509-certificate": "file-key",
}


def object_icon(kind: str) -> str:
    """The icon of a STIX type; types nobody knows get a plain box."""
    return OBJECT_ICONS.get(kind, "box")


@lru_cache(maxsize=512)
def _renderer(name: str, rgba: int) -> QSvgRenderer:
    source = (FOLDER / f"{name}.svg").read_text(encoding="ascii")
    source = source.replace("currentColor", QColor.fromRgba(rgba).name())
    source = source.replace('stroke-width="2"', f'stroke-width="{TOKENS.icon["stroke"]}"')
    return QSvgRenderer(QByteArray(source.encode()))


def mirrors(name: str, direction: Qt.LayoutDirection | None = None) -> bool:
    """Whether `name` is drawn mirrored in `direction` (default: the application's)."""
    if direction is None:
        direction = QGuiApplication.layoutDirection()
    return direction == Qt.LayoutDirection.RightToLeft and name in MIRRORED


def draw(
    painter: QPainter,
    name: str,
    rect: QRect | QRectF,
    color: QColor,
    direction: Qt.LayoutDirection | None = None,
) -> None:
    """Paint icon `name` into `rect` (a square) in `color`."""
    area = QRectF(rect)
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    if mirrors(name, direction):
        painter.translate(area.center().x(), 0)
        painter.scale(-1, 1)
        painter.translate(-area.center().x(), 0)
    _renderer(name, color.rgba()).render(painter, area)
    painter.restore()


class _Engine(QIconEngine):
    """Draws one icon whenever asked, in the colours of that moment."""

    def __init__(self, name: str, token: str) -> None:
        super().__init__()
        self._name = name
        self._token = token

    def paint(self, painter: QPainter, rect: QRect, mode: QIcon.Mode, state: QIcon.State) -> None:
        token = "disabled" if mode == QIcon.Mode.Disabled else self._token
        draw(painter, self._name, rect, theme().color(token))

    def pixmap(self, size: QSize, mode: QIcon.Mode, state: QIcon.State) -> QPixmap:
        return self.scaledPixmap(size, mode, state, 1.0)

    def scaledPixmap(self, size: QSize, mode: QIcon.Mode, state: QIcon.State, scale: float) -> QPixmap:
        # Qt gives the size in device pixels already when it asks for a pixmap through QIcon.
        picture = QPixmap(size * scale)
        picture.setDevicePixelRatio(scale)
        picture.fill(Qt.GlobalColor.transparent)
        painter = QPainter(picture)
        self.paint(painter, QRect(QPoint(0, 0), size), mode, state)
        painter.end()
        return picture

    def clone(self) -> QIconEngine:
        return _Engine(self._name, self._token)


_engines: list[_Engine] = []


@lru_cache(maxsize=256)
def icon(name: str, token: str = "text") -> QIcon:
    """Icon `name` for menus and the window frame, in colour `token`; follows the scheme by itself."""
    engine = _Engine(name, token)
    _engines.append(engine)
    return QIcon(engine)
