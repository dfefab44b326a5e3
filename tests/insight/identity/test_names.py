"""Names across alphabets, legal forms and spellings; addresses and telephones."""

from __future__ import annotations

import pytest

from ctower_desktop.insight.identity import names


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("Acme", "acme ", 1.0),
        ("Acme Inc", "Acme", 0.86),
        ("Alpha Beta", "Beta Gamma", 0.5),
        ("", "x", 0.0),
        ("Ёлка", "елка", 1.0),
    ],
)
def test_similarity_of_names_as_written(one, other, expected):
    assert names.similarity(one, other) == expected
    assert names.similarity(other, one) == expected


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ООО «Север»", "Sever LLC"),
        ("Иванов", "Ivanov"),
        ("Ясень", "Yasen GmbH"),
        ("Ромашка", "ООО Ромашка"),
        ("SeverCoffee", "Sever Coffee"),
        ("Acme, Inc.", "ACME"),
        ("Шереметьев и Ко", "Sheremetev"),
    ],
)
def test_alphabet_and_legal_form_make_no_difference(one, other):
    assert names.alike(one, other) >= 0.86
    assert names.alike(one, other) == names.alike(other, one)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Студия", "Студия Ясень"),  # a common word names nobody
        ("Inc", "Acme Inc"),
        ("Go", "Go West"),
        ("Ann", "Savanna"),  # a part of a word is no word
        ("Studio Red", "Studio Blue"),
        ("Anna", "Anya"),  # within one alphabet spelling decides
        ("Петров", "Петрова"),
    ],
)
def test_what_is_not_the_same_name(one, other):
    assert names.alike(one, other) < 0.65


def test_common_words_tell_little():
    assert names.alike("Кофейня «Север»", "Sever website") == 0.8
    assert names.alike("Север", "Север — редизайн") == 0.86


@pytest.mark.parametrize(
    ("email", "domain"),
    [
        ("a@Acme.COM", "acme.com"),
        ("a@gmail.com", ""),
        ("a@corp.mail.ru", ""),  # below a mail service
        ("a@yandex.ru", ""),
        ("a@gmx.de", ""),
        ("a@mygmail.com", "mygmail.com"),
        ("nobody", ""),
        ("a@localhost", ""),
        (None, ""),
    ],
)
def test_a_domain_that_tells_where_somebody_works(email, domain):
    assert names.domain_of(email) == domain


@pytest.mark.parametrize(
    ("told", "site"),
    [
        ("https://www.Acme.com/about", "acme.com"),
        ("acme.com", "acme.com"),
        ("www.acme.com.", "acme.com"),
        ("gmail.com", ""),
        ("http://[broken", ""),
        (None, ""),
    ],
)
def test_the_site_of_a_company(told, site):
    assert names.site_of(told) == site


def test_telephones_are_compared_by_their_last_digits():
    assert names.digits("+7 (921) 123-45-67") == names.digits("8 921 1234567")
    assert names.digits("112") == ""


def test_people_are_named_in_any_order():
    assert names.person_key("Иван Иванов") == names.person_key("Ivanov, Ivan")
    assert names.person_key("Иван") == ""


def test_the_lists_are_clean():
    assert len(names.free_mail()) > 150
    assert all("." in domain and domain == domain.lower() for domain in names.free_mail())
    assert not names.company_words().forms & names.company_words().common
