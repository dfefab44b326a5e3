"""A real X server, the window on it as a screen reader would find it, and real keys and clicks into it."""

from __future__ import annotations

import ctypes
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import msgspec
import pytest

from tests.story.conftest import Program

WATCHED = Path(__file__).with_name("watched.py")
T = TypeVar("T")

_PATIENCE = 20.0  # seconds; a test that waits longer has failed
_MOST_STEPS = 80
_PAUSE = 0.03  # seconds between two looks


class Row(msgspec.Struct, frozen=True):
    """A line of a list."""

    text: str
    place: tuple[int, int]


class Piece(msgspec.Struct, frozen=True):
    """Something on screen: `place` is its middle."""

    kind: str
    name: str
    text: str
    place: tuple[int, int]
    enabled: bool
    checked: bool = False
    rows: tuple[Row, ...] = ()
    at: int = -1


class Sight(msgspec.Struct, frozen=True):
    """What is on screen at one moment, and how often the Pause key marked it."""

    window: str | None
    marks: int
    focus: Piece | None
    shown: tuple[Piece, ...]

    def says(self, words: str) -> bool:
        """Whether these words are anywhere to be read."""
        return any(words in piece.text or words in piece.name for piece in self.shown)

    def named(self, name: str) -> Piece | None:
        """What has this name."""
        return next((piece for piece in self.shown if piece.name == name), None)

    def usable(self, name: str) -> bool:
        """Whether something of this name can be used now."""
        return any(piece.name == name and piece.enabled for piece in self.shown)

    def chosen(self, name: str) -> bool:
        """Whether something of this name is checked; a page may have a part that is called as itself."""
        return any(piece.name == name and piece.checked for piece in self.shown)

    @property
    def words(self) -> str:
        """Everything to be read, for a failure."""
        lines = sorted({piece.text or piece.name for piece in self.shown})
        return f"window {self.window!r}, focus {self.focus}\n" + "\n".join(lines)


@contextmanager
def x_server() -> Iterator[dict[str, str]]:
    """A display of its own with an English and a Russian keyboard; gives the environment that leads there."""
    for tool in ("Xvfb", "xdotool", "setxkbmap"):
        if shutil.which(tool) is None:
            pytest.skip(f"{tool} is not installed")
    told, tell = os.pipe()
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", str(tell), "-screen", "0", "1600x1000x24", "-nolisten", "tcp", "-noreset"],
        pass_fds=[tell],
        stderr=subprocess.DEVNULL,
    )
    try:
        os.close(tell)
        with os.fdopen(told) as number:
            display = number.readline().strip()
        assert display, "the X server did not start"
        environment = {"DISPLAY": f":{display}", "QT_QPA_PLATFORM": "xcb"}
        keyboard = ["setxkbmap", "-layout", "us,ru"]
        subprocess.run(keyboard, env={**os.environ, **environment}, check=True, timeout=10)
        yield environment
    finally:
        server.terminate()
        server.wait(10)


class _Message(ctypes.Structure):
    """XClientMessageEvent."""

    _fields_ = (
        ("type", ctypes.c_int),
        ("serial", ctypes.c_ulong),
        ("sent", ctypes.c_int),
        ("display", ctypes.c_void_p),
        ("window", ctypes.c_ulong),
        ("kind", ctypes.c_ulong),
        ("format", ctypes.c_int),
        ("data", ctypes.c_long * 5),
        ("room", ctypes.c_long * 24),  # an XEvent is as long as its longest kind
    )


def tell_to_close(display: str, window: int) -> None:
    """Send a window WM_DELETE_WINDOW, as window managers do; xdotool of Debian 12 cannot."""
    x11 = ctypes.CDLL("libX11.so.6")  # xdotool stands on it
    x11.XOpenDisplay.restype = ctypes.c_void_p
    x11.XInternAtom.restype = ctypes.c_ulong
    opened = ctypes.c_void_p(x11.XOpenDisplay(display.encode()))
    assert opened, f"no display {display}"
    protocols, wish = (x11.XInternAtom(opened, name, 0) for name in (b"WM_PROTOCOLS", b"WM_DELETE_WINDOW"))
    client_message = 33
    message = _Message(client_message, 0, 1, opened, window, protocols, 32, (ctypes.c_long * 5)(wish))
    x11.XSendEvent(opened, ctypes.c_ulong(window), 0, ctypes.c_long(0), ctypes.byref(message))
    x11.XCloseDisplay(opened)  # hands over what was sent


class Screen:
    """Looks at the window of one program, and types and clicks as a person does: through the X server."""

    def __init__(self, program: Program, address: Path, environment: dict[str, str]) -> None:
        self.program, self._environment = program, {**os.environ, **environment}
        self._socket = socket.socket(socket.AF_UNIX)
        deadline = time.monotonic() + _PATIENCE
        while True:
            try:
                self._socket.connect(str(address))
                break
            except OSError:
                assert program.process.poll() is None, program.told()
                assert time.monotonic() < deadline, program.told()
                time.sleep(_PAUSE)
        self._socket.settimeout(_PATIENCE)
        self._pipe = self._socket.makefile("rwb")

    def close(self) -> None:
        """Stop looking."""
        self._pipe.close()
        self._socket.close()

    # -- looking

    def look(self) -> Sight:
        """What is on screen now."""
        self._pipe.write(b"\n")
        self._pipe.flush()
        line = self._pipe.readline()
        assert line, f"the program is gone\n{self.program.told()}"
        return msgspec.json.decode(line, type=Sight)

    def until(self, found: Callable[[Sight], T | None], about: str, seconds: float = _PATIENCE) -> T:
        """Look until something is found."""
        deadline = time.monotonic() + seconds
        while True:
            sight = self.look()
            result = found(sight)
            if result:
                return result
            assert time.monotonic() < deadline, f"{about}: not in {seconds} s\n{sight.words}"
            time.sleep(_PAUSE)

    def until_says(self, words: str, seconds: float = _PATIENCE) -> None:
        """Look until these words are to be read."""
        self.until(lambda sight: sight.says(words), repr(words), seconds)

    def until_at(self, name: str) -> None:
        """Look until the focus is there."""
        self.until(lambda sight: sight.focus is not None and sight.focus.name == name, f"focus at {name!r}")

    # -- doing

    def take(self) -> None:
        """Give the window the keyboard, which is a window manager's work; this server has none.

        What is shown while the tower is being opened has no title, and does not count.
        """

        def taken(sight: Sight) -> bool:
            if not sight.window:
                for window in self._found("--onlyvisible", "--pid", str(self.program.process.pid))[-1:]:
                    self._xdo("windowfocus", window)
            return bool(sight.window)

        self.until(taken, "a window with the keyboard")

    def leave(self) -> None:
        """Another program has the keyboard now."""
        self._xdo("windowfocus", self._found("--maxdepth", "0", "")[0])
        self.until(lambda sight: sight.window is None, "no window with the keyboard")

    def press(self, *keys: str) -> None:
        """Press keys, one after the other, and wait until the window has worked them off."""
        before = self.look().marks
        self.strike(*keys, "Pause")
        self.until(lambda sight: sight.marks > before, f"{keys} worked off")

    def strike(self, *keys: str) -> None:
        """Press keys of which nobody knows whether the window outlives them."""
        self._xdo("key", "--delay", "0", *keys)

    def click(self, name: str) -> None:
        """Click what has this name."""
        piece = self.until(lambda sight: sight.named(name), repr(name))
        self.click_at(piece.place)

    def click_at(self, place: tuple[int, int]) -> None:
        """Click a point of the screen."""
        self._xdo("mousemove", str(place[0]), str(place[1]), "click", "1")

    def press_close(self) -> None:
        """Press the cross of the window, which a window manager tells the window of."""
        window = self._found("--onlyvisible", "--pid", str(self.program.process.pid))[-1]
        tell_to_close(self._environment["DISPLAY"], int(window))

    def go_to(self, name: str, key: str = "Tab") -> None:
        """Walk with the Tab key until the focus is there."""
        self.until(lambda sight: sight.usable(name), f"{name!r} to be used")
        self._walk(lambda focus: focus.name == name, key, repr(name))

    def open_page(self, name: str) -> None:
        """Walk to the list of pages, up or down in it, and open one."""
        wanted = self.until(lambda sight: sight.named(name), repr(name))
        reached = self._walk(lambda focus: focus.kind == wanted.kind, "Tab", "the list of pages")
        self._walk(
            lambda focus: focus.name == name,
            "Down" if wanted.place[1] > reached.place[1] else "Up",
            repr(name),
        )
        self.press("space")
        self.until(lambda sight: sight.chosen(name), f"{name!r} in front")

    def _walk(self, there: Callable[[Piece], bool], key: str, about: str) -> Piece:
        walked = []
        for _ in range(_MOST_STEPS):
            focus = self.look().focus
            if focus is not None and there(focus):
                return focus
            walked.append(focus.name if focus is not None else None)
            self.press(key)
        raise AssertionError(f"{about} cannot be reached by {key}: {walked}")

    def write(self, text: str) -> None:
        """Put this in place of what stands in the field with the focus."""
        self.press("ctrl+a", "Delete")
        self._xdo("type", "--delay", "4", text)
        self.press()
        focus = self.look().focus
        assert focus is not None
        assert focus.text == text

    def fill(self, name: str, text: str) -> None:
        """Walk to a field and write."""
        self.go_to(name)
        self.write(text)

    def do(self, name: str) -> None:
        """Walk to a button and press it with the space bar."""
        self.go_to(name)
        self.press("space")

    def _found(self, *wanted: str) -> list[str]:
        """The X server's numbers of windows; none is no failure."""
        order = ["xdotool", "search", *wanted]
        done = subprocess.run(
            order, env=self._environment, check=False, capture_output=True, text=True, timeout=30
        )
        return done.stdout.split()

    def _xdo(self, *order: str) -> None:
        subprocess.run(["xdotool", *order], env=self._environment, check=True, timeout=30)
