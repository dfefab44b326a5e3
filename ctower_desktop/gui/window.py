"""The main window: sidebar, top bar, error bar, and the page in front."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from PySide6.QtCore import QSettings, QSize, Qt, QTimer
from PySide6.QtGui import QCloseEvent, QResizeEvent
from PySide6.QtWidgets import (
    QApplication,
    QFrame,
    QHBoxLayout,
    QMainWindow,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from ctower_desktop.gui import text, theme
from ctower_desktop.gui.appearance import Appearance
from ctower_desktop.gui.commands import Command, Commands
from ctower_desktop.gui.feed import follow
from ctower_desktop.gui.feedback import ErrorBar, toast
from ctower_desktop.gui.newproject import NewProjectDialog
from ctower_desktop.gui.page import Page, WindowContext
from ctower_desktop.gui.pages import PAGES
from ctower_desktop.gui.palette import KeySheet, Palette
from ctower_desktop.gui.sidebar import Sidebar
from ctower_desktop.gui.sources import Sources, read_sources
from ctower_desktop.gui.tasks import start
from ctower_desktop.gui.text import tr
from ctower_desktop.gui.widgets import Button, Label, clear, row
from ctower_desktop.kernel.system import new_id
from ctower_desktop.kernel.tower import Desktop, ProjectRef, Tower, desktop
from ctower_desktop.projects.actions import list_projects
from ctower_desktop.projects.model import Project, ProjectsAnswer

_MINUTE = 30_000  # milliseconds between looks at what ages without changing
_FIRST_SIZE = QSize(1440, 900)


class MainWindow(QMainWindow):
    """Everything on screen. Closing it calls `quit_`; `put_away` is for the end of the program."""

    def __init__(self, tower: Tower, quit_: Callable[[], None]) -> None:
        super().__init__()
        self._tower, self._quit = tower, quit_
        self._project: ProjectRef | None = None
        self._memory = QSettings(str(tower.home.path / "window.ini"), QSettings.Format.IniFormat)
        self._pages: dict[str, Page] = {}
        self._page = ""
        self._dress()
        self._build()
        tower.settings.changed.append(self._settings_changed)
        follow(self, tower, {"project"}, self._load_projects)
        follow(self, tower, {"connector_sync_state", "connection", "scheduled_job"}, self._load_sources)
        self._clock = QTimer(self)
        self._clock.setInterval(_MINUTE)
        self._clock.timeout.connect(self._load_sources)
        self._clock.start()
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
            toast=lambda words, action="", run=None: toast(self, words, action, run),
            open_page=self.open_page,
            has_project=lambda: self._project is not None,
        )

    # -- building

    def _dress(self) -> None:
        look = self._tower.settings.get(Appearance)
        text.set_language(text.system_language() if look.language == "system" else look.language)
        app = QApplication.instance()
        assert isinstance(app, QApplication)
        theme.apply(app, look.theme, look.text_scale / 100)

    def _build(self) -> None:
        """Make everything anew: at the start, and when the language or the text size changes."""
        self.commands = Commands()
        self.setWindowTitle("Control Tower")
        self.sidebar = Sidebar()
        self.error_bar = ErrorBar()
        self._title = Label("", "title")
        self._title.setTextFormat(Qt.TextFormat.PlainText)
        self._page_buttons = QHBoxLayout()
        self._stack = QStackedWidget()
        column = QVBoxLayout()
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self._top_bar())
        notices = QVBoxLayout()
        notices.setContentsMargins(0, 0, 0, 0)
        notices.addWidget(self.error_bar)
        column.addLayout(notices)
        column.addWidget(self._stack, 1)
        outer = QHBoxLayout()
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(0)
        outer.addWidget(self.sidebar)
        outer.addLayout(column, 1)
        whole = QWidget()
        whole.setLayout(outer)
        self.setCentralWidget(whole)
        self.palette_ = Palette(whole, self.commands)
        self.sidebar.page_chosen.connect(self.open_page)
        self.sidebar.project_chosen.connect(self.choose_project)
        self.sidebar.project_wanted.connect(self.new_project)
        self.sidebar.sources_clicked.connect(lambda: self.open_page("connectors"))
        self._add_pages()
        self._add_commands()

    def _top_bar(self) -> QFrame:
        bar = QFrame()
        bar.setProperty("bar", True)
        bar.setFixedHeight(48)
        line = QHBoxLayout(bar)
        line.setContentsMargins(20, 0, 20, 0)
        line.setSpacing(12)
        find = Button(tr("Find or do…"))
        find.setProperty("find", True)
        find.setFixedWidth(300)
        hint = Label("Ctrl K", "caption", "text_3")
        hint.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        inside = row(0, hint)
        inside.setContentsMargins(0, 0, 12, 0)
        find.setLayout(inside)
        find.setFont(theme.font("body"))
        find.clicked.connect(lambda: self.palette_.open())
        line.addWidget(self._title)
        line.addStretch(1)
        line.addWidget(find)
        line.addLayout(self._page_buttons)
        return bar

    def _add_pages(self) -> None:
        self._pages = {}
        context = self._context()
        for entry in PAGES:
            page = entry.build(context)
            self._pages[entry.id] = page
            self._stack.addWidget(page)
            self.sidebar.add_page(entry.id, entry.icon, page.title, apart=entry.apart)

    def _add_commands(self) -> None:
        add = self.commands.add
        add(
            self,
            Command("palette", tr("Find or do…"), lambda: self.palette_.open(), "Ctrl+K"),
            Command("keys", tr("Show all keys"), lambda: KeySheet(self, self.commands), "?", "keys клавиши"),
            Command("project.new", tr("New project…"), self.new_project, "Ctrl+N", "project проект"),
            Command("quit", tr("Close the tower"), self.close, "Ctrl+Q", "quit exit выход"),
        )
        for place, (name, page) in enumerate(self._pages.items(), 1):
            title = tr("Go to: {page}", page=page.title)
            also = f"{name} {text.counterpart(page.title)}"
            go = Command(f"go.{name}", title, partial(self.open_page, name), f"Ctrl+{place}", also)
            add(self, go, *page.commands())
        themes = {
            "light": tr("Light colours"),
            "dark": tr("Dark colours"),
            "contrast": tr("High contrast"),
            "system": tr("Colours of the computer"),
        }
        for mode, title in themes.items():
            add(
                self,
                Command(f"theme.{mode}", title, partial(self._set, theme=mode), "", f"theme тема {mode}"),
            )
        for code, name in text.LANGUAGES.items():
            also = "language язык русский english"
            add(self, Command(f"language.{code}", name, partial(self._set, language=code), "", also))

    # -- pages and projects

    def open_page(self, name: str) -> None:
        """Bring a page to the front."""
        page = self._pages[name]
        self._page = name
        self._stack.setCurrentWidget(page)
        self._title.setText(page.title)
        clear(self._page_buttons)
        for button in page.actions_bar():
            self._page_buttons.addWidget(button)
        self.sidebar.show_page(name)
        page.activate()

    @property
    def page(self) -> Page:
        """The page in front."""
        return self._pages[self._page]

    def choose_project(self, project_id: str) -> None:
        """Look at another project."""
        self._memory.setValue("project", project_id)
        self._load_projects()

    def new_project(self) -> None:
        """Ask for a name and open a project of that name."""
        NewProjectDialog(self, self.call, self.choose_project).open()

    def _load_projects(self) -> None:
        start(self, self._read_projects(), self._show_projects)

    async def _read_projects(self) -> ProjectsAnswer:
        return await list_projects(self.call())

    def _show_projects(self, answer: ProjectsAnswer) -> None:
        wanted = str(self._memory.value("project", ""))
        found: Project | None = next((p for p in answer.projects if p.id == wanted), None)
        found = found or next(iter(answer.projects), None)
        before = self._project
        self._project = ProjectRef(found.id, found.name, found.account_scope_id) if found else None
        self.sidebar.show_projects([(p.id, p.name) for p in answer.projects], found.id if found else None)
        if self._project != before:
            for page in self._pages.values():
                page.project_changed()
            self._load_sources()

    # -- the state of the sources

    def _load_sources(self) -> None:
        start(self, read_sources(self.call()), self._show_sources)

    def _show_sources(self, found: Sources) -> None:
        self.sidebar.show_sources(found.rows)
        self.sidebar.place.setText(found.place)

    # -- looks, memory, the end

    def _set(self, **values: object) -> None:
        async def change() -> None:
            await self._tower.settings.change(Appearance, values)

        start(self, change())

    def _settings_changed(self, page: str) -> None:
        if page != "appearance":
            return
        size, front = self.size(), self._page
        self._dress()
        self._build()
        self.resize(size)
        for page_ in self._pages.values():
            page_.project_changed()
        self.open_page(front)
        self._load_projects()
        self._load_sources()

    def _restore(self) -> None:
        geometry = self._memory.value("geometry")
        if geometry is None or not self.restoreGeometry(geometry):
            self.resize(_FIRST_SIZE)
        name = str(self._memory.value("page", ""))
        self.open_page(name if name in self._pages else PAGES[0].id)

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
        self._memory.setValue("geometry", self.saveGeometry())
        self._memory.setValue("page", self._page)
        self._memory.sync()

    def put_away(self) -> None:
        """Let go of the tower; the program ends."""
        self._remember()
        self._clock.stop()
        if self._settings_changed in self._tower.settings.changed:
            self._tower.settings.changed.remove(self._settings_changed)
        self.hide()
        self.deleteLater()
