"""Deals, accounts and offers as tables to take along."""

from __future__ import annotations

from collections.abc import Iterable

from ctower_desktop.crm.model import Account, Opportunity
from ctower_desktop.crm.offers.model import Offer
from ctower_desktop.gui.crm_words import account_words, stage_words, status_words
from ctower_desktop.gui.export import Sheet
from ctower_desktop.gui.text import tr


def deals_sheet(deals: Iterable[Opportunity]) -> Sheet:
    """Deals, stage by stage."""
    columns = [
        tr("Title"), tr("Account"), tr("Stage"), tr("Amount"), tr("Currency"), tr("Probability, %"),
        tr("Closes"), tr("Next step"), tr("Owner"),
    ]  # fmt: skip
    rows = [
        [
            deal.title, deal.account_name, stage_words(deal.stage), deal.amount_estimate, deal.currency,
            round(deal.probability * 100, 1), (deal.expected_close_date or "")[:10], deal.next_step,
            deal.owner_username,
        ]
        for deal in deals
    ]  # fmt: skip
    return Sheet(tr("Deals"), columns, rows)


def accounts_sheet(accounts: Iterable[Account]) -> Sheet:
    """Accounts as they are listed."""
    columns = [tr("Name"), tr("Domain"), tr("Stage"), tr("Owner"), tr("Changed")]
    rows = [
        [one.name, one.domain, account_words(one.stage), one.owner_username, one.updated_at[:10]]
        for one in accounts
    ]
    return Sheet(tr("Accounts"), columns, [list(row) for row in rows])


def offers_sheet(offers: Iterable[Offer]) -> Sheet:
    """Offers as they are listed."""
    columns = [
        tr("Title"), tr("Version"), tr("Account"), tr("State"), tr("Price"), tr("Discount, %"), tr("Total"),
        tr("Currency"), tr("Valid until"), tr("Changed"),
    ]  # fmt: skip
    rows = [
        [
            one.title, one.version, one.account_name, status_words(one.status), one.subtotal,
            one.discount_pct, one.total, one.currency, one.valid_until, one.updated_at[:10],
        ]
        for one in offers
    ]  # fmt: skip
    return Sheet(tr("Offers"), columns, [list(row) for row in rows])
