"""The settings of analytics."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from ctower_desktop.kernel.settings import page


@page("analytics")
class AnalyticsSettings(msgspec.Struct, frozen=True):
    """In which money figures are shown first."""

    currency: Annotated[
        str,
        Meta(
            pattern=r"^([A-Z]{3})?$",
            title="Main currency",
            description="Three letters, such as EUR; empty: the one most deals are in.",
        ),
    ] = ""
