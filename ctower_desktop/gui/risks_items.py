"""Risks of a project: found by their causes or written down, handled, closed, opened again."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from msgspec import UNSET
from PySide6.QtWidgets import QWidget

from ctower_desktop.gui.asking import Field, FieldsDialog
from ctower_desktop.gui.chips import Chips
from ctower_desktop.gui.editing import Choice, InPlace, a_percentage, a_text
from ctower_desktop.gui.feedback import EmptyState
from ctower_desktop.gui.page import Page
from ctower_desktop.gui.records import RecordView
from ctower_desktop.gui.risks_evidence import Known, known, show_evidence
from ctower_desktop.gui.risks_words import (
    likely_sentence,
    likely_words,
    risk_status_words,
    source_words_of,
)
from ctower_desktop.gui.rowlines import RowLine
from ctower_desktop.gui.signals_words import severity_sentence, severity_token, severity_words
from ctower_desktop.gui.table import Column
from ctower_desktop.gui.tasks import start
from ctower_desktop.gui.text import ago, number, tr, trn, when
from ctower_desktop.gui.undo import undoable
from ctower_desktop.gui.widgets import Label
from ctower_desktop.gui.worklist import Deed, WorkList
from ctower_desktop.insight.risk.actions import add_risk, edit_risk, list_risks, move_risk, refresh_risk
from ctower_desktop.insight.risk.model import (
    ListRisks,
    NewRisk,
    Risk,
    RiskAnswer,
    RiskEdit,
    RiskMove,
    RiskStatus,
)
from ctower_desktop.kernel.errors import Invalid, TowerError

_LEVELS = ("1", "2", "3", "4", "5")


class RisksView(WorkList):
    """The list of risks, the most severe first."""

    def __init__(self, page: Page) -> None:
        self.status = Chips(
            tr("State"),
            [
                ("live", tr("Live")),
                ("open", tr("Open")),
                ("mitigating", tr("Being handled")),
                ("closed", tr("Closed ones")),
                ("", tr("All")),
            ],
        )
        deeds = (
            Deed(
                "accept",
                tr("Handle it"),
                partial(self._move, "mitigating"),
                lambda r: r.status == "open",
                "A",
                primary=True,
            ),
            Deed("done", tr("Close"), partial(self._move, "closed"), lambda r: r.status != "closed", "E"),
            Deed("reopen", tr("Open again"), partial(self._move, "open"), lambda r: r.status != "open", "U"),
        )
        super().__init__(page, tr("Risks"), tables={"risk_item"}, deeds=deeds, chips=(self.status,), most=200)

    async def read(self, offset: int, limit: int) -> list[Any]:
        """Risks, the most severe first."""
        status = "" if self.status.value == "live" else self.status.value
        query = ListRisks(status=status, limit=limit, offset=offset)
        return list((await list_risks(self.call(), query)).items)

    def fits(self, row_: Risk) -> bool:
        """Live ones are open or being handled."""
        return self.status.value != "live" or row_.status != "closed"

    def line(self, row_: Risk) -> RowLine:
        """Severity, what may go wrong, how likely, who cares."""
        parts = (
            risk_status_words(row_.status),
            severity_words(row_.severity),
            likely_words(row_.probability),
            row_.owner_username or "",
            source_words_of(row_),
        )
        closed = row_.status == "closed"
        return RowLine(
            mark=str(row_.severity),
            token="text_3" if closed else severity_token(row_.severity),
            title=row_.title,
            meta=" · ".join(part for part in parts if part),
            aside=ago(row_.updated_at, self.tower.clock.now()),
            strong=row_.status == "open",
        )

    def columns(self) -> Sequence[Column[Risk]]:
        """The columns of a file."""
        return (
            Column(tr("Risk"), lambda r: r.title),
            Column(tr("Severity"), lambda r: str(r.severity)),
            Column(tr("Probability"), lambda r: number(r.probability * 100)),
            Column(tr("State"), lambda r: risk_status_words(r.status)),
            Column(tr("Mitigation"), lambda r: r.mitigation_action or ""),
            Column(tr("Owner"), lambda r: r.owner_username or ""),
            Column(tr("Opened"), lambda r: r.opened_at),
        )

    def nothing(self) -> EmptyState:
        """No risk is known."""
        return EmptyState(
            "no_data",
            tr("No risks known"),
            tr("Causes are looked for every day; what you see coming can be written down here."),
            tr("Write down a risk…"),
            self.add,
        )

    async def detail(self, row_: Risk) -> QWidget:
        """A risk with what it stands on; its facts are changed here."""
        shown = self.facts.widget()
        if isinstance(shown, RiskDetail) and shown.goes_on_with(row_):
            return shown
        return RiskDetail(self, row_, await known(self.call(), row_.evidence_refs))

    # -- doing

    def look_again(self) -> None:
        """Find health and causes anew."""

        async def look() -> str:
            result = (await refresh_risk(self.call())).result
            return tr("Health is {score} of 100", score=number(result.health_score))

        start(self, look(), self._looked)

    def _looked(self, said: str) -> None:
        self.page.context.toast(said)
        self.refresh()

    def add(self) -> None:
        """Write down a risk."""
        fields = (
            Field("title", tr("What may go wrong")),
            Field("severity", tr("Severity"), "3", int, choices=[(n, _level(n)) for n in _LEVELS]),
            Field("probability", tr("Probability, %"), "50", a_percentage),
            Field("mitigation", tr("What helps against it"), long=True),
            Field("owner", tr("Owner"), hint=tr("you, when empty")),
        )
        FieldsDialog(
            self,
            tr("Write down a risk"),
            fields,
            NewRisk,
            send=self._written,
            then=self._added,
            does=tr("Write it down"),
        ).open()

    async def _written(self, body: NewRisk) -> RiskAnswer:
        return await add_risk(self.call(), body)

    def _added(self, answer: RiskAnswer) -> None:
        self.listing.choose(answer.item.id)
        self.page.context.toast(tr("Written down: {title}", title=answer.item.title))
        self.refresh()

    def _move(self, status: RiskStatus, rows: list[Risk]) -> None:
        start(self, self._moved(status, rows), self.told)

    async def _moved(self, status: RiskStatus, rows: list[Risk]) -> TowerError | None:
        done: list[Risk] = []
        problem: TowerError | None = None
        for each in rows:
            try:
                await move_risk(self.call(), each.id, RiskMove(status))
                done.append(each)
            except TowerError as error:
                problem = error
        if done:
            words = risk_status_words(status)
            said = trn("{n} risk: {state}", "{n} risks: {state}", len(done), state=words)
            undoable(self.page, said, partial(self._back, done))
        return problem

    async def _back(self, done: list[Risk]) -> None:
        for before in done:
            await move_risk(self.call(), before.id, RiskMove(before.status))

    def edit(self, fact: InPlace | Choice, risk: Risk, body: RiskEdit, back: RiskEdit) -> None:
        """Change a fact of a risk; it can be taken back."""

        def changed(_: RiskAnswer) -> None:
            said = tr("Changed: {name}", name=fact.name)
            undoable(self.page, said, lambda: edit_risk(self.call(), risk.id, back))

        def refused(error: TowerError) -> None:
            if isinstance(fact, InPlace):
                fact.reopen(error.issues[0].message if isinstance(error, Invalid) else str(error))

        start(self, edit_risk(self.call(), risk.id, body), changed, refused)


def _level(level: str) -> str:
    return f"{level} · {severity_words(int(level))}"


class RiskDetail(RecordView):
    """A risk in full."""

    def __init__(self, view: RisksView, risk: Risk, what: Known) -> None:
        super().__init__(f"{risk_status_words(risk.status)} · {source_words_of(risk)}", risk.title)
        self._view, self.risk = view, risk
        now = view.tower.clock.now()
        for sentence in (severity_sentence(risk.severity), likely_sentence(risk.probability)):
            self.column.addWidget(Label(sentence, "meta", "text_2", wrap=True))
        self.fact(tr("Opened"), f"{when(risk.opened_at, now)} · {risk.created_by}")
        if risk.reopened_count:
            self.fact(tr("Came back"), trn("{n} time", "{n} times", risk.reopened_count))
        if risk.closed_at:
            by = tr("by itself: the cause was gone") if risk.closed_by == "system" else risk.closed_by or ""
            self.fact(tr("Closed"), f"{when(risk.closed_at, now)} · {by}")
        self._facts()
        self.links = show_evidence(view, self, risk.evidence_refs, what)
        self.column.addStretch(1)

    def _facts(self) -> None:
        self.title = InPlace(tr("Title"), a_text)
        self.severity = Choice(tr("Severity"), [(one, _level(one)) for one in _LEVELS])
        self.probability = InPlace(tr("Probability"), a_percentage)
        self.mitigation = InPlace(tr("What helps"), a_text, long=True)
        self.owner = InPlace(tr("Owner"), a_text)
        self.title.entered.connect(lambda v: self._edit(self.title, RiskEdit(title=v)))
        self.severity.entered.connect(lambda v: self._edit(self.severity, RiskEdit(severity=int(v))))
        self.probability.entered.connect(lambda v: self._edit(self.probability, RiskEdit(probability=v)))
        self.mitigation.entered.connect(lambda v: self._edit(self.mitigation, RiskEdit(mitigation=v or None)))
        self.owner.entered.connect(lambda v: self._edit(self.owner, RiskEdit(owner=v or None)))
        self.section(tr("Facts"))
        for part in (self.title, self.severity, self.probability, self.mitigation, self.owner):
            self.column.addWidget(part)
        if self.risk.source == "cause":
            words = tr(
                "Title, severity and probability come from the cause; what helps and who cares is yours."
            )
            self.column.addWidget(Label(words, "meta", "text_3", wrap=True))
        self._show(self.risk)

    def _show(self, risk: Risk) -> None:
        self.risk = risk
        self.title.show_value(risk.title, risk.title)
        self.severity.show_value(str(risk.severity))
        share = number(risk.probability * 100)
        self.probability.show_value(tr("{percent} %", percent=share), share)
        self.mitigation.show_value(risk.mitigation_action or "", risk.mitigation_action or "")
        self.owner.show_value(risk.owner_username or tr("nobody yet"), risk.owner_username or "")
        for fact in (self.title, self.severity, self.probability):
            fact.set_fixed(fixed=risk.source == "cause")

    def _edit(self, fact: InPlace | Choice, body: RiskEdit) -> None:
        former = {
            "title": self.risk.title,
            "severity": self.risk.severity,
            "probability": self.risk.probability,
            "mitigation": self.risk.mitigation_action,
            "owner": self.risk.owner_username,
        }
        given = {name for name in former if getattr(body, name) is not UNSET}
        back = RiskEdit(**{name: former[name] for name in given})  # type: ignore[arg-type]
        self._view.edit(fact, self.risk, body, back)

    def goes_on_with(self, risk: Risk) -> bool:
        """Whether the same can stay on screen: only what is changed in place is another."""
        editable = ("mitigation_action", "owner_username", "updated_at")
        same = all(
            getattr(risk, name) == getattr(self.risk, name)
            for name in Risk.__struct_fields__
            if name not in editable
        )
        if same:
            self._show(risk)
        return same
