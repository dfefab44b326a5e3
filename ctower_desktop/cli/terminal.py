"""Writing to a terminal: no text steers it, none is too foreign for it; what was typed there as text."""

from __future__ import annotations

import io
import sys


def prepare() -> None:
    """Characters the terminal has no letters for become marks instead of errors."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def show(text: str) -> None:
    """Write a line or more; control characters of customers' texts stay visible marks."""
    sys.stdout.write(_visible(text) + "\n")


def complain(text: str) -> None:
    """Say what went wrong; vendors' texts may stand in it."""
    sys.stderr.write(f"ctower: {_visible(text)}\n")


def typed(argument: str) -> str:
    """An argument as text, whatever bytes it was made of."""
    return argument.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _visible(text: str) -> str:
    return "".join(c if c in "\n\t" or c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)
