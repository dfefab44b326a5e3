"""Settings: environment before file before default; secrets apart; nothing half changed."""

from __future__ import annotations

import asyncio
import errno
import os
import stat
from typing import Annotated

import msgspec
import pytest
from msgspec import Meta

from ctower_desktop.kernel import settings
from ctower_desktop.kernel.errors import Invalid, StorageFull
from ctower_desktop.kernel.secrets import Secrets
from ctower_desktop.kernel.settings import Settings, fields, page


@pytest.fixture(autouse=True)
def declared(monkeypatch: pytest.MonkeyPatch) -> type[msgspec.Struct]:
    """One page, in a registry of the test's own."""
    monkeypatch.setattr(settings, "SETTINGS", {})

    @page("sync")
    class Sync(msgspec.Struct, frozen=True, kw_only=True):
        """How things are pulled."""

        interval: Annotated[
            int,
            Meta(ge=1, le=100, title="Interval", description="In minutes.", extra={"env": ["SYNC_INTERVAL"]}),
        ] = 15
        url: Annotated[str, Meta(title="Address", description="Where.")] = "https://example.org"
        token: Annotated[str, Meta(title="Token", extra={"secret": True, "env": ["SYNC_TOKEN"]})] = ""
        limits: Annotated[dict[str, int], Meta(title="Limits", extra={"env_each": ["LIMIT_", "_MS"]})] = {}
        live: bool = True

    return Sync


@pytest.fixture
def opened(tmp_path, declared):
    async def open_settings(**environment: str) -> Settings:
        return await Settings.open(
            tmp_path / "settings.toml", Secrets(tmp_path / "secrets.json", "file"), environment
        )

    return open_settings


async def test_defaults_without_being_told_anything(opened, declared):
    found = await opened()
    assert found.get(declared) == declared()


async def test_changes_are_written_and_found_again(opened, declared, tmp_path):
    found = await opened()
    told: list[str] = []
    found.changed.append(told.append)
    changed = await found.change(declared, {"interval": "30", "url": " https://a.example "})
    assert (changed.interval, changed.url) == (30, "https://a.example")
    assert told == ["sync"]
    assert (await opened()).get(declared).interval == 30
    assert stat.S_IMODE((tmp_path / "settings.toml").stat().st_mode) == 0o600


async def test_changes_at_the_same_time_do_not_lose_each_other(opened, declared):
    found = await opened()
    wanted = {"interval": 30, "url": "https://a.example", "live": False, "limits": {"sync": 5}, "token": "t"}
    await asyncio.gather(*(found.change(declared, {name: value}) for name, value in wanted.items()))
    assert msgspec.structs.asdict((await opened()).get(declared)) == wanted


async def test_none_brings_the_default_back(opened, declared, tmp_path):
    found = await opened()
    await found.change(declared, {"interval": 30})
    assert (await found.change(declared, {"interval": None})).interval == 15
    assert "interval" not in (tmp_path / "settings.toml").read_text()


async def test_the_environment_wins_and_says_so(opened, declared):
    await (await opened()).change(declared, {"interval": 30, "url": "https://file.example"})
    found = await opened(SYNC_INTERVAL="45", CTOWER_SYNC_LIVE="false")
    assert (found.get(declared).interval, found.get(declared).live) == (45, False)
    source = {field.name: found.source(field) for field in fields("sync")}
    assert source == {
        "interval": "environment",
        "url": "file",
        "token": "default",
        "limits": "default",
        "live": "environment",
    }


async def test_the_first_name_that_is_set_wins(opened, declared):
    found = await opened(CTOWER_SYNC_INTERVAL="5", SYNC_INTERVAL="")
    assert found.get(declared).interval == 5
    found = await opened(CTOWER_SYNC_INTERVAL="5", SYNC_INTERVAL="7")
    assert found.get(declared).interval == 7


async def test_entries_of_a_dict_come_from_names_around_them(opened, declared):
    await (await opened()).change(declared, {"limits": {"index": 5, "sync": 1}})
    found = await opened(LIMIT_SYNC_MS="50", LIMIT_DAILY_DIGEST_MS="7", LIMIT__MS="9", LIMIT_X_MS="")
    assert found.get(declared).limits == {"index": 5, "sync": 50, "daily_digest": 7}
    (limits,) = [field for field in fields("sync") if field.name == "limits"]
    assert found.source(limits) == "environment"
    assert limits.environment == ("LIMIT_<NAME>_MS",)


@pytest.mark.parametrize(
    ("environment", "sentence"),
    [({"SYNC_INTERVAL": "often"}, "Setting sync.interval"), ({"LIMIT_A_MS": "x"}, "Setting sync.limits")],
)
async def test_a_wrong_environment_is_refused_by_name(opened, environment, sentence):
    with pytest.raises(Invalid, match=sentence):
        await opened(**environment)


async def test_a_wrong_change_changes_nothing(opened, declared, tmp_path):
    found = await opened()
    await found.change(declared, {"interval": 30})
    before = (tmp_path / "settings.toml").read_bytes()
    with pytest.raises(Invalid) as caught:
        await found.change(declared, {"interval": 1_000, "url": "https://new.example"})
    assert [issue.path for issue in caught.value.issues] == ["interval"]
    with pytest.raises(Invalid) as caught:
        await found.change(declared, {"no_such": 1})
    assert [issue.code for issue in caught.value.issues] == ["unrecognized_keys"]
    assert found.get(declared).interval == 30
    assert (tmp_path / "settings.toml").read_bytes() == before


async def test_a_secret_never_reaches_the_file(opened, declared, tmp_path):
    found = await opened()
    assert (await found.change(declared, {"token": "s3cret-value"})).token == "s3cret-value"
    settings_file = tmp_path / "settings.toml"
    assert not settings_file.exists() or "s3cret" not in settings_file.read_text()
    again = await opened()
    assert again.get(declared).token == "s3cret-value"
    (token,) = [field for field in fields("sync") if field.secret]
    assert again.source(token) == "keyring"
    assert (await again.change(declared, {"token": None})).token == ""
    assert (await opened()).get(declared).token == ""


async def test_a_file_that_cannot_be_read_is_named(opened, tmp_path):
    (tmp_path / "settings.toml").mkdir()
    with pytest.raises(Invalid, match=r"settings\.toml cannot be read"):
        await opened()


async def test_a_file_that_is_not_toml_is_left_alone_and_named(opened, tmp_path):
    (tmp_path / "settings.toml").write_text("interval = = 5")
    with pytest.raises(Invalid, match="not valid TOML"):
        await opened()
    assert (tmp_path / "settings.toml").read_text() == "interval = = 5"


async def test_pages_and_keys_of_a_newer_version_survive(opened, declared, tmp_path):
    (tmp_path / "settings.toml").write_text('[sync]\ninterval = 20\nfuture = 1\n[newer]\nkey = "kept"\n')
    found = await opened()
    assert found.get(declared).interval == 20
    await found.change(declared, {"interval": 21})
    text = (tmp_path / "settings.toml").read_text()
    assert 'key = "kept"' in text
    assert "future = 1" in text


def test_a_page_is_declared_once(declared):
    with pytest.raises(TypeError, match="two settings pages"):

        @page("sync")
        class Another(msgspec.Struct):
            """Another."""


async def test_an_undeclared_page_is_our_bug(opened):
    class Stray(msgspec.Struct):
        """Not declared."""

    with pytest.raises(LookupError):
        (await opened()).get(Stray)


def test_fields_describe_themselves():
    (interval, *_) = fields("sync")
    assert (interval.title, interval.about, interval.default) == ("Interval", "In minutes.", 15)
    assert interval.environment == ("SYNC_INTERVAL", "CTOWER_SYNC_INTERVAL")
    assert not interval.secret


async def test_a_full_disk_between_secret_and_file_changes_neither(opened, declared, tmp_path, monkeypatch):
    """Fault absent: a secret was stored although the file beside it could not be written."""
    found = await opened()
    await found.change(declared, {"token": "old", "interval": 20})
    real = os.fsync
    for disk_ends_at in (1, 2):  # the settings file, the secrets file
        writes = iter(range(1, 10))

        def full(handle, ends_at=disk_ends_at, writes=writes):
            if next(writes) == ends_at:
                raise OSError(errno.ENOSPC, "no space left")
            real(handle)

        monkeypatch.setattr(os, "fsync", full)
        with pytest.raises(StorageFull):
            await found.change(declared, {"token": "new", "interval": 30})
        monkeypatch.setattr(os, "fsync", real)
        for settings_now in (found, await opened()):
            assert (settings_now.get(declared).token, settings_now.get(declared).interval) == ("old", 20)
        assert sorted(path.name for path in tmp_path.iterdir()) == ["secrets.json", "settings.toml"]
    await found.change(declared, {"token": "new"})
    assert (await opened()).get(declared).token == "new"


async def test_of_two_secrets_the_first_is_put_back_when_the_second_cannot_be_kept(
    tmp_path, monkeypatch, declared
):
    @page("pair")
    class Pair(msgspec.Struct, frozen=True):
        """Two secrets."""

        one: Annotated[str, Meta(title="One", extra={"secret": True})] = ""
        two: Annotated[str, Meta(title="Two", extra={"secret": True})] = ""

    secrets = Secrets(tmp_path / "secrets.json", "file")
    found = await Settings.open(tmp_path / "settings.toml", secrets, {})
    await found.change(Pair, {"one": "1", "two": "2"})
    real, tried = secrets.put, []

    def put(name: str, value: str | None) -> object:
        tried.append(name)
        if name == "pair.two" and value == "b":
            raise StorageFull
        return real(name, value)

    monkeypatch.setattr(secrets, "put", put)
    with pytest.raises(StorageFull):
        await found.change(Pair, {"one": "a", "two": "b"})
    assert tried == ["pair.one", "pair.two", "pair.one"]
    assert (secrets.get("pair.one"), secrets.get("pair.two")) == ("1", "2")
    assert found.get(Pair) == Pair("1", "2")
