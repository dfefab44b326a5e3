"""The line to a vendor: what is tried again and when, what is not, and when a vendor is left alone."""

from __future__ import annotations

import random

import pytest

from ctower_desktop.connectors.attio import Attio
from ctower_desktop.connectors.chatwoot import Chatwoot
from ctower_desktop.connectors.contract import (
    CONNECTORS,
    BadPayload,
    CircuitOpen,
    Missing,
    NeedsUser,
    Refused,
    Transient,
)
from ctower_desktop.connectors.linear import Linear
from ctower_desktop.connectors.loops import LOOPS
from ctower_desktop.connectors.wire import Announced, Breaker, Window, Wire
from ctower_desktop.kernel.check import check
from ctower_desktop.kernel.errors import Upstream
from ctower_desktop.kernel.http import Answer, Unreachable
from ctower_desktop.kernel.settings import fields

DATE = "Fri, 20 Nov 2026 10:00:00 GMT"


class Script:
    """An HTTP client that answers by a list; the last answer is repeated."""

    def __init__(self, *answers):
        self.answers, self.asked = list(answers), 0

    async def request(self, *_args, **_kwargs):
        self.asked += 1
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


def answer(status, body=b"{}", **headers):
    return Answer(status, {"date": DATE, **{k.replace("_", "-"): v for k, v in headers.items()}}, body)


@pytest.fixture
def line(clock):
    """`line(answers…)`: a wire over them and the seconds it slept."""

    def make(*answers, vendor=None, seed=1, headers=None):
        slept = []

        async def sleep(seconds):
            slept.append(seconds)
            clock.advance(seconds)

        vendor = vendor or Chatwoot()
        script = Script(*answers)
        wire = Wire(
            script, vendor.title, "https://vendor.example", headers or {}, vendor.failure, [],
            Breaker(clock.monotonic), sleep, random.Random(seed),
        )  # fmt: skip
        return wire, script, slept

    return make


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504, 520])
async def test_what_may_pass_is_tried_three_times(line, status):
    wire, script, slept = line(answer(status))
    with pytest.raises(Transient):
        await wire.get("/x")
    assert script.asked == 3
    assert len(slept) == 2


@pytest.mark.parametrize(
    ("status", "error"), [(400, Refused), (401, NeedsUser), (402, NeedsUser), (403, NeedsUser), (404,
    Missing),
                          (422, Refused), (302, NeedsUser)],
)  # fmt: skip
async def test_what_will_not_pass_is_tried_once(line, status, error):
    wire, script, slept = line(answer(status))
    with pytest.raises(error):
        await wire.get("/x")
    assert script.asked == 1
    assert slept == []


async def test_waits_are_spread_over_the_whole_span(line):
    waits = []
    for seed in range(200):
        wire, _, slept = line(answer(500), answer(200), seed=seed)
        await wire.get("/x")
        waits += slept
    assert min(waits) < 0.1
    assert max(waits) > 0.9
    assert all(0 <= wait <= 1.0 for wait in waits)


@pytest.mark.parametrize(
    ("given", "expected"),
    [("7", 7.0), ("0", 0.0), ("Fri, 20 Nov 2026 10:00:09 GMT", 9.0), ("Fri, 20 Nov 2026 09:59:00 GMT", 0.0)],
)
async def test_retry_after_wins_in_both_forms(line, given, expected):
    """A date counts by the vendor's own clock, whatever ours says."""
    wire, _, slept = line(answer(429, retry_after=given), answer(200))
    await wire.get("/x")
    assert slept == [expected]


@pytest.mark.parametrize(
    "headers",
    [
        {"retry_after": "inf"},
        {"retry_after": "nan"},
        {"retry_after": "-1e400"},
        {"retry_after": "Fri, 31 Dec 9999 23:59:59 -1200"},
        {"date": "Fri, 20 Nov 2026 10:00:00 +99999999999999"},
        {"date": "Fri, 20 Nov 99999999999999999999 10:00:00 GMT"},
    ],
)
async def test_numbers_and_dates_beyond_all_sense_are_as_none(line, headers):
    wire, _, slept = line(answer(429, **headers), answer(200))
    await wire.get("/x")
    assert len(slept) == 1
    assert 0 <= slept[0] <= 1.0


@pytest.mark.parametrize("name", sorted([*CONNECTORS, LOOPS.name]))
async def test_a_vendor_that_quotes_the_token_does_not_put_it_into_our_errors(line, name):
    vendor = LOOPS if name == LOOPS.name else CONNECTORS[name]
    secret = next(f.name for f in fields(name) if f.secret)
    page = check({secret: "Zq7RkP2mW9xTfLb4"}, vendor.settings)
    body = b'{"message": "key Zq7RkP2mW9xTfLb4 is odd", "errors": [{"message": "key Zq7RkP2mW9xTfLb4"}]}'
    told = []
    for status in (400, 401, 403, 422, 500):
        wire, _, _ = line(answer(status, body), vendor=vendor, headers=vendor.headers(page))
        with pytest.raises(Upstream) as caught:
            await wire.get("/x")
        told.append(str(caught.value))
    assert "Zq7RkP2mW9xTfLb4" not in "".join(told)


async def test_no_vendor_sends_us_away_for_more_than_a_day(line):
    wire, _, _ = line(answer(503, retry_after="1e300"))
    with pytest.raises(Transient) as caught:
        await wire.get("/x")
    assert caught.value.retry_after == 86_400


async def test_without_retry_after_it_waits_all_the_same(line):
    wire, script, slept = line(answer(429, b"Retry later\n"), answer(200))
    await wire.get("/x")
    assert script.asked == 2
    assert 0 <= slept[0] <= 1.0


async def test_a_wait_that_is_too_long_is_handed_on(line):
    wire, script, slept = line(answer(503, retry_after="900"))
    with pytest.raises(Transient) as caught:
        await wire.get("/x")
    assert script.asked == 1
    assert slept == []
    assert caught.value.retry_after == 900


@pytest.mark.parametrize("body", [b"<!DOCTYPE html><html></html>", b"", b"plain"])
async def test_a_page_for_people_is_no_answer(line, body):
    wire, _, _ = line(answer(200, body))
    with pytest.raises(BadPayload):
        await wire.get("/x")


async def test_linears_code_comes_before_its_status(line):
    limited = b'{"errors":[{"message":"x","extensions":{"code":"RATELIMITED","type":"ratelimited"}}]}'
    reset = str(1_795_168_830_000)
    wire, script, slept = line(
        answer(400, limited, x_ratelimit_requests_reset=reset), answer(200, b'{"data":{}}'), vendor=Linear()
    )
    await wire.post("", {})
    assert script.asked == 2
    assert slept == [30.0]


@pytest.mark.parametrize(
    ("status", "code", "error"),
    [
        (500, "GRAPHQL_VALIDATION_FAILED", Transient),
        (400, "GRAPHQL_VALIDATION_FAILED", Refused),
        (401, "AUTHENTICATION_ERROR", NeedsUser),
        (200, "FORBIDDEN", NeedsUser),
        (200, "FEATURE_NOT_ACCESSIBLE", NeedsUser),
        (502, "", Transient),
    ],
)
async def test_linears_errors_by_kind(line, status, code, error):
    body = b'{"errors":[{"message":"no","extensions":{"code":"%s"}}]}' % code.encode()
    wire, _, _ = line(answer(status, body), vendor=Linear())
    with pytest.raises(error):
        await wire.post("", {})


async def test_attios_query_ceiling_is_not_retried_blindly(line):
    wire, script, _ = line(answer(400, b'{"code":"filter_error","message":"bad"}'), vendor=Attio())
    with pytest.raises(Refused, match="filter_error"):
        await wire.post("/v2/x", {})
    assert script.asked == 1


class TestBreaker:
    async def test_opens_after_five_failures_and_probes_once(self, line, clock):
        wire, script, _ = line(Unreachable("down"))
        for _ in range(2):
            with pytest.raises((Unreachable, CircuitOpen)):
                await wire.get("/x")
        assert script.asked == 5
        with pytest.raises(CircuitOpen) as caught:
            await wire.get("/x")
        assert script.asked == 5, "an open breaker asks nobody"
        assert 0 < caught.value.retry_after <= 30

        clock.advance(31)
        assert wire.breaker.state == "half_open"
        with pytest.raises((Unreachable, CircuitOpen)):
            await wire.get("/x")
        assert script.asked == 6, "one probe, and it is open again"

        clock.advance(31)
        script.answers = [answer(200)]
        await wire.get("/x")
        assert wire.breaker.state == "closed"

    async def test_an_answer_of_any_kind_closes_it(self, line):
        wire, script, _ = line(*[answer(500)] * 4, answer(404), *[answer(500)] * 3, answer(200))
        for _ in range(3):
            with pytest.raises((Transient, Missing)):
                await wire.get("/x")
        assert wire.breaker.state == "closed"
        assert script.asked == 8

    async def test_a_refused_token_keeps_it_open_until_somebody_acts(self, line, clock):
        wire, script, _ = line(answer(401))
        with pytest.raises(NeedsUser):
            await wire.get("/x")
        clock.advance(86_400)
        with pytest.raises(NeedsUser):
            await wire.get("/x")
        assert script.asked == 1
        assert wire.breaker.state == "blocked"


class TestPace:
    async def test_a_window_lets_so_many_through(self, clock):
        slept = []

        async def sleep(seconds):
            slept.append(seconds)
            clock.advance(seconds)

        window = Window(10, 60.0, clock.monotonic, sleep)
        for _ in range(10):
            await window.take()
        assert slept == []
        clock.advance(20)
        await window.take()
        assert slept == [pytest.approx(40, abs=0.01)]

    async def test_headers_are_believed_by_the_vendors_clock(self, clock):
        slept = []

        async def sleep(seconds):
            slept.append(seconds)
            clock.advance(seconds)

        budget = Announced("left", "reset", 5.0, clock.monotonic, sleep)
        budget.tell(Answer(200, {"left": "100", "reset": "60000"}, b""), 30.0)
        await budget.take()
        assert slept == []
        budget.tell(Answer(200, {"left": "5", "reset": "60000"}, b""), 30.0)
        await budget.take()
        assert slept == [pytest.approx(30)]
        budget.tell(Answer(200, {"left": "5", "reset": "3000000"}, b""), 30.0)
        with pytest.raises(Transient) as caught:
            await budget.take()
        assert caught.value.retry_after == pytest.approx(2_970)

    @pytest.mark.parametrize("headers", [{}, {"left": "x", "reset": "y"}, {"left": "1"}])
    async def test_headers_that_say_nothing_stop_nothing(self, clock, headers):
        async def sleep(_):
            raise AssertionError("no reason to wait")

        budget = Announced("left", "reset", 5.0, clock.monotonic, sleep)
        budget.tell(Answer(200, headers, b""), 30.0)
        await budget.take()
