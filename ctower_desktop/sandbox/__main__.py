"""Serves the stand-in vendors until standard input ends: `python -m ctower_desktop.sandbox demo`.

One line of JSON says where they are, with which tokens, and what belongs to which client. `demo` is the
agency of the demo, with its life going on; `bulk N M` a Chatwoot of N conversations of M messages each, to
measure a sync against.
"""

import argparse
import asyncio
import sys
from datetime import UTC, datetime

import msgspec

from ctower_desktop.sandbox.agency import load
from ctower_desktop.sandbox.attio import Attio
from ctower_desktop.sandbox.chatwoot import Chatwoot
from ctower_desktop.sandbox.demo import Placed, fill, live
from ctower_desktop.sandbox.host import hosted
from ctower_desktop.sandbox.linear import Linear
from ctower_desktop.sandbox.loops import Loops


def now() -> datetime:
    """The clock of vendors that run beside real programs."""
    return datetime.now(UTC)


async def serve(arguments: argparse.Namespace) -> None:
    """Fills the vendors, says where they are, and serves them."""
    chatwoot, linear, attio, loops = Chatwoot(now), Linear(now), Attio(now), Loops(now)
    going_on: asyncio.Task[None] | None = None
    placed: list[Placed] = []
    if arguments.command == "demo":
        demo = fill(load(), chatwoot, linear, attio, loops, now=now())
        placed = demo.placed
        going_on = asyncio.create_task(live(demo))
    else:
        chatwoot.generate(arguments.conversations, arguments.messages, arguments.seed)
    async with hosted(chatwoot=chatwoot, linear=linear, attio=attio, loops=loops) as urls:
        tokens = {
            "chatwoot": chatwoot.token, "linear": linear.token, "attio": attio.token, "loops": loops.token,
        }  # fmt: skip
        account = {"chatwoot": chatwoot.account_id}
        told = {"urls": urls, "tokens": tokens, "accounts": account, "placed": placed}
        sys.stdout.write(msgspec.json.encode(told).decode() + "\n")
        sys.stdout.flush()
        await asyncio.to_thread(sys.stdin.read)
    if going_on is not None:
        going_on.cancel()


def main() -> None:
    """Reads the command line."""
    parser = argparse.ArgumentParser(prog="python -m ctower_desktop.sandbox", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("demo", help="the agency of the demo")
    bulk = commands.add_parser("bulk", help="a Chatwoot with many messages")
    bulk.add_argument("conversations", type=int)
    bulk.add_argument("messages", type=int)
    bulk.add_argument("--seed", type=int, default=1)
    asyncio.run(serve(parser.parse_args()))


if __name__ == "__main__":
    main()
