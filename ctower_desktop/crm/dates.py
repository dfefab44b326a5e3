"""Calendar days as people and programs send them."""

from __future__ import annotations

from datetime import datetime

from ctower_desktop.kernel.errors import Invalid, Issue


def day(text: str | None, field: str) -> str | None:
    """`YYYY-MM-DD` of a date or time as it is written, None for nothing; raise Invalid about `field`."""
    if not text:
        return None
    try:
        return datetime.fromisoformat(text).date().isoformat()
    except ValueError:
        issue = Issue(field, "Expected a date such as 2027-01-15.", "invalid_format")
        raise Invalid(issues=(issue,)) from None
