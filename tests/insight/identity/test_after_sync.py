"""A sync of all connectors looks for who may be the same client, when there is somebody new."""

from __future__ import annotations

import pytest

from ctower_desktop.connectors.actions import sync_all
from ctower_desktop.insight.identity import actions
from ctower_desktop.insight.identity.actions import list_identity_suggestions
from ctower_desktop.insight.identity.model import ListSuggestions
from tests.connectors.conftest import bench

__all__ = ["bench"]


@pytest.fixture
def counted(monkeypatch):
    """How often all pairs were compared."""
    times, compare = [], actions.candidates

    def candidates(rows):
        times.append(len(rows.contacts))
        return compare(rows)

    monkeypatch.setattr(actions, "candidates", candidates)
    return times


async def test_new_contacts_are_held_against_companies_once(bench, counted):
    bench.attio.add_company("North", "north.example")
    bench.talk("Здравствуйте", contact=bench.chatwoot.add_contact("Anna", "anna@north.example"))
    bench.clock.advance(2)
    await sync_all(bench.call)
    found = (await list_identity_suggestions(bench.call, ListSuggestions())).suggestions
    assert [(one.left.name, one.right.name, one.reason) for one in found] == [
        ("Anna", "North", "matching_email_domain")
    ]
    bench.clock.advance(2)
    await sync_all(bench.call)
    assert counted == [1]  # nothing changed, nothing is compared again
