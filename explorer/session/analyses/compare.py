"""Two models side by side: one cursor, one drawing, two canvases."""

from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path

from PySide6.QtCore import QObject

from core.config import ExperimentConfig
from core.shapes import Code, PixelRow
from core.snapshots import PictureEncoding
from explorer.messages import Failed, HandPictures, LoadedModel, PictureRequest, PictureResult, picture_of
from explorer.session.analyses.hub import AnalysisHub
from explorer.session.analyses.in_turn import InTurn
from explorer.session.analyses.second_space import SecondSpace
from explorer.session.analyses.shelf import ModelShelf, refusal, titled
from explorer.session.autosaves import name_of
from explorer.session.shown_data import SPLIT_NAMES
from explorer.session.views import Views
from explorer.session.workers import Workers
from explorer.views.compare.pictures import ComparedImage, ModelView
from explorer.workers.analysis import Found
from explorer.workers.compare import EncodeAnalysis, EncodedImage, pixels_of

PURPOSE = "compare"
COMMAND = "view.compare"


class Touched(Enum):
    """What was touched last, and so says which image both models encode."""

    IMAGE = auto()
    """A data point, on either canvas."""
    FIRST_CODE = auto()
    """The selected handle of the open model: the image is what it decodes to."""
    SECOND_CODE = auto()
    """The handle of the second model."""
    DRAWING = auto()
    POINTED = auto()
    """A data point under the mouse, until it leaves."""


@dataclass(slots=True)
class _Shown:
    """The image that is shown, and what has been computed of it so far."""

    serial: int
    touched: Touched
    text: str
    pixels: PixelRow | None = None
    first: PictureEncoding | None = None
    second: PictureEncoding | None = None
    image: int | None = None


class CompareSession(QObject):
    """Keeps both canvases at the same image while two models are compared."""

    def __init__(
        self, views: Views, workers: Workers, shelf: ModelShelf, hub: AnalysisHub, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._views = views
        self._panel = views.compare
        self._inference = workers.second
        self._shelf = shelf
        self._hub = hub
        self._first = hub.latent
        panel = self._panel
        self.space = SecondSpace(panel.second, panel.second_sliders, panel.second_hand, workers.second, self)
        self._encodings = InTurn(hub.analysis, self)
        self._open_name, self._name = hub.name, ""
        self._version = 0
        self._shown = _Shown(0, Touched.FIRST_CODE, "")
        self._settled = Touched.FIRST_CODE
        self._pointed: int | None = None
        self._following = False
        self._connect()

    def _connect(self) -> None:
        panel, hub, first, space, inference = self._panel, self._hub, self._first, self.space, self._inference
        panel.close_requested.connect(self.close)
        panel.models_wanted.connect(self._offer)
        panel.model_chosen.connect(self._fetch)
        panel.file_wanted.connect(self._ask_for_file)
        self._shelf.read.connect(self._on_read)
        self._shelf.failed.connect(self._on_unread)
        hub.model_opened.connect(self._on_model_opened)
        hub.data_changed.connect(self._on_data_changed)
        first.hand_changed.connect(self._again)
        first.code_moved.connect(self._on_first_code)
        first.image_selected.connect(self._on_first_image)
        space.hand_changed.connect(self._on_second_hand)
        space.code_moved.connect(self._on_second_code)
        space.image_selected.connect(self._on_second_image)
        hub.drawing.seen_changed.connect(self._on_drawn)
        hub.canvas.point_hovered.connect(self._on_first_pointed)
        panel.second.point_hovered.connect(self._on_second_pointed)
        inference.picture_encoded.connect(self._on_second_encoded)
        inference.pictures_ready.connect(self._on_second_decoded)
        inference.failed.connect(self._views.window.show_error)
        self._encodings.found.connect(self._on_first_encoded)
        self._encodings.failed.connect(self._views.window.show_error)
        self._views.window.split_chosen.connect(space.show_split)
        self._views.window.switch_changed.connect(self._show_layers)

    # Coming and going

    @property
    def active(self) -> bool:
        """Whether two models are compared."""
        return self._panel.comparing

    def toggle(self) -> None:
        """Let the user choose a model to compare with; or end the comparison."""
        if self.active:
            self.close()
        else:
            self._panel.open_menu()

    def close(self) -> None:
        """Show the open model alone."""
        if not self.active:
            return
        self._panel.set_comparing(False)
        self._panel.set_image(None)
        self._encodings.forget()
        self._hub.canvas.set_linked(None)
        self.space.set_dataset(None)
        self._views.window.commands.set_text(COMMAND, "C&ompare with…")
        self._views.canvas.setFocus()

    def _offer(self) -> None:
        self._panel.set_offered(self._shelf.offered())

    def _fetch(self, path: Path) -> None:
        self._shelf.fetch(PURPOSE, path)

    def _ask_for_file(self) -> None:
        self._shelf.ask_for_file(PURPOSE)

    def _on_unread(self, purpose: str, failed: Failed) -> None:
        if purpose == PURPOSE:
            self._views.window.show_error(failed)

    def _on_read(self, loaded: LoadedModel) -> None:
        if loaded.origin != PURPOSE:
            return
        name, config = name_of(loaded.path), loaded.saved.config.model
        reason = refusal(config, self._first.config, name)
        if reason:
            self._views.window.show_error(Failed(reason))
            return
        self._views.window.clear_error()
        self._name = name
        self._version += 1
        self.space.open_model(config)
        self._inference.set_model(config, loaded.saved.as_weights(self._version))
        self.space.set_dataset(self._hub.dataset)
        self.space.show_split(self._split_name)
        self._settled = Touched.IMAGE if self._first.selected_image is not None else Touched.FIRST_CODE
        self._panel.set_comparing(True)
        self._show_layers()
        self._show_titles()
        self._views.window.commands.set_text(COMMAND, "End the c&omparison")

    def set_open_name(self, name: str) -> None:
        """Call the open model by this name."""
        if name != self._open_name:
            self._open_name = name
            if self.active:
                self._show_titles()

    @property
    def _split_name(self) -> str:
        return self._first.split_name

    def _show_titles(self) -> None:
        first, second = self._first.config, self.space.config
        if first is not None and second is not None:
            views = (ModelView(titled(first, self._open_name), first), ModelView(titled(second, self._name), second))
            self._panel.set_models(views)

    def _show_layers(self) -> None:
        shown = self._views.window.shown_layers()
        self._panel.second.set_layers(mosaic="mosaic" in shown, codes="codes" in shown, prior="prior" in shown)

    def _on_model_opened(self, config: ExperimentConfig) -> None:
        self._encodings.forget()
        if not self.active or self.space.config is None:
            return
        reason = refusal(self.space.config, config.model, self._name)
        if reason:
            self.close()
            self._views.window.show_message(f"The comparison has ended: {reason}")
        else:
            self._show_titles()

    def _on_data_changed(self) -> None:
        if self.active:
            self.space.set_dataset(self._hub.dataset)

    def _on_second_hand(self) -> None:
        if self.active:
            self._show_drawing_mark()
            self._again()

    # What is touched

    def _on_first_code(self) -> None:
        self._touch(Touched.FIRST_CODE)

    def _on_second_code(self) -> None:
        self._touch(Touched.SECOND_CODE)

    def _on_first_image(self) -> None:
        self._touch(Touched.IMAGE)

    def _on_second_image(self) -> None:
        image = self.space.selected_image
        if self.active and not self._following and image is not None:
            self._following = True
            self._first.select_image(image)
            self._following = False
            self._touch(Touched.IMAGE)

    def _on_drawn(self) -> None:
        if self._hub.drawing.seen is not None:
            self._touch(Touched.DRAWING)
        elif self.active:
            self._panel.second.clear_drawing_mark()
            if self._settled is Touched.DRAWING:
                self._touch(Touched.FIRST_CODE)

    def _touch(self, touched: Touched) -> None:
        if not self._following:
            self._settled = touched
            self._pointed = None
            self._show(touched)

    def _again(self) -> None:
        self._show(self._settled)

    def _on_first_pointed(self, row: int) -> None:
        image = self.space.image_of(row, self._first.codes)
        self._panel.second.set_linked(self.space.row_of(image))
        self._point_at(image)

    def _on_second_pointed(self, row: int) -> None:
        image = self.space.image_of(row, self.space.codes)
        codes = self._first.codes
        linked = None
        if image is not None and codes is not None and codes.split == self._split_name:
            place = int(codes.indices.searchsorted(image))
            linked = place if place < len(codes) and codes.indices[place] == image else None
        self._hub.canvas.set_linked(linked)
        self._point_at(image)

    def _point_at(self, image: int | None) -> None:
        if not self.active:
            return
        before, self._pointed = self._pointed, image
        if image is not None:
            self._show(Touched.POINTED)
        elif before is not None:
            self._again()

    # The image, and what both make of it

    def _show(self, touched: Touched) -> None:
        """Have both models encode the image that was touched."""
        if not self.active or self._first.hand is None or self.space.hand is None:
            return
        self._shown = _Shown(self._shown.serial + 1, touched, "")
        shown = self._shown
        match touched:
            case Touched.IMAGE | Touched.POINTED:
                shown.image = self._pointed if touched is Touched.POINTED else self._first.selected_image
                seen = None if shown.image is None or not self._hub.fits else self._first.seen(shown.image)
                if seen is None:
                    # What was compared comes back when the mouse leaves a point whose image cannot be read.
                    if touched is not Touched.POINTED:
                        self._touch(Touched.FIRST_CODE)
                    return
                shown.text = f"{SPLIT_NAMES[self._first.split_name]} image {shown.image:,}"
                self._encode(seen)
            case Touched.DRAWING if self._hub.drawing.seen is not None:
                shown.text = "the drawing"
                self._encode(self._hub.drawing.seen)
            case Touched.SECOND_CODE:
                shown.text = f"decoded by {self._name}"
                self._decode_second(self.space.selected_code)
            case _:
                shown.text = f"decoded by {self._open_name or 'the open model'}"
                self._decode_first(self._first.selected_code)

    def _decode_first(self, code: Code | None) -> None:
        hand = self._first.hand
        if code is None or hand is None:
            return
        if hand.decodes_directly and hand.encodes_directly:
            self._encode(pixels_of(hand.decode(code)))
        else:
            self._encodings.ask(EncodeAnalysis(self._shown.serial, None, code))

    def _decode_second(self, code: Code | None) -> None:
        hand = self.space.hand
        # A slow one is decoded for its canvas already: `_on_second_decoded`.
        if code is not None and hand is not None and hand.decodes_directly:
            self._encode(pixels_of(hand.decode(code)))

    def _on_second_decoded(self, _serial: int, pictures: HandPictures) -> None:
        if self.active and self._shown.touched is Touched.SECOND_CODE and pictures.code is self.space.selected_code:
            self._encode(pixels_of(pictures.deterministic))

    def _encode(self, pixels: PixelRow) -> None:
        """Ask both models how they encode the image."""
        self._shown.pixels = pixels
        first = self._first.hand
        if first is not None and first.encodes_directly:
            self._take_first(first.encode(pixels))
        else:
            self._encodings.ask(EncodeAnalysis(self._shown.serial, pixels))
        self._encode_second(pixels)

    def _encode_second(self, pixels: PixelRow) -> None:
        second = self.space.hand
        if second is not None and second.encodes_directly:
            self._take_second(second.encode(pixels))
        else:
            self._inference.ask(PictureRequest(self._shown.serial, pixels))

    def _on_first_encoded(self, found: Found) -> None:
        analysis, finding = found.analysis, found.finding
        if not isinstance(analysis, EncodeAnalysis) or not isinstance(finding, EncodedImage) or not self.active:
            return
        if analysis.serial != self._shown.serial:
            return  # the hand has moved on
        if self._shown.pixels is None:
            self._shown.pixels = finding.pixels
            self._encode_second(finding.pixels)
        self._take_first(finding.encoding)

    def _on_second_encoded(self, result: PictureResult) -> None:
        if self.active and result.serial == self._shown.serial:
            self._take_second(result.encoding)

    def _take_first(self, encoding: PictureEncoding) -> None:
        self._shown.first = encoding
        if self._shown.touched is Touched.SECOND_CODE:
            self._following = True
            self._first.move_selected_to(encoding.mean, keeps_image=self.space.selected_image is not None)
            self._following = False
        self._show_pictures()

    def _take_second(self, encoding: PictureEncoding) -> None:
        shown = self._shown
        shown.second = encoding
        if shown.touched in {Touched.IMAGE, Touched.FIRST_CODE}:
            self._following = True
            self.space.follow(encoding.mean, self._first.selected_image)
            self._following = False
        elif shown.touched is Touched.DRAWING:
            self._mark_drawing(encoding)
        self._show_pictures()

    def _show_drawing_mark(self) -> None:
        """Mark the drawing that is on the pad already on the second canvas."""
        seen, hand = self._hub.drawing.seen, self.space.hand
        if seen is None or hand is None or len(seen) != hand.config.num_pixels:
            self._panel.second.clear_drawing_mark()
        elif hand.encodes_directly:
            self._mark_drawing(hand.encode(seen))

    def _mark_drawing(self, encoding: PictureEncoding) -> None:
        scale = None if encoding.log_var is None else encoding.scale
        self._panel.second.set_drawing_mark(encoding.mean, scale)

    def _show_pictures(self) -> None:
        shown, config = self._shown, self._first.config
        if shown.pixels is None or config is None:
            return
        seen = picture_of(shown.pixels, config.image_height, config.image_width)
        self._panel.set_image(ComparedImage(shown.text, seen, (shown.first, shown.second)))
