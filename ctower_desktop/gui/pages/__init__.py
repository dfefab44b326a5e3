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
from ctower_desktop.gui.text import tr

PAGES = (
    PageEntry("today", "today", lambda: tr("Today"), TodayPage),
    PageEntry("inbox", "inbox", lambda: tr("Inbox"), InboxPage),
    PageEntry("ask", "ask", lambda: tr("Ask"), AskPage),
    PageEntry("portfolio", "portfolio", lambda: tr("Portfolio"), PortfolioPage),
    PageEntry("crm", "deals", lambda: tr("CRM"), CrmPage),
    PageEntry("signals", "signals", lambda: tr("Signals & links"), SignalsPage),
    PageEntry("risks", "risks", lambda: tr("Risks"), RisksPage),
    PageEntry("outbound", "outbound", lambda: tr("Outbound"), OutboundPage),
    PageEntry("reports", "reports", lambda: tr("Reports"), ReportsPage),
    PageEntry("connectors", "connectors", lambda: tr("Connectors"), ConnectorsPage, apart=True),
    PageEntry("system", "system", lambda: tr("System"), SystemPage),
    PageEntry("settings", "settings", lambda: tr("Settings"), SettingsPage),
)
