"""The record of a run: one line of JSON for each report, only ever appended to.

`{"kind": "steps", "first": 1, "nll": [...], "kl_per_dimension": [[...], ...]}` holds consecutive steps, `held_out` an
evaluation, `note` a note, and `resumed` says that what was recorded after its step is not part of the run any more.
Numbers that are not finite are texts.
"""

import json
import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from core.history import LAST_STEP, History
from core.regular_files import open_regular, size_of
from core.snapshots import ElboMeans, HeldOutReport, Progress, RunNote, StepReports, frozen
from core.storage.safetensors_header import HeaderError, parse_json

MAX_BYTES = 2**30
_MAX_LINE_BYTES = 2**24
# Kept for a disk that is full, until it has room again; what is older is lost to the record, not to the run.
_MAX_PENDING_BYTES = 2**26

Event = StepReports | HeldOutReport | RunNote | Progress


class MetricsLog:
    """Appends to the record of a run.  What cannot be written waits for the next time, and no line is ever torn."""

    def __init__(self, path: Path) -> None:
        """Open the record, or begin it.  Raises OSError."""
        self._file = path.open("ab", buffering=0)
        self._end = _cut_to_whole_lines(path)
        self._pending = bytearray()

    def add(self, event: Event) -> None:
        """Take in an event; `flush` writes it."""
        line = _line_of(event)
        if line is not None:
            self._append(line)

    def add_history(self, history: History) -> None:
        """Take in all that was reported before."""
        steps = history.steps()
        for start in range(0, len(steps), 256):
            rows = slice(start, start + 256)
            columns = (steps.step, steps.nll, steps.kl, steps.kl_per_dimension)
            self.add(StepReports(*(frozen(column[rows]) for column in columns)))
        for report in history.held_out:
            self.add(report)
        for note in history.notes:
            self.add(note)

    def resume_at(self, step: int) -> None:
        """Say that the run goes on from a step, whatever was recorded after it."""
        self._append({"kind": "resumed", "step": step})

    def flush(self) -> None:
        """Write what waits.  Raises OSError; it then goes on waiting."""
        data = memoryview(bytes(self._pending))
        try:
            while data:
                data = data[os.write(self._file.fileno(), data) :]
        except OSError:
            os.ftruncate(self._file.fileno(), self._end)
            raise
        self._end += len(self._pending)
        self._pending.clear()

    def sync(self) -> None:
        """Write what waits and see it to the disk.  Raises OSError."""
        self.flush()
        os.fsync(self._file.fileno())

    def close(self) -> None:
        """Write what waits, if that is possible, and close the file."""
        try:
            self.flush()
        except OSError:
            pass
        finally:
            self._file.close()

    def _append(self, line: Mapping[str, object]) -> None:
        if len(self._pending) < _MAX_PENDING_BYTES:
            self._pending += json.dumps(line, separators=(",", ":"), allow_nan=False).encode() + b"\n"


def read_metrics(path: Path, latent_dim: int) -> tuple[History, str]:
    """Return what a run recorded, and what of it cannot be read, or nothing.

    The last line may be half a one, after a kill: it is dropped without a word.  Raises OSError.
    """
    history, problem = History(latent_dim), ""
    with open_regular(path) as file:
        if size_of(file) > MAX_BYTES:
            return history, f"its record has more than {MAX_BYTES:,} bytes"
        for number, line in enumerate(iter(lambda: file.readline(_MAX_LINE_BYTES), b""), start=1):
            if not line.endswith(b"\n"):
                break
            try:
                history = _taken_in(history, parse_json(line, "it"))
            except (HeaderError, KeyError, TypeError, ValueError, OverflowError) as error:
                problem = f"line {number} of its record, and what follows, cannot be read: {error}"
                break
    return history, problem


def _cut_to_whole_lines(path: Path) -> int:
    """Take away the half line that a kill left; return how long the record is now."""
    with path.open("r+b") as file:
        end = file.seek(0, os.SEEK_END)
        start = max(end - _MAX_LINE_BYTES, 0)
        file.seek(start)
        whole = start + file.read().rfind(b"\n") + 1
        if whole < end:
            file.truncate(whole)
    return whole


def _line_of(event: Event) -> dict[str, object] | None:
    match event:
        case StepReports() if len(event):
            return {
                "kind": "steps",
                "first": int(event.step[0]),
                "nll": _numbers(event.nll),
                "kl": _numbers(event.kl),
                "kl_per_dimension": [_numbers(row) for row in event.kl_per_dimension],
            }
        case HeldOutReport(step, epoch, means, num_images, complete):
            return {
                "kind": "held_out",
                "step": step,
                "epoch": epoch,
                "nll": _number(means.nll),
                "kl": None if means.kl is None else _number(means.kl),
                "kl_per_dimension": [_number(value) for value in means.kl_per_dimension],
                "num_images": num_images,
                "complete": complete,
            }
        case RunNote(step, kind, text):
            return {"kind": "note", "step": step, "note": kind, "text": text}
        case _:
            return None


def _number(value: float) -> float | str:
    return value if math.isfinite(value) else repr(float(value))


def _numbers(values: np.ndarray[Any, Any]) -> list[float | str]:
    return [_number(value) for value in values.tolist()]


def _taken_in(history: History, line: Any) -> History:  # noqa: ANN401 - JSON can be anything
    match line:
        case {"kind": "steps", "first": int(first), "nll": list(nll), "kl": list(kl), "kl_per_dimension": list(rows)}:
            last = history.last_step
            if not last < first <= LAST_STEP - len(nll):
                raise ValueError(f"step {first} does not follow step {last}")
            costs, rates = np.array(nll, np.float64), np.array(kl, np.float64)
            per_dimension = np.array(rows, np.float64).reshape(len(nll), -1)
            if costs.ndim != 1 or costs.shape != rates.shape or not nll:
                raise ValueError("its columns differ in length")
            steps = np.arange(first, first + len(nll), dtype=np.int64)
            history.add_steps(StepReports(frozen(steps), frozen(costs), frozen(rates), frozen(per_dimension)))
        case {"kind": "held_out", "step": int(step), "num_images": int(count), "complete": bool(complete)}:
            kl_per_dimension = tuple(float(value) for value in line["kl_per_dimension"])
            rate = None if line["kl"] is None else float(line["kl"])
            means = ElboMeans(float(line["nll"]), rate, kl_per_dimension)
            history.add_held_out(HeldOutReport(step, float(line["epoch"]), means, count, complete))
        case {"kind": "note", "step": int(step), "note": str(kind), "text": str(text)}:
            history.add_note(RunNote(step, kind, text))
        case {"kind": "resumed", "step": int(step)}:
            return history.until(step)
        case _:
            raise ValueError("it is no report of a run")
    return history
