"""The demo agency holds together, is big and varied enough, and carries its stories from source to source."""

import json
import re
import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from ctower_desktop.sandbox.agency import (
    Agency,
    AgencyError,
    Client,
    Conversation,
    Deal,
    Issue,
    demo_folder,
    load,
    tell,
    today_of,
)
from ctower_desktop.sandbox.dates import day, moment, spell_dates

TODAY = date(2026, 11, 20)


@pytest.fixture(scope="module")
def agency() -> Agency:
    return load()


@pytest.fixture(scope="module")
def told(agency: Agency) -> Agency:
    return tell(agency, TODAY)


def conversations(agency: Agency) -> dict[str, Conversation]:
    return {each.key: each for client in agency.clients for each in client.conversations}


def issues(agency: Agency) -> dict[str, Issue]:
    return {each.key: each for client in agency.clients for each in client.issues}


def deals(agency: Agency) -> dict[str, Deal]:
    return {each.key: each for client in agency.clients for each in client.deals}


def said(client: Client, *, private: bool) -> list[str]:
    return [
        message.text
        for conversation in client.conversations
        for message in conversation.messages
        if message.private is private
    ]


def whole(record: Conversation | Issue | Deal) -> str:
    """All texts of one record."""
    return json.dumps(msgspec.to_builtins(record), ensure_ascii=False)


# -- size and variety ---------------------------------------------------------------------------------------


def test_there_is_enough_of_everything(agency: Agency) -> None:
    assert len(agency.clients) == 3
    for client in agency.clients:
        assert sum(len(each.messages) for each in client.conversations) >= 200, client.name
        assert len(client.issues) >= 28, client.name
        assert len(client.deals) >= 14, client.name
        assert {each.stage for each in client.deals} == {
            "Lead", "Qualified", "Proposal", "Negotiation", "Won", "Lost",
        }  # fmt: skip
    assert sum(len(each.messages) for each in conversations(agency).values()) >= 640
    assert len(conversations(agency)) >= 45
    assert len(issues(agency)) >= 90
    assert len(deals(agency)) >= 42
    assert sum(len(each.comments) for each in issues(agency).values()) >= 100
    assert sum(len(each.notes) for each in deals(agency).values()) >= 40
    assert sum(len(each.tasks) for each in deals(agency).values()) >= 20
    assert all(each.description for each in issues(agency).values())


def test_no_text_is_there_twice(agency: Agency) -> None:
    texts = [
        text
        for client in agency.clients
        for text in (
            *said(client, private=False),
            *said(client, private=True),
            *(part for issue in client.issues for part in (issue.title, issue.description)),
            *(comment.text for issue in client.issues for comment in issue.comments),
            *(part.text for deal in client.deals for part in (*deal.notes, *deal.tasks)),
        )
        if text
    ]
    assert sorted({text for text in texts if texts.count(text) > 1}) == []


def test_each_client_speaks_its_language(agency: Agency) -> None:
    bounds = {"ru": (0.8, 1.0), "en": (0.0, 0.05), "mixed": (0.4, 0.85)}
    assert {client.language for client in agency.clients} == set(bounds)
    for client in agency.clients:
        text = " ".join(said(client, private=False))
        cyrillic = len(re.findall("[а-яё]", text, re.IGNORECASE))
        latin = len(re.findall("[a-z]", text, re.IGNORECASE))
        low, high = bounds[client.language]
        assert low <= cyrillic / (cyrillic + latin) <= high, client.name


def test_the_last_three_weeks_weigh_most_and_today_is_alive(agency: Agency) -> None:
    for client in agency.clients:
        days = [int(m.at.split()[0]) for each in client.conversations for m in each.messages]
        assert min(days) <= -56, client.name
        assert sum(d >= -21 for d in days) >= 0.6 * len(days), client.name
        assert days.count(0) >= 3, client.name


def test_customers_are_waiting_for_an_answer(agency: Agency) -> None:
    staff = {person.key for person in agency.staff}
    waiting = []
    for each in conversations(agency).values():
        public = [message for message in each.messages if not message.private]
        if each.status == "open" and public[-1].author not in staff:
            waiting.append(each.key)
    assert len(waiting) >= 12
    assert {"sev-launch", "sev-loyal-3", "tdw-demo", "yas-booking", "yas-incident"} <= set(waiting)


def test_awkward_messages_are_among_them(agency: Agency) -> None:
    messages = [message for each in conversations(agency).values() for message in each.messages]
    everything = "\n".join(message.text for message in messages)
    for hostile in (
        "<script>",
        "DROP TABLE",
        "Ignore previous instructions",
        "Игнорируй все предыдущие инструкции",
        "\u202e",
        "\u200b",
        "javascript:",
    ):
        assert hostile in everything, hostile
    assert max(len(word) for word in everything.split()) > 3000
    assert sum(not message.text and bool(message.attachments) for message in messages) >= 8
    assert sum(message.private for message in messages) >= 12
    assert "ghbdtn" in everything  # «привет» in the wrong layout
    assert "руддщ" in everything  # "hello" in the wrong layout


# -- time ---------------------------------------------------------------------------------------------------


def all_moments(agency: Agency) -> Iterator[str]:
    text = json.dumps(msgspec.to_builtins(agency), ensure_ascii=False)
    yield from re.findall(r'"(?:at|created|updated|completed)": "([^"]+)"', text)


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (datetime(2026, 11, 20, 23, 0, tzinfo=UTC), date(2026, 11, 20)),
        (datetime(2026, 11, 20, 8, 0, tzinfo=UTC), date(2026, 11, 20)),
        (datetime(2026, 11, 20, 0, 5, tzinfo=UTC), date(2026, 11, 19)),
        (datetime(2026, 1, 1, 3, 0, tzinfo=UTC), date(2025, 12, 31)),
    ],
)
def test_nothing_lies_in_the_future(agency: Agency, now: datetime, expected: date) -> None:
    today = today_of(agency, now)
    assert today == expected
    times = [moment(at, today) for at in all_moments(agency)]
    assert len(times) > 900
    assert max(times) <= now
    assert now - max(times) < timedelta(days=1)


def test_moments_and_days_are_relative_to_today() -> None:
    assert moment("-3 10:12", TODAY) == datetime(2026, 11, 17, 10, 12, tzinfo=UTC)
    assert moment("0 05:00", TODAY) == datetime(2026, 11, 20, 5, 0, tzinfo=UTC)
    assert day("+11", TODAY) == date(2026, 12, 1)
    for wrong in ("+1 10:00", "-3 24:00", "-3", "3 10:00", "-03 10:00"):
        with pytest.raises(ValueError, match="not a moment"):
            moment(wrong, TODAY)
    for wrong in ("4", "+0", "tomorrow"):
        with pytest.raises(ValueError, match="not a day"):
            day(wrong, TODAY)


@pytest.mark.parametrize(
    ("text", "spelled"),
    [
        ("запуск {+6}", "запуск 26 ноября"),
        ("launch {+6}", "launch 26 November"),
        ("к {+11:num}", "к 01.12"),
        ("by {+11:num}", "by 01/12"),
        ("созвон {+4:on}", "созвон во вторник"),
        ("call {+4:on}", "call on Tuesday"),
        ("{0:day}, пока так", "пятница, пока так"),
        ("for {-20:month}", "for October"),
        ("за {-20:month}", "за октябрь"),
        ("f'{name}' and {4} stay", "f'{name}' and {4} stay"),
    ],
)
def test_dates_are_spelled_in_the_language_of_the_text(text: str, spelled: str) -> None:
    assert spell_dates(text, TODAY) == spelled


def test_no_date_token_survives_the_telling(agency: Agency, told: Agency) -> None:
    encoded = msgspec.json.encode(told).decode()
    assert re.findall(r"\{[+-]?\d+[^}\"]*\}", encoded) == []
    assert len(re.findall(r"\{[+-]\d+", msgspec.json.encode(agency).decode())) >= 250
    assert [each.key for each in told.clients[0].issues] == [each.key for each in agency.clients[0].issues]


# -- stories ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fact", "keys"),
    [
        ("{+6}", ("sev-launch", "sev-acquiring", "SEV-142", "d-sev-shop")),  # the slipping launch
        ("47.91", ("sev-launch", "sev-acquiring", "sev-docs", "SEV-141")),
        ("18 600", ("sev-launch", "d-sev-shop")),
        ("57,040", ("tdw-discount", "tdw-scope", "d-tdw-phase2")),  # the discount fight
        ("28,520", ("tdw-discount", "d-tdw-phase2")),
        ("{-36}", ("yas-dent", "YAS-331", "d-dent-site")),  # the silent client
        ("{-22}", ("sev-loyal-2", "sev-loyal-3", "SEV-155", "d-sev-loyalty")),  # the upsell
        ("350 тыс", ("sev-loyal-3",)),
        ("CR-3", ("tdw-scope", "TDW-226", "TDW-227")),  # scope creep
        ("35 ", ("yas-incident", "yas-investor-incident", "YAS-312")),  # the incident
        ("PR-2031", ("tdw-invoice", "d-tdw-phase1")),  # the late invoice
        ("90 000 ₽", ("yas-handover", "YAS-326", "d-yas-photo")),  # the handover
        ("10:00 CET", ("tdw-demo", "TDW-237")),  # the moved demo
        ("v5", ("yas-design", "YAS-311")),  # waiting approvals
        ("{-18}", ("sev-launch", "SEV-128")),  # the vacation
        ("{+18}", ("tdw-holiday", "TDW-240")),
        ("312", ("sev-redirects", "SEV-115", "sev-launch")),  # the migration
        ("410", ("yas-content", "YAS-321")),
    ],
)
def test_a_story_tells_the_same_fact_in_every_source(
    agency: Agency, fact: str, keys: tuple[str, ...]
) -> None:
    records: dict[str, Any] = {**conversations(agency), **issues(agency), **deals(agency)}
    assert [key for key in keys if fact not in whole(records[key])] == []


def test_what_blocks_the_launch_is_linked(agency: Agency) -> None:
    work = issues(agency)
    assert work["SEV-142"].blocked_by == ["SEV-141"]
    assert work["SEV-131"].blocked_by == ["SEV-142"]
    assert work["SEV-142"].state == "In Progress"


def test_the_sums_are_right(agency: Agency) -> None:
    amounts = {key: deal.amount for key, deal in deals(agency).items()}
    assert amounts["d-sev-shop"] == 744_000 + 744_000 + 372_000
    assert amounts["d-sev-support"] == 11 * 65_000
    assert amounts["d-tdw-phase1"] == 14_550 + 19_400 + 14_550
    assert amounts["d-tdw-phase2"] == 62_000 * 0.92
    assert amounts["d-tdw-support"] == 12 * 1_900
    assert amounts["d-yas-site"] == 1_020_000 + 1_020_000 + 1_360_000
    assert amounts["d-yas-english"] == 11_200 + 7_300


@pytest.mark.parametrize(
    "secret", ["55,800", "28 тыс", "миграции процессинга", "актёр", "судится", "торопил"]
)
def test_what_only_private_notes_know(agency: Agency, secret: str) -> None:
    hidden = [text for client in agency.clients for text in said(client, private=True)]
    assert any(secret in text for text in hidden)
    shown = msgspec.json.encode(agency).decode().count(secret)
    assert shown == sum(text.count(secret) for text in hidden)


def test_the_readme_names_only_what_exists(agency: Agency) -> None:
    text = (demo_folder() / "README.md").read_text(encoding="utf-8")
    keys = {*conversations(agency), *issues(agency), *deals(agency)}
    named = set(
        re.findall(r"\b(?:SEV|TDW|YAS)-\d+|\b(?:d-)?(?:sev|tdw|yas|dent|halyard|brusnika)-[a-z0-9-]+", text)
    )
    assert len(named) > 70
    assert named - keys == set()


def test_life_goes_on_in_order_and_within_minutes(agency: Agency) -> None:
    times = [live.after_seconds for live in agency.live]
    assert times == sorted(set(times))
    assert len(times) >= 12
    assert times[-1] <= 600
    assert {live.kind for live in agency.live} == {"message", "comment", "issue_state"}


# -- what a broken file is told -----------------------------------------------------------------------------


def sever_conversation(client: dict[str, Any]) -> dict[str, Any]:
    conversation: dict[str, Any] = client["conversations"][0]
    return conversation


def set_last_message(name: str, value: Any) -> Callable[[dict[str, Any]], None]:
    def change(client: dict[str, Any]) -> None:
        sever_conversation(client)["messages"][-1][name] = value

    return change


def set_issue(key: str, name: str, value: Any) -> Callable[[dict[str, Any]], None]:
    def change(client: dict[str, Any]) -> None:
        next(each for each in client["issues"] if each["key"] == key)[name] = value

    return change


def set_deal(name: str, value: Any) -> Callable[[dict[str, Any]], None]:
    def change(client: dict[str, Any]) -> None:
        client["deals"][0][name] = value

    return change


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (set_last_message("author", "nobody"), "sev-launch author: 'nobody' is missing"),
        (set_last_message("at", "+1 10:00"), "sev-launch: not a moment: '+1 10:00'"),
        (set_last_message("at", "-70 10:00"), "sev-launch: -70 10:00 is not after what stands before it"),
        (set_last_message("text", ""), "sev-launch 0 05:52: neither text nor attachment"),
        (set_last_message("private", True), "sev-launch 0 05:52: a private note of somebody outside"),
        (set_last_message("text", "см. SEV-999"), "SEV-999 is named in a text and does not exist"),
        (lambda c: sever_conversation(c).update(inbox="Факс"), "sev-launch inbox: 'Факс' is missing"),
        (lambda c: sever_conversation(c).update(contact="ghost"), "sev-launch contact: 'ghost' is missing"),
        (lambda c: sever_conversation(c).update(messages=[]), "sev-launch: no messages"),
        (
            lambda c: c["conversations"].append(c["conversations"][0]),
            "conversations: sev-launch is there twice",
        ),
        (lambda c: c["people"].append(c["people"][0]), "staff and people: lena is there twice"),
        (lambda c: c["people"][0].update(company="moon"), "person lena: company 'moon' is missing"),
        (lambda c: c.update(company="moon"), "company moon is missing"),
        (set_issue("SEV-142", "blocked_by", ["SEV-142"]), "SEV-142 blocked by: 'SEV-142' is missing"),
        (set_issue("SEV-142", "cycle", 9), "SEV-142: cycle 9 is missing"),
        (set_issue("SEV-142", "due", "soon"), "SEV-142: due 'soon' is not a day"),
        (set_issue("SEV-142", "state", "Done"), "SEV-142: state Done and completed None contradict"),
        (set_issue("SEV-142", "updated", "-30 10:00"), "SEV-142: updated before its last change"),
        (set_issue("SEV-142", "priority", 7), "SEV-142: priority 7"),
        (set_issue("SEV-142", "team", "Юг"), "SEV-142: belongs to another team"),
        (set_deal("owner", "lena"), "d-sev-shop owner: 'lena' is missing"),
        (set_deal("probability", 0.5), "d-sev-shop: Won with probability 0.5 and close -78"),
        (set_deal("close", "+3"), "d-sev-shop: Won with probability 1.0 and close +3"),
        (set_deal("company", "moon"), "d-sev-shop company: 'moon' is missing"),
    ],
)
def test_a_contradiction_is_named(
    tmp_path: Path, change: Callable[[dict[str, Any]], None], problem: str
) -> None:
    folder = tmp_path / "demo"
    shutil.copytree(demo_folder(), folder)
    file = folder / "sever.json"
    client = json.loads(file.read_text(encoding="utf-8"))
    change(client)
    file.write_text(json.dumps(client), encoding="utf-8")
    with pytest.raises(AgencyError) as caught:
        load(folder)
    assert any(problem in each for each in caught.value.problems), caught.value.problems


def test_an_unknown_field_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    shutil.copytree(demo_folder(), folder)
    front = json.loads((folder / "agency.json").read_text(encoding="utf-8"))
    front["live"][0]["textt"] = "typo"
    (folder / "agency.json").write_text(json.dumps(front), encoding="utf-8")
    with pytest.raises(msgspec.ValidationError, match="textt"):
        load(folder)


@pytest.mark.parametrize(
    ("live", "problem"),
    [
        ({"kind": "message", "target": "nowhere", "author": "lena", "text": "?"}, "'nowhere' is missing"),
        ({"kind": "message", "target": "sev-launch", "author": "lena"}, "no text"),
        ({"kind": "comment", "target": "SEV-142", "author": "ghost", "text": "?"}, "'ghost' is missing"),
        ({"kind": "issue_state", "target": "SEV-142"}, "no state"),
    ],
)
def test_what_will_happen_is_checked_too(tmp_path: Path, live: dict[str, Any], problem: str) -> None:
    folder = tmp_path / "demo"
    shutil.copytree(demo_folder(), folder)
    front = json.loads((folder / "agency.json").read_text(encoding="utf-8"))
    front["live"] = [{"after_seconds": 5, **live}]
    (folder / "agency.json").write_text(json.dumps(front), encoding="utf-8")
    with pytest.raises(AgencyError, match=problem):
        load(folder)
