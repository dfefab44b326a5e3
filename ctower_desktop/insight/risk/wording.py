"""What risks are called and what helps against them, in Russian and English. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from ctower_desktop.kernel.regional import Language

_PLAYBOOKS: Mapping[Language, Mapping[str, list[str]]] = {
    "en": {
        "delivery_risk_cluster": [
            "Go through the open signals and confirm the real ones",
            "Agree with the team on the two issues that unblock most",
            "Tell the client what changes and by when, in writing",
            "Look at health again in two days",
        ],
        "deadline_slippage": [
            "Re-plan every overdue issue: a new date, or out of scope",
            "Ask assignees what they wait for",
            "Tell the client about dates that moved before they ask",
            "Keep a daily check until nothing is overdue",
        ],
        "blocked_work": [
            "List what blocks and who can remove it",
            "Escalate blockers older than two days",
            "Give people who wait other work",
            "Check blockers at every stand-up",
        ],
        "budget_overrun": [
            "Compare what was spent with what was delivered",
            "Stop work that was not agreed on",
            "Prepare a change request or a smaller scope",
            "Agree on the next budget limit with the client",
        ],
        "scope_growth": [
            "Write down every request beyond the agreement",
            "Estimate each one in hours and money",
            "Offer a change request or a later phase",
            "Start extra work only after approval",
        ],
    },
    "ru": {
        "delivery_risk_cluster": [
            "Разобрать открытые сигналы и подтвердить настоящие",
            "Выбрать с командой две задачи, которые больше всего тормозят остальные",
            "Письменно сказать клиенту, что меняется и к какому сроку",
            "Посмотреть на здоровье проекта ещё раз через два дня",
        ],
        "deadline_slippage": [
            "Перепланировать каждую просроченную задачу: новый срок или вне объёма",
            "Спросить исполнителей, чего они ждут",
            "Сказать клиенту о сдвинутых сроках раньше, чем он спросит",
            "Проверять каждый день, пока просроченных не останется",
        ],
        "blocked_work": [
            "Выписать, что мешает и кто может это убрать",
            "Поднять выше всё, что мешает дольше двух дней",
            "Дать тем, кто ждёт, другую работу",
            "Спрашивать о помехах на каждой планёрке",
        ],
        "budget_overrun": [
            "Сравнить, сколько потрачено и что за это сделано",
            "Остановить работы, которые не согласованы",
            "Подготовить запрос на изменение или сократить объём",
            "Согласовать с клиентом следующий предел бюджета",
        ],
        "scope_growth": [
            "Записать каждую просьбу сверх договорённости",
            "Оценить каждую в часах и деньгах",
            "Предложить доплату или следующий этап",
            "Начинать сверхобъёмное только после согласования",
        ],
    },
}


def playbook(key: str, language: Language) -> list[str]:
    """What helps, the first step first."""
    return list(_PLAYBOOKS[language][key])


def first_steps(key: str) -> list[str]:
    """The first step in every language: a mitigation that is one of them was not written by a person."""
    return [playbooks[key][0] for playbooks in _PLAYBOOKS.values()]


def pressure(total: float, signals: int, overdue: int, language: Language) -> str:
    """Open signals and overdue work weigh on health."""
    if language == "ru":
        return (
            f"Давление на проект {_decimal(total, language)} из 70: "
            f"{_n(signals, 'открытый сигнал', 'открытых сигнала', 'открытых сигналов')}, "
            f"{_n(overdue, 'просроченная задача', 'просроченные задачи', 'просроченных задач')}"
        )
    return f"Delivery pressure {total:g} of 70: {_s(signals, 'open signal')}, {_s(overdue, 'overdue issue')}"


def slippage(overdue: int, language: Language) -> str:
    """Deadlines slip."""
    if language == "ru":
        return f"Сроки срываются: {_n(overdue, 'задача просрочена', 'задачи просрочены', 'задач просрочено')}"
    return f"Deadlines slip: {_s(overdue, 'issue')} overdue"


def stuck(blocked: int, language: Language) -> str:
    """Work is blocked."""
    if language == "ru":
        kinds = ("задача заблокирована", "задачи заблокированы", "задач заблокировано")
        return f"Работа стоит: {_n(blocked, *kinds)}"
    return f"Work is stuck: {_s(blocked, 'issue')} blocked"


def spent(percent: float, budget: float, currency: str, language: Language) -> str:
    """Most of the budget, or more than it, is spent."""
    if language == "ru":
        amount = f"{budget:,.0f}".replace(",", "\N{NO-BREAK SPACE}")
        return f"Бюджет: потрачено {percent:g}\N{NO-BREAK SPACE}% от {amount}\N{NO-BREAK SPACE}{currency}"
    return f"Budget: {percent:g}% of {budget:,.0f} {currency} spent"


def growth(requests: int, language: Language) -> str:
    """The client asks for more than was agreed."""
    if language == "ru":
        return f"Объём растёт: {_n(requests, 'просьба', 'просьбы', 'просьб')} сверх договорённости"
    return f"Scope grows: {_s(requests, 'request')} beyond the agreement"


def _decimal(value: float, language: Language) -> str:
    return f"{value:g}".replace(".", ",") if language == "ru" else f"{value:g}"


def _s(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _n(count: int, one: str, few: str, many: str) -> str:
    if count % 10 == 1 and count % 100 != 11:
        return f"{count} {one}"
    return f"{count} {few if count % 10 in (2, 3, 4) and count % 100 not in (12, 13, 14) else many}"
