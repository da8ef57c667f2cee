"""How much of a trial a script takes: its own default, the full size, or what the command line says."""

import argparse
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Dose:
    """How many trials, and the seed of everything that is random in them."""

    count: int
    seed: int


def dose(description: str | None, default: int, full: int) -> Dose:
    """Return what the command line asks for: `--full`, `--count N`, `--seed S`."""
    parser = argparse.ArgumentParser(description=description)
    size = parser.add_mutually_exclusive_group()
    size.add_argument("--full", action="store_true", help=f"{full:,} instead of {default:,}")
    size.add_argument("--count", type=_positive, default=default, help=f"how many; {default:,} by default")
    parser.add_argument("--seed", type=int, default=0, help="of all that is random; 0 by default")
    options = parser.parse_args()
    return Dose(full if options.full else options.count, options.seed)


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{number} is not at least 1")
    return number
