"""What the model makes of the drawing: four pictures side by side, the posterior, and the costs in nats."""

import math

import numpy as np
from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget

from core.shapes import Picture
from core.snapshots import PictureEncoding
from explorer.views.picture_row import PictureRow
from explorer.views.pictures import PictureView
from explorer.views.readouts import NumberRow, NumberTable, number, spread

_MOST_DIMENSIONS = 4
_ELBO_TIP = "Evidence lower bound of this picture, −(NLL + KL): at most log p(x); larger is better."
_NLL_TIP = "Reconstruction cost, the mean of −log p(x | z) over samples z of q(z | x); smaller is better."
_KL_TIP = "KL(q(z | x) ‖ p(z)): how far the posterior lies from the prior; exact for Gaussians."
_AUTOENCODER = "An autoencoder defines no p(x): ELBO and KL do not exist."
_GREY = "Grey pixels: these nats are not a likelihood."
_NOTHING = "–"


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
        self.posterior = NumberTable("Posterior of the drawing")
        self.costs = NumberTable("Costs of the drawing in nats")
        self.status = QLabel()
        self.status.setProperty("role", "muted")
        self.status.setWordWrap(True)
        self.status.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Minimum)
        self.status.setMinimumHeight(2 * self.fontMetrics().lineSpacing())
        self._encoding: PictureEncoding | None = None
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
        layout.addWidget(PictureRow(self.pictures))
        layout.addLayout(tables)
        layout.addWidget(self.status)
        self.set_encoding(None)

    @property
    def pictures(self) -> tuple[PictureView, ...]:
        """The four views, from what was drawn to what was made of it."""
        return self.raw, self.seen, self.deterministic, self.stochastic

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
        self.seen.set_picture(None if encoding is None else encoding.seen)
        self.deterministic.set_picture(None if encoding is None else encoding.deterministic)
        self.stochastic.set_picture(None if encoding is None else encoding.stochastic)
        if encoding is None:
            # As many rows as before, or the sheet above would move between two strokes.
            rows = range(1, self._num_dimensions_shown + 1)
            self.posterior.set_rows(("q(z | x)", "μ", "σ"), [NumberRow(f"z{row}", (_NOTHING,) * 2) for row in rows])
            self.costs.set_rows(_COST_HEADER, [NumberRow(name, (_NOTHING,) * 2) for name in ("ELBO", "NLL", "KL")])
            self._say(reason)
            return
        self._num_dimensions_shown = min(len(encoding.mean), _MOST_DIMENSIONS)
        self.posterior.set_rows(*_posterior_table(encoding))
        self.costs.set_rows(*_cost_table(encoding))
        self._say(_status_of(encoding))

    def _say(self, text: str) -> None:
        # Setting a label's text lays the panel out anew, so only what is new is set.
        if text != self.status.text():
            self.status.setText(text)


_COST_HEADER = ("", "nats", "bits/dim")


def _posterior_table(encoding: PictureEncoding) -> tuple[tuple[str, ...], list[NumberRow]]:
    mean = encoding.mean.tolist()
    hidden = len(mean) - _MOST_DIMENSIONS
    if encoding.log_var is None:
        header: tuple[str, ...] = ("code", "z")
        cells: list[tuple[str, ...]] = [(number(value),) for value in mean]
    else:
        header = ("q(z | x)", "μ", "σ")
        std = np.exp(0.5 * encoding.log_var).tolist()
        cells = [(number(value), spread(deviation)) for value, deviation in zip(mean, std, strict=True)]
    rows = [
        NumberRow(f"z{index + 1}", texts, f"Latent dimension {index + 1}: mean and standard deviation of q(z | x).")
        for index, texts in enumerate(cells[:_MOST_DIMENSIONS])
    ]
    if hidden > 0:
        rows[-1] = NumberRow(f"… and {hidden + 1} more", (), "The sliders show every dimension.")
    return header, rows


def _cost_table(encoding: PictureEncoding) -> tuple[tuple[str, ...], list[NumberRow]]:
    bits = 1.0 / (encoding.seen.size * math.log(2.0))
    grey = _is_grey(encoding)
    rows = []
    for name, value, tip in (
        ("ELBO", encoding.elbo, _ELBO_TIP),
        ("NLL", encoding.nll, _NLL_TIP),
        ("KL", encoding.kl, _KL_TIP),
    ):
        if value is None:
            rows.append(NumberRow(name, (_NOTHING, _NOTHING), _AUTOENCODER))
        else:
            # Bits per dimension exist for masses only, and grey pixels have none.
            rows.append(NumberRow(name, (number(value), _NOTHING if grey else number(value * bits, 3)), tip))
    return _COST_HEADER, rows


def _status_of(encoding: PictureEncoding) -> str:
    sentences = []
    if encoding.kl is None:
        sentences.append(_AUTOENCODER)
    else:
        plural = "" if encoding.num_samples == 1 else "s"
        sentences.append(
            f"NLL over {encoding.num_samples} sample{plural} of q(z | x); weights version {encoding.version}."
        )
    if _is_grey(encoding):
        sentences.append(_GREY)
    return " ".join(sentences)


def _is_grey(encoding: PictureEncoding) -> bool:
    seen = encoding.seen
    return bool(((seen > 0) & (seen < 255)).any())
