"""Whether there is a display, asked before Qt would abort."""

import os
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from explorer.display import display_problem

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="elsewhere there is always a display")


@pytest.fixture
def deaf_server() -> Iterator[int]:
    """Return the number of a display whose server hangs up on everybody."""
    with socket.create_server(("localhost", 0)) as server:
        port = server.getsockname()[1]
        if port < 6000:
            pytest.skip("the system gave a port below those of displays")
        ended = threading.Event()

        def hang_up() -> None:
            server.settimeout(0.05)
            while not ended.is_set():
                try:
                    connection, _ = server.accept()
                except OSError:
                    continue
                connection.close()

        thread = threading.Thread(target=hang_up)
        thread.start()
        yield port - 6000
        ended.set()
        thread.join()


def test_nothing_set_is_said_with_what_to_do() -> None:
    problem = display_problem({})
    assert "DISPLAY" in problem
    assert "ssh -X" in problem


@pytest.mark.parametrize("platform", ["offscreen", "minimal", "vnc:size=800x600"])
def test_a_platform_without_a_display_needs_none(platform: str) -> None:
    assert display_problem({"QT_QPA_PLATFORM": platform}) == ""


@pytest.mark.parametrize(
    "display",
    [
        ":4711",
        ":59999",
        ":99999",
        ":" + "9" * 5000,
        ":²",
        "nonsense",
        ":",
        "no..such..host:0",
        "unix:4711.0",
        "localhost:4711",
    ],
)
def test_a_display_that_leads_nowhere_is_named(display: str) -> None:
    assert f"DISPLAY={display}" in display_problem({"DISPLAY": display})


def test_a_wayland_socket_that_answers_is_a_display(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "wayland-0"))
        server.listen()
        environment = {"WAYLAND_DISPLAY": "wayland-0", "XDG_RUNTIME_DIR": str(tmp_path)}
        assert display_problem(environment) == ""
        assert display_problem({**environment, "WAYLAND_DISPLAY": str(tmp_path / "wayland-0")}) == ""
    assert "wayland-0" in display_problem(environment)


@pytest.mark.parametrize("name", ["wayland-7", "w" * 300, "a\0b"])
def test_a_wayland_socket_that_does_not_answer_is_named(tmp_path: Path, name: str) -> None:
    assert name in display_problem({"WAYLAND_DISPLAY": name, "XDG_RUNTIME_DIR": str(tmp_path)})


def test_a_server_that_hangs_up_is_no_display(deaf_server: int, monkeypatch: pytest.MonkeyPatch) -> None:
    # The libraries of a real window, which the tests do not need, are asked for first.
    monkeypatch.setattr("explorer.display._missing_library", str)
    assert f"localhost:{deaf_server}" in display_problem({"DISPLAY": f"localhost:{deaf_server}"})


@pytest.mark.skipif(shutil.which("Xvfb") is None, reason="needs Xvfb")
def test_a_server_that_wants_a_key_is_told_from_one_that_is_not_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = tmp_path / "key"
    parts = (b"", b"", b"MIT-MAGIC-COOKIE-1", bytes(range(16)))
    key.write_bytes(b"\xff\xff" + b"".join(len(part).to_bytes(2, "big") + part for part in parts))
    reader, writer = os.pipe()
    with subprocess.Popen(  # noqa: S603 - the system's own server
        ["Xvfb", "-displayfd", str(writer), "-auth", str(key), "-nolisten", "tcp", "-screen", "0", "64x64x24"],  # noqa: S607
        pass_fds=[writer],
        stderr=subprocess.DEVNULL,
    ) as server:
        os.close(writer)
        with os.fdopen(reader) as said:
            number = said.readline().strip()
        try:
            assert number, "Xvfb did not start"
            environment = {"DISPLAY": f":{number}"}
            monkeypatch.setenv("XAUTHORITY", str(tmp_path / "no key"))
            refused = display_problem(environment)
            monkeypatch.setenv("XAUTHORITY", str(key))
            let_in = display_problem(environment)
        finally:
            server.terminate()
    assert "key" in refused
    assert let_in == "" or "library" in let_in
