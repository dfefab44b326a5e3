"""The queue of the day in words: what a thing is, how urgent, since when, and what its figures mean."""

from __future__ import annotations

from datetime import datetime

from ctower_desktop.gui.rowlines import RowLine
from ctower_desktop.gui.signals_words import type_words
from ctower_desktop.gui.text import ago, day, money, tr, trn, when
from ctower_desktop.kernel.system import from_text
from ctower_desktop.reports.queue import Kind, QueueItem

_TOKENS = {5: "danger", 4: "warning", 3: "info"}


def kind_words(kind: Kind) -> str:
    """What a kind of thing is called."""
    known: dict[Kind, str] = {
        "waiting": tr("Client waits"),
        "signal": tr("New signal"),
        "action": tr("To do"),
        "offer": tr("Offer to approve"),
        "outbound": tr("Message to approve"),
        "issue": tr("Overdue issue"),
        "alert": tr("System alert"),
    }
    return known[kind]


def count_words(kind: Kind, count: int) -> str:
    """How many of a kind there are."""
    known = {
        "waiting": trn("{n} client waits", "{n} clients wait", count),
        "signal": trn("{n} new signal", "{n} new signals", count),
        "action": trn("{n} thing to do", "{n} things to do", count),
        "offer": trn("{n} offer to approve", "{n} offers to approve", count),
        "outbound": trn("{n} message to approve", "{n} messages to approve", count),
        "issue": trn("{n} overdue issue", "{n} overdue issues", count),
        "alert": trn("{n} system alert", "{n} system alerts", count),
    }
    return known[kind]


def urgency_words(urgency: int) -> str:
    """How urgent a thing is."""
    known = {
        5: tr("at once"),
        4: tr("today"),
        3: tr("soon"),
        2: tr("this week"),
        1: tr("when there is time"),
    }
    return known[urgency]


def urgency_sentence(item: QueueItem) -> str:
    """How urgent it is, and why."""
    why = {
        "waiting": tr("A client is answered soon; after eight hours today, after two days at once."),
        "signal": tr("It is as urgent as the signal is severe."),
        "action": tr("It is as urgent as its priority, and one more when it is late."),
        "offer": tr("An offer waits for a decision; it is more urgent when it is about to expire."),
        "outbound": tr("A draft waits for a decision; one that did not go out needs you today."),
        "issue": tr("The longer it is overdue and the higher its priority, the more urgent it is."),
        "alert": tr("It is as urgent as the alert is severe."),
    }
    return tr(
        "Urgency {n} of 5, {word}. {why}",
        n=item.urgency,
        word=urgency_words(item.urgency),
        why=why[item.kind],
    )


def urgency_token(urgency: int) -> str:
    """The colour of an urgency; its figure and word stand beside it."""
    return _TOKENS.get(urgency, "text_3")


def line_of(item: QueueItem, now: datetime) -> RowLine:
    """A thing as the list shows it: what, for whom, since when."""
    parts = (
        kind_words(item.kind),
        about_words(item),
        item.project_name or tr("the whole tower"),
        due_words(item),
        tr("put aside until {time}", time=back_words(item, now)) if item.put_aside else "",
    )
    return RowLine(
        mark=str(item.urgency),
        token=urgency_token(item.urgency),
        title=item.title or tr("(no words)"),
        meta=" · ".join(part for part in parts if part),
        aside=ago(item.since, now) if "T" in item.since else day_words(item.since),
        strong=item.urgency >= 4,
    )


def about_words(item: QueueItem) -> str:
    """For whom it is, or what it is about."""
    if item.kind == "signal":
        return type_words(item.about)
    if item.kind == "offer":
        worth = money(item.amount, item.currency or "") if item.amount is not None else ""
        step = tr("send it") if item.status == "approved" else tr("approve the discount")
        return " · ".join(part for part in (item.about, worth, step) if part)
    if item.kind == "outbound" and item.status != "draft":
        words = tr("did not go out") if item.status == "failed" else tr("nobody knows whether it went out")
        return " · ".join(part for part in (item.about, words) if part)
    return item.about


def due_words(item: QueueItem) -> str:
    """By when, if that is known."""
    if not item.due:
        return ""
    named = day_words(item.due)
    if item.kind == "offer":
        return tr("valid until {day}", day=named)
    return tr("was due {day}", day=named) if item.late else tr("due {day}", day=named)


def back_words(item: QueueItem, now: datetime) -> str:
    """When it is back."""
    return when(item.until, now) if item.until else tr("something changes")


def day_words(told: str) -> str:
    """A day."""
    return day(from_text(told) if "T" in told else datetime.fromisoformat(told))
