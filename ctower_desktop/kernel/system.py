"""Where things are, what time it is, and who holds the home."""

from __future__ import annotations

import contextlib
import errno
import os
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path

import platformdirs

from ctower_desktop.kernel.errors import StorageFailure, StorageFull

PACKAGE = Path(__file__).resolve().parent.parent


@lru_cache(maxsize=1)
def resources() -> Path:
    """The folder of shipped files: inside the package when installed, beside it in a checkout."""
    inside = PACKAGE / "resources"
    return inside if inside.is_dir() else PACKAGE.parent / "resources"


@dataclass(frozen=True, slots=True)
class Home:
    """The folder that holds everything of one user: database, index, settings, log, backups."""

    path: Path

    @classmethod
    def default(cls) -> Home:
        """`$CTOWER_HOME`, else the platform's folder for user data."""
        return cls(
            Path(os.environ.get("CTOWER_HOME") or platformdirs.user_data_dir("ctower", appauthor=False))
        )

    def prepare(self) -> None:
        """Create the folders, readable by their owner only; raise StorageFailure where they cannot be."""
        for folder in (self.path, self.run, self.backups, self.logs):
            with writing(folder):
                folder.mkdir(parents=True, exist_ok=True, mode=0o700)

    @property
    def database(self) -> Path:
        return self.path / "ctower.db"

    @property
    def index(self) -> Path:
        return self.path / "index.db"

    def drop_index(self) -> None:
        """Remove the rebuildable search index."""
        for suffix in ("", "-wal", "-shm"):
            self.index.with_name(self.index.name + suffix).unlink(missing_ok=True)

    @property
    def settings(self) -> Path:
        return self.path / "settings.toml"

    @property
    def secrets(self) -> Path:
        return self.path / "secrets.json"

    @property
    def run(self) -> Path:
        return self.path / "run"

    @property
    def lock(self) -> Path:
        return self.run / "lock"

    @property
    def endpoints(self) -> Path:
        return self.run / "endpoints.json"

    @property
    def backups(self) -> Path:
        return self.path / "backups"

    @property
    def logs(self) -> Path:
        return self.path / "logs"


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Name what the system refuses: StorageFull, or StorageFailure saying that `path` cannot be written."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise StorageFull from error
        raise StorageFailure(f"{path} cannot be written: {error.strerror}.") from error


@contextmanager
def replacing(path: Path, content: bytes) -> Iterator[None]:
    """Replace a file by one that only its owner may read, once the body has ended well.

    The new content is on the disk before the body runs. Raise StorageFull or StorageFailure when it cannot
    be written; then, and when the body raises, the old file is there. A power cut leaves one of the two.
    """
    partial = path.with_name(path.name + ".partial")
    try:
        with writing(path):
            partial.unlink(missing_ok=True)
            handle = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with open(handle, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(handle)
        yield
    except BaseException:
        with contextlib.suppress(OSError):  # in the way of nothing, and what happened first is told
            partial.unlink(missing_ok=True)
        raise
    with writing(path):
        partial.replace(path)


def write_private(path: Path, content: bytes) -> None:
    """Replace a file by one that only its owner may read; a power cut leaves the old or the new one.

    Raise StorageFull or StorageFailure when it cannot be written; the old file is there then.
    """
    with replacing(path, content):
        pass


class Clock:
    """Wall-clock time in UTC and a monotonic counter; tests hand in their own."""

    def now(self) -> datetime:
        """The time of day, UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Seconds that only go forward; they may stand still while the computer sleeps."""
        return time.monotonic()

    def text(self) -> str:
        """The time of day as stored: `2026-11-20T10:12:00.000Z`."""
        return as_text(self.now())


def as_text(moment: datetime) -> str:
    """UTC ISO-8601 with milliseconds and `Z`, the one form of times in the database."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03}Z"


def from_text(text: str) -> datetime:
    """The moment behind a stored time."""
    return datetime.fromisoformat(text).astimezone(UTC)


def new_id() -> str:
    """A fresh UUID, version 4."""
    return str(uuid.uuid4())


@dataclass(frozen=True, slots=True)
class FileLock:
    """Held by the one process that works in a home; the system frees it when the process dies."""

    path: Path
    _release: Callable[[], None]

    @classmethod
    def acquire(cls, path: Path) -> FileLock | None:
        """Take the lock, or None when another process holds it; the file then names its process.

        Raise StorageFailure when the file cannot be written.
        """
        with writing(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        if not _lock(handle):
            os.close(handle)
            return None
        with writing(path):
            os.ftruncate(handle, 0)
            os.write(handle, str(os.getpid()).encode())
        return cls(path, lambda: os.close(handle))

    def release(self) -> None:
        """Give the home free."""
        self._release()


if os.name == "nt":
    import msvcrt

    def _lock(handle: int) -> bool:
        try:
            os.lseek(handle, 1 << 20, os.SEEK_SET)  # beyond the process id, which stays readable
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined,unused-ignore]
        except OSError:
            return False
        os.lseek(handle, 0, os.SEEK_SET)
        return True

else:
    import fcntl

    def _lock(handle: int) -> bool:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True
