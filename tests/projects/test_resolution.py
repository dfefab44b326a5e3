"""Which project a call is about (contract §2.8)."""

from __future__ import annotations

import uuid

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ctower_desktop.accounts.users import add_user
from ctower_desktop.kernel.errors import ActiveProjectRequired, ProjectAccessDenied
from ctower_desktop.kernel.system import new_id
from ctower_desktop.kernel.tower import ProjectRef, Who, desktop
from ctower_desktop.projects import assignment_store, store
from ctower_desktop.projects.actions import NewProject, create_project
from ctower_desktop.projects.resolution import hints_in, resolve_project

IDS = [str(uuid.uuid4()) for _ in range(120)]


class TestHints:
    def test_the_url_comes_first_then_the_body_in_the_order_of_its_names(self):
        query = {"project_ids": f"{IDS[1]}, {IDS[2]}", "project_id": IDS[0]}
        body = {"selectedProjectIds": [IDS[6]], "projectIds": f"{IDS[4]},{IDS[5]}", "project_id": IDS[3]}
        assert hints_in(query, body) == tuple(IDS[:7])

    def test_malformed_ones_are_left_out_and_doubles_count_once(self):
        body = {
            "project_id": 5,
            "project_ids": [None, "x", IDS[0].upper(), IDS[0], [IDS[1]]],
            "projectId": {},
        }
        assert hints_in({"project_id": "nope"}, body) == (IDS[0],)

    def test_at_most_a_hundred_are_looked_at(self):
        assert hints_in({}, {"project_ids": IDS}) == tuple(IDS[:100])

    @settings(max_examples=40)
    @given(
        st.recursive(
            st.none() | st.text() | st.integers(), lambda s: st.lists(s) | st.dictionaries(st.text(), s)
        )
    )
    def test_no_body_breaks_it(self, body):
        hints_in({}, body)
        hints_in({}, {"project_ids": body})


async def opened(tower, clock, name: str) -> ProjectRef:
    clock.advance(1)
    made = (await create_project(desktop(tower, "test"), NewProject(name=name))).project
    return ProjectRef(made.id, made.name, made.account_scope_id)


def owner(project_id: str | None = None) -> Who:
    return Who(username="o", role="owner", kind="session", project_id=project_id, sees_all_projects=True)


async def test_nothing_there_is_not_the_same_as_nothing_allowed(tower, clock):
    anna = await add_user(tower, "anna", "secret")
    who = Who(username="anna", role="pm", kind="session", user_id=anna.id)
    assert (await resolve_project(tower, who, ())).refusal is ActiveProjectRequired
    await opened(tower, clock, "Not hers")
    found = await resolve_project(tower, who, ())
    assert (found.project, found.refusal) == (None, ProjectAccessDenied)


async def test_active_then_hinted_then_newest(tower, clock):
    first, second, third = [await opened(tower, clock, name) for name in ("First", "Second", "Third")]
    assert (await resolve_project(tower, owner(first.id), (second.id,))).project == first
    assert (await resolve_project(tower, owner(), (IDS[0], second.id, first.id))).project == second
    assert (await resolve_project(tower, owner(), (IDS[0],))).project == third
    assert (await resolve_project(tower, owner(IDS[0]), ())).project == third, "the active one is gone"


async def test_only_among_what_one_may_see(tower, clock):
    first, second, third = [await opened(tower, clock, name) for name in ("First", "Second", "Third")]
    anna = await add_user(tower, "anna", "secret")
    for project in (first, second):
        _, made = await tower.db.write(
            assignment_store.assign, anna.id, project.id, assignment_id=new_id(), at=clock.text(), by="o"
        )
        assert made is not None
    _, again = await tower.db.write(
        assignment_store.assign, anna.id, first.id, assignment_id=new_id(), at=clock.text(), by="o"
    )
    assert again is None

    def who(active: str | None) -> Who:
        return Who(username="anna", role="pm", kind="session", user_id=anna.id, project_id=active)

    assert (await resolve_project(tower, who(None), ())).project == second
    assert (await resolve_project(tower, who(None), (third.id,))).project == second
    assert (await resolve_project(tower, who(None), (third.id, first.id))).project == first
    assert (await resolve_project(tower, who(third.id), ())).project == second, "no longer hers"


async def test_a_key_stays_in_its_project(tower, clock):
    first, second = [await opened(tower, clock, name) for name in ("First", "Second")]
    key = Who(username="apikey:x", role="owner", kind="api_key", key_id="k", project_id=first.id)
    assert (await resolve_project(tower, key, (second.id,))).project == first
    gone = Who(username="apikey:x", role="owner", kind="api_key", key_id="k", project_id=IDS[0])
    assert (await resolve_project(tower, gone, (second.id,))).refusal is ProjectAccessDenied


async def test_all_projects_for_what_runs_by_itself(tower, clock):
    first, second = [await opened(tower, clock, name) for name in ("First", "Second")]
    assert await tower.db.read(store.every) == [second, first]


_API_KEY = f"""
    INSERT INTO api_key (id, project_id, account_scope_id, key_hash, key_prefix, name, scopes, created_at)
    VALUES ('k', ?, ?, '{"0" * 64}', 'lp_12345678', 'n', '["read"]', 'x')
"""
_EVIDENCE = """
    INSERT INTO evidence_item (project_id, account_scope_id, source_type, source_table, source_pk, payload,
                               created_at, updated_at)
    VALUES (?, ?, 'x', 'external', 'x', '{}', 'x', 'x')
"""


@pytest.mark.parametrize("statement", [_API_KEY, _EVIDENCE], ids=["api_key", "evidence_item"])
async def test_the_database_refuses_a_row_of_another_scope(tower, clock, statement):
    """A row that names a project together with a scope that is not its own is no row."""
    project = await opened(tower, clock, "North")
    south = NewProject(name="South", account_scope_key="south")
    elsewhere = (await create_project(desktop(tower, "test"), south)).project

    def insert(db, scope_id: str) -> None:
        db.execute(statement, (project.id, scope_id))

    with pytest.raises(Exception, match="FOREIGN KEY"):
        await tower.db.write(insert, elsewhere.account_scope_id)
    await tower.db.write(insert, project.account_scope_id)
