"""Everything the curves show, as it came in: columns of the steps, the held-out reports and the notes.  No widgets."""

import numpy as np

from core.history import History
from core.snapshots import HeldOutReport, RunNote, StepReports
from explorer.views.curves.columns import Column, Numbers
from explorer.views.curves.epochs import EpochScale
from explorer.views.curves.quantities import MOST_DIMENSIONS
from explorer.views.curves.series import Series

_MOST_KL_VALUES = 2**25
"""128 MiB of KL per dimension; beyond that, two rows at a time become their mean."""
_RECENT_STEPS = 200


class CurveRecord:
    """What has been reported of a model's training, and the series that draw it."""

    def __init__(self, most_kl_values: int = _MOST_KL_VALUES) -> None:
        self._most_kl_values = most_kl_values
        self.step = Column(np.int64)
        self.nll = Column()
        self.kl = Column()
        self.series = {"elbo": Series(), "nll": Series(), "kl": Series()}
        self.kl_step = Column(np.int64)
        """The last step of each row of `kl_rows`."""
        self.kl_rows: Column | None = None
        self.kl_steps_per_row = 1
        self._kl_waiting: list[tuple[Numbers, Numbers]] = []
        self._dimension_series: dict[int, Series] = {}
        self.held_out: list[HeldOutReport] = []
        self.held_step = Column(np.int64)
        self.held_complete = Column(np.bool_)
        self._held = {"elbo": Column(), "nll": Column(), "kl": Column()}
        self._held_kl_rows: Column | None = None
        self.notes: list[RunNote] = []
        self.epochs = EpochScale()
        self.has_kl = True

    def load(self, history: History) -> None:
        """Take in a whole history."""
        steps = history.steps()
        if len(steps):
            self.add_steps(steps)
        for report in history.held_out:
            self.add_held_out(report)
        self.notes.extend(history.notes)

    def add_steps(self, reports: StepReports) -> None:
        """Append the reports of some steps."""
        if not len(reports):
            return
        self.step.append(reports.step)
        self.nll.append(reports.nll)
        self.kl.append(reports.kl)
        with np.errstate(all="ignore"):  # 1e308 + 1e308 is a gap, not a warning
            self.series["elbo"].extend(-(reports.nll + reports.kl))
        self.series["nll"].extend(reports.nll)
        self.series["kl"].extend(reports.kl)
        self.has_kl = reports.kl_per_dimension.shape[1] > 0
        if self.has_kl:
            self._add_kl_rows(reports.step, reports.kl_per_dimension)

    def add_held_out(self, report: HeldOutReport) -> None:
        """Append a held-out evaluation."""
        means = report.means
        self.held_out.append(report)
        self.held_step.append([report.step])
        self.held_complete.append([report.complete])
        for name, value in (("elbo", means.elbo), ("nll", means.nll), ("kl", means.kl)):
            self._held[name].append([np.nan if value is None or not np.isfinite(value) else value])
        if means.kl_per_dimension:
            if self._held_kl_rows is None:
                self._held_kl_rows = Column(width=len(means.kl_per_dimension))
                self._held_kl_rows.append(np.full((len(self.held_step) - 1, len(means.kl_per_dimension)), np.nan))
            row = np.array(means.kl_per_dimension)
            self._held_kl_rows.append(np.where(np.isfinite(row), row, np.nan)[None])
        self.epochs.add(report.step, report.epoch)
        self.has_kl = means.kl is not None

    def held_values(self, name: str, dimension: int | None = None) -> Numbers:
        """Return a quantity of every held-out report, or one dimension's KL; NaN where there is none."""
        if dimension is None:
            return self._held[name].values
        if self._held_kl_rows is None or len(self._held_kl_rows) != len(self.held_step):
            return np.full(len(self.held_step), np.nan)
        return self._held_kl_rows.values[:, dimension]

    def add_note(self, note: RunNote) -> None:
        """Append a note."""
        self.notes.append(note)

    @property
    def empty(self) -> bool:
        """Whether nothing has been reported yet."""
        return not len(self.step) and not self.held_out

    @property
    def last_step(self) -> int:
        """The largest step reported so far."""
        trained = int(self.step.values[-1]) if len(self.step) else 0
        return max([trained, *(report.step for report in self.held_out[-1:])])

    @property
    def num_dimensions(self) -> int:
        """Latent dimensions with a KL."""
        if self.kl_rows is not None:
            return int(self.kl_rows.values.shape[1])
        return len(self.held_out[-1].means.kl_per_dimension) if self.held_out else 0

    def top_dimensions(self) -> tuple[int, ...]:
        """Return the dimensions to draw, at most ten: all in their order, or those of the largest KL, largest first.

        By the last held-out report over all images; before the first, by the mean of the last 200 steps.
        """
        count = self.num_dimensions
        if count <= MOST_DIMENSIONS:
            return tuple(range(count))
        complete = [report for report in self.held_out[-20:] if report.complete] or self.held_out[-1:]
        if complete:
            sizes = np.array(complete[-1].means.kl_per_dimension)
        elif self.kl_rows is not None and len(self.kl_rows):
            recent = self.kl_rows.values[-_RECENT_STEPS:]
            usable = np.isfinite(recent).all(axis=1)
            sizes = recent[usable].mean(axis=0) if usable.any() else np.zeros(count)
        else:
            sizes = np.zeros(count)
        order = np.argsort(-np.nan_to_num(sizes), kind="stable")
        return tuple(int(dimension) for dimension in order[:MOST_DIMENSIONS])

    def dimension_series(self, dimension: int) -> Series:
        """Return the series of one dimension's KL, one value for each row of `kl_step`."""
        series = self._dimension_series.get(dimension)
        if series is None:
            # A dimension may leave the ten largest for good; what it left behind is not worth keeping for ever.
            while len(self._dimension_series) >= 4 * MOST_DIMENSIONS:
                self._dimension_series.pop(next(iter(self._dimension_series)))
            series = self._dimension_series[dimension] = Series()
        if self.kl_rows is not None and len(series) < len(self.kl_rows):
            series.extend(self.kl_rows.values[len(series) :, dimension].astype(np.float64))
        return series

    def _add_kl_rows(self, step: Numbers, rows: Numbers) -> None:
        if self.kl_rows is None:
            self.kl_rows = Column(np.float32, rows.shape[1])
        with np.errstate(over="ignore"):
            single = rows.astype(np.float32)
        self._kl_waiting.append((step, single))
        per_row = self.kl_steps_per_row
        waiting = sum(len(steps) for steps, _ in self._kl_waiting)
        whole = waiting // per_row * per_row
        if not whole:
            return
        steps = np.concatenate([steps for steps, _ in self._kl_waiting])
        values = np.concatenate([values for _, values in self._kl_waiting])
        self._kl_waiting = [(steps[whole:], values[whole:])] if whole < waiting else []
        self.kl_step.append(steps[per_row - 1 : whole : per_row])
        self.kl_rows.append(_block_means(values[:whole], per_row))
        if self.kl_rows.values.size > self._most_kl_values:
            self._halve_kl_rows()

    def _halve_kl_rows(self) -> None:
        assert self.kl_rows is not None  # noqa: S101 - only called after an append
        rows, steps = self.kl_rows.values, self.kl_step.values
        even = len(rows) // 2 * 2
        if even < len(rows):
            # The odd row stands for as many steps as before; repeated, it weighs the same in the next block.
            self._kl_waiting.insert(
                0,
                (
                    np.repeat(steps[even:], self.kl_steps_per_row),
                    np.repeat(rows[even:], self.kl_steps_per_row, axis=0),
                ),
            )
        halved = _block_means(rows[:even], 2)
        self.kl_step.replace(steps[1:even:2].copy())
        self.kl_rows.replace(halved)
        self.kl_steps_per_row *= 2
        self._dimension_series.clear()


def _block_means(rows: Numbers, size: int) -> Numbers:
    """Return the means of each `size` rows; NaN, a skipped step, is passed over."""
    if size == 1:
        return rows
    blocks = rows.reshape(-1, size, rows.shape[1])
    given = np.isfinite(blocks)
    count = given.sum(axis=1)
    total = np.where(given, blocks, 0.0).sum(axis=1)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)
