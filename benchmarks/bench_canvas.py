"""The latent canvas: from a mouse move to the painted widget, for a pan, a drag and a hover."""

import os
import statistics
import sys
import time
from collections.abc import Callable

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import numpy as np
from PySide6.QtCore import QCoreApplication, QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from benchmarks.report import row
from core.snapshots import Codes, Mosaic, frozen
from explorer.messages import Handle
from explorer.theme import apply_theme
from explorer.views.canvas import LatentCanvas

SIZE = (900, 650)
ROUNDS = 60
PAN_STEP_PX, PAN_REACH_PX = 8, 240
PAN_LIMITS_MS = {10_000: 3.0, 60_000: 6.0, 1_000_000: 20.0}
DRAG_LIMIT_MS = 0.3
HOVER_LIMIT_MS = 1.0
MOSAIC_TILES = (20, 20)
MIDDLE, LEFT = Qt.MouseButton.MiddleButton, Qt.MouseButton.LeftButton


def times_ms(update: Callable[[int], None], rounds: int = ROUNDS) -> list[float]:
    """Return how long an update takes each time, after five to warm up."""
    times = []
    for number in range(rounds + 5):
        start = time.perf_counter()
        update(number)
        times.append(1e3 * (time.perf_counter() - start))
    return times[5:]


def median_ms(update: Callable[[int], None], rounds: int = ROUNDS) -> float:
    """Return how long an update takes, after five to warm up."""
    return statistics.median(times_ms(update, rounds))


def paint_now() -> None:
    """Deliver the paint that the last event asked for."""
    QCoreApplication.sendPostedEvents()


def clustered(count: int) -> Codes:
    """Return codes in ten overlapping clusters, as a trained model's lie."""
    generator = np.random.default_rng(0)
    labels = generator.integers(0, 10, count)
    centres = generator.normal(0.0, 1.0, (10, 2))
    mean = centres[labels] + generator.normal(0.0, 0.45, (count, 2))
    indices = frozen(np.arange(count), np.int64)
    return Codes(frozen(mean, np.float32), None, None, indices, frozen(labels, np.int64), "train", count, 1)


class Bench:
    """A canvas as it is used: codes, mosaic, prior and two handles, one of them with its data point."""

    def __init__(self, count: int) -> None:
        self.canvas = LatentCanvas()
        self.canvas.resize(*SIZE)
        self.canvas.set_latent_dim(2, True)
        self.canvas.set_codes(clustered(count), tuple("0123456789"))
        columns, rows = MOSAIC_TILES
        tiles = np.random.default_rng(1).integers(0, 256, (28 * rows, 28 * columns))
        self.canvas.fit_view()
        extent = self.canvas.extent()
        low, high = (extent.left, extent.bottom), (extent.right, extent.top)
        self.canvas.set_mosaic(Mosaic(frozen(tiles, np.uint8), low, high, (0, 1), 1))
        codes = (np.zeros(2, dtype=np.float32), np.full(2, 1.5, dtype=np.float32))
        self.canvas.set_handles((Handle(1, codes[0], anchor=5), Handle(2, codes[1])), 1)
        self.canvas.show()
        QTest.qWaitForWindowExposed(self.canvas)
        paint_now()

    def pan_ms(self) -> list[float]:
        """Return the times from a move of the held plane to the painted widget."""
        start = QPoint(300, 300)
        QTest.mousePress(self.canvas, MIDDLE, pos=start)

        def move(number: int) -> None:
            # Far enough that points have to be stamped anew on the way, there and back.
            place = number * PAN_STEP_PX % (2 * PAN_REACH_PX)
            QTest.mouseMove(self.canvas, start + QPoint(min(place, 2 * PAN_REACH_PX - place), number % 7))
            paint_now()

        result = times_ms(move)
        QTest.mouseRelease(self.canvas, MIDDLE, pos=start)
        return result

    def drag_ms(self) -> float:
        """Return the time of painting one move of the selected handle (its region only)."""
        where = (QPoint(450, 325), QPoint(456, 329))

        def move(number: int) -> None:
            a, b = self.canvas.view.to_latent(*map(float, where[number % 2].toTuple()))
            code = np.array([a, b], dtype=np.float32)
            self.canvas.set_handles((Handle(1, code, anchor=5), Handle(2, np.full(2, 1.5, dtype=np.float32))), 1)
            paint_now()

        return median_ms(move)

    def mouse_drag_ms(self) -> float:
        """Return the same from the mouse event on; the pacing's own waits are left out by moving every 5 ms."""
        place = QPoint(*(round(value) for value in self.canvas.view.to_pixels(1.5, 1.5)))
        QTest.mousePress(self.canvas, LEFT, pos=place)
        times = []
        for number in range(ROUNDS):
            QTest.qWait(5)
            start = time.perf_counter()
            QTest.mouseMove(self.canvas, place + QPoint(1 + number % 9, number % 5))
            paint_now()
            times.append(time.perf_counter() - start)
        QTest.mouseRelease(self.canvas, LEFT, pos=place)
        return 1e3 * statistics.median(times)

    def hover_ms(self) -> float:
        """Return the time of finding the point under the mouse, without the painting."""
        cloud = self.canvas.cloud
        assert cloud is not None  # noqa: S101

        def find(number: int) -> None:
            cloud.nearest(self.canvas.view, 200.0 + 7.0 * number, 300.0, 8.0)

        return median_ms(find)

    def replace_ms(self, count: int) -> float:
        """Return the time of taking new codes and painting them, as at a refresh during training."""
        codes = (clustered(count), clustered(count))

        def replace(number: int) -> None:
            self.canvas.set_codes(codes[number % 2], tuple("0123456789"))
            paint_now()

        return median_ms(replace, 10)


def main() -> int:
    """Print the rows; return 0 when every promise is kept."""
    app = QApplication.instance() or QApplication(sys.argv[:1])
    assert isinstance(app, QApplication)  # noqa: S101
    apply_theme(app, "light")
    kept = []
    for count, limit in PAN_LIMITS_MS.items():
        bench = Bench(count)
        pans = bench.pan_ms()
        row(f"pan, {count:,} points, p95", float(np.quantile(pans, 0.95)), None, "ms")
        kept += [
            row(f"pan, {count:,} points, median", statistics.median(pans), limit, "ms"),
            row(f"repaint of a dragged handle, {count:,} points, median", bench.drag_ms(), DRAG_LIMIT_MS, "ms"),
            row(f"point under the mouse, {count:,} points, median", bench.hover_ms(), HOVER_LIMIT_MS, "ms"),
        ]
        row(f"mouse move to painted handle, {count:,} points, median", bench.mouse_drag_ms(), None, "ms")
        row(f"new codes, {count:,} points, median", bench.replace_ms(count), None, "ms")
        bench.canvas.close()
    return 0 if all(kept) else 1


if __name__ == "__main__":
    sys.exit(main())
