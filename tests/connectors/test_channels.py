"""Chatwoot, Telegram and Loops as channels, over real sockets; what vendors are sent is checked."""

from __future__ import annotations

from datetime import timedelta

import pytest

from ctower_desktop.connectors.channels.settings import TelegramSettings
from ctower_desktop.connectors.loops import Pusher
from ctower_desktop.connectors.settings import ChatwootSettings, LoopsSettings
from ctower_desktop.inbox.outbound.actions import list_channels, try_channel
from ctower_desktop.inbox.outbound.channel import CHANNELS
from ctower_desktop.inbox.outbound.model import (
    ChannelNotConfigured,
    RecipientUnresolved,
    SendFailed,
    SendUncertain,
)
from ctower_desktop.kernel.system import as_text
from tests.posting import ANNA

SETTINGS = {"chatwoot": ChatwootSettings, "telegram": TelegramSettings, "loops": LoopsSettings}
SECRET = {"chatwoot": "api_token", "telegram": "bot_token", "loops": "secret_key"}
WRONG = {"chatwoot": "wrong", "telegram": "1:wrong", "loops": "wrong"}


def vendor(post, channel):
    return getattr(post, channel)


async def ready(post, channel, **more):
    """An approved message for somebody whom the channel reaches."""
    payload = {"template": "welcome"} if channel == "loops" else {"text": "Добрый день"}
    to = ANNA
    if channel == "telegram":
        to = str(post.telegram.add_chat(77))
    if channel == "chatwoot":
        theirs = post.vendor_talk("Здравствуйте")
        to = await post.talk(await post.contact(), theirs.id)
    return await post.approved(channel=channel, to=to, payload=payload, **more)


async def test_every_channel_of_the_contract_is_there(post):
    assert set(CHANNELS) == {"email", "chatwoot", "telegram", "loops"}
    found = await list_channels(post.call)
    assert [(c.channel, c.configured, c.missing) for c in found.channels] == [
        ("email", True, None), ("chatwoot", True, None), ("telegram", True, None), ("loops", True, None),
    ]  # fmt: skip
    assert (found.enabled, found.dry_run, found.sends_approved_by_itself) == (True, False, True)
    assert all(c.last_test_at is None for c in found.channels)


@pytest.mark.parametrize("channel", ["email", "chatwoot", "telegram", "loops"])
async def test_a_test_is_remembered(post, channel):
    assert (await try_channel(post.call, channel)).works
    found = {c.channel: c for c in (await list_channels(post.call)).channels}[channel]
    assert (found.last_test_at, found.last_test_works) == (post.clock.text(), True)
    assert found.last_test_message
    assert (await post.audited())[-1] == ("outbound.channel_test", "ok")


@pytest.mark.parametrize("channel", SETTINGS)
async def test_a_wrong_secret_is_named_and_not_told(post, channel):
    await post.tower.settings.change(SETTINGS[channel], {SECRET[channel]: WRONG[channel]})
    found = await try_channel(post.call, channel)
    assert (found.works, found.code) == (False, "delivery_failed")
    assert "does not accept" in found.message
    made = await ready(post, channel)
    error = await post.refused(made, SendFailed)
    assert WRONG[channel] not in str(error)
    assert (await post.now(made)).status == "approved"
    assert (await list_channels(post.call)).channels


@pytest.mark.parametrize("channel", SETTINGS)
async def test_without_a_secret_nothing_is_asked(post, channel):
    await post.tower.settings.change(SETTINGS[channel], {SECRET[channel]: None})
    found = await try_channel(post.call, channel)
    assert (found.works, found.code) == (False, "channel_not_configured")
    await post.refused(await ready(post, channel), ChannelNotConfigured)
    assert vendor(post, channel).requests == []


@pytest.mark.parametrize("channel", SETTINGS)
@pytest.mark.parametrize("at", ["base_url"])
async def test_another_address_is_no_vendor(post, channel, at):
    await post.tower.settings.change(SETTINGS[channel], {at: "http://127.0.0.1:1"})
    found = await try_channel(post.call, channel)
    assert (found.works, found.code) == (False, "delivery_failed")
    made = await ready(post, channel)
    await post.refused(made, SendFailed)  # it never left: not of unknown fate
    assert (await post.now(made)).status == "approved"
    await post.tower.settings.change(SETTINGS[channel], {at: "http://192.168.3.4"})
    assert (await try_channel(post.call, channel)).works is False


@pytest.mark.parametrize("channel", SETTINGS)
async def test_what_vendors_are_sent_arrives_once(post, channel):
    sent = await post.send(await ready(post, channel))
    assert sent.status == "sent"
    [attempt] = await post.attempts(sent)
    if channel == "telegram":
        assert [(s.chat, s.text) for s in post.telegram.said] == [(77, "Добрый день")]
        assert attempt.provider_message_id == "1"
    elif channel == "chatwoot":
        message = next(iter(post.chatwoot.conversations.values())).messages[-1]
        assert (message.content, message.message_type, message.private) == ("Добрый день", 1, False)
        assert message.content_attributes == {"ctower_outbound_id": sent.id}
        assert attempt.provider_message_id == str(message.id)
    else:
        assert [(s.name, s.email) for s in post.loops.sent] == [("welcome", ANNA)]
        assert list(post.loops.keys) == [f"{sent.id}-0"] == [attempt.provider_message_id]


@pytest.mark.parametrize("channel", SETTINGS)
@pytest.mark.parametrize(
    ("fault", "status"),
    [("lose", "uncertain"), ("down", "uncertain"), ("html", "uncertain"), ("cut", "uncertain"),
     (500, "uncertain"), (502, "uncertain"), (503, "approved"), (429, "approved"), (422, "failed")],
)  # fmt: skip
async def test_only_the_vendor_s_own_words_decide(post, channel, fault, status):
    made = await ready(post, channel)
    faults = vendor(post, channel).faults
    if isinstance(fault, int):
        faults.answer(fault, {"message": "no", "error": "no", "ok": False, "description": "no"})
    elif fault == "down":
        faults.down(times=1)
    else:
        getattr(faults, fault)()
    await post.refused(made, SendUncertain if status == "uncertain" else SendFailed)
    assert (await post.now(made)).status == status


async def test_telegram_says_how_long_to_wait(post):
    made = await ready(post, "telegram")
    post.telegram.faults.answer(
        429, {"ok": False, "error_code": 429, "description": "Too Many", "parameters": {"retry_after": 900}}
    )
    await post.refused(made, SendFailed)
    assert (await post.now(made)).next_attempt_at == as_text(post.clock.now() + timedelta(seconds=900))


@pytest.mark.parametrize("to", ["404", "@nobody_here"])
async def test_a_chat_the_bot_is_not_in_is_final(post, to):
    made = await post.approved(channel="telegram", to=to)
    error = await post.refused(made, SendFailed)
    assert "chat not found" in str(error)
    assert (await post.now(made)).status == "failed"


async def test_who_blocked_the_bot_is_left_alone(post):
    made = await ready(post, "telegram")
    post.telegram.blocked_by.add(77)
    await post.refused(made, SendFailed)
    assert (await post.now(made)).status == "failed"


async def test_a_contact_is_reached_in_telegram_by_its_attribute(post):
    post.telegram.add_chat(-100500)
    contact = await post.contact(custom_attributes='{"telegram_chat_id": -100500}')
    await post.send(await post.approved(channel="telegram", to=contact))
    assert [s.chat for s in post.telegram.said] == [-100500]
    await post.rule("-100500", "telegram", opted_out=True)
    assert (await post.rule(contact, "telegram")).opted_out is True


async def test_the_longest_text_of_telegram_arrives(post):
    post.telegram.add_chat(77)
    await post.send(await post.approved(channel="telegram", to="77", payload={"text": "ю" * 4_096}))
    assert len(post.telegram.said[0].text) == 4_096


async def test_a_contact_s_latest_conversation_is_answered_in(post):
    contact = await post.contact()
    first, second = post.vendor_talk("1"), post.vendor_talk("2")
    await post.talk(contact, first.id)
    post.clock.advance(1)
    await post.talk(contact, second.id)
    await post.send(await post.approved(channel="chatwoot", to=ANNA))
    assert (len(first.messages), len(second.messages)) == (1, 2)
    named = {"text": "named", "conversation_id": first.id}
    await post.send(await post.approved(channel="chatwoot", to=contact, payload=named))
    assert first.messages[-1].content == "named"


async def test_no_message_gets_into_a_stranger_s_conversation(post):
    contact, other = await post.contact(), await post.contact(2, "boris@north.example")
    theirs = post.vendor_talk("private")
    talk = await post.talk(other, theirs.id)
    for named in (talk, theirs.id, str(theirs.id), 999, f"cw:{post.call.project_id}:1:999"):
        made = await post.approved(
            channel="chatwoot", to=contact, payload={"text": f"x {named!r}", "conversation_id": named}
        )
        await post.refused(made, RecipientUnresolved)
    call, post.call = post.call, await post.other_project()
    made = await post.approved(channel="chatwoot", to=talk, payload={"text": "from elsewhere"})
    await post.refused(made, RecipientUnresolved)
    post.call = call
    assert len(theirs.messages) == 1


async def test_a_conversation_of_another_account_is_refused(post):
    made = await ready(post, "chatwoot")
    await post.tower.settings.change(ChatwootSettings, {"account_id": "2"})
    error = await post.refused(made, SendFailed)
    assert "account 1" in str(error)
    assert post.chatwoot.requests == []


async def test_a_refusal_of_loops_gets_a_new_key(post):
    """A key may be used up by a refused request, and a used key must mean one thing."""
    made = await ready(post, "loops")
    post.loops.faults.answer(400, {"success": False, "message": "not published"})
    error = await post.refused(made, SendFailed)
    assert "not published" in str(error)
    assert (await post.send(made)).status == "sent"
    assert list(post.loops.keys) == [f"{made.id}-1"]


async def test_a_key_loops_knows_and_we_do_not_is_of_unknown_fate(post):
    made = await ready(post, "loops")
    post.loops.keys[f"{made.id}-0"] = post.clock.now().timestamp()
    await post.refused(made, SendUncertain)


async def test_variables_go_to_the_template(post):
    payload = {"template": "welcome", "variables": {"name": "Анна", "sum": 5}}
    await post.send(await post.approved(channel="loops", payload=payload))
    assert post.loops.sent[0].data == {"name": "Анна", "sum": 5}


@pytest.mark.parametrize(("said", "channel"), [("contact", "email"), ("mail", "loops"), ("MAIL", "email")])
async def test_who_opted_out_here_is_not_pushed_to_loops(post, said, channel):
    """Fault absent: a local opt-out was not looked at when contacts were pushed to Loops."""
    contact = await post.contact()
    await post.contact(2, "boris@north.example", name="Boris")
    other = await post.other_project()  # what somebody said in one project holds for the scope
    who = {"contact": contact, "mail": ANNA, "MAIL": ANNA.upper()}[said]
    await post.rule(who, channel, opted_out=True)
    pusher = await post.tower.part(Pusher)
    found = await pusher.push(post.call.account_scope_id, [post.call.project_id, other.project_id])
    assert (found.created, found.skipped) == (1, 1)
    assert [c.email for c in post.loops.contacts.values()] == ["boris@north.example"]
    await post.rule(who, channel, opted_out=False)
    found = await pusher.push(post.call.account_scope_id, [post.call.project_id])
    assert [c.email for c in post.loops.contacts.values()] == ["boris@north.example", ANNA]
