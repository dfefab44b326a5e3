"""Overviews, digests, signals and list pages in a home of 20 projects with a year behind them."""

from __future__ import annotations

import asyncio
import random
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from ctower_desktop import app
from ctower_desktop.insight.analytics.aggregates import caught_up
from ctower_desktop.kernel.endpoint import ENDPOINTS, TOWER, Endpoint
from ctower_desktop.kernel.errors import TowerError
from ctower_desktop.kernel.jobs import JOBS
from ctower_desktop.kernel.system import Clock, Home, as_text
from ctower_desktop.kernel.tower import Desktop, ProjectRef, Scoped, Tower, by_job, desktop
from ctower_desktop.projects.actions import NewProject, create_project
from ctower_desktop.reports.actions import read_control_tower, read_portfolio_overview
from ctower_desktop.reports.digests import make_day, make_week
from ctower_desktop.reports.portfolio import OverviewQuery
from tests.bench.vectors import demo_texts

START = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
_YEAR = timedelta(days=400)
_STAGES = ("lead", "qualified", "proposal", "negotiation", "won", "lost")
_JOBS = ("signals_extraction", "upsell_radar", "health_scoring", "analytics_aggregates")
_NEW = 100  # messages that come at once


class Size(msgspec.Struct):
    """How large the home is, a project each, and how often things are measured."""

    projects: int
    messages: int
    issues: int
    deals: int
    rounds: int


class Steady(Clock):
    """A clock that stands still until it is moved; what is kept in memory ages with it."""

    def __init__(self) -> None:
        self.at, self.counter = START, 1_000.0

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return self.counter


def run(*, tiny: bool) -> list[dict[str, Any]]:
    """Fill a home, let every job run once, then look at it in every way."""
    size = Size(3, 120, 20, 8, 3) if tiny else Size(20, 10_000, 1_000, 250, 12)
    with tempfile.TemporaryDirectory() as folder:
        return asyncio.run(_measured(Path(folder), size))


async def _measured(folder: Path, size: Size) -> list[dict[str, Any]]:
    clock = Steady()
    tower = await app.open_tower(Home(folder), clock=clock, environment={}, secrets="file")
    try:
        refs, small = await fill_home(tower, size)
        calls = [desktop(tower, "bench", ref) for ref in refs]
        return [
            *await _overviews(tower, clock, calls, size),
            *await _digests(calls),
            *await _signals(tower, clock, refs[0], small, size),
            *await _pages(calls, size),
        ]
    finally:
        await app.close_tower(tower)


async def fill_home(tower: Tower, size: Size) -> tuple[list[ProjectRef], ProjectRef]:
    """Projects with much history and one with little; every job that reads them has run once."""
    refs = [await _project(tower, number) for number in range(size.projects + 1)]
    small, refs = refs[-1], refs[:-1]
    for number, ref in enumerate(refs):
        await _fill(tower, ref, number, size)
    await _fill(tower, small, 99, Size(1, max(20, size.messages // 20), size.issues, size.deals, 1))
    await caught_up(tower, [*(ref.id for ref in refs), small.id])
    for ref in (*refs, small):
        for name in _JOBS:
            await JOBS[name].handler(by_job(tower, "bench", ref))
    return refs, small


def _row(name: str, value: float, most: float | None, unit: str = "ms") -> dict[str, Any]:
    target = f"<= {most:g}" if most is not None else ""
    return {"name": name, "value": value, "unit": unit, "target": target,
            "ok": value <= most if most is not None else None}  # fmt: skip


async def _overviews(
    tower: Tower, clock: Steady, calls: Sequence[Desktop], size: Size
) -> list[dict[str, Any]]:
    ids = ",".join(call.project_id for call in calls)

    async def control_tower(turn: int) -> None:
        await read_control_tower(calls[turn % len(calls)])

    async def portfolio(turn: int) -> None:
        await read_portfolio_overview(calls[0], OverviewQuery(project_ids=ids))

    rows = []
    for name, look in (("control tower", control_tower), ("portfolio of all projects", portfolio)):
        fresh = await _times(look, size.rounds * 4, before=lambda: _forget(clock))
        for turn in range(len(calls)):
            await look(turn)
        kept = await _times(look, size.rounds * 20)
        rows.append(_row(f"{name}: made anew, p95", _p95(fresh), 60))
        rows.append(_row(f"{name}: from memory, p95", _p95(kept), 5))
    rows.append(await _after_a_change(tower, calls[0], ids, size))
    return rows


def _forget(clock: Steady) -> None:
    clock.counter += 1_000


async def _after_a_change(tower: Tower, call: Desktop, ids: str, size: Size) -> dict[str, Any]:
    """A message comes, and the portfolio shows it: what was counted before is brought up to date first."""
    times = []
    for turn in range(size.rounds):
        await tower.db.write(
            _messages, call.project_ref, 1_000 + turn, 1, tower.clock.now(), tower.clock.now()
        )
        began = time.perf_counter()
        found = await read_portfolio_overview(call, OverviewQuery(project_ids=ids))
        times.append(1_000 * (time.perf_counter() - began))
        assert found.messages[0].created_at == tower.clock.text(), "the newest message is shown"
    return _row("portfolio of all projects: after a message came, p95", _p95(times), 60)


async def _digests(calls: Sequence[Desktop]) -> list[dict[str, Any]]:
    async def day(turn: int) -> None:
        await make_day(calls[turn % len(calls)], START.date())

    async def week(turn: int) -> None:
        await make_week(calls[turn % len(calls)], date(2026, 11, 16))

    return [
        _row("digest of a day, worst", max(await _times(day, len(calls))), 1_000),
        _row("digest of a week, worst", max(await _times(week, len(calls))), 1_000),
    ]


async def _signals(
    tower: Tower, clock: Steady, large: ProjectRef, small: ProjectRef, size: Size
) -> list[dict[str, Any]]:
    """What it costs to read messages that came, in a project with much history and in one with little."""
    times: dict[str, list[float]] = {large.id: [], small.id: []}
    for turn in range(max(3, size.rounds // 2)):
        for ref in (large, small):
            clock.at += timedelta(minutes=1)
            await tower.db.write(_messages, ref, 2_000 + turn, _NEW, clock.at - timedelta(hours=2), clock.at)
            began = time.perf_counter()
            await JOBS["signals_extraction"].handler(by_job(tower, "bench", ref))
            times[ref.id].append(1_000 * (time.perf_counter() - began))
    much, little = (sorted(times[ref.id])[len(times[ref.id]) // 2] for ref in (large, small))
    return [
        _row(f"signals of {_NEW} new messages, after {size.messages:,} others, p50", much, None),
        _row("signals: with much history against little", much / little, 2, "times"),
    ]


async def _pages(calls: Sequence[Desktop], size: Size) -> list[dict[str, Any]]:
    """Every list of the tower door at its own default length, each in several projects."""
    found: dict[str, float] = {}
    for endpoint in _lists():
        turns = [call for call in calls for _ in range(1 + size.rounds // 6)]
        times = []
        try:
            for call in turns:
                began = time.perf_counter()
                await endpoint(call, **({"query": endpoint.query()} if endpoint.query else {}))
                times.append(1_000 * (time.perf_counter() - began))
        except TowerError:
            continue  # closed by a setting, or it needs to be told more
        found[endpoint.path] = _p95(times)
    slowest = sorted(found, key=lambda path: -found[path])[:3]
    rows = [_row(f"list pages ({len(found)}), p95 of the slowest: {slowest[0]}", found[slowest[0]], 15)]
    return rows + [_row(f"list page {path}, p95", found[path], 15) for path in slowest[1:]]


def _lists() -> Iterator[Endpoint[..., Any]]:
    for endpoint in ENDPOINTS.values():
        one_query = endpoint.query is not None and "limit" in endpoint.query.__struct_fields__
        plain = endpoint.method == "GET" and not endpoint.path_types and not endpoint.stream
        if endpoint.door is TOWER and plain and one_query and issubclass(endpoint.caller, Scoped):
            yield endpoint


async def _times(
    look: Callable[[int], Awaitable[None]], count: int, before: Callable[[], None] = lambda: None
) -> list[float]:
    times = []
    for turn in range(count):
        before()
        began = time.perf_counter()
        await look(turn)
        times.append(1_000 * (time.perf_counter() - began))
    return times


def _p95(times: Sequence[float]) -> float:
    return sorted(times)[min(len(times) - 1, int(0.95 * len(times)))]


async def _project(tower: Tower, number: int) -> ProjectRef:
    made = (await create_project(desktop(tower, "bench"), NewProject(name=f"Project {number:02}"))).project
    return ProjectRef(made.id, made.name, made.account_scope_id)


async def _fill(tower: Tower, ref: ProjectRef, number: int, size: Size) -> None:
    """Contacts, conversations, messages of a year, issues, deals, offers and costs; the same every time."""
    await tower.db.write(_people, ref, max(1, size.messages // 50))
    await tower.db.write(_messages, ref, number, size.messages, START - _YEAR, START)
    await tower.db.write(_work, ref, number, size.issues)
    await tower.db.write(_sales, ref, number, size.deals)


def _people(db: Any, ref: ProjectRef, count: int) -> None:
    at = as_text(START - _YEAR)
    owner = (ref.id, ref.account_scope_id)
    db.executemany(
        "INSERT INTO contact (id, project_id, account_scope_id, account_id, contact_id, name, email,"
        " haystack, updated_at) VALUES (?, ?, ?, '1', ?, ?, ?, ?, ?)",
        [
            (
                f"cwc:{ref.id}:1:{n}",
                *owner,
                str(n),
                f"Client {n}",
                f"client{n}@acme{n % 40}.io",
                f"client {n}",
                at,
            )
            for n in range(count)
        ],
    )
    db.executemany(
        "INSERT INTO conversation (id, project_id, account_scope_id, account_id, conversation_id,"
        " contact_global_id, status, created_at, updated_at) VALUES (?, ?, ?, '1', ?, ?, ?, ?, ?)",
        [
            (
                f"cw:{ref.id}:1:{n}",
                *owner,
                str(n),
                f"cwc:{ref.id}:1:{n}",
                "open" if n % 4 else "resolved",
                at,
                at,
            )
            for n in range(count)
        ],
    )


def _messages(db: Any, ref: ProjectRef, seed: int, count: int, since: datetime, until: datetime) -> None:
    """Messages spread over the time, the last one at its end; people write and are answered in turns."""
    chance, sentences = random.Random(seed), demo_texts()
    people = next(db.execute("SELECT count(*) FROM conversation WHERE project_id = ?", (ref.id,)))[0]
    known = next(db.execute("SELECT count(*) FROM message WHERE project_id = ?", (ref.id,)))[0]
    step = (until - since) / max(1, count - 1) if count > 1 else timedelta(0)
    rows = []
    for n in range(count):
        talk, number = chance.randrange(people), known + n
        kind = "0" if chance.random() < 0.55 else "1"
        at = as_text(until if n == count - 1 else since + n * step)
        text = " ".join(chance.choices(sentences, k=chance.randint(1, 3)))
        rows.append(
            (f"cwmsg:{ref.id}:1:{number}", ref.id, ref.account_scope_id, str(number), str(talk),
             f"cw:{ref.id}:1:{talk}", f"cwc:{ref.id}:1:{talk}", "contact" if kind == "0" else "user",
             int(n % 25 == 24 and n < count - 1), kind, text, at, at)
        )  # fmt: skip
    db.executemany(
        "INSERT INTO message (id, project_id, account_scope_id, account_id, message_id, conversation_id,"
        " conversation_global_id, contact_global_id, sender_type, private, message_type, content, created_at,"
        " updated_at) VALUES (?, ?, ?, '1', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        rows,
    )


def _work(db: Any, ref: ProjectRef, seed: int, count: int) -> None:
    chance, sentences = random.Random(seed), demo_texts()
    rows = []
    for n in range(count):
        created = START - _YEAR * chance.random()
        done = created + timedelta(days=chance.uniform(0.5, 40)) if chance.random() < 0.7 else None
        done = done if done and done < START else None
        due = (created + timedelta(days=chance.randint(5, 60))).date().isoformat() if n % 3 else None
        rows.append(
            (f"linissue:{ref.id}:w:{n}", ref.id, ref.account_scope_id, f"ext-{n}", f"ENG-{n}",
             chance.choice(sentences)[:80], f"lp-{n % 6}", f"Stream {n % 6}",
             "completed" if done else "started", int(n % 17 == 0), due, as_text(done) if done else None,
             as_text(created), as_text(done or created))
        )  # fmt: skip
    db.executemany(
        "INSERT INTO issue (id, project_id, account_scope_id, workspace_id, external_id, identifier, title,"
        " linear_project_external_id, linear_project_name, state_type, blocked, due_date, completed_at,"
        " created_at, updated_at) VALUES (?, ?, ?, 'w', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        rows,
    )


def _sales(db: Any, ref: ProjectRef, seed: int, count: int) -> None:
    chance, owner = random.Random(seed), (ref.id, ref.account_scope_id)
    deals, offers, costs = [], [], []
    for n in range(count):
        created = START - _YEAR * chance.random()
        moved, stage = created + (START - created) * chance.random(), chance.choice(_STAGES)
        amount, currency = float(chance.randrange(1_000, 40_000)), "EUR" if n % 5 else "RUB"
        close = (START + timedelta(days=chance.randint(-20, 120))).date().isoformat()
        deals.append(
            (f"attiodeal:{ref.id}:w:{n}", *owner, f"deal-{n}", f"Deal {n}", stage, amount, currency,
             round(chance.random(), 2), close, as_text(created), as_text(moved))
        )  # fmt: skip
        if n % 5 == 0:
            status = chance.choice(("draft", "approved", "sent", "signed"))
            at = as_text(moved)
            offers.append(
                (f"offer-{ref.id}-{n}", *owner, f"Offer {n}", currency, amount, amount, status, at, at,
                 at if status in ("sent", "signed") else None, at if status == "signed" else None)
            )  # fmt: skip
            costs.append((f"cost-{ref.id}-{n}", *owner, "cost", amount / 3, currency, at[:10], at))
    db.executemany(
        "INSERT INTO deal (id, project_id, account_scope_id, workspace_id, external_id, title, stage, amount,"
        " currency, probability, expected_close_date, created_at, updated_at)"
        " VALUES (?, ?, ?, 'w', ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        deals,
    )
    db.executemany(
        "INSERT INTO offer (id, project_id, account_scope_id, title, currency, subtotal, discount_pct, total,"
        " granted_pct, status, language, created_by, updated_by, created_at, updated_at, sent_at, signed_at)"
        " VALUES (?, ?, ?, ?, ?, ?, 0, ?, 0, ?, 'en', 'bench', 'bench', ?, ?, ?, ?)",
        offers,
    )
    db.executemany(
        "INSERT INTO cost_entry (id, project_id, account_scope_id, entry_type, amount, currency, date,"
        " created_by, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, 'bench', ?)",
        costs,
    )
