"""Questions and orders from a terminal: `ctower ask`, `ctower sync`, `ctower call`."""

from __future__ import annotations

from typing import Any

import msgspec

from ctower_desktop.connectors.actions import idle, sync_connectors
from ctower_desktop.kernel import check
from ctower_desktop.kernel.endpoint import ENDPOINTS, TOWER, Endpoint, Reply, Text
from ctower_desktop.kernel.errors import Invalid, NotFound
from ctower_desktop.kernel.system import new_id
from ctower_desktop.kernel.tower import Desktop, ProjectRef, Tower, desktop
from ctower_desktop.projects.actions import list_projects
from ctower_desktop.search.actions import query_lightrag
from ctower_desktop.search.model import LightragQuery


async def project_call(tower: Tower, wanted: str | None) -> Desktop:
    """A call of the person at this terminal in the named project, or in the newest.

    `wanted` is a project's id or the beginning of its name. Raise NotFound for a name that fits none.
    """
    anywhere = desktop(tower, new_id())
    projects = (await list_projects(anywhere)).projects
    if wanted:
        needle = wanted.casefold()
        projects = [p for p in projects if p.id == wanted or p.name.casefold().startswith(needle)]
        if not projects:
            raise NotFound(f"No project is called {wanted!r}.")
    if not projects:
        return anywhere
    found = projects[0]
    return desktop(tower, new_id(), ProjectRef(found.id, found.name, found.account_scope_id))


async def ask(tower: Tower, question: str, project: str | None) -> str:
    """The answer to a question with its numbered evidence, as text for a terminal."""
    call = await project_call(tower, project)
    found = await query_lightrag(call, LightragQuery(query=question))
    lines = [found.answer, ""]
    for number, item in enumerate(found.evidence, 1):
        lines.append(f"[{number}] {item.source_type} {item.source_ref} · {item.created_at or ''}")
        lines.append(f"    {' '.join((item.title or item.snippet).split())[:160]}")
    return "\n".join(lines)


async def sync(tower: Tower, project: str | None) -> tuple[str, bool]:
    """Synchronise every connector now; the outcome, and whether all that is connected was read."""
    call = await project_call(tower, project)
    result = (await sync_connectors(call)).result
    well = result.ok > 0 and all(one.status == "ok" or idle(one) for one in result.results)
    return msgspec.json.format(msgspec.json.encode(result), indent=2).decode(), well


async def call_endpoint(tower: Tower, name: str, given: list[str], project: str | None) -> str:
    """Call any endpoint by its function name with `key=value` arguments; the answer as JSON text."""
    endpoint = ENDPOINTS.get(f"{TOWER.name}.{name}")
    if endpoint is None or endpoint.stream:
        raise NotFound(f"There is no endpoint named {name!r}; `ctower map` lists them.")
    call = await project_call(tower, project)
    answer = await endpoint(call, **_arguments(endpoint, _pairs(given)))
    if isinstance(answer, Reply):
        answer = answer.payload
    if isinstance(answer, Text):
        return answer.content.decode()
    return msgspec.json.format(msgspec.json.encode(answer), indent=2).decode()


def _pairs(given: list[str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for pair in given:
        key, equals, value = pair.partition("=")
        if not equals:
            raise Invalid(f"{pair!r} is not of the form key=value.")
        if value[:1] in "[{" and value:
            found[key] = check.decoded(value.encode())
        else:
            found[key] = value
    return found


def _arguments(endpoint: Endpoint[..., Any], values: dict[str, Any]) -> dict[str, Any]:
    path = {name: str(values.pop(name, "")) for name in endpoint.path_types}
    query: dict[str, Any] = {}
    if endpoint.query is not None:
        names = {f.encode_name for f in msgspec.structs.fields(endpoint.query)}
        query = {key: str(values.pop(key)) for key in list(values) if key in names}
    if values and endpoint.body is None:
        raise Invalid(f"{endpoint.name} takes no {', '.join(sorted(values))}.")
    return endpoint.arguments(path, query, msgspec.json.encode(values) if values else b"")
