"""The document of an offer: what it says, how it is kept, and that making it holds up nobody."""

from __future__ import annotations

import asyncio
import hashlib
import io
import re
from datetime import UTC, datetime

import pypdf
import pytest

from ctower_desktop.crm.actions import edit_account
from ctower_desktop.crm.model import EditAccount
from ctower_desktop.crm.offers import document
from ctower_desktop.crm.offers.actions import (
    approve_sending,
    edit_offer,
    read_offer,
    read_offer_document,
    reject_offer,
    sign_offer,
)
from ctower_desktop.crm.offers.content import Content, Seller, Source
from ctower_desktop.crm.offers.model import Decision, EditOffer, Item, NewItem, OfferChanged, ReadDocument
from ctower_desktop.crm.offers.press import Press
from ctower_desktop.crm.offers.settings import Offers
from tests.crm.offers.conftest import lines

MADE = datetime(2026, 11, 20, tzinfo=UTC)
SPACE = "\u00a0"


def source(**values):
    given = {
        "number": "ABCD1234", "version": 1, "language": "ru", "title": "Сайт", "client": "",
        "currency": "RUB", "subtotal": 12000.0, "discount_pct": 10.0, "total": 10800.0, "valid_until": None,
        "notes": "", "items": [],
    } | values  # fmt: skip
    return Source(content=Content(**given), seller=Seller("", ""), day="2026-11-20", draft=False)


def pages_of(pdf):
    return [page.extract_text() for page in pypdf.PdfReader(io.BytesIO(pdf), strict=True).pages]


async def of(call, offer, wanted="markdown"):
    return (await read_offer_document(call, offer.id, ReadDocument(format=wanted))).content


async def kept(call, offer):
    return {d.format: d for d in (await read_offer(call, offer.id)).documents}


async def test_an_offer_has_a_document_at_its_address(call, write):
    """Fault absent: generated_doc_url is always null."""
    await call.tower.settings.change(
        Offers, {"seller_name": "Студия «Маяк»", "seller_details": "ИНН 7701\nМосква"}
    )
    item = NewItem(title="Дизайн", unit_price=12000.0)
    offer = await write(items=[item], notes="Оплата 50 %", valid_until="2027-01-31")
    assert offer.generated_doc_url == f"/offers/{offer.id}/document?format=pdf"
    found = await read_offer_document(call, offer.id, ReadDocument())
    assert found.media_type == "application/pdf"
    (text,) = pages_of(found.content)
    for said in ("Коммерческое предложение: Сайт", "от 20.11.2026", "ЧЕРНОВИК", "Студия «Маяк»", "ИНН 7701",
                 "Дизайн", "12 000,00", "Скидка 10 %", "−1 200,00", "10 800,00", "действует до 31.01.2027",
                 "Оплата 50 %", "1 / 1"):  # fmt: skip
        assert said in text.replace(SPACE, " "), said
    shown = await read_offer_document(call, offer.id, ReadDocument(format="markdown"))
    assert shown.media_type.startswith("text/markdown")
    assert f"| **Итого** | **10{SPACE}800,00** |" in shown.content.decode()


def test_numbers_and_days_as_each_language_writes_them():
    english = document.markdown(source(language="en", valid_until="2027-01-31"))
    for said in ("# Offer: Сайт", "of 20 November 2026", "| Discount 10 % | −1,200.00 |",
                 "| **Total** | **10,800.00** |", "valid until 31 January 2027"):  # fmt: skip
        assert said in english
    assert [document.number(v, "ru") for v in (1.0, 1.5, 1000.0, 0.125, 1e6)] == [
        "1", "1,5", f"1{SPACE}000", "0,125", f"1{SPACE}000{SPACE}000",
    ]  # fmt: skip
    assert document.money(-0.005, "en") == "−0.01"


def test_a_long_offer_fills_pages_with_the_header_on_each():
    items = [
        Item("package", f"Страница {n}", "Макет, вёрстка и проверка на устройствах", 1.0, 100.0, 100.0)
        for n in range(1, 101)
    ]
    made = document.rendered(source(items=items, subtotal=10000.0, discount_pct=0.0, total=10000.0), MADE)
    pages = pages_of(made.pdf)
    assert made.pages == len(pages) >= 3
    assert all("Наименование" in page for page in pages[:-1])
    assert [f"{n} / {len(pages)}" in page for n, page in enumerate(pages, 1)] == [True] * len(pages)
    text = "\n".join(pages)
    assert [f"Страница {n} " in text.replace("\n", " ") for n in range(1, 101)] == [True] * 100
    assert "Итого" in pages[-1]


def test_the_fonts_are_inside_and_every_reader_can_use_them():
    made = document.rendered(source(), MADE)
    page = pypdf.PdfReader(io.BytesIO(made.pdf)).pages[0]
    for font in page["/Resources"]["/Font"].values():
        inside = font.get_object()["/DescendantFonts"][0].get_object()["/FontDescriptor"].get_object()
        assert inside["/FontFile2"].get_object().get_data()[:4] == b"\x00\x01\x00\x00"


def test_the_same_offer_makes_the_same_bytes():
    first, second = document.rendered(source(), MADE), document.rendered(source(), MADE)
    assert (first.pdf, first.markdown) == (second.pdf, second.markdown)


HOSTILE = [
    "[click](javascript:alert(1))", "<script>alert(1)</script>", "**bold** _it_ `code` ~~no~~", "| a | b |",
    "# title", "- item", "1. item", "> quote", "{nb} {{ c.total }} {% raw %}", "&lt;b&gt; &amp;", "a\\*b",
    "---", "![x](http://evil.example/x.png)", "<http://evil.example>", "=== x", "+ plus",
]  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE)
def test_texts_of_customers_stand_letter_by_letter(text):
    item = Item("package", text, text, 1.0, 1.0, 1.0)
    made = document.rendered(source(title=text, client=text, notes=f"{text}\n{text}", items=[item]), MADE)
    page = " ".join(" ".join(pages_of(made.pdf)).split())
    assert page.replace(" ", "").count(text.replace(" ", "")) == 6
    assert b"/URI" not in made.pdf
    shown = made.markdown.decode()
    assert re.search(r"(?<!\\)[<|]script", shown) is None
    assert shown.count("\n## ") == 2


def test_what_is_not_seen_and_what_turns_a_line_round_is_left_out():
    assert document.plain("a\u202e001\u2066b\r\n\tc\x07\x1b[0m") == "a001b c[0m"
    assert document.paragraphs("a\u202eb\n\n\n  # c\r\n- d") == "ab\n\n\\# c\\\n\\- d"


@pytest.mark.parametrize("title", ["😀 漢字 مرحبا", "x" * 500, "щ" * 500, "a " * 250])
def test_any_text_makes_pages(title):
    item = Item("package", title, "y" * 1000, 1e6, 1e9, 1e9)
    made = document.rendered(source(title=title, client=title, notes=title * 10, items=[item]), MADE)
    assert made.pages == len(pages_of(made.pdf))


async def test_a_document_is_made_again_only_when_it_says_something_else(
    call, write, account, clock, monkeypatch
):
    made: list[str] = []

    async def make(self, source, at, *, make=Press.make):
        made.append(source.content.title)
        return await make(self, source, at)

    monkeypatch.setattr(Press, "make", make)
    offer = await write(account_id=account.id)
    first = await of(call, offer, "pdf")
    assert await of(call, offer, "pdf") == first
    await of(call, offer, "markdown")
    assert made == ["Сайт"]
    info = await kept(call, offer)
    assert info["pdf"].sha256 == hashlib.sha256(first).hexdigest()
    assert (info["pdf"].pages, info["pdf"].size, info["pdf"].frozen) == (1, len(first), False)
    clock.advance(60)
    await edit_offer(call, offer.id, EditOffer(title="Сайт и реклама"))
    assert "Сайт и реклама" in pages_of(await of(call, offer, "pdf"))[0]
    assert (await kept(call, offer))["pdf"].rendered_at == clock.text()
    await edit_account(call, account.id, EditAccount(name="Кофейня «Юг»"))
    assert "Кофейня «Юг»" in (await of(call, offer)).decode()
    assert len(made) == 3


@pytest.mark.parametrize("after", [sign_offer, reject_offer])
async def test_what_was_sent_stays_as_it_was_sent(call, offer_in, account, clock, after):
    offer = await offer_in("sent", account_id=account.id)
    sent = await of(call, offer), await of(call, offer, "pdf")
    assert "ЧЕРНОВИК" not in sent[0].decode()
    assert {d.frozen for d in (await kept(call, offer)).values()} == {True}
    clock.advance(86_400)
    await edit_account(call, account.id, EditAccount(name="Кофейня «Юг»"))
    await call.tower.settings.change(Offers, {"seller_name": "Другая студия"})
    assert (await of(call, offer), await of(call, offer, "pdf")) == sent
    await after(call, offer.id, Decision())
    assert (await of(call, offer), await of(call, offer, "pdf")) == sent


async def test_an_offer_that_changes_while_it_is_sent_is_not_sent(call, offer_in, monkeypatch):
    offer = await offer_in("approved")

    async def make(self, source, at, *, make=Press.make):
        made = await make(self, source, at)
        await edit_offer(call, offer.id, EditOffer(discount_pct=0.0))
        return made

    monkeypatch.setattr(Press, "make", make)
    with pytest.raises(OfferChanged):
        await approve_sending(call, offer.id, Decision())
    found = await read_offer(call, offer.id)
    assert (found.offer.status, found.documents, len(found.approvals)) == ("approved", [], 1)


async def test_the_loop_goes_on_while_a_document_is_made(call, write):
    offer = await write(items=lines(50))
    await of(call, offer)
    await edit_offer(call, offer.id, EditOffer(title="x"))
    turns, making = 0, asyncio.create_task(of(call, offer))
    while not making.done():
        await asyncio.sleep(0.001)
        turns += 1
    assert turns > 3, "made on the loop it would be one turn, or none"
