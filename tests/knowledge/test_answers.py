"""Questions to the graph: what they speak of, what is found, what is said, and when nothing is."""

from __future__ import annotations

import pytest

from ctower_desktop.knowledge import asking, names, store
from ctower_desktop.knowledge.model import INGESTED, Fact, Node, Told
from ctower_desktop.search.models import Models

SCOPE = "00000000-0000-4000-8000-000000000001"
SEED = [("OpenAI", "foundedBy", "Sam Altman"), ("Elon Musk", "founded", "Tesla Inc.")]


@pytest.fixture
def say(tower, project):
    async def said(*facts):
        def node(name):
            return Node(f"name:{names.key(name)}", name, "Entity")

        told = Told(
            source_key=INGESTED, project_id=project.id, account_scope_id=SCOPE, origin="ingest",
            facts=tuple(Fact(node(head), relation, node(tail)) for head, relation, tail in facts),
        )  # fmt: skip
        return await tower.db.write(store.add, told, tower.clock.text())

    return said


@pytest.fixture
def ask(tower, project):
    async def asked(question):
        linked = await asking.link(tower, project.id, question)
        found = await asking.retrieve(tower, project.id, linked)
        return asking.answer(linked, found, question)

    return asked


@pytest.fixture
def link(tower, project):
    async def linked(question):
        return await asking.link(tower, project.id, question)

    return linked


class TestAnswers:
    @pytest.mark.parametrize(
        ("question", "cited"),
        [
            ("Who founded Tesla?", "Elon Musk -[founded]-> Tesla Inc."),
            ("who founded tesla", "Elon Musk -[founded]-> Tesla Inc."),
            ("Кто основал Теслу?", "Elon Musk -[founded]-> Tesla Inc."),
            ("Who founded OpenAI?", "OpenAI -[foundedBy]-> Sam Altman"),
        ],
    )
    async def test_the_samples_of_the_interface(self, say, ask, question, cited):
        """Fault absent: the sample question of the document could not be answered."""
        await say(*SEED)
        found = await ask(question)
        assert [each.text for each in found.cited] == [cited]
        assert found.answered
        assert found.trust > 0.6

    @pytest.mark.parametrize(
        ("question", "says", "cited"),
        [
            ("кто ведёт проект Весна?", "Ирина Лебедева ведёт проект «Весна» [1].", 1),
            ("Who leads the project Весна?", "Ирина Лебедева leads the project Весна [1].", 1),
            ("Кто делает ENG-1?", "«Вёрстка корзины» — исполнитель Олег Громов [1].", 1),
            ("Что блокирует вёрстку корзины?", "«Оплата картой» блокирует «Вёрстка корзины» [1].", 1),
            ("Где работает Хенрик Странд?", "Henrik Strand работает в компании Кофейня Север [1].", 1),
            ("Сколько стоит Новый сайт?", "сумма «Новый сайт» — 12 000 EUR [1].", 1),
            ("Когда заканчивается цикл Ноябрь?", "«Ноябрь» заканчивается 2026-11-19 [1].", 1),
        ],
    )
    async def test_the_business(self, rows, ask, question, says, cited):
        await rows.spring()
        await rows.built()
        found = await ask(question)
        assert found.text == says
        assert len(found.cited) == cited

    async def test_over_one_step_both_facts_are_cited(self, say, ask):
        await say(("Anna", "married", "Boris"), ("Boris", "born_in", "Riga"))
        found = await ask("Anna born")
        assert [each.text for each in found.cited] == ["Anna -[married]-> Boris", "Boris -[born_in]-> Riga"]
        assert "[1][2]" in found.text

    async def test_thin_evidence_is_refused_with_what_is_missing(self, say, ask):
        await say(*SEED)
        found = await ask("Who painted Tesla?")
        assert not found.answered
        assert found.cited == ()
        assert "painted" in found.text
        assert found.trust <= 0.6

    async def test_verdicts_change_the_order(self, say, ask, tower):
        await say(("Anna", "likes", "Tea"), ("Anna", "likes", "Wine"))
        assert (await ask("Anna likes")).cited[0].tail == "Tea"
        await tower.db.write(lambda db: db.execute("UPDATE graph_triple SET feedback = 1 WHERE id = 2"))
        assert (await ask("Anna likes")).cited[0].tail == "Wine"

    async def test_a_hub_answers_and_circles_end(self, say, ask):
        """Fault absent: expansion took any hundred rows of a neighbourhood."""
        await say(*((f"Guest {number}", "visited", "Hotel") for number in range(1_000)))
        await say(("Zed", "zzz_owns", "Hotel"), ("Hotel", "loves", "Hotel"), ("Zed", "loves", "Zed"))
        found = await ask("Who owns Hotel?")
        assert [each.text for each in found.cited] == ["Zed -[zzz_owns]-> Hotel"]


class TestLinking:
    @pytest.mark.parametrize(
        ("question", "name"),
        [
            ("What about Tesla Inc.?", "Tesla Inc."),
            ("what about tesla", "Tesla Inc."),
            ("Tell me about Teslla", "Tesla Inc."),
            ("Расскажи про Теслу", "Tesla Inc."),
            ("Что знаешь про Самa Олтмана и Сэм Альтман, Сам Алтман?", "Sam Altman"),
        ],
    )
    async def test_finds(self, say, link, question, name):
        """Fault absent: a name with a question mark behind it was not found."""
        await say(*SEED)
        linked = await link(question)
        assert name in {each.accepted.name for each in linked.mentions if each.accepted}

    @pytest.mark.parametrize(
        "question", ["What?", "Who is there", "привет", "🙂", "'; DROP TABLE x; --", "a " * 900]
    )
    async def test_finds_nothing_in_what_names_nothing(self, say, link, question):
        await say(*SEED, ("WhatsApp", "ownedBy", "Meta"))
        assert (await link(question)).mentions == ()

    async def test_namesakes_are_not_merged(self, rows, link):
        """Fault absent: things of one name were all linked."""
        await rows.put("contact", contact_id="1", account_id="1", name="Анна Котова", email="a@x.example")
        await rows.put("contact", contact_id="2", account_id="1", name="Анна Котова", email="b@x.example")
        await rows.built()
        linked = await link("Где работает Анна Котова?")
        assert linked.topics == {}
        assert len(linked.unclear[0].candidates) == 2

    async def test_what_is_known_of_namesakes_tells_them_apart(self, rows, link, tower):
        for number, company in ((1, "Harbour Bakery and Coffee"), (2, "Solar Power Plants")):
            await rows.put(
                "contact", contact_id=str(number), account_id="1", name="Anna Berg", company_name=company,
                email=f"{number}@x.example",
            )  # fmt: skip
        await rows.built()
        question = "What does Anna Berg from the bakery, who sells bread and coffee, want?"
        assert (await link(question)).topics == {}, "no model serves yet"
        models = await tower.part(Models)
        await models.promote((await models.wanted()).model)
        (accepted,) = [each.accepted for each in (await link(question)).mentions if each.accepted]
        about = await rows.run(
            "SELECT e.name FROM graph_triple AS t JOIN graph_entity AS e ON e.id = t.tail_id"
            " WHERE t.head_id = :id",
            id=accepted.entity_id,
        )
        assert about == [("Harbour Bakery and Coffee",)]
        assert (await link("Anna Berg")).topics == {}, "nothing in these words tells them apart"

    async def test_the_kind_that_stands_beside_the_name_decides(self, rows, link):
        await rows.put("work_project", external_id="P1", name="Весна")
        await rows.put("company", external_id="K1", name="Весна")
        await rows.built()
        assert (await link("Что с Весной?")).topics == {}
        (mention,) = (await link("Что с проектом Весна?")).mentions
        assert mention.accepted.type == "Project"
        (mention,) = (await link("Кто ведёт компанию Весна?")).mentions
        assert mention.accepted.type == "Company"

    async def test_other_projects_are_not_seen(self, say, tower, link):
        await say(*SEED)
        linked = await asking.link(tower, "00000000-0000-4000-8000-0000000000ff", "Who founded Tesla?")
        assert linked.mentions == ()
