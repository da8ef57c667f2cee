"""What two models make of one image: both reconstructions of each, and what they cost."""

from dataclasses import dataclass

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from core.config import ModelConfig
from core.shapes import Picture
from core.snapshots import PictureEncoding
from explorer.views.figures import Figure, FigureRow
from explorer.views.panels.frame import ElidedLabel
from explorer.views.readouts import number
from explorer.views.similar.thumbnail import Thumbnail

_AUTOENCODER = "An autoencoder defines no p(x): ELBO and KL do not exist."
_GREY = "Grey pixels: these nats are not a likelihood."
_INCOMPARABLE = "One likelihood is a mass, the other a density: their nats cannot be compared."
_NLL_TIP = "Reconstruction cost, the mean of −log p(x | z) over q(z | x), in nats; smaller is better."
_KL_TIP = "KL(q(z | x) ‖ p(z)) in nats: how far the posterior lies from the prior."
_ELBO_TIP = "Evidence lower bound of this image, −(NLL + KL), in nats: at most log p(x); larger is better."


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
        self.deterministic = Thumbnail(
            "deterministic", "E[x | z] at the posterior mean: each pixel's grey is its expected value.", least_side=56
        )
        self.stochastic = Thumbnail("stochastic", "A draw x ∼ p(x | z) at a sample z of q(z | x).", least_side=56)
        self.figures = FigureRow("Costs in nats")
        self._reason = ElidedLabel(muted=True)
        for view in (self.deterministic, self.stochastic):
            view.setMaximumHeight(128)
        pictures = QHBoxLayout()
        pictures.setSpacing(6)
        pictures.addWidget(self.deterministic)
        pictures.addWidget(self.stochastic)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        column.addWidget(self._title)
        column.addLayout(pictures, 1)
        column.addWidget(self.figures)
        column.addWidget(self._reason)

    @property
    def reason(self) -> str:
        """Why a number is missing, or what a number is not."""
        return self._reason.text()

    def set_title(self, title: str) -> None:
        """Name the model."""
        self._title.set_text(title)

    def set_encoding(self, encoding: PictureEncoding | None, *, other_is_mass: bool, is_mass: bool) -> None:
        """Show what the model makes of the image."""
        if encoding is None:
            for view in (self.deterministic, self.stochastic):
                view.set_picture(None)
            self.figures.set_figures(())
            self._reason.set_text("")
            return
        self.deterministic.set_picture(encoding.deterministic)
        self.stochastic.set_picture(encoding.stochastic)
        self.figures.set_figures(_costs(encoding))
        sentences = [_AUTOENCODER] if encoding.kl is None else []
        grey = bool(((encoding.seen > 0) & (encoding.seen < 255)).any())
        if grey and is_mass:
            sentences.append(_GREY)
        if is_mass != other_is_mass:
            sentences.append(_INCOMPARABLE)
        self._reason.set_text(" ".join(sentences))


class ComparedPictures(QFrame):
    """The image in the middle of both models' reconstructions: on the left the open model's."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Both models' reconstructions")
        self.seen = Thumbnail("x, for both", "The one image that both models encode.", least_side=56)
        self.seen.setMaximumHeight(128)
        self._text = ElidedLabel(muted=True)
        self.models = (ModelPictures(), ModelPictures())
        self._views: tuple[ModelView, ModelView] | None = None
        middle = QVBoxLayout()
        middle.setSpacing(2)
        heading = ElidedLabel(bold=True)
        heading.set_text("the same image")
        middle.addWidget(heading)
        middle.addWidget(self.seen, 1)
        middle.addWidget(self._text)
        middle.addSpacing(self.models[0].figures.sizeHint().height() + 2)
        grid = QGridLayout(self)
        grid.setContentsMargins(12, 6, 12, 6)
        grid.setHorizontalSpacing(16)
        grid.addWidget(self.models[0], 0, 0)
        grid.addLayout(middle, 0, 1)
        grid.addWidget(self.models[1], 0, 2)
        for column, stretch in enumerate((2, 1, 2)):
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
        self._text.set_text("" if compared is None else compared.text)
        if self._views is None:
            return
        masses = tuple(view.config.is_mass for view in self._views)
        encodings = (None, None) if compared is None else compared.encodings
        for number_, (model, encoding) in enumerate(zip(self.models, encodings, strict=True)):
            model.set_encoding(encoding, is_mass=masses[number_], other_is_mass=masses[1 - number_])


def _costs(encoding: PictureEncoding) -> tuple[Figure, ...]:
    figures = [Figure(number(encoding.nll), "NLL, nats", _NLL_TIP)]
    if encoding.kl is None or encoding.elbo is None:
        return (*figures, Figure("–", "KL", _AUTOENCODER), Figure("–", "ELBO", _AUTOENCODER))
    return (*figures, Figure(number(encoding.kl), "KL", _KL_TIP), Figure(number(encoding.elbo), "ELBO", _ELBO_TIP))
