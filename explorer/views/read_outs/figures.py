"""The page of figures: a table, the columns of KL, the plane of rate and distortion."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QGuiApplication, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QBoxLayout, QFrame, QGridLayout, QLabel, QScrollArea, QSizePolicy, QVBoxLayout, QWidget

from core.findings.read_outs import ReadOuts
from explorer.views.panels.frame import muted_line, show_text
from explorer.views.read_outs.bars import KlBars
from explorer.views.read_outs.plane_point import PlanePoint
from explorer.views.read_outs.rows import ReadOutRow, as_text, basis, figure_rows

if TYPE_CHECKING:
    from explorer.views.read_outs.plane import RateDistortionPlane

SIDE_BY_SIDE = 590
"""Width from which the three parts stand beside each other."""
NO_LIKELIHOOD = "Bernoulli nats of grey pixels are not a likelihood."


class FiguresPage(QScrollArea):
    """Everything that is found of the codes of the held-out images."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._found: ReadOuts | None = None
        self._points: tuple[Sequence[PlanePoint], Sequence[PlanePoint], int] = ((), (), 0)
        self._plane: RateDistortionPlane | None = None
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setWidgetResizable(True)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        inside = QWidget()
        inside.setObjectName("scrolled")
        self.bars = KlBars()
        self.basis, self.collapse, self.reason = muted_line(), muted_line(), muted_line()
        self._grid = QGridLayout()
        self._grid.setHorizontalSpacing(12)
        self._grid.setVerticalSpacing(2)
        self._grid.setColumnStretch(2, 1)
        self._labels: list[tuple[QLabel, QLabel, QLabel]] = []
        table = QVBoxLayout()
        table.setSpacing(6)
        table.addLayout(self._grid)
        for label in (self.collapse, self.reason):
            label.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
            table.addWidget(label)
        table.addStretch(1)
        column = QVBoxLayout(inside)
        column.setContentsMargins(0, 6, 0, 0)
        column.setSpacing(4)
        self._row = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        self._row.setSpacing(14)
        column.addLayout(self._row, 1)
        column.addWidget(self.basis)
        self._row.addLayout(table, 3)
        self._row.addWidget(self.bars, 2)
        self.setWidget(inside)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.ActionsContextMenu)
        self._copy = QAction("Copy figures", self)
        self._copy.triggered.connect(self._copy_text)
        self.addAction(self._copy)
        self.set_read_outs(None)

    @property
    def plane(self) -> "RateDistortionPlane | None":
        """The plane of rate and distortion; None until the page is seen first."""
        return self._plane

    @property
    def figures(self) -> tuple[tuple[str, str, str], ...]:
        """Name, figure and note of each row that is shown."""
        return tuple(
            (name.text(), value.text(), note.text()) for name, value, note in self._labels if not name.isHidden()
        )

    def set_read_outs(self, found: ReadOuts | None) -> None:
        """Show the figures; None takes them away."""
        self._found = found
        rows = figure_rows(found) if found is not None else ()
        for index, row in enumerate(rows):
            self._show_row(index, row)
        for name, value, note in self._labels[len(rows) :]:
            for label in (name, value, note):
                label.hide()
        self._copy.setEnabled(found is not None)
        kl = found.means.kl_per_dimension if found is not None else ()
        spread = found.spread if found is not None else ()
        self.bars.set_figures(kl, spread, chain=self._full)
        self.bars.setVisible(bool(kl))
        self._show_basis()
        show_text(self.collapse, "" if found is None else found.collapse)
        reason = ""
        if found is not None:
            reason = " ".join(
                text for text in (found.undefined_reason, "" if found.likelihood_normalised else NO_LIKELIHOOD) if text
            )
        show_text(self.reason, reason)

    def set_full_covariance(self, full: bool) -> None:  # noqa: FBT001 - a setter
        """Say whether KL per dimension is given the dimensions before."""
        self._full = full

    def set_interval(self, seconds: float) -> None:
        """Say how often figures come by themselves."""
        self._interval = f" Every {seconds:g} s while a model trains."
        self._show_basis()

    _full = False
    _interval = ""

    def set_plane(self, trail: Sequence[PlanePoint], others: Sequence[PlanePoint], left_out: int) -> None:
        """Show where the open model is and was, and where others are."""
        self._points = (trail, others, left_out)
        if self._plane is not None:
            self._plane.set_points(*self._points)
            self._plane.setVisible(bool(trail or others))

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802
        """Make the plane when the page is seen first: pyqtgraph takes a while to load."""
        super().showEvent(event)
        if self._plane is None:
            from explorer.views.read_outs.plane import RateDistortionPlane  # noqa: PLC0415 - see above

            self._plane = RateDistortionPlane(self.widget())
            self._row.addWidget(self._plane, 3)
            self.set_plane(*self._points)

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802
        """Stand the parts one above another where the width is short."""
        super().resizeEvent(event)
        wide = self.width() >= SIDE_BY_SIDE
        direction = QBoxLayout.Direction.LeftToRight if wide else QBoxLayout.Direction.TopToBottom
        if self._row.direction() != direction:
            self._row.setDirection(direction)

    def _show_row(self, index: int, row: ReadOutRow) -> None:
        while len(self._labels) <= index:
            self._labels.append(self._made_row(len(self._labels)))
        for label, text in zip(self._labels[index], (row.name, row.value, row.note), strict=True):
            show_text(label, text)
            label.setVisible(True)
            label.setToolTip(row.tip)

    def _made_row(self, index: int) -> tuple[QLabel, QLabel, QLabel]:
        labels = (QLabel(), QLabel(), QLabel())
        for column, label in enumerate(labels):
            label.setProperty("role", "field" if column == 1 else "muted")
            if column == 1:
                label.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
                label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            self._grid.addWidget(label, index, column)
        return labels

    def _show_basis(self) -> None:
        show_text(self.basis, ("" if self._found is None else basis(self._found) + self._interval).strip())

    def _copy_text(self) -> None:
        if self._found is not None:
            QGuiApplication.clipboard().setText(as_text(self._found))
