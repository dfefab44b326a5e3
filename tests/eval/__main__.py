"""`python -m tests.eval`: ask every question, print how well each stage of the search found the evidence.

Ends with 1 when a figure of the report half is worse than the committed one; `--write` renews those.
`--half` and `--kind` ask only some of the questions, `--misses` tells what went wrong on the tuning half.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path

import msgspec

from tests.eval.home import judged_home
from tests.eval.question import HALVES, KINDS, Question, load_questions
from tests.eval.stages import Outcome, outcome_of
from tests.eval.table import Figures, drops, figures_of, misses, shown

FIGURES = Path(__file__).parent / "figures.json"


async def judge(questions: list[Question]) -> list[Outcome]:
    """Every question in a fresh home, one after the other."""
    with tempfile.TemporaryDirectory() as folder:
        async with judged_home(Path(folder)) as judged:
            return [await outcome_of(judged, question) for question in questions]


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.eval", description=__doc__)
    parser.add_argument("--half", choices=HALVES, help="only the questions of one half")
    parser.add_argument("--kind", choices=KINDS, help="only the questions of one kind")
    parser.add_argument("--misses", action="store_true", help="tell what went wrong on the tuning half")
    parser.add_argument("--write", action="store_true", help="renew the committed figures")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the figures of this run there")
    given = parser.parse_args()
    if given.write and (given.half or given.kind):
        parser.error("--write needs all questions")
    return given


def main() -> int:
    given = arguments()
    questions = [
        question
        for question in load_questions()
        if given.half in {None, question.half} and given.kind in {None, question.kind}
    ]
    outcomes = asyncio.run(judge(questions))
    figures = figures_of(outcomes, whole=given.kind is None)
    print(shown(figures))
    if given.misses:
        print(f"\nmisses of the tuning half\n\n{misses(outcomes) or 'none'}")
    if given.json is not None:
        given.json.write_bytes(_encoded(figures))
    if given.write:
        FIGURES.write_bytes(_encoded(figures))
        return 0
    if not FIGURES.is_file():
        print(f"\n{FIGURES.name} is not there yet: --write makes it")
        return 1
    worse = drops(msgspec.json.decode(FIGURES.read_bytes(), type=Figures), figures)
    print("\n".join(["", "worse than the committed figures of the report half:", *worse]) if worse else "")
    return 1 if worse else 0


def _encoded(figures: Figures) -> bytes:
    return msgspec.json.format(msgspec.json.encode(figures), indent=1) + b"\n"


if __name__ == "__main__":
    sys.exit(main())
