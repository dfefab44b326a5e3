"""What the program offers its window beyond the tower itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Outside:
    """`sample` shows the sample agency instead, `own` goes back to the user's own home; None: not from here.

    `link` is where the window is to open.
    """

    sample: Callable[[], None] | None = None
    own: Callable[[], None] | None = None
    link: str = ""
