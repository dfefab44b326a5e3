"""What recommendations say, in Russian and English. Pure."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from ctower_desktop.insight.kag.model import Category
from ctower_desktop.kernel.regional import Language


class Words(msgspec.Struct, frozen=True):
    """The texts of one category; braces name facts."""

    title: str
    rationale: str
    why_now: str
    impact: str
    template: str


TEMPLATES: dict[Category, str] = {
    "waiting_on_client": "waiting_on_client_follow_up",
    "scope_creep_change_request": "scope_creep_change_request",
    "delivery_risk": "delivery_risk_escalation",
    "finance_risk": "finance_risk_review",
    "upsell_opportunity": "upsell_offer_pitch",
    "winback": "winback_outreach",
}

_ENGLISH: dict[Category, Words] = {
    "waiting_on_client": Words(
        "Remind the client: no answer for {waiting_days} d",
        "Our last message has waited {waiting_days} days for an answer{approval}.",
        "The longer the silence, the later everything that follows{stage}.",
        "Work goes on, and the date is kept.",
        "Hello! A short reminder about our last message in “{client_name}”{stage}: we need your answer to "
        "go on. It has been {waiting_days} days; if something is unclear, we can settle it in a ten-minute "
        "call. When would suit you?",
    ),
    "scope_creep_change_request": Words(
        "Agree on a change request: {out_of_scope_count} requests beyond the scope",
        "Within a week {out_of_scope_count} of {client_requests} client messages asked for more than was "
        "agreed.",
        "Work beyond the scope eats the margin quietly, a little every day.",
        "Extra work is paid for, or moved to a later stage.",
        "Hello! This week you asked for {out_of_scope_count} things that go beyond what we agreed for "
        "“{client_name}”. We will gladly do them: we suggest a separate estimate with hours and dates. "
        "Shall we send it for approval?",
    ),
    "delivery_risk": Words(
        "Clear what holds up delivery",
        "Open blockers: {blockers_count}, on average {blockers_age} d old; the stage is {stage_overdue} d "
        "late{stage}.",
        "The chance that delivery slips within a week is {probability}.",
        "Blockers have owners and dates, and the plan is true again.",
        "Team, “{client_name}” has {blockers_count} open blockers, on average {blockers_age} days "
        "old{stage}. Today: an owner and a date for each, and a decision which stage moves. We tell the "
        "client by the end of the day.",
    ),
    "finance_risk": Words(
        "Review the budget",
        "Spent: {burn} of the plan ({actual_cost} of {planned_budget} {currency}); margin at risk: {margin}.",
        "The chance of a loss within a week is {probability}.",
        "The project stays within its budget, or the budget is agreed anew.",
        "“{client_name}”: {actual_cost} of {planned_budget} {currency} is spent ({burn}). Please check what "
        "is left to do, which work was not planned, and what can be billed. The decision is due in two days.",
    ),
    "upsell_opportunity": Words(
        "Make an offer: the client needs more",
        "Within a week the client spoke of something new {needs_count} times; the chance to sell more is "
        "{upsell_score} of 100.",
        "The need was said aloud, and the project is in good shape.",
        "More work for a client who is content.",
        "Hello! You mentioned that you would like more than we do for “{client_name}” now. We have put "
        "together an option with scope, dates and price. May we show it in a short call this week?",
    ),
    "winback": Words(
        "Win the client back before they leave",
        "The chance to lose the client within two weeks is {probability}; similar "
        "projects where that happened: {cases_count}.",
        "In similar projects the client was lost soon after such signs.",
        "The client stays, and we know what they were missing.",
        "Hello! We would like to talk about how our work on “{client_name}” goes: what went well, what did "
        "not, and what we change. Half an hour is enough. Which day suits you?",
    ),
}
_RUSSIAN: dict[Category, Words] = {
    "waiting_on_client": Words(
        "Напомнить клиенту: нет ответа {waiting_days} дн.",
        "Наше последнее сообщение ждёт ответа {waiting_days} дн.{approval}",
        "Чем дольше тишина, тем позже всё, что за ней следует{stage}.",
        "Работа продолжается, срок соблюдён.",
        "Здравствуйте! Напоминаем о нашем последнем сообщении по проекту «{client_name}»{stage}: без вашего "
        "ответа мы не можем двигаться дальше. Прошло дней: {waiting_days}. Если что-то неясно, решим за "
        "десять минут по телефону. Когда вам удобно?",
    ),
    "scope_creep_change_request": Words(
        "Согласовать доработки: запросов сверх объёма — {out_of_scope_count}",
        "За неделю сверх согласованного просили {out_of_scope_count} раз (всего сообщений клиента: "
        "{client_requests}).",
        "Работа сверх объёма незаметно съедает маржу, каждый день понемногу.",
        "Дополнительная работа оплачена или перенесена на следующий этап.",
        "Здравствуйте! На этой неделе появились пожелания сверх согласованного объёма по проекту "
        "«{client_name}»: {out_of_scope_count}. С радостью сделаем; предлагаем отдельную оценку с часами и "
        "сроками. Прислать на согласование?",
    ),
    "delivery_risk": Words(
        "Убрать то, что держит сдачу",
        "Открытых блокеров: {blockers_count}, в среднем по {blockers_age} дн.; этап опаздывает на "
        "{stage_overdue} дн.{stage}",
        "Вероятность срыва сдачи в течение недели — {probability}.",
        "У каждого блокера есть ответственный и срок, план снова верен.",
        "Коллеги, в проекте «{client_name}» открытых блокеров: {blockers_count}, в среднем по {blockers_age} "
        "дн.{stage} Сегодня: ответственный и срок для каждого и решение, какой этап сдвигаем. Клиенту "
        "сообщаем до конца дня.",
    ),
    "finance_risk": Words(
        "Пересмотреть бюджет",
        "Потрачено {burn} от плана ({actual_cost} из {planned_budget} {currency}); маржа под угрозой: "
        "{margin}.",
        "Вероятность убытка в течение недели — {probability}.",
        "Проект укладывается в бюджет, или бюджет согласован заново.",
        "Проект «{client_name}»: потрачено {actual_cost} из {planned_budget} {currency} ({burn}). Проверьте, "
        "что осталось сделать, какие работы были вне плана и что можно выставить в счёт. Решение нужно через "
        "два дня.",
    ),
    "upsell_opportunity": Words(
        "Сделать предложение: клиенту нужно больше",
        "За неделю клиент говорил о новом {needs_count} раз; шанс на допродажу — {upsell_score} из 100.",
        "Потребность названа вслух, и проект идёт хорошо.",
        "Больше работы с довольным клиентом.",
        "Здравствуйте! Вы говорили, что хотели бы больше того, что мы сейчас делаем по проекту "
        "«{client_name}». Мы подготовили вариант с составом работ, сроками и ценой. Можно показать его на "
        "этой неделе коротким созвоном?",
    ),
    "winback": Words(
        "Вернуть клиента, пока он не ушёл",
        "Вероятность потерять клиента за две недели — {probability}; так было в похожих проектах: "
        "{cases_count}.",
        "В похожих проектах клиента теряли вскоре после таких признаков.",
        "Клиент остаётся, и мы знаем, чего ему не хватало.",
        "Здравствуйте! Хотим обсудить, как идёт работа по проекту «{client_name}»: что получилось, что нет "
        "и что мы меняем. Хватит получаса. В какой день вам удобно?",
    ),
}
_WORDS: dict[Language, dict[Category, Words]] = {"en": _ENGLISH, "ru": _RUSSIAN}
_ASIDES: dict[Language, dict[str, str]] = {
    "en": {"stage": " (stage “{name}”)", "approval": "; an approval is open"},
    "ru": {"stage": " (этап «{name}»)", "approval": " Ждём согласования."},
}


def number(value: float) -> str:
    """A figure as people write it: no digits that say nothing."""
    return f"{value:.1f}".rstrip("0").rstrip(".") if value != round(value) else f"{value:.0f}"


def percent(value: float) -> str:
    """A share as people write it."""
    return f"{value * 100:.0f} %"


def said(
    category: Category,
    language: Language,
    facts: Mapping[str, str],
    *,
    stage: str = "",
    approval: bool = False,
) -> Words:
    """The texts of a category with the facts in them. Facts are put in as they are, braces and all."""
    asides = _ASIDES[language]
    known = {
        **facts,
        "stage": asides["stage"].format(name=stage) if stage else "",
        "approval": asides["approval"] if approval else "",
    }
    words = _WORDS[language][category]
    return Words(*(str(getattr(words, name)).format_map(known) for name in words.__struct_fields__))
