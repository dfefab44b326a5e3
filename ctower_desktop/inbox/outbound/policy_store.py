"""Who a recipient is, what they allow, and when they wrote last, in SQL."""

from __future__ import annotations

import apsw
import msgspec

from ctower_desktop.inbox.outbound import policy, recipients
from ctower_desktop.inbox.outbound.content import Content
from ctower_desktop.inbox.outbound.model import ChannelName, ListPolicies, Policy, SetPolicy
from ctower_desktop.inbox.outbound.recipients import Known, Recipient
from ctower_desktop.inbox.outbound.rendering import Talk
from ctower_desktop.kernel.sql import Command, Query, as_json
from ctower_desktop.kernel.tower import ProjectRef


class _At(msgspec.Struct, frozen=True):
    at: str | None


_POLICY = """id, project_id, account_scope_id, contact_global_id, channel, opted_out, stop_on_reply,
           frequency_window_hours, frequency_cap, sent_in_window, window_started_at, last_outbound_at,
           last_inbound_at, ruled_at, updated_at,
           (SELECT c.name FROM contact AS c WHERE c.id = contact_global_id) AS contact_name"""
_CONTACT = """c.id, c.name, c.email, c.phone_number,
           CAST(json_extract(c.custom_attributes, '$.telegram_chat_id') AS TEXT) AS chat,
           c.deleted_at IS NOT NULL AS gone FROM contact c"""
_BY_ID = Query(Known, f"SELECT {_CONTACT} WHERE c.id = :ref AND c.project_id = :project_id")
_BY_CONVERSATION = Query(
    Known,
    f"""
    SELECT {_CONTACT} JOIN conversation v ON v.contact_global_id = c.id
    WHERE v.id = :ref AND v.project_id = :project_id
    """,
)
_BY_EMAIL = Query(
    Known,
    f"""
    SELECT {_CONTACT} WHERE c.project_id = :project_id AND lower(c.email) = :ref AND c.email IS NOT NULL
    ORDER BY c.id
    """,
)
_BY_PHONE = Query(
    Known, f"SELECT {_CONTACT} WHERE c.project_id = :project_id AND c.phone_number = :ref ORDER BY c.id"
)
_BY_CHAT = Query(
    Known,
    f"""
    SELECT {_CONTACT} WHERE c.project_id = :project_id
      AND json_extract(c.custom_attributes, '$.telegram_chat_id') IN (:ref, :number) ORDER BY c.id
    """,
)
_TALK = "SELECT id, account_id, conversation_id, contact_global_id FROM conversation"
_TALK_NAMED = Query(Talk, f"{_TALK} WHERE id = :id AND project_id = :project_id AND deleted_at IS NULL")
_TALK_NUMBERED = Query(
    Talk,
    f"{_TALK} WHERE project_id = :project_id AND conversation_id = :number AND deleted_at IS NULL LIMIT 1",
)
_TALK_LATEST = Query(
    Talk,
    f"""
    {_TALK}
    WHERE project_id = :project_id AND contact_global_id IN (SELECT value FROM json_each(:contacts))
      AND deleted_at IS NULL
    ORDER BY coalesce(last_activity_at, updated_at, created_at) DESC, id DESC LIMIT 1
    """,
)
_HEARD = Query(
    _At,
    """
    SELECT max(m.created_at) AS at FROM conversation v
    JOIN message m ON m.conversation_global_id = v.id
    WHERE v.project_id = :project_id AND v.contact_global_id IN (SELECT value FROM json_each(:contacts))
      AND m.deleted_at IS NULL AND m.created_at > :since AND m.message_type = '0' AND m.private = 0
    """,
)
_RULES = Query(
    Policy,
    f"""
    SELECT {_POLICY} FROM channel_policy
    WHERE project_id = :project_id AND contact_global_id IN (SELECT value FROM json_each(:aliases))
      AND channel IN (SELECT value FROM json_each(:channels))
    """,
)
_LISTED = Query(
    Policy,
    f"""
    SELECT {_POLICY} FROM channel_policy WHERE project_id = :project_id
    ORDER BY updated_at DESC, id LIMIT :limit OFFSET :offset
    """,
)
_LISTED_OUT = Query(
    Policy,
    f"""
    SELECT {_POLICY} FROM channel_policy WHERE project_id = :project_id AND opted_out = 1
    ORDER BY updated_at DESC, id LIMIT :limit OFFSET :offset
    """,
)
_MAKE = Command("""
    INSERT INTO channel_policy (id, project_id, account_scope_id, contact_global_id, channel, created_at,
                                updated_at)
    VALUES (:id, :project_id, :account_scope_id, :contact, :channel, :at, :at)
    ON CONFLICT (project_id, contact_global_id, channel) DO NOTHING
""")
_ONE = Query(
    Policy,
    f"""
    SELECT {_POLICY} FROM channel_policy
    WHERE project_id = :project_id AND contact_global_id = :contact AND channel = :channel
    """,
)
_RULE = Query(
    Policy,
    f"""
    UPDATE channel_policy
    SET opted_out = :opted_out, stop_on_reply = :stop_on_reply, frequency_window_hours = :hours,
        frequency_cap = :cap, last_inbound_at = :last_inbound_at, ruled_at = :at, updated_at = :at
    WHERE id = :id RETURNING {_POLICY}
    """,
)
_TAKE_BACK = Command("""
    UPDATE channel_policy SET opted_out = 0, updated_at = :at
    WHERE project_id = :project_id AND contact_global_id IN (SELECT value FROM json_each(:aliases))
      AND channel IN (SELECT value FROM json_each(:channels)) AND opted_out = 1
""")
_COUNT = Command("""
    UPDATE channel_policy
    SET sent_in_window = :sent, window_started_at = :started, last_outbound_at = :at, updated_at = :at
    WHERE id = :id
""")


def recipient(db: apsw.Connection, project_id: str, ref: str) -> Recipient:
    """Whom a reference means in this project."""
    name = recipients.plain(ref)
    match recipients.kind_of(name):
        case "contact":
            found = _BY_ID.all(db, project_id=project_id, ref=name)
        case "conversation":
            found = _BY_CONVERSATION.all(db, project_id=project_id, ref=name)
        case "email":
            found = _BY_EMAIL.all(db, project_id=project_id, ref=name)
        case "phone":
            found = _BY_PHONE.all(db, project_id=project_id, ref=name)
        case "chat":
            number = int(name) if name.lstrip("-").isdecimal() and abs(int(name)) < 2**63 else None
            found = _BY_CHAT.all(db, project_id=project_id, ref=name, number=number)
        case _:
            found = []
    return recipients.recipient(ref, found)


def conversation(db: apsw.Connection, project_id: str, someone: Recipient, content: Content) -> Talk | None:
    """The conversation a message goes into: the one it names, else the latest one with them."""
    named = content.conversation_id
    if named is None and recipients.kind_of(someone.ref) == "conversation":
        named = someone.ref
    if named is not None:
        if named.startswith("cw:"):
            return _TALK_NAMED.first(db, id=named, project_id=project_id)
        return _TALK_NUMBERED.first(db, project_id=project_id, number=named)
    return _TALK_LATEST.first(db, project_id=project_id, contacts=_ids(someone))


def heard_at(db: apsw.Connection, project_id: str, someone: Recipient, since: str) -> str | None:
    """When they wrote last since then, in any conversation with them; None: not since then."""
    if not someone.contacts:
        return None
    return _HEARD.one(db, project_id=project_id, contacts=_ids(someone), since=since).at


def rules(db: apsw.Connection, project_id: str, someone: Recipient, channel: str) -> list[Policy]:
    """Everything that was said about writing to them here, under whichever of their names."""
    return _RULES.all(
        db, project_id=project_id, aliases=as_json(someone.aliases), channels=as_json(policy.covers(channel))
    )


def listed(db: apsw.Connection, project_id: str, query: ListPolicies) -> list[Policy]:
    """Rules, the last changed first."""
    wanted = _LISTED_OUT if query.opted_out else _LISTED
    return wanted.all(db, project_id=project_id, limit=query.limit, offset=query.offset)


def ensured(  # noqa: PLR0917
    db: apsw.Connection, project: ProjectRef, key: str, channel: ChannelName, new_id: str, at: str
) -> Policy:
    """The rules under this key, made with the defaults where there are none."""
    _MAKE.run(
        db, id=new_id, project_id=project.id, account_scope_id=project.account_scope_id, contact=key,
        channel=channel, at=at,
    )  # fmt: skip
    return _ONE.one(db, project_id=project.id, contact=key, channel=channel)


def rule(db: apsw.Connection, project: ProjectRef, said: SetPolicy, new_id: str, at: str) -> Policy:
    """Keep what a person said; an opt-out taken back is taken back under all their names."""
    someone = recipient(db, project.id, said.contact_global_id)
    known = ensured(db, project, someone.key, said.channel, new_id, at)
    if said.opted_out is False:
        _TAKE_BACK.run(
            db, project_id=project.id, aliases=as_json(someone.aliases),
            channels=as_json(policy.covers(said.channel)), at=at,
        )  # fmt: skip
    hours, cap = said.frequency_window_hours, said.frequency_cap
    return _RULE.one(
        db,
        id=known.id,
        opted_out=known.opted_out if said.opted_out is None else said.opted_out,
        stop_on_reply=known.stop_on_reply if said.stop_on_reply is None else said.stop_on_reply,
        hours=known.frequency_window_hours if hours is None else policy.clamped_hours(hours),
        cap=known.frequency_cap if cap is None else policy.clamped_cap(cap),
        last_inbound_at=at if said.mark_inbound else known.last_inbound_at,
        at=at,
    )


def count(db: apsw.Connection, row: Policy, sent: int, started: str, at: str) -> None:
    """Note that one more message was really sent."""
    _COUNT.run(db, id=row.id, sent=sent, started=started, at=at)


def _ids(someone: Recipient) -> str:
    return as_json([each.id for each in someone.contacts])
