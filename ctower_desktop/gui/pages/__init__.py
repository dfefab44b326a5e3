"""The pages of the window, in the order of the list at its left."""

from ctower_desktop.gui.page import PageEntry
from ctower_desktop.gui.pages.ask import AskPage
from ctower_desktop.gui.pages.connectors import ConnectorsPage
from ctower_desktop.gui.pages.crm import CrmPage
from ctower_desktop.gui.pages.settings import SettingsPage

PAGES = (
    PageEntry("ask", "ask", AskPage),
    PageEntry("crm", "deals", CrmPage),
    PageEntry("connectors", "connectors", ConnectorsPage, apart=True),
    PageEntry("settings", "settings", SettingsPage),
)
