"""The channels there are: importing this fills CHANNELS."""

from __future__ import annotations

from ctower_desktop.connectors.channels.chatwoot import ChatwootChannel
from ctower_desktop.connectors.channels.email import EmailChannel
from ctower_desktop.connectors.channels.loops import LoopsChannel
from ctower_desktop.connectors.channels.telegram import TelegramChannel
from ctower_desktop.inbox.outbound.channel import CHANNELS, Channel

for _way in (EmailChannel(), ChatwootChannel(), TelegramChannel(), LoopsChannel()):
    _found: Channel = _way
    CHANNELS[_found.name] = _found
