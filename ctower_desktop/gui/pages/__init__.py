"""The pages of the window, in the order of the list at its left."""

from ctower_desktop.gui.page import PageEntry
from ctower_desktop.gui.pages.ask import AskPage
from ctower_desktop.gui.pages.connectors import ConnectorsPage
from ctower_desktop.gui.pages.crm import CrmPage
from ctower_desktop.gui.pages.inbox import InboxPage
from ctower_desktop.gui.pages.outbound import OutboundPage
from ctower_desktop.gui.pages.portfolio import PortfolioPage
from ctower_desktop.gui.pages.reports import ReportsPage
from ctower_desktop.gui.pages.risks import RisksPage
from ctower_desktop.gui.pages.settings import SettingsPage
from ctower_desktop.gui.pages.signals import SignalsPage
from ctower_desktop.gui.pages.system import SystemPage
from ctower_desktop.gui.pages.today import TodayPage

PAGES = (
    PageEntry("today", "today", TodayPage),
    PageEntry("inbox", "inbox", InboxPage),
    PageEntry("ask", "ask", AskPage),
    PageEntry("portfolio", "portfolio", PortfolioPage),
    PageEntry("crm", "deals", CrmPage),
    PageEntry("signals", "signals", SignalsPage),
    PageEntry("risks", "risks", RisksPage),
    PageEntry("outbound", "outbound", OutboundPage),
    PageEntry("reports", "reports", ReportsPage),
    PageEntry("connectors", "connectors", ConnectorsPage, apart=True),
    PageEntry("system", "system", SystemPage),
    PageEntry("settings", "settings", SettingsPage),
)
