"""What a synced row says, by plain rules: no model reads anything, nothing is guessed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ctower_desktop.knowledge.model import Fact, Node, SourceTable, Told
from ctower_desktop.knowledge.names import key, tidy

Row = Mapping[str, Any]
Said = tuple[Node | None, list[Fact]]

_WON = ("won", "выигр", "closed won")
_NAMELESS = 12  # characters of an id that stand for a name that is not there yet


def told(table: SourceTable, pk: str, row: Row, *, project_id: str, scope: str, at: str) -> Told:
    """Everything a row says."""
    owns, facts = _RULES[table](row)
    return Told(
        source_key=f"{table}:{pk}",
        project_id=project_id,
        account_scope_id=scope,
        at=at,
        owns=owns,
        facts=tuple(facts),
    )


def _name(row: Row, field: str) -> str:
    return tidy(str(row.get(field) or ""))


def _person(name: str) -> Node:
    """Somebody of the team, known by name only."""
    return Node(f"member:{key(name)}", name, "Member")


def _customer(row: Row, name: str, pk: str) -> Node:
    """Somebody at a customer; two rows with one address are one person."""
    email = str(row.get("email") or "").strip().lower()
    ref = f"email:{email}" if email else f"contact:{pk}"
    return Node(ref, tidy(name) or email or pk[-_NAMELESS:], "Person", (email,) if email else ())


def _company(name: str, *aliases: str) -> Node:
    return Node(f"company:{key(name)}", name, "Company", tuple(filter(None, aliases)))


def _value(kind: str, text: str) -> Node:
    """A stage, a date, an amount: the same words are the same thing."""
    return Node(f"{kind.lower()}:{key(text)}", text, kind)


def _linked(kind: str, ref: str, name: str, *aliases: str) -> Node:
    return Node(f"{kind.lower()}:{ref}", name or ref[-_NAMELESS:], kind, tuple(filter(None, aliases)))


def _amount(amount: object, currency: object) -> str:
    return f"{float(str(amount)):,.0f} {currency or ''}".replace(",", " ").strip() if amount else ""


def _maybe(facts: list[Fact], head: Node, relation: str, kind: str, text: str) -> None:
    if text:
        facts.append(Fact(head, relation, _value(kind, text)))


def _contact(row: Row) -> Said:
    own, facts = _customer(row, _name(row, "name"), row["id"]), []
    if company := _name(row, "company_name"):
        facts.append(Fact(own, "works_at", _company(company)))
    return own, facts


def _conversation(row: Row) -> Said:
    own = _linked(
        "Conversation", row["id"], _name(row, "subject") or f"Conversation {row['conversation_id']}"
    )
    facts = []
    if row.get("contact_pk"):
        asked = _customer({"email": row.get("contact_email")}, _name(row, "contact_name"), row["contact_pk"])
        facts.append(Fact(asked, "asked_about", own))
    if assignee := _name(row, "assignee_name"):
        facts.append(Fact(own, "assigned_to", _person(assignee)))
    _maybe(facts, own, "has_status", "Status", _name(row, "status"))
    return own, facts


def _vendor_company(row: Row) -> Said:
    return _company(_name(row, "name"), _name(row, "domain")), []


def _vendor_person(row: Row) -> Said:
    own, facts = _customer(row, _name(row, "full_name"), row["id"]), []
    if company := _name(row, "company_name"):
        facts.append(Fact(own, "works_at", _company(company)))
    return own, facts


def _selling(own: Node, row: Row, owner: str) -> Said:
    facts: list[Fact] = []
    if company := _name(row, "company_name"):
        facts.append(Fact(own, "belongs_to", _company(company)))
    stage = _name(row, "stage")
    if owner:
        facts.append(Fact(own, "owned_by", _person(owner)))
        if stage.lower().startswith(_WON):
            facts.append(Fact(_person(owner), "won", own))
    _maybe(facts, own, "has_stage", "Stage", stage)
    _maybe(facts, own, "worth", "Amount", _amount(row.get("amount"), row.get("currency")))
    return own, facts


def _deal(row: Row) -> Said:
    own = _linked("Deal", row["external_id"], _name(row, "title"))
    return _selling(own, row, _name(row, "owner_name"))


def _opportunity(row: Row) -> Said:
    own = _linked("Deal", row["external_ref"] or row["id"], _name(row, "title"))
    return _selling(own, row, _name(row, "owner_username"))


def _task(row: Row) -> Said:
    own, facts = _linked("Task", row["id"], _name(row, "content")[:120]), []
    if assignee := _name(row, "assignee_name"):
        facts.append(Fact(own, "assigned_to", _person(assignee)))
        if row.get("deadline_at"):
            facts.append(Fact(_person(assignee), "promised", own))
    if row.get("deal_ref"):
        facts.append(Fact(own, "part_of", _linked("Deal", row["deal_ref"], _name(row, "deal_title"))))
    _maybe(facts, own, "due_on", "Date", _name(row, "deadline_at")[:10])
    return own, facts


def _issue(row: Row) -> Said:
    own = _linked("Issue", row["external_id"], _name(row, "title"), _name(row, "identifier"))
    facts = []
    if assignee := _name(row, "assignee_name"):
        facts.append(Fact(own, "assigned_to", _person(assignee)))
    if ref := row.get("linear_project_external_id"):
        project = _linked("Project", ref, _name(row, "linear_project_name"))
        facts.append(Fact(own, "part_of", project))
    if ref := row.get("cycle_external_id"):
        facts.append(Fact(own, "part_of", _linked("Cycle", ref, _name(row, "cycle_name"))))
    if ref := row.get("parent_external_id"):
        facts.append(Fact(own, "subtask_of", _linked("Issue", ref, _name(row, "parent_title"))))
    _maybe(facts, own, "has_status", "Status", _name(row, "state"))
    _maybe(facts, own, "due_on", "Date", _name(row, "due_date")[:10])
    return own, facts


def _relation(row: Row) -> Said:
    head = _linked("Issue", row["issue_external_id"], _name(row, "title"), _name(row, "identifier"))
    tail = _linked("Issue", row["related_external_id"], _name(row, "related_title"))
    kind = {"blocks": "blocks", "duplicate": "duplicates"}.get(str(row["type"]), "related_to")
    return None, [Fact(head, kind, tail)]


def _cycle(row: Row) -> Said:
    name = _name(row, "name") or f"Cycle {row['number']}"
    own = _linked("Cycle", row["external_id"], name, f"Cycle {row['number']}")
    facts: list[Fact] = []
    _maybe(facts, own, "starts_on", "Date", _name(row, "starts_at")[:10])
    _maybe(facts, own, "ends_on", "Date", _name(row, "ends_at")[:10])
    return own, facts


def _project(row: Row) -> Said:
    own, facts = _linked("Project", row["external_id"], _name(row, "name")), []
    if lead := _name(row, "lead_name"):
        facts.append(Fact(_person(lead), "leads", own))
    _maybe(facts, own, "has_status", "Status", _name(row, "state"))
    _maybe(facts, own, "due_on", "Date", _name(row, "target_date")[:10])
    return own, facts


def _account(row: Row) -> Said:
    own, facts = _company(_name(row, "name"), _name(row, "domain")), []
    if owner := _name(row, "owner_username"):
        facts.append(Fact(own, "owned_by", _person(owner)))
    _maybe(facts, own, "has_stage", "Stage", _name(row, "stage"))
    return own, facts


def _offer(row: Row) -> Said:
    own, facts = _linked("Offer", row["id"], _name(row, "title")), []
    if company := _name(row, "company_name"):
        facts.append(Fact(own, "offered_to", _company(company)))
    if row.get("opportunity_id"):
        deal = _linked("Deal", row["deal_ref"] or row["opportunity_id"], _name(row, "deal_title"))
        facts.append(Fact(own, "part_of", deal))
    _maybe(facts, own, "has_status", "Status", _name(row, "status"))
    _maybe(facts, own, "worth", "Amount", _amount(row.get("total"), row.get("currency")))
    return own, facts


def _document(row: Row) -> Said:
    offer = _linked("Offer", row["offer_id"], _name(row, "title"))
    own = _linked("Document", str(row["id"]), f"{offer.name} ({row['format']})")
    return own, [Fact(own, "part_of", offer)]


_RULES: dict[SourceTable, Callable[[Row], Said]] = {
    "contact": _contact,
    "conversation": _conversation,
    "company": _vendor_company,
    "person": _vendor_person,
    "deal": _deal,
    "task": _task,
    "issue": _issue,
    "issue_relation": _relation,
    "cycle": _cycle,
    "work_project": _project,
    "crm_account": _account,
    "crm_opportunity": _opportunity,
    "offer": _offer,
    "offer_document": _document,
}
