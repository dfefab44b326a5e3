"""Logging: one JSON line a record, request ids, redaction, and a ring of the newest lines."""

from __future__ import annotations

import logging
import logging.handlers
import re
from collections import deque
from contextvars import ContextVar
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from ctower_desktop.kernel.system import as_text, writing

request_id: ContextVar[str] = ContextVar("request_id", default="")

_HIDDEN = "[redacted]"
_SECRETS = (
    re.compile(
        r"(?i)((?:authorization|cookie|set-cookie|api_access_token|x-api-key|x-csrf-token)['\"]?\s*[:=]\s*['\"]?)[^'\"\r\n,}]+"
    ),
    re.compile(r"(?i)((?:password|passwd|secret|token|api_key)['\"]?\s*[:=]\s*['\"]?)[^\s'\",&}]+"),
    re.compile(r"(?i)(bearer\s+)[\w.~+/-]{8,}=*"),
    re.compile(r"()\b(?:(?:lp|ctk|loki|lin_api|lin_oauth|sk)_|sk-)[\w-]{12,}"),
    re.compile(r"(https?://)[^\s/@]+(?=@)"),
    re.compile(r"(https?://[^\s?'\"]+\?)[^\s'\"]+"),
)
# What a vendor answered may stand in a line: it must neither begin another one nor steer a terminal.
_CONTROLS = {code: f"\\x{code:02x}" for code in (*range(0x20), *range(0x7F, 0xA0)) if code != 0x09}
_LINE = str.maketrans(
    _CONTROLS | {0x00: "\\0", 0x0A: "\\n", 0x0D: "\\r", 0x2028: "\\u2028", 0x2029: "\\u2029"}
)
_LINES = str.maketrans({code: shown for code, shown in _CONTROLS.items() if code != 0x0A})


class Line(msgspec.Struct, frozen=True):
    """One log line as stored and shown."""

    at: str
    level: str
    source: str
    message: str
    request_id: str
    context: str = ""


def redacted(text: str) -> str:
    """`text` without credentials and without URL queries."""
    for pattern in _SECRETS:
        text = pattern.sub(rf"\g<1>{_HIDDEN}", text)
    return text


class Ring(logging.Handler):
    """The newest lines in memory, for the screen and `/system/logs`."""

    def __init__(self, size: int = 1_000) -> None:
        super().__init__()
        self.lines: deque[Line] = deque(maxlen=size)

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(_line(record))


def ring() -> Ring:
    """The ring of this process; hung up now if nobody did."""
    root = logging.getLogger()
    for handler in root.handlers:
        if isinstance(handler, Ring):
            return handler
    found = Ring()
    root.addHandler(found)
    return found


class _Json(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return msgspec.json.encode(_line(record)).decode()


class _Plain(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line = _line(record)
        return f"{line.at} {line.level:7} {line.source}: {line.message} {line.context}".rstrip()


def _line(record: logging.LogRecord) -> Line:
    context = ""
    if record.exc_info:
        context = redacted(logging.Formatter().formatException(record.exc_info)).translate(_LINES)
    return Line(
        at=as_text(datetime.fromtimestamp(record.created, UTC)),
        level=record.levelname.lower(),
        source=record.name,
        message=redacted(record.getMessage()).translate(_LINE),
        request_id=request_id.get(),
        context=context,
    )


def start(folder: Path, level: str = "info", *, to_screen: bool = True) -> Ring:
    """Log to `folder`/ctower.log (5 files of 2 MB), the screen if asked, and the ring that is returned.

    A level that does not exist counts as info. Raise StorageFailure when the file cannot be written.
    """
    root = logging.getLogger()
    root.setLevel(logging.getLevelNamesMapping().get(level.strip().upper(), logging.INFO))
    newest = Ring()
    path = folder / "ctower.log"
    with writing(path):
        file = logging.handlers.RotatingFileHandler(path, maxBytes=2_000_000, backupCount=4, encoding="utf-8")
        path.chmod(0o600)
    file.setFormatter(_Json())
    handlers: list[Any] = [newest, file]
    if to_screen:
        screen = logging.StreamHandler()
        screen.setFormatter(_Plain())
        handlers.append(screen)
    for handler in handlers:
        root.addHandler(handler)
    for chatty in ("httpx", "httpcore", "aiohttp.access", "asyncio", "fontTools"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    return newest


def limit(file_bytes: int, files: int) -> None:
    """Let the log take at most `files` files of `file_bytes` from now on; older ones go. Blocking."""
    for handler in logging.getLogger().handlers:
        if isinstance(handler, logging.handlers.RotatingFileHandler):
            handler.acquire()
            try:
                for number in range(files, handler.backupCount + 1):
                    Path(f"{handler.baseFilename}.{number}").unlink(missing_ok=True)
                handler.maxBytes, handler.backupCount = file_bytes, files - 1
            finally:
                handler.release()
