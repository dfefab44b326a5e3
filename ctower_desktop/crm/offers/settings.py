"""The settings of offers."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from ctower_desktop.kernel.settings import page


@page("offers")
class Offers(msgspec.Struct, frozen=True):
    """Who may approve what, and what stands on an offer's document."""

    four_eyes: Annotated[
        bool,
        Meta(
            title="Four eyes",
            description="Whoever wrote or changed an offer cannot approve it themselves.",
        ),
    ] = False
    max_discount_pct: Annotated[
        float,
        Meta(
            ge=0,
            le=100,
            title="Largest discount",
            description="In per cent of the full price, lines included; only an owner approves more.",
        ),
    ] = 18.0
    seller_name: Annotated[
        str, Meta(max_length=200, title="Your company", description="As it stands on an offer's document.")
    ] = ""
    seller_details: Annotated[
        str,
        Meta(
            max_length=2000,
            title="Your details",
            description="Address, tax number and bank, as they stand on an offer's document.",
        ),
    ] = ""
