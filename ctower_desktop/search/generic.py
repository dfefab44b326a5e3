"""Words that tell little of what a question is about, however rare they are among the texts of a project."""

from __future__ import annotations

from functools import cache

from ctower_desktop.search.words import stem, tokens

GENERIC = 0.45  # what such a word counts, against another that is as rare

_RUSSIAN = """
быть стать становиться мочь смочь хотеть захотеть хотел делать сделать идти пойти прийти приходить
взять брать взялся берет дать давать ставить поставить держать держит находиться найти нашли искать
получить получать получилось остаться осталось оставить начать начинать начал закончить продолжать
иметь имеется являться оказаться оказалось казаться считать считает думать знать узнать говорить
сказать рассказать написать писать пишет ответить отвечать спросить спрашивать просить попросить
предложить предлагать решить решать показать показывать понять понимать видеть увидеть смотреть
посмотреть ждать подождать успеть прислать присылать отправить послать сообщить случиться случилось
произойти произошло происходить бывать приводить привести вести ведет попасть выйти выходить
зависеть зависит относиться касаться касается значить означать называться нравиться работать
заработать использовать пользоваться нужный необходимый возможный новый старый хороший плохой
большой маленький другой последний первый следующий прошлый нынешний общий целый полный разный самый
сам свой любой каждый весь человек люди дело вещь раз пора время момент часть вид способ случай
образ сторона вопрос причина итог наш ваш заказчик клиент проект конкретно именно примерно вообще
вместо кроме около против между через после перед пока потом теперь тогда снова опять уже еще почти
совсем вдруг скоро давно долго быстро обычно
""".split()  # noqa: SIM905 - a list of words reads best as words
_ENGLISH = """
ask asked asks go goes going went gone come comes came take takes took taken make makes made get
gets give gives gave put puts keep keeps kept let turn turned turns bring brought run runs set sets
want wants wanted need needs needed use uses used using work works worked happen happens happened
become becomes became mean means meant think thinks thought know knows knew look looks looked find
finds found see seen saw show shows try tries tried start starts started begin stop end ends ended
leave left stay stays hold holds held move moved tell told say talk talked speak call called name
named write wrote written answer answered reply replied offer offered decide decided agree agreed
choose chose suggest suggested expect expects expected wait waiting seem seems like likes liked
believe help helps helped send sent new old good bad big small other last first next same different
own whole full main current man people person thing way time moment part kind case side question
reason result client customer project exactly instead also still already yet again soon long quickly
usually really after before during between against around without within since until while down off
back away possible necessary able sure one two
""".split()  # noqa: SIM905


@cache
def generic() -> frozenset[str]:
    """The stems of these words."""
    return frozenset(stem(token) for word in (*_RUSSIAN, *_ENGLISH) for token in tokens(word))
