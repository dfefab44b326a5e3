"""Trying a model on the project's own texts: what it would find that the model in use does not."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import msgspec

from ctower_desktop.kernel.errors import Conflict, Invalid, TowerError
from ctower_desktop.kernel.events import Event
from ctower_desktop.kernel.tower import Tower
from ctower_desktop.search import chunk_store, ranking, trial_questions, trial_store, word_store
from ctower_desktop.search.chunk_store import Chunk
from ctower_desktop.search.embedder import Embedder
from ctower_desktop.search.embedding_model import Compared, Measured, Score, Trial, TrialResult
from ctower_desktop.search.installing import proven
from ctower_desktop.search.lexicon import lexicon
from ctower_desktop.search.model_folder import ModelFolder
from ctower_desktop.search.models import Models
from ctower_desktop.search.settings import SearchSettings
from ctower_desktop.search.trial_questions import Known
from ctower_desktop.search.understanding import understand
from ctower_desktop.search.vector_store import Filter

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Vectors = NDArray[np.float32]

log = logging.getLogger(__name__)

_CANDIDATE_UNTIL, _CURRENT_UNTIL = 75.0, 105.0  # seconds from the start; then the sample is cut
_LEAST_TEXTS = 30
_TEXTS_A_STEP = 10
_DEPTH = 50  # places of each side that are fused, as in a search
_FIRST = 5

Phase = Literal["reading", "measuring", "candidate", "current", "comparing"]
Tell = Callable[[Phase, int, int], None]


class TrialRunning(Conflict):
    """A trial is running; wait for its end or cancel it."""

    code = "trial_running"


class TooFewTexts(Invalid):
    """The project has too few texts to compare models with."""

    code = "too_few_texts"


class TrialProgress(Event, frozen=True, kw_only=True):
    """How far a trial is: texts done of all within its phase; `state` tells how it ended."""

    state: str
    phase: str | None
    done: int
    total: int
    at: str


@dataclass(frozen=True, slots=True)
class _Side:
    """A model with what it made of the sample and of the questions."""

    name: str
    known: Sequence[str]
    measured: Measured | None
    texts: Vectors
    questions: Vectors
    per_second: float


class Trials:
    """The one trial of a tower that runs or ran last."""

    def __init__(self, tower: Tower) -> None:
        self._tower = tower
        self._task: asyncio.Task[None] | None = None
        self.state = Trial(state="idle")

    @classmethod
    async def start(cls, tower: Tower) -> Trials:
        """Nothing runs before it is asked for."""
        return cls(tower)

    async def stop(self) -> None:
        """Cancel what runs."""
        await self.cancel()

    def begin(self, project_id: str, folder: ModelFolder, seed: int) -> Trial:
        """Compare the model in a folder with the one in use, in the background; raise TrialRunning."""
        if self._task is not None and not self._task.done():
            raise TrialRunning
        self.state = Trial(state="running", project_id=project_id, folder=str(folder.path), phase="reading")
        self._task = asyncio.create_task(self._run(project_id, folder, seed), name="trial")
        return self.state

    async def cancel(self) -> Trial:
        """Give up what runs."""
        if self._task is not None and not self._task.done():
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        return self.state

    async def wait(self) -> Trial:
        """The trial after its end."""
        if self._task is not None:
            await asyncio.wait({self._task})
        return self.state

    async def _run(self, project_id: str, folder: ModelFolder, seed: int) -> None:
        try:
            result = await _Run(self._tower, project_id, self._tell).compare(folder, seed)
        except asyncio.CancelledError:
            self._end("cancelled")
            raise
        except TowerError as error:
            self._end("failed", problem=str(error))
        except Exception:  # a bug here must not leave a trial that never ends
            log.exception("a trial broke")
            self._end("failed", problem="Something broke on our side; the log has the details.")
        else:
            self._end("done", result=result)

    def _tell(self, phase: Phase, done: int, total: int) -> None:
        self.state = msgspec.structs.replace(self.state, phase=phase, done=done, total=total)
        self._publish()

    def _end(
        self,
        state: Literal["done", "failed", "cancelled"],
        *,
        problem: str | None = None,
        result: TrialResult | None = None,
    ) -> None:
        self.state = msgspec.structs.replace(
            self.state, state=state, phase=None, problem=problem, result=result
        )
        self._publish()

    def _publish(self) -> None:
        told = self.state
        self._tower.events.publish(
            TrialProgress(
                project_id=told.project_id,
                state=told.state,
                phase=told.phase,
                done=told.done,
                total=told.total,
                at=self._tower.clock.text(),
            )
        )


class _Run:
    """One trial, step by step; `tell` is called with phase, done and total."""

    def __init__(self, tower: Tower, project_id: str, tell: Tell) -> None:
        self._tower, self._project_id, self._tell = tower, project_id, tell
        self._began = tower.clock.monotonic()

    async def compare(self, folder: ModelFolder, seed: int) -> TrialResult:
        """The figures; raise ModelRefused, TooFewTexts or ModelUnavailable."""
        self._tell("reading", 0, 0)
        sample, known = await self._drawn(seed)
        threads = self._tower.settings.get(SearchSettings).threads
        self._tell("measuring", 0, 0)
        measured, _ = await proven(folder, threads)
        candidate = Embedder(folder, threads=threads)
        candidate.settle(measured)
        try:
            theirs = await self._side(candidate, sample, known, "candidate", _CANDIDATE_UNTIL)
        finally:
            await candidate.stop()
        ready = await (await self._tower.part(Models)).serving()
        if ready is None:
            raise TooFewTexts("No text has a vector yet; there is nothing to compare with.")
        embedded = sample[: len(theirs.texts)]
        ours = await self._side(ready.embedder, embedded, known, "current", _CURRENT_UNTIL)
        embedded = embedded[: len(ours.texts)]
        self._tell("comparing", 0, len(known))
        worded = await self._by_words(known, {chunk.id for chunk in embedded})
        compared = await asyncio.to_thread(_compared, known, embedded, worded, ours, theirs)
        return TrialResult(
            current=ours.name,
            candidate=theirs.name,
            current_ability=None if ours.measured is None else ours.measured.ability,
            candidate_ability=measured.ability,
            texts=len(embedded),
            sampled=len(sample),
            current_per_second=round(ours.per_second, 1),
            candidate_per_second=round(theirs.per_second, 1),
            compared=compared,
        )

    async def _drawn(self, seed: int) -> tuple[list[Chunk], list[Known]]:
        """The sample and the questions about it."""
        index = self._tower.index
        listed = await index.read(trial_store.listed, self._project_id)
        order = trial_questions.drawn(listed, seed)
        sample = trial_questions.once(await index.read(chunk_store.read, order), order)
        if len(sample) < _LEAST_TEXTS:
            raise TooFewTexts(
                f"The project has {len(sample)} different texts with vectors; {_LEAST_TEXTS} are needed."
            )
        talks = sorted({c.parent_pk for c in sample if c.source_type == "message" and c.parent_pk})
        said = await index.read(trial_store.said, self._project_id, talks)
        subjects = await self._tower.db.read(trial_store.subjects, talks)
        return sample, await asyncio.to_thread(trial_questions.questions, sample, said, subjects, seed)

    async def _side(
        self, embedder: Embedder, sample: Sequence[Chunk], known: Sequence[Known], phase: Phase, until: float
    ) -> _Side:
        """Vectors of the sample, or of as much of it as the time allows, and of the questions."""
        import numpy as np

        clock, parts, done = self._tower.clock, [], 0
        began = clock.monotonic()
        while done < len(sample) and (done < _LEAST_TEXTS or clock.monotonic() - self._began < until):
            self._tell(phase, done, len(sample))
            some = [chunk.text for chunk in sample[done : done + _TEXTS_A_STEP]]
            parts.append((await embedder.embed_passages(some))[0])
            done += len(some)
        took = clock.monotonic() - began
        self._tell(phase, done, len(sample))
        asked = [await embedder.embed_query(question.text) for question in known]
        measured = embedder.folder.measured
        return _Side(
            embedder.model_id,
            () if measured is None else measured.ability.known,
            measured,
            np.concatenate(parts),
            np.array(asked).reshape(len(asked), parts[0].shape[1]),
            done / took if took > 0 else 0.0,
        )

    async def _by_words(self, known: Sequence[Known], inside: set[int]) -> list[list[int]]:
        """For each question the chunks of the sample that the product finds by words, the best first."""
        wanted = Filter(project_id=self._project_id)
        today = self._tower.clock.now().date()
        found = []
        for place, question in enumerate(known):
            meant = await asyncio.to_thread(lambda text: understand(text, today, lexicon()), question.text)
            hits = await self._tower.index.read(word_store.search, meant, wanted)
            ranked = [number for number in dict.fromkeys([*hits.exact, *hits.hits]) if number in inside]
            found.append([number for number in ranked if number not in question.excluded][:_DEPTH])
            if place % _TEXTS_A_STEP == 0:
                self._tell("comparing", place, len(known))
        return found


def _compared(
    known: Sequence[Known],
    sample: Sequence[Chunk],
    worded: Sequence[Sequence[int]],
    ours: _Side,
    theirs: _Side,
) -> list[Compared]:
    """The figures of both sides, over all questions, by language and by kind."""
    languages = {chunk.id: chunk.language for chunk in sample}
    ranks: list[tuple[Known, tuple[int | None, ...]]] = []
    vectors = [_nearest(side, sample, known) for side in (ours, theirs)]
    for place, question in enumerate(known):
        if not question.targets & languages.keys():
            continue
        lists = [list(worded[place]), *(near[place] for near in vectors)]
        lists += [
            ranking.fused(worded[place], near[place], question.language, languages, side.known)
            for side, near in zip((ours, theirs), vectors, strict=True)
        ]
        ranks.append((question, tuple(_rank(ranked, question) for ranked in lists)))
    slices = dict.fromkeys(["all", *sorted({q.way for q, _ in ranks}), *sorted({q.kind for q, _ in ranks})])
    return [
        _slice(name, [found for question, found in ranks if name in ("all", question.way, question.kind)])
        for name in slices
    ]


def _nearest(side: _Side, sample: Sequence[Chunk], known: Sequence[Known]) -> list[list[int]]:
    """For each question the nearest chunks of the sample."""
    import numpy as np

    near = side.questions @ side.texts[: len(sample)].T
    order = np.argsort(-near, axis=1, kind="stable")
    found = []
    for question, places in zip(known, order, strict=True):
        numbers = (sample[place].id for place in places.tolist())
        found.append([number for number in numbers if number not in question.excluded][:_DEPTH])
    return found


def _rank(ranked: Sequence[int], question: Known) -> int | None:
    return next((rank for rank, number in enumerate(ranked, 1) if number in question.targets), None)


def _slice(name: str, ranks: Sequence[tuple[int | None, ...]]) -> Compared:
    def score(side: int) -> Score:
        own = [found[side] for found in ranks]
        many = max(len(own), 1)
        return Score(
            round(sum(rank is not None and rank <= _FIRST for rank in own) / many, 4),
            round(sum(1 / rank for rank in own if rank is not None) / many, 4),
        )

    return Compared(
        slice=name,
        questions=len(ranks),
        words=score(0),
        current=score(1),
        candidate=score(2),
        current_fused=score(3),
        candidate_fused=score(4),
    )
