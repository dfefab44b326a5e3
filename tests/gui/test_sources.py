"""The sources in the lower left corner, and the line that says that none can be reached."""

from __future__ import annotations

from ctower_desktop.connectors.answers import Overview
from ctower_desktop.connectors.settings import ChatwootSettings
from ctower_desktop.gui.sources import is_offline, read_sources
from tests.gui.conftest import until

ONE = ("Кофейня",)


def overview(connector="chatwoot", status="ok", error=None):
    return Overview(
        connector=connector, title=connector.title(), configured=True, account=None, bound=True,
        status=status, breaker="closed", last_success_at=None, last_error=error, next_step=None,
        quarantined=0, held_deletes=0,
    )  # fmt: skip


class TestOffline:
    away = "upstream_unreachable: nobody answers"

    def test_nothing_connected_is_not_offline(self):
        assert not is_offline([])
        assert not is_offline([overview("loops", "failed", self.away)])

    def test_all_unreached_is(self):
        assert is_offline([overview(status="failed", error=self.away)])
        assert is_offline(
            [overview(status="failed", error=self.away), overview("linear", "failed", self.away)]
        )

    def test_one_that_answers_or_refuses_is_not(self):
        away = overview(status="failed", error=self.away)
        assert not is_offline([away, overview("linear")])
        assert not is_offline([away, overview("linear", "failed", "connector_needs_user: wrong key")])


async def connected(window, tower, code="upstream_unreachable"):
    """Chatwoot is configured, and its last sync ended so."""
    await until(lambda: window._project)
    await tower.settings.change(
        ChatwootSettings,
        {
            "base_url": "https://chat.example",
            "account_id": "1",
            "api_token": "t",
        },
    )

    def write(db):
        db.execute(
            "INSERT OR REPLACE INTO connector_sync_state (project_id, account_scope_id, connector, status,"
            " last_error, last_success_at, updated_at) VALUES (?, ?, 'chatwoot', ?, ?, ?, ?)",
            (
                window._project.id, window._project.account_scope_id, "failed" if code else "ok",
                f"{code}: nobody answers" if code else None, tower.clock.text(), tower.clock.text(),
            ),
        )  # fmt: skip

    await tower.db.write(write)


def test_a_line_says_that_nothing_can_be_reached_and_goes_by_itself(on_window):
    async def body(window, tower):
        await connected(window, tower)
        await until(window.offline.isVisible)
        assert "by itself" in window.offline.text
        assert window.offline.action.text() == "Try now"
        await connected(window, tower, code="")
        await until(lambda: not window.offline.isVisible())

    on_window(body, projects=ONE)


def test_a_row_leads_to_the_log_or_to_the_connection(on_window):
    async def body(window, tower):
        await connected(window, tower)
        await until(lambda: window.sidebar.rows and window.sidebar.rows[0].source.failed)
        window.sidebar.rows[0].click()
        assert window.stack.name == "system"
        assert window.page.chosen == "sync"
        await connected(window, tower, code="")
        await until(lambda: not window.sidebar.rows[0].source.failed)
        window.sidebar.rows[0].click()
        assert window.stack.name == "connectors"

    on_window(body, projects=ONE)


def test_age_and_next_run_are_told(on_window, clock):
    async def body(window, tower):
        await connected(window, tower, code="")
        clock.advance(120)
        found = await read_sources(window.call())
        assert [(row.name, row.words) for row in found.rows] == [("Chatwoot", "2 min ago")]
        window._load_sources()
        await until(lambda: window.sidebar.rows and window.sidebar.rows[0].source.words == "2 min ago")
        assert window.sidebar.rows[0].accessibleName() == "Chatwoot: 2 min ago"

    on_window(body, projects=ONE)
