"""Who may be the same client, and why: pure, fast, without comparing everything with everything."""

from __future__ import annotations

import time

import pytest

from ctower_desktop.insight.identity.matching import (
    Company,
    Contact,
    Delivery,
    Person,
    Rows,
    candidates,
    dedupe_key,
    says_more,
)


def rows(contacts=(), companies=(), people=(), projects=()):
    return Rows(
        [Contact(f"c{n}", *one) for n, one in enumerate(contacts)],
        [Company(f"a{n}", f"ref{n}", *one) for n, one in enumerate(companies)],
        [Person(f"p{n}", *one) for n, one in enumerate(people)],
        [Delivery(f"w{n}", one) for n, one in enumerate(projects)],
    )


def found(**given):
    return [(c.left_entity_id, c.right_entity_id, c.confidence, c.reason) for c in candidates(rows(**given))]


def contact(name=None, email=None, phone=None, company=None):
    return (name, email, phone, company)


class TestContactsAndCompanies:
    def test_equal_names_are_certain(self):
        got = found(contacts=[contact("Sever Coffee")], companies=[("sever coffee", None)])
        assert got == [("c0", "a0", 1.0, "matching_contact_account_name")]

    def test_one_domain(self):
        got = found(contacts=[contact("Анна", "anna@acme.com")], companies=[("Рога и копыта", "acme.com")])
        assert got == [("c0", "a0", 0.95, "matching_email_domain")]

    @pytest.mark.parametrize("domain", ["gmail.com", "mail.ru", "yandex.ru", "outlook.com"])
    def test_free_mail_says_nothing(self, domain):
        """Fault absent: free-mail domains match nobody with anything."""
        contacts = [contact("Анна", f"anna@{domain}")]
        assert found(contacts=contacts, companies=[("Рога и копыта", domain)]) == []

    def test_a_domain_below_that_of_the_company(self):
        got = found(contacts=[contact("Анна", "a@shop.acme.com")], companies=[("Other", "acme.com")])
        assert got == [("c0", "a0", 0.9, "matching_email_domain")]

    def test_a_domain_of_several_companies_is_less_sure(self):
        companies = [("North", "acme.com"), ("South", "acme.com")]
        got = found(contacts=[contact("Анна", "anna@acme.com")], companies=companies)
        assert {(one[1], one[2]) for one in got} == {("a0", 0.8), ("a1", 0.8)}

    def test_a_name_in_the_other_alphabet(self):
        got = found(contacts=[contact("ООО Ясень")], companies=[("Yasen", None)])
        assert got == [("c0", "a0", 0.97, "matching_contact_account_name")]

    def test_the_company_a_contact_names(self):
        got = found(contacts=[contact("Анна Петрова", company="Tidewater")], companies=[("Tidewater", None)])
        assert got == [("c0", "a0", 1.0, "matching_contact_company_name")]

    def test_the_name_in_the_address(self):
        got = found(contacts=[contact("Анна", "a@sever-coffee.ru")], companies=[("Sever Coffee", None)])
        assert got == [("c0", "a0", 0.8, "email_domain_like_account_name")]

    def test_the_company_of_a_person_with_that_address(self):
        got = found(
            contacts=[contact("Anna", "anna@gmail.com")],
            companies=[("Acme", None)],
            people=[("ref0", "Anna Smith", "Anna@Gmail.com", None)],
        )
        assert got == [("c0", "p0", 1.0, "matching_email"), ("c0", "a0", 0.92, "matching_person_company")]

    def test_a_given_name_is_no_company(self):
        assert found(contacts=[contact("Anna")], companies=[("Anna Bakery", None)]) == []


class TestContactsAndPeople:
    def test_one_address_even_of_a_mail_service(self):
        got = found(contacts=[contact("A", "a@gmail.com")], people=[(None, "B", "A@gmail.com", None)])
        assert got == [("c0", "p0", 1.0, "matching_email")]

    def test_one_telephone(self):
        people = [(None, "Б", None, "8 921 123 45 67")]
        got = found(contacts=[contact("А", phone="+79211234567")], people=people)
        assert got == [("c0", "p0", 0.95, "matching_phone")]

    def test_one_name_in_two_alphabets(self):
        people = [(None, "Ivan Ivanov", "ivan@acme.com", None)]
        got = found(contacts=[contact("Иван Иванов")], people=people)
        assert got == [("c0", "p0", 0.8, "matching_person_name")]
        got = found(contacts=[contact("Иван Иванов", "ivanov@acme.com")], people=people)
        assert got == [("c0", "p0", 0.9, "matching_person_name")]

    def test_a_given_name_alone_is_nobody(self):
        assert found(contacts=[contact("Иван")], people=[(None, "Ivan", None, None)]) == []


class TestCompaniesAndProjects:
    def test_by_name(self):
        got = found(companies=[("Кофейня «Север»", None)], projects=["Sever website", "Tidewater app"])
        assert got == [("a0", "w0", 0.8, "matching_account_project_name")]

    def test_what_is_too_little(self):
        assert found(companies=[("Red Harbour", None)], projects=["Blue Harbour"]) == []


def test_the_surest_first_and_each_pair_once():
    got = candidates(
        rows(
            contacts=[contact("Acme", "a@acme.com", company="Acme"), contact("B", "b@acme.com")],
            companies=[("Acme", "acme.com")],
        )
    )
    assert [(one.left_entity_id, one.confidence) for one in got] == [("c0", 1.0), ("c1", 0.95)]
    assert len({one.dedupe_key for one in got}) == len(got)
    assert got[0].evidence_key.split("\n") == ["domain:acme.com", "name:akm=akm"]
    assert got[0].meta == {
        "contact_name": "Acme", "account_name": "Acme", "contact_domain": "acme.com",
        "account_domain": "acme.com",
    }  # fmt: skip


def test_a_pair_has_one_key_whichever_comes_first():
    one = dedupe_key("cw_contact", "1", "attio_account", "2")
    assert one == dedupe_key("attio_account", "2", "cw_contact", "1")


def test_spelling_is_no_news_another_reason_is():
    assert not says_more("domain:acme.com", "domain:acme.com\nname:x=x")
    assert says_more("domain:acme.com\nname:x=x", "domain:acme.com")


def test_everything_is_found_among_thousands_and_quickly():
    """Fault absent: not only the 400 newest rows of each side are compared."""
    contacts = [contact(f"Person {n}", f"p{n}@firm{n}.example") for n in range(5_000)]
    companies = [(f"Firm{n} Holding", f"firm{n}.example") for n in range(5_000)]
    began = time.perf_counter()
    got = found(contacts=contacts, companies=companies)
    assert len(got) == 5_000
    assert time.perf_counter() - began < 4  # 25 million comparisons would take minutes
