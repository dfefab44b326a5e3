"""Charts: round scales, words for every point, keys that walk, a table with the same figures."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from ctower_desktop.gui.chartcard import ChartCard, rows_of
from ctower_desktop.gui.charts import Chart, Data, Series, Sparkline, scale_of

TWO = Data(
    "Budget",
    "What was planned and spent.",
    ["2 Nov", "9 Nov", "16 Nov"],
    [Series("Spent", [10.0, None, 30.0]), Series("Planned", [20.0, 25.0, 25.0])],
    lambda value: f"{value:.0f}",
    "bars",
)


@pytest.mark.parametrize(
    ("values", "low", "high", "step"),
    [
        ([80.0, 94.0], 0, 100, 25),
        ([0.0], 0, 1, 0.25),
        ([3.0, 7.0], 0, 8, 2),
        ([-40.0, 130.0], -50, 150, 50),
        ([1_234_567.0], 0, 1_500_000, 500_000),
    ],
)
def test_scales_are_round_and_hold_zero_and_every_figure(values, low, high, step):
    assert scale_of(values) == (low, high, step)


def test_a_point_and_the_whole_in_words(qtbot):
    assert TWO.point_words(1) == "9 Nov: Spent: —, Planned: 25"
    assert TWO.summary == (
        "Budget: 3 points, Spent: from 10 to 30, least 10, most 30; Planned: from 20 to 25, least 20, most 25"
    )
    empty = Data("Budget", "", [], [Series("Spent", [])])
    assert empty.empty
    assert empty.summary == "Budget: nothing to show yet"
    with pytest.raises(AssertionError):
        Data("Budget", "", ["2 Nov"], [Series("Spent", [])])


def test_keys_walk_and_choose(qtbot):
    chart, chosen = Chart(), []
    qtbot.addWidget(chart)
    chart.chosen.connect(chosen.append)
    chart.show_data(TWO)
    chart.resize(400, 200)
    chart.grab()
    assert chart.accessibleName() == TWO.summary
    for key, place in ((Qt.Key.Key_Left, 2), (Qt.Key.Key_Left, 1), (Qt.Key.Key_Home, 0), (Qt.Key.Key_End, 2)):
        QTest.keyClick(chart, key)
        assert chart.place == place
        assert chart.accessibleName() == TWO.point_words(place)
    QTest.keyClick(chart, Qt.Key.Key_Return)
    QTest.mouseClick(chart, Qt.MouseButton.LeftButton, pos=chart.rect().center())
    assert chosen == [2, 1]


def test_without_figures_it_says_so_and_draws(qtbot):
    card = ChartCard("budget")
    qtbot.addWidget(card)
    card.show_data(Data("Budget", "", [], [Series("Spent", [])]))
    card.resize(300, 260)
    card.grab()
    assert card.newest.text() == ""
    assert "nothing to show yet" in card.chart.accessibleName()


def test_the_table_behind_it_has_the_same_figures(qtbot):
    card, asked = ChartCard("budget"), []
    qtbot.addWidget(card)
    card.asked.connect(asked.append)
    card.show_data(TWO)
    card.as_table.click()
    model = card.table.model()
    told = [[model.index(row, column).data() for column in range(3)] for row in range(3)]
    assert told == [["2 Nov", "10", "20"], ["9 Nov", "—", "25"], ["16 Nov", "30", "25"]]
    assert [row.figures for row in rows_of(TWO)] == [cells[1:] for cells in told]
    card.table.activated.emit(model.index(2, 0))
    assert asked == [2]


def test_a_sparkline_carries_its_words(qtbot):
    spark = Sparkline()
    qtbot.addWidget(spark)
    spark.show_values([1.0, 5.0, 2.0], "from 1 to 2")
    spark.grab()
    assert spark.accessibleName() == "from 1 to 2"
