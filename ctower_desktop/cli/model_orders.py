"""The orders of `ctower model` and their arguments."""

from __future__ import annotations

import argparse
from pathlib import Path

from ctower_desktop.cli import terminal


def declare(parser: argparse.ArgumentParser, shared: argparse.ArgumentParser) -> None:
    """The orders of `ctower model` and their arguments."""
    orders = parser.add_subparsers(dest="order", metavar="ORDER", required=True)

    def order(name: str, about: str) -> argparse.ArgumentParser:
        return orders.add_parser(name, help=about, description=about, parents=[shared])

    order("list", "every model, and what it can do")
    add = order("add", "take a model in from a folder with model.onnx and tokenizer.json, and use it")
    add.add_argument("folder", type=Path)
    add.add_argument("--in-place", action="store_true", help="leave its files where they are")
    add.add_argument("--yes", action="store_true", help="copy without asking")
    for name, about in (("use", "let a model answer"), ("remove", "delete a model that is not in use")):
        order(name, about).add_argument("id", type=terminal.typed)
