"""Which contacts, companies, people and delivery projects may be the same client, and what speaks for it."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import msgspec

from ctower_desktop.insight.identity import names
from ctower_desktop.insight.identity.model import Candidate, LeftType, RightType

LEAST_ACCOUNT, LEAST_PROJECT = 0.72, 0.65
_DOMAIN, _SUBDOMAIN, _SHARED_DOMAIN = 0.95, 0.9, 0.8
_WORKS_THERE, _LIKE_DOMAIN = 0.92, 0.8
_SAME_EMAIL, _SAME_PHONE, _SAME_PERSON, _NAMESAKE = 1.0, 0.95, 0.9, 0.8
_CROWD = 60  # rows one key may bring: what more share tells nobody apart


class Contact(msgspec.Struct, frozen=True):
    """Somebody who writes."""

    id: str
    name: str | None
    email: str | None
    phone_number: str | None
    company_name: str | None


class Company(msgspec.Struct, frozen=True):
    """A company as the CRM has it."""

    id: str
    external_id: str
    name: str
    domain: str | None


class Person(msgspec.Struct, frozen=True):
    """A person as the CRM has them."""

    id: str
    account_external_id: str | None
    full_name: str | None
    email: str | None
    phone_number: str | None


class Delivery(msgspec.Struct, frozen=True):
    """A project as the delivery team has it."""

    id: str
    name: str


class Rows(msgspec.Struct, frozen=True):
    """Everything that may be the same client."""

    contacts: list[Contact]
    companies: list[Company]
    people: list[Person]
    projects: list[Delivery]


@dataclass(slots=True)
class _Found:
    """The best reason for a pair, and all that speaks for it."""

    confidence: float = 0.0
    reason: str = ""
    evidence: set[str] = field(default_factory=set)
    meta: dict[str, Any] = field(default_factory=dict)

    def add(self, confidence: float, reason: str, evidence: str) -> None:
        if confidence > self.confidence:
            self.confidence, self.reason = confidence, reason
        self.evidence.add(evidence)


class _Index:
    """Rows by what they are looked up by."""

    def __init__(self) -> None:
        self._rows: dict[str, list[Any]] = defaultdict(list)

    def put(self, key: str, row: Any) -> None:
        if key:
            self._rows[key].append(row)

    def get(self, key: str) -> list[Any]:
        found = self._rows.get(key, []) if key else []
        return found if len(found) <= _CROWD else []


def candidates(rows: Rows) -> list[Candidate]:
    """Every pair that is worth a suggestion, the surest first."""
    companies, people = _Companies(rows.companies), _People(rows.people)
    found: list[Candidate] = []
    for contact in rows.contacts:
        same = people.of(contact)
        found += _contact_people(contact, same)
        found += _contact_companies(contact, companies, same)
    for project in rows.projects:
        found += _project_companies(project, companies)
    return sorted(found, key=lambda one: (-one.confidence, one.dedupe_key))


class _Companies:
    """Companies by domain, by the words of their names, by the vendor's id."""

    def __init__(self, rows: Iterable[Company]) -> None:
        self.by_domain, self.by_word, self.by_ref = _Index(), _Index(), _Index()
        for row in rows:
            self.by_domain.put(names.site_of(row.domain), row)
            self.by_ref.put(row.external_id, row)
            for key in names.blocking_keys(row.name):
                self.by_word.put(key, row)

    def named_like(self, name: str | None) -> list[Company]:
        """Companies whose name shares a telling word with this one, each once."""
        found = {row.id: row for key in names.blocking_keys(name or "") for row in self.by_word.get(key)}
        return list(found.values())


class _People:
    """People by e-mail, by telephone and by name."""

    def __init__(self, rows: Iterable[Person]) -> None:
        self.by_email, self.by_phone, self.by_name = _Index(), _Index(), _Index()
        for row in rows:
            self.by_email.put((row.email or "").strip().lower(), row)
            self.by_phone.put(names.digits(row.phone_number), row)
            self.by_name.put(names.person_key(row.full_name or ""), row)

    def of(self, contact: Contact) -> dict[str, tuple[Person, _Found]]:
        """Who may be this contact, and why."""
        found: dict[str, tuple[Person, _Found]] = {}

        def add(person: Person, confidence: float, reason: str, evidence: str) -> None:
            found.setdefault(person.id, (person, _Found()))[1].add(confidence, reason, evidence)

        email, phone = (contact.email or "").strip().lower(), names.digits(contact.phone_number)
        for person in self.by_email.get(email):
            add(person, _SAME_EMAIL, "matching_email", f"email:{email}")
        for person in self.by_phone.get(phone):
            add(person, _SAME_PHONE, "matching_phone", f"phone:{phone}")
        name = names.person_key(contact.name or "")
        for person in self.by_name.get(name):
            domain = names.domain_of(email)
            together = bool(domain) and domain == names.domain_of(person.email)
            add(person, _SAME_PERSON if together else _NAMESAKE, "matching_person_name", f"name:{name}")
        return found


def _contact_people(contact: Contact, same: dict[str, tuple[Person, _Found]]) -> Iterator[Candidate]:
    for person, found in same.values():
        found.meta = {"contact_name": contact.name, "person_name": person.full_name}
        yield _candidate("cw_contact", contact.id, "attio_person", person.id, found)


def _contact_companies(
    contact: Contact, companies: _Companies, same: dict[str, tuple[Person, _Found]]
) -> Iterator[Candidate]:
    found: dict[str, tuple[Company, _Found]] = {}

    def add(company: Company, confidence: float, reason: str, evidence: str) -> None:
        found.setdefault(company.id, (company, _Found()))[1].add(confidence, reason, evidence)

    domain = names.domain_of(contact.email)
    for site, sure in _sites(domain):
        rows = companies.by_domain.get(site)
        weight = sure if len(rows) == 1 else _SHARED_DOMAIN  # several companies at one domain
        for company in rows:
            add(company, weight, "matching_email_domain", f"domain:{site}")
    for person, why in same.values():
        for company in companies.by_ref.get(person.account_external_id or ""):
            if why.confidence >= _SAME_PHONE:
                add(company, _WORKS_THERE, "matching_person_company", f"person:{person.id}")
    label = domain.rsplit(".", 1)[0].rsplit(".", 1)[-1]
    for company in companies.named_like(label.replace("-", " ")):
        if company.id not in found and names.alike(label.replace("-", " "), company.name) >= names.LIKE:
            add(company, _LIKE_DOMAIN, "email_domain_like_account_name", f"label:{label}")
    for name, reason in (
        (contact.name, "matching_contact_account_name"),
        (contact.company_name, "matching_contact_company_name"),
    ):
        for company in companies.named_like(name):
            sure = names.alike(name or "", company.name)
            if sure >= LEAST_ACCOUNT and (sure >= names.LIKE or " " in (name or "").strip()):
                add(company, sure, reason, f"name:{names.spoken(name or '')}={names.spoken(company.name)}")
    for company, why in found.values():
        why.meta = {
            "contact_name": contact.name,
            "account_name": company.name,
            "contact_domain": domain or None,
            "account_domain": names.site_of(company.domain) or None,
        }
        yield _candidate("cw_contact", contact.id, "attio_account", company.id, why)


def _sites(domain: str) -> Iterator[tuple[str, float]]:
    """The domain, then the domains above it, which say a little less."""
    parts = domain.split(".") if domain else []
    for at in range(len(parts) - 1):
        yield ".".join(parts[at:]), _SUBDOMAIN if at else _DOMAIN


def _project_companies(project: Delivery, companies: _Companies) -> Iterator[Candidate]:
    for company in companies.named_like(project.name):
        sure = names.alike(company.name, project.name)
        if sure >= LEAST_PROJECT:
            why = _Found(meta={"account_name": company.name, "project_name": project.name})
            evidence = f"name:{names.spoken(company.name)}={names.spoken(project.name)}"
            why.add(sure, "matching_account_project_name", evidence)
            yield _candidate("attio_account", company.id, "linear_project", project.id, why)


def _candidate(left_type: LeftType, left: str, right_type: RightType, right: str, why: _Found) -> Candidate:
    return Candidate(
        left_entity_type=left_type,
        left_entity_id=left,
        right_entity_type=right_type,
        right_entity_id=right,
        confidence=round(why.confidence, 4),
        reason=why.reason,
        dedupe_key=dedupe_key(left_type, left, right_type, right),
        evidence_refs=[left, right],
        meta=why.meta,
        evidence_key="\n".join(sorted(why.evidence)),
    )


def dedupe_key(left_type: str, left: str, right_type: str, right: str) -> str:
    """One key for a pair, whichever comes first."""
    pair = sorted((f"{left_type}:{left}", f"{right_type}:{right}"))
    return hashlib.sha1("|".join(pair).encode(), usedforsecurity=False).hexdigest()


def says_more(evidence: str, than: str) -> bool:
    """Whether something speaks for a pair that did not when somebody decided about it."""
    return not set(evidence.split("\n")) <= set(than.split("\n"))
