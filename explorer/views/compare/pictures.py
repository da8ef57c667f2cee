"""What two models make of one image: both reconstructions of each, and what they cost."""

from dataclasses import dataclass

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QGridLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget

from core.compatibility import is_normalised
from core.config import ModelConfig
from core.data.greys import has_greys
from core.shapes import Picture
from core.snapshots import PictureEncoding
from explorer.views.panels.frame import ElidedLabel
from explorer.views.readouts import NumberRow, NumberTable, number
from explorer.views.similar.thumbnail import Thumbnail

_AUTOENCODER = "An autoencoder defines no p(x): ELBO and KL do not exist."
_GREY = "Grey pixels: these nats are not a likelihood."
_INCOMPARABLE = "One likelihood is a mass, the other a density: their nats cannot be compared."
_HEADER = ("", "nats")
_TIPS = {
    "ELBO": "Evidence lower bound of this image, −(NLL + KL): at most log p(x); larger is better.",
    "NLL": "Reconstruction cost, the mean of −log p(x | z) over q(z | x); smaller is better.",
    "KL": "KL(q(z | x) ‖ p(z)): how far the posterior lies from the prior; exact for Gaussians.",
}
SIDE_PX = 92
"""Side of each picture: 3 pixels for each of an image of 28, with its frame."""


@dataclass(frozen=True, slots=True)
class ModelView:
    """What is to be known of a model to say what its numbers mean."""

    title: str
    config: ModelConfig


@dataclass(frozen=True, slots=True, eq=False)
class ComparedImage:
    """One image and what each model makes of it; None while that is still being computed."""

    text: str
    """What the image is."""
    seen: Picture
    encodings: tuple[PictureEncoding | None, PictureEncoding | None]


class ModelPictures(QWidget):
    """Deterministic and stochastic reconstruction by one model, with the costs."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._title = ElidedLabel(bold=True)
        self.deterministic = _picture(
            "deterministic", "E[x | z] at the posterior mean: each pixel's grey is its expected value."
        )
        self.stochastic = _picture("stochastic", "A draw x ∼ p(x | z) at a sample z of q(z | x).")
        self.costs = NumberTable("Costs in nats")
        self._reason = _words()
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(8)
        grid.setVerticalSpacing(3)
        grid.addWidget(self._title, 0, 0, 1, 3)
        grid.addWidget(self.deterministic, 1, 0)
        grid.addWidget(self.stochastic, 1, 1)
        grid.addWidget(self.costs, 1, 2, Qt.AlignmentFlag.AlignTop)
        grid.addWidget(self._reason, 2, 0, 1, 3)
        grid.setColumnStretch(2, 1)
        self.set_encoding(None, ModelConfig(), ModelConfig())

    @property
    def reason(self) -> str:
        """Why a number is missing, or what a number is not."""
        return self._reason.text()

    def set_title(self, title: str) -> None:
        """Name the model."""
        self._title.set_text(title)

    def set_encoding(self, encoding: PictureEncoding | None, model: ModelConfig, other: ModelConfig) -> None:
        """Show what the model makes of the image, and whether its nats compare with the other model's."""
        if encoding is None:
            for view in (self.deterministic, self.stochastic):
                view.set_picture(None)
            self.costs.set_rows(_HEADER, [NumberRow(name, ("–",)) for name in _TIPS])
            show_words(self._reason, "")
            return
        self.deterministic.set_picture(encoding.deterministic)
        self.stochastic.set_picture(encoding.stochastic)
        self.costs.set_rows(_HEADER, _costs(encoding))
        sentences = [_AUTOENCODER] if encoding.kl is None else []
        if not is_normalised(model, grey=has_greys(encoding.seen)):
            sentences.append(_GREY)
        if model.is_mass != other.is_mass:
            sentences.append(_INCOMPARABLE)
        show_words(self._reason, " ".join(sentences))


class ComparedPictures(QFrame):
    """The image in the middle of both models' reconstructions: on the left the open model's."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Both models' reconstructions")
        self.seen = _picture("x, for both", "The one image that both models encode.")
        self._text = _words()
        self.models = (ModelPictures(), ModelPictures())
        self._views: tuple[ModelView, ModelView] | None = None
        heading = ElidedLabel(bold=True)
        heading.set_text("One image")
        middle = QVBoxLayout()
        middle.setSpacing(3)
        middle.addWidget(heading)
        middle.addWidget(self.seen)
        middle.addWidget(self._text)
        middle.addStretch(1)
        grid = QGridLayout(self)
        grid.setContentsMargins(12, 6, 12, 6)
        grid.setHorizontalSpacing(16)
        grid.addWidget(self.models[0], 0, 0)
        grid.addLayout(middle, 0, 1)
        grid.addWidget(self.models[1], 0, 2)
        for column, stretch in enumerate((5, 2, 5)):
            grid.setColumnStretch(column, stretch)
        grid.setAlignment(middle, Qt.AlignmentFlag.AlignTop)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)

    @property
    def text(self) -> str:
        """What the image is."""
        return self._text.text()

    def set_models(self, views: tuple[ModelView, ModelView]) -> None:
        """Name both models."""
        self._views = views
        for model, view in zip(self.models, views, strict=True):
            model.set_title(view.title)

    def set_image(self, compared: ComparedImage | None) -> None:
        """Show an image and what both make of it."""
        self.seen.set_picture(None if compared is None else compared.seen)
        show_words(self._text, "" if compared is None else compared.text)
        if self._views is None:
            return
        configs = tuple(view.config for view in self._views)
        encodings = (None, None) if compared is None else compared.encodings
        for number_, (model, encoding) in enumerate(zip(self.models, encodings, strict=True)):
            model.set_encoding(encoding, configs[number_], configs[1 - number_])


def _costs(encoding: PictureEncoding) -> list[NumberRow]:
    values = {"ELBO": encoding.elbo, "NLL": encoding.nll, "KL": encoding.kl}
    return [
        NumberRow(name, ("–",), _AUTOENCODER) if value is None else NumberRow(name, (number(value),), _TIPS[name])
        for name, value in values.items()
    ]


def show_words(label: QLabel, text: str) -> None:
    """Show a text; setting a label's text lays everything out anew, so only what is new is set."""
    if text != label.text():
        label.setText(text)
        label.setToolTip(text)


def _words() -> QLabel:
    """Return lines of secondary text; always as high, or the canvases above would move with what is said."""
    label = QLabel()
    label.setProperty("role", "muted")
    label.setWordWrap(True)
    label.setAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop)
    label.setFixedHeight(3 * label.fontMetrics().lineSpacing() + 2)
    label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
    return label


def _picture(caption: str, tip: str) -> Thumbnail:
    view = Thumbnail(caption, tip, least_side=56)
    view.setFixedSize(SIDE_PX, view.heightForWidth(SIDE_PX))
    return view
