"""From an older schema to the newest, with a copy made before; and what is refused."""

from __future__ import annotations

import apsw
import pytest

from ctower_desktop.kernel.database import migrate
from ctower_desktop.kernel.errors import DatabaseTooNew, StorageDamaged

FIRST = "CREATE TABLE note (id INTEGER PRIMARY KEY, text TEXT NOT NULL) STRICT;"
SECOND = (
    "ALTER TABLE note ADD COLUMN kind TEXT NOT NULL DEFAULT 'plain'; CREATE INDEX note_kind ON note (kind);"
)


def version(path) -> int:
    db = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
    found = db.pragma("user_version")
    db.close()
    return int(found)


async def test_steps_are_taken_in_order_and_once(tmp_path, steps, add, opened):
    path = tmp_path / "a.db"
    first = await opened(path, steps(FIRST))
    await first.write(add, "old")
    await first.close()
    assert version(path) == 1
    folder = steps(FIRST, SECOND, "UPDATE note SET kind = 'moved';")
    (folder / "README.md").write_text("not a step")
    for _ in range(2):
        again = await opened(path, folder)
        assert await again.read(lambda c: list(c.execute("SELECT text, kind FROM note"))) == [
            ("old", "moved")
        ]
        await again.close()
    assert version(path) == 3


async def test_a_copy_is_made_before(tmp_path, steps, add, texts, opened):
    path, backups = tmp_path / "a.db", tmp_path / "backups"
    first = await opened(path, steps(FIRST), backups)
    assert not backups.exists(), "nothing to lose yet"
    await first.write(add, "precious")
    await first.close()
    await (await opened(path, steps(FIRST, SECOND), backups)).close()
    (copy,) = backups.iterdir()
    assert copy.name == "a-before-0002.db"
    assert version(copy) == 1
    db = apsw.Connection(str(copy))
    assert texts(db) == ["precious"]
    db.close()
    await (await opened(path, steps(FIRST, SECOND), backups)).close()
    assert len(list(backups.iterdir())) == 1, "no migration, no copy"


async def test_a_step_that_fails_is_undone_whole(tmp_path, steps, add, texts, opened):
    path = tmp_path / "a.db"
    first = await opened(path, steps(FIRST))
    await first.write(add, "kept")
    await first.close()
    broken = (
        "CREATE TABLE half (id INTEGER PRIMARY KEY) STRICT; DELETE FROM note WHERE id > 0; SELECT nonsense;"
    )
    with pytest.raises(apsw.SQLError):
        await opened(path, steps(FIRST, broken))
    assert version(path) == 1
    again = await opened(path, steps(FIRST, SECOND))
    assert await again.read(texts) == ["kept"]
    names = await again.read(lambda c: [row[0] for row in c.execute("SELECT name FROM sqlite_schema")])
    assert "half" not in names
    await again.close()


async def test_steps_before_the_one_that_fails_stay(tmp_path, steps, opened):
    with pytest.raises(apsw.SQLError):
        await opened(tmp_path / "a.db", steps(FIRST, "nonsense;"))
    assert version(tmp_path / "a.db") == 1


async def test_a_newer_database_is_refused_with_a_sentence_and_left_as_it_is(tmp_path, steps, opened):
    path = tmp_path / "a.db"
    await (await opened(path, steps(FIRST, SECOND))).close()
    before = path.read_bytes()
    older = steps(FIRST)
    (older / "0002_step.sql").unlink()
    with pytest.raises(DatabaseTooNew) as caught:
        await opened(path, older)
    assert str(caught.value).startswith("This database is of version 2, this program knows up to 1.")
    assert "Install the newer program" in str(caught.value)
    assert path.read_bytes() == before


async def test_rows_that_refer_to_nothing_are_noticed(tmp_path, steps, opened):
    child = "CREATE TABLE child (id INTEGER PRIMARY KEY, note INTEGER REFERENCES note (id)) STRICT;"
    path = tmp_path / "a.db"
    await (await opened(path, steps(FIRST, child))).close()
    db = apsw.Connection(str(path))
    db.execute("INSERT INTO child (note) VALUES (99)")  # without foreign keys, as another program might
    db.close()
    with pytest.raises(StorageDamaged, match="restore"):
        await opened(path, steps(FIRST, child, SECOND))


def test_a_folder_without_steps_is_version_nought(tmp_path):
    db = apsw.Connection(":memory:")
    assert migrate(db, tmp_path) == 0
    db.close()
