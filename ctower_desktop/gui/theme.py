"""Colours, type and spacing of the window: four sets of tokens, one palette, one short style sheet."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import lru_cache
from string import Template
from typing import Literal

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QColor, QFont, QFontDatabase, QGuiApplication, QPalette
from PySide6.QtWidgets import QApplication, QStyleFactory

from ctower_desktop.kernel.system import resources

Mode = Literal["light", "dark", "system", "contrast"]
Kind = Literal["caption", "meta", "body", "label", "section", "title", "page", "answer"]

SPACE = (2, 4, 8, 12, 16, 24, 32, 48)
RADIUS_CHIP, RADIUS_CONTROL, RADIUS_CARD = 4, 6, 10
CONTROL, ROW, SIDEBAR, DETAIL = 32, 32, 232, 420


@dataclass(frozen=True)
class Theme:
    """One set of colours; every text token reads at 4.5:1 or better on every ground."""

    name: str
    canvas: str
    surface: str
    subtle: str
    hover: str
    selected: str
    text_1: str
    text_2: str
    text_3: str
    border: str
    border_control: str
    accent: str
    on_accent: str
    accent_text: str
    focus: str
    success: str
    warning: str
    danger: str
    info: str
    charts: tuple[str, ...]

    def color(self, token: str) -> QColor:
        """A token as Qt's colour."""
        return QColor(getattr(self, token))


LIGHT = Theme(
    name="light",
    canvas="#F6F7F9",
    surface="#FFFFFF",
    subtle="#EEF0F3",
    hover="#E6E9ED",
    selected="#E4EAFE",
    text_1="#171A21",
    text_2="#4C5463",
    text_3="#5C6472",
    border="#DFE3E8",
    border_control="#7F8794",
    accent="#3653D4",
    on_accent="#FFFFFF",
    accent_text="#2C45B8",
    focus="#3653D4",
    success="#14713F",
    warning="#8A5300",
    danger="#C3272B",
    info="#0A62B8",
    charts=("#2F6FDE", "#B35900", "#0F7F5C", "#B03A86", "#6B4FD8", "#5F6B7A"),
)
DARK = Theme(
    name="dark",
    canvas="#0F1115",
    surface="#16191F",
    subtle="#1D2129",
    hover="#252A34",
    selected="#222C4F",
    text_1="#ECEEF2",
    text_2="#B0B7C4",
    text_3="#939BAA",
    border="#2B313C",
    border_control="#737C8C",
    accent="#4A66E8",
    on_accent="#FFFFFF",
    accent_text="#9DB0FF",
    focus="#9DB0FF",
    success="#55C58A",
    warning="#E3A63C",
    danger="#FF7A7D",
    info="#74B9FF",
    charts=("#6FA8FF", "#F0A350", "#4FC79A", "#EE8CC8", "#AB9BFF", "#A3AEBD"),
)
CONTRAST = Theme(
    name="contrast",
    canvas="#000000",
    surface="#000000",
    subtle="#111111",
    hover="#222222",
    selected="#00305C",
    text_1="#FFFFFF",
    text_2="#FFFFFF",
    text_3="#E6E6E6",
    border="#FFFFFF",
    border_control="#FFFFFF",
    accent="#FFE34D",
    on_accent="#000000",
    accent_text="#FFE34D",
    focus="#FFE34D",
    success="#7CFFB2",
    warning="#FFD27A",
    danger="#FF9C9E",
    info="#9CD3FF",
    charts=("#9CD3FF", "#FFD27A", "#7CFFB2", "#FFB3E6", "#D3C8FF", "#FFFFFF"),
)
THEMES = {theme.name: theme for theme in (LIGHT, DARK, CONTRAST)}

_SCALE: dict[Kind, tuple[int, int]] = {  # pixels at 100 %, weight
    "caption": (11, 500),
    "meta": (12, 400),
    "body": (13, 400),
    "label": (13, 600),
    "section": (15, 600),
    "title": (18, 600),
    "page": (24, 650),
    "answer": (15, 400),
}


class _Signals(QObject):
    changed = Signal()


class _State:
    theme = LIGHT
    mode: Mode = "system"
    scale = 1.0
    styled = False
    signals: _Signals | None = None


def signals() -> _Signals:
    """`signals().changed` tells that colours or sizes are others now."""
    if _State.signals is None:
        _State.signals = _Signals()
    return _State.signals


def current() -> Theme:
    """The colours in use."""
    return _State.theme


def scale() -> float:
    """The user's text scale, 0.9 to 1.5."""
    return _State.scale


def font(kind: Kind = "body", *, bold: bool = False) -> QFont:
    """The type of one kind of text at the user's scale; digits are of one width."""
    pixels, weight = _SCALE[kind]
    found = QFont(_family())
    found.setPixelSize(max(9, round(pixels * _State.scale)))
    found.setWeight(QFont.Weight(700 if bold else weight))
    if hasattr(QFont, "Tag"):
        found.setFeature(QFont.Tag("tnum"), 1)
    return found


@lru_cache(maxsize=1)
def _family() -> str:
    for path in sorted((resources() / "fonts").glob("*.[ot]tf")):
        QFontDatabase.addApplicationFont(str(path))
    return "Inter" if "Inter" in QFontDatabase.families() else QGuiApplication.font().family()


def apply(app: QApplication, mode: Mode, scale: float = 1.0) -> None:
    """Dress the whole program; `system` follows the computer, also when it changes later."""
    if _State.signals is None:
        QGuiApplication.styleHints().colorSchemeChanged.connect(lambda _: _follow(app))
    _State.mode, _State.scale = mode, min(1.5, max(0.9, scale))
    _dress(app)


def _follow(app: QApplication) -> None:
    if _State.mode == "system":
        _dress(app)


def _dress(app: QApplication) -> None:
    mode = _State.mode
    if mode == "system":
        dark = QGuiApplication.styleHints().colorScheme() == Qt.ColorScheme.Dark
        mode = "dark" if dark else "light"
    _State.theme = THEMES[mode]
    if not _State.styled:  # polishes every widget anew, as the sheet below does already
        app.setStyle(QStyleFactory.create("Fusion"))
        _State.styled = True
    app.setPalette(_palette(_State.theme))
    app.setFont(font())
    app.setStyleSheet(_sheet(_State.theme))
    signals().changed.emit()


def _palette(theme: Theme) -> QPalette:
    role = QPalette.ColorRole
    pairs = {
        role.Window: theme.canvas,
        role.WindowText: theme.text_1,
        role.Base: theme.surface,
        role.AlternateBase: theme.subtle,
        role.Text: theme.text_1,
        role.PlaceholderText: theme.text_3,
        role.Button: theme.surface,
        role.ButtonText: theme.text_1,
        role.BrightText: theme.danger,
        role.Highlight: theme.selected,
        role.HighlightedText: theme.text_1,
        role.Link: theme.accent_text,
        role.LinkVisited: theme.accent_text,
        role.ToolTipBase: theme.surface,
        role.ToolTipText: theme.text_1,
        role.Light: theme.surface,
        role.Midlight: theme.subtle,
        role.Mid: theme.border,
        role.Dark: theme.border_control,
        role.Shadow: theme.border,
        role.Accent: theme.accent,
    }
    palette = QPalette()
    for where, value in pairs.items():
        palette.setColor(where, QColor(value))
    for where in (role.Text, role.ButtonText, role.WindowText):
        palette.setColor(QPalette.ColorGroup.Disabled, where, QColor(theme.text_3))
    return palette


_TEXT_TOKENS = ("text_1", "text_2", "text_3", "accent_text", "success", "warning", "danger", "info")


def _sheet(t: Theme) -> str:
    """Shapes, borders, and the colours of labels by token; all other colours come from the palette."""
    labels = "".join(f'QLabel[token="{name}"] {{ color: {getattr(t, name)}; }}\n' for name in _TEXT_TOKENS)
    values = {
        **{name: value for name, value in asdict(t).items() if isinstance(value, str)},
        "radius_chip": RADIUS_CHIP,
        "radius_control": RADIUS_CONTROL,
        "radius_card": RADIUS_CARD,
        "control": CONTROL - 2,
        "arrows": (resources() / "icons").as_posix(),
    }
    return labels + Template(load()).substitute(values)


@lru_cache(maxsize=1)
def load() -> str:
    """Read the style sheet; called before the loop runs, so that nothing waits for the disk later."""
    return (resources() / "themes" / "window.qss").read_text("utf-8")
