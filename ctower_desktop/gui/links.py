"""Leaving the window: addresses that the user's browser opens."""

from __future__ import annotations

from PySide6.QtCore import QUrl
from PySide6.QtGui import QDesktopServices

from ctower_desktop.connectors.settings import ChatwootSettings
from ctower_desktop.inbox.model import Conversation

_WEB = ("http", "https")


def is_web(url: str | None) -> bool:
    """Whether an address is a web page; nothing else that came from a vendor is ever opened."""
    found = QUrl(url or "", QUrl.ParsingMode.StrictMode)
    return found.isValid() and found.scheme() in _WEB and bool(found.host())


def open_link(url: str) -> bool:
    """Open a web page in the user's browser."""
    return is_web(url) and QDesktopServices.openUrl(QUrl(url, QUrl.ParsingMode.StrictMode))


def conversation_url(settings: ChatwootSettings, conversation: Conversation) -> str | None:
    """Where Chatwoot shows a conversation; None when we do not know where Chatwoot is."""
    base = settings.base_url.rstrip("/")
    if not is_web(base):
        return None
    return f"{base}/app/accounts/{conversation.account_id}/conversations/{conversation.conversation_id}"
