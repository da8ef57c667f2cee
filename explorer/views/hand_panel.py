"""The panel of pictures that belong to the selected handle."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QVBoxLayout, QWidget

from explorer.messages import HandPictures
from explorer.views.notation import dimension_name
from explorer.views.pacing import FOLLOW_MS, RequestPacer
from explorer.views.picture_row import PictureRow
from explorer.views.pictures import PictureView
from explorer.views.readouts import StatusLine, number

_LONGEST_CODE = 2
_NO_HANDLE = "Select a handle on the canvas, or double-click to add one."
_NO_CODES = "An autoregressive model decodes no code: it draws its pictures pixel by pixel, in the middle."


class HandPanel(QWidget):
    """What the selected handle's code decodes to."""

    failed = Signal(str)
    """A picture could not be saved: which file and why."""

    def __init__(self) -> None:
        super().__init__()
        self.deterministic = PictureView(
            "decoded mean\nE[x\u00a0|\u00a0z]",
            "The mean of p(x | z) at this code: each pixel's grey is its expected value.",
            caption_lines=2,
            least_side=112,
        )
        self.stochastic = PictureView(
            "decoded draw\nx\u00a0∼\u00a0p(x\u00a0|\u00a0z)",
            "One draw from p(x | z) at this code, always with the same noise.",
            caption_lines=2,
            fill=True,
        )
        self.source = PictureView(
            "what the\nmodel sees",
            "The data image this handle was dragged from, as the encoder gets it.",
            caption_lines=2,
            fill=True,
        )
        self.set_has_codes(True)
        self.corrupted = PictureView(
            "corrupted x̃",
            "The same image as a denoising autoencoder gets it while it is trained: with noise, or pixels dropped.",
            fill=True,
        )
        self.restored = PictureView(
            "E[x\u00a0|\u00a0f(x̃)]",
            "The mean of p(x | z) at the code of the corrupted image: what it makes of it.",
            fill=True,
        )
        for view in self._views:
            view.failed.connect(self.failed)
        self._status = StatusLine("Code and weights of the selected handle")
        self._status.setToolTip("The code z that is decoded, in latent units, and the version of the model's weights.")
        self._code = ""
        self._version: int | None = None
        self._following = RequestPacer(self, FOLLOW_MS)
        self._following.due.connect(self._write_status)
        self.source.hide()
        self._repair = PictureRow((self.corrupted, self.restored))
        self._repair.hide()
        self._arrange()
        self._write_status()

    @property
    def _views(self) -> tuple[PictureView, ...]:
        return self.deterministic, self.stochastic, self.source, self.corrupted, self.restored

    @property
    def status_text(self) -> str:
        """The line under the pictures: a code of one or two numbers, the weights' version."""
        return self._status.text

    def set_has_codes(self, has_codes: bool) -> None:  # noqa: FBT001 - a Qt setter
        """Say why nothing is decoded: no handle is selected, or the model has no codes at all."""
        self.deterministic.set_placeholder(_NO_HANDLE if has_codes else _NO_CODES)

    def set_pictures(self, pictures: HandPictures | None) -> None:
        """Show what a handle's code decodes to, or that no handle is selected."""
        self.deterministic.set_picture(None if pictures is None else pictures.deterministic)
        self.stochastic.set_picture(None if pictures is None else pictures.stochastic)
        source = None if pictures is None else pictures.source
        self.source.set_picture(source)
        if self.source.isHidden() == (source is not None):
            self.source.setVisible(source is not None)
        repair = None if pictures is None else pictures.repair
        self.corrupted.set_picture(None if repair is None else repair.corrupted)
        self.restored.set_picture(None if repair is None else repair.restored)
        if self._repair.isHidden() == (repair is not None):
            self._repair.setVisible(repair is not None)
        self._version = None if pictures is None else pictures.version
        # Longer codes are read off the sliders.
        short = pictures is not None and len(pictures.code) <= _LONGEST_CODE
        self._code = code_text(pictures.code.tolist()) if pictures is not None and short else ""
        self._following.request()

    def set_smooth(self, smooth: bool) -> None:  # noqa: FBT001
        """Interpolate between the pixels of every picture here, or show them as squares."""
        for view in self._views:
            view.set_smooth(smooth)

    def _arrange(self) -> None:
        side = QVBoxLayout()
        side.setSpacing(6)
        side.addWidget(self.stochastic)
        side.addWidget(self.source)
        side.addStretch(1)
        pictures = QHBoxLayout()
        pictures.setSpacing(10)
        pictures.addWidget(self.deterministic, 7)
        pictures.addLayout(side, 3)
        layout = QGridLayout(self)
        layout.setContentsMargins(8, 8, 8, 8)
        layout.setVerticalSpacing(6)
        layout.addLayout(pictures, 0, 0)
        layout.addWidget(self._repair, 1, 0)
        layout.addWidget(self._status, 2, 0)
        layout.setRowStretch(0, 1)

    def _write_status(self) -> None:
        parts = [self._code] if self._code else []
        if self._version is not None:
            parts.append(f"weights version {self._version}")
        self._status.set_text(" · ".join(parts))


def code_text(code: list[float]) -> str:
    """Return a short code in one line, numbered from z₁."""
    return "  ".join(f"{dimension_name(index)} {number(value)}" for index, value in enumerate(code))
