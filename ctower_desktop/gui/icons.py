"""Our own line icons, tinted by a token of the theme."""

from __future__ import annotations

from functools import lru_cache

from PySide6.QtCore import QByteArray, QRectF, Qt
from PySide6.QtGui import QIcon, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer

from ctower_desktop.gui import theme
from ctower_desktop.kernel.system import resources

_DENSITIES = (1, 2, 3)


def icon(name: str, token: str = "text_2", size: int = 16) -> QIcon:
    """An icon of resources/icons in the colour of `token`, sharp at every screen density."""
    return _drawn(name, getattr(theme.current(), token), size)


def pixmap(name: str, token: str = "text_2", size: int = 16) -> QPixmap:
    """The same as a picture, for labels."""
    return icon(name, token, size).pixmap(size, size)


@lru_cache(maxsize=1)
def load() -> dict[str, str]:
    """Read all drawings; called before the loop runs, so that nothing waits for the disk later."""
    return {path.stem: path.read_text("utf-8") for path in (resources() / "icons").glob("*.svg")}


@lru_cache(maxsize=512)
def _drawn(name: str, color: str, size: int) -> QIcon:
    renderer = QSvgRenderer(QByteArray(load()[name].replace("#000", color).encode()))
    found = QIcon()
    for density in _DENSITIES:
        picture = QPixmap(size * density, size * density)
        picture.fill(Qt.GlobalColor.transparent)
        painter = QPainter(picture)
        renderer.render(painter, QRectF(0, 0, size * density, size * density))
        painter.end()
        picture.setDevicePixelRatio(density)
        found.addPixmap(picture)
    return found
