"""What a run said since its last report, to be told together."""

import time

from core.snapshots import HeldOutReport, Progress, RunNote, StepReports
from explorer.messages import RunReport


class RunBatch:
    """Events of a run that wait to be reported together."""

    def __init__(self, run_id: int) -> None:
        self._run_id = run_id
        self._since = time.monotonic()
        self._clear()

    def _clear(self) -> None:
        self._steps: list[StepReports] = []
        self._held_out: list[HeldOutReport] = []
        self._notes: list[RunNote] = []
        self._progress: Progress | None = None

    @property
    def filled(self) -> bool:
        """Whether there is anything to tell."""
        return bool(self._steps or self._held_out or self._notes or self._progress)

    @property
    def age_s(self) -> float:
        """Seconds since the last report."""
        return time.monotonic() - self._since

    def add(self, event: StepReports | HeldOutReport | RunNote | Progress) -> None:
        """Keep an event; of progress, the newest."""
        match event:
            case StepReports():
                self._steps.append(event)
            case HeldOutReport():
                self._held_out.append(event)
            case RunNote():
                self._notes.append(event)
            case Progress():
                self._progress = event

    def take(self) -> RunReport:
        """Return all of it as a report, and begin anew."""
        report = RunReport(self._run_id, tuple(self._steps), tuple(self._held_out), tuple(self._notes), self._progress)
        self._clear()
        self._since = time.monotonic()
        return report
