"""What was asked, and what was said about the answers, in SQL."""

from __future__ import annotations

import apsw
import msgspec

from ctower_desktop.kernel.sql import Command, Query, as_json
from ctower_desktop.kernel.tower import ProjectRef

_STEP = 0.25  # what one verdict moves a triple by


class Asked(msgspec.Struct, frozen=True):
    """A question with what was answered."""

    id: str
    question: str
    entities: list[int]
    triples: list[int]
    answer: str
    trust: float
    asked_by: str
    created_at: str


class Verdict(msgspec.Struct, frozen=True):
    """What somebody says about an answer."""

    query_id: str
    is_correct: bool
    comment: str | None
    expected_answer: str | None
    given_by: str
    created_at: str


class _Cited(msgspec.Struct, frozen=True):
    triples: list[int]


_ADD_QUERY = Command("""
    INSERT INTO graph_query (id, project_id, account_scope_id, question, entities, triples, answer, trust,
                             asked_by, created_at)
    VALUES (:id, :project_id, :scope, :question, :entities, :triples, :answer, :trust, :asked_by, :created_at)
""")
_CITED = Query(_Cited, "SELECT triples FROM graph_query WHERE id = :id AND project_id = :project_id")
_ADD_VERDICT = Command("""
    INSERT INTO graph_feedback (project_id, account_scope_id, query_id, is_correct, comment, expected_answer,
                                given_by, created_at)
    VALUES (:project_id, :scope, :query_id, :is_correct, :comment, :expected_answer, :given_by, :created_at)
""")
_MOVE = Command("""
    UPDATE graph_triple SET feedback = max(-1.0, min(1.0, feedback + :step))
    WHERE id IN (SELECT value FROM json_each(:ids)) AND project_id = :project_id
""")


def add_query(db: apsw.Connection, project: ProjectRef, asked: Asked) -> None:
    """Keep a question with its answer."""
    values = msgspec.structs.asdict(asked)
    lists = {"entities": as_json(asked.entities), "triples": as_json(asked.triples)}
    _ADD_QUERY.run(db, project_id=project.id, scope=project.account_scope_id, **{**values, **lists})


def add_verdict(db: apsw.Connection, project: ProjectRef, verdict: Verdict) -> None:
    """Keep a verdict, and let the facts the answer rested on count more or less from now on."""
    _ADD_VERDICT.run(
        db, project_id=project.id, scope=project.account_scope_id, **msgspec.structs.asdict(verdict)
    )
    cited = _CITED.first(db, id=verdict.query_id, project_id=project.id)
    if cited is not None:
        step = _STEP if verdict.is_correct else -_STEP
        _MOVE.run(db, ids=as_json(cited.triples), project_id=project.id, step=step)
