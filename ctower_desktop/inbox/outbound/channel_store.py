"""How the last test of each channel went, in SQL."""

from __future__ import annotations

import apsw
import msgspec

from ctower_desktop.inbox.outbound.model import ChannelName, ChannelTested
from ctower_desktop.kernel.sql import Command, Query
from ctower_desktop.kernel.tower import ProjectRef


class LastTest(msgspec.Struct, frozen=True):
    """How the last test of a channel went."""

    channel: ChannelName
    works: bool
    message: str
    tested_at: str


_LAST = Query(
    LastTest,
    "SELECT channel, works, message, tested_at FROM channel_test WHERE project_id = :project_id",
)
_KEEP = Command("""
    INSERT INTO channel_test (project_id, account_scope_id, channel, works, code, message, tested_at)
    VALUES (:project_id, :account_scope_id, :channel, :works, :code, :message, :at)
    ON CONFLICT (project_id, channel) DO UPDATE SET
        works = excluded.works, code = excluded.code, message = excluded.message,
        tested_at = excluded.tested_at
""")


def last_tests(db: apsw.Connection, project_id: str) -> dict[str, LastTest]:
    """The last test of every channel that was tested."""
    return {row.channel: row for row in _LAST.all(db, project_id=project_id)}


def keep_test(db: apsw.Connection, project: ProjectRef, found: ChannelTested, at: str) -> None:
    """Remember how a test went."""
    _KEEP.run(
        db, project_id=project.id, account_scope_id=project.account_scope_id, channel=found.channel,
        works=found.works, code=found.code, message=found.message, at=at,
    )  # fmt: skip
