"""From a message and its recipient to exactly what goes out. Pure."""

from __future__ import annotations

import msgspec

from ctower_desktop.inbox.outbound.content import Content
from ctower_desktop.inbox.outbound.model import ChannelName, RecipientUnresolved, Rendered
from ctower_desktop.inbox.outbound.recipients import Recipient, chat_of, email_of


class Talk(msgspec.Struct, frozen=True):
    """A conversation at the vendor."""

    id: str
    account_id: str
    conversation_id: str
    contact_global_id: str | None


def rendered(
    channel: ChannelName, content: Content, someone: Recipient, talk: Talk | None, sender: str | None
) -> Rendered:
    """What goes out; raise RecipientUnresolved when it is not known where to."""
    return Rendered(
        channel=channel,
        to=_address(channel, content, someone, talk),
        to_name=someone.name,
        subject=content.subject,
        text=content.text,
        html=content.html,
        template=content.template,
        variables=content.variables if channel == "loops" else {},
        sender=sender,
    )


def _address(channel: ChannelName, content: Content, someone: Recipient, talk: Talk | None) -> str:
    if channel == "chatwoot":
        return _conversation(content, someone, talk)
    found = chat_of(someone) if channel == "telegram" else email_of(someone)
    if found is None:
        what = "Telegram chat" if channel == "telegram" else "e-mail address"
        raise RecipientUnresolved(f"No {what} of {someone.name or someone.ref!r} is known.")
    return found


def _conversation(content: Content, someone: Recipient, talk: Talk | None) -> str:
    if talk is None:
        named = content.conversation_id
        raise RecipientUnresolved(
            f"There is no conversation {named!r} in this project."
            if named
            else f"There is no conversation with {someone.name or someone.ref!r} in Chatwoot yet."
        )
    known = {each.id for each in someone.contacts}
    if known and talk.contact_global_id not in known:
        raise RecipientUnresolved("That conversation is with somebody else.")
    return talk.conversation_id
