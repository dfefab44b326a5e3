"""The rules of alerts as data, and when one begins and ends: pure, without clock and database."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

from ctower_desktop.kernel.regional import Language
from ctower_desktop.operations.alert_model import AlertSeverity

EVERY = 60.0  # seconds between looks
_EASE = 0.05  # by which a value must come back behind its threshold before an alert ends
_LONGEST_CALM = 180.0  # seconds a value must have been back before an alert ends
_GAP = 3  # looks left out after which nothing that was noticed before counts: the computer slept


@dataclass(frozen=True, slots=True)
class Rule:
    """What is noticed when a reading is beyond its threshold for `hold` seconds.

    The texts know {subject}, {value}, {threshold} and {detail}.
    """

    name: str
    severity: AlertSeverity
    hold: float
    en: str
    ru: str
    below: bool = False

    def is_beyond(self, reading: Reading, *, firing: bool) -> bool:
        """Whether a reading is beyond; once an alert fires, a little less than the threshold still is."""
        ease = _EASE if firing else 0.0
        if self.below:
            return reading.value < reading.threshold * (1 + ease)
        return reading.value > reading.threshold * (1 - ease)

    def says(self, reading: Reading, language: Language) -> str:
        """The message of an alert."""
        text = self.ru if language == "ru" else self.en
        return text.format(**reading._asdict())[:1_000]


class Key(NamedTuple):
    """What fires at most once at a time."""

    rule: str
    subject: str
    project_id: str | None


class Reading(NamedTuple):
    """A measured value and where it becomes too much, or too little."""

    rule: str
    value: float
    threshold: float
    subject: str = ""
    project_id: str | None = None
    detail: str = ""

    @property
    def key(self) -> Key:
        return Key(self.rule, self.subject, self.project_id)


_ALL = (
    Rule(
        "server_errors",
        "critical",
        180,
        "{value:.1f} % of the last five minutes' answers were errors of our own (limit {threshold:g} %).",
        "{value:.1f} % ответов за последние пять минут — ошибки самой программы (предел {threshold:g} %).",
    ),
    Rule(
        "breaker_open",
        "warning",
        60,
        "{subject} is left alone after repeated failures.",
        "{subject}: после повторных сбоев запросы приостановлены.",
    ),
    Rule(
        "cache_hits",
        "warning",
        900,
        "Only {value:.0f} % of questions are answered from the cache (expected {threshold:g} %).",
        "Из кэша отвечается только {value:.0f} % запросов (ожидается {threshold:g} %).",
        below=True,
    ),
    Rule(
        "memory",
        "warning",
        300,
        "The program holds {value:.0f} MB of memory (limit {threshold:.0f} MB).",
        "Программа занимает {value:.0f} МБ памяти (предел {threshold:.0f} МБ).",
    ),
    Rule(
        "loop_held",
        "warning",
        180,
        "The program stood still for more than 250 ms, {value:.0f} times in a minute.",
        "Программа замирала дольше чем на 250 мс: {value:.0f} раз за минуту.",
    ),
    Rule(
        "database_busy",
        "critical",
        120,
        "{value:.0f} requests wait for the database (limit {threshold:.0f}).",
        "Базу данных ждут запросов: {value:.0f} (предел {threshold:.0f}).",
    ),
    Rule(
        "storage_budget",
        "warning",
        0,
        "{value:.1f} % of the storage budget is used (limit {threshold:g} %).",
        "Занято {value:.1f} % отведённого места (предел {threshold:g} %).",
    ),
    Rule(
        "disk_free",
        "critical",
        0,
        "Only {value:.2f} GB are free on the disk of the database.",
        "На диске с базой данных свободно только {value:.2f} ГБ.",
        below=True,
    ),
    Rule(
        "connector_failing",
        "warning",
        120,
        "{subject} could not be read for {value:.0f} min: {detail}",
        "{subject} не читается уже {value:.0f} мин: {detail}",
    ),
    Rule(
        "completeness_drop",
        "warning",
        0,
        "Only {value:.1f} % of the rows of {subject} are here (expected {threshold:g} %).",
        "Из источника {subject} получено только {value:.1f} % записей (ожидается {threshold:g} %).",
        below=True,
    ),
    Rule(
        "dead_letters",
        "warning",
        0,
        "{value:.0f} failures of {subject} wait for somebody to retry them.",
        "Сбои источника {subject}, которые ждут повтора вручную: {value:.0f}.",
    ),
    Rule(
        "job_suspended",
        "critical",
        0,
        "{subject} is suspended after {value:.0f} failures in a row: {detail}",
        "Задача {subject} остановлена после неудач подряд ({value:.0f}): {detail}",
    ),
    Rule(
        "job_stuck",
        "warning",
        0,
        "{subject} has been running for {value:.0f} min.",
        "Задача {subject} выполняется уже {value:.0f} мин.",
    ),
    Rule(
        "scheduler_late",
        "critical",
        60,
        "Nobody has looked for due jobs for {value:.0f} min.",
        "Расписание не проверялось уже {value:.0f} мин.",
    ),
    Rule(
        "index_problem",
        "warning",
        60,
        "Texts are not being made searchable by meaning: {detail}",
        "Тексты не готовятся к поиску по смыслу: {detail}",
    ),
)
RULES: dict[str, Rule] = {rule.name: rule for rule in _ALL}


class Verdict(NamedTuple):
    """What a look says: alerts that begin, that go on with a new value, and that end."""

    begin: list[Reading]
    go_on: list[Reading]
    end: list[Key]


@dataclass(slots=True)
class Watch:
    """What was beyond its threshold since when, and what is back since when."""

    _beyond: dict[Key, datetime] = field(default_factory=dict)
    _back: dict[Key, datetime] = field(default_factory=dict)
    _looked: datetime | None = None

    def look(self, readings: Iterable[Reading], firing: Collection[Key], now: datetime) -> Verdict:
        """Weigh the readings of now; a subject without a reading is as it should be."""
        if self._looked is not None and not timedelta(0) <= now - self._looked <= timedelta(
            seconds=_GAP * EVERY
        ):
            self._beyond.clear()
            self._back.clear()
        self._looked = now
        verdict = Verdict([], [], [])
        given = {reading.key: reading for reading in readings}
        for key, reading in given.items():
            fires = key in firing
            if not RULES[key.rule].is_beyond(reading, firing=fires):
                continue
            self._back.pop(key, None)
            if fires:
                verdict.go_on.append(reading)
            elif _seconds(self._beyond.setdefault(key, now), now) >= RULES[key.rule].hold:
                del self._beyond[key]
                verdict.begin.append(reading)
        beyond = {reading.key for reading in (*verdict.begin, *verdict.go_on)}
        for key in [key for key in self._beyond if key not in given or not _is_beyond(given[key])]:
            del self._beyond[key]
        for key in firing:
            if key not in beyond and self._is_calm(key, now):
                verdict.end.append(key)
        return verdict

    def _is_calm(self, key: Key, now: datetime) -> bool:
        rule = RULES.get(key.rule)
        calm = min(rule.hold, _LONGEST_CALM) if rule is not None else 0.0
        if _seconds(self._back.setdefault(key, now), now) < calm:
            return False
        del self._back[key]
        return True


def _is_beyond(reading: Reading) -> bool:
    return RULES[reading.rule].is_beyond(reading, firing=False)


def _seconds(since: datetime, now: datetime) -> float:
    return (now - since).total_seconds()
