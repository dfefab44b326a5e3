"""What the window says back: errors with the next step, empty states, progress, passing notes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from PySide6.QtCore import QEvent, QObject, Qt, QTimer
from PySide6.QtWidgets import QFrame, QHBoxLayout, QProgressBar, QVBoxLayout, QWidget

from ctower_desktop.gui import icons
from ctower_desktop.gui.text import number, tr
from ctower_desktop.gui.widgets import Button, IconButton, Label, LinkButton, PrimaryButton
from ctower_desktop.kernel.errors import NotReady, StorageFull, TowerError, Upstream

EmptyKind = Literal["no_data", "filtered", "not_synced", "failed"]

_TOAST = 6_000  # milliseconds
_ICONS: dict[EmptyKind, str] = {
    "no_data": "folder",
    "filtered": "search",
    "not_synced": "sync",
    "failed": "warning",
}


class ErrorBar(QFrame):
    """Says what went wrong and what to do next; stays until it is closed or things are well again."""

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("notice", True)
        self.setObjectName("error-bar")
        line = QHBoxLayout(self)
        line.setContentsMargins(12, 6, 6, 6)
        self._sign = Label()
        self._text = Label(wrap=True)
        self._step: LinkButton | None = None
        self._line = line
        close = IconButton("close", tr("Close"))
        close.clicked.connect(self.hide)
        line.addWidget(self._sign)
        line.addWidget(self._text, 1)
        line.addWidget(close)
        self.hide()

    @property
    def text(self) -> str:
        """What it says now."""
        return self._text.text()

    def show_error(
        self, error: TowerError | str, step: str = "", action: Callable[[], object] | None = None
    ) -> None:
        """Show a failure in plain words, with a button for the next step if there is one."""
        sentence = error if isinstance(error, str) else plain_words(error)
        self._sign.setPixmap(icons.pixmap("warning", "danger"))
        self._text.setText(sentence)
        if self._step is not None:
            self._line.removeWidget(self._step)
            self._step.deleteLater()
            self._step = None
        if step and action is not None:
            self._step = LinkButton(step)
            self._step.clicked.connect(lambda: action())
            self._line.insertWidget(2, self._step)
        self.show()


def plain_words(error: TowerError) -> str:
    """A failure as a sentence for people."""
    if isinstance(error, StorageFull):
        return tr("The disk is full. Nothing was lost; free some space and it goes on by itself.")
    if isinstance(error, NotReady):
        return tr("This is still being prepared. Try again in a moment.")
    if isinstance(error, Upstream):
        return tr("A connected service did not do its part: {reason}", reason=str(error))
    return str(error)


def show_error(owner: QWidget, error: BaseException | None) -> None:
    """Show a failure in the nearest error bar above `owner`."""
    sentence: TowerError | str = tr("Something broke on our side; the log has the details.")
    if isinstance(error, TowerError):
        sentence = error
    place: QWidget | None = owner
    while place is not None:
        bar = place.findChild(ErrorBar, "error-bar")
        if bar is not None:
            bar.show_error(sentence)
            return
        place = place.parentWidget()


class EmptyState(QWidget):
    """Why there is nothing here, and the one thing to do about it."""

    def __init__(
        self,
        kind: EmptyKind,
        title: str,
        sentence: str,
        action: str = "",
        run: Callable[[], object] | None = None,
    ) -> None:
        super().__init__()
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 48, 24, 48)
        column.setSpacing(8)
        sign = Label()
        sign.setPixmap(icons.pixmap(_ICONS[kind], "danger" if kind == "failed" else "text_3", 20))
        words = Label(sentence, "body", "text_2", wrap=True)
        for label in (sign, Label(title, "section"), words):
            label.setAlignment(Qt.AlignmentFlag.AlignHCenter)
            column.addWidget(label)
        if action and run is not None:
            button = PrimaryButton(action)
            button.clicked.connect(lambda: run())
            column.addSpacing(8)
            column.addWidget(button, 0, Qt.AlignmentFlag.AlignHCenter)
        column.addStretch(1)


class ProgressRow(QWidget):
    """How far long work is: words, counts, a bar, and a way to stop it if there is one."""

    def __init__(self, text: str = "", cancel: Callable[[], object] | None = None) -> None:
        super().__init__()
        line = QHBoxLayout(self)
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(8)
        self._text = Label(text, "meta", "text_2")
        self._count = Label("", "meta", "text_3")
        self._bar = QProgressBar()
        self._bar.setTextVisible(False)
        self._bar.setFixedHeight(4)
        self._bar.setAccessibleName(text)
        line.addWidget(self._text)
        line.addWidget(self._bar, 1)
        line.addWidget(self._count)
        if cancel is not None:
            button = IconButton("close", tr("Cancel"))
            button.clicked.connect(lambda: cancel())
            line.addWidget(button)

    def show_progress(self, text: str, done: int, total: int | None) -> None:
        """Show how far it is; without a total the bar only moves."""
        self._text.setText(text)
        self._bar.setAccessibleName(text)
        self._bar.setRange(0, total or 0)
        self._bar.setValue(done if total else 0)
        self._count.setText(
            tr("{done} of {total}", done=number(done), total=number(total)) if total else number(done)
        )


class _Toast(QFrame):
    """A note at the lower edge that goes away by itself."""

    def __init__(self, parent: QWidget, text: str, action: str, run: Callable[[], object] | None) -> None:
        super().__init__(parent)
        self.setProperty("card", True)
        line = QHBoxLayout(self)
        line.setContentsMargins(16, 8, 8, 8)
        line.addWidget(Label(text))
        if action and run is not None:
            button = Button(action)
            button.clicked.connect(lambda: run())
            button.clicked.connect(self.deleteLater)
            line.addWidget(button)
        parent.installEventFilter(self)
        self._place()
        self.show()
        self.raise_()
        QTimer.singleShot(_TOAST, self, self.deleteLater)

    def _place(self) -> None:
        parent = self.parentWidget()
        if parent is not None:
            self.adjustSize()
            self.move((parent.width() - self.width()) // 2, parent.height() - self.height() - 24)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Stay in the middle of the lower edge."""
        if event.type() == QEvent.Type.Resize:
            self._place()
        return super().eventFilter(watched, event)


def toast(parent: QWidget, text: str, action: str = "", run: Callable[[], object] | None = None) -> None:
    """Say something in passing, with at most one thing to do about it, such as undoing it."""
    _Toast(parent.window(), text, action, run)
