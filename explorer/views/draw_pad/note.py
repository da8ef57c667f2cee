"""One line under the sheet: what was done to a picture, what is odd about a drawing."""

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QLabel, QSizePolicy

_LEAST_INK = 0.015
_MOST_INK = 0.5


class DrawingNote(QLabel):
    """A remark on the drawing, an error in red before it, nothing when there is nothing to say.

    Its line is always there, so that the sheet never moves under the pen; what does not fit is in the tool tip.
    """

    def __init__(self) -> None:
        super().__init__()
        self._least, self._most = _LEAST_INK, _MOST_INK
        self._known = False
        self._said = ""
        self._judgement = ""
        self._role = "muted"
        self.setAccessibleName("Note on the drawing")
        self.setProperty("role", self._role)
        self._whole = ""
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)

    @property
    def whole_text(self) -> str:
        """The remark, also what of it does not fit."""
        return self._whole

    def set_usual_ink(self, least: float, most: float) -> None:
        """Set the shares of ink, 0 to 1, between which the data's pictures lie."""
        if not 0.0 <= least <= most <= 1.0:
            raise ValueError(f"shares of ink must lie in [0, 1] and rise, not {least} and {most}")
        self._least, self._most, self._known = least, most, True

    def say(self, text: str) -> None:
        """Say what was done; empty says nothing."""
        self._said = text
        self._show("muted")

    def complain(self, text: str) -> None:
        """Say what could not be done."""
        self._said = text
        self._show("error")

    def judge(self, share: float | None) -> None:
        """Remark on a share of ink that the data do not have; None for no drawing, or an unfinished one."""
        than = "than nearly all of the data" if self._known else "for a drawing of one thing"
        more, less = ("more", "less") if self._known else ("much", "little")
        if share is None or self._least <= share <= self._most:
            self._judgement = ""
        elif share < self._least:
            self._judgement = f"Only {share:.1%} ink, {less} {than}."
        else:
            self._judgement = f"{share:.0%} ink, {more} {than}."
        self._show(self._role)

    def _show(self, role: str) -> None:
        text = " ".join(part for part in (self._said, self._judgement) if part)
        if text == self._whole and role == self._role:
            return
        if role != self._role:
            self._role = role
            self.setProperty("role", role)
            # A style sheet looks at properties only when told to.
            self.style().unpolish(self)
            self.style().polish(self)
        self._whole = text
        self.setToolTip(text)
        self.setAccessibleDescription(text)
        self._elide()

    def sizeHint(self) -> QSize:  # noqa: N802
        """Return one line, whether or not there is something to say."""
        return QSize(0, self.fontMetrics().lineSpacing())

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802
        """Show as much as fits."""
        super().resizeEvent(event)
        self._elide()

    def _elide(self) -> None:
        self.setText(self.fontMetrics().elidedText(self._whole, Qt.TextElideMode.ElideRight, self.width()))
