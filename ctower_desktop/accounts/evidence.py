"""References to evidence: from what a caller wrote to one shape, and which table each points into."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from ctower_desktop.accounts.model import EvidenceRef

MOST = 50
_LONGEST_SNIPPET = 1_000
_LONGEST_REF = 500
_TABLES = ("cw_messages", "cw_conversations", "cw_contacts", "rag_chunks", "external")
_PREFIXES = {"cwmsg:": "cw_messages", "cw:": "cw_conversations", "cwc:": "cw_contacts"}


class Located(msgspec.Struct, frozen=True):
    """A reference together with the table it points into and the ids that follow from its prefix."""

    ref: EvidenceRef
    table: str
    conversation: str | None
    message: str | None
    contact: str | None


def normalised(given: Sequence[Any]) -> list[EvidenceRef]:
    """At most 50 references in one shape, each once; what names nothing is dropped."""
    found: dict[tuple[str, str], EvidenceRef] = {}
    for item in given:
        ref = _one(item)
        if ref is not None:
            found.setdefault((ref.source, ref.ref), ref)
            if len(found) == MOST:
                break
    return list(found.values())


def located(ref: EvidenceRef) -> Located:
    """Where a reference points."""
    table = ref.source if ref.source in _TABLES else _inferred(ref.ref)
    return Located(
        ref,
        table,
        conversation=ref.ref if table == "cw_conversations" else None,
        message=ref.ref if table == "cw_messages" else None,
        contact=ref.ref if table == "cw_contacts" else None,
    )


def _one(item: Any) -> EvidenceRef | None:
    if isinstance(item, EvidenceRef):
        item = msgspec.structs.asdict(item)
    if isinstance(item, str):
        name = item.strip()[:_LONGEST_REF]
        return EvidenceRef(_inferred(name), name) if name else None
    if not isinstance(item, Mapping):
        return None
    name = _first_text(item, "ref", "source_ref", "id")[:_LONGEST_REF]
    if not name:
        return None
    source = _first_text(item, "source", "source_type").lower()[:100] or _inferred(name)
    snippet = _first_text(item, "snippet")[:_LONGEST_SNIPPET] or None
    meta = item.get("meta")
    return EvidenceRef(source, name, snippet, dict(meta) if isinstance(meta, Mapping) else {})


def _first_text(item: Mapping[str, Any], *names: str) -> str:
    for name in names:
        value = item.get(name)
        if isinstance(value, str | int) and (text := str(value).strip()):
            return text
    return ""


def _inferred(name: str) -> str:
    for prefix, table in _PREFIXES.items():
        if name.startswith(prefix):
            return table
    return "rag_chunks" if len(name) == 36 else "external"
