"""Settings: one form for each declared page of settings, and where each value comes from."""

from __future__ import annotations

import msgspec
from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QHBoxLayout, QListWidget, QListWidgetItem, QScrollArea, QVBoxLayout, QWidget

from ctower_desktop.gui import theme
from ctower_desktop.gui.forms import StructForm
from ctower_desktop.gui.model_list import ModelList
from ctower_desktop.gui.page import Page, WindowContext
from ctower_desktop.gui.tasks import start
from ctower_desktop.gui.text import said, tr
from ctower_desktop.gui.widgets import Label, PrimaryButton, clear, row
from ctower_desktop.kernel.errors import Invalid, TowerError
from ctower_desktop.kernel.settings import SETTINGS, fields
from ctower_desktop.search.settings import SearchSettings

_HIDDEN = ("chatwoot", "linear", "attio", "loops")  # connected on their own page, after a live test
_WIDTH = 640


class SettingsPage(Page):
    """Every setting that is declared, page by page."""

    def __init__(self, context: WindowContext) -> None:
        super().__init__(context)
        self._shape: type[msgspec.Struct] | None = None
        self.form: StructForm | None = None
        self.models: ModelList | None = None
        self.list = QListWidget()
        self.list.setFixedWidth(theme.SIDEBAR)
        self.list.setAccessibleName(tr("Settings pages"))
        for name in sorted(SETTINGS, key=lambda n: (n != "appearance", n)):
            if name not in _HIDDEN:
                item = QListWidgetItem(said(_title(name)))
                item.setData(Qt.ItemDataRole.UserRole, name)
                item.setSizeHint(QSize(0, theme.ROW))
                self.list.addItem(item)
        self._place = QVBoxLayout()
        self._place.setContentsMargins(24, 20, 24, 20)
        inside = QWidget()
        inside.setLayout(self._place)
        inside.setMaximumWidth(_WIDTH)
        area = QScrollArea()
        area.setWidgetResizable(True)
        area.setAccessibleName(self.title)
        area.setWidget(inside)
        line = QHBoxLayout(self)
        line.setContentsMargins(20, 20, 0, 0)
        line.addWidget(self.list)
        line.addWidget(area, 1)
        self.list.currentItemChanged.connect(lambda item, _: self._show(item.data(Qt.ItemDataRole.UserRole)))
        self.list.setCurrentRow(0)

    @property
    def title(self) -> str:
        """What the top bar calls it."""
        return tr("Settings")

    def activate(self) -> None:
        """The list takes the focus."""
        self.list.setFocus()

    def _show(self, name: str) -> None:
        clear(self._place)
        self._shape = shape = SETTINGS[name]
        settings = self.tower.settings
        declared = fields(name)
        self.form = StructForm(
            shape,
            msgspec.structs.asdict(settings.get(shape)),
            stored_secrets=frozenset(
                f.name for f in declared if f.secret and settings.source(f) != "default"
            ),
            fixed=frozenset(f.name for f in declared if settings.source(f) == "environment"),
        )
        save = PrimaryButton(tr("Save"))
        save.clicked.connect(self._save)
        self._place.addWidget(Label(said(_title(name)), "section"))
        about = (shape.__doc__ or "").strip().partition("\n")[0]
        self._place.addWidget(Label(said(about), "body", "text_2", wrap=True))
        self._place.addSpacing(12)
        self._place.addWidget(self.form)
        if any(f.restart for f in declared):
            hint = tr("Some of these take effect at the next start.")
            self._place.addWidget(Label(hint, "meta", "text_3", wrap=True))
        self._place.addLayout(row(save, 0))
        self.models = ModelList(self.context) if shape is SearchSettings else None
        if self.models is not None:
            self._place.addWidget(self.models)
        self._place.addStretch(1)

    def _save(self) -> None:
        assert self.form is not None
        assert self._shape is not None
        self.form.clear_issues()
        start(self, self._store(self._shape, self.form.values()), self._saved, self._failed)

    async def _store(self, shape: type[msgspec.Struct], values: dict[str, object]) -> None:
        await self.tower.settings.change(shape, values)

    def _saved(self, _: None) -> None:
        self.context.toast(tr("Saved."))

    def _failed(self, error: TowerError) -> None:
        issues = error.issues if isinstance(error, Invalid) else ()
        if self.form is not None and issues:
            self.form.show_issues(issues)
        else:
            self.context.toast(str(error))


def _title(name: str) -> str:
    return name.replace("_", " ").capitalize()
