"""Starts stand-in vendors on free loopback ports and stops them again."""

import asyncio
import threading
from collections.abc import AsyncIterator, Coroutine, Iterator
from concurrent.futures import Future
from contextlib import asynccontextmanager, contextmanager
from typing import Any, Protocol, TypeVar

from aiohttp import web

Result = TypeVar("Result")


class Vendor(Protocol):
    """Anything that can be hosted."""

    def application(self) -> web.Application:
        """A fresh program over the vendor's state."""
        ...


class Hosted(dict[str, str]):
    """The base URL of each running vendor by its name; a vendor can be taken down and brought back."""

    def __init__(self, vendors: dict[str, Vendor]) -> None:
        super().__init__()
        self.vendors = vendors
        self.runners: dict[str, web.AppRunner] = {}
        self.ports: dict[str, int] = {}

    async def start(self, name: str) -> str:
        """Listens, at the port it had before if it ran already, and returns the base URL."""
        runner = web.AppRunner(self.vendors[name].application(), access_log=None, shutdown_timeout=0.05)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", self.ports.get(name, 0), reuse_address=True)
        await site.start()
        self.runners[name] = runner
        self.ports[name] = runner.addresses[0][1]
        self[name] = f"http://127.0.0.1:{self.ports[name]}"
        return self[name]

    async def stop(self, name: str) -> None:
        """Refuses connections from now on, as a vendor that is down; the state stays."""
        runner = self.runners.pop(name, None)
        if runner is not None:
            await runner.cleanup()


@asynccontextmanager
async def hosted(**vendors: Vendor | None) -> AsyncIterator[Hosted]:
    """Runs the vendors given by name for the length of the block: `hosted(chatwoot=…, linear=…)`."""
    running = Hosted({name: vendor for name, vendor in vendors.items() if vendor is not None})
    try:
        for name in running.vendors:
            await running.start(name)
        yield running
    finally:
        for name in list(running.runners):
            await running.stop(name)


class Aside:
    """Vendors on a thread and a loop of their own, so that serving them never holds up the caller's loop."""

    def __init__(self, vendors: dict[str, Vendor | None]) -> None:
        self.vendors = vendors
        self.urls: dict[str, str] = {}
        self.loop: asyncio.AbstractEventLoop
        self.ready = threading.Event()
        self.failure: BaseException | None = None
        self.thread = threading.Thread(target=self._run, name="stand-in vendors", daemon=True)

    def run(self, work: Coroutine[Any, Any, Result]) -> Future[Result]:
        """Runs a coroutine beside the vendors; whatever changes their state belongs there."""
        return asyncio.run_coroutine_threadsafe(work, self.loop)

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as error:  # noqa: BLE001 - handed to the thread that waits for it
            self.failure = error
        finally:
            self.ready.set()

    async def _serve(self) -> None:
        self.loop, self.stop = asyncio.get_running_loop(), asyncio.Event()
        async with hosted(**self.vendors) as urls:
            self.urls = dict(urls)
            self.ready.set()
            await self.stop.wait()


@contextmanager
def hosted_aside(**vendors: Vendor | None) -> Iterator[Aside]:
    """`hosted` on a thread of its own, for the length of the block."""
    aside = Aside(vendors)
    aside.thread.start()
    aside.ready.wait()
    if aside.failure is not None:
        raise aside.failure
    try:
        yield aside
    finally:
        aside.loop.call_soon_threadsafe(aside.stop.set)
        aside.thread.join()
