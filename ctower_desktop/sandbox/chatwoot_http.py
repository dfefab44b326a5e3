"""The HTTP surface of a stand-in Chatwoot: who may ask, which page, in which order."""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Any

import msgspec
from aiohttp import web
from multidict import MultiMapping

from ctower_desktop.sandbox.chatwoot_filter import FilterError, filtered
from ctower_desktop.sandbox.chatwoot_order import counts, number, ordered, page_of, sees, sorted_contacts
from ctower_desktop.sandbox.chatwoot_shapes import (
    agent_row,
    conversation_row,
    inbox_row,
    label_row,
    listed_contact_rows,
    message_row,
    messages_meta,
    profile_row,
    team_row,
)
from ctower_desktop.sandbox.chatwoot_state import ACTIVITY, Agent, ChatwootState, Contact, Conversation
from ctower_desktop.sandbox.front import Window, json_response

CONTACTS_PER_PAGE = 15
FILTERED_PER_PAGE = 25
BEFORE_LIMIT, AFTER_LIMIT, BETWEEN_LIMIT = 20, 100, 1000
PREFIX = "/api/v1/accounts/{account_id}"

Handler = Callable[[web.Request, Agent], Awaitable[web.Response]]


def too_many() -> web.Response:
    """Plain text and no Retry-After, as the vendor's throttle answers."""
    return web.Response(status=429, text="Retry later\n")


def error(text: str, status: int) -> web.Response:
    return json_response({"error": text}, status)


def not_found() -> web.Response:
    return error("Resource could not be found", 404)


class Missing(Exception):
    """The row asked for is not there or not visible."""


class Invalid(Exception):
    """The row cannot be saved."""


@dataclass
class ChatwootHttp:
    """The routes of one account."""

    state: ChatwootState
    per_page: int
    requests_per_minute: int | None
    knows_updated_within: bool
    keeps_attributes: bool = True

    def __post_init__(self) -> None:
        self.window = Window(self.state.clock, 60.0)

    def routes(self) -> list[web.RouteDef]:
        """Every path this account answers."""
        table: dict[tuple[str, str], Handler] = {
            ("GET", ""): self.account,
            ("GET", "/inboxes"): self.inboxes,
            ("GET", "/agents"): self.agents,
            ("GET", "/teams"): self.teams,
            ("GET", "/labels"): self.labels,
            ("GET", "/conversations"): self.conversations,
            ("GET", "/conversations/meta"): self.conversation_counts,
            ("POST", "/conversations/filter"): self.filter_conversations,
            ("GET", r"/conversations/{id:\d+}"): self.conversation,
            ("DELETE", r"/conversations/{id:\d+}"): self.delete_conversation,
            ("POST", r"/conversations/{id:\d+}/toggle_status"): self.toggle_status,
            ("GET", r"/conversations/{id:\d+}/messages"): self.messages,
            ("POST", r"/conversations/{id:\d+}/messages"): self.create_message,
            ("DELETE", r"/conversations/{id:\d+}/messages/{message_id:\d+}"): self.delete_message,
            ("GET", "/contacts"): self.contacts,
            ("GET", "/contacts/search"): self.search_contacts,
            ("POST", "/contacts/filter"): self.filter_contacts,
            ("GET", r"/contacts/{id:\d+}"): self.contact,
            ("DELETE", r"/contacts/{id:\d+}"): self.delete_contact,
            ("GET", r"/contacts/{id:\d+}/conversations"): self.contact_conversations,
            ("POST", "/actions/contact_merge"): self.merge_contacts,
        }
        routes = [
            web.route(method, PREFIX + path, self._guarded(handler))
            for (method, path), handler in table.items()
        ]
        return [*routes, web.get("/api/v1/profile", self._guarded(self.profile))]

    def _guarded(self, handler: Handler) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def guarded(request: web.Request) -> web.Response:
            limit = self.requests_per_minute
            if limit is not None and self.window.count(request.remote or "") > limit:
                return too_many()
            token = request.headers.get("api_access_token", "")
            agent = next((each for each in self.state.agents.values() if token and each.token == token), None)
            if agent is None:
                return error("Invalid Access Token", 401)
            refused = self._refused_account(request.match_info.get("account_id"))
            if refused is not None:
                return refused
            if agent.bot and handler not in (self.create_message, self.toggle_status):
                return error("Access to this endpoint is not authorized for bots", 401)
            try:
                return await handler(request, agent)
            except Missing:
                return not_found()
            except Invalid as invalid:
                return json_response({"message": str(invalid), "attributes": []}, 422)
            except FilterError as bad:
                return error(str(bad), 422)

        return guarded

    def _refused_account(self, account_id: str | None) -> web.Response | None:
        if account_id is None:
            return None
        if account_id != str(self.state.account_id):
            return not_found()
        return error("Account is suspended", 401) if self.state.suspended else None

    # the account itself

    async def profile(self, _: web.Request, agent: Agent) -> web.Response:
        return json_response(profile_row(agent, self.state.account_id, self.state.name))

    async def account(self, _: web.Request, agent: Agent) -> web.Response:
        return json_response({"id": self.state.account_id, "name": self.state.name, "role": agent.role})

    async def inboxes(self, _: web.Request, agent: Agent) -> web.Response:
        seen = [inbox_row(each) for each in self.state.inboxes.values() if sees(agent, each.id)]
        return json_response({"payload": seen})

    async def agents(self, _: web.Request, _agent: Agent) -> web.Response:
        people = [each for each in self.state.agents.values() if not each.bot]
        return json_response([agent_row(each, self.state.account_id) for each in people])

    async def teams(self, _: web.Request, _agent: Agent) -> web.Response:
        return json_response([team_row(each, self.state.account_id) for each in self.state.teams.values()])

    async def labels(self, _: web.Request, _agent: Agent) -> web.Response:
        return json_response({"payload": [label_row(each) for each in self.state.labels.values()]})

    # conversations

    async def conversations(self, request: web.Request, agent: Agent) -> web.Response:
        """Open ones only and newest activity first, unless told otherwise."""
        query = request.query
        chosen = self._chosen(query, agent)
        within = query.get("updated_within")
        if within is not None and self.knows_updated_within:
            since = self.state.clock().timestamp() - number(within)
            page = [each for each in chosen if each.updated_at > since]
        else:
            page = page_of(ordered(chosen, query.get("sort_by")), query.get("page"), self.per_page)
        return json_response({"data": {"meta": counts(chosen, agent), "payload": self._rows(page)}})

    async def conversation_counts(self, request: web.Request, agent: Agent) -> web.Response:
        return json_response({"meta": counts(self._chosen(request.query, agent), agent)})

    async def filter_conversations(self, request: web.Request, agent: Agent) -> web.Response:
        """Always newest activity first and 25 a page."""
        found = ordered(filtered(self._visible(agent), await asked_filter(request)), None)
        page = page_of(found, request.query.get("page"), FILTERED_PER_PAGE)
        return json_response({"data": {"meta": counts(found, agent), "payload": self._rows(page)}})

    async def conversation(self, request: web.Request, agent: Agent) -> web.Response:
        return json_response(conversation_row(self._conversation(request, agent), self.state))

    async def delete_conversation(self, request: web.Request, agent: Agent) -> web.Response:
        if agent.role != "administrator":
            return error("You are not authorized to do this action", 401)
        self.state.delete_conversation(self._conversation(request, agent).id)
        return web.Response(status=200)

    async def toggle_status(self, request: web.Request, agent: Agent) -> web.Response:
        conversation = self._conversation(request, agent)
        status = (await sent(request)).get("status")
        if status not in ("open", "resolved", "pending", "snoozed"):
            raise Invalid(f"'{status}' is not a valid status")
        self.state.edit_conversation(conversation.id, status=status)
        answer = {"success": True, "current_status": status, "conversation_id": conversation.id}
        return json_response({"meta": {}, "payload": answer})

    def _rows(self, page: Iterable[Conversation]) -> list[dict[str, Any]]:
        return [conversation_row(each, self.state) for each in page]

    def _visible(self, agent: Agent) -> list[Conversation]:
        return [each for each in self.state.conversations.values() if sees(agent, each.inbox_id)]

    def _chosen(self, query: MultiMapping[str], agent: Agent) -> list[Conversation]:
        found = self._visible(agent)
        status = query.get("status", "open")
        if status != "all":
            found = [each for each in found if each.status == status]
        for name in ("inbox_id", "team_id"):
            if name in query:
                found = [each for each in found if str(getattr(each, name)) == query[name]]
        assignee = query.get("assignee_type")
        if assignee == "me":
            found = [each for each in found if each.assignee_id == agent.id]
        elif assignee in ("assigned", "unassigned"):
            found = [each for each in found if (each.assignee_id is None) == (assignee == "unassigned")]
        labels = [*query.getall("labels", []), *query.getall("labels[]", [])]
        if labels:
            found = [each for each in found if set(labels) & set(each.labels)]
        words = query.get("q", "").lower()
        if words:
            found = [each for each in found if any(words in (m.content or "").lower() for m in each.messages)]
        return found

    def _conversation(self, request: web.Request, agent: Agent) -> Conversation:
        conversation = self.state.conversations.get(int(request.match_info["id"]))
        if conversation is None or not sees(agent, conversation.inbox_id):
            raise Missing
        return conversation

    # messages

    async def messages(self, request: web.Request, agent: Agent) -> web.Response:
        """Cut by id, ordered by the time of creation; `after` is inclusive only together with `before`."""
        conversation = self._conversation(request, agent)
        query = request.query
        found = sorted(conversation.messages, key=lambda m: (m.created_at, m.id))
        if query.get("filter_internal_messages"):
            found = [m for m in found if not m.private and m.message_type != ACTIVITY]
        if "after" in query and "before" in query:
            low, high = number(query["after"]), number(query["before"])
            found = [m for m in found if low <= m.id < high][:BETWEEN_LIMIT]
        elif "after" in query:
            found = [m for m in found if m.id > number(query["after"])][:AFTER_LIMIT]
        else:
            below = number(query["before"]) if "before" in query else None
            found = [m for m in found if below is None or m.id < below][-BEFORE_LIMIT:]
        rows = [message_row(m) for m in found]
        return json_response({"meta": messages_meta(conversation, self.state), "payload": rows})

    async def create_message(self, request: web.Request, agent: Agent) -> web.Response:
        """There is no idempotency key: a repeated request makes a second message.

        `echo_id` comes back in the answer and is not kept; older servers keep no attributes either.
        """
        conversation = self._conversation(request, agent)
        body = await sent(request)
        if not isinstance(body.get("content"), str):
            raise Invalid("Content can't be blank")
        incoming = body.get("message_type") == "incoming"
        message = self.state.add_message(
            conversation.id,
            body["content"],
            agent=None if incoming else agent,
            private=body.get("private") is True,
        )
        attributes = body.get("content_attributes")
        if isinstance(attributes, dict) and self.keeps_attributes:
            message.content_attributes = attributes
        row = message_row(message)
        return json_response(row | {"echo_id": body["echo_id"]} if "echo_id" in body else row)

    async def delete_message(self, request: web.Request, agent: Agent) -> web.Response:
        conversation = self._conversation(request, agent)
        message = self.state.messages.get(int(request.match_info["message_id"]))
        if message is None or message.conversation_id != conversation.id:
            raise Missing
        self.state.delete_message(message.id)
        return web.Response(status=200)

    # contacts

    async def contacts(self, request: web.Request, _: Agent) -> web.Response:
        return self._contact_page(request, list(self.state.contacts.values()))

    async def search_contacts(self, request: web.Request, _: Agent) -> web.Response:
        words = request.query.get("q", "").strip().lower()
        if not words:
            return error("Specify search string with parameter q", 422)
        fields = ("name", "email", "phone_number", "identifier")
        found = [
            each
            for each in self.state.contacts.values()
            if any(words in (getattr(each, field) or "").lower() for field in fields)
        ]
        return self._contact_page(request, found)

    async def filter_contacts(self, request: web.Request, _: Agent) -> web.Response:
        found = filtered(self.state.contacts.values(), await asked_filter(request))
        return self._contact_page(request, found)

    async def contact(self, request: web.Request, _: Agent) -> web.Response:
        return json_response({"payload": self._contact_rows([self._contact(request)])[0]})

    async def delete_contact(self, request: web.Request, agent: Agent) -> web.Response:
        if agent.role != "administrator":
            return error("You are not authorized to do this action", 401)
        contact = self._contact(request)
        if contact.online:
            raise Invalid(f"{contact.name} is online. Please try again later")
        self.state.delete_contact(contact.id)
        return web.Response(status=200)

    async def contact_conversations(self, request: web.Request, agent: Agent) -> web.Response:
        contact = self._contact(request)
        found = ordered((each for each in self._visible(agent) if each.contact_id == contact.id), None)
        return json_response({"payload": self._rows(found[:20])})

    async def merge_contacts(self, request: web.Request, _: Agent) -> web.Response:
        body = await sent(request)
        base, mergee = (
            self.state.contacts.get(body.get(f"{name}_contact_id", 0)) for name in ("base", "mergee")
        )
        if base is None or mergee is None:
            raise Missing
        return json_response(self._contact_rows([self.state.merge_contacts(base.id, mergee.id)])[0])

    def _contact_page(self, request: web.Request, found: Iterable[Contact]) -> web.Response:
        query = request.query
        listed = [each for each in found if each.resolved]
        page = page_of(
            sorted_contacts(listed, query.get("sort"), query.get("page")),
            query.get("page"),
            CONTACTS_PER_PAGE,
        )
        meta = {"count": len(listed), "current_page": query.get("page", 1)}
        return json_response({"meta": meta, "payload": self._contact_rows(page)})

    def _contact_rows(self, contacts: list[Contact]) -> list[dict[str, Any]]:
        return listed_contact_rows(contacts, self.state)

    def _contact(self, request: web.Request) -> Contact:
        contact = self.state.contacts.get(int(request.match_info["id"]))
        if contact is None:
            raise Missing
        return contact


async def asked_filter(request: web.Request) -> list[dict[str, Any]]:
    conditions = (await sent(request)).get("payload", [])
    if not isinstance(conditions, list):
        raise FilterError("Invalid filter")
    return conditions


async def sent(request: web.Request) -> dict[str, Any]:
    try:
        return msgspec.json.decode(await request.read() or b"{}", type=dict[str, Any])
    except msgspec.MsgspecError as bad:
        raise Invalid("The body is not a JSON object") from bad
