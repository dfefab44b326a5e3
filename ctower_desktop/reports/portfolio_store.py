"""What several projects say, risk and offer, and whom one project talks with, in SQL: from indexes alone."""

from __future__ import annotations

from collections.abc import Sequence

import apsw
import msgspec

from ctower_desktop.kernel.sql import Query, as_json
from ctower_desktop.reports.portfolio import (
    File,
    LoopsPart,
    MessageCard,
    OfferCard,
    PersonCard,
    RiskCard,
    UpsellCard,
)

MOST_PERSONS = 200
_MOST_FILES = 8


class Candidate(msgspec.Struct, frozen=True):
    """Something that may speak of an agreement."""

    id: str
    project_id: str
    project_name: str
    source_table: str
    source_pk: str
    text: str
    created_at: str
    conversation_global_id: str | None


class Said(msgspec.Struct, frozen=True):
    """A message of the talk with a person."""

    id: str
    contact_global_id: str | None
    conversation_global_id: str
    sender_type: str | None
    sender_name: str | None
    created_at: str
    content: str


class _Filed(msgspec.Struct, frozen=True):
    id: str
    message_global_id: str
    content_type: str | None
    file_url: str | None


class _Mean(msgspec.Struct, frozen=True):
    value: float | None


_OF = "FROM json_each(:ids) AS wanted CROSS JOIN project AS p ON p.id = wanted.value CROSS JOIN"
_MESSAGES = Query(
    MessageCard,
    f"""
    SELECT m.id, m.project_id, p.name AS project_name, m.sender_type, m.contact_global_id,
           m.conversation_global_id, m.created_at, substr(coalesce(m.content, ''), 1, 600) AS content
    {_OF} message AS m ON m.id IN (
        SELECT n.id FROM message AS n INDEXED BY message_spoken
        WHERE n.project_id = p.id AND n.deleted_at IS NULL AND n.private = 0 AND n.message_type <> '2'
        ORDER BY n.created_at DESC, n.id LIMIT :limit)
    ORDER BY m.created_at DESC, m.id LIMIT :limit
    """,
)
_AGREEMENTS = Query(
    Candidate,
    f"""
    SELECT m.id, m.project_id, p.name AS project_name, 'cw_messages' AS source_table, m.id AS source_pk,
           coalesce(m.content, '') AS text, m.created_at, m.conversation_global_id
    {_OF} message AS m ON m.id IN (
        SELECT a.message_id FROM agreement_candidate AS a WHERE a.project_id = p.id
        ORDER BY a.said_at DESC, a.message_id LIMIT :limit)
    ORDER BY m.created_at DESC, m.id
    """,
)
_EVIDENCE = Query(
    Candidate,
    f"""
    SELECT CAST(e.id AS TEXT) AS id, e.project_id, p.name AS project_name, e.source_table, e.source_pk,
           e.snippet AS text, e.created_at, NULL AS conversation_global_id
    {_OF} evidence_item AS e ON e.id IN (
        SELECT i.id FROM evidence_item AS i WHERE i.project_id = p.id AND i.source_table = 'external'
        ORDER BY i.id DESC LIMIT :limit)
    WHERE e.snippet IS NOT NULL AND e.snippet <> ''
    ORDER BY e.id DESC
    """,
)
_RISKS = Query(
    RiskCard,
    f"""
    SELECT id, project_id, project_name, title, severity, probability, status, updated_at, source FROM (
        SELECT r.id, r.project_id, p.name AS project_name, r.title, r.severity, r.probability, r.status,
               r.updated_at, 'risk_radar' AS source
        {_OF} risk_item AS r ON r.id IN (
            SELECT i.id FROM risk_item AS i WHERE i.project_id = p.id AND i.status <> 'closed'
            ORDER BY i.severity DESC, i.updated_at DESC, i.id LIMIT :limit)
        UNION ALL
        SELECT s.id, s.project_id, p.name, s.summary, s.severity, s.confidence, s.status, s.updated_at,
               'signal'
        {_OF} signal AS s ON s.id IN (
            SELECT i.id FROM signal AS i WHERE i.project_id = p.id AND i.severity >= 4
              AND i.status IN ('proposed', 'accepted')
            ORDER BY i.severity DESC, i.confidence DESC, i.created_at DESC LIMIT :limit)
        UNION ALL
        SELECT t.id, t.project_id, p.name, t.title, max(1, min(5, CAST(round(5 * t.weight) AS INTEGER))),
               t.weight, t.status, t.updated_at, 'risk_pattern'
        {_OF} risk_pattern AS t ON t.project_id = p.id AND t.status = 'open'
        WHERE NOT EXISTS (  -- the risk of the same cause is told already
            SELECT 1 FROM risk_item AS r WHERE r.project_id = t.project_id AND r.dedupe_key = t.pattern_key
              AND r.status <> 'closed')
    ) ORDER BY severity DESC, updated_at DESC, id LIMIT :limit
    """,
)
_UPSELL = Query(
    UpsellCard,
    f"""
    SELECT u.id, u.project_id, p.name AS project_name, u.title, u.rationale, u.score, u.status, u.created_at,
           CAST(coalesce(u.suggested_offer_payload ->> 'discount_pct',
                         u.suggested_offer_payload ->> 'discount_recommendation_pct', 0) AS REAL)
               AS suggested_discount_pct
    {_OF} upsell_opportunity AS u ON u.id IN (
        SELECT i.id FROM upsell_opportunity AS i
        WHERE i.project_id = p.id AND i.status IN ('proposed', 'accepted')
        ORDER BY i.score DESC, i.updated_at DESC LIMIT :limit)
    ORDER BY u.score DESC, u.updated_at DESC, u.id LIMIT :limit
    """,
)
_OFFERS = Query(
    OfferCard,
    f"""
    SELECT o.id, o.project_id, p.name AS project_name, o.title, o.status, o.discount_pct, o.total, o.currency,
           o.updated_at
    {_OF} offer AS o ON o.id IN (
        SELECT i.id FROM offer AS i WHERE i.project_id = p.id ORDER BY i.updated_at DESC, i.id LIMIT :limit)
    ORDER BY o.updated_at DESC, o.id LIMIT :limit
    """,
)
_LOOPS = Query(
    LoopsPart,
    """
    SELECT count(*) AS contacts_with_email, count(DISTINCT lower(c.email)) AS unique_emails
    FROM json_each(:ids) AS wanted CROSS JOIN contact AS c INDEXED BY contact_mailable
        ON c.project_id = wanted.value AND c.deleted_at IS NULL AND c.email IS NOT NULL AND c.email <> ''
    """,
)
_COMPLETENESS = Query(
    _Mean,
    """
    SELECT avg(c.completeness_pct) AS value
    FROM json_each(:ids) AS wanted CROSS JOIN daily_completeness AS c ON c.project_id = wanted.value
        AND c.day = (SELECT max(day) FROM daily_completeness WHERE project_id = wanted.value)
    """,
)
_NAME = """coalesce(nullif(trim(c.name), ''), nullif(trim(c.email), ''), nullif(trim(c.identifier), ''),
                    c.contact_id)"""
_PERSONS = Query(
    PersonCard,
    f"""
    SELECT c.id AS contact_global_id, {_NAME} AS person_name, c.email FROM contact AS c
    WHERE c.project_id = :project_id AND c.deleted_at IS NULL ORDER BY {_NAME}, c.id LIMIT {MOST_PERSONS}
    """,
)
_PERSON = Query(
    PersonCard,
    f"""
    SELECT c.id AS contact_global_id, {_NAME} AS person_name, c.email FROM contact AS c
    WHERE c.id = :id AND c.project_id = :project_id AND c.deleted_at IS NULL
    """,
)
_SAID = Query(
    Said,
    """
    SELECT m.id, m.contact_global_id, m.conversation_global_id, m.sender_type, m.sender_name, m.created_at,
           coalesce(m.content, '') AS content
    FROM conversation AS v CROSS JOIN message AS m
        ON m.conversation_global_id = v.id AND m.deleted_at IS NULL
    WHERE v.project_id = :project_id AND v.contact_global_id = :contact AND v.deleted_at IS NULL
      AND m.private = 0 AND m.message_type <> '2'
    ORDER BY m.created_at DESC, CAST(m.message_id AS INTEGER) DESC LIMIT :limit
    """,
)
_FILES = Query(
    _Filed,
    """
    SELECT id, message_global_id, content_type, file_url FROM attachment
    WHERE message_global_id IN (SELECT value FROM json_each(:ids)) ORDER BY id
    """,
)


def messages(db: apsw.Connection, ids: Sequence[str], limit: int) -> list[MessageCard]:
    """What was said last in these projects together, the newest first."""
    return _MESSAGES.all(db, ids=as_json(ids), limit=limit)


def agreements(db: apsw.Connection, ids: Sequence[str], limit: int) -> list[Candidate]:
    """What may speak of an agreement: messages, evidence from outside; the newest of each project."""
    wanted = as_json(ids)
    return _AGREEMENTS.all(db, ids=wanted, limit=limit) + _EVIDENCE.all(db, ids=wanted, limit=limit)


def risks(db: apsw.Connection, ids: Sequence[str], limit: int) -> list[RiskCard]:
    """Risks, severe signals and patterns, the worst first."""
    return _RISKS.all(db, ids=as_json(ids), limit=limit)


def upsell(db: apsw.Connection, ids: Sequence[str], limit: int) -> list[UpsellCard]:
    """Open chances to sell more, the best first."""
    return _UPSELL.all(db, ids=as_json(ids), limit=limit)


def offers(db: apsw.Connection, ids: Sequence[str], limit: int) -> list[OfferCard]:
    """Offers, the last changed first."""
    return _OFFERS.all(db, ids=as_json(ids), limit=limit)


def mailable(db: apsw.Connection, ids: Sequence[str]) -> LoopsPart:
    """How many people have an e-mail address, and how many addresses that are."""
    return _LOOPS.one(db, ids=as_json(ids))


def completeness(db: apsw.Connection, ids: Sequence[str]) -> float:
    """How complete the sources were when they were last measured; 100 where nothing was."""
    found = _COMPLETENESS.one(db, ids=as_json(ids)).value
    return 100.0 if found is None else round(found, 2)


def persons(db: apsw.Connection, project_id: str) -> list[PersonCard]:
    """People of a project by name."""
    return _PERSONS.all(db, project_id=project_id)


def person(db: apsw.Connection, project_id: str, contact_id: str) -> PersonCard | None:
    """One of them, whether among the first or not."""
    return _PERSON.first(db, project_id=project_id, id=contact_id)


def said(db: apsw.Connection, project_id: str, contact_id: str, limit: int) -> list[Said]:
    """The newest messages of the talk with a person, in the order they were written."""
    return _SAID.all(db, project_id=project_id, contact=contact_id, limit=limit)[::-1]


def files(db: apsw.Connection, ids: Sequence[str]) -> dict[str, list[File]]:
    """The files of messages, at most eight of each."""
    found: dict[str, list[File]] = {}
    for row in _FILES.all(db, ids=as_json(ids)):
        kept = found.setdefault(row.message_global_id, [])
        if len(kept) < _MOST_FILES:
            name = (row.file_url or "").partition("?")[0].rstrip("/").rpartition("/")[2]
            kept.append(File(row.id, name or row.id, row.file_url, row.content_type))
    return found
