"""One issue with its text, blockers and comments; lists of issues."""

from __future__ import annotations

import pytest

from ctower_desktop.kernel.mirror import searchable
from ctower_desktop.work import store
from ctower_desktop.work.actions import list_issues, read_issue
from ctower_desktop.work.model import IssueNotFound, ListIssues

AT = "2026-11-01T00:00:00.000Z"


def row(call, number, title, state_type="started"):
    project = call.project_ref
    return dict.fromkeys(store.ISSUE.columns) | {
        "id": f"linissue:{project.id}:w:{number}", "project_id": project.id,
        "account_scope_id": project.account_scope_id, "workspace_id": "w", "external_id": str(number),
        "identifier": f"SEV-{number}", "title": title, "description": f"About {title}", "labels": '["bug"]',
        "priority": 1, "state": "Doing", "state_type": state_type, "created_at": AT,
        "haystack": searchable(f"SEV-{number}\n{title}"), "updated_at": f"2026-11-{number:02}T00:00:00.000Z",
    }  # fmt: skip


@pytest.fixture
async def issues(call):
    project, db = call.project_ref, call.tower.db
    rows = [row(call, 1, "Макет"), row(call, 2, "Оплата"), row(call, 3, "Готово", "completed")]
    await db.write(store.ISSUE.put, rows)
    base = {"project_id": project.id, "account_scope_id": project.account_scope_id, "updated_at": AT}
    relations = [
        base | {"id": f"r{n}", "external_id": f"r{n}", "type": "blocks", "issue_external_id": blocker,
                "related_external_id": "2"}
        for n, blocker in enumerate(("1", "3"))
    ]  # fmt: skip
    await db.write(store.RELATION.put, relations)
    await db.write(store.settle_blocked, project.id, ["2"])
    comments = [
        base | {"id": f"c{n}", "workspace_id": "w", "external_id": f"c{n}", "issue_id": rows[1]["id"],
                "parent_external_id": None, "author_name": "Olga", "body": f"word {n}", "url": None,
                "created_at": f"2026-11-0{n}T00:00:00.000Z"}
        for n in (2, 1)
    ]  # fmt: skip
    await db.write(store.COMMENT.put, comments)
    return rows


async def test_one_issue_with_everything(call, issues):
    found = await read_issue(call, issues[1]["id"])
    assert found.description == "About Оплата"
    assert [b.title for b in found.blockers] == ["Макет", "Готово"]
    assert (found.issue.blocked, found.issue.blocked_by_count) == (True, 1), (
        "a blocker that is done blocks no more"
    )
    assert [c.body for c in found.comments] == ["word 1", "word 2"]
    assert found.issue.labels == ["bug"]


async def test_issues_are_listed_and_looked_through(call, issues):
    async def titles(**query):
        return [i.title for i in (await list_issues(call, ListIssues(**query))).issues]

    assert await titles() == ["Готово", "Оплата", "Макет"]
    assert await titles(state_type="completed") == ["Готово"]
    assert await titles(q="sev-1") == ["Макет"]
    assert await titles(q="ОПЛАТА") == ["Оплата"]
    assert await titles(q="%") == []


async def test_an_unknown_issue(call, issues):
    with pytest.raises(IssueNotFound):
        await read_issue(call, "linissue:x:y:z")


async def test_an_issue_becomes_free(call, issues):
    done = issues[0] | {"state_type": "completed"}
    await call.tower.db.write(store.ISSUE.put, [done])
    changed = await call.tower.db.write(store.settle_blocked, call.project_id, ["1"])
    assert [(c.external_id, c.blocked) for c in changed] == [("2", False)]
