"""Whom a reference means: a contact's id, an address, a telephone number, a chat, a conversation. Pure."""

from __future__ import annotations

import re
from typing import Literal

import msgspec

from ctower_desktop.inbox.outbound.model import ChannelName
from ctower_desktop.kernel.errors import Invalid, Issue

Kind = Literal["contact", "conversation", "email", "phone", "chat", "other"]

_EMAIL = re.compile(
    r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@(?=.{1,253}\Z)[^\s@.,;:<>()\[\]\\\"]+(\.[^\s@.,;:<>()\[\]\\\"]+)*"
)
_CHAT = re.compile(r"-?\d{1,19}|@[A-Za-z]\w{3,31}")
_PHONE = re.compile(r"\+\d{6,15}")
_PHONE_NOISE = re.compile(r"[\s().-]+")
_CONTROL = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029]")


class Known(msgspec.Struct, frozen=True):
    """A contact, as far as somebody is reached by it."""

    id: str
    name: str | None
    email: str | None
    phone_number: str | None
    chat: str | None
    gone: bool = False


class Recipient(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that is known of the one a message is for.

    `key` is the one form in which they are counted, `aliases` every name under which a rule may stand.
    """

    ref: str
    key: str
    aliases: tuple[str, ...]
    contacts: tuple[Known, ...]

    @property
    def name(self) -> str | None:
        """What they are called, if somebody is known by that reference."""
        return next((each.name for each in self.contacts if each.name), None)


def checked_ref(channel: ChannelName, ref: str) -> str:
    """A reference as it is stored; raise Invalid for what can be nobody's."""
    text = ref.strip()
    if _CONTROL.search(text):
        raise Invalid(issues=(Issue("recipient_ref", "Must be one line of text.", "invalid_format"),))
    if channel in ("email", "loops") and "@" in text and kind_of(text) != "email":
        raise Invalid(issues=(Issue("recipient_ref", "This is not an e-mail address.", "invalid_format"),))
    return text


def kind_of(ref: str) -> Kind:
    """What a reference is, by its form."""
    if ref.startswith("cwc:"):
        return "contact"
    if ref.startswith("cw:"):
        return "conversation"
    if _EMAIL.fullmatch(ref):
        return "email"
    if _CHAT.fullmatch(ref):
        return "chat"
    return "phone" if _PHONE.fullmatch(_PHONE_NOISE.sub("", ref)) else "other"


def plain(ref: str) -> str:
    """A reference in the form in which two writings of it are the same."""
    text = ref.strip()
    match kind_of(text):
        case "email" | "chat":
            return text.lower()
        case "phone":
            return _PHONE_NOISE.sub("", text)
        case _:
            return text


def recipient(ref: str, contacts: list[Known]) -> Recipient:
    """Whom `ref` means, given the contacts it leads to.

    Several contacts with one address are one person to be spared; they are counted under the address. What
    a contact forbade that is no longer there, because it was merged into another, still holds.
    """
    own = plain(ref)
    names = [own]
    for each in contacts:
        found = (each.id, each.email, each.phone_number, each.chat)
        names += [plain(name) for name in found if name]
    there = tuple(each for each in contacts if not each.gone)
    key = there[0].id if len(there) == 1 else own
    return Recipient(ref=ref, key=key, aliases=tuple(dict.fromkeys(names)), contacts=there)


def email_of(someone: Recipient) -> str | None:
    """Where they get e-mail."""
    if kind_of(someone.ref) == "email":
        return someone.ref
    return next(
        (each.email for each in someone.contacts if each.email and kind_of(each.email) == "email"), None
    )


def chat_of(someone: Recipient) -> str | None:
    """The Telegram chat with them."""
    if kind_of(someone.ref) == "chat":
        return someone.ref
    return next((each.chat for each in someone.contacts if each.chat and kind_of(each.chat) == "chat"), None)
