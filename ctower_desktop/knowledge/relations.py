"""How relations are called: their words in both languages, and the sentences that say them."""

from __future__ import annotations

import re
from typing import NamedTuple

from ctower_desktop.search.words import Language

_HUMPS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|[_\W]+")


class Said(NamedTuple):
    """A relation in words; `{h}` and `{t}` stand for its ends."""

    en: str
    ru: str
    words: str  # what questions about it may use, in both languages


SAID: dict[str, Said] = {
    "works_at": Said(
        "{h} works at {t}", "{h} работает в компании {t}", "works work employee company работает сотрудник"
    ),
    "asked_about": Said(
        "{h} asked about “{t}”", "{h} спрашивает: «{t}»", "asked ask wrote question спрашивает спросил писал"
    ),
    "assigned_to": Said(
        "“{h}” is assigned to {t}",
        "«{h}» — исполнитель {t}",
        "assigned assignee responsible doing works исполнитель отвечает делает занимается",
    ),
    "part_of": Said(
        "“{h}” is part of “{t}”", "«{h}» входит в «{t}»", "part in of входит часть задачи состоит"
    ),
    "subtask_of": Said(
        "“{h}” is a subtask of “{t}”", "«{h}» — подзадача «{t}»", "subtask parent подзадача часть"
    ),
    "blocks": Said(
        "“{h}” blocks “{t}”",
        "«{h}» блокирует «{t}»",
        "blocks blocked blocking блокирует мешает держит тормозит",
    ),
    "duplicates": Said("“{h}” duplicates “{t}”", "«{h}» повторяет «{t}»", "duplicate дубль повторяет"),
    "related_to": Said("“{h}” is related to “{t}”", "«{h}» связано с «{t}»", "related связано относится"),
    "leads": Said(
        "{h} leads the project {t}",
        "{h} ведёт проект «{t}»",
        "leads lead leader manages manager runs responsible ведет руководит руководитель менеджер отвечает",
    ),
    "owned_by": Said(
        "“{h}” is owned by {t}",
        "«{h}» ведёт {t}",
        "owned owner owns responsible ведет владелец отвечает менеджер",
    ),
    "belongs_to": Said("“{h}” is a deal with {t}", "«{h}» — сделка с {t}", "deal with client сделка клиент"),
    "won": Said("{h} won “{t}”", "сделку «{t}» — выиграл(а) {h}", "won win closed выиграл закрыл"),
    "promised": Said("{h} promised “{t}”", "{h} обещает: «{t}»", "promised promise обещал обещает обещание"),
    "offered_to": Said(
        "the offer “{h}” is for {t}", "предложение «{h}» — для {t}", "offer offered предложение предложили"
    ),
    "has_status": Said("“{h}” has the status {t}", "у «{h}» статус {t}", "status state статус состояние"),
    "has_stage": Said("“{h}” is at the stage {t}", "«{h}» на стадии {t}", "stage стадия этап"),
    "worth": Said(
        "“{h}” is worth {t}", "сумма «{h}» — {t}", "worth amount price cost much сумма стоит сколько цена"
    ),
    "due_on": Said("“{h}” is due on {t}", "срок «{h}» — {t}", "due deadline when срок дедлайн когда"),
    "starts_on": Said(
        "“{h}” starts on {t}", "«{h}» начинается {t}", "start begins when начало начинается когда"
    ),
    "ends_on": Said(
        "“{h}” ends on {t}", "«{h}» заканчивается {t}", "end ends when конец заканчивается когда"
    ),
}


def plain(relation: str) -> str:
    """A relation's name as words: `foundedBy` is founded by."""
    return " ".join(part.lower() for part in _HUMPS.split(relation) if part)


def words_of(relation: str) -> str:
    """Everything that questions about a relation may use."""
    said = SAID.get(relation)
    return f"{plain(relation)} {said.words}" if said else plain(relation)


def sentence(head: str, relation: str, tail: str, language: Language) -> str:
    """A triple as a sentence without its full stop; a relation nobody knows is said in its own words."""
    said = SAID.get(relation)
    if said is None:
        return f"{head} {plain(relation)} {tail}"
    # not str.format: names are whatever somebody typed, braces too
    shape = said.ru if language == "ru" else said.en
    return "".join({"{h}": head, "{t}": tail}.get(part, part) for part in re.split(r"({h}|{t})", shape))
