"""The corpus as pieces: every text of the demo agency by its stable name, told on the judge's day."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import msgspec

from ctower_desktop.sandbox.agency import Agency, Client, load, tell, today_of

NOW = datetime(
    2026, 11, 20, 21, 0, tzinfo=UTC
)  # a Friday evening; «вчера» and "last week" are meant from here
CLIENTS = ("sever", "tidewater", "yasen")  # the agency's clients, by the names of their files, in its order


class Piece(msgspec.Struct, frozen=True):
    """A text of the corpus; `client` is the name of the file it stands in."""

    name: str
    client: str
    text: str
    private: bool = False


def told() -> Agency:
    """The agency with every date spelled out as of NOW."""
    agency = load()
    return tell(agency, today_of(agency, NOW))


def pieces() -> dict[str, Piece]:
    """Every piece by its name."""
    return {
        piece.name: piece
        for name, client in zip(CLIENTS, told().clients, strict=True)
        for piece in (*_talk(name, client), *_work(name, client), *_sales(name, client))
    }


def _talk(name: str, client: Client) -> Iterator[Piece]:
    for talk in client.conversations:
        for place, message in enumerate(talk.messages):
            text = " ".join([message.text, *message.attachments])
            yield Piece(f"conv:{talk.key}#{place}", name, text, message.private)


def _work(name: str, client: Client) -> Iterator[Piece]:
    for issue in client.issues:
        yield Piece(f"issue:{issue.key}", name, f"{issue.key} {issue.title}\n{issue.description}")
        for place, comment in enumerate(issue.comments):
            yield Piece(f"issue:{issue.key}#{place}", name, comment.text)


def _sales(name: str, client: Client) -> Iterator[Piece]:
    for company in client.companies:
        for place, note in enumerate(company.notes):
            yield Piece(f"company:{company.key}/note#{place}", name, f"{note.title}\n{note.text}")
    for deal in client.deals:
        yield Piece(f"deal:{deal.key}", name, f"{deal.name}\n{deal.next_step}\n{deal.amount:.0f}")
        for place, note in enumerate(deal.notes):
            yield Piece(f"deal:{deal.key}/note#{place}", name, f"{note.title}\n{note.text}")
        for place, task in enumerate(deal.tasks):
            yield Piece(f"deal:{deal.key}/task#{place}", name, task.text)
