"""What the canvas shows, and how it is painted."""

import dataclasses
import math

import numpy as np
from PySide6.QtCore import QEvent, QPointF, QRect, QRectF, Qt, QTimer, Signal
from PySide6.QtGui import QColor, QFont, QPainter, QPaintEvent, QPen, QPixmap, QRegion, QResizeEvent
from PySide6.QtWidgets import QWidget

from core.shapes import Code, CodeArray, Scale
from core.snapshots import Codes, Mosaic
from explorer.messages import Extent, Handle
from explorer.theme import Palette, current_palette
from explorer.views.canvas import scales
from explorer.views.canvas.axis_chooser import AxisChooser
from explorer.views.canvas.backdrop import Backdrop, Scene
from explorer.views.canvas.coordinates import View
from explorer.views.canvas.density import DensityLayer
from explorer.views.canvas.handles import HandleMark, paint_handle
from explorer.views.canvas.hover_card import HoverCard
from explorer.views.canvas.legend import Legend
from explorer.views.canvas.lens import PosteriorLens
from explorer.views.canvas.marks import STYLES, EncodingMark, label_box, on_axes, paint_encoding
from explorer.views.canvas.points import PointCloud, slice_opacity
from explorer.views.canvas.samples import Groups, Places, SamplePoints
from explorer.views.canvas.scatter import disc_radius
from explorer.views.canvas.strip import strip_places

PRIOR_REACH = 3.3
SETTLE_MS = 80


class CanvasSurface(QWidget):
    """Codes, mosaic, prior and scales in one cached pixmap; marks and handles painted over it."""

    painted = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setMinimumSize(160, 120)
        self._latent_dim = 2
        self._has_prior = True
        self._axes = (0, 1)
        self._view = View(self.width(), self.height())
        self._fit_target: Extent | None = Extent(-PRIOR_REACH, PRIOR_REACH, -PRIOR_REACH, PRIOR_REACH)
        self._codes: Codes | None = None
        self._label_names: tuple[str, ...] = ()
        self._cloud: PointCloud | None = None
        self._strip_peak = 1.0
        self._mosaic: Mosaic | None = None
        self._slice: Code | None = None
        self._handles: tuple[Handle, ...] = ()
        self._selected: int | None = None
        self._marks: dict[HandleMark, QRegion] = {}
        self._encoded: dict[str, tuple[Code, Code | Scale | None]] = {}
        """Mean and scale behind the mark of each kind, as they were given."""
        self._encodings: dict[str, EncodingMark] = {}
        self._sampled: tuple[CodeArray, CodeArray | None, Groups] | None = None
        self._samples: SamplePoints | None = None
        self._layers = {"mosaic": True, "codes": True, "prior": True, "posterior": True}
        self._density = DensityLayer()
        self._density_of = "posterior"
        """Kind of the mark that is q of the same image."""
        self._lens_frame = QRect()
        """Pixels around what the lens looks at."""
        self._note = ""
        self._hovered = -1
        self._linked = -1
        """The row of the point that is pointed at on another canvas."""
        self._mouse = QPointF()
        self._pixmap: QPixmap | None = None
        self._backdrop = Backdrop()
        self._zooming = False
        self._serial = 0
        self._settle_timer = QTimer(self)
        self._settle_timer.setSingleShot(True)
        self._settle_timer.setInterval(SETTLE_MS)
        self._settle_timer.timeout.connect(self._settle)
        self.legend = Legend(self)
        self.axis_chooser = AxisChooser(self)
        self.axis_chooser.hide()
        self.lens = PosteriorLens(self._density, self)
        self.hover_card = HoverCard(self)

    # ---- what is shown ----

    @property
    def view(self) -> View:
        """The part of the latent plane in view."""
        return self._view

    @property
    def axes(self) -> tuple[int, int]:
        """The shown latent dimensions, counted from 0; (0, 0) for a strip."""
        return self._axes

    @property
    def labels_shown(self) -> frozenset[int]:
        """The labels whose points are shown."""
        return self.legend.shown

    def extent(self) -> Extent:
        """Return the rectangle of the latent plane in view; for one dimension only its left and right have a unit."""
        return self._view.extent

    @property
    def cloud(self) -> PointCloud | None:
        """The codes as placed on the plane, or None without codes."""
        if self._cloud is None and self._codes is not None:
            mean = self._codes.mean
            shown = self.legend.shown if self._label_names else None
            if self._view.strip:
                places, self._strip_peak = strip_places(mean[:, 0], has_prior=self._has_prior)
                self._cloud = PointCloud(mean[:, 0], places, self._codes.labels, None, shown)
            else:
                sliced = self._latent_dim > 2 and self._slice is not None
                opacity = slice_opacity(mean, self._axes, self._slice) if sliced and self._slice is not None else None
                first, second = self._axes
                self._cloud = PointCloud(mean[:, first], mean[:, second], self._codes.labels, opacity, shown)
        return self._cloud

    def _position(self, code: Code) -> tuple[float, float]:
        first, second = self._axes
        return float(code[first]), 0.0 if self._view.strip else float(code[second])

    def _on_axes(self, values: Code) -> tuple[float, float]:
        """Return what a code, or two values that stand for the shown axes already, are on the shown axes."""
        if len(values) == self._latent_dim:
            return self._position(values)
        if len(values) != 2:
            raise ValueError(
                f"a mark needs a code of {self._latent_dim} values or two on the shown axes, not {len(values)}"
            )
        return float(values[0]), 0.0 if self._view.strip else float(values[1])

    def _place_again(self) -> None:
        """Codes, axes, slice or labels changed: everything stands elsewhere."""
        self._cloud = None
        for kind in STYLES:
            self._place_encoding(kind)
        self._place_samples()
        self._mark_handles()
        self._look_through_lens()
        self._invalidate()

    def _set_view(self, view: View, *, zooming: bool = False) -> None:
        if view == self._view:
            return
        self._zooming = zooming and view.scale != self._view.scale
        self._view = view
        self._marks = {}
        self._mark_handles()
        self._look_through_lens()
        self._invalidate()
        self._settle_timer.start()

    def _point_under_the_mouse_changed(self) -> None:
        """The codes under a resting mouse were replaced; what then is under it is not a setter's to say."""

    def _settle(self) -> None:
        """The view has come to rest: the mosaic is scaled smoothly again."""
        if self._zooming:
            self._zooming = False
            self._invalidate()

    def _mark_handles(self) -> None:
        cloud = self.cloud
        legend = float(self.width() - self.legend.x()) if self.legend.isVisibleTo(self) else 0.0
        marks = []
        for handle in self._handles:
            a, b = self._position(handle.code)
            if not (math.isfinite(a) and math.isfinite(b)):
                continue
            source = None if handle.anchor is None or cloud is None else cloud.position(handle.anchor)
            anchor = None if source is None else self._view.to_pixels(*source)
            x, y = self._view.to_pixels(a, b)
            marks.append(HandleMark(handle.id, handle.pinned, x, y, handle.id == self._selected, anchor, legend))
        # The selected handle comes last, over the others.
        old, self._marks = (
            self._marks,
            {mark: self._marks.get(mark) or mark.region(self._view) for mark in sorted(marks, key=_is_selected)},
        )
        region = QRegion()
        for changed in old.keys() ^ self._marks.keys():
            region += old.get(changed) or self._marks[changed]
        if not region.isEmpty():
            self.update(region)

    def _place_encoding(self, kind: str) -> None:
        """Put the mark of a kind where its code is on the shown axes; only what changed is painted again."""
        old, new = self._encodings.pop(kind, None), None
        if kind in self._encoded:
            mean, scale = self._encoded[kind]
            axes = self._axes if len(mean) == self._latent_dim else (0, min(len(mean), 2) - 1)
            new = EncodingMark(self._on_axes(mean), on_axes(scale, axes))
            self._encodings[kind] = new
        if old != new:
            for mark in (old, new):
                if mark is not None:
                    self.update(self._covered(kind, mark))
            self._look_through_lens()

    def _covered(self, kind: str, mark: EncodingMark) -> QRect:
        """Return the pixels a mark and its label paint on."""
        label = label_box(mark, STYLES[kind], self._view, scales.small_font(self.font()))
        return mark.bounds(self._view).united(label.toAlignedRect())

    @property
    def _density_shown(self) -> bool:
        return self._layers["posterior"] and self._density.map is not None

    def _look_through_lens(self) -> None:
        before = self._lens_frame
        if self._density_shown:
            marks = {kind: mark for kind, mark in self._encodings.items() if kind in {self._density_of, "fitted"}}
            self.lens.look(self._view, self._axes, marks)
        elif not self.lens.isHidden():
            self.lens.hide()
        self._lens_frame = self.lens.frame(self._view).adjusted(-1.0, -1.0, 1.0, 1.0).toAlignedRect()
        if self._lens_frame != before:
            self.update(QRegion(before).united(self._lens_frame))

    def _place_samples(self) -> None:
        old, self._samples = self._samples, None
        if self._sampled is not None:
            codes, origins, groups = self._sampled
            starts = None if origins is None else self._columns(origins)
            self._samples = SamplePoints(self._columns(codes), starts, groups)
        for samples in (old, self._samples):
            if samples is not None:
                self.update(samples.bounds(self._view))

    def _columns(self, codes: CodeArray) -> Places:
        """Return what codes are on the shown axes; across a strip they lie in its middle."""
        first, second = self._axes
        if self._view.strip:
            return np.stack((codes[:, 0], np.zeros(len(codes), np.float32)), axis=1)
        return codes[:, (first, second)]

    def _set_hovered(self, row: int) -> None:
        if row != self._hovered:
            self._update_hovered()
            self._hovered = row
            self._update_hovered()
            self.hover_card.hide()

    def _end_hover(self) -> None:
        self._set_hovered(-1)

    def _update_hovered(self) -> None:
        self._update_ring(self._hovered, 9.0)

    def _update_ring(self, row: int, reach: float) -> None:
        place = self._place_of(row)
        if place is not None:
            self.update(QRectF(place.x() - reach, place.y() - reach, 2.0 * reach, 2.0 * reach).toAlignedRect())

    def _place_of(self, row: int) -> QPointF | None:
        position = None if row < 0 or self.cloud is None else self.cloud.position(row)
        return None if position is None else QPointF(*self._view.to_pixels(*position))

    def _invalidate(self) -> None:
        self._pixmap = None
        self.update()

    # ---- painting ----

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802
        """Copy the backdrop where needed, then paint marks and handles over it."""
        ratio, colours = self.devicePixelRatioF(), current_palette()
        if self._pixmap is None or self._pixmap.devicePixelRatio() != ratio:
            self._pixmap = self._backdrop.compose(self._scene(), colours, scales.small_font(self.font()), ratio)
        region = event.region()
        painter = QPainter(self)
        painter.drawPixmap(0, 0, self._pixmap)
        font = scales.small_font(self.font())
        self._paint_encodings(painter, region, colours, font)
        for handle, covered in self._marks.items():
            if region.intersects(covered):
                paint_handle(painter, handle, self._view, colours, font)
        self._paint_rings(painter, colours)
        if self.hasFocus():
            painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(QColor(colours.accent), 1.0))
            painter.drawRect(self.rect().adjusted(0, 0, -1, -1))
        painter.end()
        self._serial += 1
        self.painted.emit(self._serial)

    def _paint_encodings(self, painter: QPainter, region: QRegion, colours: Palette, font: QFont) -> None:
        """Draw p(z|x), samples and the marks of q, the lowest first."""
        if self._density_shown and region.intersects(self._density.bounds(self._view, self._axes)):
            self._density.paint(painter, self._view, self._axes, colours)
            if self.lens.isHidden():
                self._density.paint_name(painter, self._view, self._axes, colours, font)
        if not self.lens.isHidden():
            self.lens.paint_frame(painter, self._view, colours)
        if self._samples is not None and region.intersects(self._samples.bounds(self._view)):
            self._samples.paint(painter, self._view, colours)
        for kind, style in STYLES.items():
            mark = self._encodings.get(kind)
            if mark is not None and region.intersects(self._covered(kind, mark)):
                paint_encoding(painter, mark, style, self._view, colours, font)

    def _paint_rings(self, painter: QPainter, colours: Palette) -> None:
        """Draw a ring around the point under the mouse, and a wide one around that under the mouse elsewhere."""
        if self.cloud is None:
            return
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        place, linked = self._place_of(self._hovered), self._place_of(self._linked)
        radius = disc_radius(self.cloud, self._view) + 2.5
        if place is not None:
            painter.setPen(QPen(QColor(colours.text), 2.0))
            painter.drawEllipse(place, radius, radius)
        if linked is not None:
            for name, width in ((colours.handle_outline, 5.0), (colours.text, 2.5)):
                painter.setPen(QPen(QColor(name), width))
                painter.drawEllipse(linked, radius + 4.0, radius + 4.0)

    def _scene(self) -> Scene:
        return Scene(
            self._view,
            self._axes,
            self.cloud if self._layers["codes"] else None,
            self._mosaic if self._layers["mosaic"] else None,
            self._has_prior and self._layers["prior"],
            self._strip_peak,
            self._notes(),
            self._zooming,
        )

    def _notes(self) -> tuple[str, ...]:
        lines = []
        if self._latent_dim > 2:
            first, second = (scales.axis_name(axis) for axis in self._axes)
            lines.append(f"points are projected on {first}, {second}; pictures are the slice through the sliders' code")
            if self._has_prior:
                lines.append(f"ellipses are marginals of q on {first}, {second}")
        if self._view.strip:
            lines.append("one latent dimension: height shows density only")
        if not self._has_prior:
            lines.append("no prior: an autoencoder")
        return (*lines, self._note) if self._note else tuple(lines)

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802
        """Keep a fitted view fitted, any other at its place."""
        super().resizeEvent(event)
        view = dataclasses.replace(self._view, width=self.width(), height=self.height())
        self._place_overlays()
        self._set_view(view if self._fit_target is None else view.fitted(self._fit_target))

    def changeEvent(self, event: QEvent) -> None:  # noqa: N802
        """Paint anew in another theme or font."""
        super().changeEvent(event)
        if event.type() in {QEvent.Type.PaletteChange, QEvent.Type.FontChange, QEvent.Type.StyleChange}:
            self._invalidate()

    def _place_overlays(self) -> None:
        self.legend.fit_into(self.width(), max(self.height() - 60, 1))
        self.axis_chooser.adjustSize()
        self.axis_chooser.move(round(scales.gutters(self._view, scales.small_font(self.font()))[0]) + 7, 10)


def _is_selected(mark: HandleMark) -> bool:
    return mark.selected
