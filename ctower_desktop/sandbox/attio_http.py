"""The HTTP surface of a stand-in Attio: bearer token, pages by limit and offset, errors with codes."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import msgspec
from aiohttp import web

from ctower_desktop.sandbox import attio_shapes as shapes
from ctower_desktop.sandbox.attio_query import FilterError, Query, page_of
from ctower_desktop.sandbox.attio_state import AttioObject, AttioState, Record
from ctower_desktop.sandbox.front import Window, http_date, json_response

Handler = Callable[[web.Request], Awaitable[web.Response]]


class Missing(Exception):
    """What was asked for is not there."""


class Invalid(Exception):
    """A field of the body is missing or of another type."""


def refused(status: int, kind: str, code: str, message: str) -> web.Response:
    return json_response({"status_code": status, "type": kind, "code": code, "message": message}, status)


class AttioHttp:
    """The routes of one workspace."""

    def __init__(
        self, state: AttioState, reads_per_second: int | None, writes_per_second: int | None
    ) -> None:
        self.state = state
        self.token = ""
        self.allowed = {"read": reads_per_second, "write": writes_per_second}
        self.window = Window(state.clock, 1.0)

    def routes(self) -> list[web.RouteDef]:
        """Every path this workspace answers."""
        table: dict[tuple[str, str], Handler] = {
            ("GET", "/objects"): self.objects,
            ("GET", "/objects/{object}"): self.object,
            ("GET", "/{target:objects|lists}/{object}/attributes"): self.attributes,
            ("POST", "/objects/{object}/records/query"): self.query_records,
            ("GET", "/objects/{object}/records/{record_id}"): self.record,
            ("DELETE", "/objects/{object}/records/{record_id}"): self.delete_record,
            ("GET", "/objects/{object}/records/{record_id}/entries"): self.record_entries,
            ("GET", "/lists"): self.lists,
            ("POST", "/lists/{list}/entries/query"): self.query_entries,
            ("GET", "/notes"): self.notes,
            ("GET", "/notes/{id}"): self.note,
            ("POST", "/notes"): self.create_note,
            ("GET", "/tasks"): self.tasks,
            ("GET", "/tasks/{id}"): self.task,
            ("GET", "/threads"): self.threads,
            ("GET", "/workspace_members"): self.members,
        }
        routes = [
            web.route(method, "/v2" + path, self._guarded(handler))
            for (method, path), handler in table.items()
        ]
        return [*routes, web.get("/v2/self", self.about)]

    def too_many(self) -> web.Response:
        """Retry-After is always there, an HTTP date: the next second."""
        answer = refused(
            429, "rate_limit_error", "rate_limit_exceeded", "Rate limit exceeded, please try again later"
        )
        answer.headers["Retry-After"] = http_date(self.state.clock() + timedelta(seconds=1))
        return answer

    def _guarded(self, handler: Handler) -> Handler:
        async def guarded(request: web.Request) -> web.Response:
            if not self._signed_in(request):
                return refused(401, "auth_error", "unauthorized", "The access token is missing or not valid.")
            kind = "read" if request.method == "GET" or request.path.endswith("/query") else "write"
            limit = self.allowed[kind]
            if limit is not None and self.window.count(kind) > limit:
                return self.too_many()
            try:
                return await handler(request)
            except Missing as missing:
                return refused(404, "invalid_request_error", "not_found", str(missing))
            except Invalid as invalid:
                return refused(400, "invalid_request_error", "validation_type", str(invalid))
            except FilterError as bad:
                return refused(400, "invalid_request_error", "filter_error", str(bad))

        return guarded

    def _signed_in(self, request: web.Request) -> bool:
        return request.headers.get("Authorization") == f"Bearer {self.token}"

    async def about(self, request: web.Request) -> web.Response:
        """The connection check; a bad token is not an error here but an inactive one."""
        if not self._signed_in(request):
            return json_response({"active": False})
        return json_response(shapes.about_row(self.state))

    # objects, lists and their attributes

    async def objects(self, _: web.Request) -> web.Response:
        rows = [shapes.object_row(self.state, each) for each in self.state.objects.values() if each.enabled]
        return json_response({"data": rows})

    async def object(self, request: web.Request) -> web.Response:
        return json_response({"data": shapes.object_row(self.state, self._object(request))})

    async def lists(self, _: web.Request) -> web.Response:
        return json_response(
            {"data": [shapes.list_row(self.state, each) for each in self.state.lists.values()]}
        )

    async def attributes(self, request: web.Request) -> web.Response:
        """Archived ones only when asked for."""
        lists = request.match_info["target"] == "lists"
        owner = self._list(request.match_info["object"]) if lists else self._object(request)
        archived = request.query.get("show_archived") == "true"
        chosen = [each for each in owner.attributes.values() if archived or not each.archived]
        start, length = page_of(request.query.get("offset"), request.query.get("limit"), 500)
        rows = [shapes.attribute_row(self.state, owner, each) for each in chosen[start : start + length]]
        return json_response({"data": rows})

    async def members(self, _: web.Request) -> web.Response:
        return json_response(
            {"data": [shapes.member_row(self.state, each) for each in self.state.members.values()]}
        )

    # records and entries

    async def query_records(self, request: web.Request) -> web.Response:
        owner = self._object(request)
        rows = [each for each in self.state.records.values() if each.object == owner.slug]
        found = Query(owner).run(rows, await sent(request))
        return json_response({"data": [shapes.record_row(self.state, each) for each in found]})

    async def record(self, request: web.Request) -> web.Response:
        return json_response({"data": shapes.record_row(self.state, self._record(request))})

    async def delete_record(self, request: web.Request) -> web.Response:
        self.state.delete_record(self._record(request).id)
        return json_response({})

    async def record_entries(self, request: web.Request) -> web.Response:
        record = self._record(request)
        found = [each for each in self.state.entries.values() if each.parent_record_id == record.id]
        start, length = page_of(request.query.get("offset"), request.query.get("limit"), 100, 1000)
        rows = [shapes.short_entry_row(self.state, each) for each in found[start : start + length]]
        return json_response({"data": rows})

    async def query_entries(self, request: web.Request) -> web.Response:
        owner = self._list(request.match_info["list"])
        rows = [each for each in self.state.entries.values() if each.list == owner.slug]
        found = Query(owner).run(rows, await sent(request))
        return json_response({"data": [shapes.entry_row(self.state, each) for each in found]})

    # notes, tasks, threads

    async def notes(self, request: web.Request) -> web.Response:
        """10 unless told otherwise, 50 at most."""
        query = request.query
        found = [
            each
            for each in self.state.notes.values()
            if query.get("parent_object") in (None, each.parent_object)
            and query.get("parent_record_id") in (None, each.parent_record_id)
        ]
        start, length = page_of(query.get("offset"), query.get("limit"), 10, 50)
        rows = [shapes.note_row(self.state, each) for each in found[start : start + length]]
        return json_response({"data": rows})

    async def note(self, request: web.Request) -> web.Response:
        note = self.state.notes.get(request.match_info["id"])
        if note is None:
            raise Missing("Note was not found.")
        return json_response({"data": shapes.note_row(self.state, note)})

    async def create_note(self, request: web.Request) -> web.Response:
        data = (await sent(request)).get("data") or {}
        for name in ("parent_object", "parent_record_id", "title", "format", "content"):
            if not isinstance(data.get(name), str):
                raise Invalid(f"data.{name} is required.")
        record = self.state.records.get(data["parent_record_id"])
        if record is None or record.object != data["parent_object"]:
            raise Missing("The parent record was not found.")
        note = self.state.add_note(record, data["title"], data["content"])
        return json_response({"data": shapes.note_row(self.state, note)})

    async def tasks(self, request: web.Request) -> web.Response:
        """500 unless told otherwise, oldest first unless told otherwise."""
        query = request.query
        found = sorted(self.state.tasks.values(), key=lambda each: (each.created_at, each.id))
        if query.get("sort") == "created_at:desc":
            found.reverse()
        if "is_completed" in query:
            found = [each for each in found if each.completed == (query["is_completed"] == "true")]
        if "linked_record_id" in query:
            found = [each for each in found if query["linked_record_id"] in (row for _, row in each.linked)]
        start, length = page_of(query.get("offset"), query.get("limit"), 500)
        rows = [shapes.task_row(self.state, each) for each in found[start : start + length]]
        return json_response({"data": rows})

    async def task(self, request: web.Request) -> web.Response:
        task = self.state.tasks.get(request.match_info["id"])
        if task is None:
            raise Missing("Task was not found.")
        return json_response({"data": shapes.task_row(self.state, task)})

    async def threads(self, request: web.Request) -> web.Response:
        """The threads of one record: 10 unless told otherwise, 50 at most."""
        query = request.query
        if "record_id" not in query or "object" not in query:
            raise FilterError("Either record_id and object or entry_id and list are required.")
        said = [each for each in self.state.comments.values() if each.record_id == query["record_id"]]
        threads = list(dict.fromkeys(each.thread_id for each in said))
        start, length = page_of(query.get("offset"), query.get("limit"), 10, 50)
        rows = [
            shapes.thread_row(self.state, thread, [each for each in said if each.thread_id == thread])
            for thread in threads[start : start + length]
        ]
        return json_response({"data": rows})

    def _object(self, request: web.Request) -> AttioObject:
        asked = request.match_info["object"]
        for each in self.state.objects.values():
            if each.enabled and asked in (each.slug, each.id):
                return each
        raise Missing(f'Object with slug/ID "{asked}" was not found.')

    def _list(self, asked: str) -> AttioObject:
        for each in self.state.lists.values():
            if asked in (each.slug, each.id):
                return each
        raise Missing(f'List with slug/ID "{asked}" was not found.')

    def _record(self, request: web.Request) -> Record:
        owner = self._object(request)
        record = self.state.records.get(request.match_info["record_id"])
        if record is None or record.object != owner.slug:
            raise Missing(f'Record with ID "{request.match_info["record_id"]}" was not found.')
        return record


async def sent(request: web.Request) -> dict[str, Any]:
    try:
        return msgspec.json.decode(await request.read() or b"{}", type=dict[str, Any])
    except msgspec.MsgspecError as bad:
        raise FilterError("The body is not a JSON object.") from bad
