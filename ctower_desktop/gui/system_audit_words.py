"""The audit trail in words: what a line is about, what was done, how it ended."""

from __future__ import annotations

from collections.abc import Callable

from ctower_desktop.gui.text import tr

Words = Callable[[], str]

GROUPS: dict[str, Words] = {  # by the beginning of an action's name
    "auth": lambda: tr("Signing in"),
    "user": lambda: tr("People"),
    "api_key": lambda: tr("API keys"),
    "project": lambda: tr("Projects"),
    "connectors": lambda: tr("Connectors"),
    "job": lambda: tr("Jobs"),
    "alert": lambda: tr("Alerts"),
    "backup": lambda: tr("Backups"),
    "outbound": lambda: tr("Outbound"),
    "offer": lambda: tr("Offers"),
    "crm": lambda: tr("Accounts and deals"),
    "work": lambda: tr("Issues"),
    "signals": lambda: tr("Signals"),
    "nba": lambda: tr("Next actions"),
    "upsell": lambda: tr("Chances to sell more"),
    "identity": lambda: tr("Who is who"),
    "continuity": lambda: tr("From deal to work"),
    "risk": lambda: tr("Risks"),
    "analytics": lambda: tr("Charts"),
    "digest": lambda: tr("Digests"),
    "report": lambda: tr("Reports"),
    "report_template": lambda: tr("Report templates"),
    "costs": lambda: tr("Costs"),
    "kag": lambda: tr("Recommendations"),
    "lightrag": lambda: tr("Search"),
    "loops": lambda: tr("Loops"),
}
_MORE: dict[str, Words] = {"connector_error": lambda: tr("Connectors")}
_DONE: dict[str, Words] = {  # by the end of an action's name
    "acknowledge": lambda: tr("seen"),
    "apply": lambda: tr("applied"),
    "approve": lambda: tr("approved"),
    "approve_discount": lambda: tr("discount approved"),
    "approve_send": lambda: tr("approved for sending"),
    "assign_user": lambda: tr("somebody assigned"),
    "cancel": lambda: tr("cancelled"),
    "channel_test": lambda: tr("channel tested"),
    "confirm": lambda: tr("deletions confirmed"),
    "connect": lambda: tr("connected"),
    "contacts_sync": lambda: tr("contacts told"),
    "create": lambda: tr("created"),
    "dead_cleanup": lambda: tr("cleaned up"),
    "dead_letter_retry": lambda: tr("tried again"),
    "delete": lambda: tr("deleted"),
    "disconnect": lambda: tr("disconnected"),
    "dismiss": lambda: tr("dismissed"),
    "draft": lambda: tr("drafted"),
    "edit": lambda: tr("edited"),
    "extract": lambda: tr("looked for"),
    "generate": lambda: tr("written"),
    "link": lambda: tr("linked"),
    "link_undo": lambda: tr("link taken back"),
    "login": lambda: tr("signed in"),
    "login_failed": lambda: tr("could not sign in"),
    "logout": lambda: tr("signed out"),
    "new_version": lambda: tr("new version"),
    "opt_out": lambda: tr("opted out"),
    "password_change": lambda: tr("password changed"),
    "pause": lambda: tr("paused"),
    "preview": lambda: tr("looked at beforehand"),
    "refresh": lambda: tr("counted anew"),
    "reject": lambda: tr("rejected"),
    "release": lambda: tr("given back to the vendor"),
    "resolve": lambda: tr("settled"),
    "restore": lambda: tr("restored"),
    "resume": lambda: tr("resumed"),
    "retry": lambda: tr("tried again"),
    "retry_errors": lambda: tr("tried again"),
    "revoke": lambda: tr("revoked"),
    "run": lambda: tr("run"),
    "scheduler_tick": lambda: tr("due jobs run"),
    "select": lambda: tr("opened"),
    "send": lambda: tr("sent"),
    "session_revoke": lambda: tr("session ended"),
    "set": lambda: tr("bindings set"),
    "sign": lambda: tr("signed"),
    "sign_out": lambda: tr("signed out by an owner"),
    "stage_update": lambda: tr("stage changed"),
    "status_update": lambda: tr("status changed"),
    "sync_all": lambda: tr("everything read"),
    "sync_one": lambda: tr("one source read"),
    "unassign_user": lambda: tr("somebody taken off"),
    "update": lambda: tr("changed"),
}
_OUTCOMES: dict[str, Words] = {
    "ok": lambda: tr("went well"),
    "failed": lambda: tr("failed"),
    "partial": lambda: tr("partly"),
    "blocked": lambda: tr("held back"),
}


def group_of(action: str) -> str:
    """What a line is about."""
    beginning = action.partition(".")[0]
    words = GROUPS.get(beginning) or _MORE.get(beginning)
    if words is None and beginning.startswith("recommendation"):
        words = GROUPS["kag"]
    return words() if words else beginning.replace("_", " ")


def done_words(action: str) -> str:
    """What was done."""
    end = action.rpartition(".")[2]
    words = _DONE.get(end)
    return words() if words else end.replace("_", " ")


def outcome_words(status: str) -> str:
    """How it ended."""
    words = _OUTCOMES.get(status)
    return words() if words else status
