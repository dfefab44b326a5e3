"""Puts the demo agency into the stand-in vendors, and lets its life go on while the demo runs."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time

from ctower_desktop.sandbox import agency as tale
from ctower_desktop.sandbox import attio_state, chatwoot_state, linear_model
from ctower_desktop.sandbox.attio import Attio
from ctower_desktop.sandbox.chatwoot import Chatwoot
from ctower_desktop.sandbox.dates import day, moment
from ctower_desktop.sandbox.linear import Linear
from ctower_desktop.sandbox.loops import Loops

CHANNELS = (
    ("telegram", "Channel::Telegram"),
    ("почта", "Channel::Email"),
    ("email", "Channel::Email"),
)
LONG_AGO = "-150 09:00"


@dataclass(frozen=True)
class Placed:
    """Where a client project is at the vendors: what has to be bound to the tower's project."""

    project: str
    language: str
    inbox_ids: list[int]
    team_id: str
    company_ids: list[str]


@dataclass
class Demo:
    """The vendors with the agency in them; what was made is found by its key in the tale."""

    agency: tale.Agency
    chatwoot: Chatwoot
    linear: Linear
    attio: Attio
    loops: Loops
    now: datetime
    today: date
    placed: list[Placed] = field(default_factory=list)
    agents: dict[str, chatwoot_state.Agent] = field(default_factory=dict)
    contacts: dict[str, chatwoot_state.Contact] = field(default_factory=dict)
    conversations: dict[str, chatwoot_state.Conversation] = field(default_factory=dict)
    users: dict[str, linear_model.User] = field(default_factory=dict)
    issues: dict[str, linear_model.Issue] = field(default_factory=dict)
    members: dict[str, attio_state.Member] = field(default_factory=dict)
    people: dict[str, attio_state.Record] = field(default_factory=dict)
    companies: dict[str, attio_state.Record] = field(default_factory=dict)

    def at(self, text: str) -> datetime:
        """A moment of the tale, never in the future."""
        return min(moment(text, self.today), self.now)

    def midnight(self, offset: str) -> datetime:
        return datetime.combine(day(offset, self.today), time(tzinfo=UTC))


def fill(
    agency: tale.Agency, chatwoot: Chatwoot, linear: Linear, attio: Attio, loops: Loops, *, now: datetime
) -> Demo:
    """Fills all four vendors so that nothing lies after `now`; `Demo.placed` says what belongs to whom."""
    today = tale.today_of(agency, now)
    demo = Demo(tale.tell(agency, today), chatwoot, linear, attio, loops, now, today)
    for person in demo.agency.staff:
        first, _, last = person.name.partition(" ")
        demo.agents[person.key] = chatwoot.add_agent(person.name, person.email)
        demo.users[person.key] = linear.add_user(person.name, person.email, at=demo.at(LONG_AGO))
        demo.members[person.key] = attio.add_member(first, last, person.email)
    for client in demo.agency.clients:
        add_sales(demo, client)
        inbox_ids = add_talk(demo, client)
        team_id = add_work(demo, client)
        company_ids = [demo.companies[company.key].id for company in client.companies]
        demo.placed.append(Placed(client.name, client.language, inbox_ids, team_id, company_ids))
    loops.add_list(demo.agency.name)
    return demo


# talk: Chatwoot


def add_talk(demo: Demo, client: tale.Client) -> list[int]:
    """The client's inboxes, people and conversations, message by message in the order they were said."""
    chatwoot = demo.chatwoot
    inboxes = {name: chatwoot.add_inbox(name, channel_of(name)) for name in client.inboxes}
    companies = {company.key: company.name for company in client.companies}
    for person in client.people:
        contact = chatwoot.add_contact(
            person.name, person.email, phone_number=person.phone or None, at=demo.at(LONG_AGO)
        )
        if person.company:
            contact.additional_attributes = {"company_name": companies[person.company]}
        demo.contacts[person.key] = contact
    said = [(demo.at(each.at), each, talk) for talk in client.conversations for each in talk.messages]
    for at, message, talk in sorted(said, key=lambda each: each[0]):
        if talk.key not in demo.conversations:
            contact_id = demo.contacts[talk.contact].id
            made = chatwoot.add_conversation(inboxes[talk.inbox].id, contact_id, at=at, labels=talk.labels)
            made.assignee_id = demo.agents[talk.assignee].id if talk.assignee else None
            made.additional_attributes = {"mail_subject": talk.subject} if talk.subject else {}
            demo.conversations[talk.key] = made
        say(demo, demo.conversations[talk.key], message, at)
    for talk in client.conversations:
        settle(demo, talk)
    return [inbox.id for inbox in inboxes.values()]


def say(demo: Demo, made: chatwoot_state.Conversation, message: tale.Message, at: datetime) -> None:
    agent = demo.agents.get(message.author)
    demo.chatwoot.add_message(
        made.id,
        message.text or None,
        agent=agent,
        contact=None if agent else demo.contacts[message.author],
        private=message.private,
        attachments=message.attachments,
        at=at,
    )
    if agent is not None:
        demo.chatwoot.see_conversation(made.id, at=at)


def settle(demo: Demo, talk: tale.Conversation) -> None:
    """The conversation's final state, just after its last message."""
    made = demo.conversations[talk.key]
    if talk.status != "open":
        by = demo.agents[talk.assignee].name if talk.assignee else "Admin"
        last = max(message.created_at for message in made.messages)
        demo.chatwoot.edit_conversation(
            made.id, by=by, at=datetime.fromtimestamp(last, UTC), status=talk.status
        )


def channel_of(inbox: str) -> str:
    return next((kind for word, kind in CHANNELS if word in inbox.lower()), "Channel::WebWidget")


# work: Linear


def add_work(demo: Demo, client: tale.Client) -> str:
    """The client's team with its projects, cycles, labels, issues, comments and what blocks what."""
    linear = demo.linear
    team = linear.add_team(client.team_key, client.team, at=demo.at(LONG_AGO))
    names = dict.fromkeys(issue.project for issue in client.issues if issue.project)
    projects = {name: linear.add_project(name, [team], at=demo.at(LONG_AGO)) for name in names}
    tags = dict.fromkeys(label for issue in client.issues for label in issue.labels)
    labels = {name: linear.add_label(name, team, at=demo.at(LONG_AGO)) for name in tags}
    cycles = {
        cycle.number: linear.add_cycle(
            team, cycle.number, demo.midnight(cycle.starts), demo.midnight(cycle.ends),
            name=cycle.name or None, at=demo.at(LONG_AGO),
        )
        for cycle in client.cycles
    }  # fmt: skip
    for issue in sorted(client.issues, key=lambda each: demo.at(each.created)):
        made = linear.add_issue(
            team,
            issue.title,
            state=issue.state,
            at=demo.at(issue.created),
            number=int(issue.key.rpartition("-")[2]),
            description=issue.description or None,
            priority=float(issue.priority),
            estimate=float(issue.estimate) if issue.estimate is not None else None,
            due_date=day(issue.due, demo.today) if issue.due is not None else None,
            label_ids=[labels[name].id for name in issue.labels],
            project_id=projects[issue.project].id if issue.project else None,
            cycle_id=cycles[issue.cycle].id if issue.cycle is not None else None,
            assignee_id=demo.users[issue.assignee].id if issue.assignee else None,
        )
        demo.issues[issue.key] = made
        finish_issue(demo, issue, made)
    for issue in client.issues:
        for blocker in issue.blocked_by:
            linear.relate(demo.issues[blocker], demo.issues[issue.key], at=demo.at(issue.created))
    return team.id


def finish_issue(demo: Demo, issue: tale.Issue, made: linear_model.Issue) -> None:
    """Comments and the times that the tale gives."""
    for comment in issue.comments:
        author = author_of(demo, comment.author)
        demo.linear.add_comment(made, comment.text, user=author, at=demo.at(comment.at))
    if issue.completed is not None:
        name = "canceled_at" if issue.state == "Canceled" else "completed_at"
        demo.linear.edit_issue(made.id, at=demo.at(issue.updated), **{name: demo.at(issue.completed)})
    else:
        demo.linear.edit_issue(made.id, at=demo.at(issue.updated))


def author_of(demo: Demo, key: str) -> linear_model.User:
    """A member of the staff, or a guest from a client's side."""
    if key not in demo.users:
        people = {person.key: person for client in demo.agency.clients for person in client.people}
        demo.users[key] = demo.linear.add_user(people[key].name, people[key].email, at=demo.at(LONG_AGO))
        demo.users[key].guest = True
    return demo.users[key]


# sales: Attio


def add_sales(demo: Demo, client: tale.Client) -> None:
    """The client's companies, people and deals with their notes and tasks."""
    attio = demo.attio
    for company in client.companies:
        made = attio.add_company(
            company.name, company.domain, description=company.description, at=demo.at(LONG_AGO)
        )
        demo.companies[company.key] = made
        add_notes(demo, made, company.notes)
    for person in client.people:
        first, _, last = person.name.partition(" ")
        demo.people[person.key] = attio.add_person(
            first, last, person.email, phone=person.phone, job_title=person.role,
            company=demo.companies.get(person.company), at=demo.at(LONG_AGO),
        )  # fmt: skip
    for deal in sorted(client.deals, key=lambda each: demo.at(each.created)):
        # roubles are given as if the vendor knew them: its list of currencies has none
        record = attio.add_deal(
            deal.name,
            deal.stage,
            amount=deal.amount,
            currency=deal.currency,
            company=demo.companies[deal.company],
            people=[demo.people[key] for key in deal.people],
            owner=demo.members[deal.owner],
            probability=deal.probability,
            close_date=day(deal.close, demo.today) if deal.close is not None else None,
            next_step=deal.next_step or None,
            at=demo.at(deal.created),
        )
        add_notes(demo, record, deal.notes)
        for task in deal.tasks:
            attio.add_task(
                task.text,
                deadline=day(task.due, demo.today) if task.due is not None else None,
                linked=[record, demo.companies[deal.company]],
                assignees=[demo.members[task.assignee or task.author]],
                completed=task.done,
                author=demo.members[task.author],
                at=demo.at(task.at),
            )


def add_notes(demo: Demo, record: attio_state.Record, notes: list[tale.Note]) -> None:
    for note in notes:
        author = demo.members[note.author]
        demo.attio.add_note(record, note.title, note.text, author=author, at=demo.at(note.at))


# life goes on

Sleep = Callable[[float], Awaitable[None]]


async def live(demo: Demo, sleep: Sleep = asyncio.sleep) -> None:
    """What the tale says will happen happens, each thing so many seconds after the demo's start."""
    passed = 0.0
    for event in sorted(demo.agency.live, key=lambda each: each.after_seconds):
        await sleep(event.after_seconds - passed)
        passed = event.after_seconds
        happen(demo, event)


def happen(demo: Demo, event: tale.Live) -> None:
    """One event, now by the vendors' clock."""
    if event.kind == "message":
        made = demo.conversations[event.target]
        message = tale.Message(at="0 00:00", author=event.author, text=event.text)
        say(demo, made, message, demo.chatwoot.clock())
    elif event.kind == "comment":
        issue = demo.issues[event.target]
        demo.linear.add_comment(issue, event.text, user=author_of(demo, event.author))
    else:
        demo.linear.move_issue(demo.issues[event.target].id, event.state or "Done")
