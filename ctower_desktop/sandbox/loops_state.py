"""The state of a stand-in Loops team and everything that can happen to it."""

from typing import Any

import msgspec

from ctower_desktop.sandbox.front import Clock

DAY = 86_400.0
FIELDS = ("email", "userId", "firstName", "lastName", "source", "subscribed", "userGroup")
"""The contact's own properties in the vendor's spelling; anything else is a custom one."""
KINDS: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "number": (int, float),
    "boolean": (bool,),
    "date": (str, int),
}


class LoopsError(Exception):
    """What the vendor answers to a request it understands and refuses."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


class LoopsContact(msgspec.Struct):
    """A contact; `custom` holds the custom properties that were set."""

    id: str
    email: str
    user_id: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    source: str = "API"
    subscribed: bool = True
    user_group: str = ""
    mailing_lists: dict[str, bool] = {}
    custom: dict[str, Any] = {}


class Sent(msgspec.Struct, frozen=True):
    """An event or a transactional e-mail that was accepted."""

    kind: str
    name: str
    email: str | None
    user_id: str | None
    data: dict[str, Any]


class LoopsState:
    """One team. There is no list of all contacts over the API; here there is, for tests."""

    def __init__(self, clock: Clock, *, team: str = "Agency") -> None:
        self.clock = clock
        self.team = team
        self.made = 0
        self.contacts: dict[str, LoopsContact] = {}
        self.suppressed: set[str] = set()
        self.properties: dict[str, str] = {}
        self.lists: dict[str, str] = {}
        self.sent: list[Sent] = []
        self.keys: dict[str, float] = {}
        self.removals_left = 100

    def add_property(self, name: str, kind: str) -> None:
        """A custom property must exist before a contact can have it."""
        if kind not in KINDS:
            raise LoopsError(400, "Invalid property type.")
        if name in self.properties or name in FIELDS:
            raise LoopsError(400, "A property with that name already exists.")
        self.properties[name] = kind

    def add_list(self, name: str) -> str:
        """A mailing list; returns its id."""
        self.lists[self._next("list")] = name
        return list(self.lists)[-1]

    def find(self, email: str | None, user_id: str | None) -> LoopsContact | None:
        """The contact with either of them."""
        for contact in self.contacts.values():
            if (email is not None and contact.email == email.lower()) or (
                user_id and contact.user_id == user_id
            ):
                return contact
        return None

    def create(self, given: dict[str, Any]) -> LoopsContact:
        """Refused with 409 when the e-mail or the user id is taken."""
        self._check(given, {})
        email = given.get("email")
        if not isinstance(email, str) or "@" not in email:
            raise LoopsError(400, "A valid email is required.")
        if self.find(email, given.get("userId")) is not None:
            raise LoopsError(409, "Email or userId is already on list.")
        contact = LoopsContact(self._next("contact"), email.lower())
        self._set(contact, given)
        self.contacts[contact.id] = contact
        return contact

    def update(self, given: dict[str, Any]) -> LoopsContact:
        """Upsert by e-mail or user id; with both, whoever has either gets the other one as well."""
        self._check(given, {})
        email, user_id = given.get("email"), given.get("userId")
        if not email and not user_id:
            raise LoopsError(400, "You must provide an email or userId.")
        contact = self.find(email, user_id)
        if contact is None:
            if not email:
                raise LoopsError(400, "A valid email is required to create a contact.")
            return self.create(given)
        other = next((c for c in self.contacts.values() if email and c.email == email.lower()), contact)
        if other is not contact:
            raise LoopsError(409, "Email or userId is already on list.")
        self._set(contact, given)
        return contact

    def delete(self, email: str | None, user_id: str | None) -> None:
        self._check({"email": email, "userId": user_id}, {})
        if (email is None) == (user_id is None):
            raise LoopsError(400, "Please provide either an email or a userId, not both.")
        contact = self.find(email, user_id)
        if contact is None:
            raise LoopsError(404, "This contact is not in your audience.")
        del self.contacts[contact.id]

    def unsubscribe(self, email: str) -> None:
        """The person did it; a poller cannot learn of it except by `find`."""
        contact = self.find(email, None)
        if contact is not None:
            contact.subscribed = False

    def suppress(self, email: str) -> None:
        """A hard bounce or a complaint."""
        self.suppressed.add(email.lower())

    def accept(self, sent: Sent, key: str | None) -> None:
        """Sends once; a key that was used in the last 24 hours is refused with 409."""
        now = self.clock().timestamp()
        if key is not None:
            if len(key) > 100:
                raise LoopsError(400, "The Idempotency-Key is longer than 100 characters.")
            if now - self.keys.get(key, -DAY) < DAY:
                raise LoopsError(409, "This Idempotency-Key has been used in the last 24 hours.")
            self.keys[key] = now
        self.sent.append(sent)

    def _set(self, contact: LoopsContact, given: dict[str, Any]) -> None:
        custom = {name: value for name, value in given.items() if name not in (*FIELDS, "mailingLists")}
        self._check(given, custom)
        if given.get("email"):
            contact.email = given["email"].lower()
        if given.get("userId"):
            contact.user_id = given["userId"]
        for name, column in (("firstName", "first_name"), ("lastName", "last_name")):
            if name in given:
                setattr(contact, column, given[name])
        contact.source = given.get("source", contact.source)
        contact.subscribed = given.get("subscribed", contact.subscribed)
        contact.user_group = given.get("userGroup", contact.user_group) or ""
        contact.mailing_lists = {
            name: True
            for name, wanted in {**contact.mailing_lists, **given.get("mailingLists", {})}.items()
            if wanted
        }
        held = {**contact.custom, **custom}
        contact.custom = {name: value for name, value in held.items() if value is not None}

    def _check(self, given: dict[str, Any], custom: dict[str, Any]) -> None:
        """Everything is looked at before anything is changed; null resets a property."""
        for name in FIELDS:
            kind = bool if name == "subscribed" else str
            if given.get(name) is not None and not isinstance(given[name], kind):
                raise LoopsError(400, f"{name} must be a {kind.__name__}.")
        for name, value in custom.items():
            if name not in self.properties:
                raise LoopsError(400, f"Property {name} does not exist.")
            if value is not None and not isinstance(value, KINDS[self.properties[name]]):
                raise LoopsError(400, f"Property {name} must be a {self.properties[name]}.")
        lists = given.get("mailingLists", {})
        if not isinstance(lists, dict) or any(name not in self.lists for name in lists):
            raise LoopsError(400, "Mailing list does not exist.")

    def _next(self, kind: str) -> str:
        self.made += 1
        return f"c{kind[0]}{self.made:023d}"
