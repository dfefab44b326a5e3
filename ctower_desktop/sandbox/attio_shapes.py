"""How a stand-in Attio writes its rows: ids in a nest, nine digits of time, every value in a list."""

from typing import Any

from ctower_desktop.sandbox.attio_state import (
    AttioObject,
    AttioState,
    Comment,
    Entry,
    Member,
    Note,
    Record,
    Task,
)
from ctower_desktop.sandbox.attio_values import Attribute, made_id


def actor(member_id: str) -> dict[str, str]:
    return {"type": "workspace-member", "id": member_id}


def about_row(state: AttioState) -> dict[str, Any]:
    return {
        "active": True,
        "scope": "object_configuration:read record_permission:read note:read task:read user_management:read",
        "client_id": made_id("client"),
        "token_type": "Bearer",
        "exp": None,
        "iat": int(state.clock().timestamp()),
        "sub": state.workspace_id,
        "aud": made_id("client"),
        "iss": "attio.com",
        "authorized_by_workspace_member_id": state.admin.id,
        "workspace_id": state.workspace_id,
        "workspace_name": state.name,
        "workspace_slug": "agency",
        "workspace_logo_url": None,
    }


def object_row(state: AttioState, owner: AttioObject) -> dict[str, Any]:
    return {
        "id": {"workspace_id": state.workspace_id, "object_id": owner.id},
        "api_slug": owner.slug,
        "singular_noun": owner.title,
        "plural_noun": owner.slug.capitalize(),
        "created_at": owner.created_at,
    }


def list_row(state: AttioState, owner: AttioObject) -> dict[str, Any]:
    return {
        "id": {"workspace_id": state.workspace_id, "list_id": owner.id},
        "api_slug": owner.slug,
        "name": owner.title,
        "parent_object": [owner.parent],
        "workspace_access": "full-access",
        "workspace_member_access": [],
        "created_by_actor": actor(state.admin.id),
        "created_at": owner.created_at,
    }


def attribute_row(state: AttioState, owner: AttioObject, attribute: Attribute) -> dict[str, Any]:
    return {
        "id": {"workspace_id": state.workspace_id, "object_id": owner.id, "attribute_id": attribute.id},
        "title": attribute.title,
        "description": None,
        "api_slug": attribute.slug,
        "type": attribute.type,
        "is_system_attribute": attribute.system,
        "is_writable": attribute.slug not in ("created_at", "created_by"),
        "is_required": False,
        "is_unique": attribute.slug in ("domains", "email_addresses"),
        "is_multiselect": attribute.multiple,
        "is_default_value_enabled": False,
        "is_archived": attribute.archived,
        "default_value": None,
        "relationship": None,
        "created_at": owner.created_at,
        "config": {
            "currency": {"default_currency_code": None, "display_type": None},
            "record_reference": {"allowed_object_ids": None},
        },
    }


def member_row(state: AttioState, member: Member) -> dict[str, Any]:
    return {
        "id": {"workspace_id": state.workspace_id, "workspace_member_id": member.id},
        "first_name": member.first_name,
        "last_name": member.last_name,
        "avatar_url": None,
        "email_address": member.email,
        "created_at": member.created_at,
        "access_level": member.access_level,
    }


def record_row(state: AttioState, record: Record) -> dict[str, Any]:
    owner = state.objects[record.object]
    return {
        "id": {"workspace_id": state.workspace_id, "object_id": owner.id, "record_id": record.id},
        "created_at": record.created_at,
        "web_url": f"https://app.attio.com/agency/{owner.slug}/{record.id}",
        "values": record.values,
    }


def entry_row(state: AttioState, entry: Entry) -> dict[str, Any]:
    owner = state.lists[entry.list]
    return {
        "id": {"workspace_id": state.workspace_id, "list_id": owner.id, "entry_id": entry.id},
        "parent_record_id": entry.parent_record_id,
        "parent_object": entry.parent_object,
        "created_at": entry.created_at,
        "entry_values": entry.values,
    }


def short_entry_row(state: AttioState, entry: Entry) -> dict[str, Any]:
    return {
        "list_id": state.lists[entry.list].id,
        "list_api_slug": entry.list,
        "entry_id": entry.id,
        "created_at": entry.created_at,
    }


def note_row(state: AttioState, note: Note) -> dict[str, Any]:
    return {
        "id": {"workspace_id": state.workspace_id, "note_id": note.id},
        "parent_object": note.parent_object,
        "parent_record_id": note.parent_record_id,
        "title": note.title,
        "meeting_id": None,
        "content_plaintext": note.content,
        "content_markdown": note.content,
        "tags": [],
        "created_by_actor": actor(note.author),
        "created_at": note.created_at,
    }


def task_row(state: AttioState, task: Task) -> dict[str, Any]:
    """A deadline is a day at midnight."""
    return {
        "id": {"workspace_id": state.workspace_id, "task_id": task.id},
        "content_plaintext": task.content,
        "deadline_at": f"{task.deadline.isoformat()}T00:00:00.000000000Z" if task.deadline else None,
        "is_completed": task.completed,
        "linked_records": [
            {"target_object_id": kind, "target_record_id": row_id} for kind, row_id in task.linked
        ],
        "assignees": [
            {"referenced_actor_type": "workspace-member", "referenced_actor_id": member_id}
            for member_id in task.assignees
        ],
        "created_by_actor": actor(task.author),
        "created_at": task.created_at,
    }


def thread_row(state: AttioState, thread_id: str, said: list[Comment]) -> dict[str, Any]:
    return {
        "id": {"workspace_id": state.workspace_id, "thread_id": thread_id},
        "comments": [comment_row(state, each) for each in said],
        "created_at": said[0].created_at,
    }


def comment_row(state: AttioState, comment: Comment) -> dict[str, Any]:
    return {
        "id": {"workspace_id": state.workspace_id, "comment_id": comment.id},
        "thread_id": comment.thread_id,
        "content_plaintext": comment.content,
        "entry": None,
        "record": {"record_id": comment.record_id, "object_id": state.objects[comment.object].id},
        "resolved_at": None,
        "resolved_by": {"type": None, "id": None},
        "created_at": comment.created_at,
        "author": actor(comment.author),
    }
