"""Secrets of this computer: the system's keyring, or a 0600 file where there is none."""

from __future__ import annotations

import logging
import threading
from functools import cached_property
from pathlib import Path
from typing import Literal

import msgspec

from ctower_desktop.kernel.errors import Invalid, StorageFailure
from ctower_desktop.kernel.system import write_private

log = logging.getLogger(__name__)

_SERVICE = "ctower"
Place = Literal["auto", "file"]


class _Stored(msgspec.Struct):
    values: dict[str, str] = {}  # only what the keyring could not take
    in_keyring: list[str] = []  # names, so that the keyring is not woken for what is not there


class Secrets:
    """Named secrets of one home. Blocking: call from a thread, except `get` of what was read before."""

    def __init__(self, path: Path, place: Place = "auto") -> None:
        self._path, self._place = path, place
        self._changing = threading.Lock()

    @cached_property
    def _stored(self) -> _Stored:
        return _read(self._path)

    @cached_property
    def _known(self) -> dict[str, str]:
        return dict(self._stored.values)

    def get(self, name: str) -> str | None:
        """The secret, or None."""
        if name in self._known:
            return self._known[name]
        if name in self._stored.in_keyring:
            found = self._keyring_get(name)
            if found is not None:
                self._known[name] = found
            return found
        return None

    def put(self, name: str, value: str | None) -> Literal["keyring", "file", "nowhere"]:
        """Keep a secret, or forget it when `value` is None; say where it is now.

        Raise StorageFull or StorageFailure when the file cannot be written; the old secret is there then.
        """
        with self._changing:
            return self._put(name, value)

    def _put(self, name: str, value: str | None) -> Literal["keyring", "file", "nowhere"]:
        before = self._known.get(name)
        stored = _Stored(dict(self._stored.values), list(self._stored.in_keyring))
        in_keyring = name in stored.in_keyring
        stored.values.pop(name, None)
        if in_keyring:
            stored.in_keyring.remove(name)
        where: Literal["keyring", "file", "nowhere"] = "nowhere"
        if value is not None:
            where = "keyring" if self._keyring_put(name, value) else "file"
            if where == "file":
                stored.values[name] = value
            else:
                stored.in_keyring.append(name)
        try:
            write_private(self._path, msgspec.json.encode(stored))
        except StorageFailure:
            if where == "keyring" and not (in_keyring and before and self._keyring_put(name, before)):
                self._keyring_delete(name)
            raise
        if in_keyring and where != "keyring":
            self._keyring_delete(name)
        self._stored = stored
        self._known.pop(name, None)
        if value is not None:
            self._known[name] = value
        return where

    def describe(self) -> str:
        """Where secrets go on this computer, for `ctower doctor`."""
        return "keyring" if self._backend() else f"file {self._path}"

    def _backend(self) -> object | None:
        if self._place == "file":
            return None
        import keyring  # 165 ms: only when a secret is stored or read

        found = keyring.get_keyring()
        return found if found.priority >= 1 else None

    def _user(self, name: str) -> str:
        return f"{self._path.parent}:{name}"

    def _keyring_get(self, name: str) -> str | None:
        import keyring
        from keyring.errors import KeyringError

        try:
            return keyring.get_password(_SERVICE, self._user(name))
        except KeyringError as error:
            log.error("the keyring does not give %s: %s", name, error)
            return None

    def _keyring_put(self, name: str, value: str) -> bool:
        if self._backend() is None:
            return False
        import keyring
        from keyring.errors import KeyringError

        try:
            keyring.set_password(_SERVICE, self._user(name), value)
        except KeyringError as error:
            log.info("the keyring refused %s (%s); it goes to the secrets file", name, error)
            return False
        return True

    def _keyring_delete(self, name: str) -> None:
        import keyring
        from keyring.errors import KeyringError

        try:
            keyring.delete_password(_SERVICE, self._user(name))
        except KeyringError as error:
            log.info("the keyring kept %s: %s", name, error)


def _read(path: Path) -> _Stored:
    try:
        return msgspec.json.decode(path.read_bytes(), type=_Stored)
    except FileNotFoundError:
        return _Stored()
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Invalid(f"{path} is damaged: {error}. Move it away and connect the accounts again.") from None
    except OSError as error:
        raise Invalid(f"{path} cannot be read: {error.strerror}.") from error
