"""The answer: its words with citations as links, how far it can be trusted, and what one can do with it."""

from __future__ import annotations

import html
import re
from typing import Literal

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QSizePolicy, QVBoxLayout, QWidget

from ctower_desktop.gui import theme
from ctower_desktop.gui.text import number, tr, trn
from ctower_desktop.gui.widgets import IconButton, Label, row
from ctower_desktop.search.asking import EXTRACT
from ctower_desktop.search.confidence import ENOUGH
from ctower_desktop.search.model import LightragAnswer

Level = Literal["high", "fair", "thin", "none"]

_CITATION = re.compile(r"\s?\[(\d{1,3}(?:\s?[,;]\s?\d{1,3})*)\]")
_NUMBER = re.compile(r"\d{1,3}")
_LONG_WORD = re.compile(r"\S{30}(?=\S)")
_BREAK = "\u200b"
_LINK = "cite:"
_LINE_HEIGHT = 28  # pixels at 100 %
_HIGH = 0.6  # confidence
_TOKENS: dict[Level, str] = {"high": "success", "fair": "info", "thin": "warning", "none": "warning"}


def level_of(answer: LightragAnswer) -> Level:
    """How sure it is that the evidence holds the answer."""
    if not answer.evidence:
        return "none"
    if answer.confidence < ENOUGH:
        return "thin"
    return "high" if answer.confidence >= _HIGH and answer.quality_score >= 50 else "fair"


def marked_up(text: str, color: str, height: int) -> str:
    """The answer as rich text: every character escaped, citations the only tags inside."""
    pieces, end = [], 0
    for found in _CITATION.finditer(text):
        pieces.append(_escaped(text[end : found.start()]))
        links = (
            f'<a href="{_LINK}{n}" style="color:{color};text-decoration:none">{n}</a>'
            for n in _NUMBER.findall(found[1])
        )
        pieces.append(f'<sup style="font-size:small">&nbsp;{"&nbsp;".join(links)}</sup>')
        end = found.end()
    pieces.append(_escaped(text[end:]))
    return f'<p style="line-height:{height}px;margin:0">{"".join(pieces)}</p>'


def _escaped(text: str) -> str:
    """Harmless, with places to break in words that are too long for a line."""
    broken = _LONG_WORD.sub(lambda found: found[0] + _BREAK, text)
    return html.escape(broken).replace("\n", "<br>")


def as_plain_text(answer: LightragAnswer, sources: list[str]) -> str:
    """The answer to paste elsewhere, with the sources its numbers stand for."""
    lines = [answer.answer.strip()]
    if sources:
        lines += ["", *(f"[{place}] {source}" for place, source in enumerate(sources, 1))]
    return "\n".join(lines)


class AnswerView(QWidget):
    """Grows while the answer is written; afterwards it can be judged and copied."""

    cited = Signal(int)
    rated = Signal(int)
    copied = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._text = ""
        self.words = Label("", "answer", wrap=True)
        self.words.setTextFormat(Qt.TextFormat.RichText)  # built by marked_up, which escapes everything
        self.words.setTextInteractionFlags(
            Qt.TextInteractionFlag.LinksAccessibleByMouse
            | Qt.TextInteractionFlag.LinksAccessibleByKeyboard
            | Qt.TextInteractionFlag.TextSelectableByMouse
        )
        self.words.setOpenExternalLinks(False)
        self.words.linkActivated.connect(self._activated)
        self.words.setAccessibleName(tr("Answer"))
        self.words.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Minimum)
        self._verdict_name = Label(tr("Enough evidence:"), "meta", "text_2")
        self._verdict = Label("", "meta", "text_2")
        self._facts = Label("", "meta", "text_2", wrap=True)
        self._useful = IconButton("thumb-up", tr("A good answer"), checkable=True)
        self._useless = IconButton("thumb-down", tr("Not what I asked"), checkable=True)
        self._copy = IconButton("copy", tr("Copy the answer with its sources"))
        self._useful.clicked.connect(lambda: self._rate(1))
        self._useless.clicked.connect(lambda: self._rate(-1))
        self._copy.clicked.connect(self.copied)
        self._tools = QWidget()
        tools = row(self._verdict_name, self._verdict, spacing=6)
        tools.addWidget(self._facts, 1)
        for button in (self._useful, self._useless, self._copy):
            tools.addWidget(button)
        self._tools.setLayout(tools)
        self._problem = Label("", "meta", "warning", wrap=True)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        for part in (self.words, self._problem, self._tools):
            column.addWidget(part)
        theme.signals().changed.connect(self._draw)
        self.begin()

    @property
    def text(self) -> str:
        """What is written so far."""
        return self._text

    def begin(self) -> None:
        """A new answer begins."""
        self._text = ""
        self._tools.hide()
        self._problem.hide()
        self._useful.setChecked(False)
        self._useless.setChecked(False)
        self._draw()

    def add(self, piece: str) -> None:
        """The next words."""
        self._text += piece
        self._draw()

    def finish(self, answer: LightragAnswer, problem: str | None) -> None:
        """The whole answer, and what can be said of it."""
        self._text = answer.answer
        self._draw()
        level = level_of(answer)
        names: dict[Level, str] = {
            "high": tr("high"),
            "fair": tr("fair"),
            "thin": tr("low"),
            "none": tr("nothing found"),
        }
        self._verdict.setText(names[level])
        self._verdict.set_token(_TOKENS[level])
        written = tr("without a language model")
        if answer.answered_by != EXTRACT:
            written = tr("written by {model}", model=answer.answered_by)
        facts = (
            "",
            trn("{n} source", "{n} sources", len(answer.evidence)),
            tr("{n} ms", n=number(answer.duration_ms)),
            written,
        )
        self._facts.setText(" · ".join(facts).strip())
        self._tools.show()
        self._problem.setText(problem or "")
        self._problem.setVisible(bool(self._problem.text()))

    def _draw(self) -> None:
        height = round(_LINE_HEIGHT * theme.scale())
        self.words.setText(marked_up(self._text.strip(), theme.current().accent_text, height))
        self.words.setVisible(bool(self._text.strip()))

    def _activated(self, link: str) -> None:
        if link.startswith(_LINK) and link.removeprefix(_LINK).isdigit():
            self.cited.emit(int(link.removeprefix(_LINK)))

    def _rate(self, rating: int) -> None:
        chosen, other = (self._useful, self._useless) if rating > 0 else (self._useless, self._useful)
        other.setChecked(False)
        self.rated.emit(rating if chosen.isChecked() else 0)
