"""What the model makes of the drawing: four pictures side by side, the posterior, and the costs in nats."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget

from core.config import ModelConfig
from core.findings.pixel_sampling import PixelScore
from core.shapes import Picture
from core.snapshots import PictureEncoding
from explorer.views.draw_pad.costs import (
    COST_HEADER,
    MOST_DIMENSIONS,
    NOTHING,
    cost_rows,
    empty_costs,
    encoding_sentence,
    posterior_rows,
    score_rows,
    score_sentence,
)
from explorer.views.notation import dimension_name
from explorer.views.picture_row import PictureRow
from explorer.views.pictures import PictureView
from explorer.views.readouts import NumberRow, NumberTable


class EncodingView(QWidget):
    """Pictures and numbers of one `PictureEncoding`, each picture the size of the others."""

    failed = Signal(str)
    """A picture could not be saved: which file and why."""

    def __init__(self) -> None:
        super().__init__()
        self.raw = PictureView("raw", "The ink as it was drawn.", caption_lines=2, fill=True)
        self.seen = PictureView(
            "what the\nmodel sees",
            "The x of every number below: the ink at the model's size, its pixels 0 or 1 unless the model takes grey.",
            caption_lines=2,
            fill=True,
        )
        self.deterministic = PictureView(
            "deterministic reconstruction",
            "E[x | z] at the posterior mean: each pixel's grey is its expected value.",
            caption_lines=2,
            fill=True,
        )
        self.stochastic = PictureView(
            "stochastic reconstruction",
            "A draw x ∼ p(x | z) at a sample z of q(z | x).",
            caption_lines=2,
            fill=True,
        )
        self.corrupted = PictureView(
            "corrupted x̃",
            "The x̃ that is encoded in place of x: with noise, or pixels dropped, as in training.",
            caption_lines=2,
            fill=True,
        )
        self.expected = PictureView(
            "expected\nE[xᵢ | x₁ … xᵢ₋₁]",
            "What the model expects of each pixel, given those before it in its ordering.",
            caption_lines=2,
            fill=True,
        )
        self.posterior = NumberTable("Posterior of the drawing")
        self.costs = NumberTable("Costs of the drawing in nats")
        self.status = QLabel()
        self.status.setProperty("role", "muted")
        self.status.setWordWrap(True)
        self.status.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Minimum)
        self.status.setMinimumHeight(2 * self.fontMetrics().lineSpacing())
        self._encoding: PictureEncoding | None = None
        self._score: PixelScore | None = None
        self._model = ModelConfig()
        self._num_dimensions_shown = 2
        for view in self.pictures:
            view.failed.connect(self.failed)
        tables = QHBoxLayout()
        tables.setSpacing(12)
        tables.addWidget(self.posterior, 4, Qt.AlignmentFlag.AlignTop)
        tables.addWidget(self.costs, 5, Qt.AlignmentFlag.AlignTop)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6)
        self._row = PictureRow(self.pictures)
        layout.addWidget(self._row)
        layout.addLayout(tables)
        layout.addWidget(self.status)
        self.set_model(self._model)

    @property
    def pictures(self) -> tuple[PictureView, ...]:
        """The views, from what was drawn to what was made of it; those are shown that the model's kind has."""
        return self.raw, self.seen, self.corrupted, self.deterministic, self.stochastic, self.expected

    def set_model(self, model: ModelConfig) -> None:
        """Make room for what such a model says of a drawing."""
        self._model = model
        self.corrupted.setVisible(model.model == "denoising_autoencoder")
        for view in (self.deterministic, self.stochastic):
            view.setVisible(model.has_codes)
        self.expected.setVisible(not model.has_codes)
        self.posterior.setVisible(model.has_codes)
        self._row.rearrange()
        self.set_encoding(None)

    @property
    def encoding(self) -> PictureEncoding | None:
        """The encoding shown."""
        return self._encoding

    def set_raw(self, raw: Picture | None) -> None:
        """Show the ink."""
        self.raw.set_picture(raw)

    def set_encoding(self, encoding: PictureEncoding | None, reason: str = "") -> None:
        """Show an encoding, or say why there is none."""
        self._encoding = encoding
        self._score = None
        self.seen.set_picture(None if encoding is None else encoding.seen)
        self.corrupted.set_picture(None if encoding is None else encoding.corrupted)
        self.deterministic.set_picture(None if encoding is None else encoding.deterministic)
        self.stochastic.set_picture(None if encoding is None else encoding.stochastic)
        self.expected.set_picture(None)
        if encoding is None:
            # As many rows as before, or the sheet above would move between two strokes.
            names = [dimension_name(row) for row in range(self._num_dimensions_shown)]
            self.posterior.set_rows(("q(z | x)", "μ", "σ"), [NumberRow(name, (NOTHING,) * 2) for name in names])
            self.costs.set_rows(COST_HEADER, empty_costs(self._model))
            self._say(reason)
            return
        self._num_dimensions_shown = min(len(encoding.mean), MOST_DIMENSIONS)
        self.posterior.set_rows(*posterior_rows(encoding))
        self.costs.set_rows(COST_HEADER, cost_rows(encoding, self._model))
        self._say(encoding_sentence(encoding, self._model))

    @property
    def score(self) -> PixelScore | None:
        """What an autoregressive model says of the drawing, if that is shown."""
        return self._score

    def set_score(self, score: PixelScore) -> None:
        """Show what an autoregressive model says of the drawing."""
        self._encoding, self._score = None, score
        self.seen.set_picture(score.seen)
        self.expected.set_picture(score.means)
        self.costs.set_rows(COST_HEADER, score_rows(score, self._model))
        self._say(score_sentence(score, self._model))

    def _say(self, text: str) -> None:
        # Setting a label's text lays the panel out anew, so only what is new is set.
        if text != self.status.text():
            self.status.setText(text)
