"""An issue, a deal or a single note as the right pane shows it: facts, text, what was said about it."""

from __future__ import annotations

from datetime import datetime

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget

from ctower_desktop.crm.model import Deal, DealWithNotes
from ctower_desktop.gui.bubbles import Bubble, BubbleColumn, PlainText
from ctower_desktop.gui.evidence import source_line
from ctower_desktop.gui.text import day, money, number, tip, tr, when
from ctower_desktop.gui.widgets import Label, LinkButton
from ctower_desktop.kernel.system import from_text
from ctower_desktop.search.model import EvidenceItem
from ctower_desktop.work.model import Issue, IssueWithComments

_SHORTEST_LINK = 60
_BESIDE_TEXT = 30  # pixels of a link's icon and margins


class LinkLine(LinkButton):
    """A link as long as there is room; the rest of its words are left out."""

    def __init__(self, text: str) -> None:
        super().__init__(text.replace("&", "&&"), "link")
        self._whole = text
        self.set_words(text)

    def set_words(self, text: str) -> None:
        """Say something else."""
        self._whole = text
        self.setAccessibleName(text)
        self.setToolTip(tip(text))
        self._fit(self.width())
        self.updateGeometry()

    def minimumSizeHint(self) -> QSize:
        """It can become short."""
        return QSize(_SHORTEST_LINK, super().minimumSizeHint().height())

    def sizeHint(self) -> QSize:
        """Room for all its words."""
        return QSize(
            self.fontMetrics().horizontalAdvance(self._whole) + _BESIDE_TEXT, super().sizeHint().height()
        )

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Show as many of its words as fit."""
        super().resizeEvent(event)
        self._fit(event.size().width())

    def _fit(self, width: int) -> None:
        room = width - _BESIDE_TEXT
        shown = self.fontMetrics().elidedText(self._whole, Qt.TextElideMode.ElideRight, room)
        self.setText(shown.replace("&", "&&"))


class RecordView(QWidget):
    """One record from top to bottom. `anchor` is what to scroll to, `url` where the vendor shows it."""

    asked = Signal(str, str)  # kind and id of another record to open

    def __init__(self, meta: str, title: str) -> None:
        super().__init__()
        self.anchor: QWidget | None = None
        self.url: str | None = None
        self.vendor = ""
        self.column = QVBoxLayout(self)
        self.column.setContentsMargins(20, 16, 20, 16)
        self.column.setSpacing(8)
        self.heading = Label(title, "section", wrap=True)
        for label in (Label(meta, "meta", "text_2", wrap=True), self.heading):
            label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            label.setMinimumWidth(1)
            self.column.addWidget(label)  # shown before it has a place it would be a window of its own
            label.setVisible(bool(label.text()))
        self.setAccessibleName(f"{meta} {title}".strip())

    def section(self, title: str) -> None:
        """A heading for what follows."""
        self.column.addSpacing(8)
        self.column.addWidget(Label(title, "label"))

    def text(self, text: str) -> None:
        """A paragraph, to be read and copied."""
        self.column.addWidget(PlainText(text, fluid=True))

    def fact(self, name: str, value: str | None) -> None:
        """A line of what is known; nothing when it is not known."""
        if value:
            line = Label(tr("{name}: {value}", name=name, value=value), "meta", "text_2", wrap=True)
            line.setMinimumWidth(1)
            self.column.addWidget(line)

    def bubbles(self, found: list[Bubble]) -> None:
        """What was said, one below the other; the cited one is where the reading begins."""
        column = BubbleColumn()
        for bubble in found:
            column.add(bubble)
            if bubble.cited:
                self.anchor = bubble
        self.column.addWidget(column)

    def link(self, kind: str, of: str, text: str) -> None:
        """A way to another record."""
        button = LinkLine(text)
        button.clicked.connect(lambda: self.asked.emit(kind, of))
        self.column.addWidget(button)


def linked(view: RecordView, issues: list[Issue], deals: list[Deal]) -> None:
    """The records that hang together with this one."""
    if issues or deals:
        view.section(tr("Linked"))
    for issue in issues:
        view.link("issue", issue.id, f"{issue.identifier} · {issue.title}")
    for deal in deals:
        view.link("deal", deal.id, deal.title)


def issue_view(found: IssueWithComments, cited: str, now: datetime) -> RecordView:
    """An issue with its text, what blocks it, and its comments."""
    issue = found.issue
    parts = (tr("Linear {identifier}", identifier=issue.identifier), issue.state, issue.assignee_name)
    view = RecordView(" · ".join(part for part in parts if part), issue.title)
    view.url, view.vendor = issue.url, tr("Open in Linear")
    view.fact(tr("Project"), issue.linear_project_name)
    view.fact(tr("Cycle"), issue.cycle_name)
    view.fact(tr("Due"), _day(issue.due_date))
    view.fact(tr("Labels"), ", ".join(issue.labels))
    view.fact(tr("Changed"), when(issue.updated_at, now))
    if found.description:
        view.column.addSpacing(4)
        view.text(found.description)
    if found.blockers:
        view.section(tr("Blocked by"))
        for blocker in found.blockers:
            view.link("issue", blocker.id, f"{blocker.identifier} · {blocker.title}")
    if found.comments:
        view.section(tr("Comments"))
        view.bubbles(
            [
                Bubble(c.body, _head(c.author_name, c.created_at, now), "left", cited=c.id == cited)
                for c in found.comments
            ]
        )
    return view


def deal_view(found: DealWithNotes, cited: str, now: datetime) -> RecordView:
    """A deal with its figures, and the notes and tasks about it."""
    deal = found.deal
    amount = money(deal.amount, deal.currency or "") if deal.amount is not None else None
    parts = (tr("Attio deal"), deal.company_name, deal.stage)
    view = RecordView(" · ".join(part for part in parts if part), deal.title)
    view.url, view.vendor = deal.url, tr("Open in Attio")
    view.fact(tr("Amount"), amount)
    view.fact(tr("Probability"), tr("{percent} %", percent=number(deal.probability * 100)))
    view.fact(tr("Expected to close"), _day(deal.expected_close_date))
    view.fact(tr("Owner"), deal.owner_name)
    view.fact(tr("Next step"), deal.next_step)
    view.fact(tr("Changed"), when(deal.updated_at, now))
    if found.notes:
        view.section(tr("Notes"))
        view.bubbles(
            [
                Bubble(
                    "\n".join(part for part in (note.title, note.content) if part),
                    _head(note.author_name, note.created_at, now),
                    "left",
                    cited=note.id == cited,
                )
                for note in found.notes
            ]
        )
    if found.tasks:
        view.section(tr("Tasks"))
        view.bubbles(
            [
                Bubble(
                    task.content,
                    " · ".join(
                        part
                        for part in (
                            tr("done") if task.is_completed else tr("open"),
                            task.assignee_name,
                            tr("due {day}", day=_day(task.deadline_at)) if task.deadline_at else "",
                        )
                        if part
                    ),
                    "left",
                    cited=task.id == cited,
                )
                for task in found.tasks
            ]
        )
    return view


def text_view(item: EvidenceItem, now: datetime) -> RecordView:
    """A piece of evidence by itself, when there is no record around it to show."""
    view = RecordView(source_line(item, now), item.title or "")
    view.text(item.snippet)
    return view


def _head(name: str | None, at: str, now: datetime) -> str:
    return " · ".join(part for part in (name, when(at, now)) if part)


def _day(date: str | None) -> str:
    if not date:
        return ""
    moment = from_text(date) if "T" in date else datetime.fromisoformat(date)
    return f"{day(moment)} {moment.year}"
