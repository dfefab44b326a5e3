"""How the window looks, which language it speaks and what it tells of by itself, as settings."""

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


@page("notifications")
class Notifications(msgspec.Struct, frozen=True):
    """What the tower tells of while you do something else; it keeps the quiet hours."""

    enabled: Annotated[
        bool,
        Meta(title="Notifications", description="Tell of new things while the window is not in front."),
    ] = True
    signals: Annotated[
        bool, Meta(title="Severe signals", description="A new signal of the two highest severities.")
    ] = True
    clients: Annotated[
        bool, Meta(title="Clients who wait", description="A client has waited for an answer for too long.")
    ] = True
    sources: Annotated[
        bool, Meta(title="Failed syncs", description="A source could not be read, or the system is not well.")
    ] = True
    work: Annotated[
        bool,
        Meta(title="Finished work", description="What you started was finished while you looked elsewhere."),
    ] = True
