"""The settings of digests: when they are written and mailed, and to whom."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from ctower_desktop.kernel.errors import Invalid, Issue
from ctower_desktop.kernel.settings import page

_TIME = r"^(([01]\d|2[0-3]):[0-5]\d)?$"


@page("digests")
class DigestSettings(msgspec.Struct, frozen=True, kw_only=True):
    """When digests are mailed, in local time, and to whom."""

    recipients: Annotated[
        str,
        Meta(
            max_length=2_000,
            title="Recipients",
            description="E-mail addresses parted by commas; without any, digests are written but not mailed.",
            extra={"env": ["DIGEST_RECIPIENTS"]},
        ),
    ] = ""
    daily_plan_at: Annotated[
        str,
        Meta(
            pattern=_TIME,
            title="Daily plan at",
            description="What is due and who waits, on working days; empty: not mailed.",
        ),
    ] = "10:00"
    daily_results_at: Annotated[
        str,
        Meta(
            pattern=_TIME,
            title="Daily results at",
            description="What was done on the day, on working days; empty: not mailed.",
        ),
    ] = "19:00"
    weekly_plan_at: Annotated[
        str,
        Meta(
            pattern=_TIME,
            title="Weekly plan, Mondays at",
            description="How the last week went and what this one brings; empty: not mailed.",
        ),
    ] = "10:00"
    weekly_results_at: Annotated[
        str,
        Meta(
            pattern=_TIME,
            title="Weekly results, Fridays at",
            description="How the week went; empty: not mailed.",
        ),
    ] = "19:00"

    def __post_init__(self) -> None:
        wrong = [address for address in addresses(self) if not _plausible(address)]
        if wrong:
            message = f"{wrong[0][:80]!r} is not an e-mail address."
            raise Invalid(issues=(Issue("recipients", message, "invalid_value"),))


def addresses(settings: DigestSettings) -> list[str]:
    """Whom digests are mailed to, each once."""
    parts = settings.recipients.replace(";", ",").replace("\n", ",").split(",")
    return list(dict.fromkeys(part.strip() for part in parts if part.strip()))


def _plausible(address: str) -> bool:
    name, at, host = address.rpartition("@")
    odd = any(c.isspace() or ord(c) < 32 or c in '<>"' for c in address)
    return bool(at and name and "." in host and not host.startswith(".") and not odd)
