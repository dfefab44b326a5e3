"""A stand-in Loops: one team over HTTP, with the vendor's quirks and with faults on order."""

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from aiohttp import web

from ctower_desktop.sandbox.faults import Faults
from ctower_desktop.sandbox.front import Clock, Front, Seen, Window, json_response
from ctower_desktop.sandbox.loops_state import FIELDS, LoopsContact, LoopsError, LoopsState, Sent

PER_SECOND = 10
Handler = Callable[[web.Request], Awaitable[web.Response]]


class Loops(LoopsState):
    """One team as a program. Its 10 requests a second are counted always, and refused when `limited`."""

    def __init__(
        self,
        clock: Clock,
        *,
        token: str = "loops-key",  # noqa: S107 - a made-up key of a made-up team
        limited: bool = False,
        **team: Any,
    ) -> None:
        super().__init__(clock, **team)
        self.token = token
        self.limited = limited
        self.window = Window(clock, 1.0)
        self.seen_this_second = 0
        self.front = Front(clock, Faults(too_many), self.limits)

    @property
    def faults(self) -> Faults:
        """What goes wrong next."""
        return self.front.faults

    @property
    def requests(self) -> list[Seen]:
        """Every request so far."""
        return self.front.requests

    def limits(self, _: web.Request) -> dict[str, str]:
        """The headers on every answer."""
        left = max(0, PER_SECOND - self.seen_this_second)
        return {"x-ratelimit-limit": str(PER_SECOND), "x-ratelimit-remaining": str(left)}

    def application(self) -> web.Application:
        """The program that serves this team; its paths begin with /api/v1 as at the vendor."""
        table: dict[tuple[str, str], Handler] = {
            ("GET", "/api-key"): self.api_key,
            ("POST", "/contacts/create"): self.create_contact,
            ("PUT", "/contacts/update"): self.update_contact,
            ("GET", "/contacts/find"): self.find_contact,
            ("POST", "/contacts/delete"): self.delete_contact,
            ("GET", "/contacts/suppression"): self.suppression,
            ("DELETE", "/contacts/suppression"): self.remove_suppression,
            ("GET", "/contacts/properties"): self.list_properties,
            ("POST", "/contacts/properties"): self.create_property,
            ("GET", "/lists"): self.mailing_lists,
            ("POST", "/events/send"): self.send_event,
            ("POST", "/transactional"): self.send_transactional,
        }
        routes = [
            web.route(method, "/api/v1" + path, self._guarded(handler))
            for (method, path), handler in table.items()
        ]
        return self.front.application(routes)

    def _guarded(self, handler: Handler) -> Handler:
        async def guarded(request: web.Request) -> web.Response:
            self.seen_this_second = self.window.count()
            if request.headers.get("Authorization") != f"Bearer {self.token}":
                return failed(401, "Invalid API key")
            if self.limited and self.seen_this_second > PER_SECOND:
                return too_many()
            try:
                return await handler(request)
            except LoopsError as error:
                return failed(error.status, error.message)

        return guarded

    async def api_key(self, _: web.Request) -> web.Response:
        return json_response({"success": True, "teamName": self.team})

    # contacts

    async def create_contact(self, request: web.Request) -> web.Response:
        return json_response({"success": True, "id": self.create(await sent(request)).id})

    async def update_contact(self, request: web.Request) -> web.Response:
        return json_response({"success": True, "id": self.update(await sent(request)).id})

    async def find_contact(self, request: web.Request) -> web.Response:
        """A list, empty when there is none."""
        contact = self.find(*one_key(request))
        return json_response([self._row(contact)] if contact is not None else [])

    async def delete_contact(self, request: web.Request) -> web.Response:
        body = await sent(request)
        self.delete(body.get("email"), body.get("userId"))
        return json_response({"success": True, "message": "Contact deleted."})

    async def suppression(self, request: web.Request) -> web.Response:
        contact = self._known(request)
        row = {"id": contact.id, "email": contact.email, "userId": contact.user_id}
        suppressed = contact.email in self.suppressed
        return json_response({"contact": row, "isSuppressed": suppressed, "removalQuota": self._quota()})

    async def remove_suppression(self, request: web.Request) -> web.Response:
        contact = self._known(request)
        if contact.email not in self.suppressed:
            raise LoopsError(400, "This contact is not suppressed.")
        self.suppressed.discard(contact.email)
        self.removals_left -= 1
        message = "Email removed from suppression list."
        return json_response({"success": True, "message": message, "removalQuota": self._quota()})

    # properties and lists

    async def list_properties(self, request: web.Request) -> web.Response:
        own = [
            {"key": name, "label": label(name), "type": "boolean" if name == "subscribed" else "string"}
            for name in FIELDS
        ]
        custom = [{"key": name, "label": label(name), "type": kind} for name, kind in self.properties.items()]
        return json_response(custom if request.query.get("list") == "custom" else own + custom)

    async def create_property(self, request: web.Request) -> web.Response:
        body = await sent(request)
        self.add_property(str(body.get("name") or ""), str(body.get("type")))
        return json_response({"success": True})

    async def mailing_lists(self, _: web.Request) -> web.Response:
        rows = [
            {"id": list_id, "name": name, "description": None, "isPublic": True}
            for list_id, name in self.lists.items()
        ]
        return json_response(rows)

    # what is sent

    async def send_event(self, request: web.Request) -> web.Response:
        """An unknown contact is made by it."""
        body = await sent(request)
        email, user_id, name = body.get("email"), body.get("userId"), body.get("eventName")
        if not name or not (email or user_id):
            raise LoopsError(400, "eventName and email or userId are required.")
        data = body.get("eventProperties") or {}
        self.accept(Sent("event", name, email, user_id, data), request.headers.get("Idempotency-Key"))
        if email and self.find(email, user_id) is None:
            self.create({"email": email, **({"userId": user_id} if user_id else {})})
        return json_response({"success": True})

    async def send_transactional(self, request: web.Request) -> web.Response:
        body = await sent(request)
        email, name = body.get("email"), body.get("transactionalId")
        if not email or not name:
            raise LoopsError(400, "email and transactionalId are required.")
        mail = Sent("transactional", name, email, None, body.get("dataVariables") or {})
        self.accept(mail, request.headers.get("Idempotency-Key"))
        return json_response({"success": True})

    def _known(self, request: web.Request) -> LoopsContact:
        contact = self.find(*one_key(request))
        if contact is None:
            raise LoopsError(404, "Contact not found.")
        return contact

    def _quota(self) -> dict[str, int]:
        return {"limit": 100, "remaining": self.removals_left}

    def _row(self, contact: LoopsContact) -> dict[str, Any]:
        row = {
            "id": contact.id,
            "email": contact.email,
            "firstName": contact.first_name,
            "lastName": contact.last_name,
            "source": contact.source,
            "subscribed": contact.subscribed,
            "userGroup": contact.user_group,
            "userId": contact.user_id,
            "mailingLists": contact.mailing_lists,
            "optInStatus": None,
        }
        return row | {name: contact.custom.get(name) for name in self.properties}


def too_many() -> web.Response:
    """No Retry-After: only the two headers tell."""
    refused = failed(429, "Rate limit exceeded. Please try again later.")
    refused.headers["x-ratelimit-limit"] = str(PER_SECOND)
    refused.headers["x-ratelimit-remaining"] = "0"
    return refused


def failed(status: int, message: str) -> web.Response:
    return json_response({"success": False, "message": message}, status)


def one_key(request: web.Request) -> tuple[str | None, str | None]:
    """Exactly one of the two."""
    email, user_id = request.query.get("email"), request.query.get("userId")
    if (email is None) == (user_id is None):
        raise LoopsError(400, "Please provide either an email or a userId.")
    return email, user_id


def label(name: str) -> str:
    """`planName` as `Plan name`."""
    spaced = "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in name)
    return spaced.strip().capitalize()


async def sent(request: web.Request) -> dict[str, Any]:
    try:
        return msgspec.json.decode(await request.read(), type=dict[str, Any])
    except msgspec.MsgspecError as bad:
        raise LoopsError(400, "The body is not a JSON object.") from bad
