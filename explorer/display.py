"""Whether a window can be shown here, found out before Qt would abort."""

import ctypes
import os
import socket
import sys
from collections.abc import Mapping
from pathlib import Path

_HEADLESS_PLATFORMS = ("offscreen", "minimal", "vnc", "eglfs", "linuxfb")
_X_PORT = 6000
_LONGEST_NUMBER = 5


def display_problem(environment: Mapping[str, str] = os.environ) -> str:
    """Return why no window can be shown and what to do about it; empty when one can."""
    if not sys.platform.startswith("linux"):
        return ""
    platform = environment.get("QT_QPA_PLATFORM", "").split(":")[0]
    if platform in _HEADLESS_PLATFORMS:
        return ""
    display, wayland = environment.get("DISPLAY", ""), environment.get("WAYLAND_DISPLAY", "")
    if not display and not wayland:
        return (
            "no display: neither DISPLAY nor WAYLAND_DISPLAY is set. Start the program from a desktop session, "
            "or over the network with `ssh -X`. Without a display, `train`, `evaluate` and `tour` still work."
        )
    if wayland and platform != "xcb" and _wayland_answers(wayland, environment.get("XDG_RUNTIME_DIR", "")):
        return ""
    if not display or not _x_answers(display):
        where = f"DISPLAY={display}" if display else f"WAYLAND_DISPLAY={wayland}"
        return f"no display: nothing answers at {where}. Is the desktop session still running?"
    return _missing_library() or _refusal(display)


def _wayland_answers(name: str, runtime_dir: str) -> bool:
    path = Path(name) if name.startswith("/") else Path(runtime_dir) / name
    return _unix_answers(str(path))


def _x_answers(display: str) -> bool:
    host, _, rest = display.rpartition(":")
    number = rest.split(".")[0]
    if not (number.isascii() and number.isdigit() and len(number) <= _LONGEST_NUMBER):
        return False
    port = _X_PORT + int(number)
    if host in {"", "unix"}:
        path = f"/tmp/.X11-unix/X{number}"  # noqa: S108 - where every X server listens
        return _unix_answers(path) or _unix_answers(f"\0{path}") or _tcp_answers("localhost", port)
    return _tcp_answers(host, port)


def _unix_answers(path: str) -> bool:
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(2.0)
            return connection.connect_ex(path) == 0
    # ValueError: a name with a null byte, that is no path.
    except (OSError, ValueError):
        return False


def _tcp_answers(host: str, port: int) -> bool:
    try:
        with socket.create_connection((host, port), timeout=2.0):
            return True
    # UnicodeError: a name that no host can have, such as one of two dots.  OverflowError: a port that none can have.
    except (OSError, UnicodeError, OverflowError):
        return False


def _missing_library() -> str:
    """Return a sentence naming the system library that Qt's window plugin lacks; empty when it has all."""
    import PySide6  # noqa: PLC0415 - only its folder is wanted, and only here

    plugin = Path(PySide6.__file__).parent / "Qt" / "plugins" / "platforms" / "libqxcb.so"
    if not plugin.exists():
        return ""
    try:
        ctypes.CDLL(str(plugin))
    except OSError as error:
        library = str(error).split(":")[0]
        return (
            f"no window: the system library {library} is missing. Start the program with ./run, which installs it, "
            "or install Qt's xcb libraries with your system's package manager."
        )
    return ""


def _refusal(display: str) -> str:
    """Return a sentence when the X server does not let this user in; Qt would abort."""
    try:
        xcb = ctypes.CDLL("libxcb.so.1")
    except OSError:
        return ""
    xcb.xcb_connect.restype = ctypes.c_void_p
    xcb.xcb_connect.argtypes = [ctypes.c_char_p, ctypes.c_void_p]
    xcb.xcb_connection_has_error.argtypes = xcb.xcb_disconnect.argtypes = [ctypes.c_void_p]
    connection = xcb.xcb_connect(os.fsencode(display), None)
    refused = xcb.xcb_connection_has_error(connection) != 0
    xcb.xcb_disconnect(connection)
    if not refused:
        return ""
    return (
        f"no display: the X server at DISPLAY={display} lets nobody in who does not have its key. Start the program as "
        "the user of the desktop session, not with sudo, or set XAUTHORITY to that user's key file."
    )
