"""Identity: who may be the same client, both sides beside each other, and the links that were made."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, cast

import msgspec
from PySide6.QtWidgets import QGridLayout, QSizePolicy, QWidget

from ctower_desktop.gui.asking import FieldsDialog
from ctower_desktop.gui.bubbles import PlainText
from ctower_desktop.gui.chips import Chips
from ctower_desktop.gui.feedback import EmptyState, show_error
from ctower_desktop.gui.page import Page
from ctower_desktop.gui.records import RecordView
from ctower_desktop.gui.rowlines import RowLine
from ctower_desktop.gui.signals_words import (
    kind_of_side,
    name_of_side,
    percent,
    reason_words,
    sameness_sentence,
    status_words,
)
from ctower_desktop.gui.table import Column
from ctower_desktop.gui.tasks import start
from ctower_desktop.gui.text import ago, tr, trn, when
from ctower_desktop.gui.undo import undoable
from ctower_desktop.gui.widgets import Card, Label
from ctower_desktop.gui.worklist import Deed, WorkList
from ctower_desktop.insight.identity.actions import (
    apply_identity,
    create_identity_link,
    dismiss_identity,
    list_identity_links,
    list_identity_suggestions,
    preview_identity,
    undo_identity_link,
)
from ctower_desktop.insight.identity.model import (
    Applied,
    ChooseSuggestions,
    Dismissed,
    Link,
    LinkInactive,
    ListLinks,
    ListSuggestions,
    NewLink,
    PreviewIdentity,
    Side,
    Suggestion,
)
from ctower_desktop.kernel.errors import TowerError

_LOOK = 200


class IdentityView(WorkList):
    """Suggestions to decide on, and links that can be undone."""

    def __init__(self, page: Page) -> None:
        self.which = Chips(
            tr("Show"),
            [
                ("proposed", tr("Suggestions")),
                ("links", tr("Links")),
                ("undone", tr("Undone links")),
                ("dismissed", tr("Dismissed")),
            ],
        )
        deeds = (
            Deed("accept", tr("The same: link them"), self._apply, _is_open, "A", primary=True),
            Deed("dismiss", tr("Not the same…"), self._dismiss, _is_open, "D"),
            Deed("reopen", tr("Undo the link"), self._undo, _is_linked, "U"),
        )
        super().__init__(
            page,
            tr("Identity"),
            tables={"identity_suggestion", "identity_link"},
            deeds=deeds,
            chips=(self.which,),
            most=200,
        )

    async def read(self, offset: int, limit: int) -> list[Any]:
        """Suggestions, the surest first, or links, the newest first."""
        wanted = self.which.value
        if wanted in ("links", "undone"):
            status = "active" if wanted == "links" else "inactive"
            found = await list_identity_links(
                self.call(), ListLinks(status=status, limit=limit, offset=offset)
            )
            return list(found.links)
        query = ListSuggestions(status=wanted, limit=limit, offset=offset)
        return list((await list_identity_suggestions(self.call(), query)).suggestions)

    def line(self, row_: Suggestion | Link) -> RowLine:
        """Both names, and why they may be the same."""
        title = f"{name_of_side(row_.left)} ↔ {name_of_side(row_.right)}"
        kinds = f"{kind_of_side(row_.left)}, {kind_of_side(row_.right)}"
        now = self.tower.clock.now()
        if isinstance(row_, Link):
            active = row_.status == "active"
            meta = " · ".join((status_words(row_.status), row_.created_by, kinds))
            return RowLine("=" if active else "–", "success" if active else "text_3", title, meta,
                           ago(row_.updated_at, now), strong=active)  # fmt: skip
        sure = row_.confidence
        token = "success" if sure >= 0.9 else "info" if sure >= 0.8 else "text_3"
        meta = f"{reason_words(row_.reason)} · {kinds}"
        return RowLine(f"{round(sure * 100)}", token, title, meta, ago(row_.updated_at, now))

    def columns(self) -> Sequence[Column[Any]]:
        """The columns of a file."""
        return (
            Column(tr("One"), lambda r: name_of_side(r.left)),
            Column(tr("Kind of one"), lambda r: kind_of_side(r.left)),
            Column(tr("Other"), lambda r: name_of_side(r.right)),
            Column(tr("Kind of other"), lambda r: kind_of_side(r.right)),
            Column(tr("Why"), lambda r: reason_words(r.reason) if isinstance(r, Suggestion) else ""),
            Column(tr("Confidence"), lambda r: percent(r.confidence) if isinstance(r, Suggestion) else ""),
            Column(tr("State"), lambda r: status_words(r.status)),
        )

    def nothing(self) -> EmptyState:
        """Nobody seems to be somebody else."""
        return EmptyState(
            "no_data",
            tr("Nobody to match"),
            tr("Contacts, companies and projects that look like the same client show up after a sync."),
            tr("Look again now"),
            self.look_again,
        )

    async def detail(self, row_: Suggestion | Link) -> QWidget:
        """Both sides beside each other."""
        return IdentityDetail(self, row_)

    def look_again(self) -> None:
        """Look for clients that are the same."""

        async def look() -> str:
            found = await preview_identity(self.call(), PreviewIdentity(limit=_LOOK))
            return trn("Looked again: {n} suggestion", "Looked again: {n} suggestions", found.stored)

        start(self, look(), self._looked)

    def _looked(self, said: str) -> None:
        self.page.context.toast(said)
        self.refresh()

    # -- doing

    def _apply(self, rows: list[Suggestion]) -> None:
        ids = ChooseSuggestions(suggestion_ids=[one.id for one in rows])
        start(self, apply_identity(self.call(), ids), self._applied)

    def _applied(self, answer: Applied) -> None:
        if answer.links:
            said = trn("{n} link made", "{n} links made", answer.applied)
            undoable(self.page, said, partial(self._end, [link.id for link in answer.links]))
        self.refresh()
        if answer.conflicts:
            count = len(answer.conflicts)
            words = trn(
                "{n} suggestion contradicts a link that is there. Undo that link first, under Links.",
                "{n} suggestions contradict links that are there. Undo those links first, under Links.",
                count,
            )
            show_error(self, TowerError(words))

    async def _end(self, ids: list[str]) -> None:
        for one in ids:
            try:
                await undo_identity_link(self.call(), one)
            except LinkInactive:
                continue  # somebody ended it meanwhile: that is what was wanted

    def _dismiss(self, rows: list[Suggestion]) -> None:
        FieldsDialog(
            self,
            trn("Dismiss {n} suggestion", "Dismiss {n} suggestions", len(rows)),
            (),
            ChooseSuggestions,
            send=lambda _: dismiss_identity(
                self.call(), ChooseSuggestions(suggestion_ids=[one.id for one in rows])
            ),
            then=self._dismissed,
            does=tr("Not the same"),
            about=tr("It comes again only when something new speaks for it."),
        ).open()

    def _dismissed(self, answer: Dismissed) -> None:
        said = trn("{n} suggestion dismissed", "{n} suggestions dismissed", answer.dismissed)
        self.page.context.toast(said)
        self.refresh()

    def _undo(self, rows: list[Link]) -> None:
        start(self, self._undone(rows), self.told)

    async def _undone(self, rows: list[Link]) -> TowerError | None:
        done: list[Link] = []
        problem: TowerError | None = None
        for each in rows:
            try:
                await undo_identity_link(self.call(), each.id)
                done.append(each)
            except TowerError as error:
                problem = error
        if done:
            said = trn("{n} link undone", "{n} links undone", len(done))
            undoable(self.page, said, partial(self._again, done))
        return problem

    async def _again(self, links: list[Link]) -> None:
        for link in links:
            ends = {name: getattr(link, name) for name in NewLink.__struct_fields__}
            await create_identity_link(self.call(), msgspec.convert(ends, NewLink))


def _is_open(row_: Any) -> bool:
    return isinstance(row_, Suggestion) and row_.status == "proposed"


def _is_linked(row_: Any) -> bool:
    return isinstance(row_, Link) and row_.status == "active"


class IdentityDetail(RecordView):
    """Two sides in two columns; what is equal is marked with a word."""

    def __init__(self, view: IdentityView, found: Suggestion | Link) -> None:
        title = f"{name_of_side(found.left)} ↔ {name_of_side(found.right)}"
        super().__init__(status_words(found.status), title)
        now = view.tower.clock.now()
        if isinstance(found, Suggestion):
            self.column.addWidget(Label(reason_words(found.reason), "label", wrap=True))
            self.column.addWidget(Label(sameness_sentence(found.confidence), "meta", "text_2", wrap=True))
            self.fact(tr("Found"), when(found.created_at, now))
        else:
            by = tr("a person") if found.source == "manual" else tr("a suggestion")
            self.fact(tr("Linked"), " · ".join((when(found.created_at, now), found.created_by)))
            self.fact(tr("Through"), by)
        self.column.addWidget(_compared(found.left, found.right))
        self.column.addStretch(1)


def _compared(left: Side, right: Side) -> QWidget:
    card = Card(margin=12)
    held = QWidget()
    grid = QGridLayout(held)
    grid.setContentsMargins(0, 0, 0, 0)
    grid.setHorizontalSpacing(12)
    grid.setVerticalSpacing(6)
    grid.setColumnStretch(1, 1)
    grid.setColumnStretch(2, 1)
    for place, side in ((1, left), (2, right)):
        head = Label(kind_of_side(side), "meta", "text_2", wrap=True)
        grid.addWidget(head, 0, place)
    names = {
        "name": tr("Name"),
        "email": tr("E-mail"),
        "phone_number": tr("Telephone"),
        "domain": tr("Domain"),
        "company_name": tr("Company"),
    }
    line = 1
    for field, title in names.items():
        ours = cast("str | None", getattr(left, field))
        theirs = cast("str | None", getattr(right, field))
        if not ours and not theirs:
            continue
        equal = bool(ours and theirs and ours.casefold().strip() == theirs.casefold().strip())
        grid.addWidget(Label(title, "meta", "text_2"), line, 0)
        for place, value in ((1, ours), (2, theirs)):
            cell = PlainText(value or "—", token="text_1" if value else "text_3", fluid=True)
            cell.setMinimumWidth(1)
            cell.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
            grid.addWidget(cell, line, place)
        if equal:
            grid.addWidget(Label(tr("equal"), "caption", "success"), line, 3)
        line += 1
    for place, side in ((1, left), (2, right)):
        if side.gone:
            gone = Label(tr("The vendor no longer has it."), "meta", "warning", wrap=True)
            grid.addWidget(gone, line, place)
    card.body.addWidget(held)
    return card
