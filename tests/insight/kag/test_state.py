"""From lines of the event log to what is remembered, and to the ten signals."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from ctower_desktop.insight.kag.model import Evidence, LogEvent
from ctower_desktop.insight.kag.reading import meaning
from ctower_desktop.insight.kag.signals import Finance, measure, needs
from ctower_desktop.insight.kag.state import MOST_EVIDENCE, Open, State, apply, compare, forget
from ctower_desktop.kernel.sql import as_json
from ctower_desktop.kernel.system import as_text

NOW = datetime(2026, 11, 20, 10, tzinfo=UTC)


class Story:
    """A state fed with events as the log has them."""

    def __init__(self) -> None:
        self.state, self.count = State(), 0

    def add(self, kind, *, ago=0.0, actor="system", mood=None, **fields):
        self.count += 1
        values = {
            "source": "chatwoot", "source_ref": f"r{self.count}", "source_url": None,
            "source_message_id": None,
            "source_linear_issue_id": None, "source_attio_record_id": None, "payload_json": {},
        } | fields  # fmt: skip
        at = as_text(NOW - timedelta(days=ago))
        event = LogEvent(
            id=str(self.count), event_type=kind, occurred_at=at, actor=actor, created_at=at, **values
        )
        for happening in meaning(event, mood):
            apply(self.state, happening)

    def said(self, actor, *, ago=0.0, talk="cw:1", text="hi", mood=None, **more):
        payload = {"conversation_global_id": talk, "snippet": text, **more}
        self.add(
            "message_sent", ago=ago, actor=actor, mood=mood, payload_json=payload,
            source_message_id=f"m{self.count}",
        )  # fmt: skip

    def signals(self, now=NOW):
        return {signal.signal_key: signal for signal in measure(self.state, Finance(), now)}


@pytest.fixture
def story():
    return Story()


def test_ten_signals_even_for_nothing(story):
    found = story.signals()
    assert len(found) == 10
    assert {s.status for s in found.values()} == {"ok"}
    assert all(s.value == 0 and s.evidence_refs == [] for s in found.values())


def test_waiting_counts_from_the_teams_last_word(story):
    story.said("client", ago=5)
    story.said("team", ago=4)
    found = story.signals()["waiting_on_client_days"]
    assert (found.value, found.status) == (4, "critical")
    assert found.details["waiting_on_client"] is True
    assert [ref.message_id for ref in found.evidence_refs] == ["m1", "m0"], "our word and theirs"
    story.said("client", ago=0.1)
    assert story.signals()["waiting_on_client_days"].value == 0


def test_private_notes_and_the_programs_own_runs_are_nobodys_word(story):
    story.said("client", ago=5)
    story.said("team", ago=4, private=True)
    story.add("process_started", ago=1)
    assert story.state.team_at == ""
    assert story.signals()["waiting_on_client_days"].value == 0
    assert sum(sum(h.sources.values()) for h in story.state.hours.values()) == 1


def test_answers_are_matched_within_their_conversation(story):
    story.said("client", ago=2, talk="cw:1")
    story.said("client", ago=1.5, talk="cw:2")
    story.said("team", ago=1, talk="cw:2")
    found = story.signals()["response_time_avg"]
    assert (found.value, found.details["samples"]) == (720, 1)
    story.said("team", ago=0.5, talk="cw:1")
    assert story.signals()["response_time_avg"].value == (720 + 2160) / 2


def test_each_answer_goes_to_the_oldest_open_question(story):
    for ago in (3, 2):
        story.said("client", ago=ago)
    for ago in (1.5, 1):
        story.said("team", ago=ago)
    found = story.signals()["response_time_avg"]
    assert found.details == {"samples": 2, "total_minutes": 1.5 * 1440 + 1440}


def test_a_question_that_comes_late_and_was_answered_meanwhile_does_not_wait(story):
    story.said("team", ago=1)
    story.said("client", ago=2)
    story.said("team", ago=0.5)
    assert story.signals()["response_time_avg"].details["samples"] == 0


def blocked(story, issue, *, ago, kind="issue_blocked"):
    story.add(
        kind, ago=ago, source="linear", source_linear_issue_id=issue, payload_json={"identifier": issue}
    )


def test_blockers_age_until_they_are_resolved(story):
    blocked(story, "a", ago=6)
    blocked(story, "b", ago=2)
    found = story.signals()["blockers_age"]
    assert (found.value, found.details["open_blockers"]) == (4, 2)
    assert [ref.linear_issue_id for ref in found.evidence_refs] == ["a", "b"]
    blocked(story, "a", ago=1, kind="issue_unblocked")
    assert story.signals()["blockers_age"].value == 2


def test_rows_are_right_about_what_is_blocked(story):
    blocked(story, "done", ago=6)
    blocked(story, "still", ago=5)
    new = Open(as_text(NOW - timedelta(days=1)), "NEW-1", None, Evidence(linear_issue_id="new"))
    row = Open(as_text(NOW), "STILL-1", None, Evidence(linear_issue_id="still"))
    compare(story.state, {"still": row, "new": new}, {})
    found = story.signals()["blockers_age"]
    assert (found.details["open_blockers"], found.value) == (2, 3), "the log knows since when"


def stage(story, kind="stage_started", *, due, ago=10.0, name="Design"):
    payload = {"stage_id": name, "stage_name": name, "due_at": due}
    story.add(kind, ago=ago, source="linear", source_url="https://linear.app/p", payload_json=payload)


def test_a_stage_is_late_after_its_day_is_over(story):
    stage(story, due="2026-11-19")
    assert story.signals()["stage_overdue"].value == pytest.approx(10 / 24, abs=1e-4)
    stage(story, due="2026-11-16")
    found = story.signals()["stage_overdue"]
    assert found.value == pytest.approx(3 + 10 / 24, abs=1e-4)
    assert (found.status, found.details["stage_name"]) == ("critical", "Design")
    assert found.evidence_refs[0].doc_url == "https://linear.app/p"
    stage(story, "stage_completed", due=None, ago=0)
    assert story.signals()["stage_overdue"].value == 0


def asked(story, kind, actor, *, ago):
    story.add(kind, ago=ago, actor=actor, source_message_id=f"a{ago}",
              payload_json={"conversation_global_id": "cw:1"})  # fmt: skip


def test_an_approval_is_late_after_three_days_and_over_with_a_yes(story):
    asked(story, "approval_requested", "team", ago=4)
    found = story.signals()
    assert (found["agreement_overdue_count"].value, found["agreement_overdue_count"].status) == (1, "warn")
    assert found["waiting_on_client_days"].details["approval_pending"] is True
    asked(story, "approval_approved", "client", ago=0)
    assert story.signals()["agreement_overdue_count"].details == {"open_agreements": 0}


def test_what_the_client_wants_approved_is_not_ours_to_wait_for(story):
    asked(story, "approval_requested", "client", ago=4)
    assert story.state.agreements == {}


def test_mood_moves_as_an_average_of_client_messages(story):
    for ago, mood in ((3, 0.5), (2, -0.5)):
        story.said("client", ago=ago, mood=lambda _, m=mood: m)
    story.said("team", ago=1, mood=lambda _: -1)
    found = story.signals()["sentiment_trend"]
    # first sample sets it: 0.5; then 0.35·(−0.5) + 0.65·0.5 = 0.15
    assert (found.value, found.status) == (-0.35, "critical")
    assert found.details == {"ewma": 0.15, "prev_ewma": 0.5, "samples": 2}
    story.said("client", ago=0.5, mood=lambda _: None)
    assert story.signals()["sentiment_trend"].details["samples"] == 2, "words without tone move nothing"


def test_scope_is_a_share_of_what_clients_wrote_this_week(story):
    for n in range(4):
        story.said("client", ago=n + 0.1)
    story.add("scope_change_detected", ago=1, actor="client", source_message_id="s1",
              payload_json={"conversation_global_id": "cw:1"})  # fmt: skip
    story.add("scope_change_detected", ago=1, actor="team", source_message_id="s2",
              payload_json={"conversation_global_id": "cw:1"})  # fmt: skip
    found = story.signals()["scope_creep_rate"]
    assert (found.value, found.status) == (0.25, "warn"), "our own words ask for nothing"
    assert [ref.message_id for ref in found.evidence_refs] == ["s1"]
    assert story.signals(NOW + timedelta(days=8))["scope_creep_rate"].value == 0


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("We need a new landing page", 1),
        ("I'd like to add another language", 1),
        ("Нам нужна новая форма", 1),
        ("Хотим добавить раздел для партнёров", 1),
        ("Everything is fine", 0),
        ("Когда будет готово?", 0),
    ],
)
def test_needs_are_heard_in_both_languages(story, text, found):
    story.said("client", text=text)
    story.said("team", text=text)
    signal = story.signals()["scope_creep_rate"]
    assert signal.details["needs_7d"] == found
    assert len(needs(story.state, NOW)) == found


def test_activity_is_this_week_against_the_week_before(story):
    for n in range(10):
        story.said("client", ago=8 + n * 0.1)
    for _ in range(4):
        story.said("client", ago=1)
    found = story.signals()["activity_drop"]
    assert (found.value, found.status) == (0.6, "critical")
    assert found.details == {"activity_current_7d": 4, "activity_prev_7d": 10}
    assert story.signals(NOW + timedelta(days=60))["activity_drop"].value == 0, "nothing to fall from"


def test_the_past_is_forgotten_and_the_state_stays_small(story):
    for n in range(3_000):
        story.said("client", ago=40 - n * 0.0133, talk=f"cw:{n % 50}")
    blocked(story, "old", ago=91)
    forget(story.state, NOW)
    oldest = as_text(NOW - timedelta(days=35))
    assert min(story.state.hours) >= oldest[:13]
    assert min(at for talk in story.state.talks.values() for at in talk.pending) >= oldest
    assert story.state.blockers == {}
    assert max(len(kept) for kept in story.state.evidence.values()) == MOST_EVIDENCE
    assert len(as_json(story.state)) < 200_000


def test_what_was_said_is_not_counted_twice_as_evidence(story):
    story.add("message_sent", actor="client", source_message_id="m", payload_json={"snippet": "x"})
    story.add("scope_change_detected", actor="client", source_message_id="m", payload_json={})
    assert len(story.state.evidence["activity_drop"]) == 1
