"""Figures of the portfolio in words: what each is called, and what it means."""

from __future__ import annotations

from ctower_desktop.gui.text import tr


def title_words(figure: str) -> str:
    """What a figure is called."""
    known = {
        "health": tr("Health"),
        "unanswered": tr("Clients who wait"),
        "messages": tr("Messages of 7 days"),
        "open_issues": tr("Open issues"),
        "overdue": tr("Overdue issues"),
        "completed": tr("Finished issues"),
        "pipeline": tr("Open deals"),
        "won": tr("Won deals"),
        "risks": tr("Open risks"),
        "agreements": tr("Agreements and signed offers"),
        "signed": tr("Signed offers"),
        "costs": tr("Budget and costs"),
        "upsell": tr("Chances to sell more"),
        "completeness": tr("Completeness of the sync"),
        "response": tr("Time to an answer"),
        "value": tr("Client value"),
    }
    return known[figure]


def meaning(figure: str) -> str:
    """What a figure means, and how it is counted."""
    known = {
        "health": tr(
            "100 less the pressure of open signals (severity times confidence, at most 40) and of overdue"
            " issues (2 for each, at most 30)."
        ),
        "unanswered": tr("Rows of client messages in open conversations that nobody has answered."),
        "messages": tr("What clients and the team said in seven days; private notes are left out."),
        "open_issues": tr(
            "Issues that are neither finished nor cancelled; the last changed 500 are looked at."
        ),
        "overdue": tr("Unfinished issues whose due day is over."),
        "completed": tr("Issues by the week in which they were finished."),
        "pipeline": tr(
            "Open deals of Attio and of your own; what is expected is each amount by its probability."
        ),
        "won": tr("Deals that were won."),
        "risks": tr("Risks on the radar that are not closed."),
        "agreements": tr("Messages that speak of agreements, and offers that clients signed, by week."),
        "signed": tr("Offers that clients signed."),
        "costs": tr("What was planned and what was spent, as entered under Risks & analytics."),
        "upsell": tr("Mean score of chances to sell more: larger deals and repeated wishes score higher."),
        "completeness": tr("How much of what the sources hold is here, when it was counted last."),
        "response": tr("Minutes from the first message of a row to the first answer, each row once."),
        "value": tr(
            "0 to 100: 22, and up to 28 for expected revenue, 16 for messages of 7 days, 42 for health, less"
            " up to 30 for open risks. It says how far a discount may go."
        ),
    }
    return known[figure]


def source_words(source: str) -> str:
    """Where a risk comes from."""
    known = {
        "risk_radar": tr("radar"),
        "signal": tr("signal"),
        "risk_pattern": tr("pattern"),
    }
    return known.get(source, source)
