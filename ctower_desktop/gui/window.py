"""The main window: sidebar, top bar, notices, the page in front, and the first run in their place."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from PySide6.QtCore import QSize, QTimer
from PySide6.QtGui import QCloseEvent, QGuiApplication, QResizeEvent, QShowEvent
from PySide6.QtWidgets import (
    QApplication,
    QHBoxLayout,
    QMainWindow,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from ctower_desktop.gui import text, theme
from ctower_desktop.gui.appearance import Appearance
from ctower_desktop.gui.commands import Commands
from ctower_desktop.gui.feed import follow
from ctower_desktop.gui.feedback import ErrorBar, toast
from ctower_desktop.gui.firstrun import Beginning, FirstRun
from ctower_desktop.gui.firststeps import STEPS
from ctower_desktop.gui.keysheet import KeySheet
from ctower_desktop.gui.memory import WindowMemory
from ctower_desktop.gui.newproject import NewProjectDialog
from ctower_desktop.gui.notices import Notice
from ctower_desktop.gui.objects import named_things
from ctower_desktop.gui.outside import Outside
from ctower_desktop.gui.page import Page, WindowContext
from ctower_desktop.gui.pages import PAGES
from ctower_desktop.gui.pages.ask import AskPage
from ctower_desktop.gui.pagestack import MouseButtons, PageStack
from ctower_desktop.gui.palette import Palette
from ctower_desktop.gui.sidebar import Sidebar
from ctower_desktop.gui.sources import Sources, read_sources, sync_sources
from ctower_desktop.gui.tasks import start
from ctower_desktop.gui.text import tr
from ctower_desktop.gui.topbar import TopBar
from ctower_desktop.gui.travel import Place, Travels, parse_link
from ctower_desktop.gui.tray import Tray
from ctower_desktop.gui.watch import Watch
from ctower_desktop.gui.windowcommands import page_command, window_commands
from ctower_desktop.kernel.system import new_id
from ctower_desktop.kernel.tower import Desktop, ProjectRef, Tower, desktop
from ctower_desktop.projects.actions import list_projects
from ctower_desktop.projects.model import Project, ProjectsAnswer

_MINUTE = 30_000  # milliseconds between looks at what ages without changing
_FIRST_SIZE = QSize(1440, 900)


class MainWindow(QMainWindow):
    """Everything on screen. Closing it calls `quit_`; `put_away` is for the end of the program."""

    def __init__(self, tower: Tower, quit_: Callable[[], None], outside: Outside | None = None) -> None:
        super().__init__()
        self._tower, self._quit, self._outside = tower, quit_, outside or Outside()
        self._project: ProjectRef | None = None
        self._memory = WindowMemory(tower.home)
        self._travels = Travels()
        self._wanted = self._outside.link  # opened once the project is known
        self.first_run: FirstRun | None = None
        self._mouse = MouseButtons(
            self, lambda: self.commands.run("back"), lambda: self.commands.run("forward")
        )
        self._dress()
        self._build()
        tower.settings.changed.append(self._settings_changed)
        follow(self, tower, {"project"}, self._load_projects)
        follow(self, tower, {"connector_sync_state", "connection", "scheduled_job"}, self._load_sources)
        self._clock = QTimer(self)
        self._clock.setInterval(_MINUTE)
        self._clock.timeout.connect(self._load_sources)
        self._clock.start()
        self.watch = Watch(self, self.call, self.come)
        self._place_tray()
        self._restore()
        self._load_projects()
        self._load_sources()

    # -- what pages are given

    def call(self) -> Desktop:
        """A call of the person at the screen, in the chosen project."""
        return desktop(self._tower, new_id(), self._project)

    def _context(self) -> WindowContext:
        return WindowContext(
            tower=self._tower,
            call=self.call,
            commands=self.commands,
            toast=self._said,
            open_page=self.open_page,
            has_project=lambda: self._project is not None,
            visited=self.stack.visited,
            open_record=lambda kind, record: self.stack.go(Place("", kind, record)),
        )

    def _said(self, words: str, action: str = "", run: Callable[[], object] | None = None) -> None:
        toast(self, words, action, run)
        if not action:  # with something to take back the user has just done it
            self.watch.done(words)

    # -- building

    def _dress(self) -> None:
        self._look = look = self._tower.settings.get(Appearance)
        text.set_language(text.system_language() if look.language == "system" else look.language)
        app = QApplication.instance()
        assert isinstance(app, QApplication)
        theme.apply(app, look.theme, look.text_scale / 100)

    def _build(self) -> None:
        """Make everything anew: at the start, and when the language or the text size changes."""
        self.commands = Commands()
        self.setWindowTitle("Control Tower")
        self.sidebar, self.bar, self.error_bar = Sidebar(), TopBar(), ErrorBar()
        self.stack = PageStack(self.call, self._memory, self._travels, self._tower.clock.monotonic)
        self._whole = self._laid_out()
        self._front = QStackedWidget()
        self._front.addWidget(self._whole)
        self.setCentralWidget(self._front)
        things = named_things(self, self.call, self.stack.go, self._memory)
        self.palette_ = Palette(self._whole, self.commands, things)
        self.stack.shown.connect(self._shown)
        self.stack.moved.connect(self._show_way)
        self.bar.back_wanted.connect(self.go_back)
        self.bar.forward_wanted.connect(self.go_forward)
        self.bar.find_wanted.connect(self.open_palette)
        self.sidebar.page_chosen.connect(self.open_page)
        self.sidebar.project_chosen.connect(self.choose_project)
        self.sidebar.project_wanted.connect(self.new_project)
        self.sidebar.source_chosen.connect(self._open_source)
        self._add_pages()

    def _laid_out(self) -> QWidget:
        own = self._outside.own or _nothing
        self.sample_notice = Notice("tower", "info", tr("Begin with your own data"), own)
        if self._outside.own is not None:
            self.sample_notice.say(tr("These are sample data of an agency that never was."))
        self.offline = Notice("offline", "warning", tr("Try now"), self._try_sources)
        column = QVBoxLayout()
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.bar)
        for notice in (self.sample_notice, self.offline, self.error_bar):
            column.addWidget(notice)
        column.addWidget(self.stack, 1)
        outer = QHBoxLayout()
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(0)
        outer.addWidget(self.sidebar)
        outer.addLayout(column, 1)
        whole = QWidget()
        whole.setLayout(outer)
        return whole

    def _add_pages(self) -> None:
        context = self._context()
        self.commands.add(self, *window_commands(self))
        self.stack.made.connect(lambda name: self.commands.add(self, *self.stack.pages[name].commands()))
        for place, entry in enumerate(PAGES, 1):
            title = entry.title()
            self.stack.add(entry.id, partial(entry.build, context))
            self.sidebar.add_page(entry.id, entry.icon, title, apart=entry.apart)
            self.commands.add(self, page_command(place, entry.id, title, partial(self.open_page, entry.id)))

    # -- travelling

    @property
    def page(self) -> Page:
        """The page in front."""
        return self.stack.page

    def open_page(self, name: str) -> None:
        """Go to a page."""
        self.stack.open_page(name)

    def go_back(self) -> None:
        """Return to where one was."""
        self.stack.go_back()

    def go_forward(self) -> None:
        """Undo going back."""
        self.stack.go_forward()

    def open_link(self, link: str) -> None:
        """Go where a link leads, as soon as it is known which project is looked at."""
        place = parse_link(link)
        if place is None or not self.stack.knows(place):
            self.error_bar.show_error(tr("This link leads nowhere in the tower."))
        elif self._project is None:
            self._wanted = link
        else:
            self.stack.go(place)

    def come(self, place: Place | None = None) -> None:
        """Be in front of other windows, at a place."""
        if self.isMinimized() or not self.isVisible():
            self.showNormal()
        self.raise_()
        self.activateWindow()
        if place is not None and self.stack.knows(place) and not self.commands.asleep:
            self.stack.go(place)

    def copy_link(self) -> None:
        """The address of what is in front, for a note or a message."""
        QGuiApplication.clipboard().setText(self.stack.place.link)
        toast(self, tr("Copied."))

    def _shown(self, name: str) -> None:
        self.bar.show_page(self.page.title, self.page.actions_bar())
        self.sidebar.show_page(name)

    def _show_way(self) -> None:
        self.bar.show_way(back=self._travels.can_go_back, forward=self._travels.can_go_forward)

    def open_palette(self) -> None:
        """Find or do anything."""
        self.palette_.open()

    def show_keys(self) -> None:
        """Every key there is."""
        KeySheet(self, self.commands)

    # -- projects

    def choose_project(self, project_id: str) -> None:
        """Look at another project."""
        self._choose(project_id, _nothing)

    def _choose(self, project_id: str, then: Callable[[], None]) -> None:
        def known(answer: ProjectsAnswer) -> None:
            self._show_projects(answer)
            then()

        self._memory.keep("project", project_id)
        start(self, self._read_projects(), known)

    def new_project(self) -> None:
        """Ask for a name and open a project of that name."""
        NewProjectDialog(self, self.call, self.choose_project).open()

    def _load_projects(self) -> None:
        start(self, self._read_projects(), self._show_projects)

    async def _read_projects(self) -> ProjectsAnswer:
        return await list_projects(self.call())

    def _show_projects(self, answer: ProjectsAnswer) -> None:
        wanted = self._memory.text("project")
        found: Project | None = next((p for p in answer.projects if p.id == wanted), None)
        found = found or next(iter(answer.projects), None)
        before = self._project
        self._project = ProjectRef(found.id, found.name, found.account_scope_id) if found else None
        self.sidebar.show_projects([(p.id, p.name) for p in answer.projects], found.id if found else None)
        if self._project != before:
            if before is not None:
                self.stack.another_project()
            for page in self.stack.pages.values():
                page.project_changed()
            self._load_sources()
        step = self._memory.text("first_run")
        if self.first_run is None and (found is None or step):
            self._begin(int(step) if step.isdecimal() else 0)
        if self._wanted and found is not None:
            link, self._wanted = self._wanted, ""
            self.open_link(link)

    # -- the first run

    def _begin(self, step: int) -> None:
        given = Beginning(self._context(), self.set_look, self._choose, self._outside.sample)
        self.first_run = FirstRun(given, STEPS, step)
        self.first_run.stepped.connect(lambda place: self._memory.keep("first_run", str(place)))
        self.first_run.done.connect(self._begun)
        self._front.addWidget(self.first_run)
        self._front.setCurrentWidget(self.first_run)
        self.commands.asleep = True

    def _begun(self, question: str) -> None:
        self._memory.forget("first_run")
        self.commands.asleep = False
        if self.first_run is not None:
            self._front.removeWidget(self.first_run)
            self.first_run.deleteLater()
            self.first_run = None
        self._front.setCurrentWidget(self._whole)
        self.open_page("ask" if question else PAGES[0].id)
        if question and isinstance(self.page, AskPage):
            self.page.bar.ask(question)

    # -- the state of the sources

    def _load_sources(self) -> None:
        start(self, read_sources(self.call()), self._show_sources)

    def _show_sources(self, found: Sources) -> None:
        self.sidebar.show_sources(found.rows)
        self.sidebar.place.setText(found.place)
        self.watch.sources(found.rows)
        words = tr("No source can be reached. What was read before is here; it is tried again by itself.")
        self.offline.say(words if found.offline else "")

    def _open_source(self, _name: str, failed: bool) -> None:  # noqa: FBT001 - a slot takes what is emitted
        """A source that failed leads to its log, the others to their connection."""
        self.stack.page_of("system")  # its commands come with it
        self.commands.run("system.sync" if failed else "go.connectors")

    def _try_sources(self) -> None:
        start(self, sync_sources(self.call()), lambda _: self._load_sources())

    # -- looks, memory, the end

    def set_look(self, **values: object) -> None:
        """Change how the window looks or which language it speaks."""

        async def change() -> None:
            await self._tower.settings.change(Appearance, values)

        start(self, change())

    def _settings_changed(self, page: str) -> None:
        if page != "appearance":
            return
        before = self._look
        self._dress()
        if (before.language, before.text_scale) != (self._look.language, self._look.text_scale):
            self._rebuild()

    def _rebuild(self) -> None:
        """Words and sizes are others: everything anew, at the same place."""
        size, front = self.size(), self.stack.name
        step = self.first_run.place if self.first_run is not None else None
        self.first_run = None
        self.stack.remember()
        self.commands.clear()  # their keys belong to the window, which stays
        self._build()
        self._place_tray()
        self.resize(size)
        for page in self.stack.pages.values():
            page.project_changed()
        self.stack.show_page(front)
        self._show_way()
        if step is not None:
            self._begin(step)
        self._load_projects()
        self._load_sources()

    def _place_tray(self) -> None:
        if self.watch.tray is not None:
            self.watch.tray.put_away()
        self.watch.tray = Tray(self, self.come, self._try_sources, self.close)

    def _restore(self) -> None:
        if not self._memory.restore_window(self):
            self.resize(_FIRST_SIZE)
        name = self._memory.text("page")
        self.open_page(name if name in self.stack.names else PAGES[0].id)

    def showEvent(self, event: QShowEvent) -> None:
        """From now on the mouse's own back and forward buttons are heard."""
        super().showEvent(event)
        handle = self.windowHandle()
        if handle is not None:
            handle.installEventFilter(self._mouse)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """The palette does not outlive the size it was made for."""
        self.palette_.hide()
        super().resizeEvent(event)

    def closeEvent(self, event: QCloseEvent) -> None:
        """Closing the window ends the program."""
        self._remember()
        event.accept()
        self._quit()

    def _remember(self) -> None:
        self._memory.keep("page", self.stack.name)
        self.stack.remember()
        self._memory.keep_window(self)

    def put_away(self) -> None:
        """Let go of the tower; the program ends."""
        self._remember()
        self._clock.stop()
        self.watch.stop()
        if self._settings_changed in self._tower.settings.changed:
            self._tower.settings.changed.remove(self._settings_changed)
        self.hide()
        self.deleteLater()


def _nothing() -> None:
    """There is nothing outside."""
