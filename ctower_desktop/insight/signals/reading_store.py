"""Reading messages, in SQL: a batch with all that is needed, and what it said written where it belongs."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

import apsw

from ctower_desktop.insight.signals import intake_store, radar, radar_store, story_store
from ctower_desktop.insight.signals.intake_store import Queued, Said, Talk, Thread
from ctower_desktop.insight.signals.stories import SAID
from ctower_desktop.insight.signals.story_store import Heard, Place
from ctower_desktop.kernel.system import as_text, from_text

FORGOTTEN = timedelta(days=60)  # a conversation without a word for so long waits for nobody
_LAST = 40  # messages of a conversation its turn and tone are read from


@dataclass(slots=True)
class Batch:
    """Lines of the queue with all that is needed to read them."""

    lines: list[Queued]
    texts: dict[str, Said]
    talks: dict[str, Talk]
    recent: dict[str, list[Said]]
    known: set[str]  # messages that are evidence already: they are read again however old they are


@dataclass(slots=True)
class Read:
    """What a batch says."""

    heard: list[Heard] = field(default_factory=list)
    asked: list[Heard] = field(default_factory=list)  # for more; it goes to the radar
    given: list[tuple[str, str]] = field(default_factory=list)  # (conversation, when) of an approval
    threads: list[Thread] = field(default_factory=list)


def gathered(db: apsw.Connection, place: Place, limit: int) -> Batch:
    """The oldest lines of the queue with what is needed to read them."""
    lines = intake_store.waiting(db, place.project.id, limit)
    conversations = dict.fromkeys(line.conversation_id for line in lines)
    since = as_text(from_text(place.at) - FORGOTTEN)
    return Batch(
        lines,
        intake_store.texts(db, (line.message_id for line in lines)),
        intake_store.talks(db, conversations),
        {id: intake_store.recent(db, id, since, _LAST) for id in conversations},
        story_store.evidence_among(db, place.project.id, [line.message_id for line in lines]),
    )


def keep(db: apsw.Connection, place: Place, batch: Batch, found: Read) -> None:
    """Write what a batch said, and take it off the queue."""
    kinds = story_store.kinds_of(found.heard)
    asked = {one.evidence.ref for one in found.asked}
    for line in batch.lines:
        story_store.forget(
            db, place, line.message_id, line.conversation_id, kinds.get(line.message_id, set())
        )
        if line.message_id not in asked:
            radar_store.forget(db, place.project.id, line.conversation_id, line.message_id, place.at)
    for one in found.heard:
        if one.kind in SAID:
            story_store.hear(db, place, one)
    for conversation_id, said_at in found.given:
        story_store.end_requests(db, place, conversation_id, said_at)
    ripe = as_text(from_text(place.at) - timedelta(days=radar.WINDOW_DAYS))
    for one in found.asked:
        _ask(db, place, one, ripe)
    intake_store.put_threads(db, found.threads)
    intake_store.done(db, batch.lines)


def _ask(db: apsw.Connection, place: Place, one: Heard, ripe: str) -> None:
    before = radar_store.earlier(db, place.project.id, one.conversation_id)
    chance = radar.of_words(one.conversation_id, one.evidence.author, one.evidence, before)
    radar_store.put(db, place.project, chance, place.at, ripe)
