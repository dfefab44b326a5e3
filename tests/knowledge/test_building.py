"""The graph follows the rows: what a row no longer says is gone, and nothing else changes."""

from __future__ import annotations

from ctower_desktop.knowledge import names


async def test_rows_become_triples(rows):
    await rows.spring()
    assert await rows.built() == {
        "Ирина Лебедева leads Весна",
        "Весна has_status started",
        "Ноябрь ends_on 2026-11-19",
        "Вёрстка корзины assigned_to Олег Громов",
        "Вёрстка корзины part_of Весна",
        "Вёрстка корзины part_of Ноябрь",
        "Вёрстка корзины has_status Todo",
        "Оплата картой assigned_to Анна Котова",
        "Оплата картой part_of Весна",
        "Оплата картой part_of Ноябрь",
        "Оплата картой has_status Todo",
        "Оплата картой blocks Вёрстка корзины",
        "Henrik Strand works_at Кофейня Север",
        "Новый сайт belongs_to Кофейня Север",
        "Новый сайт owned_by Ирина Лебедева",
        "Ирина Лебедева won Новый сайт",
        "Новый сайт has_stage Won",
        "Новый сайт worth 12 000 EUR",
    }


async def test_a_changed_row_changes_exactly_its_triples(rows):
    await rows.spring()
    before = await rows.built()
    numbers = dict(await rows.run("SELECT id, relation FROM graph_triple"))
    await rows.run("UPDATE issue SET assignee_name = 'Пётр Ильин' WHERE id = 'issue:1'")
    after = await rows.built()
    assert before - after == {"Вёрстка корзины assigned_to Олег Громов"}
    assert after - before == {"Вёрстка корзины assigned_to Пётр Ильин"}
    now = dict(await rows.run("SELECT id, relation FROM graph_triple"))
    assert len(numbers.keys() - now.keys()) == len(now.keys() - numbers.keys()) == 1
    assert "Олег Громов" not in await rows.names()


async def test_a_deleted_row_takes_its_triples_and_what_nobody_else_names(rows):
    await rows.spring()
    before = await rows.built()
    await rows.run("UPDATE issue SET deleted_at = updated_at, deleted_reason = 'gone' WHERE id = 'issue:2'")
    after = await rows.built()
    assert {fact for fact in before if "Оплата картой" in fact} == before - after
    assert after < before
    assert not {"Оплата картой", "Анна Котова"} & await rows.names()
    await rows.run("UPDATE issue SET deleted_at = NULL, deleted_reason = NULL WHERE id = 'issue:2'")
    assert await rows.built() == before


async def test_a_new_name_is_found_everywhere(rows):
    await rows.spring()
    await rows.built()
    await rows.run("UPDATE work_project SET name = 'Лето' WHERE external_id = 'P1'")
    assert "Вёрстка корзины part_of Лето" in await rows.built()
    assert await rows.run(
        "SELECT count(*) FROM graph_words WHERE graph_words MATCH 'terms:' || :s", s=names.stem_key("лето")
    ) == [(4,)]


async def test_a_company_that_comes_after_its_people_is_theirs(rows):
    await rows.put("person", external_id="H1", full_name="Henrik Strand", account_external_id="K1")
    assert await rows.built() == set()
    await rows.put("company", external_id="K1", name="Север")
    assert await rows.built() == {"Henrik Strand works_at Север"}
    await rows.run("UPDATE company SET name = 'Юг' WHERE external_id = 'K1'")
    assert await rows.built() == {"Henrik Strand works_at Юг"}
    assert await rows.names() == {"Henrik Strand", "Юг"}


async def test_one_address_is_one_person_and_a_fact_two_rows_say_is_one_fact(rows):
    await rows.put("company", external_id="K1", name="Север")
    await rows.put(
        "person", external_id="H1", full_name="Хенрик", email="h@x.example", account_external_id="K1"
    )
    await rows.put(
        "contact", contact_id="1", account_id="1", name="Хенрик", email="H@x.example", company_name="Север"
    )
    assert await rows.built() == {"Хенрик works_at Север"}
    await rows.run("UPDATE person SET deleted_at = updated_at, deleted_reason = 'gone'")
    assert await rows.built() == {"Хенрик works_at Север"}, "the other row still says so"
    await rows.run("UPDATE contact SET deleted_at = updated_at, deleted_reason = 'gone'")
    assert await rows.built() == set()


async def test_offers_documents_and_opportunities(rows):
    account = await rows.put(
        "crm_account", name="Север", name_key="север", stage="active", owner_username="ira"
    )
    deal = await rows.put(
        "crm_opportunity", account_id=account, title="Сайт", title_key="сайт", stage="proposal", next_step="-"
    )
    await rows.put(
        "offer", account_id=account, opportunity_id=deal, title="Сайт под ключ", currency="EUR",
        subtotal=900, discount_pct=0, total=900, granted_pct=0, status="draft", language="ru", created_by="t",
        updated_by="t",
    )  # fmt: skip
    await rows.put(
        "offer_document", id=1, offer_id="offer:1", format="pdf", source_hash="x", sha256="0" * 64,
        content=b"",
        rendered_at="2026-11-19T10:00:00.000Z",
    )  # fmt: skip
    found = await rows.built()
    assert {
        "Сайт под ключ offered_to Север",
        "Сайт под ключ part_of Сайт",
        "Сайт под ключ worth 900 EUR",
        "Сайт под ключ (pdf) part_of Сайт под ключ",
        "Сайт belongs_to Север",
        "Север owned_by ira",
    } <= found


async def test_each_triple_knows_its_row_time_and_confidence(rows):
    await rows.spring()
    await rows.built()
    found = await rows.run(
        "SELECT s.source_key, s.origin, s.confidence, s.occurred_at FROM graph_source AS s"
        " JOIN graph_triple AS t ON t.id = s.triple_id WHERE t.relation = 'leads'"
    )
    assert found == [("work_project:work_project:1", "rules", 1.0, "2026-11-19T10:00:00.000Z")]


async def test_a_deleted_project_leaves_nothing(rows):
    await rows.spring()
    await rows.built()
    await rows.run("DELETE FROM project WHERE id = :p", p=rows.project_id)
    await rows.builder.catch_up()
    for table in ("graph_entity", "graph_triple", "graph_source", "graph_name", "graph_owner", "graph_queue"):
        assert await rows.run(f"SELECT count(*) FROM {table}") == [(0,)], table
    assert await rows.run("SELECT count(*) FROM graph_grams WHERE graph_grams MATCH 'вес'") == [(0,)]


def test_names_are_found_without_their_legal_form_and_in_the_other_alphabet():
    assert ("alias", "tesla") in names.keys("Tesla Inc.")
    assert {k for k in names.keys("Хенрик") if k[0] == "sound"} == {
        k for k in names.keys("Henrik") if k[0] == "sound"
    }
    assert names.tidy("a\u202eb\x00c  d") == "a b c d"
