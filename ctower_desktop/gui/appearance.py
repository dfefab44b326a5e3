"""How the window looks and which language it speaks, as settings."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from ctower_desktop.kernel.settings import page

SCALES = (90, 100, 110, 125, 150)  # per cent offered at the first run; any between is accepted


@page("appearance")
class Appearance(msgspec.Struct, frozen=True):
    """How the window looks and which language it speaks."""

    theme: Annotated[
        Literal["system", "light", "dark", "contrast"],
        Meta(title="Colours", description="Follow the computer, or always light, dark or high contrast."),
    ] = "system"
    text_scale: Annotated[
        int,
        Meta(ge=90, le=150, title="Text size, %", description="The size of all text in the window."),
    ] = 100
    language: Annotated[
        Literal["system", "ru", "en"],
        Meta(title="Language", description="Follow the computer, or always Russian or English."),
    ] = "system"
