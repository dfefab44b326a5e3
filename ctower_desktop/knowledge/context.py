"""Which of several namesakes a question means, by how near it is in meaning to what is known of each."""

from __future__ import annotations

from collections.abc import Sequence

from ctower_desktop.kernel.tower import Tower
from ctower_desktop.knowledge import linking, relations, retrieval_store
from ctower_desktop.knowledge.linking import MOST_CANDIDATES, Candidate, Mention
from ctower_desktop.search.embedder import EmbeddingFailed, ModelUnavailable
from ctower_desktop.search.models import Models

_FACTS = 5


async def told_apart(
    tower: Tower, project_id: str, question: str, mentions: Sequence[Mention]
) -> tuple[Mention, ...]:
    """The mentions, those that were unclear ordered by context; as they were when no model serves."""
    if all(mention.accepted or len(mention.candidates) < 2 for mention in mentions):
        return tuple(mentions)
    try:
        ready = await (await tower.part(Models)).serving()
        if ready is None:
            return tuple(mentions)
        asked = await ready.embedder.embed_query(question[:1_000])
        found = []
        for mention in mentions:
            if mention.accepted or len(mention.candidates) < 2:
                found.append(mention)
                continue
            likely = mention.candidates[:MOST_CANDIDATES]
            about = [await _about(tower, project_id, each) for each in likely]
            vectors, _ = await ready.embedder.embed_passages(about)
            near = {
                each.entity_id: float(vector @ asked) for each, vector in zip(likely, vectors, strict=True)
            }
            found.append(linking.by_context(mention, near))
    except (ModelUnavailable, EmbeddingFailed):
        return tuple(mentions)
    return tuple(found)


async def _about(tower: Tower, project_id: str, thing: Candidate) -> str:
    """What is known of a thing, in words."""
    ids = await tower.db.read(retrieval_store.around, (thing.entity_id,), _FACTS)
    known = await tower.db.read(retrieval_store.triples, project_id, ids)
    related = ", ".join(
        f"{relations.plain(t.relation)} {t.tail if t.head_id == thing.entity_id else t.head}"
        for t in known[:_FACTS]
    )
    return f"{thing.name} is a {thing.type}. It is related to: {related}"
