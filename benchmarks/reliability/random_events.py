"""100,000 random events on the whole window: no exception, no warning of Qt's, and the event loop hardly stands still.

Mouse, wheel, keys, shortcuts, drags, text, menus, docks, dropped files and dialogs, while models train, open and close.
`--seed` says which events; a failure prints the last ones before it.
"""

import sys
import tempfile
from pathlib import Path

from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QImage
from PySide6.QtTest import QTest

from benchmarks.complaints import Complaints
from benchmarks.driving import Heartbeat, Neighbours, open_program, quantile
from benchmarks.monkey import Monkey
from benchmarks.reliability.dose import dose
from benchmarks.report import row
from explorer.program import Program
from explorer.tour.driver import Driver, line
from tests.open_program import bars_file, model_file

DEFAULT, FULL = 100_000, 1_000_000
FREEZE_LIMIT_MS = 100.0
SHOWN_FREEZES = 12
_EVENT_S = 1.0
"""So long one event may take on average before the whole is given up."""


def random_events(count: int, seed: int) -> bool:
    """Print the rows of so many events; return whether every claim holds."""
    with open_program() as (program, driver), tempfile.TemporaryDirectory(prefix="latent-explorer-bench-") as folder:
        complaints = Complaints(program)
        monkey = Monkey(program, complaints, files_in(Path(folder)), count, seed)
        heartbeat, neighbours = Freezes(complaints), Neighbours()
        heartbeat.start()
        neighbours.start()
        monkey.start()
        seconds = driver.wait_for("the last event", lambda: monkey.done, timeout_s=60.0 + _EVENT_S * count)
        late = heartbeat.stop()
        neighbours.stop()
        monkey.stop()
        driver.wait(300)
        decodes = still_decodes(program, driver)
        complaints.stop()
        quiet = neighbours.undisturbed(*heartbeat.but_for_themes(late))
    print(f"{count:,} events in {seconds:.0f} s, seed {seed}; asked to quit {monkey.quits} times", flush=True)
    for milliseconds, before in sorted(heartbeat.longest, reverse=True)[:SHOWN_FREEZES]:
        print(f"  {milliseconds:.0f} ms after {before}", flush=True)
    print(f"other programs took {neighbours.share:.2f} of a core; quiet {neighbours.quiet_share:.0%} of the time")
    kept = [
        row("random events given", float(monkey.events), float(count), "", "more"),
        row("exceptions that nobody caught", float(len(complaints.exceptions)), 0.0, ""),
        row("warnings of Qt's", float(len(complaints.warnings)), 0.0, ""),
        row("a drag still decodes afterwards", float(decodes), 1.0, "", "more"),
        row("event loop stood still, p99.9", quantile(quiet, 0.999), FREEZE_LIMIT_MS, "ms"),
        row("event loop stood still, p99", quantile(quiet, 0.99), None, "ms"),
        row("event loop stood still, longest", max(quiet, default=0.0), None, "ms"),
        row(
            "event loop stood still for another theme, longest", max(heartbeat.themes.values(), default=0.0), None, "ms"
        ),
    ]
    return all(kept)


class Freezes(Heartbeat):
    """A heartbeat that remembers which events came before the event loop stood still."""

    def __init__(self, complaints: Complaints) -> None:
        super().__init__()
        self._complaints = complaints
        self.longest: list[tuple[float, str]] = []
        self.themes: dict[int, float] = {}

    def _beat(self) -> None:
        super()._beat()
        if self._late[-1] <= FREEZE_LIMIT_MS:
            return
        before = list(self._complaints.recent)[-3:]
        if any("view.theme_" in event for event in before):
            self.themes[len(self._late) - 1] = self._late[-1]
        else:
            self.longest.append((self._late[-1], "; ".join(before)))

    def but_for_themes(self, late: list[float]) -> tuple[list[float], list[float]]:
        """Return moments and lateness of the beats but for those that waited for another theme.

        Qt lays a style sheet on each of a thousand widgets then, a third of a second; nobody does so in passing.
        """
        kept = [number for number in range(len(late)) if number not in self.themes]
        return [self._at[number] for number in kept], [late[number] for number in kept]


def files_in(folder: Path) -> dict[str, list[Path]]:
    """Return what a file dialog may be answered with: good and bad files, folders, and where to save."""
    pictures = folder / "pictures"
    pictures.mkdir()
    for number in range(12):
        image = QImage(28, 28, QImage.Format.Format_Grayscale8)
        image.fill(20 * number)
        image.save(str(pictures / f"{number}.png"))
    (folder / "broken.safetensors").write_bytes(b"\x10\x00\x00\x00\x00\x00\x00\x00{}")
    (folder / "broken.npz").write_bytes(b"PK\x03\x04 nothing")
    (folder / "text.txt").write_text("no picture", "utf-8")
    saved = folder / "saved"
    saved.mkdir()
    good = [model_file(), model_file(latent_dim=4), bars_file(), pictures / "3.png"]
    bad = [folder / "broken.safetensors", folder / "broken.npz", folder / "text.txt", folder / "not-there.npy"]
    return {"open": [*good, *good, *bad], "folder": [pictures, saved], "save": [saved]}


def still_decodes(program: Program, driver: Driver) -> bool:
    """Return whether a drag across the canvas of a model with codes changes the picture under the hand."""
    session, canvas, hand = program.session, program.views.canvas, program.views.hand.deterministic
    documents, path = session.documents, model_file()
    program.window.showNormal()
    program.window.resize(1440, 900)
    program.window.reset_layout()
    program.window.commands.trigger("model.stop")
    driver.wait_for("the end of a run", lambda: not session.training.active)
    documents.open_model(path)
    driver.wait_for("the model", lambda: documents.path == path and session.latent.hand is not None)
    driver.wait(500)
    program.window.commands.trigger("view.fit")
    # A handle of its own: those that are there may be pinned.
    middle = canvas.rect().center()
    QTest.mouseDClick(canvas, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, middle)
    driver.wait(300)
    before = hand.picture
    driver.drag(canvas, line(QPointF(middle), QPointF(middle) + QPointF(200, 120), 12))
    driver.wait(300)
    return before is not None and hand.picture is not None and bool((hand.picture != before).any())


if __name__ == "__main__":
    asked = dose(__doc__, DEFAULT, FULL)
    random_events(asked.count, asked.seed)
    sys.exit(0)
