"""Ask: a question in plain words, its answer, and the evidence, down to the message it was written in."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any, Literal

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QFrame, QHBoxLayout, QScrollArea, QSplitter, QVBoxLayout, QWidget

from ctower_desktop.gui import theme
from ctower_desktop.gui.answer import AnswerView, as_plain_text
from ctower_desktop.gui.commands import Command
from ctower_desktop.gui.detail import DetailPane
from ctower_desktop.gui.evidence import EvidenceList, source_line
from ctower_desktop.gui.feed import follow, listen
from ctower_desktop.gui.feedback import EmptyState, ProgressRow, plain_words
from ctower_desktop.gui.page import Page, WindowContext
from ctower_desktop.gui.question import QuestionBar
from ctower_desktop.gui.tasks import start, stream
from ctower_desktop.gui.text import tr
from ctower_desktop.gui.widgets import Label, clear
from ctower_desktop.kernel.errors import TowerError
from ctower_desktop.kernel.events import IndexProblem, IndexProgress
from ctower_desktop.search.actions import rate_answer, read_lightrag_status, stream_answer
from ctower_desktop.search.asking import AnswerBegun, AnswerDone, AnswerEvent, AnswerPiece
from ctower_desktop.search.model import EvidenceItem, LightragAnswer, LightragStatus, NewFeedback

_WIDEST, _NARROWEST = 760, 540
_PATIENCE = 300  # milliseconds before waiting is shown
_RECORDS = {"conversation", "message", "attachment", "issue", "comment", "deal", "note", "task"}


class AskPage(Page):
    """Question, answer, evidence at the left; the source of the chosen evidence at the right."""

    id = "ask"

    def __init__(self, context: WindowContext) -> None:
        super().__init__(context)
        self._task: asyncio.Task[Any] | None = None
        self._asked = ""
        self.answered: LightragAnswer | None = None
        self.bar = QuestionBar()
        self.progress = ProgressRow()
        self.notice = Label("", "meta", "warning", wrap=True)
        self.waiting = ProgressRow()
        self.answer = AnswerView()
        self.heading = Label(tr("Evidence"), "label")
        self.evidence = EvidenceList()
        self.detail = DetailPane(self.call)
        self._patience = QTimer(self)
        self._patience.setSingleShot(True)
        self._patience.setInterval(_PATIENCE)
        self._patience.timeout.connect(self._still_waiting)
        self._build()
        self._connect()
        self._start_over()

    @property
    def title(self) -> str:
        """What the top bar calls it."""
        return tr("Ask")

    def activate(self) -> None:
        """The question is where work begins."""
        self.bar.field.setFocus()
        self.bar.field.selectAll()
        self._read_status()

    def project_changed(self) -> None:
        """Another project: nothing of the one before stays on screen."""
        self.bar.forget()
        self._start_over()
        self._read_status()

    def commands(self) -> list[Command]:
        """What one can do here."""
        return [
            Command("ask.focus", tr("Ask a question"), self._go, "/", "ask question спросить вопрос"),
            Command(
                "ask.copy",
                tr("Copy the answer with its sources"),
                self._copy,
                "Ctrl+Shift+C",
                "copy копировать",
            ),
            Command(
                "ask.evidence",
                tr("Go to the evidence"),
                self._to_evidence,
                "Ctrl+E",
                "evidence свидетельства",
            ),
        ]

    # -- building

    def _build(self) -> None:
        results = QVBoxLayout()
        results.setContentsMargins(0, 0, 4, 16)
        results.setSpacing(12)
        self._state = QVBoxLayout()
        parts: tuple[QWidget, ...] = (self.waiting, self.answer, self.heading, self.evidence)
        for part in parts:
            results.addWidget(part)
        results.addLayout(self._state)
        results.addStretch(1)
        inside = QWidget()
        inside.setLayout(results)
        self.area = QScrollArea()
        self.area.setWidgetResizable(True)
        self.area.setFrameShape(QFrame.Shape.NoFrame)
        self.area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.area.setWidget(inside)
        column = QVBoxLayout()
        column.setContentsMargins(20, 20, 16, 0)
        column.setSpacing(12)
        above: tuple[QWidget, ...] = (self.bar, self.progress, self.notice)
        for part in above:
            column.addWidget(part)
        column.addWidget(self.area, 1)
        centre = QWidget()
        centre.setLayout(column)
        centre.setMaximumWidth(_WIDEST + 40)
        middle = QHBoxLayout()
        middle.setContentsMargins(0, 0, 0, 0)
        middle.addWidget(centre, 1)
        left = QWidget()
        left.setLayout(middle)
        left.setMinimumWidth(_NARROWEST)
        split = QSplitter()
        split.setHandleWidth(1)
        split.setChildrenCollapsible(False)
        split.addWidget(left)
        split.addWidget(self.detail)
        split.setStretchFactor(0, 1)
        split.setSizes([_WIDEST, theme.DETAIL])
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(split)
        self.progress.hide()
        self.notice.hide()

    def _connect(self) -> None:
        self.bar.asked.connect(self.ask)
        self.evidence.chosen.connect(self._chosen)
        self.answer.cited.connect(lambda number: self.evidence.choose(number, focus=True))
        self.answer.rated.connect(self._rate)
        self.answer.copied.connect(self._copy)
        self.detail.judged.connect(self._judge)
        follow(self, self.tower, {*_RECORDS, "index_queue"}, self._read_status)
        follow(self.detail, self.tower, _RECORDS, self.detail.reload)
        listen(self, self.tower, IndexProgress, self._indexing)
        listen(self, self.tower, IndexProblem, lambda _: self._read_status())

    # -- asking

    def ask(self) -> None:
        """Search, show what was found, and let the answer grow."""
        if not self.context.has_project():
            return
        self._stop()
        self._asked = self.bar.text
        self.bar.remember(self._asked)
        self.answered = None
        self._say(None)
        self._clear_results()
        self._patience.start()
        source = stream_answer(self.call(), self.bar.query(self.tower.clock.now()))
        self._task = stream(self, source, self._heard, failed=self._failed)

    def _heard(self, event: AnswerEvent) -> None:
        if isinstance(event, AnswerBegun):
            self._found(event.found)
        elif isinstance(event, AnswerPiece):
            self.answer.add(event.text)
        else:
            self._done(event)

    def _found(self, found: LightragAnswer) -> None:
        self._patience.stop()
        self.waiting.hide()
        self.bar.understood.show_days(found.period)
        self.heading.setVisible(bool(found.evidence))
        self.evidence.show_items(found.evidence, self._asked, self.tower.clock.now())
        self.area.verticalScrollBar().setValue(0)

    def _done(self, event: AnswerDone) -> None:
        self.answered = event.answer
        self.answer.finish(event.answer, event.problem)
        self._words_only(event.answer.search_config.degraded)
        self.evidence.choose(event.answer.citations[0] if event.answer.citations else 1)
        if not event.answer.evidence and self.bar.narrowed:
            self._say(
                EmptyState(
                    "filtered",
                    tr("Nothing within these limits"),
                    tr("The search was narrowed by kind or by date."),
                    tr("Search everything"),
                    self.bar.widen,
                )
            )

    def _failed(self, error: TowerError) -> None:
        self._clear_results()
        self._say(
            EmptyState(
                "failed", tr("The question was not answered"), plain_words(error), tr("Try again"), self.ask
            )
        )

    def _still_waiting(self) -> None:
        self.waiting.show_progress(tr("Searching…"), 0, None)
        self.waiting.show()

    def _stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            self._task = None

    # -- what one can do with an answer

    def _chosen(self, item: EvidenceItem) -> None:
        self.detail.open_evidence(item)
        card = self.evidence.cards[self.evidence.place]
        if card.hasFocus():  # a new answer stays in sight; only who walks the list is followed
            QTimer.singleShot(0, card, lambda: self.area.ensureWidgetVisible(card, 0, 16))

    def _rate(self, rating: int) -> None:
        if self.answered is not None:
            run = int(self.answered.query_run_id)
            start(self, self._send(run, rating), lambda _: self._thanks(rating))

    def _judge(self, item: EvidenceItem) -> None:
        if self.answered is None:
            return
        run = int(self.answered.query_run_id)
        undo = partial(self._unjudge, run, item.source_pk)
        said = tr("It will stand lower for questions with these words.")
        work = self._send(run, -1, item.source_pk)
        start(self, work, lambda _: self.context.toast(said, tr("Undo"), undo))

    def _unjudge(self, run: int, source_pk: str) -> None:
        start(self, self._send(run, 0, source_pk), lambda _: self._thanks(0))

    async def _send(self, run: int, rating: int, source_pk: str | None = None) -> None:
        body = NewFeedback(query_run_id=run, rating=_rating(rating), source_pk=source_pk)
        await rate_answer(self.call(), body)

    def _thanks(self, rating: int) -> None:
        self.context.toast(tr("Noted.") if rating else tr("Taken back."))

    def _copy(self) -> None:
        if self.answered is not None:
            now = self.tower.clock.now()
            sources = [source_line(item, now) for item in self.answered.evidence]
            QGuiApplication.clipboard().setText(as_plain_text(self.answered, sources))
            self.context.toast(tr("Copied."))

    def _go(self) -> None:
        self.context.open_page(self.id)

    def _to_evidence(self) -> None:
        self.context.open_page(self.id)
        self.evidence.choose(self.evidence.place + 1 or 1, focus=True)

    # -- the state of the index

    def _read_status(self) -> None:
        if self.context.has_project():
            start(self, self._status(), self._show_status)
        else:
            self._say(
                EmptyState(
                    "no_data",
                    tr("No project yet"),
                    tr("A project is what sources are bound to and questions are asked about."),
                    tr("New project…"),
                    lambda: self.context.commands.run("project.new"),
                )
            )

    async def _status(self) -> LightragStatus:
        return await read_lightrag_status(self.call())

    def _show_status(self, status: LightragStatus) -> None:
        waiting = status.embeddings.pending + status.embeddings.processing
        known = waiting + status.embeddings.ready + status.embeddings.failed
        self._show_progress(status.embeddings.ready + status.embeddings.failed, known + status.index.queued)
        self.progress.setVisible(self.progress.isVisibleTo(self) and status.index.problem is None)
        self._words_only(status.index.problem)
        if self._asked:
            return
        sources = status.sources
        empty = not (sources.messages_total or sources.linear_issues_total or sources.opportunities_total)
        self._say(self._nothing_synced() if empty else self._welcome())

    def _words_only(self, reason: str | None) -> None:
        self.notice.setText(tr("Search goes on by words only: {reason}", reason=reason) if reason else "")
        self.notice.setVisible(bool(reason))

    def _indexing(self, event: IndexProgress) -> None:
        self._show_progress(event.done, event.total)

    def _show_progress(self, done: int, total: int) -> None:
        self.progress.show_progress(tr("Learning what the texts mean"), done, total)
        self.progress.setVisible(done < total)

    # -- states

    def _start_over(self) -> None:
        self._stop()
        self._asked, self.answered = "", None
        self._clear_results()
        self._say(None)

    def _clear_results(self) -> None:
        self._patience.stop()
        self.waiting.hide()
        self.heading.hide()
        self.answer.begin()
        self.evidence.show_items([], "", self.tower.clock.now())
        self.detail.clear()

    def _say(self, state: EmptyState | None) -> None:
        clear(self._state)
        if state is not None:
            self._state.addWidget(state)

    def _welcome(self) -> EmptyState:
        return EmptyState(
            "no_data",
            tr("What would you like to know?"),
            tr("For example: when is the launch, who asked for a discount, what is waiting for approval."),
        )

    def _nothing_synced(self) -> EmptyState:
        return EmptyState(
            "not_synced",
            tr("Nothing to search yet"),
            tr("Connect Chatwoot, Linear or Attio, and this project's texts are found here."),
            tr("Go to connectors"),
            lambda: self.context.open_page("connectors"),
        )


def _rating(rating: int) -> Literal[-1, 0, 1]:
    if rating == 0:
        return 0
    return 1 if rating > 0 else -1
