"""Whether what a recommendation stands on is enough to show it. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import msgspec

from ctower_desktop.insight.kag.model import Evidence

PRIMARY = frozenset({"message", "linear", "attio", "doc"})
_MOST_LINKS = 20


class Demands(msgspec.Struct, frozen=True):
    """What evidence has to be like."""

    min_count: int = 2
    min_quality: float = 0.35
    secondary_only: bool = False


class Verdict(msgspec.Struct, frozen=True):
    """Whether it is shown, why not, and how good the evidence is."""

    status: Literal["visible", "hidden"]
    reason: str | None
    count: int
    quality: float


def quality(count: int, kinds: int, *, primary: bool, min_count: int = 2) -> float:
    """From 0 to 1: how much evidence, of how many kinds, and whether any is first-hand."""
    found = 0.5 * min(1.0, count / (2 * min_count)) + 0.35 * min(1.0, kinds / 3) + 0.15 * primary
    return round(found, 4)


def judge(evidence: Sequence[Evidence], demands: Demands) -> Verdict:
    """Visible or hidden, and why."""
    kinds = {kind for each in evidence for kind in each.kinds}
    count, primary = len(evidence), bool(kinds & PRIMARY)
    good = quality(count, len(kinds), primary=primary, min_count=demands.min_count)
    reason = None
    if count < demands.min_count:
        reason = f"insufficient_evidence_count_{count}_lt_{demands.min_count}"
    elif not primary and not demands.secondary_only:
        reason = "missing_primary_source"
    elif good < demands.min_quality:
        reason = f"low_evidence_quality_{good:g}_lt_{demands.min_quality:g}"
    return Verdict("visible" if reason is None else "hidden", reason, count, good)


def links(evidence: Sequence[Evidence]) -> list[str]:
    """Addresses under which the evidence can be opened."""
    found: dict[str, None] = {}
    for each in evidence:
        if each.doc_url:
            found[each.doc_url] = None
        if each.message_id:
            found[f"chatwoot://message/{each.message_id}"] = None
        if each.linear_issue_id:
            found[f"linear://issue/{each.linear_issue_id}"] = None
        if each.attio_record_id:
            found[f"attio://record/{each.attio_record_id}"] = None
    return list(found)[:_MOST_LINKS]
