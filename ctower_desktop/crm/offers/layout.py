"""A document in Markdown as pages of a PDF: headings, paragraphs and tables, with our fonts embedded."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import pairwise

import msgspec
from fpdf import FPDF
from fpdf.enums import TableBordersLayout, TableHeadingsDisplay
from fpdf.fonts import FontFace
from markdown_it import MarkdownIt
from markdown_it.token import Token

from ctower_desktop.kernel.system import resources

_FONT, _BOLD = "Inter", "B"
_COUNT = "{nb}"  # stands for the number of pages
_MARGIN = 18  # millimetres, as all lengths here
_LINE = 5.2
_TEXT, _SMALL = 10, 8.5  # points
_HEADINGS = {"h1": (17, 7.6, 0), "h2": (12.5, 6, 4)}  # points, line, space above
_WIDTHS = {5: (7, 49, 11, 16, 17), 2: (68, 32)}
_INK, _GREY, _SHADE = (26, 29, 36), (110, 116, 128), (240, 242, 246)

Run = tuple[str, bool]  # text, and whether it is strong


class Labels(msgspec.Struct, frozen=True):
    """What a reader of PDFs shows about the file, and what stands below every page."""

    title: str
    author: str
    language: str
    footer: str


class _Pages(FPDF):
    """A4 pages with a number below."""

    def __init__(self, labels: Labels) -> None:
        super().__init__(format="A4")
        self._footer = labels.footer
        fonts = resources() / "fonts" / "documents"
        self.add_font(_FONT, "", fonts / "Inter-Regular.ttf")
        self.add_font(_FONT, _BOLD, fonts / "Inter-SemiBold.ttf")
        self.set_title(labels.title)
        self.set_author(labels.author)
        self.set_lang(labels.language)
        self.set_margin(_MARGIN)
        self.set_auto_page_break(auto=True, margin=_MARGIN + 4)
        self.set_text_color(*_INK)
        self.set_draw_color(*_GREY)

    def header(self) -> None:
        self.alias_nb_pages("")  # a customer's text may hold the mark for the number of pages

    def footer(self) -> None:
        self.set_y(-_MARGIN)
        self.set_font(_FONT, size=_SMALL)
        self.set_text_color(*_GREY)
        self.alias_nb_pages(_COUNT)
        self.cell(0, _LINE, f"{self._footer}  ·  {self.page_no()} / {_COUNT}", align="C")
        self.set_text_color(*_INK)


def laid_out(markdown: str, labels: Labels, made: datetime) -> tuple[bytes, int]:
    """The PDF and how many pages it has."""
    pages = _Pages(labels)
    pages.set_creation_date(made)
    pages.add_page()
    tokens = MarkdownIt("commonmark").enable("table").parse(markdown)
    place = 0
    while place < len(tokens):
        token = tokens[place]
        if token.type == "table_open":
            end = next(i for i in range(place, len(tokens)) if tokens[i].type == "table_close")
            _table(pages, tokens[place:end])
            place = end
        elif token.type == "inline":
            _block(pages, tokens[place - 1].tag, token)
        place += 1
    return bytes(pages.output()), pages.pages_count


def _block(pages: _Pages, tag: str, inline: Token) -> None:
    size, line, above = _HEADINGS.get(tag, (_TEXT, _LINE, 0))
    heading = tag in _HEADINGS
    if heading:
        if pages.will_page_break(above + 4 * line):  # a heading never stands alone below a page
            pages.add_page()
        else:
            pages.ln(above)
    for text, strong in _runs(inline):
        pages.set_font(_FONT, _BOLD if strong or heading else "", size)
        pages.write(line, text)
    pages.ln(line + (2.5 if heading else 1.5))


def _runs(inline: Token) -> Iterator[Run]:
    strong = False
    for child in inline.children or ():
        if child.type in ("strong_open", "strong_close"):
            strong = child.type == "strong_open"
        elif child.type == "hardbreak":
            yield "\n", strong
        elif child.type == "softbreak":
            yield " ", strong
        else:
            yield child.content, strong


def _table(pages: _Pages, tokens: Sequence[Token]) -> None:
    rows: list[list[Token]] = []
    aligned: list[str] = []
    for before, token in pairwise(tokens):
        if token.type == "tr_open":
            rows.append([])
        elif token.type == "inline":
            rows[-1].append(token)
            if len(rows) == 1:
                right = "right" in str(before.attrs.get("style", ""))
                aligned.append("RIGHT" if right else "LEFT")
    pages.set_font(_FONT, size=_SMALL if len(aligned) > 2 else _TEXT)
    with pages.table(
        borders_layout=TableBordersLayout.HORIZONTAL_LINES,
        cell_fill_color=None,
        col_widths=_WIDTHS.get(len(aligned)),
        headings_style=FontFace(emphasis=_BOLD, fill_color=_SHADE),
        line_height=_LINE,
        padding=1,
        repeat_headings=TableHeadingsDisplay.ON_TOP_OF_EVERY_PAGE,
        text_align=tuple(aligned),
        width=pages.epw,
    ) as table:
        for cells in rows:
            row = table.row()
            for cell in cells:
                runs = list(_runs(cell))
                whole = any(text for text, _ in runs) and all(strong for text, strong in runs if text)
                row.cell("".join(text for text, _ in runs), style=FontFace(emphasis=_BOLD) if whole else None)
    pages.ln(4)
