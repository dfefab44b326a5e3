"""What a payload may say on each channel, whom a reference means, when to try again: the pure parts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from ctower_desktop.inbox.outbound.content import checked, wants_failure
from ctower_desktop.inbox.outbound.model import Policy
from ctower_desktop.inbox.outbound.policy import after_failure, counted, ruling
from ctower_desktop.inbox.outbound.recipients import (
    Known,
    chat_of,
    checked_ref,
    email_of,
    kind_of,
    plain,
    recipient,
)
from ctower_desktop.kernel.errors import Invalid

NOW = datetime(2026, 11, 20, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    ("channel", "payload", "path"),
    [
        ("email", {"text": 5}, "payload.text"),
        ("email", {"subject": ["x"], "text": "x"}, "payload.subject"),
        ("email", {"subject": "only a subject"}, "payload.text"),
        ("email", {"note": "nothing to send"}, "payload.text"),
        ("email", {"subject": "a\nb", "text": "x"}, "payload.subject"),
        ("email", {"subject": "x" * 999, "text": "x"}, "payload.subject"),
        ("email", {"text": "x", "template": "t"}, "payload.template"),
        ("email", {"text": "x", "conversation_id": 1}, "payload.conversation_id"),
        ("email", {"text": "x", "variables": ["a"]}, "payload.variables"),
        ("email", {"text": "Hi {{ name }}"}, "payload.variables.name"),
        ("email", {"text": "Hi {{name}}", "variables": {"name": None}}, "payload.variables.name"),
        ("email", {"html": "<p>{{a.b}}</p>"}, "payload.variables.a.b"),
        ("chatwoot", {"text": "x", "html": "<p>"}, "payload.html"),
        ("chatwoot", {"text": "x", "subject": "y"}, "payload.subject"),
        ("chatwoot", {"text": "x", "conversation_id": {}}, "payload.conversation_id"),
        ("chatwoot", {"text": "x" * 150_001}, "payload.text"),
        ("telegram", {"text": "x" * 4_097}, "payload.text"),
        ("telegram", {"text": "😀" * 2_049}, "payload.text"),
        ("telegram", {"text": "{{a}}", "variables": {"a": "x" * 4_097}}, "payload.text"),
        ("telegram", {"text": "x", "html": "y"}, "payload.html"),
        ("loops", {"text": "x", "template": "t"}, "payload.text"),
        ("loops", {"variables": {}, "note": 1}, "payload.template"),
        ("loops", {"template": "t", "variables": {"a": True}}, "payload.variables.a"),
        ("loops", {"template": "t", "variables": {"a": {}}}, "payload.variables.a"),
    ],
)
def test_what_a_channel_cannot_say_is_named(channel, payload, path):
    with pytest.raises(Invalid) as refused:
        checked(channel, payload)
    assert path in [issue.path for issue in refused.value.issues]
    assert all(issue.message for issue in refused.value.issues)


@pytest.mark.parametrize("channel", ["email", "chatwoot", "telegram", "loops"])
def test_an_empty_payload_is_an_unfinished_message(channel):
    assert checked(channel, {}).empty
    assert checked(channel, {"force_fail": True}).empty


def test_placeholders_are_filled_as_text():
    found = checked(
        "email",
        {
            "subject": "{{n}}", "text": "{{ n }} {{n}} {n} {{ not one }}", "html": "<b>{{n}}</b>",
            "variables": {"n": "A&<B>"},
        },
    )  # fmt: skip
    assert (found.subject, found.text) == ("A&<B>", "A&<B> A&<B> {n} {{ not one }}")
    assert found.html == "<b>A&amp;&lt;B&gt;</b>"


@pytest.mark.parametrize("name", ["text", "body", "message", "content"])
def test_what_other_programs_call_the_text(name):
    assert checked("telegram", {name: " Привет "}).text == "Привет"


@pytest.mark.parametrize(("given", "wanted"), [(True, True), ("1", True), (1, True), (False, False), ("false", False), ("", False), (None, False)])  # noqa: E501  # fmt: skip
def test_a_drill_says_so(given, wanted):
    assert wants_failure({"force_fail": given}) is wanted


@pytest.mark.parametrize(
    ("ref", "kind"),
    [
        ("cwc:p:1:2", "contact"), ("cw:p:1:2", "conversation"), ("a.b+c@d-e.example", "email"),
        ("a@localhost", "email"), ("anna@пример.рф", "email"), ("+79210000000", "phone"),
        ("+7 (921) 000-00-00", "phone"), ("123456", "chat"), ("-1001234567890", "chat"),
        ("@agency_news", "chat"), ("@ab", "other"), ("a@b@c", "other"), ("a@", "other"), ("Anna", "other"),
        ("a@-.", "other"),
    ],
)  # fmt: skip
def test_a_reference_is_known_by_its_form(ref, kind):
    assert kind_of(ref) == kind


def test_two_writings_of_one_reference_are_the_same():
    assert plain(" Anna@North.Example ") == "anna@north.example"
    assert plain("+7 (921) 000-00-00") == "+79210000000"
    assert plain("@Agency_News") == "@agency_news"
    assert plain("cwc:P:1:2") == "cwc:P:1:2"


@pytest.mark.parametrize("ref", ["a\nb", "a\x00b", "a\u2028b", "a@b c", "x@y@z"])
def test_a_reference_that_is_nobody_s(ref):
    with pytest.raises(Invalid):
        checked_ref("email", ref)


def test_a_recipient_is_one_by_all_its_names():
    anna = Known("cwc:1", "Анна", "Anna@x.example", "+7921", "77")
    found = recipient("anna@x.example", [anna])
    assert (found.key, found.name, email_of(found), chat_of(found)) == (
        "cwc:1", "Анна", "anna@x.example", "77",
    )  # fmt: skip
    assert set(found.aliases) == {"anna@x.example", "cwc:1", "+7921", "77"}
    twin = Known("cwc:2", "Анна", "anna@x.example", None, None)
    assert recipient("anna@x.example", [anna, twin]).key == "anna@x.example"
    merged = Known("cwc:2", "Анна", "anna@x.example", None, None, gone=True)
    found = recipient("anna@x.example", [anna, merged])
    assert (found.key, "cwc:2" in found.aliases, len(found.contacts)) == ("cwc:1", True, 1)


@pytest.mark.parametrize(
    ("failures", "most", "status", "minutes"),
    [(1, 5, "approved", 2), (2, 5, "approved", 4), (3, 5, "approved", 6), (4, 5, "approved", 8),
     (5, 5, "failed", None), (1, 1, "failed", None), (1, 0, "failed", None), (7, 20, "approved", 14)],
)  # fmt: skip
def test_after_failure_k_the_next_try_is_2k_minutes_later(failures, most, status, minutes):
    """Contract appendix B."""
    found = after_failure(failures - 1, most, NOW)
    later = NOW + timedelta(minutes=minutes) if minutes else None
    assert (found.status, found.retry_count, found.next_attempt_at) == (status, failures, later)


def test_the_vendor_s_wait_is_honoured_and_a_refusal_is_final():
    assert after_failure(0, 5, NOW, retry_after=900).next_attempt_at == NOW + timedelta(seconds=900)
    assert after_failure(0, 5, NOW, retry_after=5).next_attempt_at == NOW + timedelta(minutes=2)
    assert after_failure(0, 5, NOW, final=True).status == "failed"


def row(contact="k", channel="email", **fields):
    given = {
        "id": "i", "project_id": "p", "account_scope_id": "s", "contact_global_id": contact,
        "channel": channel, "opted_out": False, "stop_on_reply": True, "frequency_window_hours": 24,
        "frequency_cap": 3, "sent_in_window": 0, "window_started_at": None, "last_outbound_at": None,
        "last_inbound_at": None, "ruled_at": None, "updated_at": "",
    }  # fmt: skip
    return Policy(**{**given, **fields})


def test_rules_under_several_names_are_one():
    began = "2026-11-20T09:00:00.000Z"
    found = ruling(
        "email",
        [
            row(sent_in_window=1, window_started_at=began),
            row("a@b.c", sent_in_window=1, window_started_at=began, frequency_cap=9, ruled_at="2026"),
            row("+7", sent_in_window=5, window_started_at="2026-11-18T09:00:00.000Z"),
            row("x", "loops", opted_out=True, sent_in_window=7, window_started_at=began),
        ],
        "k",
        NOW,
    )
    assert (found.opted_out, found.cap, found.sent_in_window) == (True, 9, 2)
    assert ruling("email", [], "k", NOW).cap == 3


def test_a_window_that_is_over_starts_anew():
    began = "2026-11-19T10:00:00.000Z"
    over = row(sent_in_window=3, window_started_at=began)
    assert counted(over, 24, NOW) == (1, "2026-11-20T10:00:00.000Z")
    assert counted(over, 25, NOW) == (4, began)
    assert counted(row(), 24, NOW) == (1, "2026-11-20T10:00:00.000Z")
