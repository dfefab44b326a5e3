"""What is done with deals and accounts, each with its way back."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from typing import Any

import msgspec

from ctower_desktop.crm.actions import (
    archive_account,
    archive_opportunity,
    create_account,
    create_opportunity,
    edit_account,
    edit_opportunity,
    list_accounts,
    move_opportunity,
    restore_account,
    restore_opportunity,
)
from ctower_desktop.crm.model import (
    Account,
    AccountAnswer,
    EditAccount,
    EditOpportunity,
    ListAccounts,
    MoveOpportunity,
    NewAccount,
    NewOpportunity,
    Opportunity,
    OpportunityAnswer,
    OpportunityStage,
)
from ctower_desktop.crm.settings import Crm
from ctower_desktop.gui.asking import Field, FieldsDialog
from ctower_desktop.gui.crm_words import ACCOUNT_STAGES, STAGES, account_words, stage_words
from ctower_desktop.gui.editing import a_day, a_number, a_percentage
from ctower_desktop.gui.feedback import show_error
from ctower_desktop.gui.page import Page
from ctower_desktop.gui.tasks import start
from ctower_desktop.gui.text import tr, trn
from ctower_desktop.gui.undo import undoable
from ctower_desktop.kernel.check import check
from ctower_desktop.kernel.errors import TowerError

Each = Callable[[str], Coroutine[Any, Any, Any]]
DAY_HINT = "2027-01-15"
_MOST_ACCOUNTS = 500


class Done(msgspec.Struct, frozen=True):
    """Which of several were done, and what stopped the rest."""

    ids: list[str]
    error: Any = None


async def one_by_one(ids: Sequence[str], each: Each) -> Done:
    """Do it to all; the first failure ends it, and what was done stays told."""
    done: list[str] = []
    for one in ids:
        try:
            await each(one)
        except TowerError as error:
            return Done(done, error)
        done.append(one)
    return Done(done)


class Deeds:
    """Actions on deals and accounts for one page; `failed` is called when the screen may be wrong."""

    def __init__(self, page: Page, failed: Callable[[], None]) -> None:
        self._page, self._failed = page, failed

    # -- deals

    def move(self, deals: Sequence[Opportunity], stage: OpportunityStage, reason: str = "") -> None:
        """Put deals into a stage."""
        before = {deal.id: deal.stage for deal in deals if deal.stage != stage}
        if not before:
            return
        work = one_by_one(list(before), lambda one: self.to_stage(one, stage, reason))

        def told(done: Done) -> None:
            if done.ids:
                said = trn(
                    "{n} deal moved: {stage}",
                    "{n} deals moved: {stage}",
                    len(done.ids),
                    stage=stage_words(stage),
                )
                undoable(self._page, said, lambda: self._moved_back({one: before[one] for one in done.ids}))
            self._tell(done)

        start(self._page, work, told)

    async def to_stage(self, deal_id: str, stage: OpportunityStage, reason: str) -> OpportunityAnswer:
        """Put one deal into a stage."""
        body = check({"stage": stage, "reason": reason or None}, MoveOpportunity)
        return await move_opportunity(self._page.call(), deal_id, body)

    async def _moved_back(self, before: dict[str, OpportunityStage]) -> None:
        for deal_id, stage in before.items():
            await self.to_stage(deal_id, stage, tr("taken back"))

    def ask_stage(self, deals: Sequence[Opportunity]) -> FieldsDialog | None:
        """Ask for a stage and a reason, then move."""
        if not deals:
            return None

        async def nothing(body: MoveOpportunity) -> MoveOpportunity:
            return body

        dialog = FieldsDialog(
            self._page,
            trn("Move {n} deal", "Move {n} deals", len(deals)) if len(deals) > 1 else deals[0].title,
            [
                Field("stage", tr("Stage"), deals[0].stage, choices=_stages()),
                Field("reason", tr("Reason"), long=True, hint=tr("May be left out")),
            ],
            MoveOpportunity,
            send=nothing,
            then=lambda body: self.move(deals, body.stage, body.reason or ""),
            does=tr("Move"),
        )
        dialog.open()
        return dialog

    async def edit_deal(self, deal_id: str, changes: dict[str, Any]) -> OpportunityAnswer:
        """Change fields of a deal, checked as at a door."""
        return await edit_opportunity(self._page.call(), deal_id, check(changes, EditOpportunity))

    def put_away(self, deal_ids: Sequence[str], *, back: bool = False) -> None:
        """Archive deals, or bring them back."""
        count = trn("{n} deal restored", "{n} deals restored", len(deal_ids))
        if not back:
            count = trn("{n} deal archived", "{n} deals archived", len(deal_ids))
        there, here = (
            (self._bring_deal, self._archive_deal) if back else (self._archive_deal, self._bring_deal)
        )
        self._each(deal_ids, count, there, here)

    async def _archive_deal(self, deal_id: str) -> OpportunityAnswer:
        return await archive_opportunity(self._page.call(), deal_id)

    async def _bring_deal(self, deal_id: str) -> OpportunityAnswer:
        return await restore_opportunity(self._page.call(), deal_id)

    # -- accounts

    async def edit_account(self, account_id: str, changes: dict[str, Any]) -> AccountAnswer:
        """Change fields of an account, checked as at a door."""
        return await edit_account(self._page.call(), account_id, check(changes, EditAccount))

    def put_accounts_away(self, ids: Sequence[str], *, back: bool = False) -> None:
        """Archive accounts, or bring them back."""
        count = trn("{n} account restored", "{n} accounts restored", len(ids))
        if not back:
            count = trn("{n} account archived", "{n} accounts archived", len(ids))
        there, here = self._archive_account, self._bring_account
        self._each(ids, count, *((here, there) if back else (there, here)))

    async def _archive_account(self, account_id: str) -> AccountAnswer:
        return await archive_account(self._page.call(), account_id)

    async def _bring_account(self, account_id: str) -> AccountAnswer:
        return await restore_account(self._page.call(), account_id)

    # -- new ones

    def ask_account(self, then: Callable[[Account], object], about: str = "") -> FieldsDialog:
        """Ask for a new account."""

        def made(answer: AccountAnswer) -> None:
            account = answer.account
            said = tr("Account added: {name}", name=account.name)
            undoable(self._page, said, partial(self._archive_account, account.id))
            then(account)

        dialog = FieldsDialog(
            self._page,
            tr("New account"),
            [
                Field("name", tr("Name")),
                Field("domain", tr("Domain"), hint="north.example"),
                Field("stage", tr("Stage"), "prospect", choices=_account_stages()),
            ],
            NewAccount,
            send=lambda body: create_account(self._page.call(), body),
            then=made,
            does=tr("Create"),
            about=about,
        )
        dialog.open()
        return dialog

    def ask_deal(self, then: Callable[[Opportunity], object], account_id: str = "") -> None:
        """Ask for a new deal; without any account, for an account first."""

        async def accounts() -> list[Account]:
            found = await list_accounts(self._page.call(), ListAccounts(limit=_MOST_ACCOUNTS))
            return found.accounts

        def ask(found: list[Account]) -> None:
            if found:
                self._deal_dialog(found, account_id, then).open()
            else:
                about = tr("A deal belongs to an account; add one first.")
                self.ask_account(lambda account: self.ask_deal(then, account.id), about)

        start(self._page, accounts(), ask)

    def _deal_dialog(
        self, accounts: Sequence[Account], account_id: str, then: Callable[[Opportunity], object]
    ) -> FieldsDialog:
        def made(answer: OpportunityAnswer) -> None:
            deal = answer.opportunity
            said = tr("Deal added: {title}", title=deal.title)
            undoable(self._page, said, partial(self._archive_deal, deal.id))
            then(deal)

        named = sorted(accounts, key=lambda account: account.name.casefold())
        return FieldsDialog(
            self._page,
            tr("New deal"),
            [
                Field("title", tr("Title")),
                Field("account_id", tr("Account"), account_id, choices=[(a.id, a.name) for a in named]),
                Field("next_step", tr("Next step"), hint=tr("For example: send the offer")),
                Field("stage", tr("Stage"), "discovery", choices=_stages()),
                Field("amount_estimate", tr("Amount"), parse=a_number),
                Field("currency", tr("Currency"), self._page.tower.settings.get(Crm).currency),
                Field("probability", tr("Probability, %"), "10", parse=a_percentage),
                Field("expected_close_date", tr("Closes"), parse=a_day, hint=DAY_HINT),
            ],
            NewOpportunity,
            send=lambda body: create_opportunity(self._page.call(), body),
            then=made,
            does=tr("Create"),
        )

    # -- both ways

    def _each(self, ids: Sequence[str], said: str, there: Each, back: Each) -> None:
        if not ids:
            return

        def told(done: Done) -> None:
            if done.ids and len(done.ids) == len(ids):
                undoable(self._page, said, lambda: _all(done.ids, back))
            elif done.ids:
                words = tr("Only {done} of {all} were done", done=len(done.ids), all=len(ids))
                undoable(self._page, words, lambda: _all(done.ids, back))
            self._tell(done)

        start(self._page, one_by_one(ids, there), told)

    def _tell(self, done: Done) -> None:
        if done.error is not None:
            show_error(self._page, done.error)
            self._failed()


async def _all(ids: Sequence[str], each: Each) -> None:
    for one in reversed(ids):
        await each(one)


def _stages() -> list[tuple[str, str]]:
    return [(stage, stage_words(stage)) for stage in STAGES]


def _account_stages() -> list[tuple[str, str]]:
    return [(stage, account_words(stage)) for stage in ACCOUNT_STAGES]
