"""A fact that is changed where it stands: Enter begins, Enter keeps, Esc leaves it as it was."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime
from typing import Any

from PySide6.QtCore import QEvent, QObject, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QComboBox, QGridLayout, QLineEdit, QPlainTextEdit, QStackedWidget, QWidget

from ctower_desktop.gui import theme
from ctower_desktop.gui.text import tr
from ctower_desktop.gui.widgets import Button, Label, LinkButton

Parse = Callable[[str], Any]  # raises ValueError with a sentence for the reader

_NAME = 128  # pixels for the names of facts
_AREA = 96
_BESIDE = 18
_ENTER = (Qt.Key.Key_Return, Qt.Key.Key_Enter)


class _Value(Button):
    """The value as it stands; as long as there is room, its end is left out."""

    def __init__(self) -> None:
        super().__init__("")
        self.setProperty("link", True)
        self.setFont(theme.font("body"))
        policy = self.sizePolicy().Policy
        self.setSizePolicy(policy.Expanding, policy.Fixed)
        self._whole = ""

    def say(self, name: str, text: str) -> None:
        """Show a value."""
        self._whole = text
        self.setToolTip(text)
        self.setAccessibleName(tr("{name}: {value}", name=name, value=text))
        self.setAccessibleDescription(tr("Enter changes it"))
        self._fit()

    @property
    def words(self) -> str:
        """The whole value."""
        return self._whole

    def minimumSizeHint(self) -> QSize:
        """It can become short."""
        return QSize(40, super().minimumSizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Show as much as fits."""
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        line = " ".join(self._whole.split())
        shown = self.fontMetrics().elidedText(line, Qt.TextElideMode.ElideRight, self.width() - _BESIDE)
        self.setText(shown.replace("&", "&&"))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Enter is a click."""
        if event.key() in _ENTER:
            self.click()
            return
        super().keyPressEvent(event)


class InPlace(QWidget):
    """A named fact; `entered` tells what was typed, already parsed."""

    entered = Signal(object)
    released = Signal()

    def __init__(self, name: str, parse: Parse, *, long: bool = False, hint: str = "") -> None:
        super().__init__()
        self.name, self._parse = name, parse
        self._raw = self._typed = ""
        self._open = False  # the stack tells too late: hiding the editor takes its focus first
        self.value = _Value()
        self.value.clicked.connect(self.begin)
        self.editor: QLineEdit | QPlainTextEdit = QPlainTextEdit() if long else QLineEdit()
        self.editor.setPlaceholderText(hint)
        self.editor.setAccessibleName(name)
        self.editor.installEventFilter(self)
        self._stack = QStackedWidget()
        self._stack.addWidget(self.value)
        self._stack.addWidget(self.editor)
        self.problem = Label("", "meta", "danger", wrap=True)
        self.note = Label("", "meta", "text_3", wrap=True)
        self.release = LinkButton(tr("Give back"))
        self.release.setAccessibleName(tr("Give back: {name}", name=name))
        self.release.setToolTip(tr("Let the vendor decide again"))
        self.release.clicked.connect(self.released)
        label = Label(name, "meta", "text_2", wrap=True)
        label.setBuddy(self.value)
        label.setFixedWidth(_NAME)
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(8)
        grid.setVerticalSpacing(2)
        grid.setColumnStretch(1, 1)
        grid.addWidget(label, 0, 0)
        grid.addWidget(self._stack, 0, 1, 1, 2)
        grid.addWidget(self.problem, 1, 1, 1, 2)
        grid.addWidget(self.note, 2, 1)
        grid.addWidget(self.release, 2, 2)
        self._rest()
        self.show_value("", "")
        self.show_note("")

    @property
    def editing(self) -> bool:
        """Whether somebody is typing."""
        return self._open

    def show_value(self, shown: str, raw: str) -> None:
        """The value in words, and as it is typed; what is being typed stays."""
        self.value.say(self.name, shown or "—")
        self._raw = raw

    def show_note(self, note: str) -> None:
        """What else is to be known of it; with a note it can be given back."""
        self.note.setText(note)
        self.note.setVisible(bool(note))
        self.release.setVisible(bool(note))

    def set_fixed(self, *, fixed: bool) -> None:
        """Whether it is only to be read."""
        self.value.setEnabled(not fixed)

    def begin(self) -> None:
        """Type another value."""
        self._write(self._raw)
        self._stack.setFixedHeight(_AREA if isinstance(self.editor, QPlainTextEdit) else theme.CONTROL + 2)
        self._stack.setCurrentWidget(self.editor)
        self._open = True
        self.editor.setFocus()

    def _write(self, text: str) -> None:
        if isinstance(self.editor, QLineEdit):
            self.editor.setText(text)
            self.editor.selectAll()
        else:
            self.editor.setPlainText(text)

    def keep(self) -> None:
        """Take what was typed, if it can be understood."""
        typed = self.editor.text() if isinstance(self.editor, QLineEdit) else self.editor.toPlainText()
        self._typed = typed
        if typed.strip() == self._raw.strip():
            self.leave()
            return
        try:
            value = self._parse(typed.strip())
        except ValueError as error:
            self.refuse(str(error))
            return
        self.leave()
        self.entered.emit(value)

    def refuse(self, sentence: str) -> None:
        """Say why it cannot be that."""
        self.problem.setText(sentence)
        self.problem.show()

    def reopen(self, sentence: str) -> None:
        """It was refused: what was typed is there again, with the reason."""
        self.begin()
        self._write(self._typed)
        self.refuse(sentence)

    def leave(self) -> None:
        """Show the value as it was."""
        had = self.editor.hasFocus()
        self._rest()
        if had:
            self.value.setFocus()

    def _rest(self) -> None:
        self._open = False
        self.problem.hide()
        self._stack.setFixedHeight(theme.CONTROL)
        self._stack.setCurrentWidget(self.value)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Enter keeps (Ctrl+Enter in long texts), Esc leaves; going elsewhere keeps too."""
        if event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent):
            long = isinstance(self.editor, QPlainTextEdit)
            control = bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
            if event.key() in _ENTER and (control or not long):
                self.keep()
                return True
            if event.key() == Qt.Key.Key_Escape:
                self.leave()
                return True
        if event.type() == QEvent.Type.FocusOut and self.editing and self.isVisible():
            self.keep()
        return super().eventFilter(watched, event)


class Choice(QWidget):
    """A named fact that is one of a few words."""

    entered = Signal(object)
    released = Signal()

    def __init__(self, name: str, words: Sequence[tuple[str, str]]) -> None:
        super().__init__()
        self.name = name
        self.box = QComboBox()
        self.box.setAccessibleName(name)
        for value, word in words:
            self.box.addItem(word, value)
        self.box.activated.connect(self._chosen)
        self._value = ""
        self.note = Label("", "meta", "text_3", wrap=True)
        self.release = LinkButton(tr("Give back"))
        self.release.setAccessibleName(tr("Give back: {name}", name=name))
        self.release.clicked.connect(self.released)
        label = Label(name, "meta", "text_2", wrap=True)
        label.setBuddy(self.box)
        label.setFixedWidth(_NAME)
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(8)
        grid.setVerticalSpacing(2)
        grid.setColumnStretch(1, 1)
        grid.addWidget(label, 0, 0)
        grid.addWidget(self.box, 0, 1, 1, 2, Qt.AlignmentFlag.AlignLeft)
        grid.addWidget(self.note, 1, 1)
        grid.addWidget(self.release, 1, 2)
        self.show_note("")

    def show_value(self, value: str) -> None:
        """Show which it is."""
        self._value = value
        self.box.setCurrentIndex(self.box.findData(value))

    def show_note(self, note: str) -> None:
        """What else is to be known of it; with a note it can be given back."""
        self.note.setText(note)
        self.note.setVisible(bool(note))
        self.release.setVisible(bool(note))

    def set_fixed(self, *, fixed: bool) -> None:
        """Whether it is only to be read."""
        self.box.setEnabled(not fixed)

    def _chosen(self, _place: int) -> None:
        value = self.box.currentData()
        if value != self._value:
            self.entered.emit(value)


def a_text(typed: str) -> str:
    """Any text."""
    return typed


def a_number(typed: str) -> float:
    """A number with either language's separators."""
    plain = "".join(typed.replace("\u00a0", "").replace("\u202f", "").split())
    if "," in plain and "." in plain:
        plain = plain.replace("," if plain.rfind(",") < plain.rfind(".") else ".", "")
    elif plain.count(",") == 1 and len(plain.partition(",")[2]) == 3 and not plain.startswith("0,"):
        plain = plain.replace(",", "")
    try:
        return float(plain.replace(",", "."))
    except ValueError:
        raise ValueError(tr("This is not a number.")) from None


def a_percentage(typed: str) -> float:
    """A share of one, typed in per cent."""
    found = a_number(typed.rstrip(" %"))
    if not 0 <= found <= 100:
        raise ValueError(tr("Between 0 and 100, please."))
    return found / 100


def a_day(typed: str) -> str | None:
    """A day as YYYY-MM-DD from either language's way to write it; nothing for none."""
    if not typed:
        return None
    for form in ("%Y-%m-%d", "%d.%m.%Y", "%d.%m.%y"):
        try:
            return datetime.strptime(typed, form).date().isoformat()  # noqa: DTZ007 - a day has no zone
        except ValueError:
            continue
    raise ValueError(tr("A day, please, such as {day}.", day=date(2027, 1, 15).isoformat()))
