"""The panel of latent sliders."""

from collections.abc import Iterator, Sequence

import numpy as np
from PySide6.QtCore import QEvent, QObject, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QHideEvent, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QLabel, QScrollArea, QToolButton, QVBoxLayout, QWidget

from core.shapes import Code, Picture
from explorer.messages import SliderSpec
from explorer.views.pacing import FOLLOW_MS, RequestPacer
from explorer.views.sliders.filmstrip import Filmstrip
from explorer.views.sliders.row import LEAST_ROW, SliderRow, is_collapsed
from explorer.views.sliders.span import Span
from explorer.views.sliders.stack import RowStack
from explorer.views.sliders.sweeps import Sweeps
from explorer.views.sliders.top import Headings, TopRow

_REST_MS = 200
"""How long the mouse rests on a slider before its pictures are asked for; passing over it asks for nothing."""
_STRIP_MS = 100
"""At most ten strips a second while other dimensions move."""
_NO_MODEL = "There are no codes to slide: no model is open, or it has no latent code."
_NO_HANDLE = "Select or add a handle on the canvas: the sliders follow it."


class SlidersPanel(QWidget):
    """One slider for each latent dimension of the selected handle's code."""

    touched = Signal()
    """A slider has moved; what follows, `value_edited` first, is its doing."""
    value_edited = Signal(int, float)
    reset_requested = Signal()
    dimension_reset_requested = Signal(int)
    sample_requested = Signal()
    order_requested = Signal()
    animate_toggled = Signal(int, bool)
    filmstrip_requested = Signal(int)
    """The mouse or focus is on a slider; `set_filmstrip` may answer."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Latent sliders")
        self._values: dict[int, float] = {}
        self._specs: tuple[SliderSpec, ...] = ()
        self._waiting: tuple[SliderSpec, ...] | None = None
        self._enabled = True
        self._attended: int | None = None
        self.sweeps = Sweeps(self)
        """Which dimensions move by themselves."""
        self.sweeps.moved.connect(self._on_swept)
        self._top = TopRow(self)
        self.reset_all, self.sample, self.order = self._top.reset_all, self._top.sample, self._top.order
        self.reset_all.clicked.connect(self._on_reset_all)
        self.sample.clicked.connect(self._on_sample)
        self.order.clicked.connect(self.order_requested)
        self._headings = Headings(self)
        self._make_list()
        self._attend_timer = QTimer(self, singleShot=True, interval=_REST_MS)
        self._attend_timer.timeout.connect(self._ask_for_strip)
        self._strip_timer = QTimer(self, singleShot=True, interval=_STRIP_MS)
        self._strip_timer.timeout.connect(self._ask_for_strip)
        self._following = RequestPacer(self, FOLLOW_MS)
        self._following.due.connect(self._show_values)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(6, 4, 6, 4)
        layout.setSpacing(4)
        layout.addWidget(self._top)
        layout.addWidget(self._hint)
        layout.addWidget(self._headings)
        layout.addWidget(self._area, 1)
        self._show_state()

    def _make_list(self) -> None:
        self._hint = QLabel(self)
        self._hint.setWordWrap(True)
        self._hint.setProperty("role", "muted")
        self._area = QScrollArea(self)
        self._area.setMinimumWidth(LEAST_ROW)
        self._area.setWidgetResizable(True)
        self._area.setFrameShape(QScrollArea.Shape.NoFrame)
        self._area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._content = QWidget()
        self._active = RowStack(self._content)
        self._collapsed = RowStack(self._content)
        self.expander = QToolButton(self._content)
        self.expander.setCheckable(True)
        self.expander.setAutoRaise(True)
        self.expander.setProperty("fold", "true")
        self.expander.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.expander.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.expander.setToolTip(
            "Dimensions whose code hardly varies from image to image (variance at most 0.01); "
            "moving them changes little"
        )
        self.expander.toggled.connect(self._on_expanded)
        rows = QVBoxLayout(self._content)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setSpacing(2)
        for widget in (self._active, self.expander, self._collapsed):
            rows.addWidget(widget)
        rows.addStretch(1)
        self._filmstrip = Filmstrip(self._content, (self._active, self.expander, self._collapsed))
        for stack in (self._active, self._collapsed):
            stack.row_made.connect(self._on_row_made)
            stack.row_filled.connect(self._on_row_filled)
            stack.rows_made.connect(self._order_tabs)
        self._area.setWidget(self._content)
        self._area.verticalScrollBar().valueChanged.connect(self._on_scrolled)
        # Rows are laid out after they are made; the strip under one of them has to move with it.
        self._content.installEventFilter(self)

    # --- what the session sets

    def set_sliders(self, specs: tuple[SliderSpec, ...]) -> None:
        """Show these dimensions in this order, collapsed ones folded away.

        Rows keep still under a hand: another order waits until it lets go.  Raises ValueError, and changes nothing, for
        values that are not finite or a dimension that comes twice.
        """
        spans = {spec.dimension: Span.of(spec) for spec in specs}
        if len(spans) < len(specs):
            raise ValueError(f"each dimension has one slider, not {[spec.dimension for spec in specs]}")
        if _arrangement(specs) != _arrangement(self._specs) and self._held():
            self._waiting = tuple(specs)
            return
        self._waiting = None
        focus = self._focused_dimension()
        rearranged = _arrangement(specs) != _arrangement(self._specs)
        self._specs = tuple(specs)
        self._values = {spec.dimension: self._values.get(spec.dimension, spec.centre) for spec in specs}
        for dimension in self.sweeps.dimensions:
            if dimension in spans:
                self.sweeps.set_span(dimension, spans[dimension])
            else:
                self.sweeps.stop(dimension)
        if rearranged:
            self._leave_strip()
        self._fill_stacks()
        focused = self._row(focus)
        if rearranged and focused is not None:
            focused.track.setFocus()
        self._show_state()

    def set_code(self, code: Code) -> None:
        """Show a code, at once or very soon; no signal says so.

        Raises ValueError, and changes nothing, for what is not finite.
        """
        values = np.asarray(code, np.float64)
        if values.ndim != 1 or not np.isfinite(values).all():
            raise ValueError(f"a code must be one row of finite numbers, not {values.tolist()}")
        changed = [d for d in self._values if d < len(values) and self._values[d] != values[d]]
        self._values.update({dimension: float(values[dimension]) for dimension in changed})
        if changed:
            self._following.request()
        # The pictures along a slider depend on all the other values.
        others_changed = self._attended is not None and any(dimension != self._attended for dimension in changed)
        if others_changed and not self._strip_timer.isActive():
            self._strip_timer.start()

    def set_sampling_name(self, text: str) -> None:
        """Name the button that draws a random code, after what it draws from."""
        self._top.name_sampling(text)

    def set_enabled_for_code(self, enabled: bool) -> None:  # noqa: FBT001 - a setter
        """Allow moving only while there is a code to move."""
        self._enabled = enabled
        if not enabled:
            for dimension in self.sweeps.dimensions:
                self.sweeps.stop(dimension)
                self._show_animated(dimension, animated=False)
            self._leave_strip()
        self._show_state()

    def set_filmstrip(self, dimension: int, picture: Picture | None, count: int = 0) -> None:
        """Show decoded pictures, side by side in one, along a slider from low to high; None puts them away.

        `count` of them; without it they count as square.  Ignored once the hand has gone elsewhere.
        """
        row = self._row(dimension)
        if dimension != self._attended or row is None:
            return
        if picture is None:
            self._filmstrip.put_away()
        else:
            self._filmstrip.show_strip(row, picture, count or max(1, round(picture.shape[1] / picture.shape[0])))

    # --- what tests and the session may read

    @property
    def specs(self) -> tuple[SliderSpec, ...]:
        """The sliders shown, in their order."""
        return self._specs

    @property
    def complete(self) -> bool:
        """Whether every row that can be seen has been made."""
        return self._active.complete and self._collapsed.complete

    def is_animated(self, dimension: int) -> bool:
        """Return whether a dimension moves by itself."""
        return dimension in self.sweeps.dimensions

    def row(self, dimension: int) -> SliderRow:
        """Return the row of a latent dimension.  Raises KeyError while it is not made or folded away."""
        row = self._row(dimension)
        if row is None:
            raise KeyError(f"no row shows dimension {dimension} now")
        return row

    @property
    def filmstrip(self) -> Filmstrip:
        """The pictures along the slider under the hand."""
        return self._filmstrip

    # --- inside

    def _fill_stacks(self) -> None:
        active = [spec for spec in self._specs if not is_collapsed(spec)]
        collapsed = [spec for spec in self._specs if is_collapsed(spec)]
        largest = max((spec.weight for spec in self._specs), default=0.0)
        self._active.set_specs(active, largest)
        self.expander.setText(f"{len(collapsed)} collapsed dimension" + ("s" if len(collapsed) != 1 else ""))
        self.expander.setAccessibleName(f"Show {self.expander.text()}")
        self.expander.setVisible(bool(collapsed))
        unfolded = self.expander.isChecked() or not active
        self.expander.setArrowType(Qt.ArrowType.DownArrow if unfolded else Qt.ArrowType.RightArrow)
        self._collapsed.setVisible(unfolded)
        self._collapsed.set_specs(collapsed if unfolded else (), largest)

    def _show_state(self) -> None:
        any_sliders = bool(self._specs)
        usable = self._enabled and any_sliders
        self._hint.setText("" if usable else _NO_HANDLE if any_sliders else _NO_MODEL)
        self._hint.setVisible(not usable)
        for widget in (self.reset_all, self.sample, self._active, self._collapsed):
            widget.setEnabled(usable)
        is_kl = all(spec.weight_is_kl for spec in self._specs)
        self._top.name_order(is_kl=is_kl)
        self.order.setEnabled(any_sliders)
        self._headings.name_weight("KL, nats" if is_kl else "variance")
        self._headings.setVisible(any_sliders)

    def _held(self) -> bool:
        """Whether a hand is on a slider, or a number is being typed."""
        return any(row.track.isSliderDown() or row.field.being_typed for row in self._made_rows())

    def _focused_dimension(self) -> int | None:
        return next((row.dimension for row in self._made_rows() if row.track.hasFocus()), None)

    def _row(self, dimension: int | None) -> SliderRow | None:
        return next((row for row in self._made_rows() if row.dimension == dimension), None)

    def _made_rows(self) -> Iterator[SliderRow]:
        yield from self._active.rows()
        yield from self._collapsed.rows()

    def _show_values(self) -> None:
        for row in self._made_rows():
            # A row of the model before, whose field is committed as it goes, has no value any more.
            if row.dimension in self._values:
                row.show_value(self._values[row.dimension])
        self._filmstrip.move_mark()

    def _look_around(self) -> None:
        """Have the rows made that can be seen."""
        top = self._area.verticalScrollBar().value()
        bottom = top + self._area.viewport().height()
        for stack in (self._active, self._collapsed):
            stack.set_seen(top - stack.y(), bottom - stack.y())

    def _order_tabs(self) -> None:
        last = self._active.order_tabs(self.order)
        self.setTabOrder(last, self.expander)
        self._collapsed.order_tabs(self.expander)

    def _show_animated(self, dimension: int, *, animated: bool) -> None:
        row = self._row(dimension)
        if row is not None:
            row.show_animated(animated)

    def _stop_sweep(self, dimension: int) -> None:
        if self.is_animated(dimension):
            self.sweeps.stop(dimension)
            self._show_animated(dimension, animated=False)
            self.animate_toggled.emit(dimension, False)

    def _stop_all_sweeps(self) -> None:
        for dimension in sorted(self.sweeps.dimensions):
            self._stop_sweep(dimension)

    def _on_row_made(self, row: SliderRow) -> None:
        row.value_edited.connect(self._on_value_edited)
        row.grabbed.connect(self._stop_sweep)
        row.reset_asked.connect(self._on_dimension_reset)
        row.animate_asked.connect(self._on_animate)
        row.attended.connect(self._on_attended)
        row.track.sliderReleased.connect(self._on_let_go)
        row.field.let_go.connect(self._on_let_go)

    def _on_row_filled(self, row: SliderRow) -> None:
        row.show_value(self._values[row.dimension])
        row.show_animated(self.is_animated(row.dimension))

    def _on_value_edited(self, dimension: int, value: float) -> None:
        self.touched.emit()
        self._values[dimension] = value
        self._filmstrip.move_mark()
        self.value_edited.emit(dimension, value)

    def _on_swept(self, dimension: int, value: float) -> None:
        row = self._row(dimension)
        if row is not None:
            row.show_value(value)
        self._on_value_edited(dimension, value)

    def _on_dimension_reset(self, dimension: int) -> None:
        self._stop_sweep(dimension)
        self.dimension_reset_requested.emit(dimension)

    def _on_animate(self, dimension: int, animated: bool) -> None:  # noqa: FBT001 - a slot
        if animated:
            self.sweeps.start(dimension, self.row(dimension).span, self._values[dimension])
        else:
            self.sweeps.stop(dimension)
        self.animate_toggled.emit(dimension, animated)

    def _on_reset_all(self) -> None:
        self._stop_all_sweeps()
        self.reset_requested.emit()

    def _on_sample(self) -> None:
        self._stop_all_sweeps()
        self.sample_requested.emit()

    def _on_expanded(self) -> None:
        self._leave_strip()
        self._fill_stacks()

    def _on_let_go(self) -> None:
        # A number that was being typed has not followed.
        self._show_values()
        if self._waiting is not None and not self._held():
            self.set_sliders(self._waiting)

    def _on_attended(self, dimension: int, attended: bool) -> None:  # noqa: FBT001 - a slot
        if attended and self._enabled and dimension != self._attended:
            self._filmstrip.put_away()
            self._attended = dimension
            self._attend_timer.start()
        elif not attended and dimension == self._attended:
            self._leave_strip()

    def _ask_for_strip(self) -> None:
        if self._attended is not None and self.isVisible():
            self.filmstrip_requested.emit(self._attended)

    def _leave_strip(self) -> None:
        self._attended = None
        self._attend_timer.stop()
        self._filmstrip.put_away()

    def _on_scrolled(self) -> None:
        self._look_around()
        self._filmstrip.place()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802
        """Keep the pictures under their slider when rows are laid out anew."""
        if watched is self._content and event.type() in (QEvent.Type.LayoutRequest, QEvent.Type.Resize):
            self._on_scrolled()
        return super().eventFilter(watched, event)

    def hideEvent(self, event: QHideEvent) -> None:  # noqa: N802
        """Sweep nothing while nobody looks."""
        super().hideEvent(event)
        self.sweeps.pause()

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802
        """Go on sweeping."""
        super().showEvent(event)
        self.sweeps.resume()
        self._show_values()

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802
        """Have the rows made that come into view."""
        super().resizeEvent(event)
        self._look_around()

    def sizeHint(self) -> QSize:  # noqa: N802
        """Return room for about eight rows."""
        return QSize(360, 300)


def _arrangement(specs: Sequence[SliderSpec]) -> list[tuple[int, bool]]:
    return [(spec.dimension, is_collapsed(spec)) for spec in specs]
