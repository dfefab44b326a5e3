"""The left edge: which project, which page, and how fresh every source is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from PySide6.QtCore import QPoint, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QAction, QPainter, QPaintEvent
from PySide6.QtWidgets import QAbstractButton, QFrame, QMenu, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from ctower_desktop.gui import icons, theme
from ctower_desktop.gui.text import tr
from ctower_desktop.gui.widgets import Label, StatusDot, clear, row


@dataclass(frozen=True)
class Source:
    """The state of one source as the sidebar shows it."""

    id: str
    name: str
    token: str  # colour of the dot
    words: str  # "2 min ago", "will be retried"
    following: str = ""  # "next in 8 min"
    failed: bool = False  # its log says why


class NavButton(QAbstractButton):
    """One page in the list: icon, name, and how many things wait there."""

    def __init__(self, icon: str, title: str) -> None:
        super().__init__()
        self._icon, self._count = icon, 0
        self.setText(title)
        self.setAccessibleName(title)
        self.setCheckable(True)
        self.setAutoExclusive(True)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        theme.signals().changed.connect(self.update)

    def set_count(self, count: int) -> None:
        """Show how many things wait there; 0 shows nothing."""
        self._count = count
        self.setAccessibleDescription(str(count) if count else "")
        self.update()

    def sizeHint(self) -> QSize:
        """A row of the list."""
        return QSize(theme.SIDEBAR - 16, theme.ROW)

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Ground, icon, words, count; the focus ring for the keyboard."""
        colors, on = theme.current(), self.isChecked()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        area = QRectF(self.rect())
        if on or self.underMouse():
            painter.setBrush(colors.color("selected" if on else "hover"))
            painter.drawRoundedRect(area, 6, 6)
        painter.drawPixmap(
            8, (self.height() - 16) // 2, icons.pixmap(self._icon, "accent_text" if on else "text_2")
        )
        painter.setFont(theme.font("label" if on else "body"))
        painter.setPen(colors.color("accent_text" if on else "text_1"))
        words = self.rect().adjusted(34, 0, -36, 0)
        painter.drawText(words, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, self.text())
        if self._count:
            painter.setFont(theme.font("meta"))
            painter.setPen(colors.color("text_2"))
            place = self.rect().adjusted(0, 0, -10, 0)
            painter.drawText(
                place, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight, str(self._count)
            )
        if self.hasFocus():
            pen = painter.pen()
            pen.setColor(colors.color("focus"))
            pen.setWidth(2)
            painter.setPen(pen)
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(area.adjusted(1, 1, -1, -1), 6, 6)


class Sidebar(QFrame):
    """The list of pages between the project switcher and the state of the sources."""

    page_chosen = Signal(str)
    project_chosen = Signal(str)
    project_wanted = Signal()
    source_chosen = Signal(str, bool)  # which source, and whether it failed

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("sidebar", True)
        self.setFixedWidth(theme.SIDEBAR)
        self.setAccessibleName(tr("Navigation"))
        self._buttons: dict[str, NavButton] = {}
        self._projects: list[tuple[str, str]] = []
        self._told: list[Source] = []
        self.rows: list[_SourceRow] = []
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 12, 8, 12)
        column.setSpacing(0)
        self.switcher = _Switcher()
        self.switcher.clicked.connect(self._choose_project)
        column.addWidget(self.switcher)
        column.addSpacing(12)
        self._pages = QVBoxLayout()
        self._pages.setSpacing(0)
        column.addLayout(self._pages)
        column.addStretch(1)
        self._line = QFrame()
        self._line.setFixedHeight(1)
        self._line.setProperty("rule", True)
        column.addWidget(self._line)
        column.addSpacing(8)
        self._sources = QVBoxLayout()
        self._sources.setSpacing(6)
        column.addLayout(self._sources)
        self.following = Label("", "meta", "text_3", wrap=True)
        self.following.setContentsMargins(24, 4, 8, 0)
        self.following.hide()
        column.addWidget(self.following)
        self.place = Label("", "meta", "text_2", wrap=True)
        self.place.setContentsMargins(8, 8, 8, 0)
        column.addWidget(self.place)

    def add_page(self, page: str, icon: str, title: str, *, apart: bool = False) -> None:
        """Add a page to the list; `apart` leaves a gap before it."""
        button = NavButton(icon, title)
        button.clicked.connect(lambda: self.page_chosen.emit(page))
        if apart:
            self._pages.addSpacing(12)
        self._pages.addWidget(button)
        self._buttons[page] = button

    def show_page(self, page: str) -> None:
        """Mark the page that is open."""
        self._buttons[page].setChecked(True)

    def set_count(self, page: str, count: int) -> None:
        """Show how many things wait on a page."""
        self._buttons[page].set_count(count)

    def show_projects(self, projects: Sequence[tuple[str, str]], chosen: str | None) -> None:
        """Which projects (id, name) there are, and which is looked at."""
        self._projects = list(projects)
        name = next((name for id_, name in projects if id_ == chosen), tr("No project yet"))
        self.switcher.show_project(name, known=bool(projects))

    def show_sources(self, sources: Sequence[Source]) -> None:
        """The state of every source; the same ones keep the focus where it is."""
        if list(sources) == self._told:
            return
        self._told = list(sources)
        focused = next((row.source.id for row in self.rows if row.hasFocus()), None)
        clear(self._sources)
        self.rows = [_SourceRow(source) for source in sources]
        for line in self.rows:
            line.clicked.connect(partial(self.source_chosen.emit, line.source.id, line.source.failed))
            self._sources.addWidget(line)
            if line.source.id == focused:
                line.setFocus()
        following = list(dict.fromkeys(source.following for source in sources if source.following))
        self.following.setText(following[0] if following else "")
        self.following.setVisible(bool(following))

    def _choose_project(self) -> None:
        menu = QMenu(self)
        for id_, name in self._projects:
            action = QAction(name.replace("&", "&&"), menu)
            action.triggered.connect(lambda _=False, chosen=id_: self.project_chosen.emit(chosen))
            menu.addAction(action)
        menu.addSeparator()
        add = QAction(tr("New project…"), menu)
        add.triggered.connect(lambda: self.project_wanted.emit())
        menu.addAction(add)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(self.switcher.mapToGlobal(QPoint(0, self.switcher.height() + 4)))


class _Switcher(QPushButton):
    """The name of the project one looks at; a click offers the others."""

    def __init__(self) -> None:
        super().__init__()
        self.setFixedHeight(34)
        self.setAccessibleName(tr("Project"))
        self._known = False
        theme.signals().changed.connect(self.update)

    def show_project(self, name: str, *, known: bool) -> None:
        """Show another name."""
        self._known = known
        self._name = name
        self.setAccessibleDescription(name)
        self.setToolTip(name)
        self.update()

    _name = ""

    def paintEvent(self, event: QPaintEvent) -> None:
        """The button, a dot, the name cut to its place, an arrow."""
        super().paintEvent(event)
        colors = theme.current()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colors.color("success" if self._known else "text_3"))
        painter.drawEllipse(QRectF(10, self.height() / 2 - 4, 8, 8))
        painter.setFont(theme.font("label"))
        painter.setPen(colors.color("text_1"))
        space = self.rect().adjusted(26, 0, -28, 0)
        words = painter.fontMetrics().elidedText(self._name, Qt.TextElideMode.ElideRight, space.width())
        painter.drawText(space, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, words)
        painter.drawPixmap(self.width() - 24, (self.height() - 16) // 2, icons.pixmap("chevron-down"))


class _SourceRow(QPushButton):
    """One source: dot, name, how fresh."""

    def __init__(self, source: Source) -> None:
        super().__init__()
        self.source = source
        self.setProperty("flat", True)
        self.setFixedHeight(round(22 * max(1.0, theme.scale())))
        self.setAccessibleName(tr("{name}: {value}", name=source.name, value=source.words))
        self.setAccessibleDescription(source.following)
        self.setToolTip(" · ".join(part for part in (source.words, source.following) if part))
        state = Label(source.words, "meta", "text_2")
        for part in (
            line := [StatusDot(source.token, source.words), Label(source.name, "meta", "text_2"), state]
        ):
            part.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        inside = row(line[0], line[1], 0, line[2])
        inside.setContentsMargins(8, 0, 8, 0)
        holder = QWidget(self)
        holder.setLayout(inside)
        holder.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(holder)
