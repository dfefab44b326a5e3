"""Commands run as for a stranger: whatever accounts the environment of the tester names, none is asked."""

from __future__ import annotations

import pytest

from ctower_desktop.kernel.settings import SETTINGS, fields


@pytest.fixture(autouse=True)
def nobodys_accounts(monkeypatch):
    for page in SETTINGS:
        for field in fields(page):
            for name in field.environment:
                monkeypatch.delenv(name, raising=False)
