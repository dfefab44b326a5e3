"""Where one is in the window, where one was, and links that lead there."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from urllib.parse import quote, unquote

SCHEME = "ctower"
RECORDS = ("conversation", "issue", "deal")  # what a link can name besides a page

_LONGEST = 500
_MOST = 100  # places that are remembered
_PAGE = re.compile(r"[a-z]{1,32}")
_ID = re.compile(r"[\w][\w.:~@-]{0,199}")  # ids only: no paths, no options, nothing to steer with
_PASSING = 2.0  # seconds: a record that was open for less is not a place to return to


@dataclass(frozen=True)
class Place:
    """A page, and the record that is open on it or over it."""

    page: str
    kind: str = ""
    record: str = ""

    @property
    def link(self) -> str:
        """The address of the place."""
        if self.kind:
            return f"{SCHEME}://{self.kind}/{quote(self.record, safe='')}"
        return f"{SCHEME}://page/{self.page}"


def parse_link(link: str) -> Place | None:
    """The place behind a link from outside; None for everything that is not exactly a page or a record.

    `ctower://page/inbox`, `ctower://issue/linissue:…`. A record's page is the window's choice.
    """
    if len(link) > _LONGEST or not link.startswith(f"{SCHEME}://"):
        return None
    parts = link.removeprefix(f"{SCHEME}://").rstrip("/").split("/")
    if len(parts) != 2:
        return None
    kind, name = parts[0], unquote(parts[1])
    if kind == "page":
        return Place(name) if _PAGE.fullmatch(name) else None
    return Place("", kind, name) if kind in RECORDS and _ID.fullmatch(name) else None


class Travels:
    """The places one was at, and the one where one is."""

    def __init__(self) -> None:
        self._places: list[Place] = []
        self._at = -1
        self._since = 0.0

    @property
    def place(self) -> Place | None:
        """Where one is."""
        return self._places[self._at] if self._places else None

    @property
    def can_go_back(self) -> bool:
        """Whether there is a place before this one."""
        return self._at > 0

    @property
    def can_go_forward(self) -> bool:
        """Whether one came back from somewhere."""
        return self._at + 1 < len(self._places)

    def visit(self, place: Place, now: float) -> None:
        """Be somewhere else; what one came back from is forgotten.

        Walking down a list leaves only where one stopped: a record seen in passing is replaced.
        """
        here = self.place
        if here == place:
            return
        passing = here is not None and here.record and here.page == place.page and place.record
        if passing and now - self._since < _PASSING:
            self._places[self._at] = place
            del self._places[self._at + 1 :]
        else:
            self._places = [*self._places[: self._at + 1], place][-_MOST:]
            self._at = len(self._places) - 1
        self._since = now

    def go(self, step: int) -> Place | None:
        """The place a step back (-1) or forward (1); None when there is none."""
        if not 0 <= self._at + step < len(self._places):
            return None
        self._at += step
        self._since = 0.0  # returned to on purpose: not in passing
        return self.place

    def forget_records(self) -> None:
        """Another project: its pages stay places to return to, its records do not."""
        kept: list[Place] = []
        at = self._at
        for number, place in enumerate(self._places):
            plain = replace(place, kind="", record="")
            if kept and kept[-1] == plain:
                at -= number <= self._at
            else:
                kept.append(plain)
        self._places, self._at = kept, min(max(at, 0), len(kept) - 1)
