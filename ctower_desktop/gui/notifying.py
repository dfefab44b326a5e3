"""What is worth telling while the user does something else: once, grouped, and not in the quiet hours."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from ctower_desktop.gui.appearance import Notifications
from ctower_desktop.gui.sidebar import Source
from ctower_desktop.gui.text import tr, trn
from ctower_desktop.gui.travel import Place
from ctower_desktop.kernel.regional import Regional, is_quiet
from ctower_desktop.reports.queue import QueueItem

Kind = Literal["signals", "clients", "sources", "work"]

_SEVERE = 4  # of five: what waits this urgently is told
_KINDS: dict[str, Kind] = {"signal": "signals", "waiting": "clients", "alert": "sources"}
_TITLE = 120  # letters of somebody else's text
_KNOWN = 5_000  # things that are remembered as told


@dataclass(frozen=True)
class Notice:
    """One thing to tell: what it is about, in two lines, and where it leads."""

    kind: Kind
    title: str
    text: str
    place: Place


class Newly:
    """Knows what was there already: the first look tells nothing, later ones only what is new."""

    def __init__(self) -> None:
        self._queue: dict[tuple[str, str], None] | None = None
        self._failed: set[str] | None = None

    def urgent(self, items: Iterable[QueueItem]) -> list[Notice]:
        """What has become urgent since the last look."""
        now = {
            (item.kind, item.id): item
            for item in items
            if item.urgency >= _SEVERE and item.kind in _KINDS and not item.put_aside
        }
        before = self._queue
        self._queue = dict.fromkeys([*(before or ()), *now][-_KNOWN:])
        if before is None:
            return []
        return [_of(item) for key, item in now.items() if key not in before]

    def failed(self, sources: Sequence[Source]) -> list[Notice]:
        """Sources that could be read at the last look and cannot now."""
        now = {source.id: source for source in sources if source.failed}
        before, self._failed = self._failed, set(now)
        if before is None:
            return []
        return [
            Notice("sources", tr("{name} could not be read", name=one.name), one.words, Place("connectors"))
            for name, one in now.items()
            if name not in before
        ]


class Discretion:
    """Holds back what is not wanted, and in quiet hours everything, to tell it in one line afterwards."""

    def __init__(self) -> None:
        self._held: list[Notice] = []

    def pass_(
        self, notices: Sequence[Notice], now: datetime, wanted: Notifications, regional: Regional
    ) -> list[Notice]:
        """What may be told now; three and more of a kind are one."""
        fresh = [one for one in notices if wanted.enabled and getattr(wanted, one.kind)]
        if is_quiet(now, regional):
            self._held += fresh
            return []
        held, self._held = self._held, []
        return grouped([*held, *fresh])


def grouped(notices: Sequence[Notice]) -> list[Notice]:
    """The same kind three times or more becomes one notice that counts them."""
    found: list[Notice] = []
    for kind in dict.fromkeys(one.kind for one in notices):
        same = [one for one in notices if one.kind == kind]
        found += same if len(same) < 3 else [_together(kind, same)]
    return found


def _together(kind: Kind, same: Sequence[Notice]) -> Notice:
    count = len(same)
    words: dict[Kind, str] = {
        "signals": trn("{n} new severe signal", "{n} new severe signals", count),
        "clients": trn("{n} client waits for an answer", "{n} clients wait for an answer", count),
        "sources": trn("{n} trouble with the sources", "{n} troubles with the sources", count),
        "work": trn("{n} piece of work is done", "{n} pieces of work are done", count),
    }
    place = same[0].place if kind in ("sources", "work") else Place("today")
    return Notice(kind, words[kind], " · ".join(one.text for one in same[:3] if one.text), place)


def _of(item: QueueItem) -> Notice:
    text = " ".join(item.title.split())[:_TITLE]
    about = item.about if item.kind == "waiting" else ""
    match _KINDS[item.kind]:
        case "clients":
            who = about or tr("A client")
            return Notice("clients", tr("{who} waits for an answer", who=who[:_TITLE]), text, Place("today"))
        case "signals":
            return Notice("signals", tr("A new severe signal"), text, Place("today"))
        case _:
            return Notice("sources", tr("The system needs a look"), text, Place("system"))


def harmless(text: str) -> str:
    """Somebody else's words for the desktop's own notifications, some of which would read them as markup."""
    return text.replace("<", "‹").replace(">", "›").replace("&", "＆")
