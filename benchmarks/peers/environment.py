"""The peers' environment, made where it is missing, and peers that have turns."""

import subprocess
import sys
import tempfile
import venv
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

FOLDER = Path(__file__).parent
LAST_WORDS = 2000
_ROOT = FOLDER.parent.parent
_ENVIRONMENT = _ROOT / "build" / "peers"
_CONSTRAINTS = _ROOT / "constraints.txt"


@dataclass(frozen=True, slots=True)
class Needs:
    """The packages of a peer."""

    packages: tuple[str, ...]
    pinned: tuple[str, ...] = ()
    """Those that the program has as well, by name: its own versions of them."""


JAX = Needs(("jax>=0.4.30",))
PYTHAE = Needs(("pythae==0.1.2",), pinned=("torch", "numpy"))
MATPLOTLIB = Needs(("matplotlib>=3.9",), pinned=("PySide6-Essentials", "numpy"))


def peers_python(*peers: Needs) -> Path:
    """Return the Python of an environment that has what these peers need; what is missing is installed."""
    folder = "Scripts" if sys.platform == "win32" else "bin"
    python = _ENVIRONMENT / folder / "python"
    if not python.exists():
        venv.create(_ENVIRONMENT, with_pip=True)
    names = {name for peer in peers for name in peer.pinned}
    pins = [line for line in _CONSTRAINTS.read_text("utf-8").splitlines() if line.partition("==")[0] in names]
    # By exact pins and first: from a range pip may choose a torch that brings gigabytes of CUDA with it.
    for wanted in (pins, [package for peer in peers for package in peer.packages]):
        if wanted:
            quiet = ["--quiet", "--disable-pip-version-check", "--no-input"]
            subprocess.run([python, "-m", "pip", "install", *quiet, "-c", _CONSTRAINTS, *wanted], check=True)
    return python


class Peer:
    """A process that does something for so many seconds when it is told to, and says a number of it.

    A trainer says how many images a second that were, a window the milliseconds that a hand waited.
    """

    def __init__(self, python: Path, script: str, *arguments: str) -> None:
        command = [str(python), str(FOLDER / script), *arguments]
        # Progress bars and notices: of interest only where it ends too soon.
        self._chatter = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the peer
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._chatter, text=True
        )
        self.rates: list[float] = []
        self.text = self._line()
        """What it is, and how it does it."""

    def take(self, seconds: float) -> None:
        """Let it do so for a while, and note its number."""
        if self._process.stdin is None:
            raise RuntimeError("the peer cannot be spoken to")
        self._process.stdin.write(f"{seconds}\n")
        self._process.stdin.flush()
        self.rates.append(float(self._line()))

    def _line(self) -> str:
        line = self._process.stdout.readline().strip() if self._process.stdout is not None else ""
        if not line:
            status = self._process.wait()
            self._chatter.seek(0)
            last = self._chatter.read()[-LAST_WORDS:].decode("utf-8", "replace")
            raise RuntimeError(f"a peer ended, with status {status}: {last}")
        return line

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.communicate()
        self._chatter.close()
