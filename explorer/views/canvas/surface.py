"""What the canvas shows: setters and painting.  It has no intent signals, so no setter can emit one."""

import dataclasses
import math
from collections.abc import Sequence

from PySide6.QtCore import QEvent, QPointF, QRectF, Qt, QTimer, Signal
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen, QPixmap, QRegion, QResizeEvent
from PySide6.QtWidgets import QWidget

from core.shapes import Code, Picture
from core.snapshots import Codes, Mosaic
from explorer.messages import Extent, Handle
from explorer.theme import current_palette
from explorer.views.canvas import scales
from explorer.views.canvas.axis_chooser import AxisChooser
from explorer.views.canvas.backdrop import Backdrop, Scene
from explorer.views.canvas.coordinates import View
from explorer.views.canvas.handles import HandleMark, paint_handle
from explorer.views.canvas.hover_card import HoverCard
from explorer.views.canvas.legend import Legend
from explorer.views.canvas.marks import EncodingMark, paint_encoding
from explorer.views.canvas.points import PointCloud, slice_opacity
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
        self._drawing_mark: EncodingMark | None = None
        self._drawing_code: tuple[Code, Code | None] | None = None
        self._posterior_mark: EncodingMark | None = None
        self._posterior_code: tuple[Code, Code | None] | None = None
        self._layers = {"mosaic": True, "codes": True, "prior": True}
        self._note = ""
        self._hovered = -1
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
        self.hover_card = HoverCard(self)

    # ---- setters ----

    def set_latent_dim(self, latent_dim: int, has_prior: bool) -> None:  # noqa: FBT001
        """Show a model of this many latent dimensions; another number forgets all that was shown."""
        if latent_dim < 1:
            raise ValueError(f"latent_dim must be at least 1, not {latent_dim}")
        changed = latent_dim != self._latent_dim
        self._latent_dim, self._has_prior = latent_dim, has_prior
        self._view = dataclasses.replace(self._view, strip=latent_dim == 1)
        if changed:
            self._codes = self._mosaic = self._slice = None
            self._drawing_code = self._posterior_code = None
            self._handles, self._selected = (), None
            self._label_names = ()
            self.legend.set_names(())
            self._axes = (0, 0) if latent_dim == 1 else (0, 1)
            self._end_hover()
        self.axis_chooser.setVisible(latent_dim > 2)
        if latent_dim > 1:
            self.axis_chooser.set_latent_dim(latent_dim)
            self.axis_chooser.set_axes(self._axes)
        self._place_overlays()
        self._place_again()
        if changed:
            self.fit_view()

    def set_axes(self, horizontal: int, vertical: int) -> None:
        """Show two latent dimensions, counted from 0.  Raises ValueError for axes that the model has not."""
        if self._latent_dim == 1:
            return
        if horizontal == vertical or not {horizontal, vertical} <= set(range(self._latent_dim)):
            raise ValueError(
                f"axes must be two different dimensions below {self._latent_dim}, not {horizontal} and {vertical}"
            )
        if (horizontal, vertical) != self._axes:
            self._axes = (horizontal, vertical)
            self.axis_chooser.set_axes(self._axes)
            self._end_hover()
            self._place_again()

    def set_codes(self, codes: Codes | None, label_names: Sequence[str] = ()) -> None:
        """Show codes; the legend lists `label_names`.  Raises ValueError for codes of another latent dimension."""
        if codes is not None and codes.mean.shape[1] != self._latent_dim:
            raise ValueError(f"codes have {codes.mean.shape[1]} latent dimensions, the canvas shows {self._latent_dim}")
        self._codes = codes
        names = tuple(label_names) if codes is not None and codes.labels is not None else ()
        if names != self._label_names:
            self._label_names = names
            self.legend.set_names(names)
            self._place_overlays()
        self._end_hover()
        self._place_again()

    def set_mosaic(self, mosaic: Mosaic | None) -> None:
        """Show decoded pictures behind the points, until they are replaced."""
        self._mosaic = mosaic
        self._invalidate()

    def set_slice(self, code: Code) -> None:
        """Fade points by their distance from the plane through this code; nothing to fade with two dimensions."""
        old, self._slice = self._slice, code
        if self._latent_dim <= 2 or self._codes is None:
            return
        hidden = [dimension for dimension in range(self._latent_dim) if dimension not in self._axes]
        if old is None or (old[hidden] != code[hidden]).any():
            self._place_again()

    def set_handles(self, handles: tuple[Handle, ...], selected: int | None) -> None:
        """Show handles; only what changed is painted again."""
        self._handles, self._selected = tuple(handles), selected
        self._mark_handles()

    def set_drawing_mark(self, mean: Code, std: Code | None) -> None:
        """Mark how a drawing is encoded: the mean, and an ellipse to scale from the standard deviation."""
        self._drawing_code = (mean, std)
        self._drawing_mark = self._replace_mark(self._drawing_mark, self._drawing_code)

    def clear_drawing_mark(self) -> None:
        """Remove the mark of the drawing."""
        self._drawing_code = None
        self._drawing_mark = self._replace_mark(self._drawing_mark, None)

    def set_posterior(self, mean: Code | None, std: Code | None = None) -> None:
        """Show q(z|x) of a data point to scale, or nothing for None."""
        self._posterior_code = None if mean is None else (mean, std)
        self._posterior_mark = self._replace_mark(self._posterior_mark, self._posterior_code)

    def set_hover_picture(self, row: int, picture: Picture, text: str) -> None:
        """Show the picture of the point under the mouse; a late answer for another point is dropped."""
        if row == self._hovered and row >= 0:
            self.hover_card.show_picture(picture, text, self._mouse.toPoint())

    def set_layers(self, *, mosaic: bool | None = None, codes: bool | None = None, prior: bool | None = None) -> None:
        """Show or hide layers; None leaves a layer as it is."""
        for name, shown in (("mosaic", mosaic), ("codes", codes), ("prior", prior)):
            if shown is not None:
                self._layers[name] = shown
        if not self._layers["codes"]:
            self._end_hover()
        self.legend.setVisible(bool(self._label_names) and self._layers["codes"])
        self._invalidate()

    def set_note(self, text: str) -> None:
        """Show a line in the corner, such as how many of the images are here."""
        if text != self._note:
            self._note = text
            self._invalidate()

    def fit_view(self) -> None:
        """Show the codes (but for outliers) and the prior; followed by extent_changed like any other zoom."""
        cloud = self.cloud
        parts = [] if cloud is None else [extent for extent in (cloud.robust_extent(),) if extent is not None]
        if (self._has_prior and self._layers["prior"]) or not parts:
            parts.append(Extent(-PRIOR_REACH, PRIOR_REACH, -PRIOR_REACH, PRIOR_REACH))
        left, right = min(part.left for part in parts), max(part.right for part in parts)
        bottom, top = min(part.bottom for part in parts), max(part.top for part in parts)
        # All codes in one point still need a neighbourhood to be shown in.
        least = 1e-3 * max(1.0, *(abs(value) for value in (left, right, bottom, top)))
        wide, high = max(right - left, least) - (right - left), max(top - bottom, least) - (top - bottom)
        self._fit_target = Extent(left - wide / 2, right + wide / 2, bottom - high / 2, top + high / 2)
        self._set_view(self._view.fitted(self._fit_target))

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

    def _place_again(self) -> None:
        """Codes, axes, slice or labels changed: everything stands elsewhere."""
        self._cloud = None
        self._drawing_mark = self._replace_mark(self._drawing_mark, self._drawing_code)
        self._posterior_mark = self._replace_mark(self._posterior_mark, self._posterior_code)
        self._mark_handles()
        self._invalidate()

    def _set_view(self, view: View, *, zooming: bool = False) -> None:
        if view == self._view:
            return
        self._zooming = zooming and view.scale != self._view.scale
        self._view = view
        self._marks = {}
        self._mark_handles()
        self._invalidate()
        self._settle_timer.start()

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

    def _replace_mark(self, old: EncodingMark | None, coded: tuple[Code, Code | None] | None) -> EncodingMark | None:
        new = None
        if coded is not None:
            mean, std = coded
            new = EncodingMark(self._position(mean), None if std is None else self._position(std))
        for mark in (old, new):
            if mark is not None and old != new:
                self.update(mark.bounds(self._view))
        return new

    def _set_hovered(self, row: int) -> None:
        if row != self._hovered:
            self._update_hovered()
            self._hovered = row
            self._update_hovered()
            self.hover_card.hide()

    def _end_hover(self) -> None:
        self._set_hovered(-1)

    def _update_hovered(self) -> None:
        place = self._hovered_place()
        if place is not None:
            self.update(QRectF(place.x() - 9.0, place.y() - 9.0, 18.0, 18.0).toAlignedRect())

    def _hovered_place(self) -> QPointF | None:
        position = None if self._hovered < 0 or self.cloud is None else self.cloud.position(self._hovered)
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
        outline = QColor(colours.handle_outline)
        for mark, name, diamond in (
            (self._posterior_mark, colours.accent, False),
            (self._drawing_mark, colours.drawing_mark, True),
        ):
            if mark is not None and region.intersects(mark.bounds(self._view)):
                paint_encoding(painter, mark, self._view, QColor(name), outline, diamond=diamond)
        place = self._hovered_place()
        if place is not None and self.cloud is not None:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(QColor(colours.text), 2.0))
            radius = disc_radius(self.cloud, self._view) + 2.5
            painter.drawEllipse(place, radius, radius)
        font = scales.small_font(self.font())
        for handle, covered in self._marks.items():
            if region.intersects(covered):
                paint_handle(painter, handle, self._view, colours, font)
        if self.hasFocus():
            painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(QColor(colours.accent), 1.0))
            painter.drawRect(self.rect().adjusted(0, 0, -1, -1))
        painter.end()
        self._serial += 1
        self.painted.emit(self._serial)

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
