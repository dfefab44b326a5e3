"""The demo agency: its people, clients and ten weeks of talk, work and sales, read from `resources/demo`.

Times in the files are relative to the demo's today (`"-3 10:12"` is three days ago at 10:12 UTC), and texts
name dates as tokens (`{+4}`), so the tale is always as fresh as the day it is told on:

    agency = load()                 # as written, checked
    today = today_of(agency, now)   # the day everything is relative to
    told = tell(agency, today)      # the same agency, its texts with real dates
    moment("-3 10:12", today)       # an aware datetime (sandbox.dates)
"""

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any, Literal

import msgspec

from ctower_desktop.sandbox.dates import DAY, MOMENT, minute, spell_dates

Language = Literal["ru", "en"]
State = Literal["Backlog", "Todo", "In Progress", "In Review", "Done", "Canceled"]


class _Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Every part of the agency is frozen and knows no other fields than its own."""


class Person(_Part, frozen=True):
    """Somebody of the agency, of a client's circle, or a passer-by; only the second has a company."""

    key: str
    name: str
    email: str
    language: Language
    role: str = ""
    phone: str = ""
    company: str = ""


class Message(_Part, frozen=True):
    """One message of a conversation; a private one is a note among the staff."""

    at: str
    author: str
    text: str
    private: bool = False
    attachments: list[str] = []


class Conversation(_Part, frozen=True):
    """A thread with one contact in one inbox."""

    key: str
    inbox: str
    contact: str
    status: Literal["open", "resolved", "pending", "snoozed"]
    messages: list[Message]
    subject: str = ""
    labels: list[str] = []
    assignee: str = ""


class Comment(_Part, frozen=True):
    """A comment under an issue."""

    at: str
    author: str
    text: str


class Issue(_Part, frozen=True):
    """A piece of delivery work; `key` is its identifier, such as SEV-142."""

    key: str
    team: str
    project: str
    title: str
    state: State
    created: str
    updated: str
    description: str = ""
    priority: int = 0
    assignee: str = ""
    labels: list[str] = []
    due: str | None = None
    completed: str | None = None
    cycle: int | None = None
    estimate: int | None = None
    blocked_by: list[str] = []
    comments: list[Comment] = []


class Cycle(_Part, frozen=True):
    """Two weeks of a team; `starts` and `ends` are days, `ends` is not part of it."""

    number: int
    starts: str
    ends: str
    name: str = ""


class Note(_Part, frozen=True):
    """A note on a deal or a company."""

    at: str
    author: str
    title: str
    text: str


class Task(_Part, frozen=True):
    """Something somebody of the agency has to do for a deal."""

    at: str
    author: str
    text: str
    due: str | None = None
    done: bool = False
    assignee: str = ""


class Deal(_Part, frozen=True):
    """An opportunity of the agency with a company."""

    key: str
    name: str
    company: str
    stage: Literal["Lead", "Qualified", "Proposal", "Negotiation", "Won", "Lost"]
    amount: float
    currency: Literal["RUB", "USD", "EUR"]
    probability: float
    owner: str
    created: str
    close: str | None = None
    next_step: str = ""
    people: list[str] = []
    notes: list[Note] = []
    tasks: list[Task] = []


class Company(_Part, frozen=True):
    """The client itself or a company of its circle."""

    key: str
    name: str
    domain: str
    description: str = ""
    notes: list[Note] = []


class Client(_Part, frozen=True):
    """A client project: `name` is what the tower calls it, `company` the key of who pays."""

    name: str
    company: str
    inboxes: list[str]
    team: str
    team_key: str
    language: Literal["ru", "en", "mixed"]
    cycles: list[Cycle]
    companies: list[Company]
    people: list[Person]
    conversations: list[Conversation]
    issues: list[Issue]
    deals: list[Deal]


class Live(_Part, frozen=True):
    """What happens while the demo runs; `target` is the key of a conversation or an issue."""

    after_seconds: int
    kind: Literal["message", "comment", "issue_state"]
    target: str
    author: str = ""
    text: str = ""
    state: State | None = None


class Agency(_Part, frozen=True):
    """The agency, its staff, its client projects and what is about to happen."""

    name: str
    staff: list[Person]
    clients: list[Client]
    live: list[Live]


class _Front(_Part, frozen=True):
    """`agency.json`: the agency without its clients, which have a file each."""

    name: str
    staff: list[Person]
    clients: list[str]
    live: list[Live]


class AgencyError(ValueError):
    """The files contradict themselves; `problems` says where, one line each."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


def demo_folder() -> Path:
    """The folder of the files: inside the package when installed, beside it in a checkout."""
    package = Path(__file__).resolve().parents[1]
    places = [package / "resources" / "demo", package.parent / "resources" / "demo"]
    return next((place for place in places if place.is_dir()), places[0])


def load(folder: Path | None = None) -> Agency:
    """Read and check the agency; raise AgencyError with everything that is wrong."""
    root = folder if folder is not None else demo_folder()
    front = msgspec.json.decode((root / "agency.json").read_bytes(), type=_Front)
    clients = [
        msgspec.json.decode((root / f"{name}.json").read_bytes(), type=Client) for name in front.clients
    ]
    agency = Agency(name=front.name, staff=front.staff, clients=clients, live=front.live)
    problems = list(_problems(agency))
    if problems:
        raise AgencyError(problems)
    return agency


def today_of(agency: Agency, now: datetime) -> date:
    """The demo's today: the UTC date of `now`, or the day before while a moment of day 0 lies ahead."""
    date_now = now.astimezone(UTC).date()
    latest = max(minute(at) for client in agency.clients for at, _ in _moments(client))
    ahead = datetime.combine(date_now, time(tzinfo=UTC)) + timedelta(minutes=latest)
    return date_now - timedelta(days=1) if ahead > now else date_now


def tell(agency: Agency, today: date) -> Agency:
    """The same agency with every date token in its texts spelled out in the language of the text."""
    return msgspec.convert(_spell(msgspec.to_builtins(agency), today), Agency)


def _spell(value: Any, today: date) -> Any:
    if isinstance(value, str):
        return spell_dates(value, today)
    if isinstance(value, list):
        return [_spell(each, today) for each in value]
    if isinstance(value, dict):
        return {name: _spell(each, today) for name, each in value.items()}
    return value


# -- checks -------------------------------------------------------------------------------------------------


def _moments(client: Client) -> Iterator[tuple[str, str]]:
    """Every moment of a client with the place it stands at."""
    for conversation in client.conversations:
        yield from ((message.at, conversation.key) for message in conversation.messages)
    for issue in client.issues:
        yield from ((at, issue.key) for at in (issue.created, issue.updated))
        yield from ((comment.at, issue.key) for comment in issue.comments)
        if issue.completed is not None:
            yield issue.completed, issue.key
    for deal in client.deals:
        yield from ((at, deal.key) for at in (deal.created, *(each.at for each in deal.notes + deal.tasks)))
    for company in client.companies:
        yield from ((note.at, company.key) for note in company.notes)


def _problems(agency: Agency) -> Iterator[str]:
    moments = [each for client in agency.clients for each in _moments(client)]
    untimely = [f"{where}: not a moment: {at!r}" for at, where in moments if MOMENT.fullmatch(at) is None]
    if untimely:
        yield from untimely
        return  # the checks below compare times
    staff = {person.key for person in agency.staff}
    yield from _repeated("staff and people", [p.key for p in agency.staff + _all(agency, "people")])
    yield from _repeated("e-mail", [p.email for p in agency.staff + _all(agency, "people")])
    for name in ("companies", "conversations", "issues", "deals"):
        yield from _repeated(name, [each.key for each in _all(agency, name)])
    for client in agency.clients:
        for check in (_conversation_problems, _issue_problems, _deal_problems):
            yield from check(client, staff)
        yield from _people_problems(client)
    yield from (*_mention_problems(agency), *_live_problems(agency, staff))


def _all(agency: Agency, name: str) -> list[Any]:
    return [each for client in agency.clients for each in getattr(client, name)]


def _repeated(what: str, keys: list[str]) -> Iterator[str]:
    for key in sorted({key for key in keys if keys.count(key) > 1}):
        yield f"{what}: {key} is there twice"


def _people_problems(client: Client) -> Iterator[str]:
    companies = {company.key for company in client.companies}
    if client.company not in companies:
        yield f"{client.name}: company {client.company} is missing"
    for person in client.people:
        if person.company and person.company not in companies:
            yield f"person {person.key}: company {person.company!r} is missing"


def _unknown(where: str, keys: list[str], known: set[str]) -> Iterator[str]:
    for key in keys:
        if key not in known:
            yield f"{where}: {key!r} is missing"


def _ascending(where: str, times: list[str]) -> Iterator[str]:
    minutes = [minute(at) for at in times]
    for before, after, at in zip(minutes, minutes[1:], times[1:], strict=False):
        if after <= before:
            yield f"{where}: {at} is not after what stands before it"


def _conversation_problems(client: Client, staff: set[str]) -> Iterator[str]:
    people = {person.key for person in client.people}
    for conversation in client.conversations:
        where = conversation.key
        yield from _unknown(f"{where} inbox", [conversation.inbox], set(client.inboxes))
        yield from _unknown(f"{where} contact", [conversation.contact], people)
        yield from _unknown(f"{where} assignee", [conversation.assignee], staff | {""})
        yield from _ascending(where, [message.at for message in conversation.messages])
        for message in conversation.messages:
            yield from _unknown(f"{where} author", [message.author], staff | people)
            if not message.text and not message.attachments:
                yield f"{where} {message.at}: neither text nor attachment"
            if message.private and message.author not in staff:
                yield f"{where} {message.at}: a private note of somebody outside the agency"
        if not conversation.messages:
            yield f"{where}: no messages"


def _issue_problems(client: Client, staff: set[str]) -> Iterator[str]:
    people = staff | {person.key for person in client.people}
    keys = {issue.key for issue in client.issues}
    cycles = {cycle.number for cycle in client.cycles}
    for issue in client.issues:
        where = issue.key
        if not where.startswith(f"{client.team_key}-") or issue.team != client.team:
            yield f"{where}: belongs to another team"
        yield from _unknown(f"{where} assignee", [issue.assignee], staff | {""})
        yield from _unknown(f"{where} comment", [each.author for each in issue.comments], people)
        yield from _unknown(f"{where} blocked by", issue.blocked_by, keys - {where})
        yield from _ascending(where, [issue.created, *(each.at for each in issue.comments)])
        if issue.cycle is not None and issue.cycle not in cycles:
            yield f"{where}: cycle {issue.cycle} is missing"
        if issue.due is not None and DAY.fullmatch(issue.due) is None:
            yield f"{where}: due {issue.due!r} is not a day"
        if (issue.completed is None) != (issue.state not in ("Done", "Canceled")):
            yield f"{where}: state {issue.state} and completed {issue.completed!r} contradict"
        if not 0 <= issue.priority <= 4:
            yield f"{where}: priority {issue.priority}"
        latest = [issue.created, *(each.at for each in issue.comments)]
        latest += [issue.completed] if issue.completed is not None else []
        if minute(issue.updated) < max(minute(at) for at in latest):
            yield f"{where}: updated before its last change"


def _deal_problems(client: Client, staff: set[str]) -> Iterator[str]:
    people = {person.key for person in client.people}
    companies = {company.key for company in client.companies}
    for deal in client.deals:
        where = deal.key
        yield from _unknown(f"{where} company", [deal.company], companies)
        yield from _unknown(f"{where} owner", [deal.owner], staff)
        yield from _unknown(f"{where} people", deal.people, people)
        yield from _unknown(f"{where} note", [note.author for note in deal.notes], staff)
        for task in deal.tasks:
            yield from _unknown(f"{where} task", [task.author, task.assignee or task.author], staff)
        for due in (deal.close, *(task.due for task in deal.tasks)):
            if due is not None and DAY.fullmatch(due) is None:
                yield f"{where}: {due!r} is not a day"
        over = {"Won": 1.0, "Lost": 0.0}.get(deal.stage)
        if over is not None and (deal.probability != over or deal.close is None or int(deal.close) > 0):
            yield f"{where}: {deal.stage} with probability {deal.probability} and close {deal.close}"


def _mention_problems(agency: Agency) -> Iterator[str]:
    """An issue named in a text has to exist."""
    keys = {issue.key for client in agency.clients for issue in client.issues}
    named = re.compile(r"\b(?:" + "|".join(client.team_key for client in agency.clients) + r")-\d+")
    for mention in sorted(set(named.findall(msgspec.json.encode(agency).decode())) - keys):
        yield f"{mention} is named in a text and does not exist"


def _live_problems(agency: Agency, staff: set[str]) -> Iterator[str]:
    people = staff | {person.key for person in _all(agency, "people")}
    conversations = {each.key for each in _all(agency, "conversations")}
    issues = {each.key for each in _all(agency, "issues")}
    for live in agency.live:
        where = f"live at {live.after_seconds} s"
        yield from _unknown(where, [live.target], conversations if live.kind == "message" else issues)
        if live.kind == "issue_state":
            yield from () if live.state is not None else (f"{where}: no state",)
        else:
            yield from _unknown(where, [live.author], people)
            yield from () if live.text else (f"{where}: no text",)
