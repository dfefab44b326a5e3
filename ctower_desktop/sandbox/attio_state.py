"""The state of a stand-in Attio workspace and everything that can happen to it."""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Any

import msgspec

from ctower_desktop.sandbox.attio_values import OBJECT_ATTRIBUTES, Attribute, Writer, made_id, nanoseconds
from ctower_desktop.sandbox.front import Clock

Values = dict[str, list[dict[str, Any]]]

NOUNS = {"companies": "Company", "people": "Person", "deals": "Deal"}


class AttioObject(msgspec.Struct):
    """A kind of record, or a list of them; a disabled object answers 404."""

    id: str
    slug: str
    title: str
    created_at: str
    attributes: dict[str, Attribute]
    enabled: bool = True
    parent: str = ""


class Record(msgspec.Struct):
    """A row of an object. There is no time of the last change, as at the vendor."""

    id: str
    object: str
    created_at: str
    values: Values


class Entry(msgspec.Struct):
    """A record's place in a list; one record may have several in one list."""

    id: str
    list: str
    parent_object: str
    parent_record_id: str
    created_at: str
    values: Values


class Note(msgspec.Struct):
    """A note on a record."""

    id: str
    parent_object: str
    parent_record_id: str
    title: str
    content: str
    created_at: str
    author: str


class Task(msgspec.Struct):
    """A task without a title and without a time of the last change."""

    id: str
    content: str
    created_at: str
    author: str
    deadline: date | None = None
    completed: bool = False
    linked: list[tuple[str, str]] = []
    assignees: list[str] = []


class Comment(msgspec.Struct):
    """A comment in a thread on a record."""

    id: str
    thread_id: str
    object: str
    record_id: str
    content: str
    created_at: str
    author: str


class Member(msgspec.Struct):
    """A member of the workspace."""

    id: str
    first_name: str
    last_name: str
    email: str
    created_at: str
    access_level: str = "member"


class AttioState:
    """One workspace. What changes it takes `at`, the moment it happened; absent is now."""

    def __init__(self, clock: Clock, *, name: str = "Agency") -> None:
        self.clock = clock
        self.name = name
        self.made = 0
        self.workspace_id = made_id("workspace", name)
        self.objects: dict[str, AttioObject] = {}
        self.lists: dict[str, AttioObject] = {}
        self.records: dict[str, Record] = {}
        self.entries: dict[str, Entry] = {}
        self.notes: dict[str, Note] = {}
        self.tasks: dict[str, Task] = {}
        self.comments: dict[str, Comment] = {}
        self.members: dict[str, Member] = {}
        for slug, columns in OBJECT_ATTRIBUTES.items():
            self.objects[slug] = self._object(slug, NOUNS[slug], columns)
        self.admin = self.add_member("Ada", "Admin", "admin@agency.example", access_level="admin")

    # configuration

    def add_object(self, slug: str, title: str, columns: Iterable[tuple[str, str, bool]]) -> AttioObject:
        """A custom object; a column is its slug, its type and whether it holds several values."""
        self.objects[slug] = self._object(slug, title, [*columns, ("created_at", "timestamp", False)])
        return self.objects[slug]

    def add_list(
        self, slug: str, title: str, parent: str, columns: Iterable[tuple[str, str, bool]]
    ) -> AttioObject:
        made = self._object(slug, title, [*columns, ("created_at", "timestamp", False)])
        made.parent = parent
        self.lists[slug] = made
        return made

    def add_attribute(self, slug: str, column: str, kind: str, *, multiple: bool = False) -> Attribute:
        """A column the workspace made for itself."""
        owner = self.objects[slug]
        made = Attribute(
            made_id("attribute", slug, column), column, column.replace("_", " ").capitalize(), kind, multiple
        )
        owner.attributes[column] = made
        return made

    def rename_attribute(self, slug: str, column: str, renamed: str) -> None:
        """The slug changes, the id does not; values are found under the new slug."""
        attributes = self.objects[slug].attributes
        attributes[renamed] = attributes.pop(column)
        attributes[renamed].slug = renamed
        for record in self.records.values():
            if record.object == slug and column in record.values:
                record.values[renamed] = record.values.pop(column)

    def disable(self, slug: str) -> None:
        """Every path of the object answers 404, as of deals in a workspace that does not use them."""
        self.objects[slug].enabled = False

    def add_member(self, first: str, last: str, email: str, *, access_level: str = "member") -> Member:
        row_id, created_at = self._stamp("member", None)
        self.members[row_id] = Member(row_id, first, last, email, created_at, access_level)
        return self.members[row_id]

    # records

    def add_record(
        self, slug: str, *, at: datetime | None = None, created_at: str | None = None, **values: Any
    ) -> Record:
        """`values` by slug, one or a list; `created_at` sets the exact text, for rows of the same instant."""
        row_id, stamp = self._stamp(slug, at)
        record = Record(
            row_id, slug, created_at or stamp, {name: [] for name in self.objects[slug].attributes}
        )
        self.records[row_id] = record
        self._set(self.objects[slug], record.values, {"created_at": record.created_at}, record.created_at)
        if "created_by" in record.values:
            self._set(self.objects[slug], record.values, {"created_by": self.admin.id}, record.created_at)
        self._set(self.objects[slug], record.values, values, record.created_at)
        return record

    def add_company(
        self, name: str, domain: str = "", *, at: datetime | None = None, **values: Any
    ) -> Record:
        return self.add_record("companies", at=at, name=name, domains=[domain] if domain else [], **values)

    def add_person(
        self, first: str, last: str, email: str = "", *, company: Record | None = None, phone: str = "",
        at: datetime | None = None, **values: Any,
    ) -> Record:  # fmt: skip
        given: dict[str, Any] = {"name": (first, last), "email_addresses": [email] if email else []}
        if phone:
            given["phone_numbers"] = [phone]
        if company is not None:
            given["company"] = ("companies", company.id)
        return self.add_record("people", at=at, **given, **values)

    def add_deal(
        self, name: str, stage: str = "Lead", *, amount: float | None = None, currency: str | None = "EUR",
        company: Record | None = None, people: Iterable[Record] = (), owner: Member | None = None,
        at: datetime | None = None, **values: Any,
    ) -> Record:  # fmt: skip
        given: dict[str, Any] = {"name": name, "stage": stage, "owner": (owner or self.admin).id}
        if amount is not None:
            given["value"] = (amount, currency)
        if company is not None:
            given["associated_company"] = ("companies", company.id)
        given["associated_people"] = [("people", person.id) for person in people]
        return self.add_record("deals", at=at, **given, **values)

    def set_values(self, record_id: str, *, at: datetime | None = None, **values: Any) -> Record:
        """New current values; an empty list or None clears a value and leaves no trace of it."""
        record = self.records[record_id]
        _, stamp = self._stamp("value", at)
        self._set(self.objects[record.object], record.values, values, stamp)
        return record

    def delete_record(self, record_id: str) -> None:
        """For good, with its entries, notes and comments."""
        del self.records[record_id]
        for rows in (self.entries, self.notes):
            for row_id in [each.id for each in rows.values() if each.parent_record_id == record_id]:
                del rows[row_id]
        for row_id in [each.id for each in self.comments.values() if each.record_id == record_id]:
            del self.comments[row_id]

    def merge_records(self, winner_id: str, loser_id: str) -> Record:
        """The loser's id disappears; values the winner lacks, notes and entries go over to it."""
        winner, loser = self.records[winner_id], self.records[loser_id]
        for name, held in loser.values.items():
            winner.values[name] = winner.values[name] or held
        for rows in (self.entries, self.notes):
            for row in rows.values():
                if row.parent_record_id == loser_id:
                    row.parent_record_id = winner_id
        for task in self.tasks.values():
            task.linked = [(kind, winner_id if each == loser_id else each) for kind, each in task.linked]
        for record in self.records.values():
            for value in (each for held in record.values.values() for each in held):
                if value.get("target_record_id") == loser_id:
                    value["target_record_id"] = winner_id
        self.delete_record(loser_id)
        return winner

    # what hangs on records

    def add_entry(self, slug: str, record: Record, *, at: datetime | None = None, **values: Any) -> Entry:
        row_id, stamp = self._stamp("entry", at)
        owner = self.lists[slug]
        entry = Entry(row_id, slug, record.object, record.id, stamp, {name: [] for name in owner.attributes})
        self._set(owner, entry.values, {"created_at": stamp, **values}, stamp)
        self.entries[row_id] = entry
        return entry

    def add_note(
        self,
        record: Record,
        title: str,
        content: str,
        *,
        author: Member | None = None,
        at: datetime | None = None,
    ) -> Note:
        row_id, stamp = self._stamp("note", at)
        note = Note(row_id, record.object, record.id, title, content, stamp, (author or self.admin).id)
        self.notes[row_id] = note
        return note

    def add_task(
        self, content: str, *, deadline: date | None = None, linked: Iterable[Record] = (),
        assignees: Iterable[Member] = (), completed: bool = False, author: Member | None = None,
        at: datetime | None = None,
    ) -> Task:  # fmt: skip
        row_id, stamp = self._stamp("task", at)
        task = Task(row_id, content, stamp, (author or self.admin).id, deadline, completed)
        task.linked = [(record.object, record.id) for record in linked]
        task.assignees = [member.id for member in assignees]
        self.tasks[row_id] = task
        return task

    def add_comment(
        self, record: Record, content: str, *, thread_id: str | None = None, at: datetime | None = None
    ) -> Comment:
        row_id, stamp = self._stamp("comment", at)
        thread = thread_id or made_id("thread", row_id)
        self.comments[row_id] = Comment(
            row_id, thread, record.object, record.id, content, stamp, self.admin.id
        )
        return self.comments[row_id]

    def generate(self, companies: int, deals_each: int = 0) -> None:
        """Fills the workspace with so many companies a minute apart, the same every time."""
        start = self.clock() - timedelta(minutes=companies)
        for index in range(companies):
            at = start + timedelta(minutes=index)
            company = self.add_company(f"Company {index}", f"company{index}.example", at=at)
            for turn in range(deals_each):
                self.add_deal(f"Deal {index}.{turn}", amount=1000.0 + turn, company=company, at=at)

    def _object(self, slug: str, title: str, columns: Iterable[tuple[str, str, bool]]) -> AttioObject:
        row_id, stamp = self._stamp("object", None)
        attributes = {
            name: Attribute(
                made_id("attribute", slug, name),
                name,
                name.replace("_", " ").capitalize(),
                kind,
                multiple,
                system=True,
            )
            for name, kind, multiple in columns
        }
        return AttioObject(row_id, slug, title, stamp, attributes)

    def _set(self, owner: AttioObject, held: Values, values: dict[str, Any], stamp: str) -> None:
        actor: dict[str, str | None] = {"type": "system", "id": None}
        writer = Writer(self.workspace_id, owner.id, actor)
        for name, value in values.items():
            attribute = owner.attributes[name]
            several = value if isinstance(value, list) else [] if value is None else [value]
            held[name] = [writer.write(attribute, each, stamp) for each in several]

    def _stamp(self, kind: str, at: datetime | None) -> tuple[str, str]:
        self.made += 1
        return made_id(kind, self.made), nanoseconds(at or self.clock(), self.made * 37)
