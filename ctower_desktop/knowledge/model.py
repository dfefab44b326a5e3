"""What the graph is made of: things, facts about them, and where each fact comes from."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

Origin = Literal["rules", "ingest", "llm"]
SourceTable = Literal[
    "contact",
    "conversation",
    "company",
    "person",
    "deal",
    "task",
    "issue",
    "issue_relation",
    "cycle",
    "work_project",
    "crm_account",
    "crm_opportunity",
    "offer",
    "offer_document",
]
INGESTED = "ingest"  # the source of what a client of the door says


class Node(msgspec.Struct, frozen=True):
    """A thing as a row speaks of it; `ref` is what makes it the same thing in another row."""

    ref: str
    name: str
    type: str
    aliases: tuple[str, ...] = ()
    properties: dict[str, Any] = {}


class Fact(msgspec.Struct, frozen=True):
    """What a row says of two things."""

    head: Node
    relation: str
    tail: Node
    confidence: float = 1.0


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """Everything one source says: which thing it is, if any, and its facts. Nothing when it is gone."""

    source_key: str
    project_id: str
    account_scope_id: str = ""
    at: str = ""
    origin: Origin = "rules"
    owns: Node | None = None
    facts: tuple[Fact, ...] = ()


class Entity(msgspec.Struct, frozen=True):
    """A thing of the graph."""

    id: int
    name: str
    type: str
    properties: dict[str, Any]


class Triple(msgspec.Struct, frozen=True):
    """A fact of the graph, with the names of its ends."""

    id: int
    head_id: int
    head: str
    relation: str
    tail_id: int
    tail: str
    feedback: float
    confidence: float
    occurred_at: str

    @property
    def text(self) -> str:
        """As citations show it."""
        return f"{self.head} -[{self.relation}]-> {self.tail}"
