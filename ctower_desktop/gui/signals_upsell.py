"""The upsell radar: chances to sell more, each with an offer and a message to begin with."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from PySide6.QtWidgets import QWidget

from ctower_desktop.crm.offers.actions import create_offer
from ctower_desktop.crm.offers.model import NewOffer, Offer, OfferAnswer
from ctower_desktop.gui.asking import Field, FieldsDialog
from ctower_desktop.gui.chips import Chips
from ctower_desktop.gui.editing import a_number
from ctower_desktop.gui.feedback import EmptyState
from ctower_desktop.gui.page import Page
from ctower_desktop.gui.records import LinkLine, RecordView
from ctower_desktop.gui.rowlines import RowLine
from ctower_desktop.gui.signals_words import score_sentence, status_words, target_of_ref
from ctower_desktop.gui.table import Column
from ctower_desktop.gui.tasks import start
from ctower_desktop.gui.text import ago, number, tr, trn, when
from ctower_desktop.gui.undo import undoable
from ctower_desktop.gui.widgets import Label
from ctower_desktop.gui.worklist import Deed, WorkList
from ctower_desktop.insight.signals.actions import (
    list_upsell_chances,
    refresh_upsell_radar,
    set_upsell_status,
)
from ctower_desktop.insight.signals.model import OPEN, ListByStatus, SetUpsellStatus, Upsell, UpsellStatus
from ctower_desktop.kernel.errors import TowerError


class UpsellView(WorkList):
    """The chances of a project, the best first."""

    def __init__(self, page: Page) -> None:
        self.status = Chips(
            tr("State"),
            [
                ("open", tr("Open")),
                ("accepted", tr("Accepted")),
                ("converted", tr("Made an offer")),
                ("dismissed", tr("Dismissed")),
                ("", tr("All")),
            ],
        )
        deeds = (
            Deed("offer", tr("Make an offer…"), self._offer, lambda u: u.status in OPEN, "O", primary=True),
            Deed(
                "accept", tr("Accept"), partial(self._move, "accepted"), lambda u: u.status == "proposed", "A"
            ),
            Deed("dismiss", tr("Dismiss"), partial(self._move, "dismissed"), lambda u: u.status in OPEN, "D"),
            Deed(
                "reopen",
                tr("Open again"),
                partial(self._move, "proposed"),
                lambda u: u.status not in OPEN,
                "U",
            ),
        )
        super().__init__(
            page,
            tr("Upsell radar"),
            tables={"upsell_opportunity"},
            deeds=deeds,
            chips=(self.status,),
        )

    async def read(self, offset: int, limit: int) -> list[Any]:
        """Chances, the best first."""
        status = "" if self.status.value == "open" else self.status.value
        query = ListByStatus(status=status, limit=limit, offset=offset)
        return list((await list_upsell_chances(self.call(), query)).opportunities)

    def fits(self, row_: Upsell) -> bool:
        """Open ones are new or accepted."""
        return self.status.value != "open" or row_.status in OPEN

    def line(self, row_: Upsell) -> RowLine:
        """Score, whose chance it is, and why."""
        return RowLine(
            mark=number(row_.score * 100),
            token="success" if row_.score >= 0.8 else "info" if row_.score >= 0.7 else "text_3",
            title=row_.title,
            meta=f"{status_words(row_.status)} · {row_.rationale}",
            aside=ago(row_.updated_at, self.tower.clock.now()),
            strong=row_.status == "proposed",
        )

    def columns(self) -> Sequence[Column[Upsell]]:
        """The columns of a file."""
        return (
            Column(tr("Score"), lambda u: number(u.score * 100)),
            Column(tr("Chance"), lambda u: u.title),
            Column(tr("Why"), lambda u: u.rationale),
            Column(tr("State"), lambda u: status_words(u.status)),
            Column(tr("Changed"), lambda u: u.updated_at),
        )

    def nothing(self) -> EmptyState:
        """No chance is seen."""
        return EmptyState(
            "no_data",
            tr("No chances to sell more yet"),
            tr("Open deals and clients who ask for more show up here."),
            tr("Look again now"),
            self.look_again,
        )

    async def detail(self, row_: Upsell) -> QWidget:
        """A chance with its offer, its message and what it stands on."""
        return _detail(self, row_)

    def look_again(self) -> None:
        """Look at deals and at what clients asked for."""

        async def look() -> str:
            result = (await refresh_upsell_radar(self.call())).result
            return trn(
                "Looked again: {n} new chance, {closed} closed",
                "Looked again: {n} new chances, {closed} closed",
                result.created,
                closed=number(result.closed),
            )

        start(self, look(), self._looked)

    def _looked(self, said: str) -> None:
        self.page.context.toast(said)
        self.refresh()

    # -- doing

    def _move(self, status: UpsellStatus, rows: list[Upsell]) -> None:
        start(self, self._moved(status, rows), self.told)

    async def _moved(self, status: UpsellStatus, rows: list[Upsell]) -> TowerError | None:
        done: list[Upsell] = []
        problem: TowerError | None = None
        for each in rows:
            try:
                await set_upsell_status(self.call(), each.id, SetUpsellStatus(status))
                done.append(each)
            except TowerError as error:
                problem = error
        if done:
            said = trn("{n} chance: {state}", "{n} chances: {state}", len(done), state=status_words(status))
            undoable(self.page, said, partial(self._back, done))
        return problem

    async def _back(self, done: list[Upsell]) -> None:
        for before in done:
            await set_upsell_status(self.call(), before.id, SetUpsellStatus(before.status))

    def _offer(self, rows: list[Upsell]) -> None:
        """Make the first of them an offer; what it suggests can be changed before."""
        chance = rows[0]
        suggested = chance.suggested_offer_payload
        fields = (
            Field("title", tr("Title"), str(suggested.get("title") or chance.title)),
            Field("subtotal", tr("Amount before discount"), "", a_number, hint="120000"),
            Field("currency", tr("Currency"), "", str.upper, hint="RUB"),
            Field("discount_pct", tr("Discount, %"), f"{suggested.get('discount_pct', 0):g}", a_number),
            Field("notes", tr("Notes"), chance.rationale, long=True),
        )
        FieldsDialog(
            self,
            tr("Make an offer"),
            fields,
            NewOffer,
            send=partial(self._made, chance),
            then=self._offered,
            does=tr("Make the offer"),
            about=tr(
                "It is kept in CRM as a draft, or approved when nothing is let off. Nobody is sent anything."
            ),
        ).open()

    async def _made(self, chance: Upsell, body: NewOffer) -> OfferAnswer:
        made = await create_offer(self.call(), body)
        await set_upsell_status(self.call(), chance.id, SetUpsellStatus("converted"))
        return made

    def _offered(self, answer: OfferAnswer) -> None:
        offer: Offer = answer.offer
        self.page.context.toast(tr("The offer “{title}” is in CRM", title=offer.title))
        self.refresh()


def _detail(view: UpsellView, chance: Upsell) -> RecordView:
    found = RecordView(status_words(chance.status), chance.title)
    found.column.addWidget(Label(score_sentence(chance.score), "meta", "text_2", wrap=True))
    found.fact(tr("Changed"), when(chance.updated_at, view.tower.clock.now()))
    found.text(chance.rationale)
    offer, message = chance.suggested_offer_payload, chance.suggested_outbound_payload
    if offer:
        found.section(tr("Suggested offer"))
        found.fact(tr("Title"), str(offer.get("title") or ""))
        discount = offer.get("discount_pct")
        if isinstance(discount, int | float):
            found.fact(tr("Discount"), tr("{percent} %", percent=number(discount)))
    if message.get("message"):
        found.section(tr("Suggested message"))
        found.text(str(message["message"]))
    found.section(tr("Evidence"))
    talk = str(message.get("conversation_global_id") or chance.source_ref)
    for ref in chance.evidence_refs:
        target = target_of_ref(ref, talk)
        if target is not None:
            words = {
                "deal": tr("Open the deal"),
                "issue": tr("Open the issue"),
                "conversation": tr("Read the message") if target.cited else tr("Open the conversation"),
            }
            line = LinkLine(words[target.kind])
            line.clicked.connect(partial(view.open_source, target))
            found.column.addWidget(line)
    found.column.addStretch(1)
    return found
