"""What is a promise of the team and what is not, in both languages."""

from __future__ import annotations

from datetime import date

import pytest

from ctower_desktop.insight.continuity.promises import MOST, own_words, promises, same_promise

FRIDAY = date(2026, 11, 20)


@pytest.mark.parametrize(
    ("text", "due"),
    [
        ("Пришлём макеты до пятницы.", "2026-11-27"),
        ("Сегодня не успеем, пришлём завтра", "2026-11-21"),
        ("Всё сделаем к среде!", "2026-11-25"),
        ("Обещаем выкатить на следующей неделе", "2026-11-27"),
        ("Макеты будут готовы в понедельник", "2026-11-23"),
        ("Короткий адрес пришлю через полчаса.", "2026-11-20"),
        ("Будем переделывать форму на этой неделе", "2026-11-20"),
        ("Постараюсь ответить сегодня", "2026-11-20"),
        ("Отчёт вы получите в понедельник", "2026-11-23"),
        ("Мы всё исправим", None),
        ("Посмотрим завтра", "2026-11-21"),
        ("We will send the contract by Friday.", "2026-11-27"),
        ("I'll fix it tomorrow", "2026-11-21"),
        ("We’ll be deploying on Monday", "2026-11-23"),
        ("The layout will be ready by Friday", "2026-11-27"),
        ("You'll receive the invoice tomorrow", "2026-11-21"),
        ("I will not be there, but we will send the deck by Tuesday.", "2026-11-24"),
        ("We are going to release next week", "2026-11-27"),
        ("our team will definitely check this today", "2026-11-20"),
        ("I'll have it estimated.", None),
    ],
)
def test_a_promise(text, due):
    """Fault absent: promises are understood in Russian as well as in English."""
    (found,) = promises(text, FRIDAY)
    assert found.text == text
    assert found.due == (date.fromisoformat(due) if due else None)
    assert not found.conditional


@pytest.mark.parametrize(
    "text",
    [
        "Не пришлём до пятницы", "Мы не сможем сделать к пятнице", "Пришлём завтра?",
        "Вы пришлёте макеты до пятницы?", "Сделали вчера", "Отправил Илье на почту",
        "Давайте сделаем завтра", "Будем рады помочь", "Буду ждать ответа", "Если пришлём поздно, напишите",
        "Пришлите, пожалуйста, скан сегодня", "Тестовый контур выдаётся после договора",
        "Will you send it by Friday?", "We won't send it", "We will not deliver this week",
        "You will need to pay", "We will see", "I will be on vacation until Monday",
        "I'll wait for your answer", "We will be happy to help", "If we will send it, tell us",
        "Could we send it tomorrow", "Shall we send it?", "The client promised to pay by Friday",
        "You will get an error", "Посмотрим", "Остальное узнаём звонками", "Так сможем считать заказы", "",
        "   ", "😀", "Поправлю.", "Сделаем!",
    ],
)  # fmt: skip
def test_no_promise(text):
    assert promises(text, FRIDAY) == []


def test_delivery_is_no_promise_to_deliver():
    """Fault absent: "deliver" is not found in "delivery"."""
    assert promises("Delivery is scheduled for Friday. The deliverables are fine.", FRIDAY) == []


def test_a_condition_is_told():
    for text in ("Если согласуете сегодня, запустим в четверг", "Once you approve, we will launch on Monday"):
        (found,) = promises(text, FRIDAY)
        assert found.conditional


def test_each_sentence_by_itself():
    text = "Добрый день! Макеты пришлём завтра. Смета готова. We will send the contract by Monday."
    assert [(p.text, str(p.due)) for p in promises(text, FRIDAY)] == [
        ("Макеты пришлём завтра.", "2026-11-21"),
        ("We will send the contract by Monday.", "2026-11-23"),
    ]
    assert len(promises("Пришлём завтра. " * 40, FRIDAY)) == MOST


def test_what_is_quoted_was_said_before():
    text = (
        "Спасибо!\n> Мы пришлём макеты завтра\nOn Mon, Nov 16, 2026, Anna wrote:\nWe will send it tomorrow."
    )
    assert promises(text, FRIDAY) == []
    assert own_words(text) == "Спасибо!"


def test_a_corrected_comma_makes_no_second_promise():
    assert same_promise("Пришлём макеты, до пятницы.") == same_promise("пришлем макеты до пятницы")
    assert same_promise("Пришлём макеты") != same_promise("Пришлём смету")


def test_long_and_hostile_texts_are_read_quickly():
    for text in ("we will " * 20_000, "a" * 200_000, "пришлю, " * 20_000, "\n".join([">"] * 20_000)):
        promises(text, FRIDAY)
