"""Colours: every text reads at 4.5:1 on every ground, every control and focus ring at 3:1 (WCAG 2.2)."""

from __future__ import annotations

import pytest

from ctower_desktop.gui.theme import THEMES, Theme

GROUNDS = ("canvas", "surface", "subtle", "hover", "selected")
TEXTS = ("text_1", "text_2", "text_3", "accent_text", "success", "warning", "danger", "info")


def luminance(color: str) -> float:
    parts = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_the_formula_is_the_standards():
    assert contrast("#000000", "#FFFFFF") == pytest.approx(21)
    assert contrast("#777777", "#FFFFFF") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("theme", THEMES.values(), ids=lambda t: t.name)
class TestTheme:
    @pytest.mark.parametrize("ground", GROUNDS)
    @pytest.mark.parametrize("token", TEXTS)
    def test_text_reads(self, theme: Theme, token: str, ground: str):
        assert contrast(getattr(theme, token), getattr(theme, ground)) >= 4.5

    def test_words_on_the_accent_read(self, theme: Theme):
        assert contrast(theme.on_accent, theme.accent) >= 4.5

    @pytest.mark.parametrize("token", ["border_control", "focus"])
    def test_controls_are_seen(self, theme: Theme, token: str):
        for ground in ("canvas", "surface"):
            assert contrast(getattr(theme, token), getattr(theme, ground)) >= 3

    def test_charts_are_seen(self, theme: Theme):
        for color in theme.charts:
            assert contrast(color, theme.surface) >= 3
