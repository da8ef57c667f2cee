"""Modules that come after PySide6 are imported without their source being read."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
LOOK = "import explorer.app, explorer.program, linecache; print(explorer.program.__file__ in linecache.cache)"


@pytest.mark.parametrize(
    ("before", "read"), [("import main; main._prepare(); ", "False"), ("import PySide6.QtCore; ", "True")]
)
def test_the_source_of_the_programs_modules_is_not_read(before: str, read: str) -> None:
    environment = os.environ | {"QT_QPA_PLATFORM": "offscreen", "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", before + LOOK]
    done = subprocess.run(  # noqa: S603 - this program
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True, timeout=60, check=True
    )
    assert done.stdout.strip() == read
