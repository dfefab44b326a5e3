"""The words other systems use for stages, in ours."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from ctower_desktop.crm.model import AccountStage, OpportunityStage

_ACCOUNT: dict[str, tuple[str, ...]] = {
    "active": ("active", "customer", "won", "closed-won"),
    "inactive": ("inactive", "churned", "lost", "closed-lost"),
}
_OPPORTUNITY: dict[str, tuple[str, ...]] = {
    "won": ("won", "closed-won"),
    "lost": ("lost", "closed-lost"),
    "proposal": ("proposal", "proposal-sent"),
    "negotiation": ("negotiation",),
    "qualified": ("qualified",),
}


def account_stage(raw: str | None) -> AccountStage:
    """Our stage of an account for the vendor's word."""
    return cast(AccountStage, _stage(raw, _ACCOUNT, "prospect"))


def opportunity_stage(raw: str | None) -> OpportunityStage:
    """Our stage of an opportunity for the vendor's word."""
    return cast(OpportunityStage, _stage(raw, _OPPORTUNITY, "discovery"))


def _stage(raw: str | None, stages: Mapping[str, tuple[str, ...]], default: str) -> str:
    word = "-".join((raw or "").lower().replace("_", " ").replace("-", " ").split())
    return next((stage for stage, words in stages.items() if word in words), default)
