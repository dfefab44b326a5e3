"""The first run: from nothing to a project with a source and a question, all inside the window."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QLineEdit

from ctower_desktop.connectors.settings import ChatwootSettings
from ctower_desktop.gui.appearance import Appearance
from ctower_desktop.gui.firststeps import LookStep, ModelStep, NameStep, QuestionStep, SourcesStep
from ctower_desktop.gui.outside import Outside
from ctower_desktop.gui.pages.ask import AskPage
from ctower_desktop.kernel.tower import desktop
from ctower_desktop.projects.actions import list_projects
from ctower_desktop.sandbox.chatwoot import Chatwoot
from ctower_desktop.sandbox.host import hosted
from tests.gui.conftest import until


def step(window, kind):
    """The step in front, which is of this kind."""
    found = window.first_run.steps[window.first_run.place]
    assert isinstance(found, kind)
    return found


async def go_on(window, place):
    window.first_run.next.click()
    await until(lambda: window.first_run.place == place)


async def named(window, name="Кофейня «Север»"):
    await until(lambda: window.first_run)
    await go_on(window, 1)
    step(window, NameStep).field.setText(name)
    await go_on(window, 2)


def test_it_comes_up_where_there_is_no_project_and_nowhere_else(on_window):
    async def first(window, tower):
        await until(lambda: window.first_run and window.first_run.isVisible())
        assert len(window.first_run.steps) <= 5
        assert step(window, LookStep).chips["language.en"].hasFocus()
        window.commands.run("go.settings")
        assert window.first_run.isVisible(), "nothing else is done meanwhile"

    async def later(window, tower):
        await until(lambda: window._project)
        assert window.first_run is None

    on_window(first)
    on_window(later, projects=("Кофейня",))


def test_language_colours_and_size_are_there_at_once(on_window):
    async def body(window, tower):
        await until(lambda: window.first_run)
        step(window, LookStep).chips["language.ru"].click()
        await until(lambda: window.first_run and window.first_run.next.text() == "Дальше")
        step(window, LookStep).chips["theme.dark"].click()
        await until(lambda: tower.settings.get(Appearance).theme == "dark")
        step(window, LookStep).chips["text_scale.150"].click()
        await until(lambda: tower.settings.get(Appearance).text_scale == 150)
        assert window.first_run.place == 0
        assert window.first_run.isVisible()

    on_window(body)


def test_a_project_gets_its_name_once(on_window):
    async def body(window, tower):
        await until(lambda: window.first_run)
        await go_on(window, 1)
        name = step(window, NameStep)
        name.field.setText(" x ")
        window.first_run.next.click()
        assert name.problem.text() == "A name has at least two letters."
        name.field.setText("Кофейня «Север»")
        window.first_run.next.click()
        window.first_run.next.click()
        await until(lambda: window.first_run.place == 2)
        window.first_run.back.click()
        assert step(window, NameStep).field.isReadOnly()
        await go_on(window, 2)
        found = (await list_projects(desktop(tower, "test"))).projects
        assert [project.name for project in found] == ["Кофейня «Север»"]

    on_window(body)


def test_a_source_is_tried_and_kept_and_read_at_once(on_window, clock):
    async def body(window, tower):
        vendor = Chatwoot(clock.now)
        inbox = vendor.add_inbox("Сайт")
        contact = vendor.add_contact("Анна", "anna@north.example")
        talk = vendor.add_conversation(inbox.id, contact.id)
        clock.advance(1)
        vendor.add_message(talk.id, "Когда запуск магазина?")
        clock.advance(2)
        async with hosted(chatwoot=vendor) as urls:
            await named(window)
            sources = step(window, SourcesStep)
            assert window.first_run.next.text() == "Skip for now"
            form = sources.forms["chatwoot"]
            for field, value in (("base_url", urls["chatwoot"]), ("account_id", "1"), ("api_token", "no")):
                editor = form.form.editor(field)
                assert isinstance(editor, QLineEdit)
                editor.setText(value)
            form.test.click()
            await until(lambda: "does not accept" in form.outcome.text())
            assert "correct it" in form.advice.text()
            form.form.editor("api_token").setText(vendor.token)
            form.keep.click()
            await until(lambda: sources.chips["chatwoot"].text() == "Chatwoot: connected")
            assert tower.settings.get(ChatwootSettings).api_token == vendor.token
            assert window.first_run.next.text() == "Next"
            assert "linear" in sources.forms, "the next one that is not connected is in front"
            await go_on(window, 3)
            await until(lambda: step(window, ModelStep).models.cards)
            await go_on(window, 4)
            last = step(window, QuestionStep)
            await until(lambda: last.lines["chatwoot"].state.text() == "Works")
            assert "are being read" in last.note.text()
            last.field.setText("когда запуск магазина")
            last.ask.click()
            assert window.first_run is None
            page = window.page
            assert isinstance(page, AskPage)
            await until(lambda: page.answered is not None)
            assert not window.findChildren(QDialog)
            await tower.http.close()

    on_window(body)


def test_everything_may_be_left_out_by_keyboard(on_window, qtbot):
    async def body(window, tower):
        await named(window)
        for place in (3, 4):
            window.first_run.next.setFocus()
            qtbot.keyClick(window.first_run.next, Qt.Key.Key_Space)
            await until(lambda place=place: window.first_run.place == place)
        await until(lambda: "Nothing is connected" in step(window, QuestionStep).note.text())
        window.first_run.next.click()
        assert window.first_run is None
        assert window.stack.name == "today"
        window.commands.run("go.settings")
        assert window.stack.name == "settings"

    on_window(body)


def test_who_closes_in_the_middle_goes_on_there(on_window):
    async def first(window, tower):
        await named(window)

    async def second(window, tower):
        await until(lambda: window.first_run)
        assert window.first_run.place == 2
        step(window, SourcesStep)

    on_window(first)
    on_window(second)


def test_sample_data_are_one_click_away_and_back(on_window):
    asked = []

    async def first(window, tower):
        await until(lambda: window.first_run)
        step(window, LookStep).sample.click()
        assert asked == ["sample"]

    async def sample(window, tower):
        assert "sample data" in window.sample_notice.text
        window.sample_notice.action.click()
        assert asked == ["sample", "own"]

    on_window(first, outside=Outside(sample=lambda: asked.append("sample")))
    on_window(sample, outside=Outside(own=lambda: asked.append("own")), projects=("Кофейня",))
