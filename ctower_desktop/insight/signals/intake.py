"""Reading messages that are new or changed: what they tell goes to its story, their threads are kept up."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from ctower_desktop.insight.signals import radar, reading_store, sentiment, threads, wording
from ctower_desktop.insight.signals.intake_store import Said, Talk, Thread
from ctower_desktop.insight.signals.model import Evidence
from ctower_desktop.insight.signals.reading_store import Batch, Read
from ctower_desktop.insight.signals.stories import WINDOW
from ctower_desktop.insight.signals.story_store import Heard, Place
from ctower_desktop.kernel.sql import as_json
from ctower_desktop.kernel.system import as_text, from_text
from ctower_desktop.kernel.tower import Tower
from ctower_desktop.search.words import language

_BATCH = 200


async def read_messages(tower: Tower, place: Place) -> int:
    """Read every message of the project that waits; return how many. Each batch is one transaction."""
    count = 0
    while True:
        batch = await tower.db.read(reading_store.gathered, place, _BATCH)
        if not batch.lines:
            return count
        found = await asyncio.to_thread(_understood, batch, place)
        await tower.db.write(reading_store.keep, place, batch, found)
        count += len(batch.lines)


def _understood(batch: Batch, place: Place) -> Read:
    """What the messages of a batch say, and where their conversations are now. Pure."""
    found = Read()
    now = from_text(place.at)
    fresh, ripe = as_text(now - WINDOW), as_text(now - timedelta(days=radar.WINDOW_DAYS))
    ordered = sorted(batch.texts.values(), key=lambda said: (said.created_at, said.id))
    for said in ordered:
        who = threads.speaker(said.sender_type, said.message_type)
        talk = batch.talks.get(said.conversation_id)
        if who is None or talk is None or (said.created_at < ripe and said.id not in batch.known):
            continue
        for hit in wording.read(said.content, who):
            if hit.kind == "approval_given":
                found.given.append((said.conversation_id, said.created_at))
                continue
            one = Heard(
                kind=hit.kind,
                conversation_id=said.conversation_id,
                evidence=Evidence(said.id, said.author, hit.quote, said.created_at),
                owner=talk.assignee_name,
            )
            if said.created_at >= fresh or said.id in batch.known:
                found.heard.append(one)
            if hit.kind == "upsell_intent" and said.created_at >= ripe:
                found.asked.append(one)
    found.threads = [_thread(talk, batch.recent[id], place) for id, talk in batch.talks.items()]
    return found


def _thread(talk: Talk, newest_first: list[Said], place: Place) -> Thread:
    """Where a conversation is, by its last messages."""
    turn = threads.turn(newest_first)
    clients = [
        said for said in newest_first if threads.speaker(said.sender_type, said.message_type) == "client"
    ]
    mood = sentiment.mood([(said.id, said.content) for said in reversed(clients)])
    words = " ".join(said.content for said in (clients or newest_first)[:5])
    return Thread(
        conversation_id=talk.id,
        project_id=place.project.id,
        account_scope_id=talk.account_scope_id,
        open=talk.open,
        turn=turn.who if turn else None,
        since=turn.since if turn else None,
        about=turn.about if turn else None,
        client_last_at=threads.last_of_client(newest_first),
        language=language(words),
        mood=mood.value,
        moods=mood.messages,
        mood_refs=as_json(mood.refs),
    )
