"""Documents as HTML, Markdown and CSV, and words in two languages."""

from __future__ import annotations

import csv
import io
import re
import tomllib
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from ctower_desktop.kernel.system import resources
from ctower_desktop.reports import rendering
from ctower_desktop.reports.document import Document, Fact, Facts, Part, Point, Points, Table, Words
from ctower_desktop.reports.rendering import harmless
from ctower_desktop.reports.words import Speech

MOSCOW = ZoneInfo("Europe/Moscow")
TAGS = {
    *("!doctype", "html", "head", "meta", "title", "body", "main", "h1", "h2", "p", "section", "dl", "div"),
    *("dt", "dd", "small", "ul", "li", "span", "table", "thead", "tbody", "tr", "th", "td", "footer"),
}


def document(text: str) -> Document:
    return Document(
        "en",
        text,
        text,
        [
            Part("one", text, [Facts([Fact(text, text, text, "good", "figure", -5)]), Words(text)]),
            Part("two", text, [Points([Point(text, text, [text], "bad")])]),
            Part("three", text, [Table([text, "B"], [[text, "2"]], ["a", "b"], [[text, -2.5]])]),
        ],
        text,
    )


@pytest.mark.parametrize(
    "cell", ["=1+1", "+7 900", "-5", "@sum", "\tx", "\rx", " =1", "\u00a0=1", "=cmd|'/c calc'!A0"]
)
def test_what_a_spreadsheet_would_run_is_quoted(cell):
    assert harmless(cell) == "'" + cell


@pytest.mark.parametrize(
    ("cell", "expected"), [(-5, -5), (2.5, 2.5), (None, ""), (True, "true"), ("Анна", "Анна"), ("a=b", "a=b")]
)
def test_other_cells_stay_as_they_are(cell, expected):
    assert harmless(cell) == expected


def test_the_table_opens_in_a_spreadsheet():
    content = rendering.csv_table(document("=2+2"))
    assert content.startswith(b"\xef\xbb\xbf"), "Excel takes it for UTF-8 only with a mark"
    rows = list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))
    assert rows == [
        ["section", "row", "field", "value"],
        ["one", "", "figure", "-5"],
        ["one", "", "text", "'=2+2"],
        ["two", "1", "text", "'=2+2"],
        ["three", "1", "a", "'=2+2"],
        ["three", "1", "b", "-2.5"],
    ]


@settings(derandomize=True, database=None, max_examples=200)
@given(st.text(max_size=60) | st.text("_*`[]()<>#-+1.&;~|\\a \n", max_size=30))
def test_no_text_becomes_markup(text):
    page = rendering.html(document(text)).decode()
    outside = re.sub(r"<style>.*?</style>", "", page, flags=re.DOTALL)
    tags = {tag.lower() for tag in re.findall(r"<\s*/?\s*([a-zA-Z!][\w-]*)", outside)}
    assert tags <= TAGS
    rendered = (
        MarkdownIt("commonmark", {"html": True})
        .enable("table")
        .render(rendering.markdown(document(text)).decode())
    )
    assert not re.search(r"<(script|a |img|em>|b>|iframe)", rendered)


@pytest.mark.parametrize("cells", [["a|b", "c"], ["x\ny", "z"], ["", " "]])
def test_a_markdown_table_keeps_its_columns(cells):
    table = Table(["A", "B"], [cells], ["a", "b"], [list(cells)])
    text = rendering.markdown(Document("en", "t", "s", [Part("k", "h", [table])], "f")).decode()
    rendered = MarkdownIt("commonmark").enable("table").render(text)
    assert rendered.count("<td>") == 2


class TestWords:
    def test_every_word_is_there_in_both_languages(self):
        words = tomllib.loads((resources() / "templates" / "words.toml").read_text("utf-8"))
        for key, pair in words.items():
            assert len(pair) == 2, key
            assert all(pair), key
            fields = [set(re.findall(r"{(\w+)}", text)) for text in pair]
            assert fields[0] == fields[1], key

    @pytest.mark.parametrize(
        ("language", "amount", "currency", "expected"),
        [
            ("en", 1234567.5, "USD", "$1,234,567.5"),
            ("en", -20.0, "EUR", "-€20"),
            ("en", 1500.0, "RUB", "1,500\u00a0₽"),
            ("en", 1500.0, "CHF", "1,500\u00a0CHF"),
            ("en", 12.0, "", "12"),
            ("ru", 1234567.5, "RUB", "1\u00a0234\u00a0567,5\u00a0₽"),
            ("ru", 20.0, "USD", "20\u00a0$"),
            ("ru", -0.001, "USD", "0\u00a0$"),
        ],
    )
    def test_money(self, language, amount, currency, expected):
        assert Speech(language, MOSCOW).money(amount, currency) == expected

    @pytest.mark.parametrize(
        ("minutes", "expected"),
        [(None, "—"), (0.4, "0 min"), (60, "60 min"), (95, "1.6 h"), (1440, "24 h"), (4000, "2.8 d")],
    )
    def test_how_long(self, minutes, expected):
        assert Speech("en", MOSCOW).minutes(minutes) == expected

    def test_times_are_those_of_the_reader(self):
        assert Speech("ru", MOSCOW).moment("2026-11-20T21:30:00.000Z") == "21 ноября 2026, 00:30"
        assert Speech("en", MOSCOW).moment(None) == "—"
        assert Speech("en", MOSCOW).moment("soon") == "soon"
