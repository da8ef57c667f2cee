"""What the program imports before its window is painted, and what each package costs.

`python -m benchmarks.imports` starts the real program under Python's `-X importtime` and prints a table.
"""

import re
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from statistics import median

from benchmarks.bench_start import PATIENCE_S, ROOT, fresh_profile

STARTS = 5
PAINTED = "the window is painted"
_LINE = re.compile(r"import time:\s+(\d+) \|\s+\d+ \|\s+(\S+)")
_MEASURING = ("benchmarks", "PySide6.QtTest")


@dataclass(frozen=True, slots=True)
class Cost:
    """What the modules of a package took to import by themselves, without what they import in turn."""

    package: str
    modules: int
    milliseconds: float


def main() -> int:
    """Print the table: medians of several starts, the costliest package first."""
    started()  # the first start may still write Python's compiled files
    starts = [costs(started()) for _ in range(STARTS)]
    print("| package | modules | ms |\n| --- | --- | --- |")
    total = 0.0
    for cost in starts[0]:
        ms = median(one.milliseconds for start in starts for one in start if one.package == cost.package)
        total += ms
        print(f"| {cost.package} | {cost.modules} | {ms:.0f} |")
    print(f"| all | {sum(cost.modules for cost in starts[0])} | {total:.0f} |")
    return 0


def started() -> list[str]:
    """Start the program and return what Python said of imports until the window was painted."""
    with fresh_profile() as environment:
        command = [sys.executable, "-X", "importtime", "-m", "benchmarks.probe", "paint"]
        done = subprocess.run(
            command, cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True, timeout=PATIENCE_S, check=True
        )
    lines = done.stderr.splitlines()
    return lines[: lines.index(PAINTED)]


def costs(lines: Iterable[str]) -> list[Cost]:
    """Return what each package took, the costliest first; what measures is left out."""
    found: dict[str, list[float]] = {}
    for line in lines:
        match = _LINE.fullmatch(line)
        if match is not None and not match[2].startswith(_MEASURING):
            found.setdefault(_package(match[2]), []).append(int(match[1]) / 1e3)
    costs = [Cost(package, len(times), sum(times)) for package, times in found.items()]
    return sorted(costs, key=lambda cost: -cost.milliseconds)


def _package(module: str) -> str:
    top = module.split(".", maxsplit=1)[0]
    if top in {"shiboken6", "shibokensupport"}:
        return "PySide6: what binds Python to Qt"
    if top == "PySide6":
        return "PySide6: Qt"
    if top in {"main", "core", "explorer", "resources"}:
        return f"the program's own `{top}`"
    if top in sys.stdlib_module_names:
        return "Python's standard library"
    return f"`{top}`"


if __name__ == "__main__":
    sys.exit(main())
