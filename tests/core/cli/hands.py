"""What the tests of the command line share."""

import pytest

from core import cli

SMALL = ["--set", "hidden=8", "--set", "batch_size=10", "--set", "threads=1", "--set", "image_size=8", "--quiet"]


def refused(capsys: pytest.CaptureFixture[str], arguments: list[str], status: int) -> str:
    assert cli.main(arguments) == status
    message = capsys.readouterr().err
    assert "Traceback" not in message
    return message
