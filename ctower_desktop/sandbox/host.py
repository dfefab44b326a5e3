"""Starts stand-in vendors on free loopback ports and stops them again."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Protocol

from aiohttp import web


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
