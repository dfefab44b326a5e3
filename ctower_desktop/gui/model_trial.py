"""What a trial of a model on the own messages showed, as a table."""

from __future__ import annotations

from PySide6.QtWidgets import QGridLayout

from ctower_desktop.gui.text import number, tr, trn
from ctower_desktop.gui.widgets import Card, Label
from ctower_desktop.search.embedding_model import Compared, Score, TrialResult


class TrialTable(Card):
    """The share of questions with the right text among the first five, by language and kind of question."""

    def __init__(self) -> None:
        super().__init__(margin=12, spacing=8)
        self.summary = Label("", "body", wrap=True)
        self.cells: list[list[str]] = []
        self._grid = QGridLayout()
        self._grid.setHorizontalSpacing(16)
        self._grid.setVerticalSpacing(4)
        self._grid.setColumnStretch(0, 3)
        for place in range(1, 7):
            self._grid.setColumnStretch(place, 1)
        self.body.addWidget(self.summary)
        self.body.addLayout(self._grid)
        about = tr(
            "The share of questions whose text is among the first five, and under it the mean of 1/place. "
            "The questions are made from the texts themselves."
        )
        self.body.addWidget(Label(about, "meta", "text_3", wrap=True))

    def show_result(self, result: TrialResult) -> None:
        """Show the figures of a trial."""
        every = result.compared[0]
        gain = every.candidate.recall_at_5 - every.current.recall_at_5
        self.summary.setText(
            tr(
                "{candidate} instead of {current}: {gain} by vectors alone, on {texts}.",
                candidate=result.candidate,
                current=result.current,
                gain=_gain(gain),
                texts=trn("{n} of your texts", "{n} of your texts", result.texts),
            )
        )
        heads = [
            "",
            tr("asked"),
            tr("words alone"),
            tr("now"),
            tr("new model"),
            tr("now + words"),
            tr("new + words"),
        ]
        self.cells = [heads, *(line for row in result.compared for line in _lines(row))]
        while (item := self._grid.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.hide()
                widget.deleteLater()
        for line, cells in enumerate(self.cells):
            for place, cell in enumerate(cells):
                token = "text_1" if line % 2 else "text_3"  # heads and means are the quieter lines
                words = place == 0 or line == 0
                self._grid.addWidget(Label(cell, "meta", token, wrap=words), line, place)


def _lines(row: Compared) -> list[list[str]]:
    """The shares of a row, and under them the means."""
    scores: tuple[Score, ...] = (
        row.words,
        row.current,
        row.candidate,
        row.current_fused,
        row.candidate_fused,
    )
    return [
        [_named(row.slice), number(row.questions), *(number(score.recall_at_5, 2) for score in scores)],
        [tr("mean of 1/place"), "", *(number(score.mrr, 2) for score in scores)],
    ]


def _gain(gain: float) -> str:
    return f"{'+' if gain >= 0 else '−'}{number(abs(gain), 2)}"


def _named(name: str) -> str:
    return {
        "all": tr("all questions"),
        "ru": tr("in Russian"),
        "en": tr("in English"),
        "ru-en": tr("Russian → English"),
        "en-ru": tr("English → Russian"),
        "part": tr("part of a text"),
        "reply": tr("question and reply"),
        "heading": tr("heading and text"),
    }.get(name, name)
