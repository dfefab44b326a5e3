"""The connectors there are: importing this fills CONNECTORS."""

from __future__ import annotations

from ctower_desktop.connectors.attio import Attio
from ctower_desktop.connectors.chatwoot import Chatwoot
from ctower_desktop.connectors.contract import CONNECTORS, Connector
from ctower_desktop.connectors.linear import Linear

for _vendor in (Chatwoot(), Linear(), Attio()):
    _found: Connector = _vendor
    CONNECTORS[_found.name] = _found
