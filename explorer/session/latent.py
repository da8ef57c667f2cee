"""The latent space as it is open: handles, codes, sliders, mosaic, and the picture under the hand."""

import numpy as np
from PySide6.QtCore import QObject, Signal

from core.config import ModelConfig
from core.data.corruption import Corruptor
from core.data.dataset import Dataset
from core.shapes import Code, PixelRow
from core.snapshots import Codes, Mosaic
from explorer.messages import CodesResult, HandPictures, HandRequest
from explorer.session import scene
from explorer.session.dimensions import Dimensions
from explorer.session.handles import HandleSet, placed
from explorer.session.known_codes import KnownCodes
from explorer.session.reading import PictureReading
from explorer.session.shown_data import ShownData, fits
from explorer.views.canvas import LatentCanvas
from explorer.views.hand_panel import HandPanel
from explorer.views.sliders import SlidersPanel
from explorer.workers.hand import Hand
from explorer.workers.inference import InferenceThread


class LatentSession(QObject):
    """Keeps canvas, sliders and picture in agreement about one selected code."""

    hand_changed = Signal(Hand)
    code_moved = Signal(bool)
    """The selected code was moved away from wherever it was: by a hand, or (False) by an animation."""
    image_selected = Signal()
    """The user took hold of a data point, or selected a handle that came from one."""
    refreshed = Signal(float)
    """The canvas has codes and mosaic of the newest weights; milliseconds that took."""
    codes_changed = Signal()
    """Other codes are on the canvas, or none."""

    def __init__(
        self,
        canvas: LatentCanvas,
        sliders: SlidersPanel,
        hand_panel: HandPanel,
        inference: InferenceThread,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._canvas = canvas
        self._sliders = sliders
        self._hand_panel = hand_panel
        self._inference = inference
        self._config: ModelConfig | None = None
        self._hand: Hand | None = None
        self.reading = PictureReading(self)
        self._known = KnownCodes()
        self._data = ShownData(self.reading, self._known)
        self._handles = HandleSet()
        self._dimensions = Dimensions()
        self._live = False
        self._serial = 0
        self._codes_ms: float | None = None
        self._mosaic_ms: float | None = None
        self._connect()

    def _connect(self) -> None:
        canvas, inference = self._canvas, self._inference
        canvas.handle_dragged.connect(self._on_handle_dragged)
        canvas.handle_selected.connect(self.select)
        canvas.handle_add_requested.connect(self._on_handle_add_requested)
        canvas.handle_remove_requested.connect(self.remove)
        canvas.handle_pin_toggled.connect(self._on_pin_toggled)
        canvas.point_grabbed.connect(self._on_point_grabbed)
        canvas.point_chosen.connect(self._on_point_chosen)
        canvas.point_hovered.connect(self._on_point_hovered)
        canvas.extent_changed.connect(self._ask_mosaic)
        canvas.axes_chosen.connect(self._on_axes_chosen)
        inference.hand_ready.connect(self._on_hand_ready)
        inference.codes_ready.connect(self.take_codes)
        inference.mosaic_ready.connect(self._on_mosaic_ready)
        inference.pictures_ready.connect(self._on_pictures_ready)

    # What is open

    @property
    def hand(self) -> Hand | None:
        """The newest version of the open model that can be called directly, once it is there."""
        return self._hand

    @property
    def config(self) -> ModelConfig | None:
        """The open model's configuration."""
        return self._config

    @property
    def axes(self) -> tuple[int, int]:
        """The two latent dimensions on the canvas."""
        return self._dimensions.axes

    @property
    def codes(self) -> Codes | None:
        """The codes on the canvas."""
        return self._data.codes

    @property
    def selected_image(self) -> int | None:
        """Index, in the shown half, of the image that the selected handle came from."""
        held = self._handles.current
        return None if held is None or not self._data.fits(self._config) else held.image

    @property
    def num_images(self) -> int:
        """How many images the shown half has that the open model can see."""
        return len(self._data.split or ()) if self._data.fits(self._config) else 0

    @property
    def split_name(self) -> str:
        """Which half is shown, `train` or `held_out`."""
        return self._data.split_name

    def seen(self, image: int) -> PixelRow | None:
        """Return the x of an image of the shown half, in [0, 1], where it can be read.  Raises LookupError."""
        return self._data.seen(image)

    @property
    def selected_code(self) -> Code | None:
        """The code that sliders, canvas and picture show."""
        held = self._handles.current
        return None if held is None else held.code

    @property
    def base_code(self) -> Code:
        """The code that pictures of the map pass through: the selected one, or the prior's mean."""
        code = self.selected_code
        if code is not None:
            return code
        return np.zeros(self._config.latent_dim if self._config is not None else 2, np.float32)

    @property
    def dimensions(self) -> Dimensions:
        """The latent dimensions as they are shown."""
        return self._dimensions

    def open_model(self, config: ModelConfig, corruptor: Corruptor | None = None) -> None:
        """Prepare for the weights of a newly opened or started model; handles keep their z where it has as many."""
        former, self._config = self._config, config
        self._hand = None
        self._data.model, self._data.corruptor = config, corruptor
        self._data.clear_codes()
        self._canvas.set_codes(None, ())
        self._canvas.set_mosaic(None)
        self._canvas.clear_drawing_mark()
        same_shape = former is not None and former.latent_dim == config.latent_dim
        self._dimensions.open_model(config, keeps_axes=same_shape)
        if not (same_shape and config.has_codes and self._handles.current):
            self._handles.clear()
            if config.has_codes:
                self._handles.add(np.zeros(config.latent_dim, np.float32))
        if not self._data.fits(config):
            self._handles.forget_images()
        self._canvas.set_latent_dim(config.latent_dim, config.has_prior)
        self._canvas.set_axes(*self._dimensions.axes)
        self._sliders.set_sampling_name("Sample from the prior" if config.has_prior else "Sample from the codes")
        self._sliders.set_sliders(self._dimensions.specs)
        self._show_handles()
        self._show_code()
        self._show_posterior()
        self._hand_panel.set_pictures(None)

    def set_dataset(self, dataset: Dataset | None) -> None:
        """Show the codes of this data, if it fits the open model."""
        if not self._data.change(dataset, self._data.split_name):
            self._handles.forget_images()
        self._ask_codes()

    def show_split(self, name: str) -> None:
        """Show the codes of `train` or `held_out`."""
        if name != self._data.split_name:
            if not self._data.change(self._data.dataset, name):
                self._handles.forget_images()
            self._moved()
            self._ask_codes()

    def set_live(self, live: bool) -> None:  # noqa: FBT001 - a setter
        """Show a quick subset while a run goes on, more when it is over."""
        if live != self._live:
            self._live = live
            if not live:
                self._ask_codes()

    def fits(self, dataset: Dataset | None) -> bool:
        """Return whether the open model can encode this data."""
        return dataset is not None and fits(dataset, self._config)

    # Answers of the inference thread

    def _on_hand_ready(self, hand: Hand) -> None:
        if self._config is None or hand.config != self._config:
            return  # the answer of a model that has been closed since
        self._hand = hand
        self._codes_ms = self._mosaic_ms = None
        self.hand_changed.emit(hand)
        self._follow_pins()
        self._moved()
        self._ask_codes()
        self._ask_mosaic()

    def take_codes(self, result: CodesResult) -> None:
        """Keep codes of the newest weights, and show them where they are what is to be shown."""
        if self._hand is None or result.codes.version != self._hand.version:
            return
        result = self._known.keep(result)
        if self._data.wants(result.request) and not self._data.shows(result.codes):
            self._place_codes(result)

    def _place_codes(self, result: CodesResult) -> None:
        first = self._data.codes is None
        self._data.show_codes(result)
        self._canvas.set_codes(result.codes, self._data.label_names)
        self._canvas.set_note(scene.codes_note(result.codes))
        if first:
            self._canvas.fit_view()
        self._canvas.refit_view()
        if self._dimensions.learn(result.statistics, live=self._live):
            if len(result.codes) and not self._handles.touched:
                # Nobody has moved the only handle yet: amid the data it is a picture ready to be dragged.
                self._handles.place(scene.thick_of(result.codes))
            self._show_axes()
        self._sliders.set_sliders(self._dimensions.specs)
        self._moved()
        self._codes_ms = result.elapsed_ms
        self._tell_refreshed()
        self.codes_changed.emit()

    def _on_mosaic_ready(self, tiles: Mosaic, elapsed_ms: float) -> None:
        if self._hand is None or tiles.version != self._hand.version or tiles.axes != self._dimensions.axes:
            return
        self._canvas.set_mosaic(tiles)
        self._mosaic_ms = elapsed_ms
        self._tell_refreshed()

    def _on_pictures_ready(self, serial: int, pictures: HandPictures) -> None:
        if serial == self._serial:  # an older answer is stale: the hand has moved on
            self._hand_panel.set_pictures(pictures)

    def _tell_refreshed(self) -> None:
        if self._codes_ms is not None and self._mosaic_ms is not None:
            elapsed, self._codes_ms, self._mosaic_ms = self._codes_ms + self._mosaic_ms, None, None
            self.refreshed.emit(elapsed)

    # Handles

    def select_image(self, image: int) -> None:
        """Put the selected handle on the code of an image of the shown half."""
        code = self._mean_of_image(image) if self._hand is not None and self._data.fits(self._config) else None
        if code is not None:
            self._handles.put_on_image(code, image)
            self._moved()
            self.image_selected.emit()

    def select(self, id_: int) -> None:
        """Make a handle the one that sliders and picture follow."""
        if id_ in self._handles and id_ != self._handles.selected:
            self._handles.selected = id_
            self._moved()
            if self.selected_image is None:
                self.code_moved.emit(True)
            else:
                self.image_selected.emit()

    def remove(self, id_: int) -> None:
        """Take a handle away, unless it is the last."""
        if self._handles.remove(id_):
            self._moved()

    def move_selected_to(self, code: Code, *, keeps_image: bool = False, by_hand: bool = True) -> None:
        """Put the selected handle on a code, of a drawing for instance."""
        if self._handles.selected is not None:
            self._handles.move(self._handles.selected, code, keeps_image=keeps_image)
            self._moved()
            self.code_moved.emit(by_hand)

    def _on_handle_add_requested(self, a: float, b: float) -> None:
        self._handles.add(placed(self.base_code, self._dimensions.axes, a, b))
        self._moved()
        self.code_moved.emit(True)

    def _on_point_grabbed(self, row: int, a: float, b: float) -> None:
        if self._data.codes is not None and 0 <= row < len(self._data.codes):
            self._handles.add(placed(self._data.codes.mean[row], self._dimensions.axes, a, b), self._data.image_of(row))
            self._moved()
            self.image_selected.emit()

    def _on_point_chosen(self, row: int) -> None:
        image = self._data.image_of(row) if self._data.codes is not None and row < len(self._data.codes) else None
        if image is not None:
            self.select_image(image)

    def _on_handle_dragged(self, id_: int, a: float, b: float) -> None:
        if id_ in self._handles:
            self._handles.selected = id_
            self._handles.move(id_, placed(self._handles[id_].code, self._dimensions.axes, a, b), keeps_image=True)
            self._moved()
            self.code_moved.emit(True)

    def _on_pin_toggled(self, id_: int) -> None:
        self._handles.toggle_pin(id_)
        self._follow_pins()
        self._moved()

    def _follow_pins(self) -> None:
        """Move pinned handles to where the newest weights put their images."""
        if self._hand is not None and self._data.fits(self._config):
            self._handles.follow_pins(self._mean_of_image)

    def _mean_of_image(self, image: int) -> Code | None:
        return self._data.mean_of(image, self._hand)

    def _show_handles(self) -> None:
        self._canvas.set_handles(self._handles.shown(self._data.row_of), self._handles.selected)

    # The selected code

    def sort_dimensions(self) -> None:
        """Order the sliders by the newest KL (or spread)."""
        self._dimensions.sort()
        self._sliders.set_sliders(self._dimensions.specs)
        self._show_code()

    def _moved(self) -> None:
        """Show handles and selected code everywhere: one path for every change of them."""
        self._show_handles()
        self._show_code()
        self._decode()
        self._show_posterior()
        if self._config is not None and self._config.latent_dim > 2:
            self._ask_mosaic()

    def _show_code(self) -> None:
        code = self.selected_code
        if code is not None:
            self._sliders.set_code(code)
            self._canvas.set_slice(code)

    def _decode(self) -> None:
        hand, code = self._hand, self.selected_code
        if hand is None or code is None:
            return
        self._serial += 1
        source, corrupted = self._data.source(self.selected_image)
        if hand.decodes_directly:
            self._hand_panel.set_pictures(hand.pictures(code, source, corrupted))
        else:
            self._inference.ask(HandRequest(self._serial, code, source, corrupted))

    def _show_posterior(self) -> None:
        """Draw q(z|x) of the image the selected handle came from, to scale."""
        posterior = self._data.posterior_of(self.selected_image, self._hand)
        self._canvas.set_posterior(*posterior or (None, None))

    def _on_point_hovered(self, row: int) -> None:
        described = self._data.described(row)
        if described is not None:
            self._canvas.set_hover_picture(row, *described)

    # Requests

    def _ask_codes(self) -> None:
        request = self._data.request(live=self._live)
        if self._hand is None or request is None:
            self._canvas.set_codes(None, ())
            self._canvas.set_note(scene.NO_CODES_NOTE)
            self._data.clear_codes()
            if self._data.dataset is not None:
                # There is nothing to wait for: the mosaic alone is what can be refreshed.
                self._codes_ms = 0.0
                self._tell_refreshed()
            self.codes_changed.emit()
            return
        known = self._known.find(request, self._hand.version)
        if known is None:
            self._inference.ask(request)
        else:
            self._place_codes(known)

    def _ask_mosaic(self) -> None:
        if self._hand is None or self._config is None:
            return
        request = scene.mosaic_request(self._canvas.extent(), self._config, self._dimensions.axes, self.base_code)
        if request is not None:
            self._inference.ask(request)

    def _on_axes_chosen(self, i: int, j: int) -> None:
        self._dimensions.choose_axes(i, j)
        self._show_axes()

    def _show_axes(self) -> None:
        if self._canvas.axes != self._dimensions.axes:
            self._canvas.set_axes(*self._dimensions.axes)
            self._canvas.set_mosaic(None)
        self._show_handles()
        self._ask_mosaic()
