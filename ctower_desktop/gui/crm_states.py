"""Why there is nothing to see of sales, and what to do about it."""

from __future__ import annotations

from collections.abc import Callable

from ctower_desktop.connectors.connecting import list_connections
from ctower_desktop.gui.feedback import EmptyState
from ctower_desktop.gui.page import Page
from ctower_desktop.gui.text import tr

_ATTIO = "attio"


async def nothing_there(page: Page, new: Callable[[], object]) -> EmptyState:
    """Nothing at all: because Attio did not tell yet, or because there is nothing."""
    found = (await list_connections(page.call())).connections
    attio = next((one for one in found if one.connector == _ATTIO), None)
    if attio is not None and attio.configured and attio.last_success_at is not None and attio.bound:
        title, sentence = tr("No deals yet"), tr("Attio has none for this project. You can add one here.")
        return EmptyState("no_data", title, sentence, tr("New deal…"), new)
    title = tr("Nothing was synced yet")
    sentence = tr("Connect Attio and its deals are here; or add your own with “New deal…” above.")
    return EmptyState(
        "not_synced", title, sentence, tr("Go to connectors"), lambda: page.context.open_page("connectors")
    )


def nothing_with_this(widen: Callable[[], object]) -> EmptyState:
    """Words or chips leave everything out."""
    title, sentence = tr("Nothing fits"), tr("The search or a filter leaves everything out.")
    return EmptyState("filtered", title, sentence, tr("Show everything"), widen)


def no_project(page: Page) -> EmptyState:
    """Sales belong to a project."""
    return EmptyState(
        "no_data",
        tr("No project yet"),
        tr("Deals and offers belong to a project; open one first."),
        tr("New project…"),
        lambda: page.context.commands.run("project.new"),
    )
