"""The five steps of the first run: looks, project, sources, model, first question."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from functools import partial

from PySide6.QtWidgets import QButtonGroup, QLineEdit, QStackedWidget

from ctower_desktop.connectors.actions import sync_connector
from ctower_desktop.connectors.answers import Overview
from ctower_desktop.connectors.connecting import list_connections
from ctower_desktop.connectors.contract import CONNECTORS
from ctower_desktop.connectors.syncing import SyncFailed
from ctower_desktop.gui import text
from ctower_desktop.gui.appearance import SCALES, Appearance
from ctower_desktop.gui.connect import ConnectForm
from ctower_desktop.gui.connection import code_of, state_of, stream_words, what_happened, what_it_is
from ctower_desktop.gui.feed import follow, listen
from ctower_desktop.gui.feedback import ProgressRow, plain_words
from ctower_desktop.gui.firstrun import Beginning, Step
from ctower_desktop.gui.flow import FlowLayout
from ctower_desktop.gui.model_list import ModelList
from ctower_desktop.gui.tasks import start
from ctower_desktop.gui.text import number, tr
from ctower_desktop.gui.widgets import (
    Button,
    Card,
    Label,
    LinkButton,
    PrimaryButton,
    SearchField,
    StatusDot,
    ToggleChip,
    row,
)
from ctower_desktop.kernel.check import check
from ctower_desktop.kernel.errors import Invalid, TowerError
from ctower_desktop.kernel.events import SyncProgress
from ctower_desktop.kernel.tower import Desktop
from ctower_desktop.projects.actions import create_project
from ctower_desktop.projects.model import NewProject, ProjectAnswer


class LookStep(Step):
    """Language, colours, size of the text; or straight into sample data."""

    def __init__(self, given: Beginning) -> None:
        super().__init__(given)
        look = given.context.tower.settings.get(Appearance)
        about = tr(
            "It reads your clients' conversations, sales and work onto this computer and tells you what "
            "needs you. Nothing leaves the computer unless you connect it."
        )
        self.column.addWidget(Label(tr("Welcome to the tower"), "page", wrap=True))
        self.column.addWidget(Label(about, "body", "text_2", wrap=True))
        self.chips: dict[str, ToggleChip] = {}
        themes = {
            "system": tr("As the computer"),
            "light": tr("Light"),
            "dark": tr("Dark"),
            "contrast": tr("High contrast"),
        }
        sizes = {str(scale): tr("{percent} %", percent=number(scale)) for scale in SCALES}
        languages = {str(code): name for code, name in text.LANGUAGES.items()}
        self._choice(tr("Language"), "language", languages, text.language())
        self._choice(tr("Colours"), "theme", themes, look.theme)
        self._choice(tr("Text size"), "text_scale", sizes, str(look.text_scale))
        self.sample: Button | None = None
        if given.sample is not None:
            self._offer_sample(given.sample)

    @property
    def title(self) -> str:
        """What is done here."""
        return tr("Language and looks")

    def enter(self) -> None:
        """The language is the first thing to choose."""
        self.chips[f"language.{text.language()}"].setFocus()

    def _choice(self, name: str, field: str, values: dict[str, str], chosen: str) -> None:
        group = QButtonGroup(self)
        chips = []
        for value, words in values.items():
            chip = ToggleChip(words, checked=value == chosen)
            chip.setAccessibleName(tr("{name}: {value}", name=name, value=words))
            chip.clicked.connect(partial(self._chosen, field, value))
            group.addButton(chip)
            self.chips[f"{field}.{value}"] = chip
            chips.append(chip)
        self.column.addWidget(Label(name, "label"))
        self.column.addLayout(FlowLayout(*chips))

    def _chosen(self, field: str, value: str) -> None:
        self.given.look(**{field: int(value) if field == "text_scale" else value})

    def _offer_sample(self, sample: Callable[[], None]) -> None:
        card = Card()
        about = tr(
            "An agency that never was, with three clients, their conversations, deals and issues. "
            "Your own data are not touched."
        )
        self.sample = Button(tr("Try it with sample data"), icon="tower")
        self.sample.clicked.connect(lambda: sample())
        card.body.addWidget(Label(tr("Just looking?"), "label"))
        card.body.addWidget(Label(about, "meta", "text_2", wrap=True))
        card.body.addLayout(row(self.sample, 0))
        self.column.addSpacing(8)
        self.column.addWidget(card)


class NameStep(Step):
    """A project of that name is opened when the user goes on."""

    def __init__(self, given: Beginning) -> None:
        super().__init__(given)
        about = tr("One project is one client of yours. More can be opened at any time.")
        self.column.addWidget(Label(tr("What is the project called?"), "page", wrap=True))
        self.column.addWidget(Label(about, "body", "text_2", wrap=True))
        self.field = QLineEdit()
        self.field.setAccessibleName(tr("Name of the project"))
        self.field.setPlaceholderText(tr("For example the name of the client"))
        self.field.setMaxLength(160)
        self.field.returnPressed.connect(self.proceed)
        self.problem = Label("", "meta", "danger", wrap=True)
        self.problem.hide()
        self.column.addWidget(self.field)
        self.column.addWidget(self.problem)
        self._creating = False

    @property
    def title(self) -> str:
        """What is done here."""
        return tr("First project")

    def enter(self) -> None:
        """A project that is there already keeps its name."""
        if self.given.context.has_project():
            self.field.setText(self.given.context.call().project_ref.name)
            self.field.setReadOnly(True)
        self.field.setFocus()

    def proceed(self) -> None:
        """Open the project, once."""
        if self.given.context.has_project():
            self.ready.emit()
            return
        if self._creating:  # a second Enter does not open a second project
            return
        try:
            wanted = check({"name": self.field.text().strip()}, NewProject)
        except Invalid:
            self._say(tr("A name has at least two letters."))
            return
        self._say("")
        self._creating = True
        start(self, self._create(wanted), self._created, self._failed)

    async def _create(self, wanted: NewProject) -> ProjectAnswer:
        return await create_project(self.given.context.call(), wanted)

    def _created(self, answer: ProjectAnswer) -> None:
        self.given.project_made(answer.project.id, self.ready.emit)

    def _failed(self, error: TowerError) -> None:
        self._creating = False
        self._say(plain_words(error))

    def _say(self, words: str) -> None:
        self.problem.setText(words)
        self.problem.setVisible(bool(words))


class SourcesStep(Step):
    """Chatwoot, Linear, Attio: each is tried with the vendor before it is kept; each may be left out."""

    def __init__(self, given: Beginning) -> None:
        super().__init__(given)
        about = tr("Connect what you have now; the rest can be connected later. Every key is tried at once.")
        self.column.addWidget(Label(tr("Where your data come from"), "page", wrap=True))
        self.column.addWidget(Label(about, "body", "text_2", wrap=True))
        self.chips: dict[str, ToggleChip] = {}
        self.forms: dict[str, ConnectForm] = {}
        self._connected: set[str] = set()
        self._about = Label("", "meta", "text_2", wrap=True)
        self._stack = QStackedWidget()
        group = QButtonGroup(self)
        for name, vendor in CONNECTORS.items():
            chip = ToggleChip(vendor.title)
            chip.clicked.connect(partial(self.choose, name))
            group.addButton(chip)
            self.chips[name] = chip
        self.column.addLayout(FlowLayout(*self.chips.values()))
        self.column.addWidget(self._about)
        self.column.addWidget(self._stack)
        self._chosen = next(iter(CONNECTORS))

    @property
    def title(self) -> str:
        """What is done here."""
        return tr("Sources")

    @property
    def next_words(self) -> str:
        """Going on without a source is leaving the step out."""
        return tr("Next") if self._connected else tr("Skip for now")

    def enter(self) -> None:
        """What is connected is marked; the first that is not has its form in front."""
        settings = self.given.context.tower.settings
        for name, vendor in CONNECTORS.items():
            if vendor.missing_setting(settings.get(vendor.settings)) is None:
                self._mark(name)
        self.choose(next((name for name in CONNECTORS if name not in self._connected), self._chosen))

    def choose(self, name: str) -> None:
        """Bring the form of a vendor to the front."""
        self._chosen = name
        if name not in self.forms:
            form = self.forms[name] = ConnectForm(self.given.context.call, name)
            form.connected.connect(lambda account: self._done(name, account))
            self._stack.addWidget(form)
        self._stack.setCurrentWidget(self.forms[name])
        self.chips[name].setChecked(True)
        self._about.setText(what_it_is(name))
        self.forms[name].form.editor("base_url").setFocus()

    def proceed(self) -> None:
        """Go on; what is still being asked is asked no more."""
        for form in self.forms.values():
            form.stop()
        self.ready.emit()

    def _done(self, name: str, account: str) -> None:
        self._mark(name)
        title = CONNECTORS[name].title
        self.given.context.toast(tr("{vendor} is connected: {account}", vendor=title, account=account))
        call = self.given.context.call()
        # the window is the owner: reading goes on when this step is gone, and the last step shows how it is
        start(self.window(), _sync(call, name))
        following = [other for other in CONNECTORS if other not in self._connected]
        if following:
            self.choose(following[0])

    def _mark(self, name: str) -> None:
        self._connected.add(name)
        words = tr("{vendor}: connected", vendor=CONNECTORS[name].title)
        self.chips[name].setText(words)
        self.chips[name].setAccessibleName(words)
        self.worded.emit()


class ModelStep(Step):
    """The model that is there, what it can do, and another one from a folder."""

    def __init__(self, given: Beginning) -> None:
        super().__init__(given)
        about = tr("It works on this computer. One is there already; a better one can be added at any time.")
        self.column.addWidget(Label(tr("How texts are understood"), "page", wrap=True))
        self.column.addWidget(Label(about, "body", "text_2", wrap=True))
        self.models: ModelList | None = None

    @property
    def title(self) -> str:
        """What is done here."""
        return tr("Model")

    def enter(self) -> None:
        """Read what models there are when it is time."""
        if self.models is None:
            self.models = ModelList(self.given.context)
            self.column.addWidget(self.models)
        else:
            self.models.refresh()
        self.models.add.setFocus()


class QuestionStep(Step):
    """The first sync at work, and the first question."""

    def __init__(self, given: Beginning) -> None:
        super().__init__(given)
        self.heading = Label(tr("Everything is ready"), "page", wrap=True)
        self.note = Label("", "body", "text_2", wrap=True)
        self.column.addWidget(self.heading)
        self.column.addWidget(self.note)
        self.lines = {name: _SourceLine(vendor.title) for name, vendor in CONNECTORS.items()}
        for line in self.lines.values():
            line.hide()
            self.column.addWidget(line)
        self.field = SearchField(tr("Ask about the project…"), large=True)
        self.ask = PrimaryButton(tr("Ask"))
        self.ask.clicked.connect(self._ask)
        self.field.returnPressed.connect(self._ask)
        self.column.addSpacing(8)
        self.column.addWidget(Label(tr("Ask the first question"), "label"))
        self.column.addLayout(row(self.field, self.ask))
        self.suggestions = [
            LinkButton(words)
            for words in (
                tr("What is waiting for an answer?"),
                tr("What is late and why?"),
                tr("What did we promise this month?"),
            )
        ]
        for one in self.suggestions:
            one.clicked.connect(partial(self.field.setText, one.text()))
            one.clicked.connect(self.field.setFocus)
        self.column.addLayout(FlowLayout(*self.suggestions))
        tower = given.context.tower
        follow(self, tower, {"connector_sync_state", "connection"}, self._refresh)
        listen(self, tower, SyncProgress, self._progress)

    @property
    def title(self) -> str:
        """What is done here."""
        return tr("First question")

    @property
    def next_words(self) -> str:
        """This is the last one."""
        return tr("Open the tower")

    def enter(self) -> None:
        """Show how the first sync is, and ask."""
        self._refresh()
        self.field.setFocus()

    def _refresh(self) -> None:
        if self.given.context.has_project():
            start(self, self._read(), self._show)

    async def _read(self) -> list[Overview]:
        return (await list_connections(self.given.context.call())).connections

    def _show(self, found: list[Overview]) -> None:
        there = [one for one in found if one.configured and one.connector in self.lines]
        for one in there:
            self.lines[one.connector].show_overview(one)
        words = (
            tr("Your sources are being read. The first answers come while the rest is still on its way.")
            if there
            else tr(
                "Nothing is connected yet. Answers come once a source is; Connectors is the place for it."
            )
        )
        self.note.setText(words)

    def _progress(self, event: SyncProgress) -> None:
        if event.connector in self.lines:
            self.lines[event.connector].show_progress(event)

    def _ask(self) -> None:
        question = self.field.text().strip()
        if question:
            self.asked.emit(question)


class _SourceLine(Card):
    """One source while it is read for the first time."""

    def __init__(self, title: str) -> None:
        super().__init__(margin=12, spacing=4)
        self._title = title
        self.dot = StatusDot("text_3", "")
        self.state = Label("", "meta", "text_2", wrap=True)
        self.progress = ProgressRow()
        self.progress.hide()
        head = row(self.dot, Label(title, "label"))
        head.addWidget(self.state, 1)
        self.body.addLayout(head)
        self.body.addWidget(self.progress)

    def show_overview(self, one: Overview) -> None:
        """How the source does now."""
        words, color = state_of(one)
        if one.status == "failed" and one.last_error:
            words = what_happened(code_of(one.last_error), self._title)
        self.dot.set_state(color, words)
        self.state.setText(words)
        self.progress.setVisible(one.status == "running")
        self.show()

    def show_progress(self, event: SyncProgress) -> None:
        """How far it is read."""
        words = tr("Reading {what}", what=stream_words(event.phase))
        self.progress.show_progress(words, event.done, event.total)
        self.progress.show()
        self.show()


async def _sync(call: Desktop, name: str) -> None:
    """Read a source; a failure stands on its line, with its reason, and is tried again by itself."""
    with contextlib.suppress(SyncFailed):
        await sync_connector(call, name)


STEPS: tuple[type[Step], ...] = (LookStep, NameStep, SourcesStep, ModelStep, QuestionStep)
