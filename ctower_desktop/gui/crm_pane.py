"""The record beside a list of sales: read, shown, read again; evidence opens in its place with a way back."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QScrollArea, QStackedWidget, QVBoxLayout, QWidget

from ctower_desktop.accounts.evidence import located
from ctower_desktop.accounts.model import EvidenceRef
from ctower_desktop.gui.detail import DetailPane
from ctower_desktop.gui.feedback import EmptyState, plain_words
from ctower_desktop.gui.page import Page
from ctower_desktop.gui.records import LinkLine
from ctower_desktop.gui.tasks import start
from ctower_desktop.gui.text import tr
from ctower_desktop.gui.widgets import Button, Label, clear
from ctower_desktop.kernel.errors import NotFound, TowerError
from ctower_desktop.search.model import EvidenceItem

Line = tuple[str, Callable[[], object] | None]  # words, and what a click does


class Section(QWidget):
    """A heading and lines below it; away when there are none."""

    def __init__(self, title: str) -> None:
        super().__init__()
        self._shown: list[str] | None = None
        self.links: list[LinkLine] = []
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 12, 0, 0)
        column.setSpacing(4)
        column.addWidget(Label(title, "label"))
        self._lines = QVBoxLayout()
        self._lines.setSpacing(4)
        column.addLayout(self._lines)

    @property
    def texts(self) -> list[str]:
        """What it says."""
        return list(self._shown or [])

    def show_lines(self, lines: Sequence[Line]) -> None:
        """Replace the lines, unless they say the same."""
        told = [words for words, _ in lines]
        self.setVisible(bool(lines))
        if told == self._shown:
            return
        self._shown = told
        clear(self._lines)
        self.links = []
        for words, opens in lines:
            if opens is None:
                label = Label(words, "meta", "text_2", wrap=True)
                label.setMinimumWidth(1)
                self._lines.addWidget(label)
                continue
            link = LinkLine(words)
            link.clicked.connect(partial(_run, opens))
            self.links.append(link)
            self._lines.addWidget(link)


def _run(opens: Callable[[], object], _checked: bool = False) -> None:  # noqa: FBT001, FBT002 - Qt's
    opens()


class RecordPane(QFrame):
    """One record at a time; `record_id` is empty while none is open."""

    closed = Signal()

    def __init__(self, page: Page, name: str, hint: str) -> None:
        super().__init__()
        self.page = page
        self.record_id = ""
        self._task: asyncio.Task[Any] | None = None
        self._hint = hint
        self.setProperty("panel", True)
        self.setMinimumWidth(360)
        self.heading = Label("", "section", wrap=True)
        self.column = QVBoxLayout()
        self.column.setContentsMargins(20, 16, 20, 16)
        self.column.setSpacing(6)
        inside = QWidget()
        inside.setLayout(self.column)
        self.area = QScrollArea()
        self.area.setWidgetResizable(True)
        self.area.setFrameShape(QFrame.Shape.NoFrame)
        self.area.setAccessibleName(name)
        self.area.setWidget(inside)
        self.evidence = Section(tr("Evidence"))
        self.source: DetailPane | None = None
        self.state: EmptyState | None = None
        self.stack = QStackedWidget()
        self.stack.addWidget(self.area)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(1, 0, 0, 0)
        whole.addWidget(self.stack)
        self.clear()

    # -- what a kind of record does

    async def read(self) -> Any:
        """Everything that is shown of the record."""
        raise LookupError(f"{type(self).__name__} reads nothing")

    def show_record(self, found: Any) -> None:
        """Show it."""
        raise LookupError(f"{type(self).__name__} shows nothing")

    # -- opening

    def open(self, record_id: str) -> None:
        """Show another record."""
        if record_id != self.record_id or self.stack.currentWidget() is not self.area:
            self.record_id = record_id
            self.area.verticalScrollBar().setValue(0)
            self.refresh()

    def refresh(self) -> None:
        """Read the open record again."""
        if not self.record_id:
            return
        if self._task is not None:
            self._task.cancel()
        self._task = start(self, self.read(), self._shown, self._failed)

    def clear(self) -> None:
        """Show nothing, and say what will be here."""
        self.record_id = ""
        if self._task is not None:
            self._task.cancel()
        self._say(EmptyState("no_data", tr("Nothing is open"), self._hint))

    def _shown(self, found: Any) -> None:
        self.show_record(found)
        if self.stack.currentWidget() is not self.source or self.source is None:
            self._say(None)

    def _failed(self, error: TowerError) -> None:
        if isinstance(error, NotFound):
            title, sentence = (
                tr("It is no longer there"),
                tr("It was removed, or belongs to another project."),
            )
        else:
            title, sentence = tr("It could not be read"), plain_words(error)
        self._say(EmptyState("failed", title, sentence, tr("Try again"), self.refresh))

    def _say(self, state: EmptyState | None) -> None:
        if self.state is not None:
            self.stack.removeWidget(self.state)
            self.state.deleteLater()
        self.state = state
        if state is not None:
            self.stack.addWidget(state)
        self.stack.setCurrentWidget(state or self.area)

    # -- evidence

    def show_evidence(self, refs: Sequence[EvidenceRef]) -> None:
        """What the record rests on; what can be opened opens."""
        self.evidence.show_lines([(_words(ref), self._opener(ref)) for ref in refs])

    def _opener(self, ref: EvidenceRef) -> Callable[[], object] | None:
        found = located(ref)
        if found.conversation:
            return partial(self.open_source, "conversation", found.conversation)
        thread = str(ref.meta.get("conversation_global_id") or "")
        if found.message and thread:
            return lambda: self._to_source().open_evidence(_message(ref, thread))
        return None

    def open_source(self, kind: Any, record_id: str) -> None:
        """Open a vendor's record in place of this one."""
        source = self._to_source()
        source.clear()
        source.open_record(kind, record_id)

    def _to_source(self) -> DetailPane:
        if self.source is None:
            self.source = DetailPane(self.page.call)
            back = Button(tr("Back"), icon="back")
            back.clicked.connect(self.leave_source)
            self.source.layout().insertWidget(0, back)  # type: ignore[union-attr]
            self.stack.addWidget(self.source)
        self.stack.setCurrentWidget(self.source)
        return self.source

    def leave_source(self) -> None:
        """Return to the record."""
        self.stack.setCurrentWidget(self.area)
        self.refresh()


def _words(ref: EvidenceRef) -> str:
    kinds = {
        "cw_messages": tr("Message"),
        "cw_conversations": tr("Conversation"),
        "cw_contacts": tr("Contact"),
        "rag_chunks": tr("Passage"),
    }
    kind = kinds.get(located(ref).table, tr("Outside"))
    return f"{kind} · {ref.snippet or ref.ref}"


def _message(ref: EvidenceRef, thread: str) -> EvidenceItem:
    """A message as the pane of evidence opens it."""
    return EvidenceItem(
        source_type="chatwoot_message",
        source_pk=ref.ref,
        source_ref=None,
        title=None,
        snippet=ref.snippet or "",
        created_at=None,
        metadata={"conversation_global_id": thread},
    )
