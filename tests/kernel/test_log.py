"""The log: JSON lines with request ids, and no credentials in them."""

from __future__ import annotations

import json
import logging
import stat

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ctower_desktop.kernel import log
from ctower_desktop.kernel.log import redacted

SECRET = "Zq7RkP2mW9xTfLb4"


@pytest.mark.parametrize(
    "text",
    [
        f"Authorization: Bearer {SECRET}",
        f"authorization: Basic {SECRET}",
        f"{{'Authorization': 'Bearer {SECRET}'}}",
        f'{{"api_access_token": "{SECRET}"}}',
        f"Cookie: lp_session={SECRET}; csrf_token={SECRET}",
        f"set-cookie: lp_session={SECRET}; HttpOnly",
        f"X-API-Key: {SECRET}",
        f"x-csrf-token={SECRET}",
        f"password={SECRET}&next=1",
        f'"password": "{SECRET}"',
        f"AUTH_PASSWORD={SECRET}",
        f"secret: {SECRET}",
        f"LINEAR_API_TOKEN={SECRET}",
        f"bearer {SECRET}",
        f"a key lp_{SECRET} in the middle",
        f"lin_api_{SECRET}",
        f"sk-{SECRET}",
        f"sk_{SECRET}",
        f"GET https://api.example.org/v1/rows?api_key={SECRET}&page=2 failed",
        f"https://user:{SECRET}@example.org/path",
        f"OPENAI_API_KEY={SECRET}",
        f"token='{SECRET}'",
    ],
)
def test_credentials_are_hidden(text):
    assert SECRET not in redacted(text)
    assert "[redacted]" in redacted(text)


@pytest.mark.parametrize(
    "text",
    [
        "sync of linear took 3 s",
        "GET /projects 200",
        "https://example.org/path",
        "the tokenizer is loaded",
        "12 tokens of 500000",
        "Сообщение клиента: когда макет?",
    ],
)
def test_the_rest_is_left_as_it_is(text):
    assert redacted(text) == text


@given(st.text(max_size=300))
def test_any_text_can_be_redacted_and_twice_is_as_good_as_once(text):
    assert redacted(redacted(text)) == redacted(text)


@pytest.fixture
def started(tmp_path):
    """Logging as the program starts it, taken away afterwards."""
    root = logging.getLogger()
    before, level = list(root.handlers), root.level
    ring = log.start(tmp_path, "info", to_screen=False)
    yield ring, tmp_path / "ctower.log"
    for handler in [found for found in root.handlers if found not in before]:
        root.removeHandler(handler)
        handler.close()
    root.setLevel(level)


@pytest.mark.logs_errors
def test_lines_are_json_with_the_request_id(started):
    ring, path = started
    token = log.request_id.set("req-1")
    try:
        raise LookupError(f"token={SECRET}")
    except LookupError:
        logging.getLogger("ctower_desktop.test").exception("it broke: %s", f"password={SECRET}")
    finally:
        log.request_id.reset(token)
    (line,) = [json.loads(text) for text in path.read_text("utf-8").splitlines()]
    assert (line["level"], line["source"], line["request_id"]) == ("error", "ctower_desktop.test", "req-1")
    assert "LookupError" in line["context"]
    assert SECRET not in path.read_text("utf-8")
    assert line["at"].endswith("Z")
    assert ring.lines[-1].message == line["message"]


def test_a_line_stays_one_line(started):
    _, path = started
    logging.getLogger("ctower_desktop.test").warning("name: %s", 'x\r\n{"level":"error"}\x00')
    (text,) = path.read_text("utf-8").splitlines()
    assert json.loads(text)["message"] == 'name: x\\r\\n{"level":"error"}\\0'


def test_the_ring_keeps_the_newest_and_the_file_is_private(started):
    ring, path = started
    for number in range(1_100):
        logging.getLogger("ctower_desktop.test").info("%d", number)
    assert (len(ring.lines), ring.lines[0].message) == (1_000, "100")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_chatty_libraries_are_quiet(started):
    ring, _ = started
    logging.getLogger("httpx").info("HTTP Request: GET https://example.org")
    logging.getLogger("fontTools.subset").info("glyf pruned")
    assert not ring.lines


@pytest.mark.logs_errors
def test_what_a_vendor_answered_steers_no_terminal_and_begins_no_line(started):
    ring, _ = started
    logging.getLogger("x").error("said %s", "\x1b[2Jgone\n2026 fake line\x9b31m\u2028more")
    assert ring.lines[-1].message == r"said \x1b[2Jgone\n2026 fake line\x9b31m\u2028more"
    try:
        raise ValueError("\x1b]0;title\x07\nsecond line")
    except ValueError:
        logging.getLogger("x").exception("broke")
    context = ring.lines[-1].context
    assert context.endswith("second line")
    assert "\x1b" not in context
    assert r"\x1b]0;title\x07" in context


@pytest.mark.parametrize(
    ("asked", "kept"), [("chatty", logging.INFO), ("", logging.INFO), (" Debug ", logging.DEBUG)]
)
def test_a_level_that_does_not_exist_is_info(tmp_path, asked, kept):
    root = logging.getLogger()
    before, level = list(root.handlers), root.level
    try:
        log.start(tmp_path, asked, to_screen=False)
        assert root.level == kept
    finally:
        for handler in [found for found in root.handlers if found not in before]:
            root.removeHandler(handler)
            handler.close()
        root.setLevel(level)


def test_the_log_takes_no_more_than_it_is_given(started, tmp_path):
    def files() -> int:
        return len(list(tmp_path.glob("ctower.log*")))

    log.limit(2_000, 4)
    for number in range(200):
        logging.getLogger("somewhere").info("a line of some length, number %d", number)
    assert files() == 4
    log.limit(2_000, 2)
    assert files() == 2
    for number in range(200):
        logging.getLogger("somewhere").info("a line of some length, number %d", number)
    assert files() == 2
    assert max(path.stat().st_size for path in tmp_path.glob("ctower.log*")) <= 2_000
