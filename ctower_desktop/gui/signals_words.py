"""Signals, chances, tasks that follow and clients that are the same in words, and what figures mean."""

from __future__ import annotations

from datetime import datetime
from typing import get_args

from ctower_desktop.gui.detail import Target
from ctower_desktop.gui.text import day, number, tr
from ctower_desktop.insight.continuity.model import Action
from ctower_desktop.insight.identity.model import Side
from ctower_desktop.insight.signals.model import SignalType
from ctower_desktop.kernel.system import from_text

TYPES: tuple[SignalType, ...] = get_args(SignalType)


def type_words(kind: str) -> str:
    """What a kind of signal is called."""
    known = {
        "delivery_risk": tr("Delivery at risk"),
        "commercial_pressure": tr("Pressure on price"),
        "upsell_intent": tr("Wants more"),
        "urgency_increase": tr("Gets urgent"),
        "delivery_overdue": tr("Overdue work"),
        "deal_without_next_step": tr("Deal without a next step"),
        "communication_gap": tr("Client is silent"),
        "silence": tr("Client waits for us"),
        "scope_change": tr("Scope changes"),
        "approval_request": tr("Approval wanted"),
        "sentiment_trend": tr("Tone gets worse"),
    }
    return known.get(kind, kind)


def status_words(status: str) -> str:
    """What a state of a signal, an action or a chance is called."""
    known = {
        "proposed": tr("new"),
        "accepted": tr("accepted"),
        "dismissed": tr("dismissed"),
        "done": tr("done"),
        "cancelled": tr("cancelled"),
        "converted": tr("made an offer"),
        "previewed": tr("proposed"),
        "applied": tr("applied"),
        "failed": tr("failed"),
        "active": tr("linked"),
        "inactive": tr("undone"),
    }
    return known.get(status, status)


def status_token(status: str) -> str:
    """The colour of a state; its word stands beside it."""
    known = {"accepted": "info", "done": "success", "converted": "success", "applied": "success"}
    return known.get(status, "danger" if status == "failed" else "text_2")


def severity_words(severity: int) -> str:
    """How bad it is."""
    known = {1: tr("minor"), 2: tr("low"), 3: tr("noticeable"), 4: tr("serious"), 5: tr("critical")}
    return known.get(severity, str(severity))


def severity_token(severity: int) -> str:
    """The colour of a severity; its figure and word stand beside it."""
    return {5: "danger", 4: "warning", 3: "info"}.get(severity, "text_3")


def severity_sentence(severity: int) -> str:
    """A severity with what it means."""
    return tr(
        "Severity {n} of 5, {word}: how much harm it does if nobody acts.",
        n=severity,
        word=severity_words(severity),
    )


def percent(share: float) -> str:
    """A share of one in per cent."""
    return tr("{percent} %", percent=number(share * 100))


def confidence_sentence(confidence: float) -> str:
    """How sure a signal is, and why."""
    return tr(
        "{percent} sure that it is really so: it starts with the kind of signal and grows with the evidence.",
        percent=percent(confidence),
    )


def score_sentence(score: float) -> str:
    """The score of a chance, and what it follows from."""
    return tr(
        "Score {score} of 100: larger deals and clients who ask more than once come first.",
        score=number(score * 100),
    )


def sameness_sentence(confidence: float) -> str:
    """How sure a suggestion is that two are the same, and why."""
    return tr(
        "{percent} sure: an equal e-mail says most, then telephone and domain, a like name least.",
        percent=percent(confidence),
    )


def reason_words(reason: str) -> str:
    """Why two may be the same client."""
    known = {
        "matching_email": tr("The same e-mail address"),
        "matching_phone": tr("The same telephone number"),
        "matching_person_name": tr("The same name of a person"),
        "matching_email_domain": tr("The e-mail is at the company's domain"),
        "matching_person_company": tr("A person of this company has the same e-mail, telephone or name"),
        "email_domain_like_account_name": tr("The e-mail's domain sounds like the company"),
        "matching_contact_account_name": tr("The contact is called like the company"),
        "matching_contact_company_name": tr("The contact names this company"),
        "matching_account_project_name": tr("The company and the delivery project are called alike"),
    }
    return known.get(reason, reason)


def kind_of_side(side: Side) -> str:
    """What one of two is."""
    known = {
        "cw_contact": tr("Contact in Chatwoot"),
        "attio_account": tr("Company in Attio"),
        "attio_person": tr("Person in Attio"),
        "linear_project": tr("Project in Linear"),
    }
    return known[side.entity_type]


def name_of_side(side: Side) -> str:
    """What one of two is called."""
    return side.name or side.email or side.phone_number or side.entity_id


def source_words(action: Action) -> str:
    """Where a task that follows comes from."""
    known = {
        "attio": tr("from a deal in Attio"),
        "chatwoot": tr("promised in a conversation"),
        "manual": tr("from a deal here"),
    }
    return known[action.source_type]


def day_words(told: str | None) -> str:
    """A day, or that there is none."""
    if not told:
        return tr("no date")
    moment = from_text(told) if "T" in told else datetime.fromisoformat(told)
    return f"{day(moment)} {moment.year}"


def target_of_ref(ref: str, talk: str = "") -> Target | None:
    """The record an id of ours names; a message is shown in its conversation. None for what has no record."""
    match ref.partition(":")[0]:
        case "cw":
            return Target("conversation", ref)
        case "cwmsg":
            return Target("conversation", talk, ref) if talk else None
        case "linissue" | "issue":
            return Target("issue", ref)
        case "attiodeal" | "deal":
            return Target("deal", ref)
        case _:
            return None
