"""The stand-in mail server, spoken to by the standard library's own client; the stand-in Telegram."""

from __future__ import annotations

import asyncio
import smtplib
from collections.abc import AsyncIterator

import httpx
import pytest

from ctower_desktop.sandbox.host import hosted
from ctower_desktop.sandbox.smtp import Fault, Smtp
from ctower_desktop.sandbox.telegram import Telegram


def delivered(port: int, text: str, *recipients: str, login: tuple[str, str] | None = None) -> dict:
    """Hand a letter over as any program would."""
    with smtplib.SMTP("127.0.0.1", port, timeout=5) as client:
        if login:
            client.login(*login)
        return client.sendmail("a@x.example", recipients, text.encode())


async def test_a_letter_is_kept_with_its_envelope():
    async with Smtp().running() as server:
        text = "Subject: Hi\r\n\r\nline\r\n..dots\r\n.\r\nend\r\n"
        await asyncio.to_thread(delivered, server.port, text, "b@y.example", "c@y.example")
    [letter] = server.inbox
    assert (letter.sender, letter.recipients) == ("a@x.example", ("b@y.example", "c@y.example"))
    assert letter.content.decode() == text
    assert (letter.message["Subject"], letter.secured, letter.signed_in_as) == ("Hi", False, "")


async def test_who_must_sign_in_must():
    async with Smtp(username="pm", password="right").running() as server:
        with pytest.raises(smtplib.SMTPSenderRefused):
            await asyncio.to_thread(delivered, server.port, "x", "b@y.example")
        with pytest.raises(smtplib.SMTPAuthenticationError):
            await asyncio.to_thread(delivered, server.port, "x", "b@y.example", login=("pm", "wrong"))
        await asyncio.to_thread(delivered, server.port, "x", "b@y.example", login=("pm", "right"))
    assert [letter.signed_in_as for letter in server.inbox] == ["pm"]


async def test_faults_come_in_their_order_and_end():
    async with Smtp().running() as server:
        server.faults += [Fault("RCPT", "550 no"), Fault("TEXT"), Fault("TEXT", takes=True)]
        with pytest.raises(smtplib.SMTPRecipientsRefused):
            await asyncio.to_thread(delivered, server.port, "one", "b@y.example")
        for _ in range(2):
            with pytest.raises(smtplib.SMTPServerDisconnected):
                await asyncio.to_thread(delivered, server.port, "two", "b@y.example")
        await asyncio.to_thread(delivered, server.port, "three", "b@y.example")
    assert [letter.content.strip() for letter in server.inbox] == [b"two", b"two", b"three"]


@pytest.fixture
async def bot(clock) -> AsyncIterator[tuple[Telegram, httpx.AsyncClient]]:
    vendor = Telegram(clock.now)
    async with (
        hosted(telegram=vendor) as urls,
        httpx.AsyncClient(base_url=f"{urls['telegram']}/bot{vendor.token}") as client,
    ):
        yield vendor, client


async def test_a_bot_says_who_it_is_and_what_it_is_told(bot):
    vendor, client = bot
    vendor.add_chat(7, "Anna")
    assert (await client.get("/getMe")).json()["result"]["username"] == "agency_bot"
    answer = await client.post("/sendMessage", json={"chat_id": 7, "text": "Привет"})
    assert (answer.json()["ok"], answer.json()["result"]["message_id"]) == (True, 1)
    assert [(s.chat, s.text) for s in vendor.said] == [(7, "Привет")]


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        ({"chat_id": 8, "text": "x"}, 400, "chat not found"),
        ({"chat_id": 7, "text": " "}, 400, "text is empty"),
        ({"chat_id": 7, "text": "😀" * 2_049}, 400, "too long"),
        ({"chat_id": 9, "text": "x"}, 403, "blocked"),
    ],
)
async def test_what_a_bot_may_not(bot, body, status, words):
    vendor, client = bot
    vendor.add_chat(7)
    vendor.blocked_by.add(vendor.add_chat(9))
    answer = await client.post("/sendMessage", json=body)
    assert (answer.status_code, answer.json()["ok"]) == (status, False)
    assert words in answer.json()["description"]
    assert vendor.said == []


async def test_a_wrong_token_and_a_busy_day(bot):
    vendor, client = bot
    vendor.faults.rate_limit()
    busy = (await client.get("/getMe")).json()
    assert (busy["error_code"], busy["parameters"]["retry_after"]) == (429, 17)
    vendor.token = "1:other"
    assert (await client.get("/getMe")).status_code == 401
