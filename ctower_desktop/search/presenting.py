"""What was retrieved, in the shapes that are served and answered from."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from msgspec import UNSET

from ctower_desktop.search import ranking
from ctower_desktop.search.answering import Evidence, best_part, day_text
from ctower_desktop.search.chunk_store import Chunk
from ctower_desktop.search.confidence import Standing, confidence
from ctower_desktop.search.model import (
    KIND_OF,
    MOST_EVIDENCE,
    ChunkHit,
    Days,
    Entities,
    EvidenceItem,
    MessageHit,
    SearchConfig,
    TitledHit,
)
from ctower_desktop.search.retrieval import Candidate, Retrieved, around
from ctower_desktop.search.terms import terms_of
from ctower_desktop.search.weighing import NAMES
from ctower_desktop.search.words import Language

_CHUNKS = uuid.UUID("6f0e4a52-53c1-4b1e-9c53-0d9f1a7b2c11")  # the namespace of the ids below
_LONGEST = 500


def chunk_id(chunk: Chunk) -> str:
    """The same for the same place in the same text, however often the index is made anew."""
    return str(uuid.uuid5(_CHUNKS, f"{chunk.source_type}:{chunk.source_pk}:{chunk.chunk_index}"))


def chunk_hits(found: Retrieved) -> list[ChunkHit]:
    """The chunks, as served."""
    return [
        ChunkHit(
            id=chunk_id(chunk),
            conversation_global_id=chunk.parent_pk if chunk.source_type == "message" else None,
            message_global_id=chunk.source_pk if chunk.source_type == "message" else None,
            source_type=chunk.source_type,
            source_pk=chunk.source_pk,
            chunk_index=chunk.chunk_index,
            text=best_part(chunk.text, found.target, _LONGEST),
            created_at=chunk.occurred_at,
            distance=round(candidate.distance, 6) if candidate.distance is not None else None,
        )
        for candidate in found.chunks
        for chunk in (candidate.chunk,)
    ]


def evidence_items(found: Retrieved, *, scored: bool) -> list[EvidenceItem]:
    """The evidence, as served; its order is the numbering of citations."""
    return [_item(found, candidate, scored=scored) for candidate in found.evidence[:MOST_EVIDENCE]]


def _item(found: Retrieved, candidate: Candidate, *, scored: bool) -> EvidenceItem:
    chunk = candidate.chunk
    return EvidenceItem(
        source_type=candidate.evidence_type,
        source_pk=chunk.source_pk,
        source_ref=chunk.source_ref,
        title=chunk.title,
        snippet=best_part(chunk.text, found.target, _LONGEST),
        created_at=chunk.occurred_at,
        metadata=_metadata(candidate),
        score=candidate.scored.score if scored else UNSET,
        score_breakdown=candidate.scored.parts if scored else UNSET,
    )


def _metadata(candidate: Candidate) -> dict[str, Any]:
    """What the source says of the text, and how it was found."""
    chunk = candidate.chunk
    more: dict[str, Any] = {"chunk_index": chunk.chunk_index, "private": chunk.private}
    if candidate.distance is not None:
        more["distance"] = round(candidate.distance, 6)
    return {**chunk.metadata, **more}


def entities(found: Retrieved) -> Entities:
    """What words found, by kind, as served."""
    return Entities(
        messages=[
            MessageHit(
                id=chunk.source_pk,
                source_ref=chunk.source_ref,
                snippet=best_part(chunk.text, found.target, _LONGEST),
                created_at=chunk.occurred_at,
                metadata=dict(chunk.metadata),
            )
            for chunk in (candidate.chunk for candidate in found.entities["messages"])
        ],
        issues=_titled(found, found.entities["issues"]),
        opportunities=_titled(found, found.entities["deals"]),
    )


def _titled(found: Retrieved, candidates: Sequence[Candidate]) -> list[TitledHit]:
    return [
        TitledHit(
            id=chunk.source_pk,
            source_ref=chunk.source_ref,
            title=chunk.title,
            snippet=best_part(chunk.text, found.target, _LONGEST),
            updated_at=chunk.updated_at,
            metadata={**chunk.metadata, "source_type": chunk.source_type},
        )
        for chunk in (candidate.chunk for candidate in candidates)
    ]


def config(found: Retrieved) -> SearchConfig:
    """How the search went."""
    if found.near.ready is not None:
        return SearchConfig(vectors="used", degraded=None)
    return SearchConfig(vectors="unavailable" if found.near.problem else "off", degraded=found.near.problem)


def confidence_of(found: Retrieved) -> float:
    """How sure it is that the evidence holds the answer."""
    return confidence(found.target, standings(found))


def standings(found: Retrieved) -> list[Standing]:
    """The evidence as confidence looks at it, in its order."""
    return [_standing(candidate) for candidate in found.evidence[:MOST_EVIDENCE]]


def _standing(candidate: Candidate) -> Standing:
    chunk, known = candidate.chunk, dict(zip(NAMES, candidate.features, strict=True))
    return Standing(
        (*chunk.terms.split(), *terms_of(around(chunk))),
        candidate.nearby,
        candidate.relevance,
        ranking.semantic(candidate.distance),
        pinned=known["pinned"] > 0,
        replies=known["replies"],
    )


def days(found: Retrieved) -> Days | None:
    """The days that the question's own words name, when the search kept to them."""
    period = found.period
    return None if period is None else Days(period.first.isoformat(), period.last.isoformat(), period.words)


def to_answer_from(found: Retrieved) -> list[Evidence]:
    """The evidence, as answers are made from it."""
    asked = found.asked.language
    return [
        Evidence(number, candidate.chunk.text, candidate.relevance, _about(candidate.chunk, asked))
        for number, candidate in enumerate(found.evidence[:MOST_EVIDENCE], 1)
    ]


def _about(chunk: Chunk, asked: Language) -> str:
    who = chunk.metadata.get("sender_name") or chunk.metadata.get("author_name")
    if KIND_OF[chunk.source_type] == "issues":
        who = f"{who}, {chunk.source_ref}" if who else chunk.source_ref
    elif chunk.source_type == "deal":
        who = chunk.title
    return ", ".join(
        part for part in (str(who) if who else "", day_text(chunk.occurred_at[:10], asked)) if part
    )
