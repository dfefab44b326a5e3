"""Places, links to them, and the way back."""

from __future__ import annotations

import pytest

from ctower_desktop.gui.travel import Place, Travels, parse_link


@pytest.mark.parametrize(
    "place",
    [Place("inbox"), Place("", "issue", "linissue:5f:w:i1"), Place("", "conversation", "cw:5f-1:1:318")],
)
def test_a_link_leads_back_to_its_place(place):
    assert parse_link(place.link) == place


@pytest.mark.parametrize(
    "link",
    [
        "",
        "https://page/inbox",
        "ctower://",
        "ctower://page",
        "ctower://page/",
        "ctower://page/inbox/more/parts",
        "ctower://page/../inbox",
        "ctower://page/Inbox;rm",
        "ctower://issue/--home=%2Ftmp",
        "ctower://issue/..%2F..%2Fetc%2Fpasswd",
        "ctower://issue/a%20b",
        "ctower://issue/a%00",
        "ctower://settings.change/x",
        "ctower://issue/" + "x" * 600,
        "CTOWER://page/inbox",
    ],
)
def test_anything_else_leads_nowhere(link):
    assert parse_link(link) is None


class TestTravels:
    def test_back_and_forward(self):
        travels = Travels()
        for second, page in enumerate(("today", "inbox", "ask")):
            travels.visit(Place(page), second * 10)
        assert travels.go(-1) == Place("inbox")
        assert travels.go(-1) == Place("today")
        assert travels.go(-1) is None
        assert travels.go(1) == Place("inbox")
        travels.visit(Place("crm"), 100)
        assert not travels.can_go_forward, "what one came back from is forgotten"
        assert travels.go(-1) == Place("inbox")

    def test_the_same_place_is_one(self):
        travels = Travels()
        travels.visit(Place("today"), 0)
        travels.visit(Place("today"), 1)
        assert not travels.can_go_back

    def test_records_in_passing_are_no_places(self):
        travels = Travels()
        travels.visit(Place("inbox"), 0)
        for number in range(5):
            travels.visit(Place("inbox", "conversation", str(number)), 10 + number)
        travels.visit(Place("inbox", "conversation", "9"), 60)
        assert travels.go(-1) == Place("inbox", "conversation", "4")
        assert travels.go(-1) == Place("inbox")

    def test_another_project_leaves_only_pages(self):
        travels = Travels()
        for second, place in enumerate(
            (Place("today"), Place("inbox", "conversation", "1"), Place("inbox"), Place("crm", "deal", "2"))
        ):
            travels.visit(place, second * 10)
        travels.forget_records()
        assert travels.place == Place("crm")
        assert travels.go(-1) == Place("inbox")
        assert travels.go(-1) == Place("today")
        assert travels.go(-1) is None

    def test_it_does_not_grow_for_ever(self):
        travels = Travels()
        for number in range(1_000):
            travels.visit(Place("a" if number % 2 else "b"), number)
        steps = 0
        while travels.go(-1):
            steps += 1
        assert steps == 99
