"""A report in words: its sections as figures and tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ctower_desktop.reports.document import Block, Cell, Document, Fact, Facts, Part, Table, Words
from ctower_desktop.reports.words import NOTHING, Speech

_MONEY = frozenset(
    {
        *(
            "pipeline_amount",
            "expected_revenue",
            "deal_amount",
            "signed_total",
            "budget_amount",
            "costs_amount",
        ),
        *("revenue_amount", "gross_margin", "attio_pipeline_amount", "attio_expected_revenue"),
        *("crm_pipeline_amount", "crm_expected_revenue"),
    }
)
_TIMES = ("_at", "_ts")


def report_document(data: Mapping[str, Any], project: str, say: Speech) -> Document:
    """The document of a report's content."""
    span = data["date_range"]
    return Document(
        language=say.language,
        title=f"{data['template_name']} · {project}",
        subtitle=f"{say.day(span['start'])} – {say.day(span['end'])}",
        parts=[_part(name, section, say) for name, section in data["sections"].items()],
        foot=say("made_at", at=say.moment(data["generated_at"])),
    )


def _part(name: str, section: Mapping[str, Any], say: Speech) -> Part:
    if set(section) == {"error"}:
        return Part(name, say(name), [Words(say(str(section["error"])))])
    return Part(name, say(name), list(_blocks(section, say)) or [Words(say("nothing_here"))])


def _blocks(section: Mapping[str, Any], say: Speech) -> list[Block]:
    """Plain figures together first, then a table for every list, in the section's order."""
    currency = str(section.get("currency", ""))
    plain: list[Fact] = []
    tables: list[Block] = []
    for key, value in section.items():
        if isinstance(value, Mapping):
            plain += [_fact(f"{key}_{inner}", one, currency, say) for inner, one in value.items()]
        elif isinstance(value, Sequence) and not isinstance(value, str):
            if key != "by_currency" or len(value) > 1:
                tables.append(_table(key, value, say))
        elif key != "currency":
            plain.append(_fact(key, value, currency, say))
    return [Facts(plain), *tables] if plain else tables


def _fact(key: str, value: Cell, currency: str, say: Speech) -> Fact:
    return Fact(say(key), _worded(key, value, currency, say), "", "plain", key, value)


def _table(key: str, rows: Sequence[Mapping[str, Any]], say: Speech) -> Block:
    if not rows:
        return Words(say(f"no_{key}"))
    keys = [name for name in rows[0] if name != "cursor_id"]
    raw: list[list[Cell]] = [[row.get(name) for name in keys] for row in rows]
    return Table(
        columns=[say(name) for name in keys],
        rows=[
            [
                _worded(name, cell, str(row.get("currency", "")), say)
                for name, cell in zip(keys, cells, strict=True)
            ]
            for row, cells in zip(rows, raw, strict=True)
        ],
        keys=keys,
        raw=raw,
    )


def _worded(key: str, value: Cell, currency: str, say: Speech) -> str:
    if value is None or value == "":
        return NOTHING
    if isinstance(value, bool):
        return say("yes" if value else "no")
    if isinstance(value, int | float):
        if key in _MONEY:
            return say.money(float(value), currency)
        return say.percent(value) if key.endswith("_pct") else say.number(value, 2)
    if key.endswith(_TIMES):
        return say.moment(value)
    return say(value) if key in ("status", "job_type") and say.knows(value) else value
