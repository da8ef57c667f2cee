"""The slim strip above the canvas: layers, view, what was just done, data split."""

from PySide6.QtCore import QSize, Qt, QTimer, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QComboBox, QFrame, QHBoxLayout, QProgressBar, QSizePolicy, QWidget

from explorer.commands.actions import ActionSet
from explorer.views.icon_button import ActionButton, IconButton
from explorer.views.panels.frame import ElidedLabel

STATUS_MS = 8_000
# What a layer's button needs beside its name, and what else stands in the strip.
_NAME_PX, _STRIP_PX = 42, 90
# Below this width the strip is for what can be clicked alone.
_TIGHT_PX, _TIGHT_MARGIN = 350, 4
_LONGEST_TOLD = "Encoding 9,999,999 of 9,999,999"

_SPLIT_NAMES = {"train": "Train", "held_out": "Held out"}


class ToolStrip(QFrame):
    """Switches of the canvas's layers, and what the program is doing."""

    split_chosen = Signal(str)
    """`train` or `held_out`."""
    encoding_cancelled = Signal()

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
        self._progress.setAccessibleName("Progress of loading or encoding")
        self._progress.setToolTip("Share of the files that are read, or of the images that are encoded.")
        self._progress.hide()
        self._encode_all = ActionButton(actions["view.encode_all"])
        self._cancel = IconButton("close", "Cancel encoding")
        self._cancel.setText("Cancel")
        self._cancel.clicked.connect(self.encoding_cancelled)
        self._cancel.hide()
        self._encoding = ""
        actions["view.encode_all"].changed.connect(self._offer_encoding)
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
        self._parts: tuple[QWidget, ...] = (*self._layers, _separator(), *others, self._cancel, self._splits)
        for part in self._parts[:-2]:
            row.addWidget(part)
        row.addWidget(self._status, 1)
        for part in (self._progress, self._cancel, self._encode_all, self._splits):
            row.addWidget(part)
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

    def show_encoding(self, fraction: float, text: str) -> None:
        """Show how far the encoding of all images is, with a way to cancel it; at 1, or without a text, it is over."""
        over = fraction >= 1.0 or not text
        if over and not self._encoding:
            return
        self._encoding = "" if over else text
        # In a narrow strip it is all there is room for.
        self._cancel.setToolTip(f"{text}\nEncode no more images; the codes that are shown stay.")
        if self._cancel.isHidden() is not over:
            self._cancel.setVisible(not over)
            self._fit_names()
        self.show_progress(1.0 if over else fraction, text)
        self._progress.setVisible(not over and not self._is_tight)

    def clear_status(self) -> None:
        """Say nothing more, but for what goes on."""
        self._progress.hide()
        self._status.set_text(self._encoding)

    @property
    def status(self) -> str:
        """What is said."""
        return self._status.text()

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802
        """Leave the names of the layers to their tooltips where there is no room for all of them."""
        super().resizeEvent(event)
        self._tighten(tight=self.width() < _TIGHT_PX)
        self._fit_names()

    def minimumSizeHint(self) -> QSize:  # noqa: N802
        """Return the room for what can be clicked, side by side."""
        shown = [part for part in self._parts if not part.isHidden()]
        width = sum(part.minimumSizeHint().expandedTo(part.minimumSize()).width() for part in shown)
        return QSize(width + 2 * _TIGHT_MARGIN, super().minimumSizeHint().height())

    def _fit_names(self) -> None:
        measure = self.fontMetrics().horizontalAdvance
        names = sum(measure(button.text()) + _NAME_PX for button in self._layers)
        beside = [part for part in (self._splits, self._cancel, self._encode_all) if not part.isHidden()]
        told = 0 if self._cancel.isHidden() else measure(_LONGEST_TOLD) + self._progress.width()
        others = _STRIP_PX + sum(part.sizeHint().width() for part in beside) + told
        style = Qt.ToolButtonStyle
        roomy = self.width() >= others + names
        for button in self._layers:
            button.setToolButtonStyle(style.ToolButtonTextBesideIcon if roomy else style.ToolButtonIconOnly)

    def _tighten(self, *, tight: bool) -> None:
        """Leave out what only separates and what only tells, or put it back."""
        self._is_tight = tight
        margin, spacing = (_TIGHT_MARGIN, 0) if tight else (8, 4)
        self._row.setContentsMargins(margin, 4, margin, 4)
        self._row.setSpacing(spacing)
        self._status.setVisible(not tight)
        style = Qt.ToolButtonStyle
        self._cancel.setToolButtonStyle(style.ToolButtonIconOnly if tight else style.ToolButtonTextBesideIcon)
        if tight:
            self._progress.hide()
        self._offer_encoding()

    def _offer_encoding(self) -> None:
        self._encode_all.setVisible(self._encode_all.isEnabled() and not self._is_tight)
        self._fit_names()

    def _split_activated(self) -> None:
        self.split_chosen.emit(str(self._splits.currentData()))


def _separator() -> QFrame:
    line = QFrame()
    line.setObjectName("strip_separator")
    line.setFixedSize(1, 18)
    return line
