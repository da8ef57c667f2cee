"""The peers' environment, made where it is missing, and peers that train in turns."""

import subprocess
import sys
import venv
from pathlib import Path
from types import TracebackType
from typing import Self

FOLDER = Path(__file__).parent
_ENVIRONMENT = FOLDER.parent.parent / "build" / "peers"


def peers_python(*requirements: str) -> Path:
    """Return the Python of an environment that has these packages; they are installed where they are missing."""
    folder = "Scripts" if sys.platform == "win32" else "bin"
    python = _ENVIRONMENT / folder / "python"
    if not python.exists():
        venv.create(_ENVIRONMENT, with_pip=True)
    quiet = ["--quiet", "--disable-pip-version-check", "--no-input"]
    subprocess.run([python, "-m", "pip", "install", *quiet, *requirements], check=True)
    return python


class Peer:
    """A process that trains for so many seconds when it is told to, and says how many images a second that were."""

    def __init__(self, python: Path, script: str, *arguments: str) -> None:
        command = [str(python), str(FOLDER / script), *arguments]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.rates: list[float] = []
        self.text = self._line()
        """What it is, and with what it trains."""

    def take(self, seconds: float) -> None:
        """Train for a while, and note the images a second."""
        if self._process.stdin is None:
            raise RuntimeError("the peer cannot be spoken to")
        self._process.stdin.write(f"{seconds}\n")
        self._process.stdin.flush()
        self.rates.append(float(self._line()))

    def _line(self) -> str:
        line = self._process.stdout.readline().strip() if self._process.stdout is not None else ""
        if not line:
            raise RuntimeError(f"a peer ended, with status {self._process.wait()}")
        return line

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.communicate()
