"""What somebody wrote, as a bubble: the client at the left, the team at the right, private notes apart."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Literal

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPalette, QPen, QResizeEvent, QTextOption, QWheelEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLayout, QSizePolicy, QTextEdit, QVBoxLayout, QWidget

from ctower_desktop.gui import icons, theme
from ctower_desktop.gui.text import tr
from ctower_desktop.gui.widgets import Label, LinkButton

Side = Literal["left", "right", "middle"]

_PAD = 12
_SHARE = 0.88  # of the width that a bubble may take
_RADIUS = 10
_NAME = 200  # characters of a text that a screen reader gets as its name
_UNBOUND = (1 << 24) - 1  # Qt's QWIDGETSIZE_MAX
_GROUNDS: dict[Side, str] = {"left": "subtle", "right": "selected", "middle": "canvas"}


class PlainText(QTextEdit):
    """Text to read, select and copy, shown as it is; long words and addresses are broken, never cut off."""

    def __init__(
        self, text: str, kind: theme.Kind = "body", token: str = "text_1", *, fluid: bool = False
    ) -> None:
        super().__init__()
        self._kind, self._token, self._fluid = kind, token, fluid
        self.setReadOnly(True)
        self.setAcceptRichText(False)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setWordWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self.setAccessibleName(text[:_NAME])
        self.viewport().setAutoFillBackground(False)
        self.document().setDocumentMargin(0)
        self.setPlainText(text)
        self.restyle()
        theme.signals().changed.connect(self.restyle)

    def restyle(self) -> None:
        """Take type and colour from the theme in use."""
        self.setFont(theme.font(self._kind))
        palette = self.palette()
        palette.setColor(QPalette.ColorRole.Text, theme.current().color(self._token))
        self.setPalette(palette)

    def fit(self, widest: int) -> None:
        """Take the size that the text has when its lines may be that wide."""
        document = self.document()
        document.setTextWidth(widest)
        width = min(widest, math.ceil(document.idealWidth()) + 1)
        document.setTextWidth(width)
        self.setFixedSize(width, math.ceil(document.size().height()))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """A fluid text takes the width it is given, and the height it needs."""
        super().resizeEvent(event)
        if self._fluid:
            self.document().setTextWidth(self.viewport().width())
            self.setFixedHeight(math.ceil(self.document().size().height()))

    def wheelEvent(self, event: QWheelEvent) -> None:
        """The pane around it scrolls."""
        event.ignore()


class Bubble(QWidget):
    """One message: who and when above, the text on its ground; `cited` gives it the accent's outline."""

    def __init__(
        self,
        text: str,
        head: str,
        side: Side,
        *,
        private: bool = False,
        cited: bool = False,
        files: list[tuple[str, Callable[[], object] | None]] | None = None,
    ) -> None:
        super().__init__()
        self.side, self.private, self.cited = side, private, cited
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self._text = PlainText(text)
        self._head = PlainText(head, "meta", "text_2")
        self._ground = QWidget()
        inside = QVBoxLayout(self._ground)
        inside.setContentsMargins(_PAD, 8, _PAD, 8)
        inside.setSpacing(4)
        if private:
            inside.addWidget(_PrivateSign())
        inside.addWidget(self._text)
        self._text.setVisible(bool(text))
        for name, open_file in files or []:
            inside.addWidget(_file_line(name, open_file))
        column = QVBoxLayout()
        column.setSpacing(2)
        place = Qt.AlignmentFlag.AlignRight if side == "right" else Qt.AlignmentFlag.AlignLeft
        column.addWidget(self._head, 0, place)
        column.addWidget(self._ground, 0, place)
        line = QHBoxLayout(self)
        line.setContentsMargins(0, 0, 0, 0)
        if side != "left":
            line.addStretch(1)
        line.addLayout(column)
        if side != "right":
            line.addStretch(1)
        self.setAccessibleName(f"{head}: {text}")

    @property
    def text(self) -> str:
        """What was written."""
        return self._text.toPlainText()

    def fit(self, width: int) -> None:
        """Lay the text out for a pane of that width."""
        widest = max(120, int(width * _SHARE) - 2 * _PAD)
        self._text.fit(widest)
        self._head.fit(widest)
        self.updateGeometry()

    def paintEvent(self, _event: QPaintEvent) -> None:
        """The ground, and its border: dashed around a private note, in the accent around what is cited."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        colors = theme.current()
        pen = QPen(Qt.PenStyle.NoPen)
        inset = 0.0
        if self.cited:
            pen, inset = QPen(colors.color("accent"), 2), 1.0
        elif self.private:
            pen, inset = QPen(colors.color("border_control"), 1, Qt.PenStyle.DashLine), 0.5
        elif self.side == "middle":
            pen, inset = QPen(colors.color("border"), 1), 0.5
        painter.setPen(pen)
        painter.setBrush(colors.color("surface" if self.private else _GROUNDS[self.side]))
        box = QRectF(self._ground.geometry()).adjusted(inset, inset, -inset, -inset)
        painter.drawRoundedRect(box, _RADIUS, _RADIUS)


class _PrivateSign(QWidget):
    """A lock and words: this is not for the client."""

    def __init__(self) -> None:
        super().__init__()
        line = QHBoxLayout(self)
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(4)
        self._sign = Label()
        line.addWidget(self._sign)
        line.addWidget(Label(tr("private note"), "caption", "text_2"))
        line.addStretch(1)
        self._restyle()
        theme.signals().changed.connect(self._restyle)

    def _restyle(self) -> None:
        self._sign.setPixmap(icons.pixmap("lock", "text_2", 12))


def _file_line(name: str, open_file: Callable[[], object] | None) -> QWidget:
    if open_file is None:
        return Label(name, "meta", "text_2")
    link = LinkButton(name, "clip")
    link.clicked.connect(lambda: open_file())
    return link


class BubbleColumn(QWidget):
    """Bubbles one below the other, laid out anew when the pane gets another width."""

    def __init__(self) -> None:
        super().__init__()
        self.bubbles: list[Bubble] = []
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(12)
        self._column.setSizeConstraint(QLayout.SizeConstraint.SetNoConstraint)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Minimum)  # the pane gives the width
        theme.signals().changed.connect(self.fit)

    def add(self, bubble: Bubble) -> None:
        """Put a bubble below the others."""
        self.bubbles.append(bubble)
        self._column.addWidget(bubble)
        bubble.fit(self.width())

    def fit(self) -> None:
        """Lay every bubble out for the width there is."""
        for bubble in self.bubbles:
            bubble.fit(self.width())

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Another width, other lines."""
        super().resizeEvent(event)
        if event.size().width() != event.oldSize().width():
            self.fit()
