"""Settings as Structs: file, environment, form and table from one declaration; secrets in the keyring."""

from __future__ import annotations

import asyncio
import os
import threading
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import tomli_w
from msgspec import inspect as shapes

from ctower_desktop.kernel.check import check
from ctower_desktop.kernel.errors import Invalid, Issue, StorageFailure
from ctower_desktop.kernel.secrets import Secrets
from ctower_desktop.kernel.system import replacing

Page = TypeVar("Page", bound=msgspec.Struct)
_SWITCH = {
    **dict.fromkeys(("1", "true", "yes", "on", "enabled"), "true"),
    **dict.fromkeys(("0", "false", "no", "off", "disabled"), "false"),
}


class Field(msgspec.Struct, frozen=True):
    """One setting as declared: what forms, documents and tests need to know of it."""

    page: str
    name: str
    title: str
    about: str
    kind: Any
    default: Any
    environment: tuple[str, ...]  # the first one set wins; the house's own name comes last
    secret: bool
    restart: bool
    environment_each: tuple[str, str] | None = None  # prefix and suffix around the keys of a dict


SETTINGS: dict[str, type[msgspec.Struct]] = {}


def page(name: str) -> Callable[[type[Page]], type[Page]]:
    """Declare a Struct as a page of settings. Every field has a default and
    `Meta(title=…, description=…, extra={"env": […], "secret": True, "restart": True})` as it needs.

    A dict may take single entries from the environment: with `extra={"env_each": ["LIMIT_", "_MS"]}`
    the variable LIMIT_SYNC_MS sets the entry `sync`.
    """

    def declare(shape: type[Page]) -> type[Page]:
        if SETTINGS.setdefault(name, shape) is not shape:
            raise TypeError(f"two settings pages are named {name}")
        return shape

    return declare


def fields(name: str) -> list[Field]:
    """The settings of one page, in order."""
    info = shapes.type_info(SETTINGS[name])
    assert isinstance(info, shapes.StructType)
    found = []
    for declared, plain in zip(info.fields, msgspec.structs.fields(SETTINGS[name]), strict=True):
        meta = declared.type if isinstance(declared.type, shapes.Metadata) else None
        extra: Mapping[str, Any] = (meta.extra if meta else None) or {}
        schema: Mapping[str, Any] = (meta.extra_json_schema if meta else None) or {}
        own = f"CTOWER_{name}_{declared.name}".upper()
        each = tuple(extra["env_each"]) if "env_each" in extra else None
        found.append(
            Field(
                page=name,
                name=declared.name,
                title=schema.get("title", declared.name),
                about=schema.get("description", ""),
                kind=plain.type,
                default=plain.default if plain.default is not msgspec.NODEFAULT else plain.default_factory(),
                environment=(*extra.get("env", ()), own) if each is None else (f"{each[0]}<NAME>{each[1]}",),
                secret=bool(extra.get("secret")),
                restart=bool(extra.get("restart")),
                environment_each=each,
            )
        )
    return found


class Settings:
    """The values in force: environment before file before default. Changes are written at once."""

    def __init__(self, path: Path, secrets: Secrets, environment: Mapping[str, str]) -> None:
        self._path, self._secrets, self._environment = path, secrets, environment
        self._stored: dict[str, dict[str, Any]] = _read(path)
        self._pages: dict[str, msgspec.Struct] = {}
        self._changing = threading.Lock()
        self.changed: list[Callable[[str], None]] = []

    @classmethod
    async def open(
        cls, path: Path, secrets: Secrets, environment: Mapping[str, str] | None = None
    ) -> Settings:
        """Read file, environment and secrets; raise Invalid naming the setting that does not fit."""
        given = os.environ if environment is None else environment
        return await asyncio.to_thread(cls._loaded, path, secrets, given)

    @classmethod
    def _loaded(cls, path: Path, secrets: Secrets, environment: Mapping[str, str]) -> Settings:
        settings = cls(path, secrets, environment)
        for name in SETTINGS:
            settings._pages[name] = settings._page(name)
        return settings

    def get(self, shape: type[Page]) -> Page:
        """The page as it is in force, secrets included."""
        name = _name(shape)
        found = self._pages.get(name)
        if found is None:
            found = self._pages[name] = self._page(name)
        assert isinstance(found, shape)
        return found

    async def change(self, shape: type[Page], values: Mapping[str, Any]) -> Page:
        """Check, store and put in force; raise Invalid and change nothing when a value does not fit.

        A secret given as None is forgotten. What the environment sets stays as the environment says.
        """
        name = _name(shape)
        found = await asyncio.to_thread(self._change_alone, name, shape, dict(values))
        for tell in tuple(self.changed):
            tell(name)
        return found

    def _change_alone(self, name: str, shape: type[Page], values: dict[str, Any]) -> Page:
        with self._changing:  # two changes at once would each write without the other
            return self._change(name, shape, values)

    def _change(self, name: str, shape: type[Page], values: dict[str, Any]) -> Page:
        declared = {field.name: field for field in fields(name)}
        unknown = values.keys() - declared.keys()
        if unknown:
            raise Invalid(
                issues=tuple(
                    Issue(key, "There is no such setting.", "unrecognized_keys") for key in sorted(unknown)
                )
            )
        current = msgspec.structs.asdict(self.get(shape))
        check({**current, **{k: declared[k].default if v is None else v for k, v in values.items()}}, shape)
        stored, secrets = dict(self._stored.get(name, {})), dict[str, str | None]()
        for key, value in values.items():
            if declared[key].secret:
                secrets[f"{name}.{key}"] = value or None
            elif value is None:
                stored.pop(key, None)
            else:
                stored[key] = value
        self._store({**self._stored, name: stored}, secrets)
        self._pages[name] = found = self._page(name)
        assert isinstance(found, shape)
        return found

    def source(self, field: Field) -> str:
        """Where a value comes from: `environment`, `file`, `keyring` or `default`."""
        if any(self._environment.get(key) for key in field.environment) or self._entries(field):
            return "environment"
        if field.secret:
            return "keyring" if self._secrets.get(f"{field.page}.{field.name}") else "default"
        return "file" if field.name in self._stored.get(field.page, {}) else "default"

    def secrets_place(self) -> str:
        """Where secrets go on this computer, in words."""
        return self._secrets.describe()

    def _page(self, name: str) -> msgspec.Struct:
        values = dict(self._stored.get(name, {}).items())
        for field in fields(name):
            if field.secret and (secret := self._secrets.get(f"{name}.{field.name}")):
                values[field.name] = secret
            for key in field.environment:
                if self._environment.get(key):
                    values[field.name] = _as_meant(field.kind, self._environment[key])
                    break
            if entries := self._entries(field):
                stored = values.get(field.name)
                values[field.name] = {**(stored if isinstance(stored, dict) else {}), **entries}
        try:
            return check(values, SETTINGS[name])
        except Invalid as error:
            issue = error.issues[0]
            raise Invalid(f"Setting {name}.{issue.path}: {issue.message}", issues=error.issues) from None

    def _entries(self, field: Field) -> dict[str, str]:
        if field.environment_each is None:
            return {}
        before, after = field.environment_each
        return {
            key.removeprefix(before).removesuffix(after).lower(): value
            for key, value in self._environment.items()
            if value and key.startswith(before) and key.endswith(after) and len(key) > len(before + after)
        }

    def _store(self, stored: dict[str, dict[str, Any]], secrets: Mapping[str, str | None]) -> None:
        """All of it or nothing: the file waits, written, until every secret is kept."""
        content = tomli_w.dumps({k: v for k, v in stored.items() if v}).encode()
        before: dict[str, str | None] = {}
        with replacing(self._path, content):
            try:
                for key, value in secrets.items():
                    before[key] = self._secrets.get(key)
                    self._secrets.put(key, value)
            except StorageFailure:
                for key in list(before)[:-1]:  # the last one has put itself back
                    self._secrets.put(key, before[key])
                raise
        self._stored = stored


def _as_meant(kind: Any, text: str) -> str:
    """A switch may be set with any of the usual words."""
    found = shapes.type_info(kind)
    plain = found.type if isinstance(found, shapes.Metadata) else found
    return _SWITCH.get(text.strip().lower(), text) if isinstance(plain, shapes.BoolType) else text


def _name(shape: type[msgspec.Struct]) -> str:
    for name, found in SETTINGS.items():
        if found is shape:
            return name
    raise LookupError(f"{shape.__name__} is not declared as a settings page")


def _read(path: Path) -> dict[str, dict[str, Any]]:
    try:
        found = tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Invalid(
            f"{path} is not valid TOML: {error}. Mend it or move it away; nothing was changed."
        ) from None
    except OSError as error:
        raise Invalid(f"{path} cannot be read: {error.strerror}.") from error
    return {k: v for k, v in found.items() if isinstance(v, dict)}
