"""Messages that go out to stand-in vendors."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from ctower_desktop.kernel.tower import Desktop, Tower
from tests.conftest import SetClock
from tests.posting import Post, posting


@pytest.fixture
async def post(tower: Tower, clock: SetClock, call: Desktop) -> AsyncIterator[Post]:
    """A tower with every channel connected."""
    async with posting(tower, clock, call) as found:
        yield found
