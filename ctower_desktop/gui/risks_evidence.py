"""What risks and patterns stand on: every reference as a line that opens where it was written."""

from __future__ import annotations

from functools import partial

from ctower_desktop.gui.detail import Target
from ctower_desktop.gui.records import LinkLine, RecordView
from ctower_desktop.gui.risks_words import entry_words
from ctower_desktop.gui.signals_words import day_words, target_of_ref
from ctower_desktop.gui.text import money, tr, trn
from ctower_desktop.gui.widgets import Label
from ctower_desktop.gui.worklist import WorkList
from ctower_desktop.insight.analytics.actions import list_costs
from ctower_desktop.insight.analytics.model import Entry, ListEntries
from ctower_desktop.insight.signals.actions import list_signals
from ctower_desktop.insight.signals.model import ListSignals, Signal
from ctower_desktop.kernel.tower import Desktop

_SIGNALS, _ENTRIES, _SHOWN = 400, 200, 25


class Known:
    """Signals and entries that references may mean."""

    def __init__(self, signals: list[Signal], entries: list[Entry]) -> None:
        self._signals, self._entries = signals, {one.id: one for one in entries}

    def entry(self, ref: str) -> str:
        """What an entry of the budget says; nothing when the reference is none."""
        entry = self._entries.get(ref)
        if entry is None:
            return ""
        worth = money(entry.amount, entry.currency)
        return f"{entry_words(entry.entry_type)} {worth} · {day_words(entry.date)}"

    def line(self, ref: str) -> tuple[str, Target | None]:
        """What any other reference says, and what it opens."""
        signal = next((one for one in self._signals if ref in (one.id, *one.evidence_refs)), None)
        talk = signal.source_ref if signal is not None else ""
        target = target_of_ref(ref if ":" in ref else talk, talk)
        if signal is not None:
            return signal.summary, target
        if target is None:
            return "", None
        known = {"issue": tr("Open the issue"), "deal": tr("Open the deal")}
        return known.get(target.kind, tr("Open the conversation")), target


async def known(call: Desktop, refs: list[str]) -> Known:
    """Read what these references may mean."""
    if not refs:
        return Known([], [])
    signals = (await list_signals(call, ListSignals(limit=_SIGNALS))).signals
    entries = (await list_costs(call, ListEntries(limit=_ENTRIES))).entries
    return Known(signals, entries)


def show_evidence(view: WorkList, found: RecordView, refs: list[str], what: Known) -> list[LinkLine]:
    """Put the evidence into a detail; return the lines that open something."""
    found.section(tr("Evidence"))
    lines: list[LinkLine] = []
    hidden = max(0, len(refs) - _SHOWN)
    for ref in refs[:_SHOWN]:
        entry = what.entry(ref)
        words, target = what.line(ref)
        line = LinkLine(entry or words)
        if entry:
            line.clicked.connect(partial(view.page.context.commands.run, "risks.view.money"))
        elif target is not None:
            line.clicked.connect(partial(view.open_source, target))
        else:
            hidden += 1
            continue
        lines.append(line)
        found.column.addWidget(line)
    if not refs:
        words = tr("Nobody has attached anything.")
        found.column.addWidget(Label(words, "meta", "text_2", wrap=True))
    elif hidden:
        words = trn("{n} more is not here any more", "{n} more are not here any more", hidden)
        found.column.addWidget(Label(words, "meta", "text_3", wrap=True))
    return lines
