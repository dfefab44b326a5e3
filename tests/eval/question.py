"""A question of the judge: what is asked, and which pieces of the corpus answer it.

A piece is named by its place in `resources/demo`: `conv:sev-launch#3` is a message, `issue:SEV-141` an issue,
`issue:SEV-141#0` a comment, `deal:d-sev-shop` a deal, `…/note#0` and `…/task#0` what hangs on it, and
`company:sever/note#1` a note on a company.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import msgspec

FOLDER = Path(__file__).parent / "questions"
Half = Literal["tune", "report"]
HALVES: tuple[Half, ...] = ("tune", "report")
KINDS = (
    "ru-ru",
    "en-en",
    "inflected",
    "paraphrase",
    "ru-en",
    "en-ru",
    "typos",
    "exact",
    "numbers",
    "time",
    "hops",
    "unanswerable",
    "injected",
)


class Question(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One question.

    `answers` are groups of pieces: any piece of a group counts as that group found, several groups are
    several hops. `facts` have to stand in the answer, `never` must not. With `notes`, private notes are
    asked for.
    """

    id: str
    project: Literal["sever", "tidewater", "yasen"]
    language: Literal["ru", "en"]
    kind: str
    story: str
    half: Half
    text: str
    answers: list[list[str]]
    expect: Literal["answer", "refuse"]
    facts: list[str] = []
    never: list[str] = []
    notes: bool = False


def load_questions(folder: Path = FOLDER) -> list[Question]:
    """All questions, in the order of the files and of their lines."""
    return [
        question
        for path in sorted(folder.glob("*.json"))
        for question in msgspec.json.decode(path.read_bytes(), type=list[Question])
    ]
