"""Asking for the name of a new project."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtWidgets import QDialog, QVBoxLayout, QWidget

from ctower_desktop.gui.forms import StructForm
from ctower_desktop.gui.tasks import start
from ctower_desktop.gui.text import tr
from ctower_desktop.gui.widgets import Button, Label, PrimaryButton, row
from ctower_desktop.kernel.check import check
from ctower_desktop.kernel.errors import Invalid, TowerError
from ctower_desktop.kernel.tower import Desktop
from ctower_desktop.projects.actions import create_project
from ctower_desktop.projects.model import NewProject, ProjectAnswer


class NewProjectDialog(QDialog):
    """Opened with `open()`; tells the id of the project it made."""

    def __init__(self, parent: QWidget, call: Callable[[], Desktop], made: Callable[[str], None]) -> None:
        super().__init__(parent)
        self._call, self._made = call, made
        self.setWindowTitle(tr("New project"))
        self.setMinimumWidth(420)
        self.form = StructForm(NewProject, only=("name",))
        self.problem = Label("", "meta", "danger", wrap=True)
        self.problem.hide()
        create, cancel = PrimaryButton(tr("Create")), Button(tr("Cancel"))
        create.setDefault(True)
        create.clicked.connect(self._create)
        cancel.clicked.connect(self.reject)
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 24, 24, 16)
        column.addWidget(self.form)
        column.addWidget(self.problem)
        column.addLayout(row(0, cancel, create))

    def _create(self) -> None:
        try:
            wanted = check(self.form.values(), NewProject)
        except Invalid as error:
            self.form.show_issues(error.issues)
            return

        async def create() -> ProjectAnswer:
            return await create_project(self._call(), wanted)

        start(self, create(), self._done, self._failed)

    def _done(self, answer: ProjectAnswer) -> None:
        self._made(answer.project.id)
        self.accept()

    def _failed(self, error: TowerError) -> None:
        self.problem.setText(str(error))
        self.problem.show()
