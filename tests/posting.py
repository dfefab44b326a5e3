"""A tower whose channels lead to stand-in vendors, and short words for what tests do with messages."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from ctower_desktop.connectors.channels.settings import SmtpSettings, TelegramSettings
from ctower_desktop.connectors.settings import ChatwootSettings, LoopsSettings
from ctower_desktop.inbox import store as inbox_store
from ctower_desktop.inbox.outbound.actions import (
    approve_outbound,
    draft_outbound,
    read_outbound,
    send_outbound,
    set_channel_policy,
)
from ctower_desktop.inbox.outbound.model import (
    ApproveOutbound,
    Attempt,
    NewOutbound,
    Outbound,
    Policy,
    SetPolicy,
)
from ctower_desktop.inbox.outbound.settings import OutboundSettings
from ctower_desktop.kernel.sql import as_json
from ctower_desktop.kernel.tower import Desktop, ProjectRef, Tower, by_job, desktop
from ctower_desktop.projects.actions import NewProject, create_project
from ctower_desktop.sandbox.chatwoot import Chatwoot
from ctower_desktop.sandbox.host import hosted
from ctower_desktop.sandbox.loops import Loops
from ctower_desktop.sandbox.smtp import Smtp
from ctower_desktop.sandbox.telegram import Telegram
from tests.conftest import SetClock
from tests.upstream import watched

ANNA = "anna@north.example"


class Post:
    """The tower, the vendors behind its channels, and what tests do."""

    def __init__(self, tower: Tower, clock: SetClock, call: Desktop) -> None:
        self.tower, self.clock, self.call = tower, clock, call
        self.smtp = Smtp(username="pm", password="secret")
        self.telegram = Telegram(clock.now)
        self.chatwoot, self.loops = Chatwoot(clock.now), Loops(clock.now)
        self.made = 0

    # the tower

    async def set(self, **values: Any) -> None:
        """Change settings of the room."""
        await self.tower.settings.change(OutboundSettings, values)

    def by_schedule(self) -> Desktop:
        return by_job(self.tower, "job", self.call.project_ref)

    async def other_project(self, name: str = "Другой") -> Desktop:
        made = (await create_project(desktop(self.tower, "test"), NewProject(name=name))).project
        return desktop(self.tower, "test", ProjectRef(made.id, made.name, made.account_scope_id))

    async def rows(self, sql: str, **params: Any) -> list[tuple[Any, ...]]:
        return await self.tower.db.read(lambda db: list(db.execute(sql, params)))

    async def audited(self) -> list[tuple[str, str]]:
        """Actions of the trail with their ends, the oldest first."""
        found = await self.rows("SELECT action, status FROM audit_event ORDER BY id")
        return [(action, status) for action, status in found if action.startswith("outbound")]

    # messages

    async def draft(self, text: str | None = "Добрый день!", to: str = ANNA, **more: Any) -> Outbound:
        """A draft with a key and content of its own unless told otherwise."""
        self.made += 1
        payload = more.pop("payload", {"text": f"{text} {self.made}"} if text is not None else {})
        body = NewOutbound(
            channel=more.pop("channel", "email"),
            recipient_ref=to,
            idempotency_key=more.pop("key", f"key-{self.made}"),
            payload=payload,
            **more,
        )
        return (await draft_outbound(self.call, body)).outbound

    async def approved(self, text: str | None = "Добрый день!", to: str = ANNA, **more: Any) -> Outbound:
        found = await self.draft(text, to, **more)
        return (await approve_outbound(self.call, found.id, ApproveOutbound())).outbound

    async def send(self, message: Outbound) -> Outbound:
        return (await send_outbound(self.call, message.id)).outbound

    async def refused(self, message: Outbound, error: type[Exception]) -> Any:
        """Send in vain; the error that came."""
        try:
            await send_outbound(self.call, message.id)
        except error as found:
            return found
        raise AssertionError(f"{error.__name__} was expected")

    async def now(self, message: Outbound) -> Outbound:
        """The message as it is now."""
        return (await read_outbound(self.call, message.id)).outbound

    async def attempts(self, message: Outbound) -> list[Attempt]:
        return (await read_outbound(self.call, message.id)).attempts

    async def rule(self, who: str = ANNA, channel: Any = "email", **what: Any) -> Policy:
        body = SetPolicy(contact_global_id=who, channel=channel, **what)
        return (await set_channel_policy(self.call, body)).policy

    # the inbox, as a connector fills it

    def row(self, kind: str, number: Any) -> dict[str, Any]:
        project = self.call.project_ref
        return {
            "id": f"{kind}:{project.id}:1:{number}", "project_id": project.id,
            "account_scope_id": project.account_scope_id, "account_id": "1",
        }  # fmt: skip

    async def contact(self, number: int = 1, email: str | None = ANNA, **fields: Any) -> str:
        row = self.row("cwc", number) | {
            "contact_id": str(number), "name": "Анна", "email": email, "phone_number": None,
            "identifier": None, "company_name": None, "custom_attributes": "{}", "haystack": "",
            "created_at": None, "updated_at": self.clock.text(),
        } | fields  # fmt: skip
        await self.tower.db.write(inbox_store.CONTACT.put, [row])
        return str(row["id"])

    async def talk(self, contact: str | None, number: int = 1, **fields: Any) -> str:
        at = self.clock.text()
        row = self.row("cw", number) | {
            "conversation_id": str(number), "contact_global_id": contact, "inbox_id": "1", "status": "open",
            "priority": None, "assignee_id": None, "assignee_name": None, "subject": None,
            "labels": as_json([]), "created_at": at, "updated_at": at, "last_activity_at": at,
        } | fields  # fmt: skip
        await self.tower.db.write(inbox_store.CONVERSATION.put, [row])
        return str(row["id"])

    async def hear(self, conversation: str, *, kind: str = "0", private: bool = False) -> None:
        """A message in a conversation, from the customer unless `kind` says otherwise."""
        self.made += 1
        row = self.row("cwmsg", self.made) | {
            "message_id": str(self.made), "conversation_id": conversation.rpartition(":")[2],
            "conversation_global_id": conversation, "contact_global_id": None, "sender_type": "contact",
            "sender_id": "1", "sender_name": "Анна", "private": int(private), "message_type": kind,
            "content": "Здравствуйте", "created_at": self.clock.text(), "updated_at": self.clock.text(),
        }  # fmt: skip
        await self.tower.db.write(inbox_store.put_messages, [row], [])

    def vendor_talk(self, *texts: str) -> Any:
        """A conversation at Chatwoot itself."""
        inbox = next(iter(self.chatwoot.inboxes.values()), None) or self.chatwoot.add_inbox("Site")
        contact = next(iter(self.chatwoot.contacts.values()), None) or self.chatwoot.add_contact("Анна", ANNA)
        made = self.chatwoot.add_conversation(inbox.id, contact.id)
        for text in texts:
            self.chatwoot.add_message(made.id, text)
        return made


@asynccontextmanager
async def posting(tower: Tower, clock: SetClock, call: Desktop) -> AsyncIterator[Post]:
    """All four channels connected to stand-ins; what Chatwoot and Loops are sent is checked."""
    post = Post(tower, clock, call)
    checked = {"chatwoot": post.chatwoot, "loops": post.loops}
    async with AsyncExitStack() as stack:
        stack.enter_context(watched(**checked))
        urls = await stack.enter_async_context(hosted(**checked, telegram=post.telegram))
        await stack.enter_async_context(post.smtp.running())
        change = tower.settings.change
        await change(
            SmtpSettings,
            {
                "host": "127.0.0.1", "port": post.smtp.port, "security": "none", "username": "pm",
                "password": "secret", "from_address": "pm@agency.example", "from_name": "Агентство",
            },
        )  # fmt: skip
        await change(TelegramSettings, {"base_url": urls["telegram"], "bot_token": post.telegram.token})
        await change(LoopsSettings, {"base_url": f"{urls['loops']}/api/v1", "secret_key": post.loops.token})
        account = {"base_url": urls["chatwoot"], "account_id": "1", "api_token": post.chatwoot.token}
        await change(ChatwootSettings, account)
        yield post
        await tower.stop_parts()
        await tower.http.close()
