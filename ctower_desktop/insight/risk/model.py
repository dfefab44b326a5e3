"""What a project's health, a risk and a pattern of risks are, as stored and as served."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from ctower_desktop.kernel.errors import NotFound

RiskStatus = Literal["open", "mitigating", "closed"]
PatternStatus = Literal["open", "mitigated", "ignored"]
Source = Literal["cause", "manual"]

Limit = Annotated[int, Meta(ge=1, le=200, description="How many at most")]
Offset = Annotated[int, Meta(ge=0, le=1_000_000, description="How many to leave out")]
RiskId = Annotated[
    str,
    Meta(
        pattern=(
            r"^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[1-8][0-9a-fA-F]{3}-[89abAB][0-9a-fA-F]{3}-[0-9a-fA-F]{12}$"
        ),
        description="The id of a risk or of a pattern",
    ),
]
Severity = Annotated[int, Meta(ge=1, le=5)]
Probability = Annotated[float, Meta(ge=0, le=1)]
Title = Annotated[str, Meta(min_length=2, max_length=300)]
Mitigation = Annotated[str, Meta(max_length=2000)]
Owner = Annotated[str, Meta(max_length=200)]


class RiskNotFound(NotFound):
    """There is no such risk in this project."""

    code = "risk_not_found"


class PatternNotFound(NotFound):
    """There is no such pattern of risks in this project."""

    code = "pattern_not_found"


class Factor(msgspec.Struct, frozen=True, omit_defaults=True):
    """One of the pressures on a project. What is `operational_only` is shown and not counted."""

    key: str
    value: float
    operational_only: bool = False


class Health(msgspec.Struct, frozen=True):
    """How healthy a project is: 100 less what presses on it."""

    score: float
    factors: list[Factor]
    generated_at: str


class Risk(msgspec.Struct, frozen=True):
    """Something that may go wrong: found by its cause, or written down by a person."""

    id: str
    source: Source
    title: str
    severity: int
    probability: float
    mitigation_action: str | None
    owner_username: str | None
    status: RiskStatus
    evidence_refs: list[str]
    reopened_count: int
    closed_by: str | None
    closed_at: str | None
    opened_at: str
    created_by: str
    created_at: str
    updated_at: str


class Pattern(msgspec.Struct, frozen=True):
    """A kind of risk this project shows, how heavy it weighs, and the steps that help."""

    id: str
    pattern_key: str
    title: str
    weight: float
    status: PatternStatus
    mitigation_playbook: dict[str, list[str]]
    evidence_refs: list[str]
    updated_at: str


class RiskOverview(msgspec.Struct, frozen=True):
    """Health, the worst live risks, and patterns; `health` is null before the first refresh."""

    health: Health | None
    risks: list[Risk]
    patterns: list[Pattern]


class RefreshResult(msgspec.Struct, frozen=True):
    """The health found just now, and what it is made of."""

    health_score: float
    factors: list[Factor]
    total_pressure: float


class RefreshAnswer(msgspec.Struct, frozen=True):
    """What the refresh found."""

    result: RefreshResult


class ListRisks(msgspec.Struct, frozen=True, kw_only=True):
    """Which risks: of a status, or all."""

    status: str = ""
    limit: Limit = 100
    offset: Offset = 0


class Risks(msgspec.Struct, frozen=True):
    """Risks, the most severe first."""

    items: list[Risk]


class RiskAnswer(msgspec.Struct, frozen=True):
    """One risk."""

    item: Risk


class PatternAnswer(msgspec.Struct, frozen=True):
    """One pattern."""

    pattern: Pattern


class NewRisk(msgspec.Struct, frozen=True, kw_only=True):
    """A risk somebody sees."""

    title: Title
    severity: Severity = 3
    probability: Probability = 0.5
    mitigation: Mitigation | None = None
    owner: Owner | None = None


class RiskEdit(msgspec.Struct, frozen=True, kw_only=True):
    """What to change of a risk; of one found by its cause only mitigation and owner last."""

    title: Title | UnsetType = UNSET
    severity: Severity | UnsetType = UNSET
    probability: Probability | UnsetType = UNSET
    mitigation: Mitigation | UnsetType | None = UNSET
    owner: Owner | UnsetType | None = UNSET


class RiskMove(msgspec.Struct, frozen=True):
    """The status a risk gets."""

    status: RiskStatus


class PatternMove(msgspec.Struct, frozen=True):
    """The status a pattern gets; one that is ignored stays so."""

    status: PatternStatus
