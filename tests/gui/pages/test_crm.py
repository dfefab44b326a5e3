"""CRM: the board, accounts and offers over a real tower; moved, changed, taken back, sent and saved."""

from __future__ import annotations

import csv
import io

import pytest

from ctower_desktop.crm import mirroring_store as mirroring
from ctower_desktop.crm.actions import (
    create_account,
    create_opportunity,
    list_opportunities,
    move_opportunity,
    read_account,
    read_opportunity,
)
from ctower_desktop.crm.model import (
    ListOpportunities,
    MoveOpportunity,
    NewAccount,
    NewOpportunity,
)
from ctower_desktop.gui.pages.crm import CrmPage
from tests.gui.conftest import until

DAY = "2026-12-15"


async def account(on, name="Кофейня «Север»", **values):
    return (await create_account(on.call(), NewAccount(name=name, **values))).account


async def deal(on, of, title="Сайт", **values):
    given = {"next_step": "позвонить", "amount_estimate": 5000.0, "currency": "EUR"} | values
    body = NewOpportunity(title=title, account_id=of.id, **given)
    return (await create_opportunity(on.call(), body)).opportunity


async def filled(stage):
    north, south = await account(stage), await account(stage, "ООО «Юг»", stage="active")
    deals = [
        await deal(stage, north, "Сайт", expected_close_date="2026-01-10"),
        await deal(stage, north, "Магазин", stage="proposal", amount_estimate=620_000.0, currency="RUB"),
        await deal(stage, south, "Программа лояльности", stage="proposal", owner_username="Полина"),
        await deal(stage, south, "Поддержка", stage="won", expected_close_date=DAY),
    ]
    return [north, south], deals


async def opened(stage):
    page = stage.show(CrmPage)
    await until(lambda: page.board.shown or page.board.state)
    return page


def titles(page, name):
    return [one.title for one in page.board.columns[name].cards.deals]


def test_the_board_shows_every_stage_with_its_count_and_sums(on_stage):
    async def body(stage):
        await filled(stage)
        page = await opened(stage)
        assert titles(page, "discovery") == ["Сайт"]
        assert sorted(titles(page, "proposal")) == ["Магазин", "Программа лояльности"]
        column = page.board.columns["proposal"]
        assert column.count.text() == "2"
        assert column.sums.text() == "₽620,000 · €5,000"

    on_stage(body)
