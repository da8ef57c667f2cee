"""The canvas' setters.  This class has no intent signals, so no setter can emit one."""

import dataclasses
from collections.abc import Sequence

import numpy as np
from PySide6.QtGui import QRegion

from core.findings.evidence import PosteriorMap
from core.shapes import Code, CodeArray, Labels, Picture, Scale
from core.snapshots import Codes, Mosaic
from explorer.messages import Extent, Handle
from explorer.views.canvas.surface import PRIOR_REACH, CanvasSurface

# A fitted view follows codes that leave it by a tenth of its size, or fill less than a third of it: rarely enough
# that the map does not swim while a model learns.
_OUTGROWN, _SHRUNK = 0.1, 0.33


class CanvasSetters(CanvasSurface):
    """Takes what is to be shown."""

    def set_latent_dim(self, latent_dim: int, has_prior: bool) -> None:  # noqa: FBT001
        """Show a model of this many latent dimensions; another number forgets all that was shown."""
        if latent_dim < 1:
            raise ValueError(f"latent_dim must be at least 1, not {latent_dim}")
        changed = latent_dim != self._latent_dim
        self._latent_dim, self._has_prior = latent_dim, has_prior
        self._view = dataclasses.replace(self._view, strip=latent_dim == 1)
        if changed:
            self._codes = self._mosaic = self._slice = None
            self._encoded, self._sampled = {}, None
            self._density.set_map(None)
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
            self._forget_marks_of_other_axes()
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
        self._linked = -1
        hovering = self._hovered >= 0
        self._end_hover()
        self._place_again()
        if hovering:
            self._point_under_the_mouse_changed()

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

    def set_linked(self, row: int | None) -> None:
        """Ring the code of the image that is pointed at on another canvas; None for none."""
        new = -1 if row is None else row
        if new != self._linked:
            for changed in (self._linked, new):
                self._update_ring(changed, 16.0)
            self._linked = new

    def set_handles(self, handles: tuple[Handle, ...], selected: int | None) -> None:
        """Show handles; only what changed is painted again."""
        self._handles, self._selected = tuple(handles), selected
        self._mark_handles()

    def set_drawing_mark(self, mean: Code, scale: Code | Scale | None) -> None:
        """Mark how a drawing is encoded: the mean, and ellipses to scale at 1 and 2 standard deviations.

        `scale` holds the deviations, or L of a full covariance L Lᵀ; None for a plain code.  All in latent units:
        whole codes, which follow the axes, or two values on the axes shown now.
        """
        self._mark("drawing", mean, scale)

    def clear_drawing_mark(self) -> None:
        """Remove the mark of the drawing."""
        self._mark("drawing", None, None)

    def set_posterior(self, mean: Code | None, scale: Code | Scale | None = None) -> None:
        """Show q(z|x) of a data point to scale, or nothing for None; values as for set_drawing_mark."""
        self._mark("posterior", mean, scale)

    def set_fitted(self, mean: Code | None, scale: Code | Scale | None = None) -> None:
        """Show a q that is being fitted to one image, or nothing for None; values as for set_drawing_mark."""
        self._mark("fitted", mean, scale)

    def set_draw_posterior(self, mean: Code | None, scale: Code | Scale | None = None) -> None:
        """Show q(z|x) of an x drawn from the dragged code, or nothing for None; values as for set_drawing_mark."""
        self._mark("draw", mean, scale)

    def set_posterior_map(self, found: PosteriorMap | None, of: str = "posterior") -> None:
        """Show p(z|x) as a heat map under the ellipses of q, or nothing for None.

        `of` names the mark of the same image: `posterior`, `draw` or `drawing`.  Raises ValueError for a map of another
        number of latent dimensions than the canvas shows.
        """
        if found is not None and (len(found.low) != self._latent_dim or self._latent_dim > 2):
            raise ValueError(
                f"a map of p(z|x) with {len(found.low)} latent dimensions does not fit a canvas of {self._latent_dim}"
            )
        if found is self._density.map and of == self._density_of:
            return
        self._density_of = of
        region = QRegion(self._density.bounds(self._view, self._axes))
        self._density.set_map(found)
        self.update(region.united(self._density.bounds(self._view, self._axes)))
        self._look_through_lens()

    def set_points(
        self, z: CodeArray | None, origin_points: CodeArray | None = None, groups: Labels | None = None
    ) -> None:
        """Show up to a few hundred codes as small points, or none for None: samples of q, or a cloud under noise.

        Whole codes in latent units, one a row, which follow the axes.  `origin_points`, as many or a single one, begin
        a line to each point; `groups`, counted from 0, give the points' colours.
        """
        if z is None:
            self._sampled = None
        else:
            for codes in (z, origin_points):
                if codes is not None and (codes.ndim != 2 or codes.shape[1] != self._latent_dim):
                    raise ValueError(f"points need {self._latent_dim} latent dimensions, not shape {codes.shape}")
            if origin_points is not None and len(origin_points) not in {1, len(z)}:
                raise ValueError(f"{len(z)} points need as many origins, or one, not {len(origin_points)}")
            self._sampled = (z, origin_points, np.zeros(len(z), np.int64) if groups is None else groups)
        self._place_samples()

    def _mark(self, kind: str, mean: Code | None, scale: Code | Scale | None) -> None:
        if mean is None:
            self._encoded.pop(kind, None)
        else:
            self._on_axes(mean)  # refuses codes of another model before anything is changed
            if scale is not None and (len(scale) != len(mean) or (scale.ndim == 2 and scale.shape[1] != len(mean))):
                raise ValueError(f"a scale for {len(mean)} values must have as many rows, not shape {scale.shape}")
            self._encoded[kind] = (mean, scale)
        self._place_encoding(kind)

    def set_hover_picture(self, row: int, picture: Picture, text: str) -> None:
        """Show the picture of the point under the mouse; a late answer for another point is dropped."""
        if row == self._hovered and row >= 0:
            self.hover_card.show_picture(picture, text, self._mouse.toPoint())

    def set_layers(
        self,
        *,
        mosaic: bool | None = None,
        codes: bool | None = None,
        prior: bool | None = None,
        posterior: bool | None = None,
    ) -> None:
        """Show or hide layers; None leaves a layer as it is."""
        for name, shown in (("mosaic", mosaic), ("codes", codes), ("prior", prior), ("posterior", posterior)):
            if shown is not None:
                self._layers[name] = shown
        if not self._layers["codes"]:
            self._end_hover()
        self.legend.setVisible(bool(self._label_names) and self._layers["codes"])
        self._look_through_lens()
        self._invalidate()

    def set_note(self, text: str) -> None:
        """Show a line in the corner, such as how many of the images are here."""
        if text != self._note:
            self._note = text
            self._invalidate()

    def fit_view(self) -> None:
        """Show the codes (but for outliers) and the prior; followed by extent_changed like any other zoom."""
        self._fit_target = self._worth_seeing()
        self._set_view(self._view.fitted(self._fit_target))

    def refit_view(self) -> None:
        """Follow codes that have outgrown a fitted view, or shrunk in it; a view the user has chosen stays."""
        before, cloud = self._fit_target, self.cloud
        extent = None if cloud is None else cloud.robust_extent()
        if before is None or extent is None:
            return
        outgrown = max(extent.right - before.right, before.left - extent.left) > _OUTGROWN * before.width or (
            max(extent.top - before.top, before.bottom - extent.bottom) > _OUTGROWN * before.height
        )
        # The prior keeps the view as wide as itself.  But a run that diverges can take it to millions of units, and its
        # codes, back with the weights of an earlier step, would all lie behind the handle.
        wanted = self._worth_seeing()
        shrunk = max(wanted.width / before.width, wanted.height / before.height) < _SHRUNK
        if outgrown or shrunk:
            self.fit_view()

    def _worth_seeing(self) -> Extent:
        """Return where the codes are, but for outliers, and the prior where it is shown."""
        cloud = self.cloud
        parts = [] if cloud is None else [extent for extent in (cloud.robust_extent(),) if extent is not None]
        if (self._has_prior and self._layers["prior"]) or not parts:
            parts.append(Extent(-PRIOR_REACH, PRIOR_REACH, -PRIOR_REACH, PRIOR_REACH))
        left, right = min(part.left for part in parts), max(part.right for part in parts)
        bottom, top = min(part.bottom for part in parts), max(part.top for part in parts)
        # All codes in one point still need a neighbourhood to be shown in.
        least = 1e-3 * max(1.0, *(abs(value) for value in (left, right, bottom, top)))
        wide, high = max(right - left, least) - (right - left), max(top - bottom, least) - (top - bottom)
        return Extent(left - wide / 2, right + wide / 2, bottom - high / 2, top + high / 2)

    def _forget_marks_of_other_axes(self) -> None:
        """Two values on the axes shown before say nothing of the new ones: better no mark than a wrong one."""
        self._encoded = {
            kind: (mean, scale) for kind, (mean, scale) in self._encoded.items() if len(mean) == self._latent_dim
        }
