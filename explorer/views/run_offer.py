"""An interrupted run, offered above the canvas: to go on with it, to look at its model, or to be rid of it."""

from datetime import UTC, datetime
from pathlib import Path

from PySide6.QtCore import Signal

from explorer.messages import InterruptedRun
from explorer.views.message_row import MessageRow
from explorer.views.panels.summaries import total_text


class RunOffer(MessageRow):
    """Says what was interrupted, when and where, and stays until it is answered or closed."""

    resume_given = Signal(Path)
    open_given = Signal(Path)
    remove_given = Signal(Path)

    def __init__(self) -> None:
        super().__init__("note")
        self._path = Path()
        self.resume = self.add_button(
            "Resume training", "Train on from where it stood, as if it had not been interrupted."
        )
        self.open = self.add_button("Open the model", "Open the model as it was kept; the run stays.")
        self.remove = self.add_button("Remove", "Move the run's folder to the trash.")
        self.resume.clicked.connect(self._resume)
        self.open.clicked.connect(self._open)
        self.remove.clicked.connect(self._remove)
        self._close.setAccessibleName("Not now")
        self._close.setToolTip("Not now: it is offered again at the next start, and in the File menu.")

    def show_run(self, run: InterruptedRun, more: int) -> None:
        """Offer a run; `more` others can be found in the menu."""
        self._path = run.path
        self._show_buttons(shown=True)
        others = f" {more} more: File, Interrupted runs." if more else ""
        self.say(f"The training of {run.name} was interrupted {when(run.written)}, {where(run)}.{others}")

    def tell(self, text: str) -> None:
        """Say what was opened; there is nothing to answer."""
        self._show_buttons(shown=False)
        self.say(text)

    def forget_told(self) -> None:
        """Take away what was said of a run that was opened; an offer stays."""
        if self.resume.isHidden():
            self.hide()

    def _show_buttons(self, *, shown: bool) -> None:
        for button in (self.resume, self.open, self.remove):
            button.setVisible(shown)

    def _resume(self) -> None:
        self.close_row()
        self.resume_given.emit(self._path)

    def _open(self) -> None:
        self.close_row()
        self.open_given.emit(self._path)

    def _remove(self) -> None:
        self.close_row()
        self.remove_given.emit(self._path)


def where(run: InterruptedRun) -> str:
    """Return how far a run was, as part of a sentence."""
    return f"at epoch {run.epochs:.1f} of {total_text(run.total_epochs)} (step {run.step:,})"


def when(written: str, now: datetime | None = None) -> str:
    """Return how long ago an ISO date was, in the largest unit that fits; a date of the future is as good as now."""
    try:
        past = datetime.fromisoformat(written)
    except ValueError:
        return "some time ago"
    now = now or datetime.now(UTC)
    seconds = (now - (past if past.tzinfo else past.replace(tzinfo=UTC))).total_seconds()
    for unit, length in (("day", 86_400), ("hour", 3_600), ("minute", 60)):
        count = int(seconds // length)
        if count >= 1:
            return f"{count} {unit}{'s' if count > 1 else ''} ago"
    return "just now" if seconds < 20 else "less than a minute ago"
