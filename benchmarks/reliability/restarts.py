"""A run started, stopped and its model reloaded 1,000 times: memory, threads, open files and Qt objects stay flat."""

import sys
import tempfile
import time
from pathlib import Path

from benchmarks.driving import open_program
from benchmarks.growth import Growth
from benchmarks.reliability.dose import dose
from benchmarks.reliability.soak import Round
from benchmarks.report import row

DEFAULT, FULL = 100, 1_000
_EVERY = 5


def restarts(count: int, seed: int) -> bool:  # noqa: ARG001 - nothing is random here
    """Print the rows of so many restarts; return whether every claim holds."""
    with open_program() as (program, driver), tempfile.TemporaryDirectory(prefix="latent-explorer-bench-") as folder:
        rounds, growth, began = Round(program, driver, Path(folder)), Growth(program), time.monotonic()
        for number in range(count):
            rounds.restart()
            if number % _EVERY == 0 or number == count - 1:
                driver.wait(300)
                sample = growth.take(time.monotonic() - began)
                if number % (20 * _EVERY) == 0:
                    print(sample, flush=True)
        kept = growth.rows()
        errors = row("errors shown", float(rounds.errors), 0.0, "")
    return kept and errors


if __name__ == "__main__":
    asked = dose(__doc__, DEFAULT, FULL)
    restarts(asked.count, asked.seed)
    sys.exit(0)
