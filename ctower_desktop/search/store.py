"""Questions asked, judgements, and evidence that was pointed at, in SQL: all in ctower.db."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import apsw
import msgspec

from ctower_desktop.kernel.sql import Command, Query, as_json
from ctower_desktop.kernel.tower import ProjectRef
from ctower_desktop.search.model import EvidenceItem, EvidenceRow, Feedback, NewFeedback, QueryRunNotFound


class NewRun(msgspec.Struct, frozen=True, kw_only=True):
    """An answered question as it is to be kept."""

    query_text: str
    top_k: int
    chunk_hits: int
    source_hits: int
    evidence: list[EvidenceItem]
    answer: str
    quality_score: int
    source_diversity: int
    duration_ms: int
    filters: dict[str, Any]


class Run(msgspec.Struct, frozen=True):
    """What a judgement needs to know of an answered question."""

    query_text: str
    evidence: list[EvidenceItem]
    answer: str


class _Id(msgspec.Struct, frozen=True):
    id: int


class _Verdict(msgspec.Struct, frozen=True):
    source_pk: str
    weight: float


_ADD_RUN = Query(
    _Id,
    """
    INSERT INTO lightrag_query_runs (project_id, account_scope_id, query_text, top_k, chunk_hits, source_hits,
                                     evidence, answer, quality_score, source_diversity, created_by,
                                     created_at)
    VALUES (:project_id, :account_scope_id, :query_text, :top_k, :chunk_hits, :source_hits,
            :evidence, :answer, :quality_score, :source_diversity, :created_by, :at)
    RETURNING id
    """,
)
_ADD_ANALYTICS = Command("""
    INSERT INTO search_analytics (project_id, account_scope_id, event_type, query, result_count, filters,
                                  user_id, duration_ms, created_at)
    VALUES (:project_id, :account_scope_id, 'search', :query, :result_count, :filters,
            :user_id, :duration_ms, :at)
""")
_RUN = Query(
    Run,
    """
    SELECT query_text, evidence, answer FROM lightrag_query_runs
    WHERE id = :id AND project_id = :project_id
    """,
    missing=QueryRunNotFound,
)
_ADD_FEEDBACK = Query(
    Feedback,
    """
    INSERT INTO lightrag_feedback (project_id, account_scope_id, query_run_id, rating, comment, source_pk,
                                   created_by, created_at)
    VALUES (:project_id, :account_scope_id, :query_run_id, :rating, :comment, :source_pk, :created_by, :at)
    RETURNING CAST(id AS TEXT) AS id, CAST(query_run_id AS TEXT) AS query_run_id, rating, comment, created_at
    """,
)
_JUDGE = Command("""
    INSERT INTO search_verdict (project_id, stem, source_pk, weight, updated_at)
    VALUES (:project_id, :stem, :source_pk, :weight, :at)
    ON CONFLICT (project_id, stem, source_pk) DO UPDATE SET
        weight = max(-3, min(1, weight + excluded.weight)), updated_at = excluded.updated_at
""")
_VERDICTS = Query(
    _Verdict,
    """
    SELECT v.source_pk, sum(v.weight) AS weight
    FROM json_each(:stems) AS wanted
    CROSS JOIN search_verdict AS v ON v.project_id = :project_id AND v.stem = wanted.value
    GROUP BY v.source_pk
    """,
)
_EVIDENCE = Query(
    EvidenceRow,
    """
    SELECT CAST(e.id AS TEXT) AS id, e.source_type, e.source_table, e.source_pk, e.conversation_global_id,
           e.message_global_id, e.contact_global_id, e.snippet, e.payload, e.created_at
    FROM evidence_words CROSS JOIN evidence_item AS e ON e.id = evidence_words.rowid
    WHERE evidence_words MATCH :match AND e.project_id = :project_id
    ORDER BY e.created_at DESC, e.id DESC LIMIT :limit
    """,
)


class By(msgspec.Struct, frozen=True):
    """Who did something, and when."""

    username: str
    user_id: str | None
    at: str


def add_run(db: apsw.Connection, project: ProjectRef, run: NewRun, by: By) -> int:
    """Keep an answered question, and count it; return its number."""
    number = _ADD_RUN.one(
        db,
        project_id=project.id,
        account_scope_id=project.account_scope_id,
        query_text=run.query_text,
        top_k=run.top_k,
        chunk_hits=run.chunk_hits,
        source_hits=run.source_hits,
        evidence=as_json(run.evidence),
        answer=run.answer,
        quality_score=run.quality_score,
        source_diversity=run.source_diversity,
        created_by=by.username,
        at=by.at,
    ).id
    count_search(db, project, run, by)
    return number


def count_search(db: apsw.Connection, project: ProjectRef, run: NewRun, by: By) -> None:
    """Count a search."""
    _ADD_ANALYTICS.run(
        db,
        project_id=project.id,
        account_scope_id=project.account_scope_id,
        query=run.query_text,
        result_count=len(run.evidence),
        filters=as_json(run.filters),
        user_id=by.user_id,
        duration_ms=run.duration_ms,
        at=by.at,
    )


def run(db: apsw.Connection, project_id: str, number: int) -> Run:
    """An answered question of a project; raise QueryRunNotFound."""
    return _RUN.one(db, id=number, project_id=project_id)


def add_feedback(
    db: apsw.Connection,
    project: ProjectRef,
    new: NewFeedback,
    by: By,
    *,
    judged: Sequence[str],
    stems: Iterable[str],
) -> Feedback:
    """Keep a judgement, and what it means for these texts under these words."""
    if new.rating:
        pairs = [(stem, source_pk) for stem in stems for source_pk in judged]
        _JUDGE.run_many(
            db,
            (
                {
                    "project_id": project.id,
                    "stem": stem,
                    "source_pk": source_pk,
                    "weight": float(new.rating),
                    "at": by.at,
                }
                for stem, source_pk in pairs
            ),
        )
    return _ADD_FEEDBACK.one(
        db,
        project_id=project.id,
        account_scope_id=project.account_scope_id,
        query_run_id=new.query_run_id,
        rating=new.rating,
        comment=new.comment or None,
        source_pk=new.source_pk,
        created_by=by.username,
        at=by.at,
    )


def verdicts(db: apsw.Connection, project_id: str, stems: Sequence[str]) -> dict[str, float]:
    """What past judgements say of texts for a question of these stems, as a mean over the stems."""
    found = _VERDICTS.rows(db, project_id=project_id, stems=as_json(list(stems)))
    return {row.source_pk: row.weight / max(len(stems), 1) for row in found}


def evidence(db: apsw.Connection, project_id: str, match: str, limit: int) -> list[EvidenceRow]:
    """Evidence with all the words, the newest first."""
    return _EVIDENCE.all(db, project_id=project_id, match=match, limit=limit)
