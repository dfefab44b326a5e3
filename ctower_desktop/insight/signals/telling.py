"""What happened, in plain words, in the language of the evidence."""

from __future__ import annotations

from collections.abc import Sequence

from ctower_desktop.insight.signals.model import Evidence, Language, SignalType

_SHORT = 140
_MONTHS: dict[Language, str] = {
    "en": "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec",
    "ru": "января февраля марта апреля мая июня июля августа сентября октября ноября декабря",
}
_HEARD: dict[Language, dict[SignalType, str]] = {
    "en": {
        "delivery_risk": "{who} speaks of a delay or a blocker",
        "commercial_pressure": "{who} speaks of price or budget",
        "upsell_intent": "{who} asks for more than was ordered",
        "urgency_increase": "{who} says it is urgent",
        "scope_change": "The scope changes, says {who}",
        "approval_request": "{who} asks for approval",
    },
    "ru": {
        "delivery_risk": "{who} пишет о задержке или о том, что мешает работе",
        "commercial_pressure": "{who} пишет о цене или бюджете",
        "upsell_intent": "{who} хочет больше, чем заказано",
        "urgency_increase": "{who} пишет, что это срочно",
        "scope_change": "{who} пишет об изменении объёма работ",
        "approval_request": "{who} просит согласования",
    },
}
_SOMEBODY: dict[Language, str] = {"en": "The client", "ru": "Клиент"}
_TODO: dict[Language, dict[str, str]] = {
    "en": {
        "review_delivery_blockers": "Find out what holds delivery up and agree on a new date",
        "prepare_pricing_response": "Prepare an answer about the price",
        "prepare_upsell_offer": "Prepare an offer for what the client asks for",
        "align_priority_and_timeline": "Agree on priority and time with the client",
        "agree_scope_change": "Estimate the change and have it agreed",
        "follow_up_approval": "See that the approval is given",
        "answer_client": "Answer the client",
        "talk_to_client": "Call the client: the tone gets worse",
        "triage_signal": "Look into it and decide",
    },
    "ru": {
        "review_delivery_blockers": "Выяснить, что задерживает работу, и согласовать новый срок",
        "prepare_pricing_response": "Подготовить ответ о цене",
        "prepare_upsell_offer": "Подготовить предложение на то, о чём просит клиент",
        "align_priority_and_timeline": "Согласовать с клиентом приоритет и срок",
        "agree_scope_change": "Оценить изменение и согласовать его",
        "follow_up_approval": "Добиться согласования",
        "answer_client": "Ответить клиенту",
        "talk_to_client": "Позвонить клиенту: тон ухудшается",
        "triage_signal": "Разобраться и решить, что делать",
    },
}


def day(at: str, language: Language) -> str:
    """A stored time as people name its day."""
    month = _MONTHS[language].split()[int(at[5:7]) - 1]
    return f"{int(at[8:10])} {month}"


def quoted(text: str, language: Language) -> str:
    """A sentence in quotation marks, cut to what a list has room for."""
    short = text if len(text) <= _SHORT else text[: _SHORT - 1].rstrip() + "…"
    if language == "ru":
        return f"«{short.replace('«', '„').replace('»', '“')}»"  # quotation marks within are other ones
    return f"“{short.replace('“', '‘').replace('”', '’')}”"


def money(amount: float, currency: str | None, language: Language) -> str:
    """An amount without its cents."""
    number = f"{amount:,.0f}"
    if language == "ru":
        number = number.replace(",", "\N{NO-BREAK SPACE}")
    return f"{number}\N{NO-BREAK SPACE}{currency}" if currency else number


def no_text(language: Language) -> str:
    """What stands for a message that is only a file."""
    return "файл без текста" if language == "ru" else "a file without text"


def messages(count: int, language: Language) -> str:
    """So many messages, in words that agree with the number."""
    return _counted(count, language, ("message", "messages"), ("сообщение", "сообщения", "сообщений"))


def _counted(count: int, language: Language, english: tuple[str, str], russian: tuple[str, str, str]) -> str:
    if language == "en":
        return f"{count} {english[count != 1]}"
    if count % 10 == 1 and count % 100 != 11:
        return f"{count} {russian[0]}"
    few = count % 10 in (2, 3, 4) and count % 100 not in (12, 13, 14)
    return f"{count} {russian[1] if few else russian[2]}"


def heard(kind: SignalType, evidence: Sequence[Evidence], language: Language) -> str:
    """A story told by messages, the newest first."""
    newest, oldest = evidence[0], evidence[-1]
    told = _HEARD[language][kind].format(who=newest.author or _SOMEBODY[language])
    text = f"{told}: {quoted(newest.quote, language)}"
    if len(evidence) > 1:
        since = day(oldest.said_at, language)
        of = messages(len(evidence), language)
        text += f" ({of} since {since})" if language == "en" else f" ({of} с {since})"
    return text


def overdue(count: int, name: str, oldest: str, oldest_due: str, language: Language) -> str:
    """Overdue issues of a delivery project."""
    of = _counted(
        count, language, ("overdue issue", "overdue issues"),
        ("задача просрочена", "задачи просрочены", "задач просрочено"),
    )  # fmt: skip
    since = day(oldest_due, language)
    if language == "en":
        return f"{name or 'No project'}: {of}, the oldest was due on {since}: {oldest}"
    return f"{name or 'Без проекта'}: {of}, самая старая должна была быть готова {since}: {oldest}"


def no_next_step(title: str, language: Language) -> str:
    """A deal nobody knows how to go on with."""
    shown = quoted(title, language)
    return (
        f"The deal {shown} has no next step" if language == "en" else f"У сделки {shown} нет следующего шага"
    )


def gap(who: str, since: str, days: int, quote: str, language: Language, *, ever_wrote: bool) -> str:
    """A client who does not answer."""
    of = _counted(days, language, ("day", "days"), ("день", "дня", "дней"))
    if language == "en":
        what = "has not answered" if ever_wrote else "has never written"
        return (
            f"{who or 'The client'} {what} for {of}, since {day(since, 'en')}; we said: {quoted(quote, 'en')}"
        )
    what = "не отвечает" if ever_wrote else "ни разу не писал(а):"
    return f"{who or 'Клиент'} {what} {of}, с {day(since, 'ru')}; мы писали: {quoted(quote, 'ru')}"


def unanswered(who: str, since: str, quote: str, language: Language) -> str:
    """A client who waits for us."""
    if language == "en":
        who = who or "The client"
        return f"{who} has been waiting for an answer since {day(since, 'en')}: {quoted(quote, 'en')}"
    return f"{who or 'Клиент'} ждёт ответа с {day(since, 'ru')}: {quoted(quote, 'ru')}"


def sour(who: str, quote: str, language: Language) -> str:
    """A client whose tone gets worse."""
    if language == "en":
        return f"The tone of {who or 'the client'} gets worse; the last: {quoted(quote, 'en')}"
    return f"{who or 'Клиент'} пишет всё резче; последнее: {quoted(quote, 'ru')}"


def todo(action: str, summary: str, language: Language) -> str:
    """What to do, and why."""
    return f"{_TODO[language][action]}. {summary}"
