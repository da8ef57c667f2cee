"""Programs for a test to open, and a model file that it may write to."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.explorer.session.document_hands import Maker
from tests.open_program import OpenProgram, model_file


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Maker]:
    made: list[OpenProgram] = []

    def build(document: Path | None = None, *paths: Path, folder: str = "profile") -> OpenProgram:
        (tmp_path / folder).mkdir(exist_ok=True)
        made.append(OpenProgram(tmp_path / folder, document))
        return made[-1].start(*paths)

    yield build
    for program in made:
        program.leave()


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """Return a model file that a test may write to."""
    path = tmp_path / "my model.safetensors"
    path.write_bytes(model_file().read_bytes())
    return path
