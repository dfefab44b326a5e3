"""Settings of the channels that are no connectors: the mail server and the Telegram bot."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from ctower_desktop.kernel.settings import page

_PRIVATE = Meta(
    title="Allow a private network",
    description="Whether the server may be in your own network instead of a public address.",
)


@page("smtp")
class SmtpSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The mail server e-mail is sent through."""

    host: Annotated[
        str,
        Meta(
            title="Server",
            description="For example smtp.example.com.",
            pattern=r"^[A-Za-z0-9.:_-]{0,253}$",
            extra={"env": ["SMTP_HOST"]},
        ),
    ] = ""
    port: Annotated[
        int,
        Meta(
            ge=1,
            le=65_535,
            title="Port",
            description="587 with STARTTLS, 465 with TLS from the start.",
            extra={"env": ["SMTP_PORT"]},
        ),
    ] = 587
    security: Annotated[
        Literal["starttls", "tls", "none"],
        Meta(
            title="Encryption",
            description="`starttls`, `tls`, or `none`, which is only possible on this computer.",
            extra={"env": ["SMTP_SECURITY"]},
        ),
    ] = "starttls"
    username: Annotated[
        str,
        Meta(
            title="User name",
            description="Empty: the server asks for none.",
            extra={"env": ["SMTP_USERNAME"]},
        ),
    ] = ""
    password: Annotated[
        str,
        Meta(
            title="Password",
            description="Often one of its own for programs, made in the settings of the mailbox.",
            extra={"env": ["SMTP_PASSWORD"], "secret": True},
        ),
    ] = ""
    from_address: Annotated[
        str,
        Meta(
            title="Sender's address",
            description="The address messages come from, for example pm@agency.example.",
            extra={"env": ["SMTP_FROM"]},
        ),
    ] = ""
    from_name: Annotated[
        str,
        Meta(
            title="Sender's name",
            description="What the recipient sees beside the address.",
            pattern=r"^[^\x00-\x1f\x7f]{0,200}$",
        ),
    ] = ""
    reply_to: Annotated[
        str,
        Meta(title="Answers to", description="Another address for answers; empty: the sender's address."),
    ] = ""
    ca_file: Annotated[
        str,
        Meta(
            title="Certificate authority",
            description="A PEM file, if the server's certificate is signed by an authority of your own.",
        ),
    ] = ""
    allow_private_network: Annotated[bool, _PRIVATE] = False
    timeout_seconds: Annotated[
        int,
        Meta(ge=5, le=120, title="Patience", description="Seconds to wait for each answer of the server."),
    ] = 30


@page("telegram")
class TelegramSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The Telegram bot that writes to chats."""

    base_url: Annotated[
        str,
        Meta(title="Address", description="Where the Bot API is.", extra={"env": ["TELEGRAM_API_BASE_URL"]}),
    ] = "https://api.telegram.org"
    bot_token: Annotated[
        str,
        Meta(
            title="Bot token",
            description="From @BotFather, such as 123456:ABC-DEF.",
            pattern=r"^(\d{1,20}:[A-Za-z0-9_-]{1,100})?$",
            extra={"env": ["TELEGRAM_BOT_TOKEN"], "secret": True},
        ),
    ] = ""
    allow_private_network: Annotated[bool, _PRIVATE] = False
