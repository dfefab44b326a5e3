"""Rules of alerts: when they begin, go on and end; nothing flickers (contract §13.5)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from ctower_desktop.operations.alerting import RULES, Key, Reading, Watch

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


class Minutes:
    """A watch that is asked minute by minute, and what fires meanwhile."""

    def __init__(self) -> None:
        self.watch, self.firing, self.now = Watch(), set[Key](), NOON

    def look(self, *values: float, rule: str = "server_errors", threshold: float = 2.0, subject: str = ""):
        """One look a value; return what began and ended at the last one."""
        verdict = None
        for value in values:
            verdict = self.watch.look([Reading(rule, value, threshold, subject)], self.firing, self.now)
            self.firing |= {reading.key for reading in verdict.begin}
            self.firing -= set(verdict.end)
            self.now += timedelta(minutes=1)
        return verdict


@pytest.fixture
def minutes() -> Minutes:
    return Minutes()


def test_a_rule_that_holds_three_minutes_fires_after_three(minutes):
    minutes.look(9, 9, 9)
    assert not minutes.firing
    assert [reading.value for reading in minutes.look(9).begin] == [9]
    assert minutes.look(9).begin == [], "once"


def test_a_moment_of_quiet_starts_the_count_anew(minutes):
    minutes.look(9, 9, 9, 1, 9, 9, 9)
    assert not minutes.firing
    minutes.look(9)
    assert minutes.firing


def test_it_ends_after_three_minutes_of_quiet_and_not_by_flickering(minutes):
    minutes.look(9, 9, 9, 9)
    minutes.look(1, 1, 9, 1, 1, 1)
    assert minutes.firing, "the quiet was broken"
    assert minutes.look(1).end == [Key("server_errors", "", None)]
    assert not minutes.firing


def test_just_below_the_threshold_is_not_over_yet(minutes):
    minutes.look(9, 9, 9, 9)
    minutes.look(*[1.95] * 10)
    assert minutes.firing
    minutes.look(*[1.8] * 4)
    assert not minutes.firing


def test_rules_of_state_fire_and_end_at_once(minutes):
    minutes.look(1, rule="dead_letters", threshold=0)
    assert minutes.firing == {Key("dead_letters", "", None)}
    minutes.look(0, rule="dead_letters", threshold=0)
    assert not minutes.firing


def test_what_is_to_be_high_fires_below(minutes):
    minutes.look(0.4, rule="disk_free", threshold=1.0)
    assert minutes.firing
    minutes.look(1.02, rule="disk_free", threshold=1.0)
    assert minutes.firing, "two percent more is not enough"
    minutes.look(1.2, rule="disk_free", threshold=1.0)
    assert not minutes.firing


def test_what_is_no_longer_there_is_over(minutes):
    minutes.look(1, rule="job_suspended", threshold=0, subject="sync")
    verdict = minutes.watch.look([], minutes.firing, minutes.now)
    assert verdict.end == [Key("job_suspended", "sync", None)]


def test_two_subjects_of_one_rule_are_two_alerts(minutes):
    readings = [Reading("dead_letters", 1, 0, "linear", "p"), Reading("dead_letters", 1, 0, "attio", "p")]
    assert len(minutes.watch.look(readings, set(), NOON).begin) == 2


def test_what_was_seen_before_a_sleep_does_not_count(minutes):
    minutes.look(9, 9, 9)
    minutes.now += timedelta(hours=8)
    minutes.look(9)
    assert not minutes.firing
    minutes.look(9, 9, 9)
    assert minutes.firing


def test_a_clock_set_back_does_not_count_either(minutes):
    minutes.look(9, 9, 9)
    minutes.now -= timedelta(hours=1)
    minutes.look(9)
    assert not minutes.firing


THE_OWNERS_RULES = {  # contract §13.5: the rule here that stands for it, or why there is none
    "pool waiting": "database_busy",
    "pool used": "of two readers one busy is half: waiting is what hurts, see database_busy",
    "errors/requests": "only answers of status 500 and above count as errors: server_errors",
    "5xx/responses": "server_errors",
    "breaker open": "breaker_open",
    "cache disabled": "the cache is memory of this process and cannot be disabled",
    "hit rate": "cache_hits",
    "no SSE clients": "a desktop nobody streams from is no trouble",
    "RSS": "memory",
    "uptime": "a program that was started is no trouble",
}


def test_the_owners_rules_are_here_or_have_no_meaning():
    ours = {text for text in THE_OWNERS_RULES.values() if text in RULES}
    assert ours == {"database_busy", "server_errors", "breaker_open", "cache_hits", "memory"}
    assert RULES.keys() - ours == {
        *("loop_held", "storage_budget", "disk_free", "connector_failing", "completeness_drop"),
        *("dead_letters", "job_suspended", "job_stuck", "scheduler_late", "index_problem"),
    }


@pytest.mark.parametrize("rule", RULES.values(), ids=lambda rule: rule.name)
def test_every_rule_says_it_in_both_languages(rule):
    reading = Reading(rule.name, 12.5, 5.0, "linear", None, "vendor_refused: no")
    for language in ("ru", "en"):
        text = rule.says(reading, language)
        assert "{" not in text
        assert text.endswith((".", ": no"))
    assert rule.says(reading, "ru") != rule.says(reading, "en")
