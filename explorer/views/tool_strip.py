"""The slim strip above the canvas: layers, view, what was just done, data split."""

from PySide6.QtCore import QSize, Qt, QTimer, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QComboBox, QFrame, QHBoxLayout, QProgressBar, QSizePolicy, QWidget

from explorer.commands.actions import ActionSet
from explorer.views.icon_button import ActionButton
from explorer.views.panels.frame import ElidedLabel

STATUS_MS = 8_000
# What a layer's button needs beside its name, and what else stands in the strip.
_NAME_PX, _STRIP_PX = 42, 90
# Below this width the strip is for what can be clicked alone.
_TIGHT_PX, _TIGHT_MARGIN = 350, 4

_SPLIT_NAMES = {"train": "Train", "held_out": "Held out"}


class ToolStrip(QFrame):
    """Switches of the canvas's layers, and what the program is doing."""

    split_chosen = Signal(str)
    """`train` or `held_out`."""

    def __init__(self, actions: ActionSet, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("tool_strip")
        self.setAccessibleName("Canvas tools")
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self._status = ElidedLabel(muted=True)
        self._progress = QProgressBar()
        self._progress.setRange(0, 1000)
        self._progress.setTextVisible(False)
        self._progress.setFixedWidth(96)
        self._progress.setAccessibleName("Progress of loading")
        self._progress.setToolTip("Share of the files that are read.")
        self._progress.hide()
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(STATUS_MS)
        self._timer.timeout.connect(self.clear_status)
        self._splits = QComboBox()
        self._splits.setAccessibleName("Images whose codes are shown")
        self._splits.setToolTip("Show the codes of the images trained on, or of those held out.")
        self._splits.activated.connect(self._split_activated)
        self._splits.setMinimumContentsLength(len("Held out"))
        self._splits.hide()
        self._row = row = QHBoxLayout(self)
        self._layers = [
            ActionButton(actions[name]) for name in ("view.codes", "view.mosaic", "view.prior", "view.posterior")
        ]
        others = [ActionButton(actions[name], with_text=False) for name in ("view.fit", "view.compare")]
        self._parts: tuple[QWidget, ...] = (*self._layers, _separator(), *others, self._splits)
        for part in self._parts[:-1]:
            row.addWidget(part)
        row.addWidget(self._status, 1)
        row.addWidget(self._progress)
        row.addWidget(self._splits)
        self._tighten(tight=False)

    def set_splits(self, splits: tuple[str, ...], shown: str) -> None:
        """Offer halves of the data to show, fewer than two: no choice; no intent is emitted."""
        self._splits.clear()
        for name in splits:
            self._splits.addItem(_SPLIT_NAMES.get(name, name), name)
        self._splits.setCurrentIndex(self._splits.findData(shown))
        self._splits.setVisible(len(splits) > 1)

    def show_status(self, text: str) -> None:
        """Say in passing what was done; it goes by itself."""
        self._progress.hide()
        self._status.set_text(text)
        self._timer.start()

    def show_progress(self, fraction: float, text: str) -> None:
        """Show how far something is, 0 to 1; at 1 it goes by itself."""
        self._status.set_text(text)
        self._progress.setValue(round(1000 * min(max(fraction, 0.0), 1.0)))
        self._progress.setVisible(fraction < 1.0)
        if fraction < 1.0:
            self._timer.stop()
        else:
            self._timer.start()

    def clear_status(self) -> None:
        """Say nothing more."""
        self._progress.hide()
        self._status.set_text("")

    @property
    def status(self) -> str:
        """What is said."""
        return self._status.text()

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802
        """Leave the names of the layers to their tooltips where there is no room for all of them."""
        super().resizeEvent(event)
        self._tighten(tight=self.width() < _TIGHT_PX)
        names = sum(self.fontMetrics().horizontalAdvance(button.text()) + _NAME_PX for button in self._layers)
        others = (_STRIP_PX if self._splits.isHidden() else _STRIP_PX + self._splits.sizeHint().width()) + names
        style = Qt.ToolButtonStyle
        roomy = self.width() >= others
        for button in self._layers:
            button.setToolButtonStyle(style.ToolButtonTextBesideIcon if roomy else style.ToolButtonIconOnly)

    def minimumSizeHint(self) -> QSize:  # noqa: N802
        """Return the room for what can be clicked, side by side."""
        shown = [part for part in self._parts if not part.isHidden()]
        width = sum(part.minimumSizeHint().expandedTo(part.minimumSize()).width() for part in shown)
        return QSize(width + 2 * _TIGHT_MARGIN, super().minimumSizeHint().height())

    def _tighten(self, *, tight: bool) -> None:
        """Leave out what only separates and what only tells, or put it back."""
        margin, spacing = (_TIGHT_MARGIN, 0) if tight else (8, 4)
        self._row.setContentsMargins(margin, 4, margin, 4)
        self._row.setSpacing(spacing)
        self._status.setVisible(not tight)

    def _split_activated(self) -> None:
        self.split_chosen.emit(str(self._splits.currentData()))


def _separator() -> QFrame:
    line = QFrame()
    line.setObjectName("strip_separator")
    line.setFixedSize(1, 18)
    return line
