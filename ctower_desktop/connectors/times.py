"""Times as vendors write them, and as we keep them."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from ctower_desktop.kernel.system import as_text

_ISO = re.compile(r"\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}|$)")
_FRACTION = re.compile(r"\.(\d+)")
_MILLISECONDS = 1e11  # larger numbers are not seconds: as seconds this is the year 5138
_LATEST = 253_402_300_799.0  # the end of the year 9999


def moment(raw: object) -> str | None:
    """A time in any form a vendor uses, as UTC text; None for nothing, 0 and what is no time."""
    if isinstance(raw, bool) or raw is None:
        return None
    if isinstance(raw, int | float):
        seconds = raw / 1_000 if raw >= _MILLISECONDS else float(raw)
        if not 0 < seconds <= _LATEST:
            return None
        return as_text(datetime.fromtimestamp(seconds, UTC))
    if isinstance(raw, str):
        return _from_text(raw.strip())
    return None


def _from_text(raw: str) -> str | None:
    if not _ISO.match(raw):
        try:
            return moment(float(raw)) if raw.isascii() else None
        except ValueError:
            return None
    try:
        found = datetime.fromisoformat(_FRACTION.sub(lambda m: "." + m[1][:6].ljust(6, "0"), raw, count=1))
        return as_text(found if found.tzinfo else found.replace(tzinfo=UTC))
    except (ValueError, OverflowError):
        return None


def day(raw: object) -> str | None:
    """A calendar day, YYYY-MM-DD."""
    found = moment(raw)
    return found[:10] if found else None
