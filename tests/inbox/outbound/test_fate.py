"""Messages whose fate is not known: shown, asked after where that is possible, never sent again by itself."""

from __future__ import annotations

import asyncio

import pytest
from aiosmtplib import SMTPReadTimeoutError

from ctower_desktop.inbox.outbound import taking_store
from ctower_desktop.inbox.outbound.actions import (
    approve_outbound,
    edit_outbound,
    resolve_outbound,
    send_outbound,
)
from ctower_desktop.inbox.outbound.jobs import send_due_messages
from ctower_desktop.inbox.outbound.model import (
    ApproveOutbound,
    CannotCheck,
    EditOutbound,
    FrequencyCapReached,
    OutboundInvalidState,
    ResolveOutbound,
    SendFailed,
    SendUncertain,
)
from ctower_desktop.inbox.outbound.sending import Outbox, circumstances
from ctower_desktop.inbox.outbound.taking_store import Act
from ctower_desktop.sandbox.smtp import Fault
from tests.posting import ANNA


async def resolve(post, message, outcome):
    return (await resolve_outbound(post.call, message.id, ResolveOutbound(outcome=outcome))).outbound


async def lost_letter(post, **more):
    """A letter the server took without saying so."""
    post.smtp.faults.append(Fault("TEXT", takes=True))
    made = await post.approved(**more)
    error = await post.refused(made, SendUncertain)
    assert (error.code, error.status) == ("outbound_uncertain", 502)
    return made


async def talk_here(post, *texts):
    """A conversation with Anna, at Chatwoot and here."""
    theirs = post.vendor_talk(*texts)
    return theirs, await post.talk(await post.contact(), theirs.id)


async def test_a_line_that_breaks_after_the_text_leaves_it_open(post):
    made = await lost_letter(post)
    found = await post.now(made)
    assert (found.status, found.sent_at, found.next_attempt_at) == ("uncertain", None, None)
    [attempt] = await post.attempts(made)
    assert (attempt.status, attempt.refused) == ("uncertain", False)
    assert "did not confirm" in attempt.error
    assert (await post.audited())[-1] == ("outbound.send", "failed")
    for _ in range(3):
        post.clock.advance(3_600)
        assert (await send_due_messages(post.by_schedule())).processed == 0
    await post.refused(made, OutboundInvalidState)
    assert len(post.smtp.inbox) == 1


async def test_a_server_that_never_answers_leaves_it_open(post, monkeypatch):
    monkeypatch.setattr("aiosmtplib.SMTP.data", _times_out)
    made = await post.approved()
    await post.refused(made, SendUncertain)
    assert (await post.now(made)).status == "uncertain"


async def _times_out(*_, **__):
    raise SMTPReadTimeoutError("Timed out waiting for server response")


async def test_a_person_says_that_it_arrived(post):
    await post.rule(frequency_cap=1)
    made = await lost_letter(post)
    await post.refused(await post.approved(), FrequencyCapReached)  # it may be one already
    found = await resolve(post, made, "sent")
    assert (found.status, found.sent_at) == ("sent", post.clock.text())
    [attempt] = await post.attempts(made)
    assert (attempt.status, attempt.error) == ("sent", "desktop says: sent.")
    assert (await post.audited())[-1] == ("outbound.resolve", "ok")
    await post.refused(await post.approved(), FrequencyCapReached)
    with pytest.raises(OutboundInvalidState):
        await resolve(post, made, "not_sent")


async def test_a_person_says_that_it_did_not_arrive(post):
    made = await lost_letter(post)
    found = await resolve(post, made, "not_sent")
    assert (found.status, found.next_attempt_at) == ("failed", None)
    post.clock.advance(3_600)
    assert (await send_due_messages(post.by_schedule())).processed == 0  # only by somebody's hand
    assert (await post.send(made)).status == "sent"
    first, second = post.smtp.inbox
    assert first.message["Message-ID"] == second.message["Message-ID"]
    assert [a.status for a in await post.attempts(made)] == ["uncertain", "sent"]


async def test_another_text_is_another_message_to_the_mail_server(post):
    made = await lost_letter(post)
    await resolve(post, made, "not_sent")
    await edit_outbound(post.call, made.id, EditOutbound(payload={"text": "written anew"}))
    await approve_outbound(post.call, made.id, ApproveOutbound())
    await post.send(made)
    first, second = post.smtp.inbox
    assert first.message["Message-ID"] != second.message["Message-ID"]


@pytest.mark.parametrize(("channel", "to"), [("email", ANNA), ("telegram", "77")])
async def test_some_vendors_cannot_be_asked(post, channel, to):
    post.telegram.add_chat(77)
    post.telegram.faults.lose()
    post.smtp.faults.append(Fault("TEXT"))
    made = await post.approved(channel=channel, to=to)
    await post.refused(made, SendUncertain)
    with pytest.raises(CannotCheck):
        await resolve(post, made, "check")
    assert (await post.now(made)).status == "uncertain"


@pytest.mark.parametrize("keeps", [True, False])
async def test_chatwoot_is_asked_and_has_it(post, keeps):
    """By the id it carries, or at a server that drops such things by text and time."""
    post.chatwoot.http.keeps_attributes = keeps
    theirs, here = await talk_here(post, "Здравствуйте")
    post.chatwoot.faults.lose(on="/messages")
    made = await post.approved(channel="chatwoot", to=here)
    await post.refused(made, SendUncertain)
    for number in range(30):
        post.chatwoot.add_message(theirs.id, f"later {number}")
    post.clock.advance(300)
    await send_due_messages(post.by_schedule())
    found = await post.now(made)
    assert found.status == "sent"
    [attempt] = await post.attempts(made)
    ours = [m for m in theirs.messages if m.content == made.payload["text"]]
    assert [attempt.provider_message_id] == [str(m.id) for m in ours]


async def test_chatwoot_is_asked_and_does_not_have_it(post):
    theirs, here = await talk_here(post, "Здравствуйте")
    post.chatwoot.faults.down(on="/messages", times=1)
    made = await post.approved(channel="chatwoot", to=here)
    await post.refused(made, SendUncertain)
    post.clock.advance(300)
    await send_due_messages(post.by_schedule())
    assert (await post.now(made)).status == "uncertain"  # nothing is concluded without a person
    assert (await resolve(post, made, "check")).status == "failed"
    assert (await post.send(made)).status == "sent"
    assert [m.content for m in theirs.messages] == ["Здравствуйте", made.payload["text"]]


async def test_a_person_who_errs_doubles_nothing_in_chatwoot(post):
    theirs, here = await talk_here(post, "Здравствуйте")
    post.chatwoot.faults.lose(on="/messages")
    made = await post.approved(channel="chatwoot", to=here)
    await post.refused(made, SendUncertain)
    await resolve(post, made, "not_sent")
    assert (await post.send(made)).status == "sent"
    assert [m.content for m in theirs.messages] == ["Здравствуйте", made.payload["text"]]


async def test_a_person_who_errs_doubles_nothing_in_loops(post):
    """The idempotency key stays the same, and its 409 says that the first try had arrived."""
    post.loops.faults.lose(on="/transactional")
    made = await post.approved(channel="loops", payload={"template": "welcome"})
    await post.refused(made, SendUncertain)
    await resolve(post, made, "not_sent")
    assert (await post.send(made)).status == "sent"
    assert [(s.name, s.email) for s in post.loops.sent] == [("welcome", ANNA)]


async def test_what_was_on_its_way_when_the_program_ended(post):
    made = await post.approved()
    await strand(post, made)
    outbox = await post.tower.part(Outbox)
    await outbox.recover()
    found = await post.now(made)
    assert found.status == "uncertain"
    assert "not known" in found.last_error
    [attempt] = await post.attempts(made)
    assert (attempt.status, attempt.finished_at) == ("uncertain", post.clock.text())
    assert post.smtp.inbox == []


async def test_beside_a_running_program_only_old_ones_are_given_up(post):
    """A command that was killed beside the running program."""
    made = await post.approved()
    await strand(post, made)
    await send_due_messages(post.by_schedule())
    assert (await post.now(made)).status == "sending"
    await post.refused(made, OutboundInvalidState)
    post.clock.advance(16 * 60)
    await send_due_messages(post.by_schedule())
    assert (await post.now(made)).status == "uncertain"


async def strand(post, message):
    """Put a message on its way as a program does that ends just then."""
    around = circumstances(post.tower, message.channel)
    act = Act(by="x", person=True, new_id="n", wire_name=f"<{message.id}@x>")
    await post.tower.db.write_durably(taking_store.take, post.call.project_ref, message.id, around, act)


async def test_whoever_stops_waiting_does_not_stop_the_message(post):
    post.smtp.faults.append(Fault("TEXT", "250 taken", seconds=0.2, takes=True))
    made = await post.approved()
    waiting = asyncio.create_task(send_outbound(post.call, made.id))
    await asyncio.wait_for(post.smtp.taken.wait(), 5)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert (await post.now(made)).status == "sending"
    await (await post.tower.part(Outbox)).stop()
    assert (await post.now(made)).status == "sent"


async def test_a_program_that_ends_does_not_wait_for_ever(post, monkeypatch):
    monkeypatch.setattr("ctower_desktop.inbox.outbound.sending._LAST_CALL", 0.05)
    post.smtp.faults.append(Fault("TEXT", "250 taken", seconds=30, takes=True))
    made = await post.approved()
    waiting = asyncio.create_task(send_outbound(post.call, made.id))
    await asyncio.wait_for(post.smtp.taken.wait(), 5)
    await (await post.tower.part(Outbox)).stop()
    assert (await post.now(made)).status == "uncertain"
    with pytest.raises((SendUncertain, asyncio.CancelledError)):
        await waiting


async def test_two_who_press_send_send_once(post):
    made = await post.approved()
    found = await asyncio.gather(
        *(send_outbound(post.call, made.id) for _ in range(5)), return_exceptions=True
    )
    assert sum(not isinstance(each, Exception) for each in found) == 1
    assert all(isinstance(each, OutboundInvalidState) for each in found if isinstance(each, Exception))
    assert len(post.smtp.inbox) == 1


async def test_two_at_once_do_not_get_over_the_cap(post):
    await post.rule(frequency_cap=1)
    one, two = await post.approved(), await post.approved()
    post.smtp.faults.append(Fault("TEXT", "250 taken", seconds=0.2, takes=True))
    first = asyncio.create_task(send_outbound(post.call, one.id))
    await asyncio.wait_for(post.smtp.taken.wait(), 5)
    await post.refused(two, FrequencyCapReached)
    assert (await first).outbound.status == "sent"


async def test_a_channel_that_stumbles_leaves_it_open(post, monkeypatch):
    """A bug of ours is no answer of the vendor."""

    async def stumble(*_):
        raise ZeroDivisionError

    monkeypatch.setattr("ctower_desktop.connectors.channels.email.EmailChannel.send", stumble)
    made = await post.approved()
    with pytest.raises(ZeroDivisionError):
        await send_outbound(post.call, made.id)
    assert (await post.now(made)).status == "uncertain"


async def test_a_refusal_is_final_and_a_delay_is_not(post):
    post.smtp.faults.append(Fault("RCPT", "550 5.1.1 no such user"))
    made = await post.approved()
    await post.refused(made, SendFailed)
    found = await post.now(made)
    assert (found.status, found.retry_count, found.next_attempt_at) == ("failed", 1, None)
    assert "550" in found.last_error
    [attempt] = await post.attempts(made)
    assert (attempt.status, attempt.refused) == ("failed", True)
    post.smtp.faults.append(Fault("RCPT", "451 4.7.1 greylisted"))
    second = await post.approved()
    await post.refused(second, SendFailed)
    assert (await post.now(second)).status == "approved"
    post.clock.advance(120)
    assert (await send_due_messages(post.by_schedule())).sent == 1
