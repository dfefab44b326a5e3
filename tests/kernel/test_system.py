"""Times, ids, folders, the lock of a home."""

from __future__ import annotations

import asyncio
import errno
import os
import signal
import stat
import sys
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ctower_desktop.kernel.check import is_uuid
from ctower_desktop.kernel.errors import StorageFailure, StorageFull
from ctower_desktop.kernel.system import (
    Clock,
    FileLock,
    Home,
    as_text,
    from_text,
    new_id,
    resources,
    write_private,
)

MOMENTS = st.datetimes(datetime(1970, 1, 2), datetime(9999, 1, 1), timezones=st.just(UTC))


class TestTimes:
    def test_one_form(self):
        assert as_text(datetime(2026, 11, 20, 10, 12, tzinfo=UTC)) == "2026-11-20T10:12:00.000Z"
        moscow = timezone(timedelta(hours=3))
        assert as_text(datetime(2026, 1, 1, 2, 30, 5, 123_999, tzinfo=moscow)) == "2025-12-31T23:30:05.123Z"

    @given(MOMENTS)
    def test_back_and_forth_loses_less_than_a_millisecond(self, moment):
        assert timedelta() <= moment - from_text(as_text(moment)) < timedelta(milliseconds=1)

    @given(MOMENTS, MOMENTS)
    def test_texts_sort_as_moments(self, a, b):
        if a <= b:
            assert as_text(a) <= as_text(b)

    def test_the_real_clock_is_utc_and_goes_on(self):
        clock = Clock()
        assert clock.now().utcoffset() == timedelta()
        assert clock.monotonic() <= clock.monotonic()
        assert abs(from_text(clock.text()) - clock.now()) < timedelta(minutes=1)


def test_ids_are_uuids():
    assert is_uuid(new_id())
    assert new_id() != new_id()


def test_a_home_is_private(tmp_path):
    home = Home(tmp_path / "a" / "b")
    home.prepare()
    home.prepare()
    for folder in (home.path, home.run, home.backups, home.logs):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_a_home_that_cannot_be_is_refused_in_words(tmp_path):
    (tmp_path / "file").write_text("no folder")
    for place in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(StorageFailure, match=r"file.* cannot be written: "):
            Home(place).prepare()
        with pytest.raises(StorageFailure, match="lock cannot be written: "):
            FileLock.acquire(place / "lock")


def test_the_environment_names_the_home(monkeypatch, tmp_path):
    monkeypatch.setenv("CTOWER_HOME", str(tmp_path / "x"))
    assert Home.default().path == tmp_path / "x"
    monkeypatch.delenv("CTOWER_HOME")
    assert Home.default().path.name == "ctower"


def test_shipped_files_are_found():
    assert resources().is_dir()


class TestPrivateFiles:
    def test_a_file_is_replaced_whole(self, tmp_path):
        path = tmp_path / "settings.toml"
        write_private(path, b"old")
        write_private(path, b"new")
        assert path.read_bytes() == b"new"
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert [file.name for file in tmp_path.iterdir()] == ["settings.toml"]

    def test_what_a_crash_left_is_in_nobodys_way(self, tmp_path):
        (tmp_path / "a.toml.partial").write_text("half")
        (tmp_path / "a.toml.partial").chmod(0o644)
        write_private(tmp_path / "a.toml", b"whole")
        assert (tmp_path / "a.toml").read_bytes() == b"whole"
        assert stat.S_IMODE((tmp_path / "a.toml").stat().st_mode) == 0o600

    @pytest.mark.parametrize(("number", "told"), [(errno.ENOSPC, StorageFull), (errno.EIO, StorageFailure)])
    def test_a_full_disk_leaves_the_old_file(self, tmp_path, monkeypatch, number, told):
        path = tmp_path / "a.toml"
        write_private(path, b"old")

        def full(handle):
            raise OSError(number, os.strerror(number))

        monkeypatch.setattr(os, "fsync", full)
        with pytest.raises(told):
            write_private(path, b"new")
        assert path.read_bytes() == b"old"


HOLDING = """
import sys, time
from pathlib import Path
from ctower_desktop.kernel.system import FileLock
assert FileLock.acquire(Path(sys.argv[1])) is not None
print("held", flush=True)
time.sleep(60)
"""


class TestLock:
    def test_one_at_a_time(self, tmp_path):
        path = tmp_path / "run" / "lock"
        lock = FileLock.acquire(path)
        assert lock is not None
        assert path.read_text() == str(os.getpid())
        assert FileLock.acquire(path) is None
        assert path.read_text() == str(os.getpid()), "asking does not change who holds it"
        lock.release()
        again = FileLock.acquire(path)
        assert again is not None
        again.release()

    @pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL")
    async def test_dies_with_its_process(self, tmp_path):
        child = await asyncio.create_subprocess_exec(
            sys.executable, "-c", HOLDING, str(tmp_path / "lock"), stdout=asyncio.subprocess.PIPE
        )
        assert child.stdout is not None
        async with asyncio.timeout(30):
            assert await child.stdout.readline() == b"held\n"
        assert await asyncio.to_thread(FileLock.acquire, tmp_path / "lock") is None
        child.send_signal(signal.SIGKILL)
        await child.wait()
        lock = await asyncio.to_thread(FileLock.acquire, tmp_path / "lock")
        assert lock is not None
        lock.release()
