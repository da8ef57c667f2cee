"""Runs the trials of reliability, each in a process of its own: `./run reliability [names] [--full]`."""

import argparse
import sys
from pathlib import Path

from benchmarks.__main__ import run_all

FOLDER = Path(__file__).parent
_NO_TRIALS = {"__init__", "__main__", "dose"}


def main() -> int:
    """Return 0 when every claim holds, 1 when one does not, 2 for an unknown name."""
    names = sorted({path.stem for path in FOLDER.glob("*.py")} - _NO_TRIALS)
    parser = argparse.ArgumentParser(prog="./run reliability", description="Break the program on purpose.")
    return run_all(parser, {name: f"benchmarks.reliability.{name}" for name in names}, switch="--full")


if __name__ == "__main__":
    sys.exit(main())
