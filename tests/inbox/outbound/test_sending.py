"""Sending: the policy in its order, retries, what is sent by itself, rehearsals, the switch."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from ctower_desktop.connectors.channels.settings import SmtpSettings, TelegramSettings
from ctower_desktop.inbox import store as inbox_store
from ctower_desktop.inbox.outbound import taking_store
from ctower_desktop.inbox.outbound.actions import (
    list_channel_policies,
    preview_outbound,
    process_outbound,
)
from ctower_desktop.inbox.outbound.jobs import delete_old_messages, send_due_messages
from ctower_desktop.inbox.outbound.model import (
    BlockedByOptOut,
    BlockedByReply,
    ChannelNotConfigured,
    FrequencyCapReached,
    ListPolicies,
    OutboundDisabled,
    OutboundIncomplete,
    OutboundInvalidState,
    ProcessOutbound,
    QuietHours,
    RecipientUnresolved,
    SendFailed,
)
from ctower_desktop.inbox.outbound.settings import OutboundSettings
from ctower_desktop.kernel.errors import Invalid
from ctower_desktop.kernel.regional import Regional
from ctower_desktop.kernel.system import as_text
from ctower_desktop.sandbox.smtp import Fault
from tests.posting import ANNA


async def processed(post, limit=20):
    return (await process_outbound(post.call, ProcessOutbound(limit=limit))).result


async def policies(post, **query):
    return (await list_channel_policies(post.call, ListPolicies(**query))).policies


async def test_approved_means_it_can_be_sent(post):
    """Contract T29: approve, send, sent; the letter is really there."""
    made = await post.approved(payload={"subject": "Счёт", "text": "Добрый день"})
    sent = await post.send(made)
    assert (sent.status, sent.sent_at, sent.last_error) == ("sent", post.clock.text(), None)
    [letter] = post.smtp.inbox
    assert (letter.sender, letter.recipients) == ("pm@agency.example", (ANNA,))
    assert letter.message["Subject"] == "Счёт"
    [attempt] = await post.attempts(made)
    assert (attempt.attempt_no, attempt.status, attempt.error) == (1, "sent", None)
    assert attempt.provider_message_id == letter.message["Message-ID"] == f"<{made.id}@agency.example>"
    assert (attempt.rendered["to"], attempt.rendered["text"]) == (ANNA, "Добрый день")
    assert attempt.rendered["sender"] == "Агентство <pm@agency.example>"
    await post.refused(made, OutboundInvalidState)
    assert len(post.smtp.inbox) == 1
    assert await post.audited() == [
        ("outbound.draft", "ok"), ("outbound.approve", "ok"), ("outbound.send", "ok"),
    ]  # fmt: skip


async def test_who_opted_out_is_not_written_to(post):
    """Contract T29: 409 and blocked_opt_out."""
    made = await post.approved()
    rule = await post.rule(opted_out=True)
    assert (rule.opted_out, rule.stop_on_reply, rule.frequency_cap, rule.frequency_window_hours) == (
        True, True, 3, 24,
    )  # fmt: skip
    error = await post.refused(made, BlockedByOptOut)
    assert (error.code, error.status) == ("outbound_blocked_opt_out", 409)
    found = await post.now(made)
    assert (found.status, found.last_error) == ("blocked_opt_out", "recipient_opted_out")
    assert post.smtp.inbox == []
    assert (await post.audited())[-1] == ("outbound.opt_out_block", "blocked")
    await post.refused(made, OutboundInvalidState)


@pytest.mark.parametrize("said", ["contact", "mail", "MAIL", "phone"])
@pytest.mark.parametrize("written", ["contact", "mail", "conversation"])
async def test_an_opt_out_holds_under_every_name(post, said, written):
    contact = await post.contact(phone_number="+79210000000")
    names = {
        "contact": contact, "mail": ANNA, "MAIL": " Anna@North.example ", "phone": "+7 921 000-00-00",
        "conversation": await post.talk(contact),
    }  # fmt: skip
    await post.rule(names[said], opted_out=True)
    await post.refused(await post.approved(to=names[written]), BlockedByOptOut)
    await post.rule(names[written], opted_out=False)
    await post.send(await post.approved(to=names[said] if said != "phone" else contact))


async def test_an_opt_out_outlives_what_it_was_said_to(post):
    """Somebody opts out by address and becomes a contact later; contacts are merged."""
    await post.rule(ANNA, opted_out=True)
    contact = await post.contact(1)
    await post.refused(await post.approved(to=contact), BlockedByOptOut)
    await post.rule("boris@north.example", opted_out=True)
    other = await post.contact(2, "boris@north.example", name="Boris")
    await post.tower.db.write(inbox_store.CONTACT.bury, [other], post.clock.text(), "absent_at_vendor")
    await post.contact(3, "boris@north.example", name="Boris")
    await post.refused(await post.approved(to="boris@north.example"), BlockedByOptOut)


async def test_no_email_means_none_through_loops_either(post):
    await post.rule(channel="email", opted_out=True)
    made = await post.approved(channel="loops", payload={"template": "welcome"})
    await post.refused(made, BlockedByOptOut)
    assert post.loops.sent == []
    await post.rule(channel="loops", opted_out=False)
    await post.send(await post.approved())


async def test_marking_an_answer_takes_no_opt_out_back(post):
    await post.rule(opted_out=True)
    assert (await post.rule(mark_inbound=True)).opted_out is True


async def test_the_frequency_cap_counts_what_was_sent_and_starts_anew(post):
    """Fault absent: once capped, a contact stayed capped for ever. Contract T29."""
    for _ in range(3):
        await post.send(await post.approved())
    fourth = await post.approved()
    error = await post.refused(fourth, FrequencyCapReached)
    assert (error.code, error.status, error.retry_after) == ("frequency_cap_reached", 429, 3600)
    found = await post.now(fourth)
    assert (found.status, found.last_error) == ("failed", "frequency_cap_reached")
    assert found.next_attempt_at == as_text(post.clock.now() + timedelta(hours=1))
    assert (found.retry_count, len(await post.attempts(fourth))) == (0, 0)
    assert (await post.audited())[-1] == ("outbound.frequency_cap_block", "blocked")
    post.clock.advance(24 * 3600)
    assert (await post.send(fourth)).status == "sent"
    [policy] = await policies(post)
    assert (policy.sent_in_window, policy.window_started_at) == (1, post.clock.text())
    assert policy.last_outbound_at == post.clock.text()
    assert len(post.smtp.inbox) == 4


async def test_the_counter_grows_only_by_what_was_sent(post):
    """Fault absent: the counter grew although the sending then failed."""
    await post.rule(frequency_cap=1)
    made = await post.approved()
    post.smtp.faults.append(Fault("RCPT", "451 4.3.0 later"))
    await post.refused(made, SendFailed)
    [policy] = await policies(post)
    assert (policy.sent_in_window, policy.last_outbound_at) == (0, None)
    await post.send(made)
    await post.refused(await post.approved(), FrequencyCapReached)


async def test_the_cap_is_one_for_all_names_of_a_person(post):
    contact = await post.contact()
    await post.rule(frequency_cap=2)
    await post.send(await post.approved(to=ANNA))
    await post.send(await post.approved(to=contact))
    await post.refused(await post.approved(to="ANNA@north.example"), FrequencyCapReached)


async def test_limits_of_a_rule_are_clamped_and_kept(post):
    """Contract endpoint 65."""
    rule = await post.rule(frequency_window_hours=0, frequency_cap=9_999)
    assert (rule.frequency_window_hours, rule.frequency_cap) == (1, 200)
    rule = await post.rule(stop_on_reply=False)
    assert (rule.frequency_window_hours, rule.frequency_cap, rule.stop_on_reply) == (1, 200, False)
    rule = await post.rule(frequency_window_hours=10_000, frequency_cap=0)
    assert (rule.frequency_window_hours, rule.frequency_cap) == (720, 1)
    await post.rule("x@y.z", opted_out=True)
    assert [p.contact_global_id for p in await policies(post, opted_out=True)] == ["x@y.z"]
    assert len(await policies(post)) == 2
    assert len(await policies(post, limit=1, offset=1)) == 1
    with pytest.raises(Invalid):
        await post.rule("a\nb", opted_out=True)


async def test_an_answer_that_was_marked_stops_the_message(post):
    """Contract T29: mark_inbound after the approval gives 409 and cancelled."""
    await post.rule(mark_inbound=True)
    post.clock.advance(1)
    made = await post.approved()
    post.clock.advance(1)
    await post.rule(mark_inbound=True)
    error = await post.refused(made, BlockedByReply)
    assert (error.code, error.status) == ("outbound_blocked_stop_on_reply", 409)
    found = await post.now(made)
    assert (found.status, found.last_error) == ("cancelled", "recipient_replied")
    assert (await post.audited())[-1] == ("outbound.stop_on_reply_block", "blocked")
    assert post.smtp.inbox == []


@pytest.mark.parametrize("written", ["contact", "mail", "conversation"])
async def test_a_real_answer_stops_the_message(post, written):
    """Fault absent: only a marked answer counted, real inbound messages did not."""
    contact = await post.contact()
    talk = await post.talk(contact)
    await post.hear(talk)  # before the approval: that is what is answered
    post.clock.advance(1)
    made = await post.approved(to={"contact": contact, "mail": ANNA, "conversation": talk}[written])
    post.clock.advance(1)
    await post.hear(talk, kind="1")  # the team's own words and notes are no answer
    await post.hear(talk, kind="2")
    await post.hear(talk, private=True)
    second = await post.talk(contact, 2)
    await post.hear(second)
    await post.refused(made, BlockedByReply)
    assert (await post.now(made)).status == "cancelled"


async def test_only_this_person_s_answers_count_and_only_here(post):
    contact, other = await post.contact(), await post.contact(2, "boris@north.example")
    stranger = await post.talk(other, 2)
    made = await post.approved(to=contact)
    post.clock.advance(1)
    await post.hear(stranger)
    call, post.call = post.call, await post.other_project()
    await post.hear(await post.talk(await post.contact()))
    await post.rule(opted_out=True)
    post.call = call
    await post.send(made)


async def test_who_wants_to_be_written_to_after_an_answer_is(post):
    contact = await post.contact()
    talk = await post.talk(contact)
    await post.rule(contact, stop_on_reply=False)
    made = await post.approved(to=contact)
    post.clock.advance(1)
    await post.hear(talk)
    await post.send(made)


async def test_a_drill_fails_and_is_tried_again_later(post):
    """Contract T29: force_fail gives 502, retry_count 1, two minutes; never a letter."""
    made = await post.approved(payload={"text": "drill", "force_fail": True}, max_retries=3)
    error = await post.refused(made, SendFailed)
    assert (error.code, error.status) == ("outbound_send_failed", 502)
    found = await post.now(made)
    assert (found.status, found.retry_count) == ("approved", 1)
    assert found.next_attempt_at == as_text(post.clock.now() + timedelta(minutes=2))
    await post.refused(made, SendFailed)
    found = await post.now(made)
    assert found.next_attempt_at == as_text(post.clock.now() + timedelta(minutes=4))
    await post.refused(made, SendFailed)
    found = await post.now(made)
    assert (found.status, found.retry_count, found.next_attempt_at) == ("failed", 3, None)
    assert [a.status for a in await post.attempts(made)] == ["failed"] * 3
    assert post.smtp.commands == []
    assert (await post.audited())[-1] == ("outbound.send", "failed")


async def test_without_retries_it_fails_at_once(post):
    made = await post.approved(payload={"text": "drill", "force_fail": True}, max_retries=0)
    await post.refused(made, SendFailed)
    assert (await post.now(made)).status == "failed"
    plain = await post.approved(max_retries=0)
    assert (await processed(post)).sent == 1
    assert (await post.now(plain)).status == "sent"


async def test_a_channel_that_is_not_set_up_never_claims_to_have_sent(post):
    await post.tower.settings.change(TelegramSettings, {"bot_token": None})
    made = await post.approved(channel="telegram", to="77")
    error = await post.refused(made, ChannelNotConfigured)
    assert (error.code, error.status) == ("channel_not_configured", 409)
    assert "token" in str(error)
    found = await post.now(made)
    assert (found.status, found.sent_at, found.last_error) == ("approved", None, "channel_not_configured")
    assert (await post.attempts(made), post.telegram.requests) == ([], [])
    result = await processed(post)
    assert (result.processed, result.sent) == (0, 0)  # it waits a while, so that nobody is asked in vain
    post.clock.advance(700)
    result = await processed(post)
    assert (result.processed, result.sent, result.waiting, result.reason) == (
        1, 0, 1, "channel_not_configured",
    )  # fmt: skip


async def test_the_switch_stops_everything(post):
    """OUTBOUND_ENABLED."""
    made = await post.approved()
    await post.set(enabled=False)
    error = await post.refused(made, OutboundDisabled)
    assert (error.code, error.status) == ("outbound_disabled", 409)
    with pytest.raises(OutboundDisabled):
        await processed(post)
    done = await send_due_messages(post.by_schedule())
    assert (done.processed, done.reason) == (0, "outbound_disabled")
    assert (await post.now(made)) == made
    assert post.smtp.commands == []
    await post.set(enabled=True)
    await post.send(made)


async def test_quiet_hours_by_the_clock_on_the_wall(post):
    hours = {"quiet_begins": "20:00", "quiet_ends": "09:30", "time_zone": "Europe/Moscow"}
    await post.tower.settings.change(Regional, hours)
    post.clock.set(datetime(2026, 11, 20, 17, 30, tzinfo=UTC))  # 20:30 in Moscow
    made = await post.approved()
    error = await post.refused(made, QuietHours)
    assert (error.code, error.status) == ("outbound_quiet_hours", 409)
    assert "09:30" in str(error)
    found = await post.now(made)
    assert (found.status, found.next_attempt_at) == ("approved", "2026-11-21T06:30:00.000Z")
    await post.set(send_approved=False)
    post.clock.set(datetime(2026, 11, 21, 6, 29, tzinfo=UTC))
    assert (await send_due_messages(post.by_schedule())).processed == 0
    post.clock.set(datetime(2026, 11, 21, 6, 30, tzinfo=UTC))
    assert (await send_due_messages(post.by_schedule())).sent == 1  # a person has pressed send


async def test_a_rehearsal_notes_what_would_be_sent(post):
    await post.set(dry_run=True)
    await post.tower.settings.change(SmtpSettings, {"host": None})
    made = await post.approved(payload={"text": "{{name}}, добрый день", "variables": {"name": "Анна"}})
    found = await post.send(made)
    assert (found.status, found.sent_at, found.dry_run_at) == ("approved", None, post.clock.text())
    [attempt] = await post.attempts(made)
    assert (attempt.status, attempt.rendered["text"]) == ("dry_run", "Анна, добрый день")
    result = await processed(post)
    assert (result.processed, result.sent) == (0, 0)  # once is enough
    assert [p.sent_in_window for p in await policies(post)] in ([], [0])
    await post.tower.settings.change(SmtpSettings, {"host": "127.0.0.1"})
    await post.set(dry_run=False)
    assert (await processed(post)).sent == 1
    assert [a.status for a in await post.attempts(made)] == ["dry_run", "sent"]


async def test_due_messages_go_the_longest_waiting_first(post):
    """Contract endpoint 66."""
    later = []
    for number in range(4):
        post.clock.advance(1)
        later.append(await post.approved(to=f"p{number}@x.example"))
    drill = await post.approved(payload={"text": "x", "force_fail": 1}, to="d@x.example")
    result = await processed(post, 2)
    assert (result.processed, result.sent, result.failed) == (2, 2, 0)
    assert [letter.recipients[0] for letter in post.smtp.inbox] == ["p0@x.example", "p1@x.example"]
    result = await processed(post)
    assert (result.processed, result.sent, result.failed) == (3, 2, 1)
    assert (await processed(post)).processed == 0
    post.clock.advance(120)
    assert (await processed(post)).failed == 1
    assert (await post.now(drill)).retry_count == 2
    actions = [line for line in await post.audited() if line[0] == "outbound.send"]
    assert actions == [("outbound.send", "ok")] * 4 + [("outbound.send", "failed")] * 2


async def test_the_schedule_sends_approved_messages_only_if_it_may(post):
    made = await post.approved()
    await post.draft()
    await post.set(send_approved=False)
    assert (await send_due_messages(post.by_schedule())).processed == 0
    await post.set(send_approved=True)
    done = await send_due_messages(post.by_schedule())
    assert (done.processed, done.sent) == (1, 1)
    assert (await post.now(made)).status == "sent"


async def test_a_retry_a_person_began_goes_on_without_the_schedule_s_switch(post):
    await post.set(send_approved=False)
    made = await post.approved()
    post.smtp.faults.append(Fault("MAIL", "421 4.3.2 closing"))
    await post.refused(made, SendFailed)
    post.clock.advance(120)
    assert (await send_due_messages(post.by_schedule())).sent == 1


async def test_a_claimed_message_is_left_alone_for_a_while(post):
    """A run that stops between claim and wire loses nothing."""
    made = await post.approved()

    async def due():
        return await post.tower.db.write_durably(
            taking_store.take_due, post.call.project_id, post.clock.now(), 9, settings=OutboundSettings(),
            asked=True,
        )  # fmt: skip

    assert await due() == [made.id]
    assert await due() == []
    post.clock.advance(120)
    assert await due() == [made.id]


async def test_an_unfinished_message_is_not_sent(post):
    made = await post.approved(None)
    await post.refused(made, OutboundIncomplete)
    assert (await post.now(made)).status == "failed"
    assert post.smtp.inbox == []


@pytest.mark.parametrize(
    ("channel", "to"),
    [("email", "+79210000000"), ("email", "somebody"), ("telegram", ANNA), ("chatwoot", ANNA)],
)
async def test_nobody_is_reached_by_what_leads_nowhere(post, channel, to):
    made = await post.approved(channel=channel, to=to)
    await post.refused(made, RecipientUnresolved)
    found = await post.now(made)
    assert (found.status, found.next_attempt_at) == ("failed", None)


async def test_a_preview_shows_every_check_and_sends_nothing(post):
    made = await post.draft(payload={"text": "Добрый день, {{name}}", "variables": {"name": "<Анна>"}})
    before = await post.now(made)
    found = await preview_outbound(post.call, made.id)
    assert found.would_send is False
    assert [(c.name, c.passed) for c in found.checks] == [
        ("enabled", True), ("state", False), ("opt_out", True), ("stop_on_reply", True),
        ("frequency_cap", True), ("quiet_hours", True), ("force_fail", True), ("content", True),
        ("recipient", True), ("channel", True),
    ]  # fmt: skip
    assert all(c.message for c in found.checks)
    assert found.rendered.to == ANNA
    assert found.rendered.text == "Добрый день, <Анна>"
    approved = await post.approved()
    assert (await preview_outbound(post.call, approved.id)).would_send is True
    await post.set(dry_run=True)
    assert (await preview_outbound(post.call, approved.id)).would_send is False
    await post.rule(opted_out=True)
    await post.set(enabled=False)
    failed = [c.name for c in (await preview_outbound(post.call, approved.id)).checks if not c.passed]
    assert failed == ["enabled", "opt_out"]
    assert (await post.now(made)) == before
    assert post.smtp.commands == []


async def test_old_messages_are_deleted_and_others_stay(post):
    old, draft = await post.approved(), await post.draft()
    await post.send(old)
    post.clock.advance(91 * 86_400)
    young = await post.send(await post.approved())
    await post.set(retention_batch=1)
    done = await delete_old_messages(post.by_schedule())
    assert (done.deleted, done.more) == (1, True)
    done = await delete_old_messages(post.by_schedule())
    assert (done.deleted, done.more) == (0, False)
    left = {row[0] for row in await post.rows("SELECT id FROM outbound_message")}
    assert left == {draft.id, young.id}
    assert await post.rows("SELECT DISTINCT outbound_id FROM outbound_attempt") == [(young.id,)]
