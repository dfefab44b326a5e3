"""The settings of sales."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from ctower_desktop.kernel.settings import page


@page("crm")
class Crm(msgspec.Struct, frozen=True):
    """What is taken for granted about sales."""

    currency: Annotated[
        str,
        Meta(
            pattern=r"^[A-Z]{3,6}$",
            title="Currency",
            description="Of offers and opportunities that name none.",
        ),
    ] = "USD"
