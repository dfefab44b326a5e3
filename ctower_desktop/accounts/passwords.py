"""Hashing and comparing passwords, off the loop and one at a time."""

from __future__ import annotations

import asyncio
import hmac
import secrets
from concurrent.futures import ThreadPoolExecutor
from typing import Self

import bcrypt
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from ctower_desktop.accounts.credentials import Configured
from ctower_desktop.kernel.tower import Tower

_BCRYPT_READS = 72  # bytes; what follows never counted


class Passwords:
    """One thread that hashes: a storm of sign-ins cannot take all memory.

    Every attempt costs the same, whoever is named and whether or not they exist.
    """

    def __init__(self) -> None:
        self._argon2 = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
        self._dummy = self._argon2.hash(secrets.token_hex(16))
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="passwords")

    @classmethod
    async def start(cls, _tower: Tower) -> Self:
        """Ready, with a hash for those who do not exist."""
        return await asyncio.to_thread(cls)

    async def stop(self) -> None:
        """Let the running hash end."""
        await asyncio.to_thread(self._thread.shutdown, cancel_futures=True)

    async def hash(self, password: str) -> str:
        """An argon2id hash to keep."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._argon2.hash, password)

    async def hash_for_settings(self, password: str) -> str:
        """A bcrypt hash, which the settings take in the place of the configured owner's password."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, _bcrypt, password)

    async def matches(
        self, password: str, user_hash: str | None, configured: Configured | None, *, is_owner: bool
    ) -> bool:
        """Whether `password` is the one behind `user_hash`, or without one the configured owner's.

        Both are always compared; `is_owner` says whether it is the configured owner who is named.
        """
        return await asyncio.get_running_loop().run_in_executor(
            self._thread, self._matches, password, user_hash, configured, is_owner
        )

    def _matches(
        self,
        password: str,
        user_hash: str | None,
        configured: Configured | None,
        is_owner: bool,  # noqa: FBT001 - run_in_executor takes no keywords
    ) -> bool:
        is_users = self._fits(password, user_hash or self._dummy)
        is_owners = configured is not None and equals(password, configured) and is_owner
        return is_users if user_hash is not None else is_owners

    def _fits(self, password: str, argon2_hash: str) -> bool:
        try:
            return self._argon2.verify(argon2_hash, password)
        except (VerificationError, InvalidHashError):
            return False


def _bcrypt(password: str) -> str:
    return bcrypt.hashpw(password.encode()[:_BCRYPT_READS], bcrypt.gensalt(12)).decode()


def equals(password: str, owner: Configured) -> bool:
    """Whether `password` is the configured one, itself or as a bcrypt hash."""
    given = password.encode()
    if owner.hashed:
        return bcrypt.checkpw(given[:_BCRYPT_READS], owner.password.encode())
    return hmac.compare_digest(given, owner.password.encode())
