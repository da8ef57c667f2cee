"""Runs the benchmarks, each in a process of its own, and says which promises are kept.

`./run bench` runs all, `./run bench feel start` only bench_feel.py and bench_start.py.
"""

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent
PREFIX = "bench_"
KEPT, BROKEN, INFORMS = "kept", "BROKEN", "–"


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table."""

    name: str
    promise: str
    measured: str
    limit: str
    verdict: str


def main() -> int:
    """Return 0 when every measured promise is kept, 1 when one is not, 2 for an unknown name."""
    known = {path.stem.removeprefix(PREFIX): f"benchmarks.{path.stem}" for path in FOLDER.glob(f"{PREFIX}*.py")}
    parser = argparse.ArgumentParser(prog="./run bench", description="Measure what the program promises.")
    return run_all(parser, known)


def run_all(parser: argparse.ArgumentParser, modules: Mapping[str, str], switch: str = "") -> int:
    """Run the modules that the command line names, print one table of their rows and return main()'s status.

    A switch that is given is handed on to each of them.
    """
    known = sorted(modules)
    parser.add_argument("names", nargs="*", metavar="name", help=f"which: {', '.join(known)}; all by default")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write every row to this file")
    if switch:
        parser.add_argument(switch, dest="options", action="append_const", const=switch, help="the full size of each")
    arguments = parser.parse_args()
    options = (arguments.options or []) if switch else []
    unknown = [name for name in arguments.names if name not in known]
    if unknown:
        print(f"unknown benchmark {', '.join(unknown)}; known: {', '.join(known)}", file=sys.stderr)
        return 2
    rows, lines = [], []
    for name in arguments.names or known:
        print(f"measuring {name} …", file=sys.stderr, flush=True)
        found, succeeded = measure(modules[name], options)
        lines += [{"name": name, **line} for line in found]
        rows += [row_of(name, line) for line in found]
        if not succeeded:
            rows.append(Row(name, "runs to its end", "failed", "", BROKEN))
    print(table(rows))
    if arguments.json:
        arguments.json.write_text(json.dumps(lines, ensure_ascii=False, indent=1), "utf-8")
    return 1 if any(row.verdict == BROKEN for row in rows) else 0


def measure(module: str, options: Sequence[str] = ()) -> tuple[list[dict[str, object]], bool]:
    """Return the rows that a benchmark printed, and whether it printed any and ended well."""
    lines = []
    with subprocess.Popen(
        [sys.executable, "-m", module, *options],
        cwd=FOLDER.parent,
        env={"QT_QPA_PLATFORM": "offscreen"} | os.environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    ) as process:
        for text in process.stdout or ():
            line = parsed(text)
            if line is None:
                print(f"  {text.rstrip()}", file=sys.stderr, flush=True)
            else:
                lines.append(line)
    return lines, process.returncode == 0 and bool(lines)


def parsed(text: str) -> dict[str, object] | None:
    """Return the row in a line of output, None for a line that is none."""
    try:
        line = json.loads(text)
    except ValueError:
        return None
    return line if isinstance(line, dict) and {"promise", "measured", "limit", "unit", "kept"} <= line.keys() else None


def row_of(name: str, line: dict[str, object]) -> Row:
    """Return a row as the table shows it."""
    limit, unit = line["limit"], line["unit"]
    sign = "≥" if line.get("better") == "more" else "≤"
    verdict = INFORMS if limit is None else KEPT if line["kept"] else BROKEN
    shown_limit = "" if limit is None else f"{sign} {limit:,.4g} {unit}"
    return Row(name, str(line["promise"]), f"{line['measured']:,.4g} {unit}", shown_limit, verdict)


def table(rows: list[Row]) -> str:
    """Return the rows in columns of equal width."""
    cells = [("name", "promise", "measured", "limit", "verdict")]
    cells += [(row.name, row.promise, row.measured, row.limit, row.verdict) for row in rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return "\n".join(
        " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in cells
    )


if __name__ == "__main__":
    sys.exit(main())
