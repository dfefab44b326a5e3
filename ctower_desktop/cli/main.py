"""The arguments of `ctower`, and which command they mean."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from collections.abc import Coroutine, Sequence
from pathlib import Path
from typing import Any, Literal

from ctower_desktop import __version__
from ctower_desktop.cli import model_orders, terminal
from ctower_desktop.kernel.errors import TowerError
from ctower_desktop.kernel.system import Home

_DOORS = ("tower", "graph", "agents", "dashboard")
_SCHEME = "ctower://"


def _shared() -> argparse.ArgumentParser:
    """The options that may stand before or after every command."""
    shared = argparse.ArgumentParser(add_help=False, argument_default=argparse.SUPPRESS)
    shared.add_argument("--home", type=Path, metavar="DIR", help="where everything is kept")
    shared.add_argument(
        "--project", type=terminal.typed, metavar="NAME", help="the project a question or order is about"
    )
    for door in _DOORS:
        option = "--port" if door == "tower" else f"--{door}-port"
        shared.add_argument(
            option,
            dest=f"{door}_port",
            type=_port,
            metavar="N",
            help=f"port of the {door} door; 0 any, off closed",
        )
    return shared


def parser() -> argparse.ArgumentParser:
    """Every command with its arguments."""
    shared = _shared()
    found = argparse.ArgumentParser(
        prog="ctower", description="A control tower for the projects of a digital agency.", parents=[shared]
    )
    found.add_argument("--version", action="version", version=__version__)
    commands = found.add_subparsers(dest="command", metavar="COMMAND")

    def add(name: str, about: str) -> argparse.ArgumentParser:
        return commands.add_parser(name, help=about, description=about, parents=[shared])

    add("serve", "the tower without a window")
    add("open", "the window at a link such as ctower://page/inbox").add_argument("link", type=terminal.typed)
    add("demo", "a throw-away home filled from built-in stand-ins of the vendors")
    add("ask", "one answer with its evidence").add_argument("question", type=terminal.typed)
    add("sync", "synchronise every connector now")
    add("doctor", "look at everything the tower stands on")
    add("backup", "a checked copy of the database").add_argument("file", nargs="?", type=Path)
    add("restore", "put a backup in the place of the database").add_argument("file", type=Path)
    model_orders.declare(add("model", "embedding models: take one in, list, use, remove"), shared)
    add("openapi", "the API as OpenAPI 3.1")
    add("map", "the house and every endpoint")
    call = add("call", "any endpoint by its function name")
    call.add_argument("name", type=terminal.typed)
    call.add_argument("arguments", nargs="*", type=terminal.typed, metavar="key=value")
    return found


def _with_link(arguments: Sequence[str]) -> Sequence[str]:
    """`ctower ctower://…` is `ctower open ctower://…`: how a browser or a note starts the program.

    Only a link that is the one thing asked for counts; inside of another argument it is just text.
    """
    if arguments and arguments[-1].startswith(_SCHEME):
        _, asked = _shared().parse_known_args(list(arguments))
        if asked == [arguments[-1]]:
            return [*arguments[:-1], "open", arguments[-1]]
    return arguments


def _port(text: str) -> int | None:
    if text == "off":
        return None
    number = int(text)
    if not 0 <= number <= 65_535:
        raise argparse.ArgumentTypeError(f"{text} is not a port")
    return number


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; the exit code is 0 when it did what was asked."""
    os.umask(0o077)
    terminal.prepare()
    given = parser().parse_args(_with_link(sys.argv[1:] if argv is None else argv))
    try:
        return _run(given)
    except TowerError as error:
        terminal.complain(str(error))
        return 1
    except KeyboardInterrupt:
        return 130


def _run(given: argparse.Namespace) -> int:
    home = Home(given.home.absolute()) if hasattr(given, "home") else Home.default()
    command = given.command
    if command in (None, "serve", "demo", "open"):
        from ctower_desktop.cli.run import Launch, launch

        ports = {door: getattr(given, f"{door}_port") for door in _DOORS if hasattr(given, f"{door}_port")}
        own_home = home if hasattr(given, "home") or command != "demo" else None
        modes: dict[str, Literal["serve", "demo"]] = {"serve": "serve", "demo": "demo"}
        return launch(Launch(modes.get(command, "desktop"), own_home, ports, getattr(given, "link", "")))
    if command in ("openapi", "map"):
        return _describe(command)
    if command in ("backup", "restore"):
        return _copy(command, home, given.file)
    if command == "model":
        from ctower_desktop.cli import models

        return asyncio.run(models.run(home, given))
    return asyncio.run(_ask(command, home, given))


def _describe(command: str) -> int:
    from ctower_desktop import app
    from ctower_desktop.cli import atlas

    app.import_rooms()
    sys.stdout.write(
        atlas.openapi_text() if command == "openapi" else f"{atlas.house_map()}\n\n{atlas.endpoint_map()}\n"
    )
    return 0


def _copy(command: str, home: Home, file: Path | None) -> int:
    from ctower_desktop import app
    from ctower_desktop.cli import backups
    from ctower_desktop.kernel.system import Clock, FileLock

    if command == "backup":
        sys.stdout.write(f"{backups.backup(home, file, Clock().now())}\n")
        return 0
    assert file is not None
    home.prepare()
    lock = FileLock.acquire(home.lock)
    if lock is None:
        terminal.complain("the tower is running; end it before restoring a backup.")
        return 1
    kept = backups.restore(home, file, Clock().now(), app.MIGRATIONS)
    sys.stdout.write(f"restored from {file}" + (f"; what was there is kept as {kept}\n" if kept else "\n"))
    lock.release()
    return 0


async def _ask(command: str, home: Home, given: argparse.Namespace) -> int:
    from ctower_desktop import app
    from ctower_desktop.cli import calls, doctor

    project = getattr(given, "project", None)
    tower = await app.open_tower(home, secrets=app.secrets_place(os.environ))
    try:
        work: Coroutine[Any, Any, str]
        if command == "doctor":
            findings = await doctor.examine(tower)
            terminal.show(doctor.report(findings))
            return int(any(f.verdict == "failed" for f in findings))
        if command == "sync":
            text, well = await calls.sync(tower, project)
            terminal.show(text)
            return int(not well)
        if command == "ask":
            work = calls.ask(tower, given.question, project)
        else:
            work = calls.call_endpoint(tower, given.name, given.arguments, project)
        terminal.show(await work)
        return 0
    finally:
        await app.close_tower(tower)
