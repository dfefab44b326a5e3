"""Every quirk of the stand-in Linear, over real HTTP."""

from datetime import timedelta

import pytest
from graphql import GraphQLEnumType, GraphQLInputObjectType, GraphQLObjectType, GraphQLScalarType

from ctower_desktop.sandbox.linear_schema import SCHEMA
from tests.upstream import linear_schema, needs_upstream

WINDOW = """
query Issues($since: DateTimeOrDuration!, $upper: DateTimeOrDuration!, $after: String) {
  issues(first: 2, after: $after, orderBy: updatedAt, includeArchived: true,
         filter: {updatedAt: {gte: $since, lt: $upper}}) {
    nodes { id title updatedAt archivedAt trashed }
    pageInfo { hasNextPage endCursor }
  }
}
"""


def code(answer):
    return answer.json()["errors"][0]["extensions"]["code"]


@needs_upstream
def test_the_schema_is_a_strict_subset_of_the_vendors():
    theirs = linear_schema()
    ours = {name: kind for name, kind in SCHEMA.type_map.items() if not name.startswith("__")}
    for name, kind in ours.items():
        real = theirs.type_map[name]
        assert type(kind) is type(real), name
        if isinstance(kind, GraphQLEnumType):
            assert set(kind.values) <= set(real.values), name
        elif isinstance(kind, GraphQLInputObjectType):
            assert {f: str(v.type) for f, v in kind.fields.items()}.items() <= {
                f: str(v.type) for f, v in real.fields.items()
            }.items(), name
        elif isinstance(kind, GraphQLObjectType):
            for field, value in kind.fields.items():
                assert str(value.type) == str(real.fields[field].type), f"{name}.{field}"
                arguments = {a: str(v.type) for a, v in value.args.items()}
                real_arguments = {a: str(v.type) for a, v in real.fields[field].args.items()}
                assert arguments.items() <= real_arguments.items(), f"{name}.{field}"
        else:
            assert isinstance(kind, GraphQLScalarType) or name == "Node"


async def test_a_key_goes_without_bearer_an_oauth_token_with_it_and_anything_else_is_401(workshop):
    for headers, status in (
        ({"Authorization": workshop.vendor.token}, 200),
        ({"Authorization": f"Bearer {workshop.vendor.token}"}, 200),
        ({"Authorization": "wrong"}, 401),
    ):
        answer = await workshop.client.post("/graphql", json={"query": "{ viewer { id } }"}, headers=headers)
        assert answer.status_code == status
    assert code(answer) == "AUTHENTICATION_ERROR"
    assert answer.json()["errors"][0]["extensions"]["type"] == "authentication error"


async def test_pages_are_50_by_default_and_250_at_most(workshop):
    workshop.vendor.generate(60)
    data = await workshop.ask("{ issues { nodes { id } pageInfo { hasNextPage hasPreviousPage } } }")
    assert len(data["issues"]["nodes"]) == 50
    assert data["issues"]["pageInfo"] == {"hasNextPage": True, "hasPreviousPage": False}
    assert len((await workshop.ask("{ issues(first: 250) { nodes { id } } }"))["issues"]["nodes"]) == 60
    assert code(await workshop.post("{ issues(first: 251) { nodes { id } } }")) == "INPUT_ERROR"


async def test_lists_are_newest_first_by_creation_or_by_change(workshop):
    a, _, _ = workshop.issues("a", "b", "c")
    workshop.clock.advance(60)
    workshop.vendor.edit_issue(a.id, priority=1.0)
    assert await workshop.titles("first: 9") == ["c", "b", "a"]
    assert await workshop.titles("orderBy: updatedAt") == ["a", "c", "b"]


async def test_a_row_changed_mid_walk_is_missed_now_and_at_the_front_next_time(workshop):
    made = workshop.issues("a", "b", "c", "d")
    times = {
        "since": "2026-11-01T00:00:00.000Z",
        "upper": (workshop.clock.now() + timedelta(minutes=5)).isoformat(timespec="milliseconds"),
    }
    first = (await workshop.ask(WINDOW, **times))["issues"]
    workshop.clock.advance(60)
    workshop.vendor.edit_issue(made[0].id, priority=2.0)
    second = (await workshop.ask(WINDOW, **times, after=first["pageInfo"]["endCursor"]))["issues"]
    assert [row["title"] for row in first["nodes"] + second["nodes"]] == ["d", "c", "b"]
    assert (await workshop.ask(WINDOW, **times))["issues"]["nodes"][0]["title"] == "a"


async def test_bounds_are_inclusive_with_gte_and_lte_and_exclusive_with_gt_and_lt(workshop):
    a, b = workshop.issues("a", "b")
    at, later = (row.updated_at.isoformat(timespec="milliseconds") for row in (a, b))
    assert await workshop.titles(f'filter: {{updatedAt: {{gte: "{at}", lt: "{later}"}}}}') == ["a"]
    assert await workshop.titles(f'filter: {{updatedAt: {{gt: "{at}", lte: "{later}"}}}}') == ["b"]


async def test_a_short_date_and_a_duration_mean_an_instant_too(workshop):
    workshop.issues("a")
    assert await workshop.titles('filter: {updatedAt: {gte: "2021"}}') == ["a"]
    assert await workshop.titles('filter: {updatedAt: {gte: "2027"}}') == []
    workshop.clock.advance(3 * 86_400)
    assert await workshop.titles('filter: {updatedAt: {gte: "-P1D"}}') == []
    assert await workshop.titles('filter: {updatedAt: {gte: "-P1W"}}') == ["a"]
    assert (
        code(await workshop.post('{ issues(filter: {updatedAt: {gte: "soon"}}) { nodes { id } } }'))
        == "INPUT_ERROR"
    )


async def test_filters_by_id_team_state_and_logic(workshop):
    a, b = workshop.issues("a", "b")
    other = workshop.vendor.add_team("OPS", "Operations")
    workshop.vendor.add_issue(other, "elsewhere")
    workshop.vendor.move_issue(b.id, "Done")
    assert await workshop.titles(f'filter: {{id: {{in: ["{a.id}", "ENG-2"]}}}}') == ["b", "a"]
    assert await workshop.titles(f'filter: {{team: {{id: {{eq: "{other.id}"}}}}}}') == ["elsewhere"]
    assert await workshop.titles(
        'filter: {team: {key: {in: ["ENG"]}}, state: {type: {neq: "completed"}}}'
    ) == ["a"]
    assert await workshop.titles("filter: {assignee: {null: true}, completedAt: {null: false}}") == ["b"]
    assert await workshop.titles('filter: {or: [{title: {eq: "a"}}, {title: {eq: "b"}}]}') == ["b", "a"]
    comments = '{ comments(filter: {issue: {team: {id: {in: ["%s"]}}}}) { nodes { body issue { title } } } }'
    workshop.vendor.add_comment(a, "hello")
    data = await workshop.ask(comments % workshop.team.id)
    assert data["comments"]["nodes"] == [{"body": "hello", "issue": {"title": "a"}}]


async def test_archived_rows_are_hidden_unless_asked_for(workshop):
    a, b = workshop.issues("a", "b")
    workshop.clock.advance(60)
    workshop.vendor.archive(a.id)
    workshop.vendor.trash_issue(b.id)
    assert await workshop.titles("first: 9") == []
    data = await workshop.ask("{ issues(includeArchived: true) { nodes { title archivedAt trashed } } }")
    assert {row["title"]: (row["archivedAt"], row["trashed"]) for row in data["issues"]["nodes"]} == {
        "a": ("2026-11-20T10:03:00.000Z", None),
        "b": ("2026-11-20T10:03:00.000Z", True),
    }
    workshop.vendor.unarchive(b.id)
    assert await workshop.titles("first: 9") == ["b"]


async def test_a_removed_issue_leaves_no_trace(workshop):
    a, b = workshop.issues("a", "b")
    workshop.vendor.add_comment(a, "bye")
    workshop.vendor.relate(a, b)
    workshop.vendor.remove(a.id)
    assert await workshop.titles("includeArchived: true") == ["b"]
    data = await workshop.ask("{ comments { nodes { id } } issueRelations { nodes { id } } }")
    assert data == {"comments": {"nodes": []}, "issueRelations": {"nodes": []}}
    answer = await workshop.post("query Q($id: String!) { issue(id: $id) { id } }", id=a.id)
    assert (answer.status_code, code(answer), answer.json()["data"]) == (200, "INPUT_ERROR", None)


async def test_nested_connections_stop_at_50_without_a_word(workshop):
    [issue] = workshop.issues("a")
    for index in range(60):
        workshop.vendor.add_comment(issue, f"c{index}")
    data = await workshop.ask(
        "{ issues(first: 1) { nodes { comments { nodes { id } pageInfo { hasNextPage } } } } }"
    )
    [row] = data["issues"]["nodes"]
    assert len(row["comments"]["nodes"]) == 50
    assert row["comments"]["pageInfo"]["hasNextPage"] is True


async def test_an_identifier_changes_with_the_team_and_the_old_one_still_finds_it(workshop):
    [issue] = workshop.issues("a")
    workshop.vendor.transfer_issue(issue.id, workshop.vendor.add_team("OPS", "Operations"))
    data = await workshop.ask(
        '{ issue(id: "ENG-1") { id identifier previousIdentifiers state { team { key } } } }'
    )
    assert data["issue"] == {
        "id": issue.id,
        "identifier": "OPS-1",
        "previousIdentifiers": ["ENG-1"],
        "state": {"team": {"key": "OPS"}},
    }


async def test_relations_are_seen_from_both_sides(workshop):
    a, b = workshop.issues("a", "b")
    workshop.vendor.relate(a, b, "blocks")
    data = await workshop.ask(
        """query Q($a: String!, $b: String!) {
          a: issue(id: $a) {
            relations { nodes { type relatedIssue { title } } } inverseRelations { nodes { id } } }
          b: issue(id: $b) {
            relations { nodes { id } } inverseRelations { nodes { type issue { title } } } }
        }""",
        a=a.id,
        b=b.id,
    )
    assert data["a"]["relations"]["nodes"] == [{"type": "blocks", "relatedIssue": {"title": "b"}}]
    assert data["b"]["inverseRelations"]["nodes"] == [{"type": "blocks", "issue": {"title": "a"}}]
    assert data["a"]["inverseRelations"]["nodes"] == data["b"]["relations"]["nodes"] == []


async def test_deactivated_people_are_listed_only_when_asked_for(workshop):
    gone = workshop.vendor.add_user("Gone", "gone@agency.example")
    workshop.vendor.edit(gone.id, active=False)
    listed = await workshop.ask("{ users { nodes { email } } }")
    assert [row["email"] for row in listed["users"]["nodes"]] == ["admin@agency.example"]
    every = await workshop.ask("{ users(includeDisabled: true) { nodes { email active } } }")
    assert {"email": "gone@agency.example", "active": False} in every["users"]["nodes"]


async def test_times_of_a_state_and_of_a_cycle(workshop):
    [issue] = workshop.issues("a")
    now = workshop.clock.now()
    cycle = workshop.vendor.add_cycle(workshop.team, 1, now - timedelta(days=1), now + timedelta(days=6))
    after = workshop.vendor.add_cycle(workshop.team, 2, now + timedelta(days=6), now + timedelta(days=13))
    workshop.vendor.move_issue(issue.id, "In Progress")
    workshop.vendor.move_issue(issue.id, "Done")
    workshop.vendor.edit_issue(issue.id, cycle_id=cycle.id)
    data = await workshop.ask(
        """{
          issues { nodes { startedAt completedAt canceledAt cycle { number isActive } } }
          cycles { nodes { id isActive isNext } }
        }"""
    )
    assert data["issues"]["nodes"] == [
        {
            "startedAt": "2026-11-20T10:01:00.000Z",
            "completedAt": "2026-11-20T10:01:00.000Z",
            "canceledAt": None,
            "cycle": {"number": 1.0, "isActive": True},
        }
    ]
    assert {"id": after.id, "isActive": False, "isNext": True} in data["cycles"]["nodes"]


async def test_every_answer_carries_the_limits_with_resets_in_milliseconds(workshop):
    answer = await workshop.post("{ viewer { id name } }")
    headers = answer.headers
    assert headers["x-complexity"] == "2"  # an object and two scalars, rounded up
    assert (headers["x-ratelimit-requests-limit"], headers["x-ratelimit-requests-remaining"]) == (
        "2500",
        "2499",
    )
    assert headers["x-ratelimit-complexity-remaining"] == "2999998"
    now = workshop.clock.now().timestamp() * 1000
    assert now < int(headers["x-ratelimit-requests-reset"]) < now + 3_600_000
    assert headers["date"] == "Fri, 20 Nov 2026 10:00:00 GMT"
    data = await workshop.ask("{ rateLimitStatus { kind limits { type allowedAmount remainingAmount } } }")
    assert data["rateLimitStatus"]["limits"][0]["allowedAmount"] == 2500


async def test_an_empty_bucket_is_400_ratelimited_and_refills_all_the_time(workshop):
    workshop.vendor.asked.limit = workshop.vendor.asked.level = 2
    workshop.vendor.asked.at = workshop.clock.now().timestamp()
    answers = [await workshop.post("{ viewer { id } }") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 400]
    assert code(answers[2]) == "RATELIMITED"
    assert answers[2].headers["x-ratelimit-endpoint-requests-remaining"] == "0"
    workshop.clock.advance(1800)
    assert (await workshop.post("{ viewer { id } }")).status_code == 200
    assert (await workshop.post("{ viewer { id } }")).status_code == 400


async def test_a_query_above_ten_thousand_points_is_refused(workshop):
    deep = "{ issues(first: $n) { nodes { id comments(first: 50) { nodes { id } } } } }"
    answer = await workshop.post(f"query Q($n: Int) {deep}", n=250)
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["message"] == "Query too complex"
    assert (await workshop.post(f"query Q($n: Int) {deep}", n=100)).status_code == 200


@pytest.mark.parametrize(
    ("query", "expected"),
    [("{ issues { nodes { titel } } }", "GRAPHQL_VALIDATION_FAILED"), ("{", "GRAPHQL_PARSE_FAILED")],
)
async def test_a_query_that_is_wrong_is_400(workshop, query, expected):
    answer = await workshop.post(query)
    assert (answer.status_code, code(answer)) == (400, expected)


async def test_a_cursor_is_opaque_and_can_expire(workshop):
    workshop.issues("a", "b", "c")
    page = (await workshop.ask("{ issues(first: 2) { pageInfo { endCursor } } }"))["issues"]["pageInfo"]
    again = f'{{ issues(first: 2, after: "{page["endCursor"]}") {{ nodes {{ title }} }} }}'
    assert (await workshop.ask(again))["issues"]["nodes"] == [{"title": "a"}]
    workshop.vendor.expire_cursors()
    assert code(await workshop.post(again)) == "INPUT_ERROR"
    assert code(await workshop.post('{ issues(after: "garbage") { nodes { id } } }')) == "INPUT_ERROR"


async def test_pages_can_be_walked_backwards(workshop):
    workshop.issues("a", "b", "c")
    last = await workshop.ask(
        "{ issues(last: 2) { edges { cursor node { title } } pageInfo { hasPreviousPage } } }"
    )
    assert [edge["node"]["title"] for edge in last["issues"]["edges"]] == ["b", "a"]
    assert last["issues"]["pageInfo"]["hasPreviousPage"] is True
    before = last["issues"]["edges"][0]["cursor"]
    assert await workshop.titles(f'last: 2, before: "{before}"') == ["c"]


async def test_a_client_made_id_makes_a_retried_create_detectable(workshop):
    create = """mutation Create($input: IssueCreateInput!) {
      issueCreate(input: $input) { success issue { id identifier dueDate state { name } } }
    }"""
    given = {
        "id": "3f2504e0-4f89-11d3-9a0c-0305e82c3301",
        "teamId": workshop.team.id,
        "title": "From here",
        "dueDate": "2026-12-01",
        "stateId": workshop.vendor.state_of(workshop.team, "Todo").id,
    }
    data = await workshop.ask(create, input=given)
    assert data["issueCreate"]["issue"] == {
        "id": given["id"], "identifier": "ENG-1", "dueDate": "2026-12-01", "state": {"name": "Todo"},
    }  # fmt: skip
    again = await workshop.post(create, input=given)
    assert (again.status_code, code(again), again.json()["data"]) == (200, "INPUT_ERROR", None)
    assert await workshop.titles("first: 9") == ["From here"]


async def test_updates_archives_deletes_and_comments(workshop):
    [issue] = workshop.issues("a")
    done = workshop.vendor.state_of(workshop.team, "Done").id
    await workshop.ask(
        """mutation M($id: String!, $s: String!) {
          issueUpdate(id: $id, input: {title: "b", stateId: $s}) { success } }""",
        id=issue.id,
        s=done,
    )
    assert (issue.title, issue.state_id) == ("b", done)
    await workshop.ask(
        'mutation M($id: String!) { commentCreate(input: {issueId: $id, body: "ok"}) { success } }',
        id=issue.id,
    )
    await workshop.ask(
        "mutation M($id: String!) { issueDelete(id: $id) { success entity { trashed } } }", id=issue.id
    )
    assert issue.trashed is True
    await workshop.ask(
        "mutation M($id: String!) { issueDelete(id: $id, permanentlyDelete: true) { success } }", id=issue.id
    )
    assert issue.id not in workshop.vendor.rows


async def test_partial_data_come_with_errors_and_200(workshop):
    workshop.issues("a", "b")
    workshop.vendor.partial("description", row=1, on="")
    answer = await workshop.post("{ issues { nodes { title description } } }")
    assert answer.status_code == 200
    assert answer.json()["errors"][0]["path"] == ["issues", "nodes", 1, "description"]
    assert len(answer.json()["data"]["issues"]["nodes"]) == 2
    assert "errors" not in (await workshop.post("{ issues { nodes { title } } }")).json()


async def test_projects_their_teams_updates_and_documents(workshop):
    project = workshop.vendor.add_project("Launch", [workshop.team], lead=workshop.vendor.viewer)
    workshop.vendor.add_project_update(project, "On track", health="atRisk")
    workshop.vendor.add_document("Brief", "Text", project_id=project.id)
    label = workshop.vendor.add_label("bug", workshop.team)
    workshop.vendor.add_issue(workshop.team, "a", project_id=project.id, label_ids=[label.id])
    data = await workshop.ask(
        """{
          projects(first: 1) { nodes {
            name status { type } lead { email }
            teams(first: 2) { nodes { key } }
            projectUpdates(first: 2) { nodes { health body } }
            issues(first: 2) { nodes { title labelIds labels(first: 2) { nodes { name } } } }
          } }
          documents(first: 2, filter: {project: {name: {eq: "Launch"}}}) { nodes { title } }
        }"""
    )
    [row] = data["projects"]["nodes"]
    assert row["teams"]["nodes"] == [{"key": "ENG"}]
    assert row["projectUpdates"]["nodes"] == [{"health": "atRisk", "body": "On track"}]
    assert row["issues"]["nodes"][0]["labels"]["nodes"] == [{"name": "bug"}]
    assert data["documents"]["nodes"] == [{"title": "Brief"}]


async def test_requests_are_counted_by_operation(workshop):
    query = {"query": "query Me { viewer { id } }", "operationName": "Me"}
    await workshop.client.post("/graphql", json=query)
    await workshop.post("{ organization { urlKey } }")
    assert workshop.vendor.front.count("Me") == 1
    assert [(seen.operation, seen.status) for seen in workshop.vendor.requests] == [("Me", 200), ("", 200)]
