"""The small pieces every page is built of: labels, buttons, chips, cards, dots and bars."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFocusEvent, QKeyEvent, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from ctower_desktop.gui import icons, theme
from ctower_desktop.gui.text import number, tr


class Label(QLabel):
    """Plain text of one kind in the colour of a token; text from anywhere is shown as it is."""

    def __init__(
        self, text: str = "", kind: theme.Kind = "body", token: str = "text_1", *, wrap: bool = False
    ) -> None:
        super().__init__(text)
        self._kind, self._token = kind, token
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setWordWrap(wrap)
        self.setProperty("token", token)
        self.restyle()
        theme.signals().changed.connect(self.restyle)

    def set_token(self, token: str) -> None:
        """Change the colour."""
        if token != self._token:
            self._token = token
            self.setProperty("token", token)
            self.style().unpolish(self)
            self.style().polish(self)

    def restyle(self) -> None:
        """Take the type from the theme in use; the colour follows the token by the style sheet."""
        self.setFont(theme.font(self._kind))


class Button(QPushButton):
    """A button; `key` is shown as the shortcut that does the same."""

    def __init__(self, text: str, key: str = "", icon: str = "") -> None:
        super().__init__(f"{text}   {key}" if key else text)
        self._icon = icon
        self.setAccessibleName(text)
        self.setFont(theme.font("label"))
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        if icon:
            self.restyle()
            theme.signals().changed.connect(self.restyle)

    def restyle(self) -> None:
        """Tint the icon anew."""
        self.setIcon(icons.icon(self._icon))


class PrimaryButton(Button):
    """The one thing to do here."""

    def __init__(self, text: str, key: str = "") -> None:
        super().__init__(text, key)
        self.setProperty("primary", True)


class LinkButton(Button):
    """An action that reads as a link."""

    def __init__(self, text: str, icon: str = "") -> None:
        super().__init__(text, icon=icon)
        self.setProperty("link", True)
        self.setFont(theme.font("meta"))


class IconButton(QPushButton):
    """A square button with an icon only; `name` is what it does, for tool tip and screen reader."""

    def __init__(self, icon: str, name: str, *, checkable: bool = False) -> None:
        super().__init__()
        self._icon = icon
        self.setProperty("flat", True)
        self.setCheckable(checkable)
        self.setFixedSize(28, 28)
        self.setToolTip(name)
        self.setAccessibleName(name)
        self.restyle()
        self.toggled.connect(self.restyle)
        theme.signals().changed.connect(self.restyle)

    def restyle(self) -> None:
        """Tint the icon anew."""
        self.setIcon(icons.icon(self._icon, "accent_text" if self.isChecked() else "text_2"))


class ToggleChip(QPushButton):
    """A small filter that is on or off."""

    def __init__(self, text: str, *, checked: bool = False) -> None:
        super().__init__(text)
        self.setProperty("chip", True)
        self.setCheckable(True)
        self.setChecked(checked)
        self.setAccessibleName(text)
        self.setFont(theme.font("meta"))
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)


class Badge(Label):
    """A word in the colour of its meaning; never colour alone."""

    def __init__(self, text: str, token: str = "text_2") -> None:
        super().__init__(text, "caption", token)
        self.setContentsMargins(6, 2, 6, 2)
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Maximum)

    def paintEvent(self, event: QPaintEvent) -> None:
        """A thin frame in the border colour, then the word."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(theme.current().color("border"))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), 4, 4)
        painter.end()
        super().paintEvent(event)


class Card(QFrame):
    """A rounded surface; `body` holds its contents. A choosable one takes focus and tells when chosen."""

    chosen = Signal()

    def __init__(self, *, choosable: bool = False, margin: int = 16, spacing: int = 8) -> None:
        super().__init__()
        self.setProperty("card", True)
        self.body = QVBoxLayout(self)
        self.body.setContentsMargins(margin, margin - 4, margin, margin - 4)
        self.body.setSpacing(spacing)
        self._choosable = choosable
        if choosable:
            self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
            self.setCursor(Qt.CursorShape.PointingHandCursor)

    def set_chosen(self, *, chosen: bool) -> None:
        """Draw the frame of the chosen one, or not."""
        self.setProperty("chosen", chosen)
        self.style().unpolish(self)
        self.style().polish(self)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """A click chooses."""
        if self._choosable and event.button() == Qt.MouseButton.LeftButton:
            self.chosen.emit()
        super().mousePressEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """So do Enter and Space."""
        if self._choosable and event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space):
            self.chosen.emit()
            return
        super().keyPressEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Reaching it by Tab or arrow chooses it too."""
        super().focusInEvent(event)
        if self._choosable and event.reason() in (
            Qt.FocusReason.TabFocusReason,
            Qt.FocusReason.BacktabFocusReason,
            Qt.FocusReason.OtherFocusReason,
        ):
            self.chosen.emit()


class SearchField(QLineEdit):
    """A field to search or ask in; `hint` is shown at its right end."""

    def __init__(self, placeholder: str, hint: str = "", *, large: bool = False) -> None:
        super().__init__()
        self.setPlaceholderText(placeholder)
        self.setAccessibleName(placeholder)
        self.setFont(theme.font("section" if large else "body"))
        if large:
            font = self.font()
            font.setWeight(font.Weight.Normal)
            self.setFont(font)
            self.setMinimumHeight(42)
        self._hint = Label(hint, "meta", "text_3")
        self._hint.setParent(self)
        self._hint.setVisible(bool(hint))
        self.setTextMargins(2, 0, self._hint.sizeHint().width() + 12 if hint else 0, 0)

    def resizeEvent(self, event: object) -> None:
        """Keep the hint at the right end."""
        size = self._hint.sizeHint()
        self._hint.setGeometry(
            self.width() - size.width() - 12,
            (self.height() - size.height()) // 2,
            size.width(),
            size.height(),
        )


class ScoreBar(QWidget):
    """A number between 0 and 1 over a thin bar of that length."""

    def __init__(self, score: float) -> None:
        super().__init__()
        self._score = min(1.0, max(0.0, score))
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        column.addWidget(Label(number(self._score, 2), "body"))
        column.addStretch(1)
        self.setFixedSize(64, 36)
        self.setAccessibleName(tr("score {score}", score=number(self._score, 2)))

    def paintEvent(self, _event: QPaintEvent) -> None:
        """The track, then the part that is reached."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        track = QRectF(0, self.height() - 6, self.width(), 4)
        painter.setBrush(theme.current().color("subtle"))
        painter.drawRoundedRect(track, 2, 2)
        painter.setBrush(QColor(theme.current().charts[0]))
        painter.drawRoundedRect(QRectF(track.x(), track.y(), track.width() * self._score, 4), 2, 2)


class StatusDot(QWidget):
    """A dot in the colour of a state; the words that say the same stand beside it or in its tool tip."""

    def __init__(self, token: str, words: str) -> None:
        super().__init__()
        self._token = token
        self.setFixedSize(QSize(8, 8))
        self.set_state(token, words)

    def set_state(self, token: str, words: str) -> None:
        """Show another state."""
        self._token = token
        self.setToolTip(words)
        self.setAccessibleName(words)
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        """A filled circle."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.current().color(self._token))
        painter.drawEllipse(self.rect())


def row(*parts: QWidget | int, spacing: int = 8) -> QHBoxLayout:
    """Widgets side by side; 0 is a stretch, another number a gap in pixels."""
    found = QHBoxLayout()
    found.setContentsMargins(0, 0, 0, 0)
    found.setSpacing(spacing)
    for part in parts:
        if isinstance(part, QWidget):
            found.addWidget(part)
        elif part == 0:
            found.addStretch(1)
        else:
            found.addSpacing(part)
    return found


def clear(layout: QVBoxLayout | QHBoxLayout) -> None:
    """Remove everything from a layout and let it go."""
    while (item := layout.takeAt(0)) is not None:
        widget, inner = item.widget(), item.layout()
        if widget is not None:
            widget.hide()
            widget.deleteLater()
        elif isinstance(inner, QVBoxLayout | QHBoxLayout):
            clear(inner)
