"""Evidence quotes what it points at, and no longer does when that is gone."""

from __future__ import annotations

from ctower_desktop.accounts.audit import record
from ctower_desktop.inbox import store
from ctower_desktop.insight.analytics.actions import drill_down
from ctower_desktop.insight.analytics.model import DrillDown
from ctower_desktop.kernel.tower import AuditLine, ProjectRef, desktop
from ctower_desktop.projects.actions import NewProject, create_project
from ctower_desktop.search.actions import search_evidence
from ctower_desktop.search.model import EvidenceQuery


async def note(call, *refs):
    await record(call, AuditLine(action="x.y", entity_type="thing", entity_id="1", evidence_refs=list(refs)))


async def quotes(call):
    return {one.source_pk: one.snippet for one in (await drill_down(call, DrillDown())).evidence}


async def found(call, words):
    return [one.source_pk for one in (await search_evidence(call, EvidenceQuery(q=words))).evidence]


async def test_what_was_written_is_quoted_and_found_but_private_notes_are_not(call, inbox):
    """Fault absent: evidence was a list of ids; nothing of it could be read or found."""
    contact = await inbox.contact(1, "Анна Соколова")
    conversation = await inbox.conversation(1, contact)
    said = await inbox.message(conversation, "Договор подпишем в пятницу")
    private = await inbox.message(conversation, "Не показывать клиенту", private=True)
    await note(call, said, private, conversation, contact, {"ref": "cwmsg:x:1:9", "snippet": "typed"})
    assert await quotes(call) == {
        said: "Договор подпишем в пятницу", private: None, conversation: "Анна Соколова",
        contact: "Анна Соколова", "cwmsg:x:1:9": "typed",
    }  # fmt: skip
    assert await found(call, "договор") == [said]


async def test_what_was_deleted_is_no_longer_quoted(call, inbox, clock):
    conversation = await inbox.conversation(1)
    said = await inbox.message(conversation, "Пароль: пчела-77")
    await note(call, said)
    at = clock.text()
    await call.tower.db.write(store.bury_messages_of, [conversation], at, "deleted")
    assert await quotes(call) == {said: None}
    assert await found(call, "пчела") == []
    await note(call, said)
    assert await quotes(call) == {said: None}


async def test_another_project_is_not_quoted(call, inbox):
    said = await inbox.message(await inbox.conversation(1), "Тайна первого клиента")
    made = (await create_project(call, NewProject(name="Other"))).project
    other = desktop(call.tower, "test", ProjectRef(made.id, made.name, made.account_scope_id))
    await note(other, said)
    assert await quotes(other) == {said: None}
