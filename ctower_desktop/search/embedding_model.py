"""What an embedding model can do, which ones there are, and how two of them compare, as kept and served."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

KNOWN_FROM = 0.7
"""The share of questions a model must answer with the right text first to count as knowing a language.

Measured with the shipped model on the same texts: 0.88 in English, which it knows; 0.05 in Russian, which
it does not; and 0.57 at most where Russian is turned into English for it. With sixty texts a share of 0.57 is
known to about ±0.13 and one of 0.88 to ±0.08 (two standard errors): 0.7 lies outside of both. A model
that knows a language less well than glosses do is better given glosses.
"""


class Ability(msgspec.Struct, frozen=True):
    """How often a model finds the right text among sixty, from 0 to 1, by language of question and text."""

    ru: float
    en: float
    ru_en: float = msgspec.field(name="ru-en")  # a Russian question, English texts
    en_ru: float = msgspec.field(name="en-ru")

    def shares(self) -> dict[str, float]:
        """The figures by name."""
        return {"ru": self.ru, "en": self.en, "ru-en": self.ru_en, "en-ru": self.en_ru}

    @property
    def known(self) -> list[str]:
        """The languages and the ways between them in which the model is to be believed."""
        return [name for name, share in self.shares().items() if share >= KNOWN_FROM]


class Measured(msgspec.Struct, frozen=True):
    """A measurement and what it is of: files and prefixes of a model, and the texts it was tried with."""

    digest: str
    texts: str
    ability: Ability


class Building(msgspec.Struct, frozen=True):
    """How far the vectors of a model are: chunks done of all."""

    done: int
    total: int


class InstalledModel(msgspec.Struct, frozen=True, kw_only=True):
    """A model that can be used for search."""

    id: str
    name: str
    folder: str
    shipped: bool = False
    in_place: bool = False  # its files lie elsewhere, and it ends when they do
    chosen: bool = False  # what the settings say
    state: Literal["serving", "building", "idle", "broken"] = "broken"
    building: Building | None = None
    problem: str | None = None
    dimension: int | None = None
    size: int = 0  # bytes
    licence: str | None = None  # the first line of its licence file that says anything
    ability: Ability | None = None
    known: list[str] = []


class ModelsAnswer(msgspec.Struct, frozen=True):
    """All models, the shipped one first."""

    models: list[InstalledModel]
    known_from: float = KNOWN_FROM


class ModelAnswer(msgspec.Struct, frozen=True):
    """One model."""

    model: InstalledModel


Folder = Annotated[str, Meta(min_length=1, max_length=1000, description="An absolute path on this computer")]
ModelId = Annotated[str, Meta(min_length=1, max_length=120, pattern=r"^[A-Za-z0-9][A-Za-z0-9._+-]*$")]


class AddModel(msgspec.Struct, frozen=True):
    """Which folder to take a model from, whether to leave it there, and whether to use it from now on."""

    folder: Folder
    in_place: bool = False
    use: bool = True


class RemovedModel(msgspec.Struct, frozen=True):
    """A model that is no longer there."""

    removed: str


class NewTrial(msgspec.Struct, frozen=True):
    """Which model to try on the project's own texts: a folder, or the id of one that is installed."""

    folder: Folder | None = None
    model_id: ModelId | None = None
    seed: Annotated[int, Meta(ge=0, le=2**31 - 1)] = 1


class Score(msgspec.Struct, frozen=True):
    """How well texts were found: the share found among the first five, and the mean of 1/rank."""

    recall_at_5: float
    mrr: float


class Compared(msgspec.Struct, frozen=True, kw_only=True):
    """Both models over the same questions, by their vectors alone and fused with words."""

    slice: str  # all, or a language or way between languages, or a kind of question
    questions: int
    words: Score
    current: Score
    candidate: Score
    current_fused: Score
    candidate_fused: Score


class TrialResult(msgspec.Struct, frozen=True, kw_only=True):
    """What a model would gain on the project's own texts."""

    current: str
    candidate: str
    current_ability: Ability | None
    candidate_ability: Ability
    texts: int
    sampled: int  # more than `texts` when the candidate is too slow for all of them
    current_per_second: float
    candidate_per_second: float
    compared: list[Compared]


class Trial(msgspec.Struct, frozen=True, kw_only=True):
    """The trial that runs or ran last; `idle` before the first."""

    state: Literal["idle", "running", "done", "failed", "cancelled"]
    project_id: str | None = None
    folder: str | None = None
    phase: Literal["reading", "measuring", "candidate", "current", "comparing"] | None = None
    done: int = 0
    total: int = 0
    problem: str | None = None
    result: TrialResult | None = None
