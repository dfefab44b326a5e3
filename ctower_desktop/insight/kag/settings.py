"""Whether the /kag paths are there, and what is computed for them."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from ctower_desktop.kernel.errors import Gone, NotFound, TowerError
from ctower_desktop.kernel.settings import Settings, page


class KagDisabled(Gone):
    """The /kag paths are closed; ask through /lightrag, or set KAG_MODE=live."""

    code = "kag_disabled"


@page("kag")
class Kag(msgspec.Struct, frozen=True, kw_only=True):
    """What is read off the event log: signals, scores, forecasts and recommendations."""

    mode: Annotated[
        Literal["gone", "live", "absent"],
        Meta(
            title="The /kag paths",
            description="`live` computes and answers, `gone` says they are retired, `absent` hides them.",
            extra={"env": ["KAG_MODE"]},
        ),
    ] = "gone"
    enabled: Annotated[
        bool,
        Meta(
            title="Compute signals and scores",
            description="Whether a refresh reads the event log at all.",
            extra={"env": ["KAG_ENABLED"]},
        ),
    ] = True
    recommendations: Annotated[
        bool,
        Meta(
            title="Recommend",
            description="Whether a refresh renews the first kind of recommendations.",
            extra={"env": ["RECOMMENDATIONS_ENABLED"]},
        ),
    ] = True
    snapshots: Annotated[
        bool,
        Meta(
            title="Keep daily snapshots",
            description="Whether a refresh keeps the state of the day.",
            extra={"env": ["KAG_SNAPSHOTS_ENABLED"]},
        ),
    ] = True
    forecasting: Annotated[
        bool,
        Meta(
            title="Forecast risks",
            description="Whether a refresh renews the forecast of the four risks.",
            extra={"env": ["KAG_FORECASTING_ENABLED"]},
        ),
    ] = True
    recommendations_v2: Annotated[
        bool,
        Meta(
            title="Recommend with a life of their own",
            description="Whether a refresh renews the recommendations that one acknowledges or dismisses.",
            extra={"env": ["KAG_RECOMMENDATIONS_V2_ENABLED"]},
        ),
    ] = True
    evidence_min_count: Annotated[
        int,
        Meta(
            ge=1,
            le=20,
            title="Pieces of evidence",
            description="A recommendation with fewer is hidden.",
            extra={"env": ["RECOMMENDATIONS_EVIDENCE_MIN_COUNT"]},
        ),
    ] = 2
    evidence_min_quality: Annotated[
        float,
        Meta(
            ge=0,
            le=1,
            title="Quality of evidence",
            description="A recommendation whose evidence is worse is hidden.",
            extra={"env": ["RECOMMENDATIONS_EVIDENCE_MIN_QUALITY"]},
        ),
    ] = 0.35
    evidence_secondary_only: Annotated[
        bool,
        Meta(
            title="Second-hand evidence is enough",
            description="Whether a recommendation may do without a message, issue, deal or document.",
            extra={"env": ["RECOMMENDATIONS_EVIDENCE_ALLOW_SECONDARY_ONLY"]},
        ),
    ] = False


def is_live(settings: Settings) -> bool:
    """Whether anything is computed and answered."""
    return settings.get(Kag).mode == "live"


def refusal(settings: Settings) -> TowerError | None:
    """What every /kag path answers unless they are live."""
    mode = settings.get(Kag).mode
    if mode == "live":
        return None
    return KagDisabled() if mode == "gone" else NotFound()


def is_under(path: str) -> bool:
    """Whether a path, without the door's prefix, is one of those that the mode opens and closes."""
    return path.startswith("/kag/")
