"""How much memory the real program takes on MNIST: after its start, with torch, with the exact tables, in training."""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.bench_start import ROOT, fresh_profile
from benchmarks.report import row

LIMIT_MB, LIMIT_WITH_TABLES_MB = 600.0, 900.0
DIMENSIONS_WITHOUT_TABLES = 10
"""With more than two, log p(x) is an estimate from samples, and there are no tables."""
PATIENCE_S = 240
USES = {
    "start": "a digit can be dragged, torch not yet imported",
    "torch": "torch imported",
    "ledger": "the ledger shown",
    "training": "20 s of training with defaults",
}


def main() -> int:
    """Print the rows: the most resident memory in each use; the proportional share only informs."""
    if sys.platform != "linux":
        print("the system does not say how much memory a process takes")
        return 1
    with tempfile.TemporaryDirectory(prefix="latent-explorer-bench-") as folder:
        model = Path(folder) / "model.safetensors"
        train(model)
        print_rows("without tables", measured([str(model)]), LIMIT_MB)
    print_rows("with the exact tables", measured([]), LIMIT_WITH_TABLES_MB)
    return 0


def print_rows(how: str, most: dict[str, dict[str, float]], limit_mb: float) -> None:
    """Print the promises of one process."""
    for use, words in USES.items():
        row(f"resident memory {how}: {words}", most[use]["rss"], limit_mb, "MB")
        row(f"proportional share {how}: {words}", most[use]["pss"], None, "MB")
    row(f"what torch's import adds {how}", most["torch"]["rss"] - most["start"]["rss"], None, "MB")


def train(path: Path) -> None:
    """Write a model that has no tables."""
    settings = [f"--set=latent_dim={DIMENSIONS_WITHOUT_TABLES}", "--set=training.epochs=1"]
    command = [sys.executable, "main.py", "train", "--data", "mnist", "--out", str(path), *settings]
    subprocess.run(command, cwd=ROOT, stdout=subprocess.DEVNULL, timeout=PATIENCE_S, check=True)


def measured(paths: list[str]) -> dict[str, dict[str, float]]:
    """Open the window with these files, take it through its uses and return the most memory of each, in MB."""
    with fresh_profile() as environment:
        command = [sys.executable, "-m", "benchmarks.probe", "memory", *paths]
        done = subprocess.run(
            command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True, timeout=PATIENCE_S, check=True
        )
    found: dict[str, dict[str, float]] = json.loads(done.stdout.splitlines()[-1])
    return found


if __name__ == "__main__":
    sys.exit(main())
