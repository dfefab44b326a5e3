"""The settings of signals."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from ctower_desktop.kernel.settings import page


@page("signals")
class SignalSettings(msgspec.Struct, frozen=True):
    """When silence counts, and how long a story stays open by itself."""

    silence_hours: Annotated[
        int,
        Meta(
            ge=1,
            le=720,
            title="A client waits for an answer",
            description="Hours without weekends after which an unanswered message raises a signal.",
        ),
    ] = 24
    gap_days: Annotated[
        int,
        Meta(
            ge=1,
            le=60,
            title="A client is silent",
            description="Days without an answer of the client after which a communication gap is raised.",
        ),
    ] = 7
    stale_days: Annotated[
        int,
        Meta(
            ge=14,
            le=3650,
            title="A story is forgotten",
            description="Days without new evidence after which a proposed signal is closed by itself.",
        ),
    ] = 60
