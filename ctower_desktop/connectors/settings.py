"""Settings of the connections, and of the machinery they share."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from ctower_desktop.kernel.settings import page

_PRIVATE = Meta(
    title="Allow a private network",
    description="Whether the server may be in your own network instead of a public address.",
)


@page("chatwoot")
class ChatwootSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The Chatwoot account conversations come from."""

    base_url: Annotated[
        str,
        Meta(
            title="Address",
            description="Where Chatwoot is, for example https://app.chatwoot.com.",
            extra={"env": ["CHATWOOT_BASE_URL"]},
        ),
    ] = ""
    account_id: Annotated[
        str,
        Meta(
            title="Account",
            description="The number in the address of the dashboard after /accounts/.",
            extra={"env": ["CHATWOOT_ACCOUNT_ID"]},
        ),
    ] = ""
    api_token: Annotated[
        str,
        Meta(
            title="Access token",
            description="An administrator's token, from the profile settings of Chatwoot.",
            extra={"env": ["CHATWOOT_API_TOKEN"], "secret": True},
        ),
    ] = ""
    allow_private_network: Annotated[bool, _PRIVATE] = False
    requests_per_minute: Annotated[
        int,
        Meta(
            ge=30,
            le=30_000,
            title="Requests per minute",
            description="How many requests a minute Chatwoot is sent; its own limit is 3000.",
        ),
    ] = 2_400


@page("linear")
class LinearSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The Linear workspace issues come from."""

    base_url: Annotated[
        str,
        Meta(
            title="Address",
            description="The GraphQL endpoint of Linear.",
            extra={"env": ["LINEAR_BASE_URL"]},
        ),
    ] = "https://api.linear.app/graphql"
    api_token: Annotated[
        str,
        Meta(
            title="API key",
            description="A personal API key, from the security settings of Linear.",
            extra={"env": ["LINEAR_API_TOKEN"], "secret": True},
        ),
    ] = ""
    allow_private_network: Annotated[bool, _PRIVATE] = False


@page("attio")
class AttioSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The Attio workspace companies and deals come from."""

    base_url: Annotated[
        str,
        Meta(title="Address", description="Where Attio is.", extra={"env": ["ATTIO_BASE_URL"]}),
    ] = "https://api.attio.com"
    api_token: Annotated[
        str,
        Meta(
            title="Access token",
            description="A token with read rights for records, notes, tasks and members.",
            extra={"env": ["ATTIO_API_TOKEN"], "secret": True},
        ),
    ] = ""
    allow_private_network: Annotated[bool, _PRIVATE] = False


@page("loops")
class LoopsSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The Loops account contacts are pushed to."""

    base_url: Annotated[
        str,
        Meta(title="Address", description="Where Loops is.", extra={"env": ["LOOPS_API_BASE_URL"]}),
    ] = "https://app.loops.so/api/v1"
    secret_key: Annotated[
        str,
        Meta(
            title="API key",
            description="From the API settings of Loops; without it nothing is pushed.",
            extra={"env": ["LOOPS_SECRET_KEY"], "secret": True},
        ),
    ] = ""
    allow_private_network: Annotated[bool, _PRIVATE] = False


@page("connectors")
class ConnectorSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How often failed connections are tried again, and when completeness is worth a warning."""

    max_retries: Annotated[
        int,
        Meta(
            ge=1,
            le=20,
            title="Attempts before giving up",
            description="After so many failed attempts an error waits for somebody to retry it.",
            extra={"env": ["CONNECTOR_MAX_RETRIES"]},
        ),
    ] = 5
    retry_base_seconds: Annotated[
        int,
        Meta(
            ge=5,
            le=300,
            title="First retry after",
            description="Seconds until the first retry; each further one waits twice as long.",
            extra={"env": ["CONNECTOR_RETRY_BASE_SECONDS"]},
        ),
    ] = 30
    min_completeness_pct: Annotated[
        float,
        Meta(
            ge=0,
            le=100,
            title="Completeness to warn below",
            description="Percent of completeness below which reconciliation writes a warning.",
            extra={"env": ["CONNECTOR_RECONCILIATION_MIN_COMPLETENESS_PCT"]},
        ),
    ] = 70.0
    event_lookback_days: Annotated[
        int,
        Meta(
            ge=1,
            le=365,
            title="Events of the first sync",
            description="How many days back messages become events when a source is read for the first time.",
            extra={"env": ["KAG_EVENT_LOG_LOOKBACK_DAYS"]},
        ),
    ] = 14
