"""The GraphQL queries to Linear, one for each stream, each within the vendor's limit of complexity.

Streams are asked for on their own: nested connections are cut off after 50 rows without a word.
"""

from __future__ import annotations

from typing import NamedTuple

_BASE = "id createdAt updatedAt archivedAt"

VIEWER = "query Viewer { viewer { id name active } organization { id name urlKey } }"


class Asked(NamedTuple):
    """The field of a stream, the columns of its rows, how many rows a page has."""

    field: str
    columns: str
    filter: str | None = None
    extra: str = ""
    first: int = 100


STREAMS: dict[str, Asked] = {
    "teams": Asked("teams", "key name", "TeamFilter"),
    "users": Asked("users", "name displayName email active", "UserFilter", ", includeDisabled: true"),
    "states": Asked("workflowStates", "name type position team { id }", "WorkflowStateFilter"),
    "labels": Asked("issueLabels", "name", "IssueLabelFilter"),
    "projects": Asked(
        "projects",
        "name description state url progress startDate targetDate completedAt trashed lead { id }",
        "ProjectFilter",
    ),
    "cycles": Asked("cycles", "number name startsAt endsAt completedAt progress team { id }", "CycleFilter"),
    "issues": Asked(
        "issues",
        "identifier title description url priority estimate dueDate startedAt completedAt canceledAt trashed "
        "labelIds team { id } state { id } assignee { id } creator { id } project { id } cycle { id } "
        "parent { id }",
        "IssueFilter",
    ),
    "relations": Asked("issueRelations", "type issue { id } relatedIssue { id }", first=250),
    "comments": Asked("comments", "body issueId parentId url user { id }", "CommentFilter"),
}
IDS_PER_PAGE = 250
BY_IDS = 50


def _operation(stream: str) -> str:
    return stream.capitalize()


def rows(stream: str) -> str:
    """The rows of a stream that changed within a window, newest change first; all without a filter."""
    asked = STREAMS[stream]
    declared = f", $filter: {asked.filter}" if asked.filter else ""
    given = ", filter: $filter" if asked.filter else ""
    return (
        f"query {_operation(stream)}($first: Int!, $after: String{declared}) {{ "
        f"{asked.field}(first: $first, after: $after{given}, includeArchived: true{asked.extra}, "
        f"orderBy: updatedAt) {{ nodes {{ {_BASE} {asked.columns} }} "
        "pageInfo { hasNextPage endCursor } } }"
    )


def ids(stream: str) -> str:
    """Only the ids and versions of a stream, for reconciliation."""
    asked = STREAMS[stream]
    return (
        f"query {_operation(stream)}Ids($first: Int!, $after: String) {{ "
        f"{asked.field}(first: $first, after: $after, includeArchived: true{asked.extra}, "
        "orderBy: createdAt) { "
        "nodes { id updatedAt } pageInfo { hasNextPage endCursor } } }"
    )


def create_issue() -> str:
    """Make an issue; the answer is a row as the stream of issues has it."""
    columns = STREAMS["issues"].columns
    return (
        "mutation CreateIssue($input: IssueCreateInput!) { issueCreate(input: $input) { "
        f"success issue {{ {_BASE} {columns} }} }} }}"
    )


def one_issue() -> str:
    """One issue by its id, as the stream of issues has it."""
    return f"query OneIssue($id: String!) {{ issue(id: $id) {{ {_BASE} {STREAMS['issues'].columns} }} }}"


ALL = (VIEWER, *(rows(s) for s in STREAMS), *(ids(s) for s in STREAMS))
