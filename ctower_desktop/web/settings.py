"""What can be set about the HTTP doors."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from ctower_desktop.kernel.endpoint import Door
from ctower_desktop.kernel.settings import page


@page("server")
class Server(msgspec.Struct, frozen=True):
    """Where the local HTTP doors listen and which browser pages may use them."""

    tower_port: Annotated[
        int,
        Meta(
            ge=0,
            le=65_535,
            title="Control Tower port",
            description="Where the Control Tower API listens; 0 takes any free port.",
            extra={"env": ["PORT"], "restart": True},
        ),
    ] = 8080
    graph_port: Annotated[
        int,
        Meta(
            ge=0,
            le=65_535,
            title="Knowledge graph port",
            description="Where the knowledge graph API listens; 0 takes any free port.",
            extra={"restart": True},
        ),
    ] = 8000
    agents_port: Annotated[
        int,
        Meta(
            ge=0,
            le=65_535,
            title="Agent sessions port",
            description="Where the agent sessions API listens; 0 takes any free port.",
            extra={"restart": True},
        ),
    ] = 8420
    dashboard_port: Annotated[
        int,
        Meta(
            ge=0,
            le=65_535,
            title="Agent dashboard port",
            description="Where the agent dashboard API listens; 0 takes any free port.",
            extra={"restart": True},
        ),
    ] = 0
    graph_key: Annotated[
        str | None,
        Meta(
            title="Knowledge graph key",
            description="What clients of the knowledge graph API may send as X-API-KEY besides API keys.",
            extra={"env": ["API_KEY_SECRET"], "secret": True, "verbatim": True},
        ),
    ] = None
    graph_requests_per_minute: Annotated[
        int,
        Meta(
            ge=1,
            le=100_000,
            title="Knowledge graph pace",
            description="How many requests a minute one key may send to the knowledge graph API.",
            extra={"env": ["API_RATE_LIMIT"]},
        ),
    ] = 60
    cors_origin: Annotated[
        str,
        Meta(
            pattern=r"^(https?://[^/\s,]+)?$",
            title="Allowed page",
            description="The one origin of a browser page, besides our own, that may call the API.",
            extra={"env": ["CORS_ORIGIN"]},
        ),
    ] = "http://localhost:3000"


def configured_port(settings: Server, door: Door) -> int:
    """The port a door listens on unless told otherwise."""
    port: int = getattr(settings, f"{door.name}_port")
    return port
