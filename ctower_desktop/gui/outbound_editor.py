"""Writing a message: channel, recipient, subject, text; what else its payload holds stays as it is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QComboBox, QFormLayout, QLineEdit, QPlainTextEdit, QVBoxLayout, QWidget

from ctower_desktop.gui.asking import what_is_wrong
from ctower_desktop.gui.flow import FlowLayout
from ctower_desktop.gui.outbound_recipient import RecipientField
from ctower_desktop.gui.outbound_words import TEXT_FIELDS, channels, error_words
from ctower_desktop.gui.text import tr
from ctower_desktop.gui.widgets import Button, Label, PrimaryButton
from ctower_desktop.inbox.outbound.model import ChannelName, Outbound, Payload
from ctower_desktop.kernel.errors import TowerError
from ctower_desktop.kernel.tower import Desktop

_TEXT, _VARIABLES = 180, 64


class Area(QPlainTextEdit):
    """A text of several lines; Ctrl+Enter keeps it, Esc leaves."""

    kept = Signal()
    left = Signal()

    def __init__(self, name: str, height: int) -> None:
        super().__init__()
        self.setAccessibleName(name)
        self.setMinimumHeight(height)
        self.setTabChangesFocus(True)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """The two keys; everything else is typing."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and (
            event.modifiers() & Qt.KeyboardModifier.ControlModifier
        ):
            self.kept.emit()
        elif event.key() == Qt.Key.Key_Escape:
            self.left.emit()
        else:
            super().keyPressEvent(event)


class MessageEditor(QWidget):
    """The fields of one message. `kept` tells that they are to be saved, `left` that they are not."""

    kept = Signal()
    left = Signal()

    def __init__(self, call: Callable[[], Desktop]) -> None:
        super().__init__()
        self._payload: Payload = {}
        self.channel = QComboBox()
        self.channel.setAccessibleName(tr("Channel"))
        for value, word in channels():
            self.channel.addItem(word, value)
        self.channel.currentIndexChanged.connect(lambda _: self._fields())
        self.recipient = RecipientField(call)
        self.subject, self.template = QLineEdit(), QLineEdit()
        self.subject.setAccessibleName(tr("Subject"))
        self.template.setAccessibleName(tr("Template"))
        self.text = Area(tr("Text"), _TEXT)
        self.variables = Area(tr("Variables"), _VARIABLES)
        self.variables.setPlaceholderText(tr("One a line: name = value"))
        self.variables.setMaximumHeight(_VARIABLES + 32)
        self.problem = Label("", "meta", "danger", wrap=True)
        self.keep, leave = PrimaryButton(tr("Save the draft"), "Ctrl+Enter"), Button(tr("Cancel"), "Esc")
        self.keep.clicked.connect(self.kept)
        leave.clicked.connect(self.left)
        for area in (self.text, self.variables):
            area.kept.connect(self.kept)
            area.left.connect(self.left)
        self._form = QFormLayout()
        self._form.setVerticalSpacing(8)
        self._form.setHorizontalSpacing(12)
        self._form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.ExpandingFieldsGrow)
        self._form.setRowWrapPolicy(QFormLayout.RowWrapPolicy.WrapLongRows)
        self._form.setLabelAlignment(Qt.AlignmentFlag.AlignLeft)
        for name, editor in self._named():
            label = Label(name, "label")
            label.setBuddy(editor)
            self._form.addRow(label, editor)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addLayout(self._form)
        column.addWidget(self.problem)
        buttons = QWidget()
        buttons.setLayout(FlowLayout(self.keep, leave))
        column.addWidget(buttons)
        self.show_new("email")

    def _named(self) -> tuple[tuple[str, QWidget], ...]:
        return (
            (tr("Channel"), self.channel),
            (tr("Recipient"), self.recipient),
            (tr("Subject"), self.subject),
            (tr("Template"), self.template),
            (tr("Text"), self.text),
            (tr("Variables"), self.variables),
        )

    def _fields(self) -> None:
        """Only what the channel knows."""
        name = self.chosen_channel
        self._form.setRowVisible(self.subject, name == "email")
        self._form.setRowVisible(self.template, name == "loops")
        self._form.setRowVisible(self.text, name != "loops")
        self._form.setRowVisible(self.variables, name == "loops" or bool(self._payload.get("variables")))

    @property
    def chosen_channel(self) -> ChannelName:
        """The channel it goes by."""
        return self.channel.currentData()  # type: ignore[no-any-return]

    def show_new(self, channel: ChannelName) -> None:
        """Begin an empty message."""
        self._fill({}, channel)
        self.channel.setEnabled(True)
        self.recipient.show_ref("", None)

    def show_message(self, message: Outbound) -> None:
        """Change one that is there; its channel stays."""
        self._fill(message.payload, message.channel)
        self.channel.setEnabled(False)
        self.recipient.show_ref(message.recipient_ref, message.recipient_name)

    def _fill(self, payload: Payload, channel: ChannelName) -> None:
        self._payload = dict(payload)
        self.channel.setCurrentIndex(self.channel.findData(channel))
        self.subject.setText(str(payload.get("subject") or ""))
        self.template.setText(str(payload.get("template") or ""))
        self.text.setPlainText(str(payload.get(self._text_field) or ""))
        given = payload.get("variables") or {}
        self.variables.setPlainText("\n".join(f"{name} = {value}" for name, value in given.items()))
        self.say(None)
        self._fields()

    @property
    def _text_field(self) -> str:
        names = [name for name in (*TEXT_FIELDS, "html") if self._payload.get(name)]
        return names[0] if names else "text"

    @property
    def payload(self) -> Payload:
        """What the message says now; fields that are not on screen stay as they were."""
        found = dict(self._payload)
        typed: dict[str, Any] = {"variables": self._typed_variables()}
        if self.chosen_channel == "email":
            typed["subject"] = self.subject.text().strip()
        if self.chosen_channel == "loops":
            typed["template"] = self.template.text().strip()
        else:
            typed[self._text_field] = self.text.toPlainText()
        for name, value in typed.items():
            if value:
                found[name] = value
            else:
                found.pop(name, None)
        return found

    def _typed_variables(self) -> dict[str, Any]:
        before = self._payload.get("variables") or {}
        lines = (line.partition("=") for line in self.variables.toPlainText().splitlines())
        typed = {name.strip(): value.strip() for name, equals, value in lines if equals and name.strip()}
        return {
            name: before[name] if name in before and str(before[name]) == value else value
            for name, value in typed.items()
        }

    def say(self, error: TowerError | None) -> None:
        """What is wrong with it; nothing when all is well."""
        issues = error.issues if error is not None else ()
        told = [tr("{name}: {value}", name=_field(one.path), value=what_is_wrong(one)) for one in issues]
        self.problem.setText("\n".join(told) or (error_words(error) if error is not None else ""))
        self.problem.setVisible(error is not None)


def _field(path: str) -> str:
    """What a field with a problem is called on screen."""
    known = {
        "recipient_ref": tr("Recipient"),
        "subject": tr("Subject"),
        "template": tr("Template"),
        "variables": tr("Variables"),
    }
    return next((known[part] for part in path.split(".") if part in known), tr("Text"))
