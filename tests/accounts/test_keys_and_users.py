"""Keys made sane, people added, sessions and keys found again."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from ctower_desktop.accounts import store
from ctower_desktop.accounts.attempts import LoginAttempts
from ctower_desktop.accounts.keys import key_expiry, key_name, key_scopes, new_key
from ctower_desktop.accounts.model import EmailTaken, InvalidExpiresAt, LoginRateLimited, UsernameTaken
from ctower_desktop.accounts.sessions import (
    csrf_token,
    hashed,
    open_session,
    who_holds_key,
    who_holds_session,
)
from ctower_desktop.accounts.users import add_user
from ctower_desktop.kernel.errors import Unauthenticated

NOW = datetime(2026, 11, 20, 10, tzinfo=UTC)


def test_a_key_carries_256_random_bits():
    keys = {new_key() for _ in range(100)}
    assert len(keys) == 100
    assert {len(key) for key in keys} == {46}


@pytest.mark.parametrize(
    ("given", "name"),
    [(None, "Unnamed key"), ("", "Unnamed key"), (" CI ", "CI"), ("x" * 99 + " y", "x" * 99)],
)
def test_names(given, name):
    assert key_name(given) == name


@pytest.mark.parametrize(
    ("given", "scopes"),
    [
        (None, ["read"]),
        ([], ["read"]),
        (["root"], ["read"]),
        ([" Write "], ["write"]),
        (["admin", "read", "admin"], ["read", "admin"]),
    ],
)
def test_scopes(given, scopes):
    assert key_scopes(given) == scopes


@pytest.mark.parametrize(
    ("given", "stored"),
    [
        (None, None),
        ("", None),
        ("2026-11-21", "2026-11-21T00:00:00.000Z"),
        ("2026-11-20T12:00:00+01:30", "2026-11-20T10:30:00.000Z"),
        ("2026-11-20T10:00:00.001Z", "2026-11-20T10:00:00.001Z"),
    ],
)
def test_expiry(given, stored):
    assert key_expiry(given, NOW) == stored


@pytest.mark.parametrize(
    "given",
    ["soon", "2026-11-20", "2026-11-20T10:00:00Z", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"],
)
def test_expiry_that_is_none(given):
    with pytest.raises(InvalidExpiresAt):
        key_expiry(given, NOW)


async def test_people_have_names_of_their_own(tower):
    await add_user(tower, " Анна ", "secret", "pm", " Anna@Example.com ")
    found = await tower.db.read(store.user_named, "анна")
    assert (found.role, found.email) == ("pm", "anna@example.com")
    assert "secret" not in found.password_hash
    with pytest.raises(UsernameTaken):
        await add_user(tower, "АННА", "other")
    with pytest.raises(EmailTaken):
        await add_user(tower, "Борис", "other", email="ANNA@example.com")
    assert await tower.db.read(store.user_named, "борис") is None


async def test_a_session_is_found_by_its_token_only(tower):
    user = await add_user(tower, "anna", "secret", "viewer")
    token, who = await open_session(tower, "anna", user, user.password_hash)
    assert (who.role, who.user_id, who.sees_all_projects) == ("viewer", user.id, False)
    assert who.session_id == hashed(token) != token
    assert await who_holds_session(tower, token) == who
    assert await who_holds_session(tower, hashed(token)) is None
    assert await who_holds_session(tower, "") is None
    assert await who_holds_session(tower, "\udcff") is None


async def test_a_session_ends_with_its_password_and_its_user(tower):
    user = await add_user(tower, "anna", "secret")
    token, _ = await open_session(tower, "anna", user, user.password_hash)
    await tower.db.write(lambda db: list(db.execute("UPDATE app_user SET password_hash = '$new'")))
    assert await who_holds_session(tower, token) is None
    second, _ = await open_session(tower, "anna", user, "$new")
    assert await who_holds_session(tower, second) is not None
    await tower.db.write(lambda db: list(db.execute("DELETE FROM app_user WHERE id = ?", (user.id,))))
    assert await who_holds_session(tower, second) is None


async def test_a_changed_role_counts_at_once(tower):
    user = await add_user(tower, "anna", "secret", "pm")
    token, _ = await open_session(tower, "anna", user, user.password_hash)
    await tower.db.write(lambda db: list(db.execute("UPDATE app_user SET role = 'viewer'")))
    assert (await who_holds_session(tower, token)).role == "viewer"


def test_the_token_of_a_session_is_48_hex_digits_and_its_own():
    assert csrf_token("a" * 64) == csrf_token("a" * 64) != csrf_token("b" * 64)
    assert len(csrf_token("a" * 64)) == 48


@pytest.mark.parametrize("key", ["", "lp_", "lp_" + "x" * 43, "x" * 100_000, "\udcff"])
async def test_an_unknown_key_is_nobodys(tower, key):
    with pytest.raises(Unauthenticated):
        await who_holds_key(tower, key)


async def test_attempts_are_counted_before_they_are_judged(tower, clock):
    attempts = await tower.part(LoginAttempts)
    for _ in range(3):
        attempts.take("127.0.0.1:anna", 3, 60)
    with pytest.raises(LoginRateLimited) as caught:
        attempts.take("127.0.0.1:anna", 3, 60)
    assert caught.value.retry_after == 60
    attempts.take("127.0.0.1:boris", 3, 60)
    clock.advance(60)
    attempts.take("127.0.0.1:anna", 3, 60)
