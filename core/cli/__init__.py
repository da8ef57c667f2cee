"""The program without a window: `train`, `evaluate`, `convert`.  No Qt, and torch only for arguments that are good."""

import argparse
import io
import shlex
import sys
from collections.abc import Sequence

from core.cli.arguments import UsageError, make_parser
from core.data.dataset import DataError
from core.settings import ConfigError
from core.storage.model_file import ModelFileError
from core.storage.run_folder import RunFolderError
from core.training.errors import TrainingError

SUCCESS, FAILURE, BAD_ARGUMENTS, INTERRUPTED = 0, 1, 2, 130


def main(arguments: Sequence[str]) -> int:
    """Run `train ...`, `evaluate ...` or `convert ...` and return the exit status.

    0; 1 for a failure; 2 for bad arguments or settings; 128 and the signal's number, 130 for Ctrl-C.
    """
    # A name or a help text must not end the program because a terminal cannot show one of its letters.
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        options = make_parser().parse_args(arguments)
    except SystemExit as end:
        return int(end.code or 0)
    try:
        return _run(options, shlex.join(["main.py", *arguments]))
    except (UsageError, ConfigError) as error:
        status, message = BAD_ARGUMENTS, str(error)
    # RuntimeError is what torch raises for whatever went wrong in it.
    except (DataError, ModelFileError, RunFolderError, TrainingError, OSError, RuntimeError) as error:
        status, message = FAILURE, str(error)
    except MemoryError:
        status, message = FAILURE, "there is not enough memory"
    except KeyboardInterrupt:
        status, message = INTERRUPTED, "interrupted"
    sys.stderr.write(f"latent-explorer: {message}\n")
    return status


def _run(options: argparse.Namespace, command_line: str) -> int:
    if options.command == "train":
        from core.cli.train import train  # noqa: PLC0415 - each command loads what it needs

        return train(options, command_line)
    if options.command == "convert":
        from core.cli.convert import convert_file  # noqa: PLC0415

        return convert_file(options, command_line)
    from core.cli.evaluate import evaluate_file  # noqa: PLC0415

    return evaluate_file(options)
