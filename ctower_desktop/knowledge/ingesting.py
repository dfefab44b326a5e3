"""From triples that a client sends to facts, or to what is wrong with them. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from ctower_desktop.kernel.tower import ProjectRef
from ctower_desktop.knowledge.door_model import IngestError, TripleBody
from ctower_desktop.knowledge.model import INGESTED, Fact, Node, Told
from ctower_desktop.knowledge.names import key, tidy

_LONGEST = 200


def facts(given: Sequence[TripleBody]) -> tuple[list[Fact], list[IngestError]]:
    """The facts in what was sent, and what was left out with the reason."""
    found: list[Fact] = []
    errors: list[IngestError] = []
    for index, triple in enumerate(given):
        problem = _problem(triple)
        if problem is None:
            found.append(Fact(_node(triple.head), tidy(triple.relation), _node(triple.tail)))
        else:
            errors.append(IngestError(index, triple, *problem))
    return found, errors


def _problem(triple: TripleBody) -> tuple[str, str] | None:
    for field in ("head", "relation", "tail"):
        text = getattr(triple, field)
        if not tidy(text):
            return "BLANK_COMPONENT", f"The {field} is blank."
        if len(text) > _LONGEST:
            return "TOO_LONG", f"The {field} has more than {_LONGEST} characters."
    return None


def _node(name: str) -> Node:
    return Node(f"name:{key(name)}", tidy(name), "Entity")


def told(project: ProjectRef, said: Sequence[Fact]) -> Told:
    """Facts as a source tells them."""
    return Told(
        source_key=INGESTED,
        project_id=project.id,
        account_scope_id=project.account_scope_id,
        origin="ingest",
        facts=tuple(said),
    )
