"""An offer in full: facts, lines and sums; approving, sending, signing, rejecting; its document."""

from __future__ import annotations

from functools import partial
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from ctower_desktop.crm.offers.actions import edit_offer, read_offer, renew_offer
from ctower_desktop.crm.offers.model import EditOffer, NewItem, Offer, OfferAnswer, OfferInFull
from ctower_desktop.gui.asking import what_is_wrong
from ctower_desktop.gui.crm_deeds import DAY_HINT
from ctower_desktop.gui.crm_document import DocumentView
from ctower_desktop.gui.crm_lines import LinesEditor
from ctower_desktop.gui.crm_pane import RecordPane, Section
from ctower_desktop.gui.crm_steps import STEPS, ask_step
from ctower_desktop.gui.crm_words import (
    action_words,
    by_and_when,
    day_words,
    language_words,
    status_token,
    status_words,
    version_words,
)
from ctower_desktop.gui.editing import Choice, InPlace, a_day, a_number, a_text
from ctower_desktop.gui.feedback import plain_words
from ctower_desktop.gui.flow import side_by_side
from ctower_desktop.gui.page import Page
from ctower_desktop.gui.records import LinkLine
from ctower_desktop.gui.tasks import start
from ctower_desktop.gui.text import money, number, tr
from ctower_desktop.gui.undo import undoable
from ctower_desktop.gui.widgets import Badge, Button, Label, PrimaryButton, row
from ctower_desktop.kernel.check import check
from ctower_desktop.kernel.errors import Invalid, TowerError

_OPEN = ("draft", "approved")  # what may still be changed


class OfferPane(RecordPane):
    """The open offer; tells which other offer or deal is to be opened."""

    deal_wanted = Signal(str)
    account_wanted = Signal(str)
    offer_wanted = Signal(str)

    def __init__(self, page: Page) -> None:
        super().__init__(page, tr("Offer"), tr("Choose an offer to see its lines and its document."))
        self.offer: Offer | None = None
        self._lines_of = ""
        self.status = Badge("")
        self.made = Label("", "meta", "text_2", wrap=True)
        self.made.setMinimumWidth(1)
        self.account, self.deal = LinkLine(tr("Account")), LinkLine(tr("Deal"))
        self.steps = {step.id: (PrimaryButton if step.primary else Button)(step.title()) for step in STEPS}
        self.renew = PrimaryButton(tr("New version"))
        self.facts: dict[str, InPlace | Choice] = {
            "title": InPlace(tr("Title"), a_text),
            "currency": InPlace(tr("Currency"), a_text),
            "subtotal": InPlace(tr("Price"), a_number),
            "discount_pct": InPlace(tr("Discount, %"), a_number),
            "valid_until": InPlace(tr("Valid until"), a_day, hint=DAY_HINT),
            "language": Choice(tr("Language"), [(code, language_words(code)) for code in ("ru", "en")]),
            "notes": InPlace(tr("Terms"), a_text, long=True),
        }
        self.lines = LinesEditor()
        self.total = Label("", "section")
        self.granted = Label("", "meta", "text_2", wrap=True)
        self.document = DocumentView(page)
        self.approvals = Section(tr("Who decided"))
        self._build()

    def _build(self) -> None:
        column = self.column
        column.addLayout(row(self.heading, self.status))
        column.addWidget(self.made)
        for link in (self.account, self.deal):
            column.addWidget(link)
        column.addWidget(side_by_side(*self.steps.values(), self.renew))
        column.addSpacing(8)
        for name, fact in self.facts.items():
            column.addWidget(fact)
            fact.entered.connect(partial(self._edit, name))
        column.addWidget(_titled(tr("Lines"), self.lines))
        column.addLayout(row(0, self.granted, self.total))
        column.addWidget(_titled(tr("Document"), self.document))
        column.addWidget(self.approvals)
        column.addWidget(self.evidence)
        column.addStretch(1)
        self.account.clicked.connect(
            lambda: self.account_wanted.emit(self.offer.account_id if self.offer else "")
        )
        self.deal.clicked.connect(
            lambda: self.deal_wanted.emit(self.offer.opportunity_id if self.offer else "")
        )
        for step in STEPS:
            self.steps[step.id].clicked.connect(partial(self.take_step, step.id))
        self.renew.clicked.connect(self.new_version)
        self.lines.kept.connect(self._keep)

    # -- showing

    async def read(self) -> OfferInFull:
        """The offer with its lines and approvals."""
        return await read_offer(self.page.call(), self.record_id)

    def show_record(self, found: OfferInFull) -> None:
        """Show all of it; what is being typed stays."""
        offer = self.offer = found.offer
        now = self.page.tower.clock.now()
        self.heading.setText(offer.title)
        self.status.setText(status_words(offer.status))
        self.status.set_token(status_token(offer.status))
        made = by_and_when(offer.updated_by, offer.updated_at, now)
        told = (version_words(offer.version), tr("changed by {who}", who=made))
        self.made.setText(" · ".join(told))
        self.account.set_words(offer.account_name or "")
        self.account.setVisible(bool(offer.account_id))
        self.deal.set_words(tr("The deal it belongs to"))
        self.deal.setVisible(bool(offer.opportunity_id))
        for step in STEPS:
            self.steps[step.id].setVisible(offer.status in step.states)
        self.renew.setVisible(offer.status == "rejected")
        self._show_facts(found)
        fixed = offer.status not in _OPEN
        self.lines.show_items(found.items, fixed=fixed, force=self._lines_of != offer.id)
        self._lines_of = offer.id
        self.total.setText(tr("Total: {sum}", sum=money(offer.total, offer.currency)))
        self.granted.setText(
            tr("{percent} % let off", percent=number(offer.granted_pct, 1)) if offer.granted_pct else ""
        )
        self.approvals.show_lines(
            [
                (
                    " · ".join(
                        part
                        for part in (
                            action_words(one.action),
                            by_and_when(one.actor_username, one.created_at, now),
                            one.comment,
                        )
                        if part
                    ),
                    None,
                )
                for one in found.approvals
            ]
        )
        self.show_evidence(offer.evidence_refs)
        self.document.show_document(offer)

    def _show_facts(self, found: OfferInFull) -> None:
        offer = found.offer
        today = self.page.tower.clock.now().astimezone().date()
        shown = {
            "title": (offer.title, offer.title),
            "currency": (offer.currency, offer.currency),
            "subtotal": (money(offer.subtotal, offer.currency), f"{offer.subtotal:.12g}"),
            "discount_pct": (
                number(offer.discount_pct, _digits(offer.discount_pct)),
                f"{offer.discount_pct:g}",
            ),
            "valid_until": (day_words(offer.valid_until, today), offer.valid_until or ""),
            "notes": (offer.notes, offer.notes),
        }
        fixed = offer.status not in _OPEN
        for name, fact in self.facts.items():
            if isinstance(fact, Choice):
                fact.show_value(offer.language)
            else:
                fact.show_value(*shown[name])
            fact.set_fixed(fixed=fixed or (name == "subtotal" and bool(found.items)))

    # -- changing

    async def _change(self, offer_id: str, changes: dict[str, Any]) -> OfferAnswer:
        return await edit_offer(self.page.call(), offer_id, check(changes, EditOffer))

    def _edit(self, field: str, value: Any) -> None:
        offer = self.offer
        if offer is None:
            return
        name, before = self.facts[field].name, {field: getattr(offer, field)}

        def done(answer: OfferAnswer) -> None:
            said = tr("{title}: {name} changed", title=answer.offer.title, name=name)
            undoable(self.page, said, lambda: self._change(offer.id, before))
            self.refresh()

        start(self, self._change(offer.id, {field: value}), done, partial(self._refused, field))

    def _refused(self, field: str, error: TowerError) -> None:
        fact = self.facts[field]
        if isinstance(fact, InPlace):
            fact.reopen(_sentence(error))
        else:
            self.page.context.toast(_sentence(error))
            self.refresh()

    def _keep(self, lines: list[NewItem]) -> None:
        offer = self.offer
        if offer is None:
            return
        before = self.lines.stored

        def done(_: OfferAnswer) -> None:
            said = tr("{title}: {name} changed", title=offer.title, name=tr("Lines"))
            undoable(self.page, said, lambda: self._change(offer.id, {"items": _plain(before)}))
            self.lines.show_items(lines, fixed=False, force=True)
            self.refresh()

        work = self._change(offer.id, {"items": _plain(lines)})
        start(self, work, done, lambda error: self.lines.refuse(_sentence(error)))

    # -- steps

    def take_step(self, step_id: str, _checked: bool = False) -> None:  # noqa: FBT001, FBT002 - Qt's
        """Ask for a word on it and take an offer a step further."""
        step = next(step for step in STEPS if step.id == step_id)
        if self.offer is not None and self.offer.status in step.states:
            ask_step(self.page, self.offer, step, lambda _: self.refresh())

    def new_version(self) -> None:
        """Write a rejected offer anew."""
        offer = self.offer
        if offer is None or offer.status != "rejected":
            return

        async def renew() -> OfferAnswer:
            return await renew_offer(self.page.call(), offer.id)

        start(self, renew(), lambda answer: self.offer_wanted.emit(answer.offer.id))


def _titled(title: str, inside: QWidget) -> QWidget:
    found = QWidget()
    column = QVBoxLayout(found)
    column.setContentsMargins(0, 12, 0, 0)
    column.setSpacing(4)
    column.addWidget(Label(title, "label"))
    column.addWidget(inside)
    return found


def _plain(lines: list[NewItem]) -> list[dict[str, Any]]:
    return [{name: getattr(line, name) for name in line.__struct_fields__} for line in lines]


def _digits(value: float) -> int:
    return 0 if float(value).is_integer() else 1


def _sentence(error: TowerError) -> str:
    if isinstance(error, Invalid) and error.issues:
        return what_is_wrong(error.issues[0])
    return plain_words(error)
