"""Continuity: tasks that follow from deals and promises; chosen ones become issues, in Linear or here."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from PySide6.QtWidgets import QWidget

from ctower_desktop.connectors.connecting import list_connections, list_units
from ctower_desktop.gui.asking import Field, FieldsDialog
from ctower_desktop.gui.chips import Chips
from ctower_desktop.gui.feedback import EmptyState
from ctower_desktop.gui.page import Page
from ctower_desktop.gui.records import LinkLine, RecordView
from ctower_desktop.gui.rowlines import RowLine
from ctower_desktop.gui.signals_words import day_words, source_words, status_words, target_of_ref
from ctower_desktop.gui.table import Column
from ctower_desktop.gui.tasks import start
from ctower_desktop.gui.text import ago, number, tr, trn, when
from ctower_desktop.gui.widgets import Label
from ctower_desktop.gui.worklist import Deed, WorkList
from ctower_desktop.insight.continuity.actions import (
    apply_continuity,
    dismiss_continuity,
    list_continuity_actions,
    preview_continuity,
)
from ctower_desktop.insight.continuity.model import (
    Action,
    AppliedActions,
    ApplyActions,
    ChooseActions,
    DismissedActions,
    ListActions,
)

_WAITING = ("previewed", "failed")
_NAMED = 8


class ContinuityView(WorkList):
    """What was promised or agreed and is no issue yet."""

    def __init__(self, page: Page) -> None:
        self.status = Chips(
            tr("State"),
            [
                ("waiting", tr("To decide")),
                ("failed", tr("Failed")),
                ("applied", tr("Applied")),
                ("dismissed", tr("Dismissed")),
                ("", tr("All")),
            ],
        )
        deeds = (
            Deed("accept", tr("Apply…"), self._apply, lambda a: a.status == "previewed", "A", primary=True),
            Deed("retry", tr("Try again…"), self._apply, lambda a: a.status == "failed", "R"),
            Deed("dismiss", tr("Dismiss…"), self._dismiss, lambda a: a.status in _WAITING, "D"),
        )
        super().__init__(
            page,
            tr("Continuity"),
            tables={"continuity_action", "issue"},
            deeds=deeds,
            chips=(self.status,),
        )

    async def read(self, offset: int, limit: int) -> list[Any]:
        """Tasks, the last touched first."""
        status = "" if self.status.value == "waiting" else self.status.value
        query = ListActions(status=status, limit=limit, offset=offset)
        return list((await list_continuity_actions(self.call(), query)).actions)

    def fits(self, row_: Action) -> bool:
        """What is to decide is proposed or has failed."""
        return self.status.value != "waiting" or row_.status in _WAITING

    def line(self, row_: Action) -> RowLine:
        """The task, by when, and what became of it."""
        issue = row_.issue_identifier or ""
        parts = (status_words(row_.status), issue, day_words(row_.due_date), source_words(row_))
        failed = row_.status == "failed"
        mark, token = ("✓", "success") if row_.status == "applied" else ("→", "info")
        if failed:
            mark, token = "!", "danger"
        elif row_.status == "dismissed":
            mark, token = "–", "text_3"
        return RowLine(
            mark=mark,
            token=token,
            title=row_.title,
            meta=" · ".join(part for part in parts if part),
            aside=ago(row_.updated_at, self.tower.clock.now()),
            strong=row_.status in _WAITING,
        )

    def columns(self) -> Sequence[Column[Action]]:
        """The columns of a file."""
        return (
            Column(tr("Task"), lambda a: a.title),
            Column(tr("Description"), lambda a: a.description),
            Column(tr("Due"), lambda a: a.due_date or ""),
            Column(tr("Comes"), source_words),
            Column(tr("State"), lambda a: status_words(a.status)),
            Column(tr("Issue"), lambda a: a.issue_identifier or ""),
        )

    def nothing(self) -> EmptyState:
        """Nothing follows."""
        return EmptyState(
            "no_data",
            tr("Nothing was left behind"),
            tr("Next steps of open deals and what the team promised in writing become tasks here."),
            tr("Look for tasks now"),
            self.look_again,
        )

    async def detail(self, row_: Action) -> QWidget:
        """A task with where it comes from and what became of it."""
        return _detail(self, row_)

    def look_again(self) -> None:
        """Look for tasks that follow from deals and promises."""

        async def look() -> str:
            found = await preview_continuity(self.call())
            return trn("{n} task waits for you", "{n} tasks wait for you", found.touched)

        start(self, look(), self._looked)

    def _looked(self, said: str) -> None:
        self.page.context.toast(said)
        self.refresh()

    # -- doing

    def _apply(self, rows: list[Action]) -> None:
        start(self, self._where(), partial(self._ask, rows))

    async def _where(self) -> list[tuple[str, str]] | None:
        """The teams of Linear that issues can go to; None when issues are kept here."""
        found = (await list_connections(self.call())).connections
        if not any(one.connector == "linear" and one.configured and one.bound for one in found):
            return None
        units = (await list_units(self.call(), "linear")).units
        return [(unit.id, unit.name or unit.id) for unit in units if unit.kind == "team"]

    def _ask(self, rows: list[Action], teams: list[tuple[str, str]] | None) -> None:
        named = "\n".join(f"• {one.title} · {day_words(one.due_date)}" for one in rows[:_NAMED])
        more = len(rows) - _NAMED
        if more > 0:
            named += "\n" + trn("and {n} more", "and {n} more", more)
        if teams is None:
            about = trn(
                "{n} issue is made here, on this computer: Linear is not connected to this project.",
                "{n} issues are made here, on this computer: Linear is not connected to this project.",
                len(rows),
            )
        else:
            about = trn(
                "{n} issue is made in Linear, for the whole team to see. Only there it can be cancelled.",
                "{n} issues are made in Linear, for the whole team to see. Only there they can be cancelled.",
                len(rows),
            )
        fields = []
        if teams is not None and len(teams) > 1:
            choices = [("", tr("The team that works for this client now")), *teams]
            fields.append(Field("team_id", tr("Team"), choices=choices))
        FieldsDialog(
            self,
            tr("Make issues of these tasks"),
            fields,
            ApplyActions,
            send=lambda body: apply_continuity(
                self.call(), ApplyActions(action_ids=[one.id for one in rows], team_id=body.team_id)
            ),
            then=self._applied,
            does=tr("Make them"),
            about=f"{about}\n\n{named}",
        ).open()

    def _applied(self, answer: AppliedActions) -> None:
        if answer.applied:
            self.page.context.toast(trn("{n} issue made", "{n} issues made", answer.applied))
        if answer.failed:
            self.page.context.toast(
                trn(
                    "{n} task could not become an issue; the reason stands in its detail",
                    "{n} tasks could not become issues; the reason stands in their detail",
                    answer.failed,
                )
            )
        self.refresh()

    def _dismiss(self, rows: list[Action]) -> None:
        FieldsDialog(
            self,
            trn("Dismiss {n} task", "Dismiss {n} tasks", len(rows)),
            (),
            ChooseActions,
            send=lambda _: dismiss_continuity(
                self.call(), ChooseActions(action_ids=[one.id for one in rows])
            ),
            then=self._dismissed,
            does=tr("Dismiss"),
            about=tr("It is not proposed again, and this cannot be taken back."),
        ).open()

    def _dismissed(self, answer: DismissedActions) -> None:
        self.page.context.toast(trn("{n} task dismissed", "{n} tasks dismissed", answer.dismissed))
        self.refresh()


def _detail(view: ContinuityView, action: Action) -> RecordView:
    now, payload = view.tower.clock.now(), action.preview_payload
    found = RecordView(" · ".join((status_words(action.status), source_words(action))), action.title)
    found.fact(tr("Due"), day_words(action.due_date))
    if action.status == "failed" and action.error:
        found.section(tr("Why it failed"))
        found.column.addWidget(Label(_plain(action.error), "body", "danger", wrap=True))
        found.fact(tr("Tried"), trn("{n} time", "{n} times", action.attempts))
    if action.description and action.description != action.title:
        found.section(tr("Text of the issue"))
        found.text(action.description)
    _origin(found, payload)
    if action.applied_at:
        who = action.applied_by or ""
        found.fact(tr("Applied"), " · ".join(part for part in (when(action.applied_at, now), who) if part))
    links = dict.fromkeys([*action.evidence_refs, *([action.issue.id] if action.issue else [])])
    talk = str(payload.get("conversation_global_id") or "")
    opened = [(ref, target_of_ref(ref, talk)) for ref in links]
    if any(target is not None for _, target in opened):
        found.section(tr("Evidence"))
    for ref, target in opened:
        if target is not None:
            line = LinkLine(_words(action, ref, cited=bool(target.cited)))
            line.clicked.connect(partial(view.open_source, target))
            found.column.addWidget(line)
    found.column.addStretch(1)
    return found


def _origin(found: RecordView, payload: dict[str, Any]) -> None:
    facts = (
        (tr("Deal"), payload.get("opportunity_title")),
        (tr("Client"), payload.get("account_name") or payload.get("contact_name")),
        (tr("Stage"), payload.get("stage")),
        (tr("Owner"), payload.get("owner")),
        (tr("Promised by"), payload.get("said_by")),
    )
    for name, value in facts:
        found.fact(name, str(value) if value else None)
    amount = payload.get("amount")
    if isinstance(amount, int | float):
        found.fact(tr("Amount"), number(amount))
    if payload.get("conditional"):
        found.column.addWidget(Label(tr("The promise has a condition: read it first."), "meta", "warning"))


def _words(action: Action, ref: str, *, cited: bool) -> str:
    if action.issue is not None and ref == action.issue.id:
        return f"{action.issue.identifier} · {action.issue.title}"
    known = {"cw": tr("Open the conversation"), "attiodeal": tr("Open the deal")}
    return tr("Read the message") if cited else known.get(ref.partition(":")[0], tr("Open the issue"))


def _plain(error: str) -> str:
    """The reason a task failed, with the next step; the code at its beginning is for programs."""
    code, _, reason = error.partition(": ")
    known = {
        "team_unknown": tr("Several teams of Linear are possible. Try again and choose one."),
        "linear_not_connected": tr(
            "It was begun in Linear, which may have the issue already. Connect Linear again to finish it, "
            "or dismiss it."
        ),
    }
    return known.get(code, tr("{reason} Try again, or look at Connectors.", reason=reason or error))
