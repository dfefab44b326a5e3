"""E-mail over SMTP: encrypted, with checked certificates, one conversation with the server for each message.

The Message-ID is made once from the message's own id and kept for every try, so that servers which look for
doubles can know one. The server's answer to the text decides: before it has the text nothing was sent; a
line that breaks after that leaves the message of unknown fate.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from email.message import EmailMessage
from email.policy import SMTP as WIRE_FORM
from email.utils import format_datetime, formataddr
from pathlib import Path
from typing import ClassVar

import aiosmtplib
from aiosmtplib import (
    SMTPAuthenticationError,
    SMTPException,
    SMTPResponseException,
)

from ctower_desktop.connectors.channels.settings import SmtpSettings
from ctower_desktop.inbox.outbound.channel import (
    Delivered,
    DeliveryFailed,
    DeliveryRefused,
    DeliveryUncertain,
    Parcel,
)
from ctower_desktop.inbox.outbound.model import ChannelName
from ctower_desktop.inbox.outbound.recipients import kind_of
from ctower_desktop.kernel.errors import TowerError
from ctower_desktop.kernel.http import checked_url
from ctower_desktop.kernel.tower import Tower

_FAREWELL = 2.0  # seconds
_WE_ARE = "[127.0.0.1]"  # what a client without a name of its own calls itself


class EmailChannel:
    """E-mail through a mail server."""

    name: ClassVar[ChannelName] = "email"
    title: ClassVar[str] = "E-mail"
    can_look: ClassVar[bool] = False

    def missing(self, tower: Tower) -> str | None:
        page = tower.settings.get(SmtpSettings)
        if not page.host:
            return "enter the name of the mail server"
        if kind_of(page.from_address) != "email":
            return "enter the address messages come from"
        if page.reply_to and kind_of(page.reply_to) != "email":
            return "the address for answers is not an e-mail address"
        if page.username and not page.password:
            return "enter the password"
        return None

    def sender(self, tower: Tower) -> str | None:
        page = tower.settings.get(SmtpSettings)
        return f"{page.from_name} <{page.from_address}>" if page.from_name else page.from_address or None

    def wire_key(self, tower: Tower, name: str) -> str:
        domain = _ascii(tower.settings.get(SmtpSettings).from_address).rpartition("@")[2] or "localhost"
        return f"<{name}@{domain}>"

    async def send(self, tower: Tower, parcel: Parcel) -> Delivered:
        page = tower.settings.get(SmtpSettings)
        try:
            text = composed(parcel, page, format_datetime(tower.clock.now())).as_bytes(policy=WIRE_FORM)
        except ValueError as error:  # what no header can hold
            raise DeliveryRefused(f"The message cannot be written as e-mail: {error}.") from None
        async with _Conversation(page) as server:
            await server.name_both(_ascii(page.from_address), _ascii(parcel.rendered.to), len(text))
            await server.hand_over(text)
        return Delivered(parcel.wire_key)

    async def look(self, tower: Tower, parcel: Parcel) -> Delivered | None:
        raise DeliveryFailed("A mail server cannot be asked what it has sent.")

    async def test(self, tower: Tower) -> str:
        page = tower.settings.get(SmtpSettings)
        async with _Conversation(page):
            pass
        signed = f"signed in as {page.username}" if page.username else "without signing in"
        secured = {"tls": "TLS", "starttls": "STARTTLS", "none": "no encryption"}[page.security]
        return f"E-mail: {page.host} answers ({secured}), {signed}."


class _Conversation:
    """One conversation with the mail server, from the greeting to the farewell."""

    def __init__(self, page: SmtpSettings) -> None:
        self._page = page
        self._client: aiosmtplib.SMTP

    async def __aenter__(self) -> _Conversation:
        page = self._page
        await _checked_address(page)
        context = None if page.security == "none" else await asyncio.to_thread(_certificates, page.ca_file)
        self._client = aiosmtplib.SMTP(
            hostname=page.host,
            port=page.port,
            use_tls=page.security == "tls",
            start_tls=page.security == "starttls",
            tls_context=context,
            timeout=page.timeout_seconds,
            local_hostname=_WE_ARE,
        )
        try:
            await self._client.connect()
            if page.username:
                await self._client.login(page.username, page.password)
        except BaseException as error:
            self._client.close()
            if isinstance(error, SMTPException | OSError | ssl.SSLError):
                raise DeliveryFailed(_connecting(error, page)) from None
            raise
        return self

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> None:
        polite = kind is None or issubclass(kind, DeliveryFailed)
        with contextlib.suppress(SMTPException, OSError):  # what was said is said
            if polite and self._client.is_connected:
                await self._client.quit(timeout=_FAREWELL)
        self._client.close()

    async def name_both(self, sender: str, recipient: str, size: int) -> None:
        """From whom and to whom; nothing was sent as long as this fails."""
        options = [f"SIZE={size}"] if self._client.supports_extension("size") else []
        try:
            await self._client.mail(sender, options=options)
            await self._client.rcpt(recipient)
        except SMTPResponseException as error:
            raise _said_no(error) from None
        except (SMTPException, OSError) as error:
            raise DeliveryFailed(f"The mail server hung up: {_words(error)}") from None

    async def hand_over(self, text: bytes) -> None:
        """The message itself; the server's answer decides."""
        try:
            await self._client.data(text)
        except SMTPResponseException as error:
            raise _said_no(error) from None
        except (SMTPException, OSError) as error:
            raise DeliveryUncertain(
                f"The mail server did not confirm the message ({_words(error)}); it may have taken it."
            ) from None


def composed(parcel: Parcel, page: SmtpSettings, date: str) -> EmailMessage:
    """The message as it is sent. Header values are single lines, or EmailMessage refuses them."""
    rendered, message = parcel.rendered, EmailMessage()
    message["From"] = formataddr((page.from_name, _ascii(page.from_address)))
    message["To"] = _ascii(rendered.to)
    message["Subject"] = rendered.subject or ""
    message["Date"] = date
    message["Message-ID"] = parcel.wire_key
    if page.reply_to:
        message["Reply-To"] = _ascii(page.reply_to)
    if rendered.text or not rendered.html:
        message.set_content(rendered.text)
        if rendered.html:
            message.add_alternative(rendered.html, subtype="html")
    else:
        message.set_content(rendered.html, subtype="html")
    return message


async def _checked_address(page: SmtpSettings) -> None:
    """Where the server is, by the rules for all outbound lines; in the open only on this computer."""
    host = f"[{page.host}]" if ":" in page.host else page.host
    scheme = "http" if page.security == "none" else "https"
    try:
        await checked_url(f"{scheme}://{host}:{page.port}", private=page.allow_private_network)
    except TowerError as error:
        words = str(error)
        if page.security == "none" and "https" in words:
            words = (
                f"{page.host} must be reached with STARTTLS or TLS: what is sent could be read on the way."
            )
        raise DeliveryFailed(words) from None


def _certificates(ca_file: str) -> ssl.SSLContext:
    if ca_file and not Path(ca_file).is_file():
        raise DeliveryFailed(f"The certificate authority {ca_file} is not there.")
    try:
        return ssl.create_default_context(cafile=ca_file or None)
    except (ssl.SSLError, OSError) as error:
        raise DeliveryFailed(f"The certificate authority {ca_file} cannot be read: {error}.") from None


def _connecting(error: BaseException, page: SmtpSettings) -> str:
    """Why there is no conversation, and what to do."""
    where, cause = f"{page.host}:{page.port}", error.__cause__ or error
    if isinstance(error, SMTPAuthenticationError):
        return (
            f"The mail server does not accept user name and password ({error.code}). "
            "Many mailboxes want a password of its own for programs."
        )
    if isinstance(cause, ssl.SSLCertVerificationError):
        return f"The certificate of {where} is not trusted: {cause.verify_message}."
    if isinstance(cause, ssl.SSLError):
        return f"{where} does not speak TLS as it is set; try STARTTLS (587) or TLS (465)."
    words = _words(error)
    if "STARTTLS" in words:
        return f"{where} does not offer STARTTLS; it is not used without encryption."
    return f"There is no mail server at {where}: {words}"


def _said_no(error: SMTPResponseException) -> DeliveryFailed:
    """4xx is for now, 5xx is for good."""
    words = f"The mail server says {error.code}: {_words(error)}"
    return DeliveryRefused(words) if error.code >= 500 else DeliveryFailed(words)


def _words(error: BaseException) -> str:
    text = " ".join(str(getattr(error, "message", "") or error).split())
    return text[:300] or type(error).__name__


def _ascii(address: str) -> str:
    """An address whose domain is in the form servers understand."""
    name, _, domain = address.rpartition("@")
    try:
        return f"{name}@{domain.encode('idna').decode()}" if name else address
    except UnicodeError:
        return address
