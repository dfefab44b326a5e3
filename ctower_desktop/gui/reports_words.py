"""Digests, reports, templates and mails in words."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from ctower_desktop.gui.text import day, tr
from ctower_desktop.reports.model import Mail


def section_words(section: str) -> str:
    """What a section of a report is called."""
    known = {
        "summary_stats": tr("Summary"),
        "connector_health": tr("Sources"),
        "project_activity": tr("What happened in the project"),
        "embedding_coverage": tr("How much can be searched"),
        "error_summary": tr("Errors"),
    }
    return known.get(section, section)


def section_sentence(section: str) -> str:
    """What a section holds."""
    known = {
        "summary_stats": tr("Messages, issues, deals and health of the days of the report."),
        "connector_health": tr("How far every source was read, and what went wrong."),
        "project_activity": tr("Signals, messages and issues of the days of the report."),
        "embedding_coverage": tr("Which share of the texts is found by meaning."),
        "error_summary": tr("Failed runs and failed synchronisations of seven days."),
    }
    return known.get(section, section)


def report_status_words(status: str) -> str:
    """What a state of a report is called."""
    known = {
        "pending": tr("waits to be made"),
        "generating": tr("is being made"),
        "completed": tr("made"),
        "failed": tr("failed"),
    }
    return known.get(status, status)


def format_words(form: str) -> str:
    """In which form a report is kept."""
    return {"json": tr("Figures"), "html": tr("Figures and a page")}.get(form, form)


def mail_kind_words(kind: str) -> str:
    """What a mailed digest is called."""
    known = {
        "daily_plan": tr("Plan for the day"),
        "daily_results": tr("Results of the day"),
        "weekly_plan": tr("Plan for the week"),
        "weekly_results": tr("Results of the week"),
    }
    return known.get(kind, kind)


def mail_status_words(mail: Mail) -> str:
    """What became of a mailed digest."""
    known = {
        "sending": tr("on its way"),
        "sent": tr("sent"),
        "failed": tr("not sent"),
        "uncertain": tr("nobody knows"),
    }
    return known[mail.status]


def day_of(told: str) -> str:
    """A day with its year."""
    found = datetime.fromisoformat(told)
    return f"{day(found)} {found.year}"


def week_of(monday: str) -> str:
    """A week by its first and last day."""
    first = date.fromisoformat(monday)
    return tr("{first} – {last}", first=day_of(monday), last=day_of((first + timedelta(days=6)).isoformat()))


def range_of(first: str, last: str) -> str:
    """Days from one to another."""
    return day_of(first) if first == last else tr("{first} – {last}", first=day_of(first), last=day_of(last))
