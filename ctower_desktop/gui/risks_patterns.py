"""Patterns of risks: what kind of trouble the project shows, how heavy, and the steps that help."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from PySide6.QtWidgets import QWidget

from ctower_desktop.gui.chips import Chips
from ctower_desktop.gui.feedback import EmptyState
from ctower_desktop.gui.page import Page
from ctower_desktop.gui.records import RecordView
from ctower_desktop.gui.risks_evidence import known, show_evidence
from ctower_desktop.gui.risks_words import risk_status_words, steps_of, weight_sentence
from ctower_desktop.gui.rowlines import RowLine
from ctower_desktop.gui.table import Column
from ctower_desktop.gui.tasks import start
from ctower_desktop.gui.text import ago, number, tr, trn, when
from ctower_desktop.gui.undo import undoable
from ctower_desktop.gui.widgets import Label
from ctower_desktop.gui.worklist import Deed, WorkList
from ctower_desktop.insight.risk.actions import move_pattern, read_risk_overview, refresh_risk
from ctower_desktop.insight.risk.model import Pattern, PatternMove, PatternStatus
from ctower_desktop.kernel.errors import TowerError


class PatternsView(WorkList):
    """The patterns of a project with their playbooks."""

    def __init__(self, page: Page) -> None:
        self.status = Chips(
            tr("State"),
            [
                ("", tr("All")),
                ("open", tr("Open")),
                ("mitigated", tr("Mitigated")),
                ("ignored", tr("Ignored")),
            ],
        )
        deeds = (
            Deed(
                "done",
                tr("Mitigated now"),
                partial(self._move, "mitigated"),
                lambda p: p.status == "open",
                "E",
                primary=True,
            ),
            Deed(
                "dismiss", tr("Ignore"), partial(self._move, "ignored"), lambda p: p.status != "ignored", "D"
            ),
            Deed("reopen", tr("Open again"), partial(self._move, "open"), lambda p: p.status != "open", "U"),
        )
        super().__init__(page, tr("Patterns"), tables={"risk_pattern"}, deeds=deeds, chips=(self.status,))

    async def read(self, offset: int, limit: int) -> list[Any]:
        """Patterns, the heaviest first; there is one of each kind at most."""
        found = (await read_risk_overview(self.call())).patterns
        return list(found[offset : offset + limit])

    def fits(self, row_: Pattern) -> bool:
        """Those in the chosen state."""
        return self.status.value in ("", row_.status)

    def line(self, row_: Pattern) -> RowLine:
        """Weight, what kind of trouble, and its state."""
        steps = len(steps_of(row_.mitigation_playbook))
        parts = (risk_status_words(row_.status), trn("{n} step helps", "{n} steps help", steps))
        token = "danger" if row_.weight >= 0.7 else "warning" if row_.weight >= 0.4 else "info"
        return RowLine(
            mark=number(row_.weight * 100),
            token=token if row_.status == "open" else "text_3",
            title=row_.title,
            meta=" · ".join(parts),
            aside=ago(row_.updated_at, self.tower.clock.now()),
            strong=row_.status == "open",
        )

    def columns(self) -> Sequence[Column[Pattern]]:
        """The columns of a file."""
        return (
            Column(tr("Pattern"), lambda p: p.title),
            Column(tr("Weight"), lambda p: number(p.weight * 100)),
            Column(tr("State"), lambda p: risk_status_words(p.status)),
            Column(tr("Playbook"), lambda p: "; ".join(steps_of(p.mitigation_playbook))),
        )

    def nothing(self) -> EmptyState:
        """No pattern shows."""
        return EmptyState(
            "no_data",
            tr("No pattern of trouble"),
            tr("Overdue and blocked work, a spent budget and a growing scope would show here."),
            tr("Look again now"),
            self.look_again,
        )

    async def detail(self, row_: Pattern) -> QWidget:
        """A pattern with its steps and what it stands on."""
        what = await known(self.call(), row_.evidence_refs)
        found = RecordView(risk_status_words(row_.status), row_.title)
        found.column.addWidget(Label(weight_sentence(row_.weight), "meta", "text_2", wrap=True))
        found.fact(tr("Changed"), when(row_.updated_at, self.tower.clock.now()))
        found.section(tr("Playbook"))
        for place, step in enumerate(steps_of(row_.mitigation_playbook), 1):
            found.text(f"{place}. {step}")
        show_evidence(self, found, row_.evidence_refs, what)
        found.column.addStretch(1)
        return found

    def look_again(self) -> None:
        """Find causes anew."""

        async def look() -> str:
            result = (await refresh_risk(self.call())).result
            return tr("Health is {score} of 100", score=number(result.health_score))

        start(self, look(), self._looked)

    def _looked(self, said: str) -> None:
        self.page.context.toast(said)
        self.refresh()

    def _move(self, status: PatternStatus, rows: list[Pattern]) -> None:
        start(self, self._moved(status, rows), self.told)

    async def _moved(self, status: PatternStatus, rows: list[Pattern]) -> TowerError | None:
        done: list[Pattern] = []
        problem: TowerError | None = None
        for each in rows:
            try:
                await move_pattern(self.call(), each.id, PatternMove(status))
                done.append(each)
            except TowerError as error:
                problem = error
        if done:
            words = risk_status_words(status)
            said = trn("{n} pattern: {state}", "{n} patterns: {state}", len(done), state=words)
            undoable(self.page, said, partial(self._back, done))
        return problem

    async def _back(self, done: list[Pattern]) -> None:
        for before in done:
            await move_pattern(self.call(), before.id, PatternMove(before.status))
