"""An X display for benchmarks: keys and mouse as a person's (XTEST), and pings as a window manager's.

Through the C libraries libX11 and libXtst, which come with every X server and with xdotool. Pings follow the
specification of window managers (https://specifications.freedesktop.org/wm-spec/latest/, _NET_WM_PING).
"""

from __future__ import annotations

import ctypes
from ctypes import POINTER, byref, c_char_p, c_int, c_long, c_uint, c_ulong, c_void_p

_CLIENT_MESSAGE = 33
_TO_MANAGER = 1 << 19 | 1 << 20
_PAGER = 2
_NAMES = {"~": "Shift_L+asciitilde", "/": "slash", ".": "period"}
"""X's names of characters that are no letter and no digit."""
_ANSWERS = 1 << 17 | 1 << 19
"""StructureNotify and SubstructureNotify: Qt sends its answers to those who asked for the first of them."""
_NOW = 0


class _Message(ctypes.Structure):
    _fields_ = (
        ("type", c_int),
        ("serial", c_ulong),
        ("send_event", c_int),
        ("display", c_void_p),
        ("window", c_ulong),
        ("message_type", c_ulong),
        ("format", c_int),
        ("data", c_long * 5),
    )


class _Event(ctypes.Union):
    _fields_ = (("type", c_int), ("message", _Message), ("pad", c_long * 24))


class Display:
    """One connection to an X server; used on one thread.

    Args:
        name: as in DISPLAY.

    Raises:
        SystemExit: the libraries or the server are missing, with the way out.
    """

    def __init__(self, name: str) -> None:
        try:
            self._x, self._test = ctypes.CDLL("libX11.so.6"), ctypes.CDLL("libXtst.so.6")
        except OSError as error:
            raise SystemExit(f"{error}: sudo apt-get install libx11-6 libxtst6") from None
        self._declare()
        self._display = self._x.XOpenDisplay(name.encode())
        if not self._display:
            raise SystemExit(f"no X server at {name}: start one, as in --help")
        self._root: int = self._x.XDefaultRootWindow(self._display)
        self._ping, self._protocols = self._atom("_NET_WM_PING"), self._atom("WM_PROTOCOLS")
        self._silence = ctypes.CFUNCTYPE(c_int, c_void_p, c_void_p)(lambda _display, _error: 0)
        self._x.XSetErrorHandler(self._silence)  # a window may be gone by the time that it is asked
        self._x.XSelectInput(self._display, self._root, _ANSWERS)

    def _declare(self) -> None:
        x, test = self._x, self._test
        x.XOpenDisplay.restype, x.XOpenDisplay.argtypes = c_void_p, [c_char_p]
        x.XDefaultRootWindow.restype, x.XDefaultRootWindow.argtypes = c_ulong, [c_void_p]
        x.XInternAtom.restype, x.XInternAtom.argtypes = c_ulong, [c_void_p, c_char_p, c_int]
        x.XSelectInput.argtypes = [c_void_p, c_ulong, c_long]
        x.XSendEvent.argtypes = [c_void_p, c_ulong, c_int, c_long, POINTER(_Event)]
        x.XCheckTypedEvent.argtypes = [c_void_p, c_int, POINTER(_Event)]
        x.XSync.argtypes = [c_void_p, c_int]
        x.XFlush.argtypes = [c_void_p]
        x.XStringToKeysym.restype, x.XStringToKeysym.argtypes = c_ulong, [c_char_p]
        x.XKeysymToKeycode.restype, x.XKeysymToKeycode.argtypes = ctypes.c_ubyte, [c_void_p, c_ulong]
        x.XFree.argtypes = [c_void_p]
        x.XMoveResizeWindow.argtypes = [c_void_p, c_ulong, c_int, c_int, c_uint, c_uint]
        x.XGetWindowProperty.argtypes = [
            c_void_p, c_ulong, c_ulong, c_long, c_long, c_int, c_ulong,
            POINTER(c_ulong), POINTER(c_int), POINTER(c_ulong), POINTER(c_ulong), POINTER(c_void_p),
        ]  # fmt: skip
        x.XGetGeometry.argtypes = [
            c_void_p, c_ulong, POINTER(c_ulong), POINTER(c_int), POINTER(c_int),
            POINTER(c_uint), POINTER(c_uint), POINTER(c_uint), POINTER(c_uint),
        ]  # fmt: skip
        x.XTranslateCoordinates.argtypes = [
            c_void_p, c_ulong, c_ulong, c_int, c_int, POINTER(c_int), POINTER(c_int), POINTER(c_ulong),
        ]  # fmt: skip
        test.XTestFakeKeyEvent.argtypes = [c_void_p, c_uint, c_int, c_ulong]
        test.XTestFakeButtonEvent.argtypes = [c_void_p, c_uint, c_int, c_ulong]
        test.XTestFakeMotionEvent.argtypes = [c_void_p, c_int, c_int, c_int, c_ulong]

    def _atom(self, name: str) -> int:
        return int(self._x.XInternAtom(self._display, name.encode(), 0))

    # -- windows ---------------------------------------------------------------------------------------------------

    def _longs(self, window: int, name: str) -> list[int]:
        """A property of 32-bit values; empty where the window has none."""
        kind, form, count, left, data = c_ulong(), c_int(), c_ulong(), c_ulong(), c_void_p()
        self._x.XGetWindowProperty(
            self._display, window, self._atom(name), 0, 1024, 0, 0,
            byref(kind), byref(form), byref(count), byref(left), byref(data),
        )  # fmt: skip
        if not data:
            return []
        values = ctypes.cast(data, POINTER(c_ulong))[: count.value] if form.value == 32 else []
        self._x.XFree(data)
        return [int(value) for value in values]

    def windows(self, process: int) -> list[int]:
        """Of a process, as the window manager lists them, the oldest first; menus are none."""
        return [
            each
            for each in self._longs(self._root, "_NET_CLIENT_LIST")
            if self._longs(each, "_NET_WM_PID") == [process]
        ]

    def title(self, window: int) -> str:
        """As the window manager shows it; "" where there is none."""
        kind, form, count, left, data = c_ulong(), c_int(), c_ulong(), c_ulong(), c_void_p()
        self._x.XGetWindowProperty(
            self._display, window, self._atom("_NET_WM_NAME"), 0, 1024, 0, 0,
            byref(kind), byref(form), byref(count), byref(left), byref(data),
        )  # fmt: skip
        if not data:
            return ""
        text = ctypes.string_at(data, count.value) if form.value == 8 else b""
        self._x.XFree(data)
        return text.decode(errors="replace")

    def activate(self, window: int) -> None:
        """Ask the window manager to bring it to the front, as a task bar does."""
        event = _Event()
        event.message.type, event.message.window, event.message.format = _CLIENT_MESSAGE, window, 32
        event.message.message_type, event.message.data[0] = self._atom("_NET_ACTIVE_WINDOW"), _PAGER
        self._x.XSendEvent(self._display, self._root, 0, _TO_MANAGER, byref(event))
        self._x.XFlush(self._display)

    def answers_pings(self, window: int) -> bool:
        """It says that it does (WM_PROTOCOLS)."""
        return self._ping in self._longs(window, "WM_PROTOCOLS")

    def place(self, window: int) -> tuple[int, int, int, int]:
        """Left, top, width and height on the screen, pixels; zeros where the window is gone."""
        root, x, y, wide, high, border, depth = c_ulong(), c_int(), c_int(), c_uint(), c_uint(), c_uint(), c_uint()
        if not self._x.XGetGeometry(
            self._display,
            window,
            byref(root),
            byref(x),
            byref(y),
            byref(wide),
            byref(high),
            byref(border),
            byref(depth),
        ):
            return 0, 0, 0, 0
        self._x.XTranslateCoordinates(self._display, window, self._root, 0, 0, byref(x), byref(y), byref(root))
        return x.value, y.value, wide.value, high.value

    def resize(self, window: int, left: int, top: int, width: int, height: int) -> None:
        """Ask the window manager for another place and size, pixels."""
        self._x.XMoveResizeWindow(self._display, window, left, top, width, height)
        self._x.XFlush(self._display)

    # -- pings -----------------------------------------------------------------------------------------------------

    def ping(self, window: int, number: int) -> None:
        """Ask a window whether it lives; `answers` has the number once it has said so."""
        event = _Event()
        event.message.type, event.message.window, event.message.format = _CLIENT_MESSAGE, window, 32
        event.message.message_type = self._protocols
        event.message.data[0], event.message.data[1], event.message.data[2] = self._ping, number, window
        self._x.XSendEvent(self._display, window, 0, 0, byref(event))
        self._x.XFlush(self._display)

    def answers(self) -> list[int]:
        """Numbers of pings that were answered since the last call."""
        numbers, event = [], _Event()
        while self._x.XCheckTypedEvent(self._display, _CLIENT_MESSAGE, byref(event)):
            message = event.message
            if message.message_type == self._protocols and message.data[0] == self._ping:
                numbers.append(int(message.data[1]))
        return numbers

    # -- keys and mouse --------------------------------------------------------------------------------------------

    def press(self, keys: str) -> None:
        """A key with those that are held meanwhile, in X's names: "Control_L+o"."""
        codes = [
            self._x.XKeysymToKeycode(self._display, self._x.XStringToKeysym(key.encode())) for key in keys.split("+")
        ]
        for code in codes:
            self._test.XTestFakeKeyEvent(self._display, code, 1, _NOW)
        for code in reversed(codes):
            self._test.XTestFakeKeyEvent(self._display, code, 0, _NOW)
        self._x.XFlush(self._display)

    def type(self, text: str) -> None:
        """Small letters, digits and what `_NAMES` has."""
        for letter in text:
            self.press(_NAMES.get(letter, letter))

    def move(self, x: int, y: int) -> None:
        """The pointer to a place on the screen, pixels."""
        self._test.XTestFakeMotionEvent(self._display, -1, x, y, _NOW)
        self._x.XFlush(self._display)

    def button(self, number: int, down: bool) -> None:
        """1 left, 2 middle, 3 right, 4 and 5 the wheel up and down."""
        self._test.XTestFakeButtonEvent(self._display, number, int(down), _NOW)
        self._x.XFlush(self._display)

    def click(self, number: int = 1) -> None:
        """Press a button and let it go."""
        self.button(number, True)
        self.button(number, False)
