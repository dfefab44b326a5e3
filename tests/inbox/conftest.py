"""Conversations in the database, as a connector puts them there."""

from __future__ import annotations

from typing import Any

import pytest

from ctower_desktop.inbox import store
from ctower_desktop.kernel.mirror import searchable
from ctower_desktop.kernel.sql import as_json
from ctower_desktop.kernel.tower import Desktop


class Inbox:
    """Puts contacts, conversations and messages into the call's project."""

    def __init__(self, call: Desktop) -> None:
        self.call = call
        self.n = 0

    def row(self, kind: str, number: Any) -> dict[str, Any]:
        project = self.call.project_ref
        return {
            "id": f"{kind}:{project.id}:1:{number}", "project_id": project.id,
            "account_scope_id": project.account_scope_id, "account_id": "1",
        }  # fmt: skip

    async def contact(
        self, number: int, name: str | None, email: str | None = None, at: str = "2026-11-01"
    ) -> str:
        row = self.row("cwc", number) | {
            "contact_id": str(number), "name": name, "email": email, "phone_number": None, "identifier": None,
            "company_name": None, "custom_attributes": "{}", "created_at": at, "updated_at": at,
            "haystack": searchable("\n".join(filter(None, (name, email)))),
        }  # fmt: skip
        await self.call.tower.db.write(store.CONTACT.put, [row])
        return str(row["id"])

    async def conversation(self, number: int, contact: str | None = None, status: str = "open") -> str:
        at = f"2026-11-01T00:00:{number:02}.000Z"
        row = self.row("cw", number) | {
            "conversation_id": str(number), "contact_global_id": contact, "inbox_id": "1", "status": status,
            "priority": None, "assignee_id": None, "assignee_name": None, "subject": None,
            "labels": as_json(["a"]),
            "created_at": at, "updated_at": at, "last_activity_at": at,
        }  # fmt: skip
        inbox = self.row("cwinbox", 1) | {"inbox_id": "1", "name": "Site", "channel_type": None}
        await self.call.tower.db.write(store.INBOX.put, [inbox])
        await self.call.tower.db.write(store.CONVERSATION.put, [row])
        return str(row["id"])

    async def message(
        self, conversation: str, content: str | None, *, private: bool = False, files: int = 0
    ) -> str:
        self.n += 1
        row = self.row("cwmsg", self.n) | {
            "message_id": str(self.n), "conversation_id": conversation.rpartition(":")[2],
            "conversation_global_id": conversation, "contact_global_id": None, "sender_type": "contact",
            "sender_id": "1", "sender_name": "Анна", "private": int(private), "message_type": "0",
            "content": content, "created_at": "2026-11-01T00:00:00.000Z",
            "updated_at": "2026-11-01T00:00:00.000Z",
        }  # fmt: skip
        own = [
            self.row("cwa", f"{self.n}:{place}") | {
                "message_global_id": row["id"], "conversation_global_id": conversation,
                "content_type": "image",
                "file_size": 1, "file_url": "https://x.example", "thumb_url": None,
            }
            for place in range(files)
        ]  # fmt: skip
        await self.call.tower.db.write(store.put_messages, [row], own)
        return str(row["id"])


@pytest.fixture
def inbox(call: Desktop) -> Inbox:
    return Inbox(call)
