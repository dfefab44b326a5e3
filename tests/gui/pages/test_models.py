"""Models in the settings: what each can do, taking one in by a few clicks, comparing, using, removing."""

from __future__ import annotations

import asyncio

import pytest
from PySide6.QtWidgets import QApplication, QDialog, QFileDialog

from ctower_desktop.gui import text, theme
from ctower_desktop.gui.model_dialog import CopyDialog
from ctower_desktop.gui.pages.settings import SettingsPage
from ctower_desktop.search.indexing import Indexer
from ctower_desktop.search.models import Models
from tests.gui.conftest import until
from tests.gui.pages.test_fit import cut_off, settled
from tests.search import tiny

SHIPPED = "all-MiniLM-L6-v2-int8-c5609d58"


async def opened(stage):
    """The models on the search page of the settings."""
    indexer = Indexer(stage.tower, await stage.tower.part(Models))
    part = asyncio.get_running_loop().create_future()
    part.set_result(indexer)
    stage.tower._parts[Indexer] = part  # it works only when asked to
    page = stage.show(SettingsPage)
    places = [page.list.item(place) for place in range(page.list.count())]
    page.list.setCurrentItem(next(item for item in places if item.data(0x0100) == "search"))
    await until(lambda: page.models is not None and page.models.cards)
    return page.models, indexer


async def say(stage, count=36):
    """Texts to compare on: pairs of questions and answers."""
    p = stage.project.id
    talk, at = f"cw:{p}:1:7", "2026-11-19T10:00:00.000Z"
    await stage.add(
        "conversation", id=talk, account_id="1", conversation_id="7", status="open", created_at=at
    )
    number = 0
    for row in tiny.trial_rows()[:count]:
        for who, said in (("Client", row[2]), ("Анна", row[3])):
            number += 1
            moment = f"2026-11-{1 + number // 24:02}T{number % 24:02}:00:00.000Z"
            await stage.add(
                "message", id=f"cwmsg:{p}:1:{number}", account_id="1", message_id=str(number),
                conversation_id="7", conversation_global_id=talk, sender_type="contact", sender_name=who,
                message_type="0", content=said, created_at=moment, updated_at=moment,
            )  # fmt: skip


async def embed(indexer):
    while await indexer.index_words():
        pass
    while await indexer.embed_some() is not None:
        pass


def test_a_folder_is_taken_in_compared_used_and_removed(on_stage, tmp_path):
    async def body(stage):
        await say(stage)
        folder = await asyncio.to_thread(tiny.model, tmp_path / "мой диск" / "my-model")
        models, indexer = await opened(stage)
        await embed(indexer)
        models.refresh()
        await until(lambda: models.cards[SHIPPED].state.text() == "answers now")
        assert models.cards[SHIPPED].ability.text().splitlines() == [
            "русский 0.05 · English 0.88 · ru→en 0.07 · en→ru 0.02",
            "Russian is turned into English for this model.",
        ]
        assert set(models.cards[SHIPPED].deeds) == {"compare"}

        models.offer(str(folder))
        await until(lambda: models.findChild(CopyDialog) is not None)
        models.findChild(CopyDialog).copy.click()
        await until(lambda: len(models.cards) == 2)
        (own,) = models.cards.keys() - {SHIPPED}
        assert models.cards[own].state.text() == "model getting ready"
        assert stage.toasts[0][0].startswith("Texts are getting its vectors")
        assert models.busy.isHidden()
        assert models.add.isEnabled()

        models.cards[own].deeds["compare"].click()
        await until(lambda: not models.outcome.isHidden(), 25)
        assert models.trying.isHidden()
        assert "+" in models.outcome.summary.text()
        assert own in models.outcome.summary.text()
        by_slice = {cells[0]: cells for cells in models.outcome.cells}
        assert {"all questions", "in English", "question and reply"} <= by_slice.keys()
        assert all(len(cells) == 7 for cells in models.outcome.cells)

        models.cards[SHIPPED].deeds["use"].click()
        await until(lambda: "use" not in models.cards[SHIPPED].deeds)
        await embed(indexer)
        models.cards[own].deeds["remove"].click()
        await until(lambda: models.cards.keys() == {SHIPPED})

    on_stage(body)


def test_the_files_may_stay_where_they_are(on_stage, tmp_path):
    async def body(stage):
        folder = await asyncio.to_thread(tiny.model, tmp_path / "disk")
        models, _ = await opened(stage)
        models.offer(str(folder))
        await until(lambda: models.findChild(CopyDialog) is not None)
        models.findChild(CopyDialog).leave.click()
        await until(lambda: len(models.cards) == 2)
        assert not (stage.tower.home.path / "models" / "model.onnx").exists()

    on_stage(body)


def test_the_folder_is_asked_for_without_holding_the_loop(on_stage, tmp_path):
    async def body(stage):
        models, _ = await opened(stage)
        models.add.click()
        dialog = models.findChild(QFileDialog)
        assert dialog.isVisible()
        assert dialog.fileMode() is QFileDialog.FileMode.Directory
        offered = []
        models.offer = offered.append
        dialog.reject()
        assert offered == []

    on_stage(body)


def test_a_folder_without_a_model_is_told_in_place(on_stage, tmp_path):
    async def body(stage):
        models, _ = await opened(stage)
        models.offer(str(tmp_path))
        await until(lambda: not models.problem.isHidden())
        assert "model.onnx is missing" in models.problem.text()
        assert models.findChild(QDialog) is None
        assert models.busy.isHidden()

    on_stage(body)


def test_without_a_project_there_is_nothing_to_compare_on(on_stage):
    async def body(stage):
        models, _ = await opened(stage)
        assert models.cards[SHIPPED].deeds == {}

    on_stage(body, project=False)


@pytest.mark.parametrize("language", ["en", "ru"])
@pytest.mark.parametrize("scale", [1.0, 1.5])
def test_nothing_is_cut_off(on_stage, qapp: QApplication, tmp_path, language, scale):
    async def body(stage):
        text.set_language(language)
        theme.apply(qapp, "light", scale)
        await say(stage, 24)
        folder = await asyncio.to_thread(tiny.model, tmp_path / ("long-" * 12 + "name"))
        models, indexer = await opened(stage)
        await embed(indexer)
        models.take(str(folder), in_place=True)
        await until(lambda: len(models.cards) == 2)
        models.compare(SHIPPED)
        await until(lambda: not models.outcome.isHidden(), 25)
        await settled(models)
        assert cut_off(models) == []

    on_stage(body)
