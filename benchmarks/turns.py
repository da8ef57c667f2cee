"""The start of several checkouts in turns: `python -m benchmarks.turns FOLDER...`, each with the whole program in it.

Whatever else the machine does meets all of them.  What counts is the processor time of the whole process; of the clock
the quickest start is the one that others disturbed least.
"""

import json
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

from benchmarks.bench_start import PATIENCE_S, fresh_profile

ROUNDS = 9
_MOMENTS = Path(__file__).parent / "moments.py"


def main(checkouts: list[str]) -> int:
    """Print a row for each checkout."""
    found: dict[str, list[dict[str, float]]] = {checkout: [] for checkout in checkouts}
    for checkout in checkouts:
        started(checkout)  # the first start may still write Python's compiled files
    for number in range(ROUNDS):
        for checkout in checkouts if number % 2 == 0 else reversed(checkouts):
            found[checkout].append(started(checkout))
    names = sorted(found[checkouts[0]][0])
    print(f"| ms: median of {ROUNDS} (least) | {' | '.join(names)} |\n|{' --- |' * (len(names) + 1)}")
    for checkout, starts in found.items():
        columns = [[start[name] for start in starts] for name in names]
        print(f"| {checkout} | {' | '.join(f'{median(column):.0f} ({min(column):.0f})' for column in columns)} |")
    return 0


def started(checkout: str) -> dict[str, float]:
    """Start the program of a checkout until it begins to import torch, and return its moments in milliseconds."""
    with fresh_profile() as environment:
        command = [sys.executable, "-P", str(_MOMENTS), repr(time.monotonic())]
        done = subprocess.run(
            command,
            cwd=checkout,
            env={**environment, "PYTHONPATH": str(Path(checkout).resolve())},
            stdout=subprocess.PIPE,
            text=True,
            timeout=PATIENCE_S,
            check=True,
        )
    moments: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return moments


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
