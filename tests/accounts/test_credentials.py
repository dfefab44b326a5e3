"""The configured owner: settings, environment, and a password made at the first start."""

from __future__ import annotations

import bcrypt
import pytest

from ctower_desktop import app
from ctower_desktop.accounts.credentials import Configured, configured_owner, ensure_owner
from ctower_desktop.accounts.passwords import Passwords, equals
from ctower_desktop.kernel.errors import Invalid
from ctower_desktop.kernel.secrets import Secrets
from ctower_desktop.kernel.settings import Settings


async def settings_of(home, **environment: str) -> Settings:
    return await Settings.open(home.settings, Secrets(home.secrets, "file"), environment)


@pytest.mark.parametrize(
    ("environment", "name", "password"),
    [
        ({"AUTH_CREDENTIALS": "Anna:pass:with:colons "}, "anna", "pass:with:colons "),
        ({"AUTH_USERNAME": " Anna ", "AUTH_PASSWORD": " p "}, "anna", " p "),
        ({"ADMIN_USERNAME": "admin", "ADMIN_PASSWORD": "p"}, "admin", "p"),
        ({"AUTH_PASSWORD": "p", "ADMIN_PASSWORD": "older"}, "owner", "p"),
        ({"AUTH_CREDENTIALS": "a:b", "AUTH_USERNAME": "c", "AUTH_PASSWORD": "d"}, "a", "b"),
    ],
)
async def test_names_of_the_environment(home, environment, name, password):
    assert configured_owner(await settings_of(home, **environment)) == Configured(name, password)


@pytest.mark.parametrize("text", ["anna", "anna:", ":secret", " :secret"])
async def test_unusable_credentials_are_told_without_showing_them(home, text):
    settings = await settings_of(home, AUTH_CREDENTIALS=text)
    with pytest.raises(Invalid, match="AUTH_CREDENTIALS") as caught:
        configured_owner(settings)
    assert "secret" not in str(caught.value)


async def test_the_first_start_makes_a_password_and_shows_it_once(tower, home, clock):
    assert configured_owner(tower.settings) is None
    password = await ensure_owner(tower)
    assert password is not None
    assert len(password) >= 20
    assert configured_owner(tower.settings) == Configured("owner", password)
    assert await ensure_owner(tower) is None
    assert not home.settings.exists() or password not in home.settings.read_text("utf-8")
    assert home.secrets.stat().st_mode & 0o777 == 0o600


async def test_and_keeps_it_for_the_next_start(home, clock):
    first = await app.open_tower(home, clock=clock, environment={}, secrets="file")
    password = await ensure_owner(first)
    await app.close_tower(first)
    second = await app.open_tower(home, clock=clock, environment={}, secrets="file")
    assert await ensure_owner(second) is None
    assert configured_owner(second.settings) == Configured("owner", password)
    await app.close_tower(second)


async def test_configured_credentials_need_no_new_password(home, clock):
    tower = await app.open_tower(home, clock=clock, environment={"AUTH_CREDENTIALS": "a:b"}, secrets="file")
    assert await ensure_owner(tower) is None
    await app.close_tower(tower)


class TestHashes:
    HASH = bcrypt.hashpw("пароль".encode(), bcrypt.gensalt(4)).decode()

    @pytest.mark.parametrize("prefix", ["$2a", "$2b", "$2y"])
    def test_bcrypt_of_every_kind(self, prefix):
        owner = Configured("a", prefix + self.HASH[3:])
        assert owner.hashed
        assert equals("пароль", owner)
        assert not equals("Пароль", owner)
        assert not equals(owner.password, owner), "the hash itself is no password"

    @pytest.mark.parametrize("text", ["$2b$04$short", "$1$" + "x" * 57, "$2b$99$" + "x" * 53])
    def test_what_only_looks_like_a_hash_is_a_password(self, text):
        owner = Configured("a", text)
        assert not owner.hashed
        assert equals(text, owner)

    def test_bcrypt_reads_72_bytes_and_no_more(self):
        long = "x" * 100
        owner = Configured("a", bcrypt.hashpw(long.encode()[:72], bcrypt.gensalt(4)).decode())
        assert equals(long, owner)
        assert not equals("x" * 71, owner)
        assert not equals("x\x00y", owner)


class TestPasswords:
    @pytest.fixture
    async def passwords(self, tower):
        return await tower.part(Passwords)

    async def test_a_hash_is_argon2id_and_salted(self, passwords):
        one, two = await passwords.hash("secret"), await passwords.hash("secret")
        assert one.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
        assert one != two

    async def test_who_is_a_user_is_asked_there_only(self, passwords):
        stored, owner = await passwords.hash("hers"), Configured("anna", "configured")
        assert await passwords.matches("hers", stored, owner, is_owner=False)
        assert not await passwords.matches("configured", stored, owner, is_owner=True)

    async def test_the_configured_owner(self, passwords):
        owner = Configured("anna", "configured")
        assert await passwords.matches("configured", None, owner, is_owner=True)
        assert not await passwords.matches("configured", None, owner, is_owner=False)
        assert not await passwords.matches("other", None, owner, is_owner=True)
        assert not await passwords.matches("", None, None, is_owner=False)

    async def test_a_broken_hash_lets_nobody_in(self, passwords):
        assert not await passwords.matches("x", "$argon2id$nonsense", None, is_owner=False)

    async def test_every_attempt_costs_one_hash_whoever_is_named(self, passwords, monkeypatch):
        counted: list[str] = []
        fits = passwords._fits
        monkeypatch.setattr(passwords, "_fits", lambda p, h: counted.append(h) or fits(p, h))
        stored = await passwords.hash("hers")
        for user_hash, is_owner in ((stored, False), (None, True), (None, False)):
            counted.clear()
            await passwords.matches("guess", user_hash, Configured("anna", "x"), is_owner=is_owner)
            assert len(counted) == 1
