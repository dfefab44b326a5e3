"""The rest of the stand-in Linear: fragments, rows reached from rows, requests that are no requests."""

import pytest


async def test_fragments_cost_what_they_hold(workshop):
    answer = await workshop.post(
        """query Q { issues(first: 10) { nodes { ...Row ... on Issue { title } __typename } } }
           fragment Row on Issue { id team { id } }"""
    )
    # 1 + 10 × (1 node + 0.1 + (1 + 0.1) + 0.1), rounded up
    assert answer.headers["x-complexity"] == "24"


async def test_rows_are_reached_from_teams_states_cycles_and_people(workshop):
    made = workshop.issues("a")[0]
    workshop.vendor.move_issue(made.id, "Todo")
    data = await workshop.ask(
        """query Q($team: String!) {
          team(id: $team) { displayName issueCount states(first: 9) { nodes { name } }
            issues(first: 2) { nodes { title priorityLabel branchName url } }
            members(first: 2) { nodes { displayName url } } }
          organization { userCount teams(first: 2) { nodes { key } } users(first: 2) { nodes { email } } }
          workflowStates(first: 9, filter: {name: {eqIgnoreCase: "todo"}}) {
            nodes { type issues(first: 2) { nodes { identifier } } } }
        }""",
        team=workshop.team.id,
    )
    assert data["team"]["displayName"] == "Engineering"
    assert data["team"]["issueCount"] == 1
    assert {row["name"] for row in data["team"]["states"]["nodes"]} >= {"Todo", "Done"}
    assert data["team"]["issues"]["nodes"][0]["branchName"] == "admin/eng-1"
    assert data["organization"]["userCount"] == 1
    assert data["workflowStates"]["nodes"] == [
        {"type": "unstarted", "issues": {"nodes": [{"identifier": "ENG-1"}]}}
    ]


async def test_comments_answer_each_other_and_keep_their_own_times(workshop):
    [issue] = workshop.issues("a")
    first = workshop.vendor.add_comment(issue, "question")
    workshop.clock.advance(60)
    workshop.vendor.add_comment(issue, "answer", parent=first)
    workshop.vendor.edit_comment(first.id, "better question")
    data = await workshop.ask(
        """{ comments(first: 2, orderBy: updatedAt, filter: {body: {contains: "better"}}) {
             nodes { body editedAt issueId parentId url children(first: 2) { nodes { body parentId } } } }
           issues(first: 1) { nodes { updatedAt } } }"""
    )
    [row] = data["comments"]["nodes"]
    assert (row["issueId"], row["parentId"]) == (issue.id, None)
    assert row["editedAt"] == "2026-11-20T10:02:00.000Z"
    assert row["children"]["nodes"] == [{"body": "answer", "parentId": first.id}]
    assert data["issues"]["nodes"][0]["updatedAt"] == "2026-11-20T10:01:00.000Z"  # not the comment's business


@pytest.mark.parametrize("body", [b"{", b'{"variables": {}}', b"[]"])
async def test_a_body_that_is_no_request_is_400(workshop, body):
    answer = await workshop.client.post("/graphql", content=body)
    assert answer.status_code == 400


async def test_variables_of_another_type_are_an_error(workshop):
    answer = await workshop.post("query Q($id: String!) { issue(id: $id) { id } }", id=7)
    assert answer.json()["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"
    assert answer.json()["data"] is None


async def test_an_empty_comment_and_a_second_comment_of_the_same_id_are_refused(workshop):
    [issue] = workshop.issues("a")
    create = (
        "mutation M($input: CommentCreateInput!) { commentCreate(input: $input) { success comment { id } } }"
    )
    given = {"id": "3f2504e0-4f89-11d3-9a0c-0305e82c3301", "issueId": issue.id, "body": "hello"}
    assert (await workshop.ask(create, input=given))["commentCreate"]["comment"]["id"] == given["id"]
    for bad in (given, {**given, "id": None, "body": ""}):
        refused = await workshop.post(create, input=bad)
        assert refused.json()["errors"][0]["extensions"]["type"] == "invalid input"


async def test_an_issue_moves_to_another_team_by_update(workshop):
    [issue] = workshop.issues("a")
    other = workshop.vendor.add_team("OPS", "Operations")
    move = "mutation M($id: String!, $t: String!) { issueUpdate(id: $id, input: {teamId: $t}) { success } }"
    await workshop.ask(move, id=issue.id, t=other.id)
    assert (issue.identifier, issue.previous_identifiers) == ("OPS-1", ["ENG-1"])
    archived = "mutation M($id: String!) { issueArchive(id: $id) { success entity { archivedAt } } }"
    assert (await workshop.ask(archived, id=issue.id))["issueArchive"]["entity"]["archivedAt"]
