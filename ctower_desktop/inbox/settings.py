"""The settings of the inbox: who of the team looks at it."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from ctower_desktop.kernel.settings import page


@page("inbox")
class InboxSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Who of the team looks at the inbox."""

    my_name: Annotated[
        str,
        Meta(
            max_length=300,
            title="Your name in Chatwoot",
            description="Conversations assigned to that name are yours; empty: nobody is you yet.",
        ),
    ] = ""
