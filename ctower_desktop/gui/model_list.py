"""The embedding models in the settings: what each can do, taking one in, trying one on the own messages."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QFileDialog, QVBoxLayout, QWidget

from ctower_desktop.gui.feed import listen
from ctower_desktop.gui.feedback import ProgressRow, plain_words
from ctower_desktop.gui.model_dialog import CopyDialog
from ctower_desktop.gui.model_trial import TrialTable
from ctower_desktop.gui.page import WindowContext
from ctower_desktop.gui.tasks import start
from ctower_desktop.gui.text import number, size, tr
from ctower_desktop.gui.widgets import Badge, Button, Card, Label, LinkButton, clear, row
from ctower_desktop.kernel.errors import TowerError
from ctower_desktop.kernel.events import IndexProgress
from ctower_desktop.search.embedding_model import (
    AddModel,
    InstalledModel,
    ModelAnswer,
    ModelsAnswer,
    NewTrial,
    RemovedModel,
    Trial,
)
from ctower_desktop.search.installing import looked_at
from ctower_desktop.search.model_actions import (
    add_model,
    cancel_trial,
    list_models,
    read_trial,
    remove_model,
    start_trial,
    use_model,
)
from ctower_desktop.search.trial import TrialProgress

_REFRESH = 1_000  # milliseconds between looks while texts are embedded
_NAMES = {"ru": "русский", "en": "English", "ru-en": "ru→en", "en-ru": "en→ru"}


class ModelList(QWidget):
    """Every model on a card, and under them the trial that runs or ran last."""

    def __init__(self, context: WindowContext) -> None:
        super().__init__()
        self.context = context
        self.cards: dict[str, ModelCard] = {}
        self._trial_id = ""
        self.problem = Label("", "meta", "danger", wrap=True)
        self.problem.hide()
        self.busy = ProgressRow()
        self.busy.hide()
        self.trying = ProgressRow(cancel=self._cancel)
        self.trying.hide()
        self.outcome = TrialTable()
        self.outcome.hide()
        self.add = Button(tr("Add a model folder…"), icon="plus")
        self.add.clicked.connect(self.choose_folder)
        about = tr(
            "Vectors find texts by their meaning. A model that knows both languages finds Russian texts for "
            "English questions and the other way round."
        )
        self._place = QVBoxLayout()
        self._place.setSpacing(8)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 16, 0, 0)
        column.setSpacing(8)
        column.addWidget(Label(tr("Models for vectors"), "section"))
        column.addWidget(Label(about, "body", "text_2", wrap=True))
        column.addLayout(self._place)
        column.addLayout(row(self.add, 0))
        for part in (self.busy, self.problem, self.trying, self.outcome):
            column.addWidget(part)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_REFRESH)
        self._timer.timeout.connect(self.refresh)
        listen(self, context.tower, IndexProgress, lambda _: self._soon())
        listen(self, context.tower, TrialProgress, self._told)
        self.refresh()
        start(self, self._read_trial(), self._show_trial)

    def refresh(self) -> None:
        """Read the models again."""
        start(self, self._list(), self._show)

    def choose_folder(self) -> None:
        """Ask for a folder."""
        dialog = QFileDialog(self, tr("A folder with model.onnx and tokenizer.json"))
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.setOption(QFileDialog.Option.ShowDirsOnly)
        dialog.fileSelected.connect(self.offer)
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def offer(self, folder: str) -> None:
        """Look at a folder, then ask whether to copy what is in it."""
        self._say("")
        start(self, self._look(Path(folder)), lambda count: self._ask(folder, count), self._failed)

    def take(self, folder: str, *, in_place: bool) -> None:
        """Take the model of a folder in."""
        self._begin(tr("The model is being measured and taken in…"))
        start(self, self._add(folder, in_place=in_place), self._added, self._failed)

    def use(self, model_id: str) -> None:
        """Let a model answer."""
        self._begin(tr("Changing the model…"))
        start(self, self._use(model_id), self._added, self._failed)

    def remove(self, model_id: str) -> None:
        """Delete a model."""
        self._begin(tr("Removing the model…"))
        start(self, self._remove(model_id), lambda _: self._ended(), self._failed)

    def compare(self, model_id: str) -> None:
        """Try a model on the messages of the project."""
        self._say("")
        self.outcome.hide()
        self._trial_id = model_id
        start(self, self._start_trial(model_id), self._show_trial, self._failed)

    async def _list(self) -> ModelsAnswer:
        return await list_models(self.context.call())

    async def _look(self, folder: Path) -> int:
        return (await asyncio.to_thread(looked_at, folder)).size

    async def _add(self, folder: str, *, in_place: bool) -> ModelAnswer:
        return await add_model(self.context.call(), body=AddModel(folder=folder, in_place=in_place))

    async def _use(self, model_id: str) -> ModelAnswer:
        return await use_model(self.context.call(), model_id)

    async def _remove(self, model_id: str) -> RemovedModel:
        return await remove_model(self.context.call(), model_id)

    async def _start_trial(self, model_id: str) -> Trial:
        return await start_trial(self.context.call(), body=NewTrial(model_id=model_id))

    async def _read_trial(self) -> Trial:
        return await read_trial(self.context.call())

    async def _cancel_trial(self) -> Trial:
        return await cancel_trial(self.context.call())

    def _cancel(self) -> None:
        start(self, self._cancel_trial(), self._show_trial)

    def _ask(self, folder: str, count: int) -> None:
        dialog = CopyDialog(self, folder, count, lambda in_place: self.take(folder, in_place=in_place))
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def _show(self, answer: ModelsAnswer) -> None:
        clear(self._place)
        self.cards = {}
        for model in answer.models:
            card = ModelCard(model, self, can_compare=self.context.has_project())
            self.cards[model.id] = card
            self._place.addWidget(card)

    def _begin(self, words: str) -> None:
        self._say("")
        self.add.setEnabled(False)
        self.busy.show_progress(words, 0, None)
        self.busy.show()

    def _added(self, _: ModelAnswer) -> None:
        self.context.toast(tr("Texts are getting its vectors; until all have them, the one before answers."))
        self._ended()

    def _ended(self) -> None:
        self.add.setEnabled(True)
        self.busy.hide()
        self.refresh()

    def _failed(self, error: TowerError) -> None:
        self._ended()
        self._say(plain_words(error))

    def _say(self, words: str) -> None:
        self.problem.setText(words)
        self.problem.setVisible(bool(words))

    def _soon(self) -> None:
        if not self._timer.isActive():
            self._timer.start()

    def _told(self, event: TrialProgress) -> None:
        if event.state == "running":
            self.trying.show_progress(_phase(event.phase), event.done, event.total or None)
            self.trying.show()
        else:
            start(self, self._read_trial(), self._show_trial)

    def _show_trial(self, trial: Trial) -> None:
        running = trial.state == "running"
        self.trying.setVisible(running)
        if running:
            self.trying.show_progress(_phase(trial.phase), trial.done, trial.total or None)
        if trial.state == "failed":
            self._say(trial.problem or "")
        self.outcome.setVisible(trial.result is not None)
        if trial.result is not None:
            self.outcome.show_result(trial.result)


class ModelCard(Card):
    """One model: its name, state and abilities, and what can be done with it."""

    def __init__(self, model: InstalledModel, models: ModelList, *, can_compare: bool) -> None:
        super().__init__(margin=12, spacing=4)
        self.state = Badge(_state(model), _TOKENS[model.state])
        self.ability = Label(_can(model), "meta", "text_2", wrap=True)
        facts = [size(model.size)] if model.size else []
        facts += [model.licence] if model.licence else []
        facts += [model.folder] if model.in_place else []
        self.body.addLayout(row(Label(model.name, "label", wrap=True), 0, self.state))
        self.body.addWidget(self.ability)
        self.body.addWidget(Label(" · ".join(facts), "meta", "text_3", wrap=True))
        self.deeds: dict[str, LinkButton] = {}
        usable = model.state != "broken"
        if not model.chosen and usable:
            self._offer("use", tr("Use this model"), lambda: models.use(model.id))
        if usable and can_compare:
            self._offer("compare", tr("Compare on my messages"), lambda: models.compare(model.id))
        if not model.shipped and not model.chosen and model.state in ("idle", "broken"):
            self._offer("remove", tr("Remove this model"), lambda: models.remove(model.id))
        self.body.addLayout(row(*self.deeds.values(), 0))

    def _offer(self, name: str, words: str, run: Callable[[], None]) -> None:
        button = LinkButton(words)
        button.clicked.connect(lambda: run())
        self.deeds[name] = button


_TOKENS = {"serving": "success", "building": "text_2", "idle": "text_3", "broken": "danger"}


def _state(model: InstalledModel) -> str:
    if model.building is not None:
        done, total = number(model.building.done), number(model.building.total)
        return tr("getting ready: {done} of {total}", done=done, total=total)
    return {
        "serving": tr("answers now"),
        "building": tr("model getting ready"),
        "idle": tr("installed, not in use"),
        "broken": tr("this model cannot be used"),
    }[model.state]


def _can(model: InstalledModel) -> str:
    """The shares as a line, or why there are none."""
    if model.problem:
        return model.problem
    if model.ability is None:
        return tr("languages not measured yet")
    shares = model.ability.shares().items()
    line = " · ".join(f"{_NAMES[name]} {number(share, 2)}" for name, share in shares)
    return line if "ru" in model.known else f"{line}\n{tr('Russian is turned into English for this model.')}"


def _phase(phase: str | None) -> str:
    return {
        "reading": tr("Drawing messages"),
        "measuring": tr("Measuring the languages"),
        "candidate": tr("Vectors of the other model"),
        "current": tr("Vectors of the model in use"),
        "comparing": tr("Comparing the models"),
    }.get(phase or "", tr("Drawing messages"))
