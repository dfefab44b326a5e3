"""Messages that are to be read, in SQL: the queue of changed ones, their conversations and threads."""

from __future__ import annotations

from collections.abc import Iterable

import apsw
import msgspec

from ctower_desktop.insight.signals.model import Language
from ctower_desktop.kernel.sql import Command, Query, as_json


class Queued(msgspec.Struct, frozen=True):
    """A message that was added, changed or removed."""

    seq: int
    message_id: str
    conversation_id: str


class Said(msgspec.Struct, frozen=True):
    """A message as it is read."""

    id: str
    conversation_id: str
    sender_type: str | None
    message_type: str
    author: str | None
    content: str
    created_at: str


class Talk(msgspec.Struct, frozen=True):
    """A conversation, without its messages."""

    id: str
    account_scope_id: str
    open: bool
    assignee_name: str | None
    contact_email: str | None


class Thread(msgspec.Struct, frozen=True):
    """Whose turn it is in a conversation since when, and how the client's tone moves."""

    conversation_id: str
    project_id: str
    account_scope_id: str
    open: bool
    turn: str | None
    since: str | None
    about: str | None
    client_last_at: str | None
    language: Language
    mood: float
    moods: int
    mood_refs: str  # JSON


_WAITING = Query(
    Queued,
    """
    SELECT seq, message_id, conversation_id FROM signal_queue
    WHERE project_id = :project_id ORDER BY seq LIMIT :limit
    """,
)
_DONE = Command("DELETE FROM signal_queue WHERE seq IN (SELECT value FROM json_each(:seqs))")
_SAID = """m.id, m.conversation_global_id AS conversation_id, m.sender_type, m.message_type,
           m.sender_name AS author, coalesce(m.content, '') AS content, m.created_at"""
_TEXTS = Query(
    Said,
    f"""
    SELECT {_SAID} FROM json_each(:ids) AS wanted CROSS JOIN message AS m ON m.id = wanted.value
    WHERE m.deleted_at IS NULL AND m.private = 0
    """,
)
_RECENT = Query(
    Said,
    f"""
    SELECT {_SAID} FROM message AS m
    WHERE m.conversation_global_id = :conversation AND m.deleted_at IS NULL AND m.created_at >= :since
      AND m.private = 0 AND m.message_type NOT IN ('2', '3')
    ORDER BY m.created_at DESC, m.id DESC LIMIT :limit
    """,
)
_TALKS = Query(
    Talk,
    """
    SELECT v.id, v.account_scope_id, v.status IN ('open', 'pending') AND v.deleted_at IS NULL AS open,
           v.assignee_name, c.email AS contact_email
    FROM json_each(:ids) AS wanted CROSS JOIN conversation AS v ON v.id = wanted.value
    LEFT JOIN contact AS c ON c.id = v.contact_global_id
    """,
)
_PUT_THREAD = Command("""
    INSERT INTO signal_thread (conversation_id, project_id, account_scope_id, open, turn, since, about,
        client_last_at, language, mood, moods, mood_refs)
    SELECT v.id, :project_id, :account_scope_id, v.status IN ('open', 'pending') AND v.deleted_at IS NULL,
        :turn, :since, :about, :client_last_at, :language, :mood, :moods, :mood_refs
    FROM conversation AS v WHERE v.id = :conversation_id
    ON CONFLICT (conversation_id) DO UPDATE
    SET (open, turn, since, about, client_last_at, language, mood, moods, mood_refs) =
        (excluded.open, excluded.turn, excluded.since, excluded.about, excluded.client_last_at,
         excluded.language, excluded.mood, excluded.moods, excluded.mood_refs)
""")


def waiting(db: apsw.Connection, project_id: str, limit: int) -> list[Queued]:
    """The oldest lines of the queue."""
    return _WAITING.all(db, project_id=project_id, limit=limit)


def texts(db: apsw.Connection, ids: Iterable[str]) -> dict[str, Said]:
    """Messages that are there and no private notes."""
    return {said.id: said for said in _TEXTS.rows(db, ids=as_json(list(ids)))}


def talks(db: apsw.Connection, ids: Iterable[str]) -> dict[str, Talk]:
    """Conversations by id."""
    return {talk.id: talk for talk in _TALKS.rows(db, ids=as_json(list(ids)))}


def recent(db: apsw.Connection, conversation_id: str, since: str, limit: int) -> list[Said]:
    """The last messages of a conversation, the newest first."""
    return _RECENT.all(db, conversation=conversation_id, since=since, limit=limit)


def put_threads(db: apsw.Connection, threads: Iterable[Thread]) -> None:
    """Keep where conversations are now."""
    _PUT_THREAD.run_many(
        db, ({k: v for k, v in msgspec.structs.asdict(thread).items() if k != "open"} for thread in threads)
    )


def done(db: apsw.Connection, lines: Iterable[Queued]) -> None:
    """Take lines off the queue; a message that changed meanwhile stands there under a newer number."""
    _DONE.run(db, seqs=as_json([line.seq for line in lines]))
